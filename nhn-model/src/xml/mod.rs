//! XML from the network, read within limits, and XML to the network (contract 03 sections 5.4 and 5.5).

mod encoding;
mod write;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use roxmltree::{Document, Node, ParsingOptions};

pub(crate) use encoding::decode;
pub(crate) use write::Xml;

/// Namespace of `xsi:type` and `xsi:nil`.
pub(crate) const INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// How much of a document is taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) bytes: usize,
    pub(crate) depth: usize,
    pub(crate) nodes: u32,
    /// Of one element.
    pub(crate) attributes: usize,
    /// Declarations of namespaces, in the whole document.
    pub(crate) declarations: usize,
    /// Declarations of namespaces that are in force at one place.
    pub(crate) scope: usize,
}

impl Limits {
    /// For messages (contract 03 section 5.4).
    pub(crate) const MESSAGE: Self = Self {
        bytes: 20 * 1024 * 1024,
        depth: 256,
        nodes: 1_000_000,
        attributes: 256,
        declarations: 10_000,
        scope: 128,
    };
}

/// Why a document is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum XmlError {
    TooLarge,
    Encoding,
    NotWellFormed { line: u32, column: u32 },
    Forbidden,
    TooComplex,
}

/// Parses a document. Limits are checked before a tree is built; a document type definition is refused before anything in it is
/// looked at.
pub(crate) fn parse<'text>(text: &'text str, limits: &Limits) -> Result<Document<'text>, XmlError> {
    if text.len() > limits.bytes {
        return Err(XmlError::TooLarge);
    }
    // The parser reserves room by these two characters, wherever they stand.
    let most = usize::try_from(limits.nodes)
        .unwrap_or(usize::MAX)
        .saturating_mul(2);
    if [b'<', b'='].iter().any(|sign| count(text, *sign) > most) {
        return Err(XmlError::TooComplex);
    }
    measure(text, limits)?;
    let options = ParsingOptions {
        allow_dtd: false,
        nodes_limit: limits.nodes,
        ..ParsingOptions::default()
    };
    Document::parse_with_options(text, options).map_err(|error| match error {
        roxmltree::Error::DtdDetected => XmlError::Forbidden,
        roxmltree::Error::NodesLimitReached
        | roxmltree::Error::AttributesLimitReached
        | roxmltree::Error::NamespacesLimitReached => XmlError::TooComplex,
        other => XmlError::NotWellFormed {
            line: other.pos().row,
            column: other.pos().col,
        },
    })
}

fn count(text: &str, sign: u8) -> usize {
    text.bytes().filter(|byte| *byte == sign).count()
}

/// Walks over the document without keeping it: nesting, attributes and namespaces can cost a tree far more than their bytes.
/// Faults of form are left to the parser proper, which says where they are.
fn measure(text: &str, limits: &Limits) -> Result<(), XmlError> {
    let mut reader = Reader::from_str(text);
    let (mut events, mut declarations, mut scope) = (0_u32, 0, 0);
    let mut open: Vec<usize> = Vec::new();
    loop {
        let event = match reader.read_event() {
            Ok(event) => event,
            Err(_) => return not_well_formed(text, reader.error_position()),
        };
        events = events.saturating_add(1);
        if events > limits.nodes.saturating_mul(2) {
            return Err(XmlError::TooComplex);
        }
        match event {
            Event::Eof => return Ok(()),
            Event::DocType(_) => return Err(XmlError::Forbidden),
            Event::Start(start) => {
                let own = measure_attributes(&start, limits)?;
                declarations += own;
                scope += own;
                open.push(own);
            }
            Event::Empty(start) => {
                let own = measure_attributes(&start, limits)?;
                declarations += own;
                if scope + own > limits.scope {
                    return Err(XmlError::TooComplex);
                }
            }
            Event::End(_) => scope -= open.pop().unwrap_or_default(),
            _ => {}
        }
        if open.len() > limits.depth || declarations > limits.declarations || scope > limits.scope {
            return Err(XmlError::TooComplex);
        }
    }
}

/// The number of namespaces that an element declares.
fn measure_attributes(start: &BytesStart<'_>, limits: &Limits) -> Result<usize, XmlError> {
    let (mut count, mut declarations) = (0, 0);
    for attribute in start.attributes().with_checks(false) {
        count += 1;
        if count > limits.attributes {
            return Err(XmlError::TooComplex);
        }
        // A faulty attribute ends the walk over this element; the parser proper refuses the document.
        let Ok(attribute) = attribute else { break };
        if attribute.key.as_ref().starts_with("xmlns") {
            declarations += 1;
        }
    }
    Ok(declarations)
}

fn not_well_formed(text: &str, position: u64) -> Result<(), XmlError> {
    let position = usize::try_from(position)
        .unwrap_or(text.len())
        .min(text.len());
    let before = &text.as_bytes()[..position];
    let lines = before.iter().filter(|byte| **byte == b'\n').count();
    let column = before
        .iter()
        .rev()
        .take_while(|byte| **byte != b'\n')
        .count();
    Err(XmlError::NotWellFormed {
        line: u32::try_from(lines + 1).unwrap_or(u32::MAX),
        column: u32::try_from(column + 1).unwrap_or(u32::MAX),
    })
}

/// The element children of a node.
pub(crate) fn elements<'a, 'input>(
    node: Node<'a, 'input>,
) -> impl Iterator<Item = Node<'a, 'input>> {
    node.children().filter(Node::is_element)
}

/// The first child with this name.
pub(crate) fn child<'a, 'input>(
    node: Node<'a, 'input>,
    namespace: &str,
    name: &str,
) -> Option<Node<'a, 'input>> {
    elements(node).find(|child| is(*child, namespace, name))
}

/// Whether an element has this name.
pub(crate) fn is(node: Node<'_, '_>, namespace: &str, name: &str) -> bool {
    node.tag_name().name() == name && node.tag_name().namespace().unwrap_or_default() == namespace
}

/// All text directly in an element; comments between its pieces do not count.
pub(crate) fn text(node: Node<'_, '_>) -> String {
    let pieces = node.children().filter(Node::is_text);
    pieces.filter_map(|piece| piece.text()).collect()
}

/// A text cut to a length that fits a report.
pub(crate) fn shortened(text: &str) -> String {
    const LONGEST: usize = 64;
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    text.chars().take(LONGEST).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Limits = Limits {
        bytes: 10_000,
        depth: 8,
        nodes: 100,
        attributes: 4,
        declarations: 6,
        scope: 3,
    };

    fn problem(text: &str) -> Option<XmlError> {
        parse(text, &SMALL).err()
    }

    #[test]
    fn limits_hold() {
        let nested = |depth: usize| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
        assert_eq!(problem(&nested(8)), None);
        assert_eq!(problem(&nested(9)), Some(XmlError::TooComplex));
        assert_eq!(
            problem(&format!("<a>{}</a>", "<b/>".repeat(500))),
            Some(XmlError::TooComplex)
        );
        assert_eq!(
            problem("<a b='' c='' d='' e='' f=''/>"),
            Some(XmlError::TooComplex)
        );
        assert_eq!(
            problem("<a xmlns:b='b' xmlns:c='c' xmlns:d='d' xmlns:e='e'/>"),
            Some(XmlError::TooComplex)
        );
        assert_eq!(
            problem(&format!("<a>{}</a>", "<b xmlns='b'/>".repeat(7))),
            Some(XmlError::TooComplex)
        );
        assert_eq!(problem(&" ".repeat(10_001)), Some(XmlError::TooLarge));
    }

    #[test]
    fn a_document_type_is_refused_unread() {
        assert_eq!(
            problem("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"),
            Some(XmlError::Forbidden)
        );
        assert_eq!(problem("<!DOCTYPE a><a/>"), Some(XmlError::Forbidden));
    }

    #[test]
    fn form_is_checked() {
        for text in [
            "",
            "<a>",
            "<a></b>",
            "<a/><a/>",
            "<a b=c/>",
            "<a b='' b=''/>",
            "<a>&b;</a>",
            "<b:a/>",
            "<a>\u{1}</a>",
            "x",
        ] {
            assert!(
                matches!(problem(text), Some(XmlError::NotWellFormed { .. })),
                "{text}"
            );
        }
        assert_eq!(
            problem("<a>\n <b></c></a>"),
            Some(XmlError::NotWellFormed { line: 2, column: 5 })
        );
    }

    #[test]
    fn a_large_hostile_document_is_refused_in_time() {
        let many = format!(
            "<a {}/>",
            (0..200_000)
                .map(|n| format!("xmlns:n{n}='n{n}' "))
                .collect::<String>()
        );
        assert_eq!(
            parse(&many, &Limits::MESSAGE).err(),
            Some(XmlError::TooComplex)
        );
        let deep = "<a>".repeat(1_000_000);
        assert_eq!(
            parse(&deep, &Limits::MESSAGE).err(),
            Some(XmlError::TooComplex)
        );
        let signs = format!("<a><![CDATA[{}]]></a>", "<=".repeat(5_000_000));
        assert_eq!(
            parse(&signs, &Limits::MESSAGE).err(),
            Some(XmlError::TooComplex)
        );
        // These are within the limits, and must not cost more than their size.
        let scope: String = (0..127).map(|n| format!(" xmlns:n{n}='n{n}'")).collect();
        let many = format!(
            "<a{scope}>{}</a>",
            "<n0:b n1:c='' n2:c=''/>".repeat(300_000)
        );
        assert!(parse(&many, &Limits::MESSAGE).is_ok());
        let pieces = format!("<a>{}</a>", "<![CDATA[a]]>&lt;".repeat(400_000));
        let document = parse(&pieces, &Limits::MESSAGE).unwrap();
        assert_eq!(text(document.root_element()).len(), 800_000);
        let attributes: String = (0..256).map(|n| format!(" a{n}=''")).collect();
        let wide = format!("<a>{}</a>", format!("<b{attributes}/>").repeat(4_000));
        assert!(parse(&wide, &Limits::MESSAGE).is_ok());
    }
}
