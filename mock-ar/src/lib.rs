//! The address register (Adresseregisteret): parties, CPP and CPA over SOAP and REST (contract 02).
//!
//! [`start`] serves, on one listener, the SOAP services `/v1/AR` and `/v1/CPPA` (each also as `/Basic`) with HTTP Basic authentication
//! and CPPA REST at the root (v1, Bearer) and below `/v2/` (DPoP). The [`ArHandle`] changes the data while it runs.
//!
//! Every call that was let in is recorded as `RegisterOperation`: SOAP by the operation's name, REST by version and resource (`v1/Profiles`,
//! `v2/Agreements`, `v1/Agreements/HerIds`, ...). A challenge for credentials is no call.
//!
//! Faults of the plan's kind `Artefact` name an answer that is right in form and wrong in content, see [`WRONG_ANSWERS`].

mod account;
mod config;
mod documents;
mod handle;
mod local_time;
mod registry;
mod rest;
mod server;
mod soap;
mod xml;

pub use account::Account;
pub use config::{ArConfig, StartError, TokenPolicy};
pub use handle::{ArHandle, ChangeError};
pub use registry::agreement::NoAgreement;
pub use registry::catalogue::{Channel, ProcessRole, UnknownProcess};
pub use registry::certificate::CertificateUnreadable;
pub use registry::fixture::{HELSENORGE, UNIT_UNDER_TEST, fixture_parties};
pub use registry::party::{Party, PartyKind, PostalAddress, QueueKind, Queues};
pub use server::{WRONG_ANSWERS, start};
