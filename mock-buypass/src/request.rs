//! What can be asked of a CA: certificates and revocations.

use x509_cert::ext::pkix::CrlReason;

/// A certificate that is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssueRequest {
    /// Whose it is.
    pub subject: Subject,
    /// What it is for.
    pub purpose: Purpose,
    /// When it is valid.
    pub validity: Validity,
    /// Where its key comes from.
    pub key: KeySource,
}

/// The organization that a certificate names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Nine digits; stands in the certificate as `NTRNO-<number>`.
    pub organization_number: String,
    /// Name of the organization (`O`).
    pub organization: String,
    /// Common name (`CN`).
    pub name: String,
}

/// What a certificate is for; it decides key usage and profile (contract 04 sections 1.4 and 2.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// One certificate for signing and encryption.
    Combined,
    /// Encryption and authentication: digitalSignature and keyEncipherment.
    Encryption,
    /// Signing: nonRepudiation only.
    Signing,
    /// A TLS server.
    TlsServer {
        /// Host names and IP addresses.
        names: Vec<String>,
    },
    /// Neither signing nor encryption: digitalSignature only.
    WrongUsage,
}

/// When a certificate is valid, seen from the moment of issue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validity {
    /// Now, for three years.
    Current,
    /// Until a day ago.
    Expired,
    /// From tomorrow.
    Future,
}

/// Where a certificate's key comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// A new RSA key of 3072 bits.
    Fresh,
    /// The RSA key of that name in the data directory, made when it is not there: cheap from the second start on, and the
    /// same key in every certificate that asks for it. Lower-case letters, digits and hyphens.
    Kept(String),
}

/// Why a certificate is revoked (RFC 5280 section 5.3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RevocationReason {
    /// 3.
    AffiliationChanged,
    /// 5.
    CessationOfOperation,
    /// 1, what most scenarios mean.
    #[default]
    KeyCompromise,
    /// 9.
    PrivilegeWithdrawn,
    /// 4.
    Superseded,
    /// Left out of lists and answers.
    Unspecified,
}

/// When a change of status shows in the list. OCSP shows it at once, always (contract 04 section 6.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Publication {
    /// A new list at once.
    #[default]
    AtOnce,
    /// With the next list, half the lifetime after the present one.
    Scheduled,
}

impl IssueRequest {
    /// A current certificate with a new key.
    #[must_use]
    pub fn new(subject: Subject, purpose: Purpose) -> Self {
        Self {
            subject,
            purpose,
            validity: Validity::Current,
            key: KeySource::Fresh,
        }
    }

    /// The same with the kept key of that name.
    #[must_use]
    pub fn with_kept_key(mut self, name: &str) -> Self {
        self.key = KeySource::Kept(name.to_owned());
        self
    }

    /// The same with another validity.
    #[must_use]
    pub fn with_validity(mut self, validity: Validity) -> Self {
        self.validity = validity;
        self
    }
}

impl Purpose {
    /// The word that evidence uses.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Combined => "combined",
            Self::Encryption => "encryption",
            Self::Signing => "signing",
            Self::TlsServer { .. } => "tls-server",
            Self::WrongUsage => "wrong-usage",
        }
    }
}

/// Reason for revocation as the state of a certificate holds it: a hold is one that can be released.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    Hold,
    Revoked(RevocationReason),
}

impl Cause {
    pub(crate) fn for_list(self) -> Option<rcgen::RevocationReason> {
        use rcgen::RevocationReason as Listed;
        match self {
            Self::Hold => Some(Listed::CertificateHold),
            Self::Revoked(RevocationReason::AffiliationChanged) => Some(Listed::AffiliationChanged),
            Self::Revoked(RevocationReason::CessationOfOperation) => {
                Some(Listed::CessationOfOperation)
            }
            Self::Revoked(RevocationReason::KeyCompromise) => Some(Listed::KeyCompromise),
            Self::Revoked(RevocationReason::PrivilegeWithdrawn) => Some(Listed::PrivilegeWithdrawn),
            Self::Revoked(RevocationReason::Superseded) => Some(Listed::Superseded),
            Self::Revoked(RevocationReason::Unspecified) => None,
        }
    }

    pub(crate) fn for_answer(self) -> Option<CrlReason> {
        match self {
            Self::Hold => Some(CrlReason::CertificateHold),
            Self::Revoked(RevocationReason::AffiliationChanged) => {
                Some(CrlReason::AffiliationChanged)
            }
            Self::Revoked(RevocationReason::CessationOfOperation) => {
                Some(CrlReason::CessationOfOperation)
            }
            Self::Revoked(RevocationReason::KeyCompromise) => Some(CrlReason::KeyCompromise),
            Self::Revoked(RevocationReason::PrivilegeWithdrawn) => {
                Some(CrlReason::PrivilegeWithdrawn)
            }
            Self::Revoked(RevocationReason::Superseded) => Some(CrlReason::Superseded),
            Self::Revoked(RevocationReason::Unspecified) => None,
        }
    }
}
