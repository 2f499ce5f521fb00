//! The party behind HER-id 109989 (helsenorge): answers communication tests and starts them.
//!
//! It is an ordinary client of the network: it reads its own queues on the bus, asks the address register and CPPA over
//! SOAP with Basic, and fetches revocation lists from the certificate authority. What it sees and does becomes evidence:
//! the ordered checks of contract 03 section 1.6, the state machines of its section 1.9, and every message sent or
//! received. What it shall do differently in a scenario is set by [`Handle::set_behaviour`] and by the variants of a
//! [`TestRequest`].

mod answer;
mod bait;
mod behaviour;
mod bus;
mod config;
mod directory;
mod engine;
mod examine;
mod exchange;
mod handle;
mod judge;
mod keys;
mod manner;
mod report;
mod request;
mod status;
mod table;
mod text;
mod web;

pub use behaviour::Behaviour;
pub use config::{Config, Identities, KeyPair, Party, Queues, RegisterAccount, StartError};
pub use handle::{Handle, NotReady, start};
pub use nhn_model::Secret;
pub use request::{BaitRequest, BaitResult, ReleaseError, TestError, TestRequest, Variant};
