//! Opening a protected message.

use openssl::cms::CmsContentInfo;

use super::MAX_SIZE;
use super::algorithm::{ContentCipher, Digest, legacy};
use super::enveloped::Enveloped;
use super::error::OpenError;
use super::identity::DecryptionIdentity;
use super::signed::{self, Signer};
use crate::asn1::{self, oid};

/// What came out of an envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The payload.
    pub content: Vec<u8>,
    /// Who has signed it; nothing when it was not signed.
    pub signer: Option<Signer>,
    /// How the message was made, for evidence (contract 04 section 10.6).
    pub form: Form,
}

/// How a message was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// Whether the envelope's lengths are definite, as in DER. BouncyCastle's usually are not.
    pub definite: bool,
    /// Cipher of the content.
    pub cipher: ContentCipher,
    /// Whether the content's key came by RSAES-OAEP instead of PKCS#1 v1.5.
    pub oaep: bool,
    /// How many recipients the envelope has.
    pub recipients: usize,
    /// Which of them we are, from 0; in DER order when lengths are indefinite. The official client looks at the first only.
    pub recipient: usize,
    /// Whether we are named by key identifier instead of issuer and serial number.
    pub by_key_identifier: bool,
    /// Digest of the signature, if the message is signed.
    pub digest: Option<Digest>,
    /// Whether there are signed attributes.
    pub signed_attributes: bool,
}

/// What may be accepted beyond the usual.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Acceptance {
    /// DES, 3DES and SHA-1, which the official client accepts unless configured otherwise (contract 04 section 10.3).
    pub weak_algorithms: bool,
}

/// Opens a message with the first identity that is among its recipients, and checks the signature inside.
///
/// BER is accepted, any number of recipients, AES of all sizes, OAEP, and recipients by key identifier (contract 04 section 10.5).
///
/// # Errors
/// [`OpenError`] says what is wrong with the message.
pub fn open(bytes: &[u8], identities: &[DecryptionIdentity]) -> Result<Opened, OpenError> {
    open_with(bytes, identities, Acceptance::default())
}

/// Opens a message of which more may be accepted than usual.
///
/// # Errors
/// [`OpenError`] says what is wrong with the message.
pub fn open_with(
    bytes: &[u8],
    identities: &[DecryptionIdentity],
    acceptance: Acceptance,
) -> Result<Opened, OpenError> {
    check_outside(bytes)?;
    let cms = CmsContentInfo::from_der(bytes).map_err(|_| OpenError::Unreadable)?;
    // The message's own bytes tell the order of the recipients; OpenSSL sorts them when it writes.
    let normalised = cms.to_der().map_err(|_| OpenError::Unreadable)?;
    let as_sent = Enveloped::read(bytes);
    let definite = as_sent.is_some();
    let enveloped = as_sent
        .or_else(|| Enveloped::read(&normalised))
        .ok_or(OpenError::Unreadable)?;
    if enveloped.recipients.is_empty() {
        return Err(OpenError::NoRecipients);
    }
    let cipher = ContentCipher::of_oid(enveloped.cipher)
        .ok_or_else(|| OpenError::UnsupportedCipher(asn1::dotted(enveloped.cipher)))?;
    if cipher.is_weak() && !acceptance.weak_algorithms {
        return Err(OpenError::WeakCipher(cipher.name().to_owned()));
    }
    let position = |identity: &DecryptionIdentity| {
        let mut recipients = enveloped.recipients.iter();
        recipients.position(|recipient| recipient.is(identity))
    };
    let (identity, position) = identities
        .iter()
        .find_map(|identity| Some((identity, position(identity)?)))
        .ok_or(OpenError::NoRecipient)?;
    let decrypted = decrypt(&cms, identity, cipher)?;

    let recipient = &enveloped.recipients[position];
    let mut form = Form {
        definite,
        cipher,
        oaep: recipient.algorithm == Some(oid::OAEP),
        recipients: enveloped.recipients.len(),
        recipient: position,
        by_key_identifier: recipient.is_by_key_identifier(),
        digest: None,
        signed_attributes: false,
    };
    if asn1::content_type(&decrypted) != Some(oid::SIGNED_DATA) {
        return Ok(Opened {
            content: decrypted,
            signer: None,
            form,
        });
    }
    let verified = signed::verify(&decrypted, acceptance)?;
    form.digest = Some(verified.digest);
    form.signed_attributes = verified.signed_attributes;
    Ok(Opened {
        content: verified.content,
        signer: Some(verified.signer),
        form,
    })
}

/// Size, kind and extent.
fn check_outside(bytes: &[u8]) -> Result<(), OpenError> {
    if bytes.is_empty() {
        return Err(OpenError::Empty);
    }
    if bytes.len() > MAX_SIZE {
        return Err(OpenError::TooLarge);
    }
    if asn1::content_type(bytes) != Some(oid::ENVELOPED_DATA) {
        return Err(OpenError::NotEnveloped);
    }
    match asn1::extent(bytes) {
        None => Err(OpenError::Unreadable),
        Some(extent) if extent < bytes.len() => Err(OpenError::TrailingBytes),
        Some(_) => Ok(()),
    }
}

fn decrypt(
    cms: &CmsContentInfo,
    identity: &DecryptionIdentity,
    cipher: ContentCipher,
) -> Result<Vec<u8>, OpenError> {
    if cipher == ContentCipher::Des {
        legacy();
    }
    let certificate = identity.certificate().owned_x509();
    cms.decrypt(identity.key(), certificate)
        .map_err(|_| OpenError::Decryption)
}
