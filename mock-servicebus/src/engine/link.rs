//! Links: what is kept of one that is attached. Named from the bus: an outlet gives messages out, an inlet takes them in.

use bytes::{Bytes, BytesMut};

use crate::address::Target;

/// A link of a session.
#[derive(Debug)]
pub(super) enum Link {
    Outlet(Outlet),
    Inlet(Inlet),
}

/// A link on which the peer receives from a queue.
#[derive(Debug)]
pub(super) struct Outlet {
    /// The bus's own number of the link.
    pub(super) number: u64,
    /// Our handle of it.
    pub(super) handle: u32,
    pub(super) queue: String,
    /// Deliveries so far, from the initial count on.
    pub(super) delivery_count: u32,
    pub(super) credit: u32,
    /// The peer wants its credit used or taken back.
    pub(super) drain: bool,
    /// Whether deliveries go out settled.
    pub(super) is_settled: bool,
    /// Largest message the peer takes.
    pub(super) message_size: Option<u64>,
    /// The next delivery-tag.
    pub(super) tag: u32,
}

/// A link on which the peer sends.
#[derive(Debug)]
pub(super) struct Inlet {
    pub(super) number: u64,
    pub(super) handle: u32,
    pub(super) target: Target,
    /// The address as the peer wrote it.
    pub(super) address: Option<String>,
    pub(super) delivery_count: u32,
    pub(super) credit: u32,
    pub(super) partial: Option<Partial>,
}

/// A message that has not come whole.
#[derive(Debug)]
pub(super) struct Partial {
    pub(super) delivery: u32,
    pub(super) is_settled: bool,
    pub(super) bytes: BytesMut,
}

/// A delivery whose frames have not all gone out.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) link: u64,
    pub(super) handle: u32,
    pub(super) delivery: u32,
    pub(super) tag: u32,
    pub(super) is_settled: bool,
    pub(super) payload: Bytes,
}

/// A delivery that the peer has not settled.
#[derive(Debug)]
pub(super) struct Unsettled {
    pub(super) link: u64,
    pub(super) queue: String,
    /// Where the entry lies in the queue.
    pub(super) position: u64,
}

impl Link {
    pub(super) fn number(&self) -> u64 {
        match self {
            Self::Outlet(outlet) => outlet.number,
            Self::Inlet(inlet) => inlet.number,
        }
    }

    pub(super) fn handle(&self) -> u32 {
        match self {
            Self::Outlet(outlet) => outlet.handle,
            Self::Inlet(inlet) => inlet.handle,
        }
    }

    /// The queue that a receiver reads, or that a sender's fixed address leads to.
    pub(super) fn queue(&self) -> Option<&str> {
        match self {
            Self::Outlet(outlet) => Some(&outlet.queue),
            Self::Inlet(inlet) => inlet.queue(),
        }
    }
}

impl Inlet {
    pub(super) fn queue(&self) -> Option<&str> {
        match &self.target {
            Target::Fixed(route) => Some(&route.key),
            Target::ExchangeBySubject(_) | Target::QueueBySubject | Target::Anonymous => None,
        }
    }
}
