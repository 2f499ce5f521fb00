//! V05-V08: what the body claims to be, and how it is protected.

use nhn_model::amqp::ContentKind;
use nhn_model::error_message::ErrorCondition::{InvalidCertificate, UnsupportedMessage};
use nhn_model::protection::{OpenError, Opened, Signer};

use super::{Checks, Refusal};

/// V05: signed and enveloped, and nothing else. A spelling that the official client would not take is odd.
pub(crate) fn content_type(checks: &mut Checks, content_type: Option<&str>) -> Result<(), Refusal> {
    let content_type = content_type.unwrap_or_default();
    match ContentKind::of(content_type) {
        ContentKind::SignedAndEnveloped if ContentKind::is_exact(content_type) => {
            checks.pass("V05", content_type);
        }
        ContentKind::SignedAndEnveloped => {
            checks.finding("V05", format!("unusual spelling: {content_type}"));
        }
        _ => {
            let description = format!("content-type is {content_type}");
            return Err(checks.fail("V05", UnsupportedMessage, description));
        }
    }
    checks.reach("header-ok");
    Ok(())
}

/// V06-V08, and V09 if the signature is wrong: an envelope for helsenorge, AES, one signer, SHA-256 or better.
pub(crate) fn opened<'a>(
    checks: &mut Checks,
    opened: Result<&'a Opened, &OpenError>,
) -> Result<&'a Signer, Refusal> {
    let opened = match opened {
        Ok(opened) => opened,
        Err(problem) => return Err(not_opened(checks, problem)),
    };
    let form = &opened.form;
    checks.pass(
        "V06",
        format!("enveloped, {} recipient(s)", form.recipients),
    );
    let cipher = form.cipher.name();
    match form.cipher {
        nhn_model::protection::ContentCipher::Aes256 => checks.pass("V07", cipher),
        _ => checks.finding("V07", format!("{cipher} instead of AES-256-CBC")),
    }
    checks.reach("decrypted");
    let Some(signer) = &opened.signer else {
        return Err(checks.fail("V08", InvalidCertificate, "the message is not signed"));
    };
    if !signer.others.is_empty() {
        return Err(checks.fail(
            "V08",
            InvalidCertificate,
            "the message is signed more than once",
        ));
    }
    match form.digest {
        Some(digest) if digest.is_weak() => {
            checks.finding("V08", format!("signed with {}", digest.name()));
        }
        Some(digest) => checks.pass("V08", format!("signed with {}", digest.name())),
        None => checks.pass("V08", "signed"),
    }
    Ok(signer)
}

fn not_opened(checks: &mut Checks, problem: &OpenError) -> Refusal {
    let (check, condition) = match problem {
        OpenError::WeakCipher(_) | OpenError::UnsupportedCipher(_) => ("V07", UnsupportedMessage),
        OpenError::SignedUnreadable
        | OpenError::Detached
        | OpenError::NoSigner
        | OpenError::SignerNotEmbedded
        | OpenError::AmbiguousSigner
        | OpenError::WeakDigest(_)
        | OpenError::UnsupportedSignature(_) => ("V08", InvalidCertificate),
        OpenError::SignatureInvalid => ("V09", InvalidCertificate),
        _ => ("V06", InvalidCertificate),
    };
    for (earlier, detail) in [
        ("V06", "enveloped for this party"),
        ("V07", "the cipher is known"),
        ("V08", "signed"),
    ] {
        if earlier < check {
            checks.pass(earlier, detail);
        }
    }
    checks.fail(check, condition, problem.to_string())
}
