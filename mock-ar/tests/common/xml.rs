//! Looking into XML: the example messages of the contract, and what an answer has in common with them.

use roxmltree::{Document, Node};

pub(crate) const PARTY: &str = "http://register.nhn.no/CommunicationParty";
pub(crate) const INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";
pub(crate) const DETAILS: &str = "http://register.nhn.no/CommunicationParty/ICommunicationPartyService/GetCommunicationPartyDetails";

pub(crate) fn example(name: &str) -> String {
    let path = format!("{}/tests/data/examples/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

pub(crate) fn child<'doc, 'input>(node: Node<'doc, 'input>, name: &str) -> Node<'doc, 'input> {
    let found = node
        .descendants()
        .find(|node| node.tag_name().name() == name);
    found.unwrap_or_else(|| panic!("no {name} in {:?}", node.tag_name()))
}

/// Names of the element children with their namespaces, in order.
pub(crate) fn members(node: Node<'_, '_>) -> Vec<String> {
    node.children()
        .filter(Node::is_element)
        .map(|node| format!("{:?}", node.tag_name()))
        .collect()
}

pub(crate) fn text(node: Node<'_, '_>, name: &str) -> String {
    child(node, name).text().unwrap_or_default().to_owned()
}

/// All elements with namespaces, attributes and trimmed texts: equal for documents that mean the same.
pub(crate) fn meaning(xml: &str) -> Vec<String> {
    let document = Document::parse(xml).unwrap();
    document
        .descendants()
        .filter(Node::is_element)
        .map(|node| {
            let text = node.text().unwrap_or_default().trim();
            let attributes: Vec<_> = node.attributes().map(|a| (a.name(), a.value())).collect();
            format!("{:?} {attributes:?} {text}", node.tag_name())
        })
        .collect()
}

pub(crate) fn same_members(ours: &str, examples: &str, elements: &[&str]) {
    let (ours, examples) = (
        Document::parse(ours).unwrap(),
        Document::parse(examples).unwrap(),
    );
    for element in elements {
        let of = |document: &Document<'_>| members(child(document.root(), element));
        assert_eq!(of(&ours), of(&examples), "{element}");
    }
}
