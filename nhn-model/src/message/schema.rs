//! The schema of MsgHead 1.2 and Dialogmelding 1.1 as tables, and the check against them (contract 03 sections 2.1 and 2.2).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use roxmltree::Node;

use super::{DIALOG, MIG_VERSION, MSGHEAD, MessageError};
use crate::date_time;
use crate::xml::{self, INSTANCE, elements, is, shortened};

/// Namespace of XML signatures.
const SIGNATURE: &str = "http://www.w3.org/2000/09/xmldsig#";

/// An element in a sequence.
#[derive(Debug)]
pub(super) struct Particle {
    name: &'static str,
    required: bool,
    many: bool,
    shape: Shape,
}

/// What an element holds.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    /// Elements in order, no text.
    Sequence(&'static [Particle]),
    /// The same, but it may be empty as a whole.
    EmptyOrSequence(&'static [Particle]),
    /// Text.
    Text,
    /// Text that is a point in time.
    DateTime,
    /// Text that is a date.
    Date,
    /// One text.
    Fixed(&'static str),
    /// No content; attributes of these names.
    Attributes(&'static [&'static str]),
    /// Elements of other schemas.
    Wildcard,
    /// Not looked into.
    Anything,
}

const CS: Shape = Shape::Attributes(&["V", "DN"]);
const CV: Shape = Shape::Attributes(&["V", "S", "DN", "OT"]);
const VALUE: Shape = Shape::Attributes(&["V"]);

const fn one(name: &'static str, shape: Shape) -> Particle {
    Particle {
        name,
        required: true,
        many: false,
        shape,
    }
}

const fn optional(name: &'static str, shape: Shape) -> Particle {
    Particle {
        name,
        required: false,
        many: false,
        shape,
    }
}

const fn some(name: &'static str, shape: Shape) -> Particle {
    Particle {
        name,
        required: true,
        many: true,
        shape,
    }
}

const fn any(name: &'static str, shape: Shape) -> Particle {
    Particle {
        name,
        required: false,
        many: true,
        shape,
    }
}

static MSG_HEAD: [Particle; 4] = [
    one("MsgInfo", Shape::Sequence(&MSG_INFO)),
    any("Document", Shape::Sequence(&DOCUMENT)),
    any("PatientReport", Shape::Sequence(&PATIENT_REPORT)),
    optional("Signature", Shape::Anything),
];

static MSG_INFO: [Particle; 12] = [
    one("Type", CS),
    one("MIGversion", Shape::Fixed(MIG_VERSION)),
    one("GenDate", Shape::DateTime),
    one("MsgId", Shape::Text),
    optional("ProcessingStatus", CS),
    optional("RequestedPriority", CS),
    optional("Ack", CS),
    optional("ConversationRef", Shape::Sequence(&CONVERSATION)),
    one("Sender", Shape::Sequence(&PARTY)),
    one("Receiver", Shape::Sequence(&PARTY)),
    any("OtherReceiver", Shape::Sequence(&OTHER_RECEIVER)),
    optional("Patient", Shape::Sequence(&PERSON)),
];

static CONVERSATION: [Particle; 2] = [
    one("RefToParent", Shape::Text),
    one("RefToConversation", Shape::Text),
];

static PARTY: [Particle; 2] = [
    optional("ComMethod", CS),
    one("Organisation", Shape::EmptyOrSequence(&ORGANISATION)),
];

static OTHER_RECEIVER: [Particle; 6] = [
    optional("ComMethod", CS),
    one("RoleReceiver", CS),
    optional("Organisation", Shape::EmptyOrSequence(&ORGANISATION)),
    optional("Patient", Shape::Sequence(&PERSON)),
    optional("Person", Shape::Sequence(&PERSON)),
    optional("HealthcareProfessional", Shape::Sequence(&PROFESSIONAL)),
];

static ORGANISATION: [Particle; 7] = [
    one("OrganisationName", Shape::Text),
    optional("TypeOrganisation", CV),
    some("Ident", Shape::Sequence(&IDENT)),
    optional("Address", Shape::Sequence(&ADDRESS)),
    any("TeleCom", Shape::Sequence(&TELECOM)),
    optional("Organisation", Shape::EmptyOrSequence(&ORGANISATION)),
    optional("HealthcareProfessional", Shape::Sequence(&PROFESSIONAL)),
];

static PROFESSIONAL: [Particle; 11] = [
    optional("TypeHealthcareProfessional", CS),
    optional("RoleToPatient", CV),
    optional("FamilyName", Shape::Text),
    optional("MiddleName", Shape::Text),
    optional("GivenName", Shape::Text),
    optional("DateOfBirth", Shape::Date),
    optional("Sex", CS),
    optional("Nationality", CS),
    some("Ident", Shape::Sequence(&IDENT)),
    optional("Address", Shape::Sequence(&ADDRESS)),
    any("TeleCom", Shape::Sequence(&TELECOM)),
];

static PERSON: [Particle; 9] = [
    optional("FamilyName", Shape::Text),
    optional("MiddleName", Shape::Text),
    optional("GivenName", Shape::Text),
    optional("DateOfBirth", Shape::Date),
    optional("Sex", CS),
    optional("Nationality", CS),
    any("Ident", Shape::Sequence(&IDENT)),
    optional("Address", Shape::Sequence(&ADDRESS)),
    any("TeleCom", Shape::Sequence(&TELECOM)),
];

static IDENT: [Particle; 2] = [one("Id", Shape::Text), one("TypeId", CV)];

static ADDRESS: [Particle; 7] = [
    optional("Type", CS),
    optional("StreetAdr", Shape::Text),
    optional("PostalCode", Shape::Text),
    optional("City", Shape::Text),
    optional("Postbox", Shape::Text),
    optional("County", CS),
    optional("Country", CS),
];

static TELECOM: [Particle; 2] = [optional("TypeTelecom", CS), one("TeleAddress", VALUE)];

static PATIENT_REPORT: [Particle; 4] = [
    optional("DocumentConnection", CS),
    one("CaseNo", Shape::Text),
    some("Document", Shape::Sequence(&DOCUMENT)),
    optional("Patient", Shape::Sequence(&PERSON)),
];

static DOCUMENT: [Particle; 11] = [
    optional("DocumentConnection", CS),
    optional("ContentType", CV),
    optional("ContentDescription", Shape::Text),
    optional("ContentCategory", CV),
    optional("Consent", CV),
    optional("Annotation", Shape::Text),
    optional("FromDate", VALUE),
    optional("ToDate", VALUE),
    optional("OidRef", Shape::Text),
    optional("EnquiryRefId", Shape::Text),
    one("RefDoc", Shape::Sequence(&REF_DOC)),
];

static REF_DOC: [Particle; 8] = [
    optional("IssueDate", VALUE),
    one("MsgType", CS),
    optional("Id", Shape::Text),
    optional("MimeType", Shape::Text),
    optional("Description", Shape::Text),
    optional("Compression", CS),
    optional("FileReference", Shape::Text),
    optional("Content", Shape::Wildcard),
];

/// Checks a whole message; `root` is a `MsgHead`.
pub(super) fn check(root: Node<'_, '_>) -> Result<(), MessageError> {
    let path = Path {
        above: None,
        name: "MsgHead",
    };
    check_sequence(root, &MSG_HEAD, &path)?;
    let has = |name| xml::child(root, MSGHEAD, name).is_some();
    match (has("Document"), has("PatientReport")) {
        (true, true) => Err(unexpected(&path.to("PatientReport"))),
        (false, false) => Err(missing(&path.to("Document"))),
        _ => Ok(()),
    }
}

/// The way to an element; names are those of the tables, never the payload's.
#[derive(Clone, Copy)]
struct Path<'above> {
    above: Option<&'above Self>,
    name: &'static str,
}

impl<'above> Path<'above> {
    fn to(&'above self, name: &'static str) -> Self {
        Path {
            above: Some(self),
            name,
        }
    }

    fn text(&self) -> String {
        match self.above {
            Some(above) => format!("{}/{}", above.text(), self.name),
            None => self.name.to_owned(),
        }
    }
}

fn missing(path: &Path<'_>) -> MessageError {
    MessageError::Missing { path: path.text() }
}

fn unexpected(path: &Path<'_>) -> MessageError {
    MessageError::Unexpected { path: path.text() }
}

fn check_sequence(
    node: Node<'_, '_>,
    sequence: &'static [Particle],
    path: &Path<'_>,
) -> Result<(), MessageError> {
    check_attributes(node, &[], path)?;
    check_no_text(node, path)?;
    let (mut place, mut taken) = (0, false);
    for child in elements(node) {
        let rank = sequence
            .iter()
            .position(|particle| named(child, particle.name));
        let Some(rank) = rank else {
            return Err(unexpected(path));
        };
        let here = path.to(sequence[rank].name);
        if rank < place || (rank == place && taken && !sequence[rank].many) {
            return Err(MessageError::Order { path: here.text() });
        }
        if rank > place {
            // What was passed over must not be required; if it comes later, the two are in the wrong order.
            let from = if taken { place + 1 } else { place };
            if let Some(skipped) = sequence[from..rank]
                .iter()
                .find(|particle| particle.required)
            {
                let comes_later = elements(node).any(|other| named(other, skipped.name));
                return Err(if comes_later {
                    MessageError::Order { path: here.text() }
                } else {
                    missing(&path.to(skipped.name))
                });
            }
            place = rank;
        }
        taken = true;
        check_shape(child, sequence[rank].shape, &here)?;
    }
    let from = if taken { place + 1 } else { place };
    let rest = sequence.get(from..).unwrap_or_default();
    match rest.iter().find(|particle| particle.required) {
        Some(particle) => Err(missing(&path.to(particle.name))),
        None => Ok(()),
    }
}

fn named(node: Node<'_, '_>, name: &str) -> bool {
    let namespace = if name == "Signature" {
        SIGNATURE
    } else {
        MSGHEAD
    };
    is(node, namespace, name)
}

fn check_shape(node: Node<'_, '_>, shape: Shape, path: &Path<'_>) -> Result<(), MessageError> {
    match shape {
        Shape::Sequence(sequence) => check_sequence(node, sequence, path),
        Shape::EmptyOrSequence(sequence) => {
            if elements(node).next().is_none() {
                check_attributes(node, &[], path)?;
                return check_no_text(node, path);
            }
            check_sequence(node, sequence, path)
        }
        Shape::Text => check_text(node, path).map(drop),
        Shape::DateTime => {
            let text = check_text(node, path)?;
            let read = date_time::parse(text.trim());
            read.map(drop).ok_or_else(|| bad_value(path, &text))
        }
        Shape::Date => {
            let text = check_text(node, path)?;
            let is_date = date_time::is_date(text.trim());
            is_date.then_some(()).ok_or_else(|| bad_value(path, &text))
        }
        Shape::Fixed(expected) => {
            let text = check_text(node, path)?;
            (text == expected)
                .then_some(())
                .ok_or_else(|| bad_value(path, &text))
        }
        Shape::Attributes(names) => {
            check_attributes(node, names, path)?;
            check_no_text(node, path)?;
            if elements(node).next().is_some() {
                return Err(unexpected(path));
            }
            check_code_system(node, path)
        }
        Shape::Wildcard => {
            check_no_text(node, path)?;
            elements(node).try_for_each(|child| check_foreign(child, path))
        }
        Shape::Anything => Ok(()),
    }
}

/// An element with text only.
fn check_text(node: Node<'_, '_>, path: &Path<'_>) -> Result<String, MessageError> {
    check_attributes(node, &[], path)?;
    if elements(node).next().is_some() {
        return Err(unexpected(path));
    }
    Ok(xml::text(node))
}

fn check_no_text(node: Node<'_, '_>, path: &Path<'_>) -> Result<(), MessageError> {
    let blank = |text: &str| text.bytes().all(|byte| b" \t\r\n".contains(&byte));
    let mut texts = node.children().filter(Node::is_text);
    let stray = texts.any(|text| !text.text().is_none_or(blank));
    if stray { Err(unexpected(path)) } else { Ok(()) }
}

/// Only these attributes, and those that every element may have.
fn check_attributes(
    node: Node<'_, '_>,
    names: &[&str],
    path: &Path<'_>,
) -> Result<(), MessageError> {
    let mut attributes = node.attributes();
    let stray = attributes.any(|attribute| match attribute.namespace() {
        Some(namespace) => namespace != INSTANCE,
        None => !names.contains(&attribute.name()),
    });
    if stray { Err(unexpected(path)) } else { Ok(()) }
}

/// The pattern of `S`: `(\d+\.?)*\d+`.
fn check_code_system(node: Node<'_, '_>, path: &Path<'_>) -> Result<(), MessageError> {
    let Some(system) = node.attribute("S") else {
        return Ok(());
    };
    let parts = system
        .split('.')
        .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    parts
        .then_some(())
        .ok_or_else(|| bad_value(&path.to("@S"), system))
}

fn bad_value(path: &Path<'_>, value: &str) -> MessageError {
    MessageError::BadValue {
        path: path.text(),
        value: shortened(value),
    }
}

/// Elements of other schemas, as far as they are known. Others pass: whether they are wanted is the caller's to say.
fn check_foreign(node: Node<'_, '_>, path: &Path<'_>) -> Result<(), MessageError> {
    if is(node, DIALOG, "Dialogmelding") {
        return check_dialog(node, &path.to("Dialogmelding"));
    }
    if is(node, super::BASE64_CONTAINER, "Base64Container") {
        let here = path.to("Base64Container");
        let text = check_text(node, &here)?;
        return base64_is_valid(&text)
            .then_some(())
            .ok_or_else(|| bad_value(&here, ""));
    }
    Ok(())
}

/// Either inquiries or notes; an inquiry begins with its type, a note with its topic. What follows in them is not checked.
fn check_dialog(node: Node<'_, '_>, path: &Path<'_>) -> Result<(), MessageError> {
    check_no_text(node, path)?;
    let mut first = None;
    for child in elements(node) {
        let (name, begins_with) = match child.tag_name().name() {
            "Foresporsel" if is(child, DIALOG, "Foresporsel") => ("Foresporsel", "TypeForesp"),
            "Notat" if is(child, DIALOG, "Notat") => ("Notat", "TemaKodet"),
            _ => return Err(unexpected(path)),
        };
        let here = path.to(name);
        if *first.get_or_insert(name) != name {
            return Err(unexpected(&here));
        }
        check_no_text(child, &here)?;
        let code = here.to(begins_with);
        match elements(child).next() {
            Some(begin) if is(begin, DIALOG, begins_with) => check_shape(begin, CV, &code)?,
            _ if xml::child(child, DIALOG, begins_with).is_some() => {
                return Err(MessageError::Order { path: code.text() });
            }
            _ => return Err(missing(&code)),
        }
    }
    first
        .map(drop)
        .ok_or_else(|| missing(&path.to("Foresporsel")))
}

fn base64_is_valid(text: &str) -> bool {
    let packed: Vec<u8> = text
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    STANDARD.decode(packed).is_ok()
}
