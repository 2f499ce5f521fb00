//! Reading a SOAP request: which operation is asked for, with which parameters. Everything from the network ends here.

use roxmltree::{Document, Node, ParsingOptions};

use super::envelope::Version;
use crate::xml::INSTANCE;

/// Namespace of WS-Addressing 1.0.
pub(crate) const ADDRESSING: &str = "http://www.w3.org/2005/08/addressing";

/// Most nodes of a request; the largest of a client has some thirty.
const NODE_LIMIT: u32 = 4096;

/// A request that was understood as far as any service can.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// Namespace of the operation's element.
    pub(crate) namespace: String,
    /// Name of the operation.
    pub(crate) operation: String,
    /// Its parameters in the order sent; a nil one has no text.
    pub(crate) parameters: Vec<(String, Option<String>)>,
    /// WS-Addressing: what the caller wants to have done.
    pub(crate) action: Option<String>,
    /// WS-Addressing: what the answer is to refer to.
    pub(crate) message_id: Option<String>,
}

/// Why a body is no request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RequestError {
    #[error("the body is not UTF-8")]
    Encoding,
    #[error("the body is not well-formed XML within the limits of the service: {0}")]
    Xml(String),
    #[error("the body is no SOAP envelope of the version that this address takes")]
    Version,
    #[error("the SOAP body does not hold exactly one operation")]
    Body,
    #[error("the header block {0} is not understood")]
    MustUnderstand(String),
}

/// A parameter is not what the operation takes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the parameter {name} is not of the type {expected}")]
pub(crate) struct ParameterError {
    pub(crate) name: &'static str,
    pub(crate) expected: &'static str,
}

impl Request {
    /// Reads a body. A byte order mark is accepted; a DTD is not.
    pub(crate) fn read(body: &[u8], version: Version) -> Result<Self, RequestError> {
        let text = std::str::from_utf8(body).map_err(|_| RequestError::Encoding)?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let options = ParsingOptions {
            allow_dtd: false,
            nodes_limit: NODE_LIMIT,
            ..ParsingOptions::default()
        };
        let document = Document::parse_with_options(text, options)
            .map_err(|error| RequestError::Xml(error.to_string()))?;
        let envelope = document.root_element();
        let soap = version.namespace();
        if !envelope.has_tag_name((soap, "Envelope")) {
            return Err(RequestError::Version);
        }
        let part = |name| {
            envelope
                .children()
                .find(move |child| child.has_tag_name((soap, name)))
        };
        let (action, message_id) = read_header(part("Header"), version)?;
        let body = part("Body").ok_or(RequestError::Body)?;
        let mut operations = body.children().filter(Node::is_element);
        let (Some(operation), None) = (operations.next(), operations.next()) else {
            return Err(RequestError::Body);
        };
        let parameters = operation.children().filter(Node::is_element);
        Ok(Self {
            namespace: operation
                .tag_name()
                .namespace()
                .unwrap_or_default()
                .to_owned(),
            operation: operation.tag_name().name().to_owned(),
            parameters: parameters
                .map(|parameter| (parameter.tag_name().name().to_owned(), value(parameter)))
                .collect(),
            action,
            message_id,
        })
    }

    /// A parameter as text; a missing or nil one is none.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(given, _)| given == name);
        found.and_then(|(_, value)| value.as_deref())
    }

    /// A HER-id. Like every number of a data contract it is 0 when it is missing; what is negative is nobody's and becomes 0 too.
    pub(crate) fn her_id(&self, name: &'static str) -> Result<u32, ParameterError> {
        let Some(text) = self.text(name) else {
            return Ok(0);
        };
        let expected = "int";
        let number: i32 = text
            .trim()
            .parse()
            .map_err(|_| ParameterError { name, expected })?;
        Ok(u32::try_from(number).unwrap_or(0))
    }

    /// A UUID; all zeros when it is missing.
    pub(crate) fn uuid(&self, name: &'static str) -> Result<uuid::Uuid, ParameterError> {
        let expected = "guid";
        self.text(name).map_or(Ok(uuid::Uuid::nil()), |text| {
            text.trim()
                .parse()
                .map_err(|_| ParameterError { name, expected })
        })
    }
}

/// What the header asks for. Blocks that are not known are passed over, unless they must be understood.
fn read_header(
    header: Option<Node<'_, '_>>,
    version: Version,
) -> Result<(Option<String>, Option<String>), RequestError> {
    let (mut action, mut message_id) = (None, None);
    let blocks = header
        .into_iter()
        .flat_map(|header| header.children())
        .filter(Node::is_element);
    for block in blocks {
        let name = block.tag_name();
        match (version, name.namespace(), name.name()) {
            (Version::Soap12, Some(ADDRESSING), "Action") => action = value(block),
            (Version::Soap12, Some(ADDRESSING), "MessageID") => message_id = value(block),
            (Version::Soap12, Some(ADDRESSING), _) => {}
            (_, _, local) => {
                let must = block.attribute((version.namespace(), "mustUnderstand"));
                if matches!(must.map(str::trim), Some("1" | "true")) {
                    return Err(RequestError::MustUnderstand(local.to_owned()));
                }
            }
        }
    }
    Ok((action, message_id))
}

fn value(node: Node<'_, '_>) -> Option<String> {
    let nil = node.attribute((INSTANCE, "nil"));
    if matches!(nil.map(str::trim), Some("true" | "1")) {
        return None;
    }
    let texts = node
        .children()
        .filter(Node::is_text)
        .filter_map(|text| text.text());
    Some(texts.collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn envelope(content: &str) -> String {
        format!(
            "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\">{content}</s:Envelope>"
        )
    }

    fn read(xml: &str) -> Result<Request, RequestError> {
        Request::read(xml.as_bytes(), Version::Soap11)
    }

    #[test]
    fn an_operation_and_its_parameters() {
        let request = read(&format!(
            "\u{feff}{}",
            envelope(
                "<s:Header><x:a xmlns:x=\"urn:x\"/></s:Header><s:Body><Op xmlns=\"urn:y\"> <herId> 7 </herId><other><deep>1</deep></other>\
                 <none i:nil=\"true\" xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\"/></Op></s:Body>"
            )
        ))
        .unwrap();
        assert_eq!(
            (request.namespace.as_str(), request.operation.as_str()),
            ("urn:y", "Op")
        );
        assert_eq!(request.her_id("herId"), Ok(7));
        assert_eq!(request.her_id("absent"), Ok(0));
        assert_eq!(request.her_id("none"), Ok(0));
        assert_eq!(request.text("other"), Some(""));
    }

    #[test]
    fn numbers_and_ids_are_checked() {
        let with = |value: &str| {
            read(&envelope(&format!(
                "<s:Body><Op><p>{value}</p></Op></s:Body>"
            )))
            .unwrap()
        };
        assert_eq!(with("-1").her_id("p"), Ok(0));
        assert!(with("2147483648").her_id("p").is_err());
        assert!(with("x").her_id("p").is_err());
        assert!(with("x").uuid("p").is_err());
        assert!(
            with("9263D0AC-6ae2-5d50-983d-cf2b4f42bf25")
                .uuid("p")
                .is_ok()
        );
    }

    #[test]
    fn what_is_no_request_is_refused() {
        let body = "<s:Body><Op/></s:Body>";
        assert!(matches!(read("<a>"), Err(RequestError::Xml(_))));
        assert!(matches!(
            read(&format!(
                "<!DOCTYPE x [<!ENTITY e \"x\">]>{}",
                envelope(body)
            )),
            Err(RequestError::Xml(_))
        ));
        assert_eq!(read("<a/>"), Err(RequestError::Version));
        assert_eq!(read(&envelope("")), Err(RequestError::Body));
        assert_eq!(
            read(&envelope("<s:Body><a/><b/></s:Body>")),
            Err(RequestError::Body)
        );
        assert_eq!(
            Request::read(b"\xff\xfe", Version::Soap11),
            Err(RequestError::Encoding)
        );
        let must = format!("<s:Header><x s:mustUnderstand=\"1\"/></s:Header>{body}");
        assert_eq!(
            read(&envelope(&must)),
            Err(RequestError::MustUnderstand("x".into()))
        );
    }

    #[test]
    fn depth_and_number_of_elements_are_limited() {
        let deep = format!("{}{}", "<a>".repeat(20_000), "</a>".repeat(20_000));
        assert!(matches!(read(&envelope(&deep)), Err(RequestError::Xml(_))));
        let wide = "<a/>".repeat(10_000);
        assert!(matches!(read(&envelope(&wide)), Err(RequestError::Xml(_))));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = Request::read(&bytes, Version::Soap11);
        }

        #[test]
        fn no_markup_makes_it_panic(pieces in proptest::collection::vec(prop_oneof![
            Just("<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\">"), Just("</s:Envelope>"), Just("<s:Body>"), Just("</s:Body>"),
            Just("<s:Header>"), Just("</s:Header>"), Just("<a>"), Just("</a>"), Just("<![CDATA["), Just("]]>"), Just("&#0;"), Just("&amp;"),
            Just("<!--"), Just("-->"), Just("<?x ?>"), Just("<!DOCTYPE a>"), Just("xmlns=\"\""), Just("æ"), Just("1"),
        ], 0..30)) {
            let _ = read(&pieces.concat());
        }

        #[test]
        fn what_is_written_is_read(name in "[A-Za-z][A-Za-z0-9]{0,20}", text in "[^\u{0}-\u{1f}\u{fffe}\u{ffff}]{0,40}") {
            let mut xml = crate::xml::Xml::new();
            xml.within("Op", &[], |xml| { xml.element(&name, &text); });
            let request = read(&envelope(&format!("<s:Body>{}</s:Body>", xml.into_string()))).unwrap();
            prop_assert_eq!(request.text(&name), Some(text.as_str()));
        }
    }
}
