//! `SimplePart` and `Packaging`: which documents a message consists of (contract 02 section 5.2).

use std::collections::BTreeMap;
use std::sync::Arc;

use roxmltree::Node;

use super::Part;
use super::document::{attribute, child, children, required, text};
use super::error::CppaError;

/// Most namespaces of a part, and most parts of a package.
const NAMESPACES: usize = 16;
const CONSTITUENTS: usize = 32;

/// The packages of a document by their ids.
pub(super) struct Packages(BTreeMap<String, Arc<[Part]>>);

impl Packages {
    pub(super) fn read(root: Node<'_, '_>) -> Result<Self, CppaError> {
        let mut parts = BTreeMap::new();
        for part in children(root, "SimplePart")? {
            let id = required(part, "id", "SimplePart/@id")?;
            parts.entry(id).or_insert(part);
        }
        let mut packages = BTreeMap::new();
        for package in children(root, "Packaging")? {
            let id = required(package, "id", "Packaging/@id")?;
            let read = Arc::from(self::parts(package, &parts)?);
            packages.entry(id.to_owned()).or_insert(read);
        }
        Ok(Self(packages))
    }

    /// The parts of a package, none when there is no such package.
    pub(super) fn parts(&self, package: &str) -> Arc<[Part]> {
        self.0
            .get(package)
            .map_or_else(|| Arc::from([]), Arc::clone)
    }
}

fn parts(
    package: Node<'_, '_>,
    simple_parts: &BTreeMap<&str, Node<'_, '_>>,
) -> Result<Vec<Part>, CppaError> {
    let mut found = Vec::new();
    let Some(list) = child(package, "CompositeList") else {
        return Ok(found);
    };
    let mut constituents = Vec::new();
    for composite in ["Encapsulation", "Composite"] {
        for composite in children(list, composite)? {
            constituents.extend(children(composite, "Constituent")?);
            if constituents.len() > CONSTITUENTS {
                return Err(CppaError::TooComplex);
            }
        }
    }
    for constituent in constituents {
        let (min_occurs, max_occurs) = (
            occurs(constituent, "minOccurs", 0)?,
            occurs(constituent, "maxOccurs", 1)?,
        );
        let Some(part) = attribute(constituent, "idref")?.and_then(|id| simple_parts.get(id))
        else {
            continue;
        };
        let namespaces = children(*part, "NamespaceSupported")?;
        if namespaces.len() > NAMESPACES {
            return Err(CppaError::TooComplex);
        }
        for namespace in namespaces {
            let location = required(namespace, "location", "NamespaceSupported/@location")?;
            found.push(Part {
                namespace: text(namespace, "NamespaceSupported")?.trim().to_owned(),
                location: location.to_owned(),
                min_occurs,
                max_occurs,
            });
        }
    }
    Ok(found)
}

fn occurs(node: Node<'_, '_>, name: &'static str, default: u32) -> Result<u32, CppaError> {
    match attribute(node, name)? {
        None => Ok(default),
        Some("unbounded") => Ok(u32::MAX),
        Some(text) => text.parse().map_err(|_| CppaError::invalid(name, text)),
    }
}
