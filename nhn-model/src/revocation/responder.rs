//! Who may sign OCSP answers: the issuing CA itself, or somebody with a certificate for it from that CA
//! (RFC 6960 section 4.2.2.2; contract 04 section 4.3).

use openssl::hash::MessageDigest;
use openssl::sha::sha1;
use openssl::sign::Verifier;
use openssl::x509::X509ExtendedKeyUsage;
use time::OffsetDateTime;

use super::error::RevocationError;
use super::ocsp::Response;
use crate::asn1::{self, Element, Reader, oid};
use crate::certificate::Certificate;

const BY_NAME: u8 = asn1::CONTEXT_1_CONSTRUCTED;
const BY_KEY: u8 = asn1::CONTEXT_2_CONSTRUCTED;

/// Checks that the answer is signed by somebody who may speak for the CA.
pub(super) fn check(
    response: &Response<'_>,
    issuer: &Certificate,
    at: OffsetDateTime,
) -> Result<(), RevocationError> {
    let digest = digest(response.algorithm)?;
    let delegates = response
        .certificates
        .iter()
        .filter_map(|element| Certificate::from_der(element.whole).ok())
        .filter(|certificate| may_answer(certificate, issuer, at));
    let candidates = std::iter::once(issuer.clone()).chain(delegates);
    let mut found = false;
    for candidate in candidates.filter(|candidate| is_named(&response.responder, candidate)) {
        found = true;
        if verifies(response, &candidate, digest) {
            return Ok(());
        }
    }
    Err(if found {
        RevocationError::SignatureInvalid
    } else {
        RevocationError::WrongIssuer
    })
}

/// A delegate has a certificate for this purpose directly from the CA. Its own revocation is not asked for: such certificates
/// are short-lived and say so (`ocsp-nocheck`).
fn may_answer(certificate: &Certificate, issuer: &Certificate, at: OffsetDateTime) -> bool {
    let usage = certificate.x509().extended_key_usage();
    usage.is_some_and(|usage| usage.contains(X509ExtendedKeyUsage::OCSP_SIGN))
        && certificate.is_valid_at(at)
        && certificate.is_issued_by(issuer)
}

fn is_named(responder: &Element<'_>, candidate: &Certificate) -> bool {
    let (name, key) = candidate.subject_and_key().unwrap_or_default();
    match responder.tag {
        BY_NAME => responder.content == name,
        BY_KEY => Reader::new(responder.content)
            .expect(asn1::OCTET_STRING)
            .is_some_and(|hash| hash.content == sha1(key)),
        _ => false,
    }
}

fn verifies(response: &Response<'_>, candidate: &Certificate, digest: MessageDigest) -> bool {
    let verified = || {
        let key = candidate.x509().public_key()?;
        Verifier::new(digest, &key)?.verify_oneshot(response.signature, response.signed)
    };
    verified().unwrap_or(false)
}

fn digest(algorithm: &[u8]) -> Result<MessageDigest, RevocationError> {
    match algorithm {
        oid::SHA256_WITH_RSA | oid::SHA256_WITH_ECDSA => Ok(MessageDigest::sha256()),
        oid::SHA384_WITH_RSA | oid::SHA384_WITH_ECDSA => Ok(MessageDigest::sha384()),
        oid::SHA512_WITH_RSA => Ok(MessageDigest::sha512()),
        other => Err(RevocationError::UnsupportedSignature(asn1::dotted(other))),
    }
}
