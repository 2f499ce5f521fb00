//! What helsenorge is started with.

use std::fmt;

use nhn_model::Secret;

/// How helsenorge is set up.
#[derive(Clone, Debug)]
pub struct Config {
    /// Connection string of the bus in today's grammar, `amqps://user:password@host:port/namespace` (contract 01 section
    /// 1.5). The namespace is the exchange to which messages are sent.
    pub bus: Secret,
    /// Roots that are trusted for TLS and for message certificates, PEM.
    pub trust_pem: String,
    /// The address register and CPPA.
    pub register: RegisterAccount,
    /// Who helsenorge is.
    pub party: Party,
    /// Its keys.
    pub identities: Identities,
    /// The queues that it reads.
    pub queues: Queues,
}

/// Addresses and account of the register's SOAP services, Basic binding (contract 02 section 2).
#[derive(Clone, Debug)]
pub struct RegisterAccount {
    /// The address register, `https://localhost:8443/v1/AR/Basic`.
    pub address_register: String,
    /// CPPA, `https://localhost:8443/v1/CPPA/Basic`.
    pub cppa: String,
    /// User name.
    pub username: String,
    /// Password.
    pub password: Secret,
}

/// A communication party and the organisation above it, as they stand in a message head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    /// HER-id of the party (level 2).
    pub her_id: u32,
    /// Its name.
    pub name: String,
    /// HER-id of the organisation (level 1).
    pub organization_her_id: u32,
    /// Its name.
    pub organization_name: String,
}

impl Party {
    /// helsenorge as the fixture of contract 03 section 0.3 has it.
    #[must_use]
    pub fn helsenorge() -> Self {
        Self {
            her_id: 109_989,
            name: "Digitale innbyggertjenester (mock)".into(),
            organization_her_id: 8_990_001,
            organization_name: "MOCK INNBYGGERPORTAL".into(),
        }
    }
}

/// Names of the queues that helsenorge reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queues {
    /// Asynchronous messages.
    pub asynchronous: String,
    /// Requests.
    pub synchronous: String,
    /// Error messages.
    pub error: String,
    /// Replies to its own requests; a queue of this instance alone.
    pub sync_reply: String,
}

impl Queues {
    /// The queues of a party; the reply queue is `<herId>_syncreply_provenett` (contract 03 section 1.3).
    #[must_use]
    pub fn of(her_id: u32) -> Self {
        Self {
            asynchronous: format!("{her_id}_async"),
            synchronous: format!("{her_id}_sync"),
            error: format!("{her_id}_error"),
            sync_reply: format!("{her_id}_syncreply_provenett"),
        }
    }
}

/// A certificate with its private key.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyPair {
    /// The certificate first, then the issuing CA, PEM; the root is left out.
    pub chain_pem: String,
    /// The private key, unencrypted, PEM.
    pub key_pem: String,
}

impl fmt::Debug for KeyPair {
    /// Leaves the private key out.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("KeyPair")
            .field("chain_pem", &self.chain_pem)
            .finish_non_exhaustive()
    }
}

/// helsenorge's keys.
#[derive(Clone, Debug)]
pub struct Identities {
    /// Signs what is sent.
    pub signing: KeyPair,
    /// Opens what is received.
    pub encryption: KeyPair,
    /// Keys of former encryption certificates that still open messages.
    pub legacy_decryption: Vec<KeyPair>,
}

/// helsenorge cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The connection string is no string of today's grammar.
    #[error("the connection string of the bus: {0}")]
    Connection(String),
    /// The trust bundle is unreadable or empty.
    #[error("the trust bundle: {0}")]
    Trust(String),
    /// A key pair is unusable.
    #[error("a key pair cannot be used: {0}")]
    Identity(String),
    /// The HTTP client cannot be made.
    #[error("the HTTP client: {0}")]
    Http(String),
}
