//! Envelopes and faults of both SOAP versions (contract 02 section 2.8).

use roxmltree::{Document, Node};

use crate::xml::{self, INSTANCE, Limits, XmlError, child, elements, is, shortened};

const SOAP_11: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const SOAP_12: &str = "http://www.w3.org/2003/05/soap-envelope";
/// Namespace of faults, addresses and codes.
pub(super) const COMMON: &str = "http://register.nhn.no/Common";

/// Answers with a CPP or CPA in them are the largest, some 100 kB.
const LIMITS: Limits = Limits {
    bytes: 8 * 1024 * 1024,
    depth: 64,
    nodes: 200_000,
    ..Limits::MESSAGE
};

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegisterError {
    /// The register says no.
    #[error("the register answers with the fault {code}: {reason}")]
    Fault {
        /// `ErrorCode` of a typed fault, `InvalidHerIdSupplied`; of an untyped one the fault code without prefix.
        code: String,
        /// The fault's reason.
        reason: String,
        /// Whether the fault has a `GenericFault` in its detail. Official clients treat the two kinds differently.
        typed: bool,
    },
    /// What came is not an answer that can be read.
    #[error("the answer of the register cannot be read: {0}")]
    Unreadable(String),
}

impl RegisterError {
    pub(super) fn unreadable(why: &str) -> Self {
        Self::Unreadable(why.to_owned())
    }

    /// Whether the register does not know the HER-id.
    #[must_use]
    pub fn is_unknown_her_id(&self) -> bool {
        matches!(self, Self::Fault { code, typed: true, .. } if code == "InvalidHerIdSupplied")
    }

    /// Whether CPPA has no such document. Its codes are not documented, its texts are known (contract 02 section 2.8).
    pub(super) fn is_no_document(&self) -> bool {
        let Self::Fault {
            code,
            reason,
            typed: true,
        } = self
        else {
            return false;
        };
        matches!(
            code.as_str(),
            "EntityNotFound" | "PartyHasNoCpp" | "NoCommonProcess"
        ) || ["Entitet ikke funnet", "does not have a CPP"]
            .iter()
            .any(|text| reason.contains(text))
    }
}

impl From<XmlError> for RegisterError {
    fn from(error: XmlError) -> Self {
        Self::unreadable(match error {
            XmlError::TooLarge => "it is too large",
            XmlError::Encoding => "its encoding is not known",
            XmlError::NotWellFormed { .. } => "it is not well-formed XML",
            XmlError::Forbidden => "it has a document type definition",
            XmlError::TooComplex => "it is nested too deeply or has too many parts",
        })
    }
}

/// Hands the result of an answer, `<op>Result` in `<op>Response`, to `read`; none if it is nil or absent.
///
/// # Errors
/// If the answer is a fault or no SOAP envelope, or if `read` fails.
pub(super) fn with_result<T>(
    bytes: &[u8],
    read: impl FnOnce(Option<Node<'_, '_>>) -> Result<T, RegisterError>,
) -> Result<T, RegisterError> {
    let text = xml::decode(bytes, LIMITS.bytes)?;
    let document = xml::parse(&text, &LIMITS)?;
    let response = response(&document)?;
    let Some(operation) = response.tag_name().name().strip_suffix("Response") else {
        return Err(RegisterError::unreadable("the body holds no response"));
    };
    let mut results = elements(response).filter(|node| {
        node.tag_name().namespace() == response.tag_name().namespace()
            && node.tag_name().name().strip_suffix("Result") == Some(operation)
    });
    read(results.next().filter(|result| !is_nil(*result)))
}

/// The first element of the body, unless it is a fault.
fn response<'a, 'input>(document: &'a Document<'input>) -> Result<Node<'a, 'input>, RegisterError> {
    let envelope = document.root_element();
    let soap = [SOAP_11, SOAP_12]
        .into_iter()
        .find(|soap| is(envelope, soap, "Envelope"));
    let soap = soap.ok_or_else(|| RegisterError::unreadable("it is no SOAP envelope"))?;
    let body = child(envelope, soap, "Body").and_then(|body| elements(body).next());
    let body = body.ok_or_else(|| RegisterError::unreadable("the SOAP body is empty"))?;
    if is(body, soap, "Fault") {
        Err(fault(body, soap))
    } else {
        Ok(body)
    }
}

fn fault(fault: Node<'_, '_>, soap: &str) -> RegisterError {
    let text =
        |node: Option<Node<'_, '_>>| node.map(xml::text).unwrap_or_default().trim().to_owned();
    let (code, reason, detail) = if soap == SOAP_11 {
        (
            text(child(fault, "", "faultcode")),
            text(child(fault, "", "faultstring")),
            child(fault, "", "detail"),
        )
    } else {
        let code = child(fault, soap, "Code").and_then(|code| child(code, soap, "Value"));
        let reason = child(fault, soap, "Reason").and_then(|reason| child(reason, soap, "Text"));
        (text(code), text(reason), child(fault, soap, "Detail"))
    };
    let generic = detail.and_then(|detail| child(detail, COMMON, "GenericFault"));
    let typed_code = generic.and_then(|generic| member(generic, COMMON, "ErrorCode"));
    let message = generic.and_then(|generic| member(generic, COMMON, "Message"));
    let local = code.rsplit(':').next().unwrap_or_default();
    let reason = if reason.is_empty() {
        message.unwrap_or_default()
    } else {
        reason
    };
    RegisterError::Fault {
        typed: generic.is_some(),
        code: shortened(typed_code.as_deref().unwrap_or(local)),
        reason: reason.chars().take(500).collect(),
    }
}

/// Whether an element is the null of a data contract.
pub(super) fn is_nil(node: Node<'_, '_>) -> bool {
    matches!(
        node.attribute((INSTANCE, "nil")).map(str::trim),
        Some("true" | "1")
    )
}

/// The text of a member; none if it is missing or nil. Order is not looked at.
pub(super) fn member(node: Node<'_, '_>, namespace: &str, name: &str) -> Option<String> {
    let found = child(node, namespace, name).filter(|member| !is_nil(*member));
    found.map(|member| xml::text(member).trim().to_owned())
}
