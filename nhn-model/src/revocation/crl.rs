//! Revocation lists (RFC 5280 section 5; contract 04 section 3.1).

use std::fmt;

use openssl::x509::{CrlStatus, ReasonCode, X509Crl, X509KeyUsage, X509RevokedRef};
use time::OffsetDateTime;

use super::error::RevocationError;
use super::{Reason, SKEW, Status};
use crate::asn1::{self, Reader};
use crate::certificate::{Certificate, moment};

/// Largest list that is read; 400 000 entries take 18 MB.
const LIST_SIZE: usize = 32 * 1024 * 1024;
/// Most extensions of a list.
const EXTENSIONS: usize = 32;

/// Extensions that change nothing of what a whole list says: authority key identifier, number, freshest CRL, issuer's other names.
const HARMLESS: [&[u8]; 4] = [
    b"\x55\x1d\x23",
    b"\x55\x1d\x14",
    b"\x55\x1d\x2e",
    b"\x55\x1d\x12",
];

/// A list whose signature and dates have been checked.
pub struct Crl {
    list: X509Crl,
    this_update: OffsetDateTime,
    next_update: OffsetDateTime,
}

impl Crl {
    /// Reads a list, DER or PEM, of this CA, as it stands at a time.
    ///
    /// # Errors
    /// [`RevocationError`] when the list cannot be relied on.
    pub fn read(
        bytes: &[u8],
        issuer: &Certificate,
        at: OffsetDateTime,
    ) -> Result<Self, RevocationError> {
        if bytes.len() > LIST_SIZE {
            return Err(RevocationError::TooLarge);
        }
        let list = parse(bytes).ok_or(RevocationError::Unreadable)?;
        let der = list.to_der().map_err(|_| RevocationError::Unreadable)?;
        let same_name = list
            .issuer_name()
            .try_cmp(issuer.x509().subject_name())
            .is_ok_and(std::cmp::Ordering::is_eq);
        let may_sign = issuer
            .x509()
            .key_usage()
            .is_none_or(|usage| usage.contains(X509KeyUsage::CRL_SIGN));
        if !same_name || !may_sign {
            return Err(RevocationError::WrongIssuer);
        }
        let key = issuer.x509().public_key();
        let verified = key.and_then(|key| list.verify(&key));
        if !verified.unwrap_or(false) {
            return Err(RevocationError::SignatureInvalid);
        }
        check_extensions(&der)?;

        let this_update = moment(list.last_update()).ok_or(RevocationError::Unreadable)?;
        let next_update = list.next_update().ok_or(RevocationError::NoNextUpdate)?;
        let next_update = moment(next_update).ok_or(RevocationError::Unreadable)?;
        if at + SKEW < this_update {
            return Err(RevocationError::NotYetValid);
        }
        if next_update < at {
            return Err(RevocationError::Expired);
        }
        Ok(Self {
            list,
            this_update,
            next_update,
        })
    }

    /// What the list says of a certificate; nothing of other CAs' certificates.
    #[must_use]
    pub fn status_of(&self, certificate: &Certificate) -> Status {
        let same = certificate
            .x509()
            .issuer_name()
            .try_cmp(self.list.issuer_name())
            .is_ok_and(std::cmp::Ordering::is_eq);
        if !same {
            return Status::Unknown;
        }
        match self.list.get_by_serial(certificate.x509().serial_number()) {
            CrlStatus::NotRevoked => Status::Good,
            CrlStatus::Revoked(entry) => self.revoked(entry),
            // Only lists of changes have such entries; in a whole list it makes no sense.
            CrlStatus::RemoveFromCrl(_) => Status::Unknown,
        }
    }

    fn revoked(&self, entry: &X509RevokedRef) -> Status {
        let reason = entry.extension::<ReasonCode>().ok().flatten();
        let reason = reason.and_then(|(_, reason)| reason.get_i64().ok());
        Status::Revoked {
            since: moment(entry.revocation_date()).unwrap_or(self.this_update),
            reason: reason.and_then(Reason::of_number),
        }
    }

    /// From when the list holds.
    #[must_use]
    pub fn this_update(&self) -> OffsetDateTime {
        self.this_update
    }

    /// Until when the list holds.
    #[must_use]
    pub fn next_update(&self) -> OffsetDateTime {
        self.next_update
    }

    /// Whether the list still holds.
    #[must_use]
    pub fn is_valid_at(&self, at: OffsetDateTime) -> bool {
        self.this_update <= at + SKEW && at <= self.next_update
    }

    /// How many certificates are on the list.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.get_revoked().map_or(0, |entries| entries.len())
    }

    /// Whether nothing is on the list.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl fmt::Debug for Crl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Crl")
            .field("entries", &self.len())
            .field("this_update", &self.this_update)
            .field("next_update", &self.next_update)
            .finish_non_exhaustive()
    }
}

fn parse(bytes: &[u8]) -> Option<X509Crl> {
    if bytes.trim_ascii_start().starts_with(b"-----BEGIN") {
        return X509Crl::from_pem(bytes).ok();
    }
    if asn1::extent(bytes)? != bytes.len() {
        return None;
    }
    X509Crl::from_der(bytes).ok()
}

/// Refuses critical extensions that could change what the list says: a list of changes, or of some certificates only.
fn check_extensions(der: &[u8]) -> Result<(), RevocationError> {
    let extensions = || {
        let mut list = Reader::new(der)
            .enter(asn1::SEQUENCE)?
            .enter(asn1::SEQUENCE)?;
        while !list.is_empty() {
            let element = list.next()?;
            if element.tag == asn1::CONTEXT_0_CONSTRUCTED {
                return Reader::new(element.content)
                    .enter(asn1::SEQUENCE)?
                    .all(EXTENSIONS);
            }
        }
        Some(Vec::new())
    };
    for extension in extensions().ok_or(RevocationError::Unreadable)? {
        let (oid, critical, _) = asn1::extension(&extension).ok_or(RevocationError::Unreadable)?;
        if critical && !HARMLESS.contains(&oid) {
            return Err(RevocationError::Unsupported(asn1::dotted(oid)));
        }
    }
    Ok(())
}
