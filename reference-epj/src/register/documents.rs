//! What this EPJ reads out of the register's answers, profiles and agreements (contract 02 sections 2 and 5.5).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use nhn_model::certificate::Certificate;
use roxmltree::{Document, Node, ParsingOptions};
use uuid::Uuid;

/// Most nodes of a document; the largest real ones have a few thousand.
const MOST_NODES: u32 = 100_000;

const TNS: &str = "http://www.oasis-open.org/committees/ebxml-cppa/schema/cpp-cpa-2_0.xsd";
const DS: &str = "http://www.w3.org/2000/09/xmldsig#";
const SOAP: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const PARTIES: &str = "http://register.nhn.no/CommunicationParty";

/// One side of an agreement, or a profile.
#[derive(Clone, Debug)]
pub(super) struct Profile {
    pub(super) cpa_id: Option<Uuid>,
    pub(super) cpp_id: Option<Uuid>,
    pub(super) her_id: u32,
    pub(super) name: String,
    pub(super) signing: Certificate,
    pub(super) encryption: Certificate,
    pub(super) sync_address: Option<String>,
    pub(super) async_address: Option<String>,
}

/// A party in the register.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct PartyDetails {
    pub(super) her_id: u32,
    pub(super) name: String,
    pub(super) in_use: bool,
    pub(super) async_address: Option<String>,
    pub(super) sync_address: Option<String>,
    pub(super) error_address: Option<String>,
}

/// Why an answer gives nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum DocumentError {
    #[error("fault {code:?}: {reason}")]
    Fault { code: String, reason: String },
    #[error("{0}")]
    Unreadable(String),
}

type Read<T> = Result<T, DocumentError>;

fn wrong(text: impl Into<String>) -> DocumentError {
    DocumentError::Unreadable(text.into())
}

fn with_document<T>(xml: &[u8], read: impl FnOnce(Node<'_, '_>) -> Read<T>) -> Read<T> {
    let text = std::str::from_utf8(xml).map_err(|_| wrong("the answer is not UTF-8"))?;
    let options = ParsingOptions {
        allow_dtd: false,
        nodes_limit: MOST_NODES,
        ..ParsingOptions::default()
    };
    let document = Document::parse_with_options(text.trim_start_matches('\u{feff}'), options)
        .map_err(|error| wrong(format!("the answer is no usable XML: {error}")))?;
    read(document.root_element())
}

/// Reads a CPP.
pub(super) fn read_profile(xml: &[u8]) -> Read<Profile> {
    with_document(xml, |root| {
        let side = children(root, "PartyInfo").next();
        side_of(
            root,
            side.ok_or_else(|| wrong("the profile names no party"))?,
        )
    })
}

/// Reads a CPA: both sides.
pub(super) fn read_agreement(xml: &[u8]) -> Read<[Profile; 2]> {
    with_document(xml, |root| {
        let mut sides = children(root, "PartyInfo");
        match (sides.next(), sides.next(), sides.next()) {
            (Some(a), Some(b), None) => Ok([side_of(root, a)?, side_of(root, b)?]),
            _ => Err(wrong("the agreement is not between two parties")),
        }
    })
}

fn side_of(root: Node<'_, '_>, side: Node<'_, '_>) -> Read<Profile> {
    let id = |name| {
        let text = root.attribute((TNS, name));
        text.map(|text| {
            text.parse()
                .map_err(|_| wrong(format!("{name} is no UUID")))
        })
        .transpose()
    };
    let her_id = children(side, "PartyId")
        .next()
        .and_then(|node| node.text());
    let (mut signing, mut encryption) = (None, None);
    for node in side
        .descendants()
        .filter(|node| node.has_tag_name((DS, "X509Certificate")))
    {
        let certificate = read_base64(node.text().unwrap_or_default())?;
        // By key usage, not by name (contract 02 section 5.3).
        if certificate.has_key_encipherment() {
            encryption = Some(certificate);
        } else if certificate.has_non_repudiation() {
            signing = Some(certificate);
        }
    }
    Ok(Profile {
        cpa_id: id("cpaid")?,
        cpp_id: id("cppid")?,
        her_id: her_id
            .and_then(|text| text.trim().parse().ok())
            .ok_or_else(|| wrong("a party has no HER-id"))?,
        name: side
            .attribute((TNS, "partyName"))
            .unwrap_or_default()
            .to_owned(),
        signing: signing.ok_or_else(|| wrong("a party has no certificate to sign with"))?,
        encryption: encryption.ok_or_else(|| wrong("a party has no certificate to encrypt to"))?,
        sync_address: endpoint(side, "mshSignalsOnly"),
        async_address: endpoint(side, "none"),
    })
}

/// The address of the first channel with that way of replying: `none` is the asynchronous one (contract 02 section 5.1).
fn endpoint(side: Node<'_, '_>, reply_mode: &str) -> Option<String> {
    let channel = children(side, "DeliveryChannel").find(|channel| {
        let characteristics = children(*channel, "MessagingCharacteristics").next();
        characteristics.and_then(|node| node.attribute((TNS, "syncReplyMode"))) == Some(reply_mode)
    })?;
    let transport = channel.attribute((TNS, "transportId"))?;
    children(side, "Transport")
        .find(|node| node.attribute((TNS, "transportId")) == Some(transport))?
        .descendants()
        .find(|node| node.has_tag_name((TNS, "Endpoint")))?
        .attribute((TNS, "uri"))
        .map(str::to_owned)
}

/// Reads the answer to GetCommunicationPartyDetails.
pub(super) fn read_party(xml: &[u8]) -> Read<PartyDetails> {
    with_document(xml, |root| {
        let result = result(root, "GetCommunicationPartyDetails")?;
        let text = |name: &str| {
            let child = result
                .children()
                .find(|node| node.has_tag_name((PARTIES, name)));
            child
                .and_then(|node| node.text())
                .unwrap_or_default()
                .trim()
        };
        let is_set = |name| text(name) == "true";
        let mut details = PartyDetails {
            her_id: text("HerId")
                .parse()
                .map_err(|_| wrong("the party has no HER-id"))?,
            name: text("Name").to_owned(),
            in_use: is_set("Active") && is_set("IsValidCommunicationParty"),
            ..PartyDetails::default()
        };
        let addresses = result
            .children()
            .find(|node| node.has_tag_name((PARTIES, "ElectronicAddresses")));
        for address in addresses
            .iter()
            .flat_map(Node::children)
            .filter(Node::is_element)
        {
            let part = |name: &str| {
                let child = address
                    .children()
                    .find(|node| node.tag_name().name() == name);
                child
                    .and_then(|node| node.text())
                    .map(str::trim)
                    .filter(|text| !text.is_empty())
            };
            let place = match part("TypeCodeValue") {
                Some("E_SB_ASYNC") => &mut details.async_address,
                Some("E_SB_SYNC") => &mut details.sync_address,
                Some("E_SB_ERROR") => &mut details.error_address,
                _ => continue,
            };
            if place.is_none() {
                *place = part("Address").map(str::to_owned);
            }
        }
        Ok(details)
    })
}

/// Reads the answer to GetCertificateDetailsForEncryption or ForValidatingSignature.
pub(super) fn read_certificate(xml: &[u8], operation: &str) -> Read<Certificate> {
    with_document(xml, |root| {
        let result = result(root, operation)?;
        let certificate = result
            .children()
            .find(|node| node.tag_name().name() == "Certificate");
        let text = certificate.and_then(|node| node.text()).unwrap_or_default();
        if text.trim().is_empty() {
            return Err(wrong("the register has no certificate of the party"));
        }
        read_base64(text)
    })
}

/// The result of an operation in its envelope, or the fault.
fn result<'a, 'i>(root: Node<'a, 'i>, operation: &str) -> Read<Node<'a, 'i>> {
    let body = root
        .children()
        .find(|node| node.has_tag_name((SOAP, "Body")))
        .ok_or_else(|| wrong("the answer is no SOAP envelope"))?;
    if let Some(fault) = body
        .children()
        .find(|node| node.has_tag_name((SOAP, "Fault")))
    {
        let text = |name: &str| {
            let node = fault
                .descendants()
                .find(|node| node.tag_name().name() == name);
            node.and_then(|node| node.text())
                .unwrap_or_default()
                .to_owned()
        };
        return Err(DocumentError::Fault {
            code: text("ErrorCode"),
            reason: text("faultstring"),
        });
    }
    let wanted = format!("{operation}Result");
    body.children()
        .flat_map(|response| response.children())
        .find(|node| node.has_tag_name((PARTIES, wanted.as_str())))
        .ok_or_else(|| wrong("the answer is to another question"))
}

fn children<'a, 'i>(node: Node<'a, 'i>, name: &'static str) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children()
        .filter(move |child| child.has_tag_name((TNS, name)))
}

fn read_base64(text: &str) -> Read<Certificate> {
    let text: String = text
        .chars()
        .filter(|character| !character.is_ascii_whitespace())
        .collect();
    let der = STANDARD
        .decode(text)
        .map_err(|_| wrong("a certificate is no base64"))?;
    Certificate::from_der(&der).map_err(|error| wrong(error.to_string()))
}
