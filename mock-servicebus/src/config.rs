//! How a bus is set up. The defaults are those of contract 01: the RabbitMQ dialect as NHN's bus speaks it today.

use std::time::Duration;

use testbed::tls::TlsIdentity;

use crate::account::Account;

/// Which product the bus behaves like (contract 01 section 0.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Dialect {
    /// RabbitMQ 4, the bus of today. Service Bus for Windows Server, the bus before, will be a second variant.
    #[default]
    RabbitMq,
}

/// What a queue's delivery limit counts up to (contract 01 section 3.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LimitRule {
    /// A limit of N means N deliveries: the ten attempts that the official documentation promises.
    #[default]
    Attempts,
    /// A limit of N means N + 1 deliveries, as RabbitMQ 4.0 counts.
    RabbitMq,
}

/// Everything that a bus is started with.
#[derive(Clone, Debug)]
pub struct BusConfig {
    /// What the TLS listener shows of itself; needed when there is such a listener.
    pub tls: Option<TlsIdentity>,
    /// The product to behave like.
    pub dialect: Dialect,
    /// Names of the exchanges, case-sensitive; the first one is what connection strings name (contract 01 section 1.2).
    pub exchanges: Vec<String>,
    /// `container-id` of the bus.
    pub container_id: String,
    /// Accounts that may log in from the start.
    pub accounts: Vec<Account>,
    /// Rules that a scenario may want otherwise.
    pub rules: Rules,
    /// Bounds on what peers may use.
    pub limits: Limits,
    /// Whether each frame is recorded with its bytes. Message bodies are recorded in any case.
    pub record_frames: bool,
}

impl Default for BusConfig {
    fn default() -> Self {
        Self {
            tls: None,
            dialect: Dialect::default(),
            exchanges: vec!["NHNTESTServiceBus".to_owned()],
            container_id: "mock-servicebus".to_owned(),
            accounts: Vec::new(),
            rules: Rules::default(),
            limits: Limits::default(),
            record_frames: true,
        }
    }
}

/// Behaviour that is a matter of the operator's settings on a real bus.
#[derive(Clone, Debug)]
pub struct Rules {
    /// How long a refused login waits for its answer, and then again for the reset (contract 01 section 1.7: 3 s each).
    pub login_refusal_delay: Duration,
    /// Failed or returned deliveries after which a message is dead-lettered (contract 01 section 3.3).
    pub delivery_limit: u32,
    /// How `delivery_limit` is counted.
    pub limit_rule: LimitRule,
    /// Whether `released`, `modified` without failure and detach count towards the limit (RabbitMQ 4.0; off from 4.3).
    pub released_counts: bool,
    /// Whether an account may read its own queues only (contract 01 section 1.1).
    pub access_control: bool,
    /// Whether v1 addresses are served; off shows what happens when NHN withdraws them (fault F18).
    pub v1_addresses: bool,
    /// Whether a session starts at transfer-id 4294967292 and ends with `window-violation` when a flow leads it, as RabbitMQ 4
    /// does; off is lenient towards old clients (contract 01 section 1.8).
    pub strict_session_window: bool,
    /// Whether a refused `open` is a silent reset after the refusal delay, as on RabbitMQ 4.0; off answers `open` and
    /// `close(error)`, which a vendor can read (contract 01 section 1.8).
    pub silent_open_refusal: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            login_refusal_delay: Duration::from_secs(3),
            delivery_limit: 10,
            limit_rule: LimitRule::default(),
            released_counts: true,
            access_control: true,
            v1_addresses: true,
            strict_session_window: false,
            silent_open_refusal: false,
        }
    }
}

/// Bounds on what peers may use, so that no peer can exhaust the machine.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Largest frame that is taken and announced, in bytes (contract 01 section 1.8).
    pub frame_size: u32,
    /// Largest message, in bytes (contract 01 section 10).
    pub message_size: u64,
    /// Connections at once, all listeners together.
    pub connections: usize,
    /// Sessions of a connection.
    pub sessions: u16,
    /// Links of a session.
    pub links: u32,
    /// Credit granted to a sender; it is filled up again after half of it (contract 01 section 1.8: 170).
    pub credit: u32,
    /// Frames that a session takes before it must be told to go on (contract 01 section 1.8: 400).
    pub incoming_window: u32,
    /// Messages of a queue, those handed out included.
    pub queue_length: usize,
    /// Bytes of all messages on the bus together.
    pub stored_bytes: usize,
    /// Bytes of half-received messages of a connection.
    pub partial_bytes: usize,
    /// Bytes waiting for a peer that does not read; above half of it no message is handed out, at it the connection ends.
    pub write_buffer: usize,
    /// How long a peer may take for each step until `open`, the TLS handshake included.
    pub handshake: Duration,
    /// Idle time that is announced; a peer that is silent for twice as long is closed (contract 01 section 1.8: 30 s).
    pub idle_time_out: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            frame_size: 131_072,
            message_size: 20 * 1024 * 1024,
            connections: 1000,
            sessions: 64,
            links: 256,
            credit: 170,
            incoming_window: 400,
            queue_length: 10_000,
            stored_bytes: 512 * 1024 * 1024,
            partial_bytes: 64 * 1024 * 1024,
            write_buffer: 4 * 1024 * 1024,
            handshake: Duration::from_secs(10),
            idle_time_out: Duration::from_secs(30),
        }
    }
}
