//! The documents as wholes, and how their elements and attributes are looked up.

use roxmltree::Node;
use time::OffsetDateTime;
use uuid::Uuid;

use super::error::CppaError;
use super::party::{self, Ids};
use super::payload::Packages;
use super::{Agreement, Profile};
use crate::date_time;
use crate::xml::{self, Limits};

/// Namespace of elements and attributes.
pub(super) const CPPA: &str =
    "http://www.oasis-open.org/committees/ebxml-cppa/schema/cpp-cpa-2_0.xsd";

/// A document of the official registry has some 50 kB.
const LIMITS: Limits = Limits {
    bytes: 4 * 1024 * 1024,
    depth: 32,
    nodes: 200_000,
    attributes: 64,
    declarations: 4_000,
    scope: 64,
};
/// Longest name, address or text that is taken, and most elements of one kind in one place.
const LONGEST: usize = 1024;
const MOST: usize = 512;

/// Reads a profile document.
///
/// # Errors
/// [`CppaError`] when the document is none, or lacks what a client needs (contract 02 section 5.5).
pub fn read_profile(xml: &[u8]) -> Result<Profile, CppaError> {
    let text = xml::decode(xml, LIMITS.bytes)?;
    let document = xml::parse(&text, &LIMITS)?;
    let root = root(&document, "CollaborationProtocolProfile")?;
    let ids = Ids {
        cpp: attribute(root, "cppid")?.and_then(|id| Uuid::parse_str(id).ok()),
        cpa: None,
    };
    let packages = Packages::read(root)?;
    let party = child(root, "PartyInfo").ok_or(CppaError::Missing("PartyInfo"))?;
    party::read(party, ids, &packages)
}

/// Reads an agreement document.
///
/// # Errors
/// [`CppaError`] when the document is none, or lacks what a client needs (contract 02 section 5.5).
pub fn read_agreement(xml: &[u8]) -> Result<Agreement, CppaError> {
    let text = xml::decode(xml, LIMITS.bytes)?;
    let document = xml::parse(&text, &LIMITS)?;
    let root = root(&document, "CollaborationProtocolAgreement")?;
    let id = required(root, "cpaid", "cpaid")?;
    let id = Uuid::parse_str(id).map_err(|_| CppaError::invalid("cpaid", id))?;
    let ids = Ids {
        cpp: None,
        cpa: Some(id),
    };
    let packages = Packages::read(root)?;
    let parties = children(root, "PartyInfo")?;
    let [first, second] = parties[..] else {
        return Err(CppaError::Parties(parties.len()));
    };
    Ok(Agreement {
        id,
        start: moment(root, "Start")?,
        end: moment(root, "End")?,
        parties: [
            party::read(first, ids, &packages)?,
            party::read(second, ids, &packages)?,
        ],
    })
}

fn root<'a, 'input>(
    document: &'a roxmltree::Document<'input>,
    name: &str,
) -> Result<Node<'a, 'input>, CppaError> {
    let root = document.root_element();
    if xml::is(root, CPPA, name) {
        Ok(root)
    } else {
        Err(CppaError::Root(xml::shortened(root.tag_name().name())))
    }
}

fn moment(root: Node<'_, '_>, name: &'static str) -> Result<OffsetDateTime, CppaError> {
    let element = child(root, name).ok_or(CppaError::Missing(name))?;
    let text = text(element, name)?;
    date_time::parse(text.trim()).ok_or_else(|| CppaError::invalid(name, &text))
}

/// The first child of the document's namespace with this name.
pub(super) fn child<'a, 'input>(node: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    xml::child(node, CPPA, name)
}

/// All children of the document's namespace with this name.
pub(super) fn children<'a, 'input>(
    node: Node<'a, 'input>,
    name: &str,
) -> Result<Vec<Node<'a, 'input>>, CppaError> {
    let children = xml::elements(node).filter(|child| xml::is(*child, CPPA, name));
    let children: Vec<_> = children.take(MOST + 1).collect();
    if children.len() > MOST {
        return Err(CppaError::TooComplex);
    }
    Ok(children)
}

/// An attribute of the document's namespace; the official client takes no others.
pub(super) fn attribute<'a>(
    node: Node<'a, '_>,
    name: &'static str,
) -> Result<Option<&'a str>, CppaError> {
    match node.attribute((CPPA, name)) {
        Some(value) if value.len() > LONGEST => Err(CppaError::invalid(name, value)),
        value => Ok(value),
    }
}

/// An attribute that must be there; `what` says of what it is.
pub(super) fn required<'a>(
    node: Node<'a, '_>,
    name: &'static str,
    what: &'static str,
) -> Result<&'a str, CppaError> {
    attribute(node, name)?.ok_or(CppaError::Missing(what))
}

/// The text of an element.
pub(super) fn text(node: Node<'_, '_>, what: &'static str) -> Result<String, CppaError> {
    let text = xml::text(node);
    if text.len() > LONGEST {
        return Err(CppaError::invalid(what, &text));
    }
    Ok(text)
}
