//! The certificate authority (Buypass): CA, CRL and OCSP, with faults.
//!
//! One root, made once for a data directory, and any number of issuing CAs below it. The base listener serves what
//! must stay healthy: trust, CA certificates, the root's list, and the status of what the base CA has issued. A
//! [`ScenarioCa`] has a listener of its own, so that its list and its responder alone can be slow, wrong or out of reach,
//! and addresses that no client has seen before (contract 04 sections 2, 3, 4 and 11).

mod artefact;
mod authority;
mod ca;
mod crl;
mod error;
mod http;
mod issued;
mod keys;
mod ocsp;
mod profile;
mod request;
mod service;

pub use artefact::artefact_names;
pub use ca::IssuingCa;
pub use error::{CaError, KeyError};
pub use issued::Issued;
pub use request::{
    IssueRequest, KeySource, Publication, Purpose, RevocationReason, Subject, Validity,
};
pub use service::{Config, Handle, ScenarioCa, start};
