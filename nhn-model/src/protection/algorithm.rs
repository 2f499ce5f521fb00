//! The algorithms of contract 04 sections 10.2, 10.3 and 10.5.

use std::sync::OnceLock;

use openssl::hash::MessageDigest;
use openssl::provider::Provider;
use openssl::symm::Cipher;

use crate::asn1::{self, oid};

/// Cipher of an envelope's content. The official client uses AES-256; the others are for messages that should be refused or accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ContentCipher {
    /// AES-256-CBC.
    #[default]
    Aes256,
    /// AES-192-CBC.
    Aes192,
    /// AES-128-CBC.
    Aes128,
    /// 3DES-CBC: weak.
    TripleDes,
    /// DES-CBC: broken.
    Des,
}

impl ContentCipher {
    pub(crate) const ALL: [Self; 5] = [
        Self::Aes256,
        Self::Aes192,
        Self::Aes128,
        Self::TripleDes,
        Self::Des,
    ];

    pub(crate) fn of_oid(oid: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|cipher| cipher.oid() == oid)
    }

    pub(crate) const fn oid(self) -> &'static [u8] {
        match self {
            Self::Aes256 => oid::AES_256_CBC,
            Self::Aes192 => oid::AES_192_CBC,
            Self::Aes128 => oid::AES_128_CBC,
            Self::TripleDes => oid::TRIPLE_DES_CBC,
            Self::Des => oid::DES_CBC,
        }
    }

    pub(crate) fn cipher(self) -> Cipher {
        match self {
            Self::Aes256 => Cipher::aes_256_cbc(),
            Self::Aes192 => Cipher::aes_192_cbc(),
            Self::Aes128 => Cipher::aes_128_cbc(),
            Self::TripleDes => Cipher::des_ede3_cbc(),
            Self::Des => {
                legacy();
                Cipher::des_cbc()
            }
        }
    }

    /// The usual name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Aes256 => "AES-256-CBC",
            Self::Aes192 => "AES-192-CBC",
            Self::Aes128 => "AES-128-CBC",
            Self::TripleDes => "3DES-CBC",
            Self::Des => "DES-CBC",
        }
    }

    /// Whether a message that uses it is refused unless told otherwise.
    #[must_use]
    pub const fn is_weak(self) -> bool {
        matches!(self, Self::TripleDes | Self::Des)
    }
}

/// How the content's key is encrypted to a recipient.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeyTransport {
    /// RSA PKCS#1 v1.5, as the official client.
    #[default]
    Pkcs1,
    /// RSAES-OAEP with SHA-1.
    OaepSha1,
    /// RSAES-OAEP with SHA-256.
    OaepSha256,
}

impl KeyTransport {
    /// The encoded AlgorithmIdentifier.
    pub(crate) fn identifier(self) -> Vec<u8> {
        match self {
            Self::Pkcs1 => algorithm(oid::RSA, Some(NULL)),
            // Absent parameters mean SHA-1 (RFC 8017 A.2.1).
            Self::OaepSha1 => algorithm(oid::OAEP, Some(&asn1::element(asn1::SEQUENCE, &[]))),
            Self::OaepSha256 => {
                let sha256 = algorithm(oid::SHA256, Some(NULL));
                let mgf = algorithm(oid::MGF1, Some(&sha256));
                let parameters = asn1::of(
                    asn1::SEQUENCE,
                    &[
                        &asn1::element(asn1::CONTEXT_0_CONSTRUCTED, &sha256),
                        &asn1::element(asn1::CONTEXT_1_CONSTRUCTED, &mgf),
                    ],
                );
                algorithm(oid::OAEP, Some(&parameters))
            }
        }
    }
}

/// Digest of a signature. The official client uses SHA-256.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Digest {
    /// SHA-1: weak.
    Sha1,
    /// SHA-256.
    #[default]
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Digest {
    pub(crate) fn of_oid(oid: &[u8]) -> Option<Self> {
        [Self::Sha1, Self::Sha256, Self::Sha384, Self::Sha512]
            .into_iter()
            .find(|digest| digest.oid() == oid)
    }

    pub(crate) const fn oid(self) -> &'static [u8] {
        match self {
            Self::Sha1 => oid::SHA1,
            Self::Sha256 => oid::SHA256,
            Self::Sha384 => oid::SHA384,
            Self::Sha512 => oid::SHA512,
        }
    }

    pub(crate) fn message_digest(self) -> MessageDigest {
        match self {
            Self::Sha1 => MessageDigest::sha1(),
            Self::Sha256 => MessageDigest::sha256(),
            Self::Sha384 => MessageDigest::sha384(),
            Self::Sha512 => MessageDigest::sha512(),
        }
    }

    /// The usual name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "SHA-1",
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
        }
    }

    /// Whether a message that uses it is refused unless told otherwise.
    #[must_use]
    pub const fn is_weak(self) -> bool {
        matches!(self, Self::Sha1)
    }
}

/// Encoded NULL.
pub(crate) const NULL: &[u8] = &[0x05, 0x00];

/// An encoded AlgorithmIdentifier.
pub(crate) fn algorithm(oid: &[u8], parameters: Option<&[u8]>) -> Vec<u8> {
    let oid = asn1::element(asn1::OBJECT_IDENTIFIER, oid);
    asn1::of(asn1::SEQUENCE, &[&oid, parameters.unwrap_or_default()])
}

/// Makes DES available. OpenSSL wants both providers to be named (contract 04 section 13); when it has none, using DES fails.
pub(crate) fn legacy() {
    static PROVIDERS: OnceLock<[Option<Provider>; 2]> = OnceLock::new();
    PROVIDERS.get_or_init(|| ["default", "legacy"].map(|name| Provider::load(None, name).ok()));
}
