//! A small but correct EPJ that meets the mocks on the wire only, with named seeded faults.
//!
//! It knows nothing of the mocks: it reads the environment document that every system under test gets, and from there
//! on it is an ordinary client of the message bus, the address register, HelseID and the certificate authority. It
//! runs as a process of its own ([`cli`]), so that the examiner can kill and restart it like a vendor's. Each
//! [`Fault`] changes one behaviour; without faults it is the EPJ that contract 03 section 7.11 assumes.

mod answered;
mod book;
mod bus;
mod cache;
mod cli;
mod clock;
mod decision;
mod environment;
mod epj;
mod errors;
mod fault;
mod http;
mod ids;
mod inbound;
mod komtest;
mod log;
mod own;
mod process;
mod register;
mod replies;
#[cfg(test)]
mod test_pki;
mod token;
mod validation;
mod verbs;

pub use cli::cli;
pub use fault::Fault;
