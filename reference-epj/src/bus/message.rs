//! AMQP messages in and out (contract 01 section 2.1, contract 03 section 1.2).

use std::collections::BTreeMap;
use std::time::Duration;

use fe2o3_amqp::types::messaging::{
    ApplicationProperties, Body, Data, Header, Message, Properties,
};
use fe2o3_amqp::types::primitives::{Binary, SimpleValue, Symbol, Value};

pub(crate) use fe2o3_amqp::types::messaging::MessageId;

/// A message as it came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Incoming {
    pub(crate) message_id: Option<MessageId>,
    pub(crate) correlation_id: Option<MessageId>,
    pub(crate) subject: Option<String>,
    pub(crate) reply_to: Option<String>,
    pub(crate) content_type: Option<String>,
    /// Application properties as text; those that are neither text, number nor truth value are left out.
    pub(crate) application: BTreeMap<String, String>,
    /// The payload; a body that is not one piece of binary data has none.
    pub(crate) body: Option<Vec<u8>>,
}

impl Incoming {
    /// Takes a message apart.
    pub(super) fn read(message: Message<Body<Value>>) -> Self {
        let properties = message.properties.unwrap_or_default();
        let application = message.application_properties.unwrap_or_default();
        Self {
            message_id: properties.message_id,
            correlation_id: properties.correlation_id,
            subject: properties.subject.filter(|text| !text.is_empty()),
            reply_to: properties.reply_to.filter(|text| !text.is_empty()),
            content_type: properties
                .content_type
                .map(|symbol| symbol.0)
                .filter(|text| !text.is_empty()),
            application: application
                .iter()
                .filter_map(|(name, value)| Some((name.clone(), text(value)?)))
                .collect(),
            body: body(message.body),
        }
    }

    /// The message-id as text.
    pub(crate) fn id(&self) -> Option<String> {
        self.message_id.as_ref().map(id_text)
    }

    /// The correlation-id as text.
    pub(crate) fn correlation(&self) -> Option<String> {
        self.correlation_id.as_ref().map(id_text)
    }

    /// An application property that is there and not empty.
    pub(crate) fn property(&self, name: &str) -> Option<&str> {
        self.application
            .get(name)
            .map(String::as_str)
            .filter(|text| !text.is_empty())
    }
}

fn text(value: &SimpleValue) -> Option<String> {
    match value {
        SimpleValue::String(text) => Some(text.clone()),
        SimpleValue::Symbol(symbol) => Some(symbol.0.clone()),
        SimpleValue::Bool(value) => Some(value.to_string()),
        SimpleValue::Ubyte(value) => Some(value.to_string()),
        SimpleValue::Ushort(value) => Some(value.to_string()),
        SimpleValue::Uint(value) => Some(value.to_string()),
        SimpleValue::Ulong(value) => Some(value.to_string()),
        SimpleValue::Byte(value) => Some(value.to_string()),
        SimpleValue::Short(value) => Some(value.to_string()),
        SimpleValue::Int(value) => Some(value.to_string()),
        SimpleValue::Long(value) => Some(value.to_string()),
        _ => None,
    }
}

fn body(body: Body<Value>) -> Option<Vec<u8>> {
    match body {
        Body::Data(parts) => {
            let mut parts = parts.into_iter();
            let first = parts.next()?;
            parts.next().is_none().then(|| first.0.into_vec())
        }
        Body::Value(value) => match value.0 {
            Value::Binary(binary) => Some(binary.into_vec()),
            _ => None,
        },
        Body::Sequence(_) | Body::Empty => None,
    }
}

fn id_text(id: &MessageId) -> String {
    match id {
        MessageId::String(text) => text.clone(),
        MessageId::Ulong(number) => number.to_string(),
        MessageId::Uuid(uuid) => uuid::Uuid::from_bytes(*uuid.as_inner()).to_string(),
        MessageId::Binary(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}

/// A message to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    pub(crate) message_id: String,
    /// Queue name, as the official client writes it.
    pub(crate) to: String,
    pub(crate) subject: String,
    pub(crate) reply_to: Option<String>,
    pub(crate) correlation_id: Option<MessageId>,
    pub(crate) content_type: &'static str,
    pub(crate) ttl: Option<Duration>,
    pub(crate) application: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Outgoing {
    /// The message for the library.
    pub(super) fn write(self) -> Message<Data> {
        let header = self.ttl.map(|ttl| Header {
            ttl: Some(u32::try_from(ttl.as_millis()).unwrap_or(u32::MAX)),
            ..Header::default()
        });
        let properties = Properties {
            message_id: Some(MessageId::String(self.message_id)),
            to: Some(self.to),
            subject: Some(self.subject),
            reply_to: self.reply_to,
            correlation_id: self.correlation_id,
            content_type: Some(Symbol::from(self.content_type)),
            ..Properties::default()
        };
        let mut application = ApplicationProperties::default();
        for (name, value) in self.application {
            application.insert(name, SimpleValue::String(value));
        }
        let mut message = Message::builder()
            .properties(properties)
            .application_properties(application)
            .data(Binary::from(self.body))
            .build();
        message.header = header;
        message
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(body: Body<Value>) -> Message<Body<Value>> {
        let mut application = ApplicationProperties::default();
        application.insert("fromHerId".to_owned(), SimpleValue::Int(109_989));
        application.insert("toHerId".to_owned(), SimpleValue::String("8900011".into()));
        application.insert(
            "odd".to_owned(),
            SimpleValue::Binary(Binary::from(vec![1_u8])),
        );
        let mut message = Message::builder()
            .properties(
                Properties::builder()
                    .message_id("m".to_owned())
                    .subject("")
                    .build(),
            )
            .application_properties(application)
            .value(Value::Null)
            .build()
            .map_body(|_| body);
        message.header = None;
        message
    }

    #[test]
    fn numbers_and_texts_are_read_alike_and_empty_texts_are_absent() {
        let data = Body::Data(vec![Data(Binary::from(vec![7_u8]))].into());
        let incoming = Incoming::read(message(data));
        assert_eq!(incoming.property("fromHerId"), Some("109989"));
        assert_eq!(incoming.property("toHerId"), Some("8900011"));
        assert_eq!(incoming.property("odd"), None);
        assert_eq!(
            (incoming.subject.as_deref(), incoming.id().as_deref()),
            (None, Some("m"))
        );
        assert_eq!(incoming.body, Some(vec![7]));
    }

    #[test]
    fn a_body_in_several_pieces_is_no_payload() {
        let two = vec![
            Data(Binary::from(vec![7_u8])),
            Data(Binary::from(vec![8_u8])),
        ];
        assert_eq!(Incoming::read(message(Body::Data(two.into()))).body, None);
        assert_eq!(Incoming::read(message(Body::Empty)).body, None);
    }
}
