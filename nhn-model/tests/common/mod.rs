//! A small certificate authority for tests, and the recordings of the official client.
#![allow(dead_code, reason = "not every test uses all of it")]

pub(crate) mod ca;
pub(crate) mod peer;

use std::path::{Path, PathBuf};

use nhn_model::certificate::Certificate;
use nhn_model::protection::{DecryptionIdentity, SigningIdentity};
use time::OffsetDateTime;
use time::macros::datetime;

/// A moment at which the recorded certificates are valid.
pub(crate) const NOW: OffsetDateTime = datetime!(2026-11-24 12:00 UTC);

/// A file of the recordings.
pub(crate) fn trace(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/traces")
        .join(path)
}

/// The bytes of a file of the recordings.
pub(crate) fn bytes(path: &str) -> Vec<u8> {
    std::fs::read(trace(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A certificate of the recordings.
pub(crate) fn certificate(name: &str) -> Certificate {
    let pem = bytes(&format!("pki/{name}.pem"));
    Certificate::from_pem(std::str::from_utf8(&pem).unwrap()).unwrap()
}

/// What signs for a party of the recordings.
pub(crate) fn signing(her_id: u32) -> SigningIdentity {
    SigningIdentity::from_pkcs12(&bytes(&format!("pki/{her_id}.sign.p12")), "pw").unwrap()
}

/// What opens envelopes for a party of the recordings.
pub(crate) fn decryption(her_id: u32) -> DecryptionIdentity {
    DecryptionIdentity::from_pkcs12(&bytes(&format!("pki/{her_id}.enc.p12")), "pw").unwrap()
}
