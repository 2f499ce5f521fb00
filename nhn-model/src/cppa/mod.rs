//! Collaboration protocol profiles (CPP) and agreements (CPA): what a party sends and receives, over which queues, and with which
//! certificates (contract 02 sections 5.1 and 5.3), read as strictly as the official client reads them (section 5.5).

mod document;
mod error;
mod party;
mod payload;

use std::sync::Arc;

use time::OffsetDateTime;
use uuid::Uuid;

use crate::certificate::Certificate;

pub use self::document::{read_agreement, read_profile};
pub use self::error::CppaError;

/// The receipt's action (contract 02 section 5.5).
const RECEIPT: &str = "Apprec";

/// What a party sends and receives: a profile document, or one side of an agreement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Id of the profile document, nothing in an agreement.
    pub cpp_id: Option<Uuid>,
    /// Id of the agreement, nothing in a profile document.
    pub cpa_id: Option<Uuid>,
    /// The party.
    pub her_id: u32,
    /// The party's name.
    pub name: String,
    /// The certificate with `nonRepudiation` and without `keyEncipherment`, DER (contract 02 section 5.3).
    pub signing_certificate_der: Option<Vec<u8>>,
    /// The certificate with `keyEncipherment`, DER.
    pub encryption_certificate_der: Option<Vec<u8>>,
    /// Address of the queue for synchronous messages. The address register's counts, if the two differ.
    pub sync_address: Option<String>,
    /// Address of the queue for asynchronous messages.
    pub async_address: Option<String>,
    /// The processes that the party takes part in, in the order of the document, which matters.
    pub processes: Vec<Process>,
}

/// A process in one of its roles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Name, which is the message function in another case: `Dialog_Innbygger_Test`.
    pub name: String,
    /// Version `n.n`, empty when the document has none.
    pub version: String,
    /// Identity, if the document has one.
    pub uuid: Option<Uuid>,
    /// The party's role in the process.
    pub role: String,
    /// What the party sends, in the order of the document.
    pub sends: Vec<Action>,
    /// What the party receives, in the order of the document.
    pub receives: Vec<Action>,
}

/// A message of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// What the message does, for example `Foresporsel`, `Svar`, `Apprec`.
    pub name: String,
    /// Id of the binding, empty when the document has none.
    pub binding_id: String,
    /// In an agreement, id of the other party's binding.
    pub other_binding_id: Option<String>,
    /// The party's channel for the message.
    pub channel: Channel,
    /// Whether the channel's protocol is AMQP. The official client refuses to send otherwise (MUG-000033).
    pub amqp: bool,
    /// Address of the channel's queue.
    pub address: Option<String>,
    /// Id of the package.
    pub package: String,
    /// The documents that the message may consist of; none when the package is not in the document.
    pub parts: Arc<[Part]>,
}

/// The kind of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// Asynchronous: queue `<herId>_async`.
    Async,
    /// Synchronous: queue `<herId>_sync`.
    Sync,
}

/// A document within a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Namespace of the document.
    pub namespace: String,
    /// Name of its schema.
    pub location: String,
    /// How often it must be there.
    pub min_occurs: u32,
    /// How often it may be there.
    pub max_occurs: u32,
}

/// An agreement between two parties.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreement {
    /// Identity.
    pub id: Uuid,
    /// When it begins.
    pub start: OffsetDateTime,
    /// When it ends.
    pub end: OffsetDateTime,
    /// Its two sides.
    pub parties: [Profile; 2],
}

impl Agreement {
    /// The side of this party.
    #[must_use]
    pub fn party(&self, her_id: u32) -> Option<&Profile> {
        self.parties.iter().find(|party| party.her_id == her_id)
    }

    /// The side of the party that is not this one, when this one is a side.
    #[must_use]
    pub fn counterparty(&self, own: u32) -> Option<&Profile> {
        self.party(own)?;
        self.parties.iter().find(|party| party.her_id != own)
    }

    /// Whether the agreement is in force. Its status says nothing (contract 02 section 5.4 point 9).
    #[must_use]
    pub fn is_valid_at(&self, at: OffsetDateTime) -> bool {
        self.start <= at && at <= self.end
    }
}

impl Profile {
    /// The signing certificate.
    #[must_use]
    pub fn signing_certificate(&self) -> Option<Certificate> {
        Certificate::from_der(self.signing_certificate_der.as_deref()?).ok()
    }

    /// The encryption certificate.
    #[must_use]
    pub fn encryption_certificate(&self) -> Option<Certificate> {
        Certificate::from_der(self.encryption_certificate_der.as_deref()?).ok()
    }

    /// What the party sends for a message function: the first message of the first process with this name, and when no process
    /// has it, the first message whose action has it; upper and lower case are equal (contract 02 section 5.5).
    #[must_use]
    pub fn sends(&self, function: &str) -> Option<&Action> {
        self.find(function, |process| &process.sends)
    }

    /// What the party receives for a message function, by the same rule.
    #[must_use]
    pub fn receives(&self, function: &str) -> Option<&Action> {
        self.find(function, |process| &process.receives)
    }

    /// The receipt that the party sends in a process.
    #[must_use]
    pub fn sends_receipt(&self, process: &str) -> Option<&Action> {
        receipt(&self.process(process)?.sends)
    }

    /// The receipt that the party receives in a process.
    #[must_use]
    pub fn receives_receipt(&self, process: &str) -> Option<&Action> {
        receipt(&self.process(process)?.receives)
    }

    /// The first process with this name; upper and lower case are equal.
    #[must_use]
    pub fn process(&self, name: &str) -> Option<&Process> {
        self.processes
            .iter()
            .find(|process| process.name.eq_ignore_ascii_case(name))
    }

    /// The channel on which the party receives messages of a function.
    #[must_use]
    pub fn channel(&self, function: &str) -> Option<Channel> {
        self.receives(function).map(|action| action.channel)
    }

    /// The address of the queue at which the party receives messages of a function.
    #[must_use]
    pub fn queue(&self, function: &str) -> Option<&str> {
        self.receives(function)?.address.as_deref()
    }

    fn find(&self, function: &str, of: impl Fn(&Process) -> &Vec<Action>) -> Option<&Action> {
        if let Some(process) = self.process(function) {
            return of(process).first();
        }
        self.processes
            .iter()
            .flat_map(of)
            .find(|action| action.name.eq_ignore_ascii_case(function))
    }
}

fn receipt(actions: &[Action]) -> Option<&Action> {
    actions
        .iter()
        .find(|action| action.name.eq_ignore_ascii_case(RECEIPT))
}
