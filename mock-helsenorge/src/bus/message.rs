//! Messages of the bus as values: what was received, in text, and what is to be sent (contract 01 section 2).

use std::collections::BTreeMap;

use fe2o3_amqp::types::messaging::{
    ApplicationProperties, Body, Data, Header, Message, MessageId, Properties,
};
use fe2o3_amqp::types::primitives::{Binary, SimpleValue, Symbol, Value};
use nhn_model::amqp::{ENQUEUED_TIME_UTC, enqueued_time_utc};
use time::OffsetDateTime;

/// Most application properties that are looked at.
const MOST_PROPERTIES: usize = 128;
/// Longest text of a property that is looked at, in characters; the bus's evidence cuts at the same length.
const LONGEST_TEXT: usize = 4096;
/// Most bytes of a binary id that are shown.
const BINARY_SHOWN: usize = 256;

/// A message that was received. Ids are written as the bus's evidence writes them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Incoming {
    pub(crate) message_id: Option<String>,
    pub(crate) correlation_id: Option<String>,
    pub(crate) subject: Option<String>,
    pub(crate) reply_to: Option<String>,
    pub(crate) content_type: Option<String>,
    pub(crate) ttl_ms: Option<u32>,
    pub(crate) application: BTreeMap<String, String>,
    /// The bytes of the body; nothing when it is not made of data sections.
    pub(crate) body: Option<Vec<u8>>,
}

impl Incoming {
    /// An application property that is there and not empty.
    pub(crate) fn property(&self, name: &str) -> Option<&str> {
        self.application
            .get(name)
            .map(String::as_str)
            .filter(|text| !text.trim().is_empty())
    }

    /// A HER-id in an application property: a positive number, whatever type it was sent as (contract 01 section 2.2).
    pub(crate) fn her_id(&self, name: &str) -> Option<u32> {
        self.property(name)?
            .trim()
            .parse::<nhn_model::HerId>()
            .ok()
            .map(|her_id| her_id.get())
    }

    /// What a reply or an error message refers to: the correlation-id, else the message-id (contract 03 section 1.2).
    pub(crate) fn correlation(&self) -> Option<&str> {
        self.correlation_id
            .as_deref()
            .or(self.message_id.as_deref())
    }
}

/// Takes a received message apart.
pub(crate) fn incoming(message: Message<Body<Value>>) -> Incoming {
    let properties = message.properties.unwrap_or_default();
    let application = message
        .application_properties
        .map(|properties| {
            properties
                .0
                .into_iter()
                .take(MOST_PROPERTIES)
                .map(|(name, value)| (cut(name), cut(text_of(&value))))
                .collect()
        })
        .unwrap_or_default();
    let body = match message.body {
        Body::Data(sections) => Some(
            sections
                .into_iter()
                .flat_map(|section| section.0.into_vec())
                .collect(),
        ),
        Body::Value(value) => match value.0 {
            Value::Binary(bytes) => Some(bytes.into_vec()),
            _ => None,
        },
        _ => None,
    };
    Incoming {
        message_id: properties.message_id.as_ref().map(id_text).map(cut),
        correlation_id: properties.correlation_id.as_ref().map(id_text).map(cut),
        subject: properties.subject.map(cut),
        reply_to: properties.reply_to.map(cut),
        content_type: properties.content_type.map(|symbol| cut(symbol.0)),
        ttl_ms: message.header.and_then(|header| header.ttl),
        application,
        body,
    }
}

fn id_text(id: &MessageId) -> String {
    match id {
        MessageId::Ulong(number) => number.to_string(),
        MessageId::Uuid(uuid) => uuid::Uuid::from_bytes(uuid.clone().into_inner()).to_string(),
        MessageId::Binary(bytes) => hex(bytes),
        MessageId::String(text) => text.clone(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .take(BINARY_SHOWN)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn text_of(value: &SimpleValue) -> String {
    match value {
        SimpleValue::Bool(value) => value.to_string(),
        SimpleValue::Ubyte(value) => value.to_string(),
        SimpleValue::Ushort(value) => value.to_string(),
        SimpleValue::Uint(value) => value.to_string(),
        SimpleValue::Ulong(value) => value.to_string(),
        SimpleValue::Byte(value) => value.to_string(),
        SimpleValue::Short(value) => value.to_string(),
        SimpleValue::Int(value) => value.to_string(),
        SimpleValue::Long(value) => value.to_string(),
        SimpleValue::Float(value) => value.to_string(),
        SimpleValue::Double(value) => value.to_string(),
        SimpleValue::Char(value) => value.to_string(),
        SimpleValue::Timestamp(value) => value.milliseconds().to_string(),
        SimpleValue::Uuid(uuid) => uuid::Uuid::from_bytes(uuid.clone().into_inner()).to_string(),
        SimpleValue::Binary(bytes) => hex(bytes),
        SimpleValue::String(text) => text.clone(),
        SimpleValue::Symbol(symbol) => symbol.0.clone(),
        _ => String::new(),
    }
}

fn cut(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(LONGEST_TEXT) {
        text.truncate(end);
    }
    text
}

/// A message to be sent. Fields that are nothing are left out on the wire.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outgoing {
    /// Name of the queue.
    pub(crate) queue: String,
    pub(crate) message_id: String,
    pub(crate) correlation_id: Option<String>,
    pub(crate) subject: String,
    pub(crate) reply_to: Option<String>,
    pub(crate) content_type: Option<&'static str>,
    pub(crate) ttl_ms: Option<u32>,
    pub(crate) application: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Outgoing {
    /// The message for the client library: ids and application properties are strings, the body is one data section, and
    /// the time of this attempt is noted (contract 01 section 2.1).
    pub(crate) fn message(&self, now: OffsetDateTime) -> Message<Data> {
        let header = self.ttl_ms.map(|ttl| Header {
            ttl: Some(ttl),
            ..Header::default()
        });
        let properties = Properties {
            message_id: Some(MessageId::String(self.message_id.clone())),
            to: Some(self.queue.clone()),
            subject: Some(self.subject.clone()),
            reply_to: self.reply_to.clone(),
            correlation_id: self.correlation_id.clone().map(MessageId::String),
            content_type: self.content_type.map(Symbol::from),
            ..Properties::default()
        };
        let mut application =
            ApplicationProperties::builder().insert(ENQUEUED_TIME_UTC, enqueued_time_utc(now));
        for (name, value) in &self.application {
            application = application.insert(name.clone(), value.clone());
        }
        Message {
            header,
            delivery_annotations: None,
            message_annotations: None,
            properties: Some(properties),
            application_properties: Some(application.build()),
            body: Data(Binary::from(self.body.clone())),
            footer: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_written_as_the_bus_writes_them() {
        let uuid = uuid::Uuid::from_u128(0x1234);
        let message = Message {
            header: None,
            delivery_annotations: None,
            message_annotations: None,
            properties: Some(Properties {
                message_id: Some(MessageId::Uuid(uuid.into_bytes().into())),
                correlation_id: Some(MessageId::Ulong(7)),
                ..Properties::default()
            }),
            application_properties: Some(
                ApplicationProperties::builder()
                    .insert("fromHerId", 8_900_011_i32)
                    .insert("toHerId", "109989")
                    .insert("zero", 0_i64)
                    .build(),
            ),
            body: Body::<Value>::Empty,
            footer: None,
        };
        let read = incoming(message);
        assert_eq!(read.message_id, Some(uuid.to_string()));
        assert_eq!(read.correlation_id.as_deref(), Some("7"));
        assert_eq!(read.her_id("fromHerId"), Some(8_900_011));
        assert_eq!(read.her_id("toHerId"), Some(109_989));
        assert_eq!(read.her_id("zero"), None);
        assert_eq!(read.body, None);
    }
}
