//! What helsenorge can be told to send.

use std::time::Duration;

use uuid::Uuid;

use crate::config::KeyPair;

/// A communication test that helsenorge starts (contract 03 section 1.3).
#[derive(Clone, Debug)]
pub struct TestRequest {
    /// HER-id of the party that is asked.
    pub to: u32,
    /// The agreement to use and to name in the message. Without one it is looked up by the pair of HER-ids, and where
    /// there is no agreement the party's own profile is used.
    pub cpa_id: Option<Uuid>,
    /// What is wrong with the message.
    pub variant: Variant,
    /// Who signs instead of the identity set by [`crate::Handle::set_identity`]: an expired (CRT-01), an unlisted (CRT-05)
    /// or a revoked one (REV-02).
    pub signer: Option<KeyPair>,
    /// Time to live on the bus; whole milliseconds, at most 49 days.
    pub ttl: Duration,
}

impl TestRequest {
    /// A request without flaw, to live for 15 s (contract 03 section 0.3).
    #[must_use]
    pub fn new(to: u32) -> Self {
        Self {
            to,
            cpa_id: None,
            variant: Variant::Valid,
            signer: None,
            ttl: Duration::from_secs(15),
        }
    }
}

/// What is wrong with a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Variant {
    /// Nothing.
    #[default]
    Valid,
    /// Encrypted, but not signed (CRT-08).
    Unsigned,
    /// The XML breaks off (XML-01).
    NotWellFormed,
    /// The header says 109989, the message head another sender (XML-05).
    SenderMismatch,
}

impl Variant {
    /// The name in evidence and in scenario files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Unsigned => "unsigned",
            Self::NotWellFormed => "not-well-formed",
            Self::SenderMismatch => "sender-mismatch",
        }
    }
}

/// A test could not be started: nothing that the bus has accepted bears its id. It says nothing about the party asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TestError {
    /// The party has neither agreement nor profile: contract 03 section 1.3 calls the run `not-applicable: no-profile`.
    #[error("{0} has neither an agreement with helsenorge nor a profile")]
    NoProfile(u32),
    /// The register knows no such party, or it is not active.
    #[error("the address register has no active party {0}")]
    UnknownParty(u32),
    /// The register gives no queue for this party.
    #[error("the address register gives no {kind} queue for {her_id}")]
    NoQueue {
        /// The party.
        her_id: u32,
        /// `sync` or `error`.
        kind: &'static str,
    },
    /// The register or CPPA cannot be asked, and nothing that was read before can be used.
    #[error("the register cannot be asked: {0}")]
    Register(String),
    /// The message cannot be signed or encrypted.
    #[error("the message cannot be protected: {0}")]
    Protection(String),
    /// The bus has not accepted the message.
    #[error("the bus has not accepted the message: {0}")]
    Bus(String),
    /// Too many tests are under way, or too many are asked for at once.
    #[error("at most {0} tests can be under way")]
    TooMany(usize),
    /// [`crate::Handle::reset`] was called meanwhile.
    #[error("helsenorge was reset")]
    Reset,
}

/// The bait of ERQ-03 and ERQ-04: an error message without content-type for a message that never was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BaitRequest {
    /// HER-id of the party that gets it.
    pub to: u32,
    /// How long error messages are waited for, counted from the first bait.
    pub lasting: Duration,
    /// Most messages that are sent; more than [`BaitRequest::MOST`] is taken as that.
    pub at_most: u32,
}

impl BaitRequest {
    /// Most baits (contract 03 section 5.1).
    pub const MOST: u32 = 20;
}

/// What became of the bait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BaitResult {
    /// Messages sent.
    pub sent: u32,
    /// Error messages that came back meanwhile.
    pub came_back: u32,
}

/// A held reply could not be sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReleaseError {
    /// No request has come since the reply was to be held, or it was sent already.
    #[error("no reply is held")]
    NothingHeld,
    /// The bus has not accepted it.
    #[error("the bus has not accepted the reply: {0}")]
    Bus(String),
}
