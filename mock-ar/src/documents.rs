//! CPP and CPA documents in the style of 2021 (contract 02 section 5.1): what the official client reads, in the order in which it
//! must find it (section 5.5).

use std::collections::BTreeSet;

use time::OffsetDateTime;
use uuid::Uuid;

use crate::local_time::with_offset;
use crate::registry::agreement::Profile;
use crate::registry::catalogue::packages::{
    PACKAGES, Package, SIGNAL_PACKAGE, SIMPLE_PARTS, SimplePart,
};
use crate::registry::catalogue::{Channel, Message, ProcessRole};
use crate::xml::Xml;

/// Namespaces of the root element.
const NAMESPACES: [(&str, &str); 3] = [
    (
        "xmlns:tns",
        "http://www.oasis-open.org/committees/ebxml-cppa/schema/cpp-cpa-2_0.xsd",
    ),
    ("xmlns:ds", "http://www.w3.org/2000/09/xmldsig#"),
    ("xmlns:xlink", "http://www.w3.org/1999/xlink"),
];
const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>";
const SIMPLE_LINK: (&str, &str) = ("xlink:type", "simple");

/// The profile document of a party.
pub(crate) fn profile(public_url: &str, profile: &Profile) -> String {
    let id = profile.id.to_string();
    document(
        "tns:CollaborationProtocolProfile",
        ("tns:cppid", &id),
        |xml| {
            party_info(xml, public_url, profile, None);
            parts_and_packages(xml, profile.roles.iter());
        },
    )
}

/// The agreement document of two parties, valid from and to the given times.
pub(crate) fn agreement(
    public_url: &str,
    id: Uuid,
    (start, end): (OffsetDateTime, OffsetDateTime),
    parties: &[Profile; 2],
) -> String {
    let id = id.to_string();
    document(
        "tns:CollaborationProtocolAgreement",
        ("tns:cpaid", &id),
        |xml| {
            xml.empty("tns:Status", &[("tns:value", "proposed")])
                .element("tns:Start", with_offset(start))
                .element("tns:End", with_offset(end));
            let [first, second] = parties;
            party_info(xml, public_url, first, Some(second.her_id));
            party_info(xml, public_url, second, Some(first.her_id));
            parts_and_packages(xml, first.roles.iter().chain(&second.roles));
        },
    )
}

fn document(root: &str, id: (&str, &str), content: impl FnOnce(&mut Xml)) -> String {
    let mut attributes = NAMESPACES.to_vec();
    attributes.extend([id, ("tns:version", "2_0b")]);
    let mut xml = Xml::new();
    xml.raw(DECLARATION).within(root, &attributes, content);
    xml.into_string()
}

/// One side; `other` is the counterparty of an agreement.
fn party_info(xml: &mut Xml, public_url: &str, profile: &Profile, other: Option<u32>) {
    let her_id = profile.her_id;
    let attributes = [
        ("tns:partyName", profile.name.as_str()),
        (
            "tns:defaultMshChannelId",
            &channel_id(Channel::Async, her_id),
        ),
        ("tns:defaultMshPackageId", SIGNAL_PACKAGE),
    ];
    xml.within("tns:PartyInfo", &attributes, |xml| {
        let page = format!("{public_url}/AR/Tjeneste/Index/{her_id}");
        xml.within("tns:PartyId", &[("tns:type", "HER")], |xml| {
            xml.raw(&her_id.to_string());
        });
        xml.empty("tns:PartyRef", &[("xlink:href", &page), SIMPLE_LINK]);
        for role in &profile.roles {
            collaboration_role(xml, her_id, *role, other);
        }
        certificate(xml, "sign", &profile.certificates.signing.base64);
        certificate(xml, "enc", &profile.certificates.encryption.base64);
        let channels = [
            (Channel::Async, &profile.async_address),
            (Channel::Sync, &profile.sync_address),
        ];
        let channels = channels.map(|(channel, address)| Some((channel, address.as_deref()?)));
        for (channel, _) in channels.into_iter().flatten() {
            delivery_channel(xml, channel, her_id);
        }
        for (channel, address) in channels.into_iter().flatten() {
            transport(xml, channel, her_id, address);
        }
        for (channel, _) in channels.into_iter().flatten() {
            let id = exchange_id(channel, her_id);
            xml.empty("tns:DocExchange", &[("tns:docExchangeId", &id)]);
        }
    });
}

fn collaboration_role(xml: &mut Xml, her_id: u32, entry: ProcessRole, other: Option<u32>) {
    let process = entry.process;
    xml.within("tns:CollaborationRole", &[], |xml| {
        let specification = [
            ("tns:name", process.name),
            ("tns:version", process.version),
            ("xlink:href", process.href),
            SIMPLE_LINK,
            ("tns:uuid", &process.uuid.to_string()),
        ];
        let role_page = format!("http://www.ehelse.no/processes#{}", entry.role);
        let role = [
            ("tns:name", entry.role),
            ("xlink:href", &role_page),
            SIMPLE_LINK,
        ];
        xml.empty("tns:ProcessSpecification", &specification)
            .empty("tns:Role", &role)
            .empty("tns:ApplicationCertificateRef", &[("tns:certId", "enc")]);
        xml.within("tns:ServiceBinding", &[], |xml| {
            xml.within("tns:Service", &[("tns:type", "string")], |xml| {
                xml.raw(process.service);
            });
            for message in entry.sends() {
                action(
                    xml,
                    "tns:CanSend",
                    message,
                    message.bindings,
                    (her_id, other),
                );
            }
            for message in entry.receives() {
                let [sender, receiver] = message.bindings;
                action(
                    xml,
                    "tns:CanReceive",
                    message,
                    [receiver, sender],
                    (her_id, other),
                );
            }
        });
    });
}

/// A message that the party sends or receives; `bindings` are the bases of its own binding id and of the other side's.
fn action(
    xml: &mut Xml,
    direction: &str,
    message: &Message,
    [own_binding, other_binding]: [&str; 2],
    (her_id, other): (u32, Option<u32>),
) {
    /// Equal in every document (contract 02 section 5.1).
    const CHARACTERISTICS: [(&str, &str); 8] = [
        ("tns:isAuthenticated", "none"),
        ("tns:isAuthorizationRequired", "false"),
        ("tns:isConfidential", "none"),
        ("tns:isIntelligibleCheckRequired", "false"),
        ("tns:isNonRepudiationReceiptRequired", "true"),
        ("tns:isNonRepudiationRequired", "true"),
        ("tns:isTamperProof", "none"),
        ("tns:timeToPerform", "P180M"),
    ];
    let binding = [
        ("tns:id", &*format!("{own_binding}_{her_id}")),
        ("tns:action", message.action),
        ("tns:packageId", message.package),
        SIMPLE_LINK,
    ];
    xml.within(direction, &[], |xml| {
        xml.within("tns:ThisPartyActionBinding", &binding, |xml| {
            xml.empty("tns:BusinessTransactionCharacteristics", &CHARACTERISTICS)
                .element("tns:ChannelId", channel_id(message.channel, her_id));
        });
        if let Some(other) = other {
            xml.element(
                "tns:OtherPartyActionBinding",
                format!("{other_binding}_{other}"),
            );
        }
    });
}

fn certificate(xml: &mut Xml, id: &str, base64: &str) {
    xml.within("tns:Certificate", &[("tns:certId", id)], |xml| {
        xml.within("ds:KeyInfo", &[], |xml| {
            xml.within("ds:X509Data", &[], |xml| {
                xml.element("ds:X509Certificate", base64);
            });
        });
    });
}

fn delivery_channel(xml: &mut Xml, channel: Channel, her_id: u32) {
    let attributes = [
        ("tns:channelId", &*channel_id(channel, her_id)),
        ("tns:transportId", &transport_id(channel, her_id)),
        ("tns:docExchangeId", &exchange_id(channel, her_id)),
    ];
    let reply_mode = match channel {
        Channel::Async => "none",
        Channel::Sync => "mshSignalsOnly",
    };
    let characteristics = [
        ("tns:syncReplyMode", reply_mode),
        ("tns:ackRequested", "never"),
        ("tns:ackSignatureRequested", "never"),
        ("tns:duplicateElimination", "never"),
    ];
    xml.within("tns:DeliveryChannel", &attributes, |xml| {
        xml.empty("tns:MessagingCharacteristics", &characteristics);
    });
}

fn transport(xml: &mut Xml, channel: Channel, her_id: u32, address: &str) {
    let protocol = |xml: &mut Xml| {
        xml.within("tns:TransportProtocol", &[("tns:version", "1.0")], |xml| {
            xml.raw("AMQP");
        });
    };
    let id = transport_id(channel, her_id);
    xml.within("tns:Transport", &[("tns:transportId", &id)], |xml| {
        xml.within("tns:TransportSender", &[], protocol);
        xml.within("tns:TransportReceiver", &[], |xml| {
            protocol(xml);
            xml.empty(
                "tns:Endpoint",
                &[("tns:uri", address), ("tns:type", "allPurpose")],
            );
        });
    });
}

/// The parts and packages that the roles' messages need, each once and in the catalogue's order.
fn parts_and_packages<'roles>(xml: &mut Xml, roles: impl Iterator<Item = &'roles ProcessRole>) {
    let names: BTreeSet<&str> = roles
        .flat_map(|role| role.process.messages())
        .map(|message| message.package)
        .chain([SIGNAL_PACKAGE])
        .collect();
    let needed = |package: &&Package| names.contains(package.id);
    let packages: Vec<&Package> = PACKAGES.iter().filter(needed).collect();
    let parts: BTreeSet<&str> = packages
        .iter()
        .flat_map(|package| package.parts)
        .map(|(part, _)| *part)
        .collect();
    for part in SIMPLE_PARTS.iter().filter(|part| parts.contains(part.id)) {
        simple_part(xml, part);
    }
    for package in packages {
        packaging(xml, package);
    }
}

fn simple_part(xml: &mut Xml, part: &SimplePart) {
    let attributes = [("tns:id", part.id), ("tns:mimetype", "application/xml")];
    xml.within("tns:SimplePart", &attributes, |xml| {
        for [location, version, namespace] in part.namespaces {
            let schema = [("tns:location", *location), ("tns:version", *version)];
            xml.within("tns:NamespaceSupported", &schema, |xml| {
                xml.raw(namespace);
            });
        }
    });
}

fn packaging(xml: &mut Xml, package: &Package) {
    let (media_type, parameters) = match package.id {
        SIGNAL_PACKAGE => ("multipart/related", "type=text/xml"),
        _ => ("application/pkcs7-mime", "smime-type=\"enveloped-data\""),
    };
    let composite = [
        ("tns:id", package.composite),
        ("tns:mimetype", media_type),
        ("tns:mimeparameters", parameters),
    ];
    let capabilities = [("tns:parse", "true"), ("tns:generate", "true")];
    xml.within("tns:Packaging", &[("tns:id", package.id)], |xml| {
        xml.empty("tns:ProcessingCapabilities", &capabilities);
        xml.within("tns:CompositeList", &[], |xml| {
            xml.within("tns:Composite", &composite, |xml| {
                for (part, optional) in package.parts {
                    let mut attributes = vec![("tns:idref", *part)];
                    if *optional {
                        attributes.extend([("tns:minOccurs", "0"), ("tns:maxOccurs", "1")]);
                    }
                    xml.empty("tns:Constituent", &attributes);
                }
            });
        });
    });
}

fn channel_id(channel: Channel, her_id: u32) -> String {
    match channel {
        Channel::Async => format!("asyncAMQPChannelC1_{her_id}"),
        Channel::Sync => format!("syncAMQPChannelC2_{her_id}"),
    }
}

fn transport_id(channel: Channel, her_id: u32) -> String {
    match channel {
        Channel::Async => format!("transportAsyncAMQP_{her_id}"),
        Channel::Sync => format!("transportSyncAMQP_{her_id}"),
    }
}

fn exchange_id(channel: Channel, her_id: u32) -> String {
    match channel {
        Channel::Async => format!("docexchange_async_amqp_{her_id}"),
        Channel::Sync => format!("docexchange_sync_amqp_{her_id}"),
    }
}
