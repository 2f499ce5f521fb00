//! The check of a message against the schemas of MsgHead 1.2 and Dialogmelding 1.1 (contract 03 sections 2.1 and 2.2).

mod tables;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use roxmltree::Node;

use super::{DIALOG, MSGHEAD, MessageError};
use crate::date_time;
use crate::xml::{self, INSTANCE, elements, is, shortened};
use tables::{CV, MSG_HEAD, Particle, Shape};

/// Namespace of XML signatures.
const SIGNATURE: &str = "http://www.w3.org/2000/09/xmldsig#";

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
