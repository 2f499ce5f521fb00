//! Revocation lists: built and signed by the issuing CA itself, whole, version 2 (contract 04 section 3.1).

use rcgen::{
    CertificateParams, CertificateRevocationListParams, Issuer, KeyPair, RevokedCertParams,
    SerialNumber,
};
use time::{Duration, OffsetDateTime};

use crate::artefact::CrlArtefact;
use crate::authority::{Authority, Revocation};
use crate::error::CaError;

/// A signed list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PublishedCrl {
    pub(crate) der: Vec<u8>,
    pub(crate) number: u64,
    pub(crate) this_update: OffsetDateTime,
    pub(crate) next_update: OffsetDateTime,
}

impl PublishedCrl {
    /// When the next list is made: lists overlap by half their lifetime.
    pub(crate) fn renewal(&self) -> OffsetDateTime {
        self.this_update + (self.next_update - self.this_update) / 2
    }
}

/// Builds and signs a list that is valid `from` .. `until`.
pub(crate) fn build(
    issuer: &Issuer<'_, &KeyPair>,
    ca: &CertificateParams,
    listed: &[(Vec<u8>, Revocation)],
    number: u64,
    (from, until): (OffsetDateTime, OffsetDateTime),
) -> Result<PublishedCrl, CaError> {
    let (from, until) = (whole_second(from), whole_second(until));
    let params = CertificateRevocationListParams {
        this_update: from,
        next_update: until,
        crl_number: SerialNumber::from(number),
        issuing_distribution_point: None,
        revoked_certs: listed
            .iter()
            .map(|(serial, revocation)| entry(serial, *revocation))
            .collect(),
        key_identifier_method: ca.key_identifier_method.clone(),
    };
    let der = params.signed_by(issuer)?.der().to_vec();
    Ok(PublishedCrl {
        der,
        number,
        this_update: from,
        next_update: until,
    })
}

fn entry(serial: &[u8], revocation: Revocation) -> RevokedCertParams {
    RevokedCertParams {
        serial_number: SerialNumber::from_slice(serial),
        revocation_time: revocation.since,
        reason_code: revocation.cause.for_list(),
        invalidity_date: None,
    }
}

/// The bytes that a fault wants in place of the list.
pub(crate) fn wrong(
    authority: &Authority,
    artefact: CrlArtefact,
    now: OffsetDateTime,
) -> Result<Vec<u8>, CaError> {
    let bytes = match artefact {
        CrlArtefact::BadSignature => {
            let mut der = authority.crl_between(now, now + Duration::seconds(5))?.der;
            if let Some(last) = der.last_mut() {
                *last ^= 0x01;
            }
            der
        }
        CrlArtefact::Expired => {
            authority
                .crl_between(now - Duration::days(2), now - Duration::days(1))?
                .der
        }
        CrlArtefact::Future => {
            authority
                .crl_between(now + Duration::hours(1), now + Duration::days(1))?
                .der
        }
        CrlArtefact::Garbage => b"This is not a certificate revocation list.".to_vec(),
        CrlArtefact::Html => {
            b"<!DOCTYPE html><title>Oops</title><p>Please try again later.</p>".to_vec()
        }
        CrlArtefact::Truncated => {
            let mut der = authority.crl(now)?.der.clone();
            der.truncate(der.len() / 2);
            der
        }
    };
    Ok(bytes)
}

/// Certificates and lists hold no fractions of a second.
fn whole_second(moment: OffsetDateTime) -> OffsetDateTime {
    moment.replace_nanosecond(0).unwrap_or(moment)
}
