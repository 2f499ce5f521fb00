//! `PartyInfo`: one party with its processes, certificates and channels.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use roxmltree::Node;
use uuid::Uuid;

use super::document::{attribute, child, children, required, text};
use super::error::CppaError;
use super::payload::Packages;
use super::{Action, Channel, Process, Profile};
use crate::certificate::Certificate;
use crate::xml;

/// Namespace of the certificates.
const SIGNATURE: &str = "http://www.w3.org/2000/09/xmldsig#";
/// Most messages of one party.
const ACTIONS: usize = 2048;

/// Which document the party stands in.
#[derive(Clone, Copy)]
pub(super) struct Ids {
    pub(super) cpp: Option<Uuid>,
    pub(super) cpa: Option<Uuid>,
}

/// A channel with its transport.
struct DeliveryChannel {
    channel: Channel,
    amqp: bool,
    address: Option<String>,
}

pub(super) fn read(
    node: Node<'_, '_>,
    ids: Ids,
    packages: &Packages,
) -> Result<Profile, CppaError> {
    let name = required(node, "partyName", "partyName")?.to_owned();
    let her_id = her_id(node)?;
    let channels = channels(node)?;
    let mut processes = Vec::new();
    let mut actions = 0;
    for role in children(node, "CollaborationRole")? {
        let process = process(role, &channels, packages)?;
        actions += process.sends.len() + process.receives.len();
        if actions > ACTIONS {
            return Err(CppaError::TooComplex);
        }
        processes.push(process);
    }
    let (signing, encryption) = certificates(node)?;
    let address = |kind: Channel| {
        let mut of_kind = channels.iter().filter(|(_, found)| found.channel == kind);
        of_kind.find_map(|(_, found)| found.address.clone())
    };
    Ok(Profile {
        cpp_id: ids.cpp,
        cpa_id: ids.cpa,
        her_id,
        name,
        signing_certificate_der: signing,
        encryption_certificate_der: encryption,
        sync_address: address(Channel::Sync),
        async_address: address(Channel::Async),
        processes,
    })
}

/// Digits and nothing else: the official client compares texts.
fn her_id(node: Node<'_, '_>) -> Result<u32, CppaError> {
    let id = child(node, "PartyId").ok_or(CppaError::Missing("PartyId"))?;
    let text = text(id, "PartyId")?;
    let number: Option<u32> = text.parse().ok();
    number
        .filter(|number| *number > 0 && number.to_string() == text)
        .ok_or_else(|| CppaError::invalid("PartyId", &text))
}

fn process(
    node: Node<'_, '_>,
    channels: &BTreeMap<String, DeliveryChannel>,
    packages: &Packages,
) -> Result<Process, CppaError> {
    let specification =
        child(node, "ProcessSpecification").ok_or(CppaError::Missing("ProcessSpecification"))?;
    let role = match child(node, "Role") {
        Some(role) => attribute(role, "name")?.unwrap_or_default().to_owned(),
        None => String::new(),
    };
    let binding = child(node, "ServiceBinding").ok_or(CppaError::Missing("ServiceBinding"))?;
    let actions = |name: &str| {
        let actions = children(binding, name)?.into_iter();
        actions
            .map(|node| action(node, channels, packages))
            .collect::<Result<Vec<Action>, CppaError>>()
    };
    Ok(Process {
        name: required(specification, "name", "ProcessSpecification/@name")?.to_owned(),
        version: attribute(specification, "version")?
            .unwrap_or_default()
            .to_owned(),
        uuid: attribute(specification, "uuid")?.and_then(|id| Uuid::parse_str(id).ok()),
        role,
        sends: actions("CanSend")?,
        receives: actions("CanReceive")?,
    })
}

fn action(
    node: Node<'_, '_>,
    channels: &BTreeMap<String, DeliveryChannel>,
    packages: &Packages,
) -> Result<Action, CppaError> {
    let binding = child(node, "ThisPartyActionBinding")
        .ok_or(CppaError::Missing("ThisPartyActionBinding"))?;
    let name = required(binding, "action", "ThisPartyActionBinding/@action")?;
    let channel_id = child(binding, "ChannelId").ok_or(CppaError::Missing("ChannelId"))?;
    let channel_id = text(channel_id, "ChannelId")?;
    let channel = channels
        .get(&channel_id)
        .ok_or_else(|| CppaError::Channel(xml::shortened(&channel_id)))?;
    let other_binding_id = match child(node, "OtherPartyActionBinding") {
        Some(other) => Some(text(other, "OtherPartyActionBinding")?),
        None => None,
    };
    let package = attribute(binding, "packageId")?.unwrap_or_default();
    Ok(Action {
        name: name.to_owned(),
        binding_id: attribute(binding, "id")?.unwrap_or_default().to_owned(),
        other_binding_id,
        channel: channel.channel,
        amqp: channel.amqp,
        address: channel.address.clone(),
        package: package.to_owned(),
        parts: packages.parts(package),
    })
}

/// The channels by their ids. Of two with the same id the first counts.
fn channels(node: Node<'_, '_>) -> Result<BTreeMap<String, DeliveryChannel>, CppaError> {
    let mut transports = BTreeMap::new();
    for transport in children(node, "Transport")? {
        let id = required(transport, "transportId", "Transport/@transportId")?;
        transports.entry(id).or_insert(transport);
    }
    let mut channels = BTreeMap::new();
    for channel in children(node, "DeliveryChannel")? {
        let id = required(channel, "channelId", "DeliveryChannel/@channelId")?;
        let transport = required(channel, "transportId", "DeliveryChannel/@transportId")?;
        let receiver = transports
            .get(transport)
            .and_then(|transport| child(*transport, "TransportReceiver"))
            .ok_or_else(|| CppaError::Channel(xml::shortened(id)))?;
        let read = delivery_channel(channel, receiver)?;
        channels.entry(id.to_owned()).or_insert(read);
    }
    Ok(channels)
}

fn delivery_channel(
    node: Node<'_, '_>,
    receiver: Node<'_, '_>,
) -> Result<DeliveryChannel, CppaError> {
    let amqp = match child(receiver, "TransportProtocol") {
        Some(protocol) => text(protocol, "TransportProtocol")? == "AMQP",
        None => false,
    };
    let address = match child(receiver, "Endpoint") {
        Some(endpoint) => attribute(endpoint, "uri")?.map(str::to_owned),
        None => None,
    };
    let reply_mode = match child(node, "MessagingCharacteristics") {
        Some(characteristics) => attribute(characteristics, "syncReplyMode")?,
        None => None,
    };
    let channel = match reply_mode {
        None | Some("none") => Channel::Async,
        Some(_) => Channel::Sync,
    };
    Ok(DeliveryChannel {
        channel,
        amqp,
        address,
    })
}

type Der = Option<Vec<u8>>;

/// The signing and the encryption certificate: by key usage, whatever the document calls them (contract 02 section 5.3). Of two of
/// a kind the last counts.
fn certificates(node: Node<'_, '_>) -> Result<(Der, Der), CppaError> {
    let (mut signing, mut encryption) = (None, None);
    for element in children(node, "Certificate")? {
        let value = element
            .descendants()
            .find(|node| node.is_element() && xml::is(*node, SIGNATURE, "X509Certificate"))
            .ok_or(CppaError::Missing("X509Certificate"))?;
        let mut text = xml::text(value);
        text.retain(|character| !character.is_ascii_whitespace());
        let invalid = || CppaError::invalid("X509Certificate", &text);
        let der = STANDARD.decode(&text).map_err(|_| invalid())?;
        let usage = Certificate::from_der(&der)
            .map_err(|_| invalid())?
            .key_usage();
        if usage.has_key_encipherment() {
            encryption = Some(der);
        } else if usage.has_non_repudiation() {
            signing = Some(der);
        }
    }
    Ok((signing, encryption))
}
