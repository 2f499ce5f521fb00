//! V09 and V10: the signer is the listed one, and its certificate is good.

use nhn_model::certificate::Certificate;
use nhn_model::error_message::ErrorCondition::{
    ExpiredCertificate, InvalidCertificate, MissingCertificate, RevokedCertificate,
    RevokedCertificateOffline,
};
use nhn_model::protection::Signer;
use time::OffsetDateTime;

use super::{Checks, Refusal};
use crate::status::Standing;

/// V09: signed with the signature certificate that agreement or profile gives for the sender. The signature itself was
/// verified when the message was opened.
pub(crate) fn expected_signer(
    checks: &mut Checks,
    signer: &Signer,
    listed: Option<&Certificate>,
) -> Result<(), Refusal> {
    let Some(listed) = listed else {
        let description = "no signature certificate of the sender is known";
        return Err(checks.fail("V09", MissingCertificate, description));
    };
    let (serial, wanted) = (signer.certificate.serial(), listed.serial());
    if signer.certificate.der() == listed.der() {
        checks.pass("V09", format!("signed by the listed certificate {serial}"));
        return Ok(());
    }
    let description = if serial == wanted {
        format!("another certificate than the listed one has its serial number {serial}")
    } else {
        format!("signed by certificate {serial}; listed is {wanted}")
    };
    Err(checks.fail("V09", InvalidCertificate, description))
}

/// First half of V10: dates and key usage.
pub(crate) fn validity(
    checks: &mut Checks,
    certificate: &Certificate,
    at: OffsetDateTime,
) -> Result<(), Refusal> {
    let problem = if at < certificate.not_before() {
        Some((ExpiredCertificate, "Invalid start date"))
    } else if at > certificate.not_after() {
        Some((ExpiredCertificate, "Invalid end date"))
    } else if !certificate.has_non_repudiation() {
        Some((InvalidCertificate, "Invalid usage"))
    } else {
        None
    };
    match problem {
        None => Ok(()),
        Some((condition, text)) => {
            let refusal = checks.fail("V10", condition, text);
            Err(refusal.with_data(named(certificate)))
        }
    }
}

/// Second half of V10: trust and revocation status.
pub(crate) fn standing(
    checks: &mut Checks,
    certificate: &Certificate,
    standing: Standing,
) -> Result<(), Refusal> {
    let (condition, description) = match standing {
        Standing::Good => {
            checks.pass("V10", "valid, trusted and not revoked");
            checks.reach("verified");
            return Ok(());
        }
        Standing::Revoked(text) => (RevokedCertificate, text),
        Standing::Untrusted(text) => (InvalidCertificate, text),
        Standing::Unknown(text) => (RevokedCertificateOffline, text),
    };
    let refusal = checks.fail("V10", condition, description);
    Err(refusal.with_data(named(certificate)))
}

/// What the official client tells of a certificate (contract 01 section 5.3).
fn named(certificate: &Certificate) -> [String; 2] {
    [
        format!("Subject: {}", certificate.subject()),
        format!("Thumbprint: {}", certificate.thumbprint()),
    ]
}
