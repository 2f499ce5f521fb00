//! A communication party as it is registered (contract 02 section 3.1).

use super::catalogue::ProcessRole;

/// A party.
#[derive(Clone, Debug)]
pub struct Party {
    /// HER-id, above 0.
    pub her_id: u32,
    /// Name.
    pub name: String,
    /// What it is and where it belongs.
    pub kind: PartyKind,
    /// Whether it takes part; see also [`crate::ArHandle::deactivate`].
    pub active: bool,
    /// Its queues.
    pub queues: Queues,
    /// Its profile (CPP); a party without processes has none.
    pub processes: Vec<ProcessRole>,
    /// Visiting address; the parent's when absent.
    pub address: Option<PostalAddress>,
}

/// The kinds of party.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PartyKind {
    /// Virksomhet: owns services and persons, takes no messages.
    Organization {
        /// Organisation number, nine digits.
        number: u32,
    },
    /// Tjeneste of an organisation.
    Service {
        /// HER-id of the organisation.
        parent: u32,
        /// Type of the service: code list, code and text (contract 02 section 3.2).
        code: (u32, &'static str, &'static str),
    },
    /// Person of an organisation.
    Person {
        /// HER-id of the organisation.
        parent: u32,
        /// First name.
        first_name: String,
        /// Last name.
        last_name: String,
        /// Number in Helsepersonellregisteret.
        hpr_number: u32,
    },
}

impl PartyKind {
    pub(crate) fn parent(&self) -> Option<u32> {
        match self {
            Self::Organization { .. } => None,
            Self::Service { parent, .. } | Self::Person { parent, .. } => Some(*parent),
        }
    }

    /// Name of the kind in SOAP (`Type`).
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Organization { .. } => "Organization",
            Self::Service { .. } => "Service",
            Self::Person { .. } => "Person",
        }
    }

    /// Whether messages can be sent to it, and it can have a profile.
    pub(crate) fn takes_messages(&self) -> bool {
        !matches!(self, Self::Organization { .. })
    }
}

/// Where a party lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostalAddress {
    /// Street and number.
    pub street: String,
    /// Postal code, 0 to 9999.
    pub postal_code: u16,
    /// Town.
    pub city: String,
}

/// The queues that a party is reached by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Queues {
    /// None.
    #[default]
    None,
    /// Its own, `<herId>_<kind>`.
    Own(Vec<QueueKind>),
    /// Those of its organisation (contract 02 section 3.4).
    Inherited,
}

/// What a queue is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueKind {
    /// Asynchronous messages.
    Async,
    /// Synchronous requests.
    Sync,
    /// Error messages.
    Error,
    /// Replies to own synchronous requests; the official client does not look for it here.
    SyncReply,
}

impl QueueKind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Error, Self::Sync, Self::Async, Self::SyncReply];

    pub(crate) fn suffix(self) -> &'static str {
        match self {
            Self::Async => "async",
            Self::Sync => "sync",
            Self::Error => "error",
            Self::SyncReply => "syncreply",
        }
    }

    /// Code and text of the address type in code list 9044 (contract 02 section 3.3).
    pub(crate) fn component(self) -> (&'static str, &'static str) {
        match self {
            Self::Async => ("E_SB_ASYNC", "Asynkron AMQP kø"),
            Self::Sync => ("E_SB_SYNC", "Synkron AMQP kø"),
            Self::Error => ("E_SB_ERROR", "Feilmelding AMQP kø"),
            Self::SyncReply => ("E_SB_SYNCREPLY", "Synkron Svar AMQP kø"),
        }
    }

    /// Name of the queue of `owner`.
    #[must_use]
    pub fn queue(self, owner: u32) -> String {
        format!("{owner}_{}", self.suffix())
    }
}
