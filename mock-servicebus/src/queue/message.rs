//! A message as the bus keeps it: the sender's part untouched, the bus's own part beside it.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use testbed::clock::Moment;
use time::OffsetDateTime;

/// The sender's header fields that the bus hands on (contract 01 section 2.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SenderHeader {
    /// `durable`; RabbitMQ takes an absent one for true.
    pub(crate) durable: Option<bool>,
    /// `priority`.
    pub(crate) priority: Option<u8>,
    /// `ttl` in milliseconds.
    pub(crate) ttl: Option<u32>,
}

/// Message-annotations by key, each value in its AMQP encoding.
pub(crate) type Annotations = BTreeMap<String, Bytes>;

/// What a sender put on the bus. It never changes.
#[derive(Debug)]
pub(crate) struct Message {
    /// The bus's own number of the message.
    pub(crate) number: u64,
    pub(crate) header: SenderHeader,
    pub(crate) annotations: Annotations,
    /// Properties, application-properties, body and footer, byte for byte as they came.
    pub(crate) bare: Bytes,
    /// The exchange it was published to; empty for the default exchange.
    pub(crate) exchange: String,
    pub(crate) routing_key: String,
}

impl Message {
    /// What the message is counted for in the bus's memory bound.
    pub(crate) fn weight(&self) -> usize {
        const BESIDE_THE_BYTES: usize = 512;
        let annotations: usize = self
            .annotations
            .iter()
            .map(|(key, value)| key.len() + value.len())
            .sum();
        BESIDE_THE_BYTES + self.bare.len() + annotations
    }
}

/// A message in a queue, with what has happened to it there.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) message: Arc<Message>,
    /// Place in the queue; kept when the message is given back.
    pub(crate) position: u64,
    /// Failed attempts: `header.delivery-count`.
    pub(crate) failures: u32,
    /// Times it came back: what the delivery limit looks at, and `x-delivery-count`.
    pub(crate) returns: u32,
    /// Whether it was ever handed out; `first-acquirer` is the opposite.
    pub(crate) handed_out: bool,
    pub(crate) expires: Option<Moment>,
    /// Annotations that a receiver's `modified` merged in.
    pub(crate) merged: Annotations,
    /// Why it was dead-lettered, newest first.
    pub(crate) deaths: Vec<Death>,
}

/// One reason why a message lies in a dead-letter queue (contract 01 section 3.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Death {
    pub(crate) queue: String,
    pub(crate) reason: DeathReason,
    pub(crate) count: u64,
    pub(crate) first: OffsetDateTime,
    pub(crate) last: OffsetDateTime,
    pub(crate) exchange: String,
    pub(crate) routing_key: String,
    pub(crate) ttl: Option<u32>,
}

/// RabbitMQ's reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeathReason {
    DeliveryLimit,
    Expired,
    MaxLength,
    Rejected,
}

impl DeathReason {
    pub(crate) fn symbol(self) -> &'static str {
        match self {
            Self::DeliveryLimit => "delivery_limit",
            Self::Expired => "expired",
            Self::MaxLength => "maxlen",
            Self::Rejected => "rejected",
        }
    }
}
