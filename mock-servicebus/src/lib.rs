//! The message bus (Tjenestebuss): an AMQP 1.0 broker that behaves as NHN's bus does, and misbehaves on purpose.
//!
//! [`start`] takes a configuration, listeners that are bound already, and the run's [`testbed::Context`]; the
//! [`BusHandle`] has the addresses and the operator's commands. Rules of the wire: contract 01; the engine: contract 06
//! section 7. Faults are asked for with [`testbed::evidence::Part::Bus`] at these operations:
//!
//! | Operation | Arrives with | Subject |
//! |---|---|---|
//! | `accept` | a TCP connection | the peer's address |
//! | `sasl` | `sasl-init` | the login name |
//! | `open` | `open` | the login name |
//! | `attach` | `attach` | the queue (or routing key), else the address |
//! | `transfer` | a whole message from a sender | the queue (or routing key), else the address |
//!
//! A `Delay` holds back the answer, `NoAnswer` withholds it (a message is enqueued all the same), `Reset` ends the connection
//! before the request has any effect, and `Amqp` answers with the condition by the means that fits: a rejected outcome for a
//! message, or `detach`, `end` or `close` where the condition's name says link, session or connection.

mod account;
mod address;
mod config;
mod connection;
mod engine;
mod handle;
mod listen;
mod queue;
mod refusal;
mod shared;
mod wire;

pub use account::Account;
pub use config::{BusConfig, Dialect, LimitRule, Limits, Rules};
pub use handle::{BusHandle, Listeners, StartError, start};
pub use queue::QueueDepth;
