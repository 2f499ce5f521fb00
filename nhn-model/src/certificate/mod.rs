//! Certificates of parties and of the CAs above them: what stands in them (contract 04 sections 1.3 and 1.4), and chains.

mod chain;
mod error;
mod parts;
mod usage;

use std::fmt;
use std::hash::{Hash, Hasher};

use openssl::asn1::{Asn1Time, Asn1TimeRef};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::x509::{X509, X509KeyUsage, X509NameRef};
use time::{Duration, OffsetDateTime};

pub use self::chain::{ChainError, Trust, build_chain};
pub use self::error::CertificateError;
pub use self::usage::KeyUsage;

/// Largest certificate and largest bundle that are read.
const CERTIFICATE_SIZE: usize = 64 * 1024;
const BUNDLE_SIZE: usize = 4 * 1024 * 1024;

/// An X.509 certificate that has been read whole. Equal when the bytes are.
#[derive(Clone)]
pub struct Certificate {
    x509: X509,
    der: Vec<u8>,
    not_before: OffsetDateTime,
    not_after: OffsetDateTime,
}

impl Certificate {
    /// Reads DER; bytes after the certificate are refused.
    ///
    /// # Errors
    /// [`CertificateError`] when the bytes are no certificate, or too many.
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        if der.len() > CERTIFICATE_SIZE {
            return Err(CertificateError::TooLarge);
        }
        let x509 = X509::from_der(der).map_err(|_| CertificateError::Unreadable)?;
        let certificate = Self::from_x509(x509)?;
        if certificate.der != der {
            return Err(CertificateError::NotDer);
        }
        Ok(certificate)
    }

    /// Reads the first certificate of a PEM text.
    ///
    /// # Errors
    /// [`CertificateError`] when there is none.
    pub fn from_pem(pem: &str) -> Result<Self, CertificateError> {
        Self::all_from_pem(pem)?
            .into_iter()
            .next()
            .ok_or(CertificateError::Unreadable)
    }

    /// Reads all certificates of a PEM text, in their order; other blocks are passed over.
    ///
    /// # Errors
    /// [`CertificateError`] when a block is no certificate, or the text is too long.
    pub fn all_from_pem(pem: &str) -> Result<Vec<Self>, CertificateError> {
        if pem.len() > BUNDLE_SIZE {
            return Err(CertificateError::TooLarge);
        }
        X509::stack_from_pem(pem.as_bytes())
            .map_err(|_| CertificateError::Unreadable)?
            .into_iter()
            .map(Self::from_x509)
            .collect()
    }

    pub(crate) fn from_x509(x509: X509) -> Result<Self, CertificateError> {
        let der = x509.to_der().map_err(|_| CertificateError::Unreadable)?;
        let not_before = moment(x509.not_before()).ok_or(CertificateError::Unreadable)?;
        let not_after = moment(x509.not_after()).ok_or(CertificateError::Unreadable)?;
        let certificate = Self {
            x509,
            der,
            not_before,
            not_after,
        };
        // Everything later relies on these being there.
        certificate
            .issuer_and_serial()
            .and_then(|_| certificate.subject_and_key())
            .ok_or(CertificateError::Unreadable)?;
        Ok(certificate)
    }

    /// The certificate, DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The certificate, PEM.
    #[must_use]
    pub fn pem(&self) -> String {
        let pem = self.x509.to_pem().unwrap_or_default();
        String::from_utf8(pem).unwrap_or_default()
    }

    /// The serial number in lower-case hexadecimal digits without leading zero bytes, the form in evidence.
    #[must_use]
    pub fn serial(&self) -> String {
        let number = self.x509.serial_number().to_bn();
        let (bytes, negative) =
            number.map_or_else(|_| (Vec::new(), false), |n| (n.to_vec(), n.is_negative()));
        let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        if negative {
            format!("-{digits}")
        } else {
            digits
        }
    }

    /// The subject's name, as `C=NO, O=..., CN=...` in the order of the certificate.
    #[must_use]
    pub fn subject(&self) -> String {
        name(self.x509.subject_name())
    }

    /// The issuer's name in the same form.
    #[must_use]
    pub fn issuer(&self) -> String {
        name(self.x509.issuer_name())
    }

    /// When the certificate begins to be valid.
    #[must_use]
    pub fn not_before(&self) -> OffsetDateTime {
        self.not_before
    }

    /// The last moment at which the certificate is valid.
    #[must_use]
    pub fn not_after(&self) -> OffsetDateTime {
        self.not_after
    }

    /// Whether the moment lies within the certificate's dates.
    #[must_use]
    pub fn is_valid_at(&self, at: OffsetDateTime) -> bool {
        self.not_before <= at && at <= self.not_after
    }

    /// What the key may be used for; nothing at all when the extension is absent, as the official client reads it
    /// (contract 04 section 9).
    #[must_use]
    pub fn key_usage(&self) -> KeyUsage {
        KeyUsage(self.x509.key_usage().unwrap_or(X509KeyUsage::empty()))
    }

    /// [`KeyUsage::has_non_repudiation`] of this certificate.
    #[must_use]
    pub fn has_non_repudiation(&self) -> bool {
        self.key_usage().has_non_repudiation()
    }

    /// [`KeyUsage::has_key_encipherment`] of this certificate.
    #[must_use]
    pub fn has_key_encipherment(&self) -> bool {
        self.key_usage().has_key_encipherment()
    }

    /// [`KeyUsage::has_digital_signature`] of this certificate.
    #[must_use]
    pub fn has_digital_signature(&self) -> bool {
        self.key_usage().has_digital_signature()
    }

    /// Nine digits from `organizationIdentifier` (`NTRNO-...`, SEID 2) or `serialNumber` (SEID 1) of the subject
    /// (contract 04 sections 1.3 and 1.4).
    #[must_use]
    pub fn organization_number(&self) -> Option<String> {
        let attribute = |wanted: &str| {
            let mut entries = self.x509.subject_name().entries();
            let entry = entries.find(|entry| entry.object().to_string() == wanted)?;
            entry.data().to_string().ok()
        };
        let number = attribute("organizationIdentifier")
            .and_then(|text| text.strip_prefix("NTRNO-").map(str::to_owned))
            .or_else(|| attribute("serialNumber"))?;
        let nine_digits = number.len() == 9 && number.bytes().all(|byte| byte.is_ascii_digit());
        nine_digits.then_some(number)
    }

    /// Addresses of revocation lists, in their order; LDAP ones are among them (contract 04 section 1.3).
    #[must_use]
    pub fn crl_urls(&self) -> Vec<String> {
        let points = self.x509.crl_distribution_points();
        let mut urls = Vec::new();
        for point in points.iter().flatten() {
            let names = point.distpoint().and_then(|name| name.fullname());
            let uris = names.into_iter().flatten().filter_map(|name| name.uri());
            urls.extend(uris.map(str::to_owned));
        }
        urls
    }

    /// Addresses of OCSP responders.
    #[must_use]
    pub fn ocsp_urls(&self) -> Vec<String> {
        self.access_urls(Nid::AD_OCSP)
    }

    /// Addresses of the issuer's certificate.
    #[must_use]
    pub fn ca_issuer_urls(&self) -> Vec<String> {
        self.access_urls(Nid::AD_CA_ISSUERS)
    }

    fn access_urls(&self, method: Nid) -> Vec<String> {
        let descriptions = self.x509.authority_info();
        descriptions
            .iter()
            .flatten()
            .filter(|description| description.method().nid() == method)
            .filter_map(|description| description.location().uri())
            .map(str::to_owned)
            .collect()
    }

    /// SHA-1 of the certificate in upper-case hexadecimal digits, as .NET shows it.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        let digest = openssl::hash::hash(MessageDigest::sha1(), &self.der);
        let digest = digest.map(|digest| digest.to_vec()).unwrap_or_default();
        digest.iter().map(|byte| format!("{byte:02X}")).collect()
    }

    /// Whether subject and issuer are the same and the key of the certificate has signed it.
    #[must_use]
    pub fn is_self_signed(&self) -> bool {
        self.is_issued_by(self)
    }

    /// Whether the names and key identifiers fit, the issuer may sign certificates, and its key has signed this one.
    #[must_use]
    pub fn is_issued_by(&self, issuer: &Self) -> bool {
        let fits = issuer.x509.issued(&self.x509) == openssl::x509::X509VerifyResult::OK;
        let signed = || {
            let key = issuer.x509.public_key()?;
            self.x509.verify(&key)
        };
        fits && signed().unwrap_or(false)
    }
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der
    }
}

impl Eq for Certificate {}

impl Hash for Certificate {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.der.hash(state);
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Certificate")
            .field("subject", &self.subject())
            .field("serial", &self.serial())
            .finish_non_exhaustive()
    }
}

fn name(name: &X509NameRef) -> String {
    let attribute = |entry: &openssl::x509::X509NameEntryRef| {
        let key = match entry.object().nid() {
            Nid::UNDEF => entry.object().to_string(),
            nid => nid.short_name().unwrap_or("?").to_owned(),
        };
        let value = entry.data().to_string().unwrap_or_default();
        format!("{key}={value}")
    };
    let attributes: Vec<String> = name.entries().map(attribute).collect();
    attributes.join(", ")
}

/// A time of a certificate or a list.
pub(crate) fn moment(time: &Asn1TimeRef) -> Option<OffsetDateTime> {
    let since = Asn1Time::from_unix(0).ok()?.diff(time).ok()?;
    let since = Duration::days(since.days.into()) + Duration::seconds(since.secs.into());
    OffsetDateTime::UNIX_EPOCH.checked_add(since)
}
