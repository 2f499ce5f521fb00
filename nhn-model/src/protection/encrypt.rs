//! EnvelopedData (contract 04 section 10.3).

use openssl::encrypt::Encrypter;
use openssl::hash::MessageDigest;
use openssl::pkey::Id;
use openssl::rand::rand_bytes;
use openssl::rsa::Padding;

use super::algorithm::{ContentCipher, KeyTransport, algorithm};
use super::error::ProtectionError;
use super::sign::{content_info, issuer_and_serial};
use crate::asn1::{self, oid};
use crate::certificate::Certificate;

/// How a recipient is named in the envelope.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RecipientId {
    /// By issuer and serial number, as the official client.
    #[default]
    IssuerAndSerial,
    /// By subject key identifier.
    KeyIdentifier,
}

/// How a message is encrypted. The default is the official client's form (contract 04 section 10.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EncryptOptions {
    /// Cipher of the content.
    pub cipher: ContentCipher,
    /// How the content's key is encrypted.
    pub key_transport: KeyTransport,
    /// How recipients are named.
    pub recipient_id: RecipientId,
}

/// Encrypts to one recipient: AES-256-CBC, RSA PKCS#1 v1.5, recipient by issuer and serial number.
///
/// # Errors
/// [`ProtectionError`] when the recipient's key is not one of RSA, or OpenSSL refuses.
pub fn encrypt(content: &[u8], recipient: &Certificate) -> Result<Vec<u8>, ProtectionError> {
    encrypt_with(content, &[recipient], EncryptOptions::default())
}

/// Encrypts in another form than the usual, to any number of recipients, even to none (contract 04 section 10.5).
///
/// # Errors
/// [`ProtectionError`] when a recipient's key is not one of RSA, or OpenSSL refuses.
pub fn encrypt_with(
    content: &[u8],
    recipients: &[&Certificate],
    options: EncryptOptions,
) -> Result<Vec<u8>, ProtectionError> {
    let cipher = options.cipher.cipher();
    let mut key = vec![0; cipher.key_len()];
    let mut iv = vec![0; cipher.iv_len().unwrap_or_default()];
    rand_bytes(&mut key)?;
    rand_bytes(&mut iv)?;
    let encrypted = openssl::symm::encrypt(cipher, &key, Some(&iv), content)?;

    let infos: Result<Vec<_>, _> = recipients
        .iter()
        .map(|recipient| recipient_info(recipient, &key, options))
        .collect();
    let version = match options.recipient_id {
        RecipientId::KeyIdentifier if !recipients.is_empty() => 2,
        _ => 0,
    };
    let iv = asn1::element(asn1::OCTET_STRING, &iv);
    let encrypted_content = asn1::of(
        asn1::SEQUENCE,
        &[
            &asn1::element(asn1::OBJECT_IDENTIFIER, oid::DATA),
            &algorithm(options.cipher.oid(), Some(&iv)),
            &asn1::element(asn1::CONTEXT_0, &encrypted),
        ],
    );
    let enveloped = asn1::of(
        asn1::SEQUENCE,
        &[
            &[asn1::INTEGER, 1, version],
            // In the caller's order: who comes first matters to the official client (contract 04 section 10.3).
            &asn1::element(asn1::SET, &infos?.concat()),
            &encrypted_content,
        ],
    );
    Ok(content_info(oid::ENVELOPED_DATA, &enveloped))
}

fn recipient_info(
    recipient: &Certificate,
    key: &[u8],
    options: EncryptOptions,
) -> Result<Vec<u8>, ProtectionError> {
    let (version, id) = match options.recipient_id {
        RecipientId::IssuerAndSerial => (0, issuer_and_serial(recipient)),
        RecipientId::KeyIdentifier => {
            let identifier = recipient
                .subject_key_identifier()
                .ok_or(ProtectionError::NoKeyIdentifier)?;
            (2, asn1::element(asn1::CONTEXT_0, identifier))
        }
    };
    let encrypted = encrypted_key(recipient, key, options.key_transport)?;
    Ok(asn1::of(
        asn1::SEQUENCE,
        &[
            &[asn1::INTEGER, 1, version],
            &id,
            &options.key_transport.identifier(),
            &asn1::element(asn1::OCTET_STRING, &encrypted),
        ],
    ))
}

fn encrypted_key(
    recipient: &Certificate,
    key: &[u8],
    transport: KeyTransport,
) -> Result<Vec<u8>, ProtectionError> {
    let public = recipient.x509().public_key()?;
    if public.id() != Id::RSA {
        return Err(ProtectionError::NotRsa);
    }
    let mut encrypter = Encrypter::new(&public)?;
    let oaep = match transport {
        KeyTransport::Pkcs1 => None,
        KeyTransport::OaepSha1 => Some(MessageDigest::sha1()),
        KeyTransport::OaepSha256 => Some(MessageDigest::sha256()),
    };
    match oaep {
        None => encrypter.set_rsa_padding(Padding::PKCS1)?,
        Some(digest) => {
            encrypter.set_rsa_padding(Padding::PKCS1_OAEP)?;
            encrypter.set_rsa_oaep_md(digest)?;
            encrypter.set_rsa_mgf1_md(digest)?;
        }
    }
    let mut encrypted = vec![0; encrypter.encrypt_len(key)?];
    let length = encrypter.encrypt(key, &mut encrypted)?;
    encrypted.truncate(length);
    Ok(encrypted)
}
