//! A message's sections: taken apart where the bus must look, kept as they are everywhere else (contract 01 section 2.2).

use std::collections::BTreeMap;

use bytes::Bytes;
use testbed::evidence::BusMessage;

use super::Malformed;
use super::performative::{FieldReader, composite};
use super::reader::{Descriptor, Raw, Reader};
use super::writer::Writer;
use crate::queue::{Annotations, Death, Entry, SenderHeader};

const HEADER: u64 = 0x70;
const DELIVERY_ANNOTATIONS: u64 = 0x71;
const MESSAGE_ANNOTATIONS: u64 = 0x72;
const PROPERTIES: u64 = 0x73;
const APPLICATION_PROPERTIES: u64 = 0x74;
const DATA: u64 = 0x75;
const SEQUENCE: u64 = 0x76;
const VALUE: u64 = 0x77;
const FOOTER: u64 = 0x78;

/// Most application properties that evidence shows.
const MOST_PROPERTIES: usize = 128;
/// Longest value that evidence shows, in characters.
const LONGEST_VALUE: usize = 4096;

/// What a sender sent.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) header: SenderHeader,
    pub(crate) annotations: Annotations,
    pub(crate) bare: Bytes,
    pub(crate) facts: BusMessage,
    pub(crate) user_id: Option<Vec<u8>>,
}

/// Why a message is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MessageFault {
    #[error("the message cannot be decoded: {0}")]
    Malformed(#[from] Malformed),
    /// RabbitMQ fails on such a message.
    #[error("the message has no body section")]
    NoBody,
    #[error("the message-annotation key '{0}' does not begin with 'x-'")]
    AnnotationKey(String),
}

/// Takes a message apart.
pub(crate) fn read(payload: &Bytes) -> Result<Sent, MessageFault> {
    let mut sent = Sent {
        header: SenderHeader::default(),
        annotations: Annotations::new(),
        bare: Bytes::new(),
        facts: BusMessage::default(),
        user_id: None,
    };
    let mut reader = Reader::new(payload);
    let mut bare_from = None;
    let mut before = 0;
    let mut body = None;
    while !reader.is_empty() {
        let at = payload.len() - reader.left();
        let (code, value) = section(&mut reader)?;
        let repeats = code == before && matches!(code, DATA | SEQUENCE);
        if code <= before && !repeats || body.is_some_and(|kind| code != kind && code != FOOTER) {
            return Err(Malformed::SectionOrder.into());
        }
        before = code;
        if code >= PROPERTIES {
            bare_from.get_or_insert(at);
        }
        if matches!(code, DATA | SEQUENCE | VALUE) {
            body = Some(code);
        }
        read_section(&mut sent, code, value)?;
    }
    if body.is_none() {
        return Err(MessageFault::NoBody);
    }
    sent.bare = payload.slice(bare_from.unwrap_or(payload.len())..);
    sent.facts.ttl_ms = sent.header.ttl;
    Ok(sent)
}

fn section<'a>(reader: &mut Reader<'a>) -> Result<(u64, &'a [u8]), Malformed> {
    let Raw::Described(descriptor, value) = reader.value()? else {
        return Err(Malformed::FieldType("section"));
    };
    let code = match descriptor {
        Descriptor::Code(code) => code,
        Descriptor::Name(name) => section_code(name),
    };
    match code {
        HEADER..=FOOTER => Ok((code, value)),
        other => Err(Malformed::Descriptor(other)),
    }
}

fn section_code(name: &str) -> u64 {
    match name {
        "amqp:header:list" => HEADER,
        "amqp:delivery-annotations:map" => DELIVERY_ANNOTATIONS,
        "amqp:message-annotations:map" => MESSAGE_ANNOTATIONS,
        "amqp:properties:list" => PROPERTIES,
        "amqp:application-properties:map" => APPLICATION_PROPERTIES,
        "amqp:data:binary" => DATA,
        "amqp:amqp-sequence:list" => SEQUENCE,
        "amqp:amqp-value:*" => VALUE,
        "amqp:footer:map" => FOOTER,
        _ => 0,
    }
}

fn read_section(sent: &mut Sent, code: u64, value: &[u8]) -> Result<(), MessageFault> {
    match code {
        HEADER => sent.header = header(value)?,
        MESSAGE_ANNOTATIONS => sent.annotations = annotations(value)?,
        PROPERTIES => properties(sent, value)?,
        APPLICATION_PROPERTIES => sent.facts.application = application(value)?,
        DATA => match Reader::new(value).value()? {
            Raw::Binary(bytes) => sent.facts.body_size += bytes.len() as u64,
            _ => return Err(Malformed::FieldType("data").into()),
        },
        _ => {}
    }
    Ok(())
}

fn list(value: &[u8]) -> Result<FieldReader<'_>, Malformed> {
    // A section's value is read as if it were described once more, to have one reader of fields.
    composite(Raw::Described(Descriptor::Code(0), value)).map(|(_, fields)| fields)
}

fn header(value: &[u8]) -> Result<SenderHeader, Malformed> {
    let mut fields = list(value)?;
    let durable = fields.bool("durable")?;
    let priority = match fields.next()? {
        Raw::Null => None,
        Raw::Unsigned(priority) => {
            Some(u8::try_from(priority).map_err(|_| Malformed::FieldType("priority"))?)
        }
        _ => return Err(Malformed::FieldType("priority")),
    };
    let ttl = fields.u32("ttl")?;
    Ok(SenderHeader {
        durable,
        priority,
        ttl,
    })
}

fn annotations(value: &[u8]) -> Result<Annotations, MessageFault> {
    let Raw::Map(mut items) = Reader::new(value).value()? else {
        return Err(Malformed::FieldType("message-annotations").into());
    };
    let mut read = Annotations::new();
    while let Some(key) = items.next()? {
        let Raw::Symbol(key) = key else {
            return Err(Malformed::FieldType("message-annotations key").into());
        };
        if !key.starts_with("x-") {
            return Err(MessageFault::AnnotationKey(key.chars().take(64).collect()));
        }
        let value = items.next_encoded()?.ok_or(Malformed::CutOff)?;
        read.insert(key.to_owned(), Bytes::copy_from_slice(value));
    }
    Ok(read)
}

fn properties(sent: &mut Sent, value: &[u8]) -> Result<(), Malformed> {
    let mut fields = list(value)?;
    let shown = |value: Raw<'_>| value.text().map(cut);
    sent.facts.message_id = shown(fields.next()?);
    sent.user_id = fields.binary("user-id")?.map(<[u8]>::to_vec);
    sent.facts.to = shown(fields.next()?);
    sent.facts.subject = fields.string("subject")?.map(|text| cut(text.to_owned()));
    sent.facts.reply_to = shown(fields.next()?);
    sent.facts.correlation_id = shown(fields.next()?);
    sent.facts.content_type = shown(fields.next()?);
    Ok(())
}

fn application(value: &[u8]) -> Result<BTreeMap<String, String>, Malformed> {
    let Raw::Map(mut items) = Reader::new(value).value()? else {
        return Err(Malformed::FieldType("application-properties"));
    };
    let mut read = BTreeMap::new();
    while let Some(key) = items.next()? {
        let Raw::String(key) = key else {
            return Err(Malformed::FieldType("application-properties key"));
        };
        let value = items.next()?.ok_or(Malformed::CutOff)?;
        if read.len() < MOST_PROPERTIES {
            read.insert(cut(key.to_owned()), cut(value.text().unwrap_or_default()));
        }
    }
    Ok(read)
}

fn cut(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(LONGEST_VALUE) {
        text.truncate(end);
    }
    text
}

/// The sections that the bus puts before the sender's part when it hands an entry out (contract 01 sections 2.1, 2.6).
pub(crate) fn front(entry: &Entry) -> Bytes {
    let message = &entry.message;
    let is_dead = !entry.deaths.is_empty();
    let mut writer = Writer::default();
    writer.list_section(0x70, |list| {
        list.bool(message.header.durable.unwrap_or(true));
        match message.header.priority {
            Some(priority) => list.ubyte(priority),
            None => list.null(),
        }
        match message.header.ttl {
            Some(ttl) if !is_dead => list.uint(ttl),
            _ => list.null(),
        }
        list.bool(!entry.handed_out);
        list.uint(entry.failures);
    });
    writer.map_section(0x72, |map| annotate(map, entry));
    writer.finish().freeze()
}

fn annotate(map: &mut Writer, entry: &Entry) {
    let message = &entry.message;
    let own = |key: &str| matches!(key, "x-exchange" | "x-routing-key" | "x-delivery-count");
    let is_death = |key: &str| {
        key == "x-opt-deaths"
            || key.starts_with("x-first-death-")
            || key.starts_with("x-last-death-")
    };
    let is_dead = !entry.deaths.is_empty();
    let merged = |key: &str| entry.merged.contains_key(key);
    let from_sender = message.annotations.iter().filter(|(key, _)| !merged(key));
    for (key, value) in from_sender.chain(&entry.merged) {
        if !own(key) && (!is_death(key) || !is_dead) {
            map.symbol(key);
            map.encoded(value);
        }
    }
    let (exchange, key) = match entry.deaths.first() {
        // Dead letters go through the default exchange to their queue.
        Some(death) => ("", crate::queue::dead_letter_queue(&death.queue)),
        None => (message.exchange.as_str(), message.routing_key.clone()),
    };
    map.symbol("x-exchange");
    map.string(exchange);
    map.symbol("x-routing-key");
    map.string(&key);
    if entry.returns > 0 {
        map.symbol("x-delivery-count");
        // RabbitMQ writes a long, as the recordings show.
        map.long(entry.returns.into());
    }
    if let (Some(newest), Some(oldest)) = (entry.deaths.first(), entry.deaths.last()) {
        obituary(map, "first", oldest);
        obituary(map, "last", newest);
        map.symbol("x-opt-deaths");
        map.array_of_maps(&entry.deaths, death_map);
    }
}

fn obituary(map: &mut Writer, which: &str, death: &Death) {
    for (what, value) in [
        ("queue", death.queue.as_str()),
        ("exchange", &death.exchange),
        ("reason", death.reason.symbol()),
    ] {
        map.symbol(&format!("x-{which}-death-{what}"));
        map.string(value);
    }
}

fn death_map(map: &mut Writer, death: &Death) {
    map.symbol("queue");
    map.string(&death.queue);
    map.symbol("reason");
    map.symbol(death.reason.symbol());
    map.symbol("count");
    map.ulong(death.count);
    map.symbol("first-time");
    map.timestamp(death.first);
    map.symbol("last-time");
    map.timestamp(death.last);
    map.symbol("exchange");
    map.string(&death.exchange);
    map.symbol("routing-keys");
    map.array_of_strings(&[&death.routing_key]);
    if let Some(ttl) = death.ttl {
        map.symbol("ttl");
        map.uint(ttl);
    }
}
