//! A small but correct EPJ that meets the mocks on the wire only, with named seeded faults.
//!
//! It knows nothing of the mocks: it reads the environment document that every system under test gets, and from there
//! on it is an ordinary client of the message bus, the address register, HelseID and the certificate authority. It
//! runs as a process of its own ([`cli`]), so that the examiner can kill and restart it like a vendor's. Each
//! [`Fault`] changes one behaviour; without faults it is the EPJ that contract 03 section 7.11 assumes.

#![allow(
    dead_code,
    unused_imports,
    reason = "the message handling that uses bus, look-ups and validation is still being built"
)]

mod bus;
mod cache;
mod cli;
mod clock;
mod environment;
mod fault;
mod http;
mod ids;
mod log;
mod register;
mod revocation;
#[cfg(test)]
mod test_pki;
mod token;
mod validation;

pub use cli::cli;
pub use fault::Fault;
