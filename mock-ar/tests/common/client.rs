//! How the official client reads a CPA or CPP (contract 02 section 5.5): written from that table, not from the writer.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use roxmltree::{Document, Node};
use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::ext::pkix::KeyUsage;

const TNS: &str = "http://www.oasis-open.org/committees/ebxml-cppa/schema/cpp-cpa-2_0.xsd";
const DS: &str = "http://www.w3.org/2000/09/xmldsig#";

/// What the client knows of a counterparty afterwards.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Counterparty {
    pub(crate) cpa_id: Option<String>,
    pub(crate) her_id: String,
    pub(crate) name: String,
    pub(crate) signing: Vec<u8>,
    pub(crate) encryption: Vec<u8>,
    pub(crate) messages: Vec<Message>,
}

/// A message that can be sent to the counterparty, or comes from it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Clone)]
pub(crate) struct Message {
    pub(crate) process: String,
    pub(crate) version: String,
    pub(crate) direction: &'static str,
    pub(crate) action: String,
    pub(crate) endpoint: String,
    pub(crate) schemas: Vec<String>,
}

/// Reads a document as the party `own` does; a profile has one side only.
pub(crate) fn read(xml: &str, own: &str) -> Counterparty {
    let document = Document::parse(xml).unwrap();
    let root = document.root_element();
    let sides: Vec<_> = root
        .children()
        .filter(|n| n.has_tag_name((TNS, "PartyInfo")))
        .collect();
    let id = |side: &Node<'_, '_>| child(*side, "PartyId").text().unwrap().to_owned();
    let side = sides.iter().find(|side| id(side) != own).unwrap();
    let certificates = side
        .descendants()
        .filter(|n| n.has_tag_name((DS, "X509Certificate")));
    let (mut signing, mut encryption) = (Vec::new(), Vec::new());
    for der in certificates.map(|node| STANDARD.decode(node.text().unwrap()).unwrap()) {
        let usage: KeyUsage = Certificate::from_der(&der)
            .unwrap()
            .tbs_certificate
            .get()
            .unwrap()
            .unwrap()
            .1;
        if usage.key_encipherment() {
            encryption = der;
        } else if usage.non_repudiation() {
            signing = der;
        }
    }
    let roles = side
        .children()
        .filter(|n| n.has_tag_name((TNS, "CollaborationRole")));
    Counterparty {
        cpa_id: root.attribute((TNS, "cpaid")).map(str::to_owned),
        her_id: id(side),
        name: attribute(*side, "partyName"),
        signing,
        encryption,
        messages: roles.flat_map(|role| messages(root, *side, role)).collect(),
    }
}

fn messages(root: Node<'_, '_>, side: Node<'_, '_>, role: Node<'_, '_>) -> Vec<Message> {
    let specification = child(role, "ProcessSpecification");
    let binding = child(role, "ServiceBinding");
    let directions = ["CanSend", "CanReceive"];
    directions
        .into_iter()
        .flat_map(|direction| {
            let actions = binding
                .children()
                .filter(move |n| n.has_tag_name((TNS, direction)));
            actions.map(move |action| {
                let this = child(action, "ThisPartyActionBinding");
                Message {
                    process: attribute(specification, "name"),
                    version: attribute(specification, "version"),
                    direction,
                    action: attribute(this, "action"),
                    endpoint: endpoint(side, child(this, "ChannelId").text().unwrap()),
                    schemas: schemas(root, &attribute(this, "packageId")),
                }
            })
        })
        .collect()
}

/// Channel, transport, receiver: the chain must hold.
fn endpoint(side: Node<'_, '_>, channel: &str) -> String {
    let channel = find(side, "DeliveryChannel", "channelId", channel);
    let transport = find(
        side,
        "Transport",
        "transportId",
        &attribute(channel, "transportId"),
    );
    let receiver = child(transport, "TransportReceiver");
    assert_eq!(child(receiver, "TransportProtocol").text(), Some("AMQP"));
    attribute(child(receiver, "Endpoint"), "uri")
}

fn schemas(root: Node<'_, '_>, package: &str) -> Vec<String> {
    let package = find(root, "Packaging", "id", package);
    let parts = package
        .descendants()
        .filter(|n| n.has_tag_name((TNS, "Constituent")));
    parts
        .flat_map(|part| {
            let part = find(root, "SimplePart", "id", &attribute(part, "idref"));
            let spaces = part
                .children()
                .filter(|n| n.has_tag_name((TNS, "NamespaceSupported")));
            spaces
                .map(|space| format!("{} {}", attribute(space, "location"), space.text().unwrap()))
        })
        .collect()
}

fn child<'doc, 'input>(node: Node<'doc, 'input>, name: &str) -> Node<'doc, 'input> {
    let found = node
        .children()
        .find(|child| child.has_tag_name((TNS, name)));
    found.unwrap_or_else(|| panic!("no {name}"))
}

fn find<'doc, 'input>(
    node: Node<'doc, 'input>,
    name: &str,
    key: &str,
    value: &str,
) -> Node<'doc, 'input> {
    let mut all = node
        .children()
        .filter(|child| child.has_tag_name((TNS, name)));
    // The client looks at the attribute of each in turn and fails on one without.
    let found = all.find(|child| attribute(*child, key) == value);
    found.unwrap_or_else(|| panic!("no {name} with {key} {value}"))
}

/// Attributes are namespace-qualified.
fn attribute(node: Node<'_, '_>, name: &str) -> String {
    let value = node.attribute((TNS, name));
    value
        .unwrap_or_else(|| panic!("no {name} on {:?}", node.tag_name()))
        .to_owned()
}
