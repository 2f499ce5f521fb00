//! The security token service (HelseID): client assertions, DPoP and access tokens.
//!
//! The wire is contract 05 part 1: a discovery document, a key set, and a token endpoint that takes client credentials
//! with `private_key_jwt` and a DPoP proof with a nonce of the server. What a real client does and the contract only frowns
//! upon is let through and noted in evidence; everything else is refused with a description that says what to change.
//! The register has tokens judged by [`Handle::access_tokens`].

mod access;
mod assertion;
mod client_key;
mod config;
mod discovery;
mod dpop;
mod endpoint;
mod form;
mod issue;
mod jwk;
mod jws;
mod memory;
mod organization;
mod refusal;
mod service;
mod signer;

pub use client_key::{ClientKey, new_client_key};
pub use config::{Client, Config, DpopPolicy, SCOPES, StartError, Tenancy};
pub use issue::WRONG_ANSWERS;
pub use jwk::KeyError;
pub use service::{Handle, start};
