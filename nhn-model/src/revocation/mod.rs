//! Whether a certificate has been revoked: lists (RFC 5280) and OCSP (RFC 6960; contract 04 sections 3 and 4).
//!
//! Bytes in, status out; fetching them is the caller's. What cannot be relied on is an error, never a status.

mod crl;
mod error;
mod ocsp;
mod responder;

use time::{Duration, OffsetDateTime};

pub use self::crl::Crl;
pub use self::error::RevocationError;
pub use self::ocsp::{ocsp_request, ocsp_request_with_nonce, read_ocsp, read_ocsp_with_nonce};

/// How far ahead of ours the CA's clock may be.
const SKEW: Duration = Duration::minutes(5);

/// What a CA says of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Not revoked.
    Good,
    /// Revoked, or on hold.
    Revoked {
        /// Since when.
        since: OffsetDateTime,
        /// Why, if the CA says so.
        reason: Option<Reason>,
    },
    /// The CA does not know the certificate, or the list is of another CA.
    Unknown,
}

/// What an OCSP responder says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Status of the certificate that was asked for.
    pub status: Status,
    /// From when the answer holds.
    pub this_update: OffsetDateTime,
    /// Until when the answer holds, if it says so. Without, it is good for now and not to be kept (contract 04 section 4.3).
    pub next_update: Option<OffsetDateTime>,
}

/// Why a certificate was revoked (RFC 5280 section 5.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// 0
    Unspecified,
    /// 1
    KeyCompromise,
    /// 2
    CaCompromise,
    /// 3
    AffiliationChanged,
    /// 4
    Superseded,
    /// 5
    CessationOfOperation,
    /// 6
    CertificateHold,
    /// 8
    RemoveFromCrl,
    /// 9
    PrivilegeWithdrawn,
    /// 10
    AaCompromise,
}

impl Reason {
    pub(crate) fn of_number(number: i64) -> Option<Self> {
        Some(match number {
            0 => Self::Unspecified,
            1 => Self::KeyCompromise,
            2 => Self::CaCompromise,
            3 => Self::AffiliationChanged,
            4 => Self::Superseded,
            5 => Self::CessationOfOperation,
            6 => Self::CertificateHold,
            8 => Self::RemoveFromCrl,
            9 => Self::PrivilegeWithdrawn,
            10 => Self::AaCompromise,
            _ => return None,
        })
    }

    /// The name in RFC 5280.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::KeyCompromise => "keyCompromise",
            Self::CaCompromise => "cACompromise",
            Self::AffiliationChanged => "affiliationChanged",
            Self::Superseded => "superseded",
            Self::CessationOfOperation => "cessationOfOperation",
            Self::CertificateHold => "certificateHold",
            Self::RemoveFromCrl => "removeFromCRL",
            Self::PrivilegeWithdrawn => "privilegeWithdrawn",
            Self::AaCompromise => "aACompromise",
        }
    }
}
