//! Lists and OCSP answers: bytes in, status out (RFC 5280 section 6.3, RFC 6960 section 3.2).

use nhn_model::certificate::Certificate;
use openssl::asn1::{Asn1Time, Asn1TimeRef};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::ocsp::{
    OcspCertId, OcspCertStatus, OcspFlag, OcspRequest, OcspResponse, OcspResponseStatus,
};
use openssl::stack::Stack;
use openssl::x509::store::{X509Store, X509StoreBuilder};
use openssl::x509::verify::X509VerifyFlags;
use openssl::x509::{CrlStatus, X509, X509Crl};
use time::macros::format_description;
use time::{Duration, OffsetDateTime, PrimitiveDateTime};

/// How far the clocks of CA and EPJ may be apart.
const SKEW: u32 = 300;

/// What is known of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Good,
    Revoked,
    Unknown,
}

/// What an OCSP responder says, and until when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer {
    pub(crate) status: Status,
    pub(crate) next_update: Option<OffsetDateTime>,
}

/// Why bytes give no status.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RevocationError {
    #[error("unreadable")]
    Unreadable,
    #[error("not signed by the certificate's issuer")]
    Signature,
    #[error("outside its dates")]
    Dates,
    #[error("the responder gives no status ({0})")]
    Refused(i32),
    #[error("about another certificate")]
    OtherCertificate,
}

impl From<ErrorStack> for RevocationError {
    fn from(_: ErrorStack) -> Self {
        Self::Unreadable
    }
}

/// A list that its CA has signed and that is current.
pub(crate) struct Crl {
    list: X509Crl,
    next_update: OffsetDateTime,
}

impl Crl {
    /// Reads DER or PEM.
    pub(crate) fn read(
        bytes: &[u8],
        issuer: &Certificate,
        at: OffsetDateTime,
    ) -> Result<Self, RevocationError> {
        let list = match bytes.first() {
            Some(b'-') => X509Crl::from_pem(bytes)?,
            _ => X509Crl::from_der(bytes)?,
        };
        let issuer = X509::from_der(issuer.der())?;
        let same_name = list.issuer_name().try_cmp(issuer.subject_name())?.is_eq();
        if !same_name || !list.verify(issuer.public_key()?.as_ref())? {
            return Err(RevocationError::Signature);
        }
        let this_update = moment(list.last_update())?;
        let next_update = moment(list.next_update().ok_or(RevocationError::Dates)?)?;
        if at + Duration::seconds(SKEW.into()) < this_update || next_update <= at {
            return Err(RevocationError::Dates);
        }
        Ok(Self { list, next_update })
    }

    pub(crate) fn status_of(&self, certificate: &Certificate) -> Status {
        let Ok(x509) = X509::from_der(certificate.der()) else {
            return Status::Unknown;
        };
        match self.list.get_by_cert(&x509) {
            CrlStatus::Revoked(_) => Status::Revoked,
            CrlStatus::NotRevoked | CrlStatus::RemoveFromCrl(_) => Status::Good,
        }
    }

    pub(crate) fn next_update(&self) -> OffsetDateTime {
        self.next_update
    }
}

/// The question for one certificate; SHA-1 is what every responder knows (contract 04 section 4.1).
pub(crate) fn ocsp_request(certificate: &Certificate, issuer: &Certificate) -> Vec<u8> {
    let request = || -> Result<Vec<u8>, ErrorStack> {
        let mut request = OcspRequest::new()?;
        request.add_id(question(certificate, issuer)?)?;
        request.to_der()
    };
    request().unwrap_or_default()
}

/// Reads the answer to [`ocsp_request`].
pub(crate) fn read_ocsp(
    bytes: &[u8],
    certificate: &Certificate,
    issuer: &Certificate,
    at: OffsetDateTime,
) -> Result<Answer, RevocationError> {
    let response = OcspResponse::from_der(bytes)?;
    if response.status() != OcspResponseStatus::SUCCESSFUL {
        return Err(RevocationError::Refused(response.status().as_raw()));
    }
    let basic = response.basic()?;
    let mut certificates = Stack::new()?;
    certificates.push(X509::from_der(issuer.der())?)?;
    let trust = anchored(issuer)?;
    basic
        .verify(&certificates, &trust, OcspFlag::empty())
        .map_err(|_| RevocationError::Signature)?;
    let question = question(certificate, issuer)?;
    let said = basic
        .find_status(&question)
        .ok_or(RevocationError::OtherCertificate)?;
    said.check_validity(SKEW, None)
        .map_err(|_| RevocationError::Dates)?;
    let next_update = said.next_update().map(ToString::to_string);
    let next_update = next_update.as_deref().map(printed).transpose()?;
    if next_update.is_some_and(|next| next <= at) {
        return Err(RevocationError::Dates);
    }
    let status = match said.status {
        OcspCertStatus::GOOD => Status::Good,
        OcspCertStatus::REVOKED => Status::Revoked,
        _ => Status::Unknown,
    };
    Ok(Answer {
        status,
        next_update,
    })
}

fn question(certificate: &Certificate, issuer: &Certificate) -> Result<OcspCertId, ErrorStack> {
    let certificate = X509::from_der(certificate.der())?;
    let issuer = X509::from_der(issuer.der())?;
    OcspCertId::from_cert(MessageDigest::sha1(), &certificate, &issuer)
}

/// The issuer is trusted: its own chain has been checked before.
fn anchored(issuer: &Certificate) -> Result<X509Store, ErrorStack> {
    let mut store = X509StoreBuilder::new()?;
    store.add_cert(X509::from_der(issuer.der())?)?;
    store.set_flags(X509VerifyFlags::PARTIAL_CHAIN)?;
    Ok(store.build())
}

fn moment(time: &Asn1TimeRef) -> Result<OffsetDateTime, RevocationError> {
    let difference = Asn1Time::from_unix(0)?.diff(time)?;
    let since = Duration::days(difference.days.into()) + Duration::seconds(difference.secs.into());
    OffsetDateTime::UNIX_EPOCH
        .checked_add(since)
        .ok_or(RevocationError::Dates)
}

/// OpenSSL prints a time as `Nov 24 23:00:00 2026 GMT`; days below ten have a space before them.
fn printed(text: &str) -> Result<OffsetDateTime, RevocationError> {
    let form = format_description!(
        "[month repr:short] [day padding:space] [hour]:[minute]:[second] [year] GMT"
    );
    PrimitiveDateTime::parse(text, &form)
        .map(PrimitiveDateTime::assume_utc)
        .map_err(|_| RevocationError::Dates)
}
