//! Certificates with their private keys.

use std::fmt;

use openssl::pkcs12::Pkcs12;
use openssl::pkey::{Id, PKey, Private};

use super::error::ProtectionError;
use crate::certificate::Certificate;

/// Longest text of a private key, and largest store.
const KEY_SIZE: usize = 64 * 1024;
const STORE_SIZE: usize = 1024 * 1024;

/// What signs: the signing certificate, the CA certificates above it, and the key.
#[derive(Clone)]
pub struct SigningIdentity(Identity);

/// What opens envelopes: the encryption certificate and the key.
#[derive(Clone)]
pub struct DecryptionIdentity(Identity);

#[derive(Clone)]
struct Identity {
    certificate: Certificate,
    issuers: Vec<Certificate>,
    key: PKey<Private>,
}

impl SigningIdentity {
    /// Reads certificate and CA certificates (the leaf first) and the unencrypted private key.
    ///
    /// # Errors
    /// [`ProtectionError`] when something cannot be read or does not belong together.
    pub fn from_pem(chain_pem: &str, key_pem: &str) -> Result<Self, ProtectionError> {
        Identity::from_pem(chain_pem, key_pem).map(Self)
    }

    /// Reads a PKCS#12 store.
    ///
    /// # Errors
    /// [`ProtectionError`] when it cannot be read or lacks certificate or key.
    pub fn from_pkcs12(store: &[u8], password: &str) -> Result<Self, ProtectionError> {
        Identity::from_pkcs12(store, password).map(Self)
    }

    /// The signing certificate.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.0.certificate
    }

    /// The CA certificates that came with it.
    #[must_use]
    pub fn issuers(&self) -> &[Certificate] {
        &self.0.issuers
    }

    pub(crate) fn key(&self) -> &PKey<Private> {
        &self.0.key
    }
}

impl DecryptionIdentity {
    /// Reads the certificate (first in the text; others are passed over) and the unencrypted private key.
    ///
    /// # Errors
    /// [`ProtectionError`] when something cannot be read or does not belong together.
    pub fn from_pem(chain_pem: &str, key_pem: &str) -> Result<Self, ProtectionError> {
        Identity::from_pem(chain_pem, key_pem).map(Self)
    }

    /// Reads a PKCS#12 store.
    ///
    /// # Errors
    /// [`ProtectionError`] when it cannot be read or lacks certificate or key.
    pub fn from_pkcs12(store: &[u8], password: &str) -> Result<Self, ProtectionError> {
        Identity::from_pkcs12(store, password).map(Self)
    }

    /// The encryption certificate.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.0.certificate
    }

    pub(crate) fn key(&self) -> &PKey<Private> {
        &self.0.key
    }
}

impl Identity {
    fn from_pem(chain_pem: &str, key_pem: &str) -> Result<Self, ProtectionError> {
        let chain = Certificate::all_from_pem(chain_pem)?;
        if key_pem.len() > KEY_SIZE {
            return Err(ProtectionError::Key);
        }
        // With a password given, OpenSSL does not ask for one at the terminal when the key is encrypted.
        let key = PKey::private_key_from_pem_passphrase(key_pem.as_bytes(), b"")
            .map_err(|_| ProtectionError::Key)?;
        Self::new(chain, key)
    }

    fn from_pkcs12(store: &[u8], password: &str) -> Result<Self, ProtectionError> {
        if store.len() > STORE_SIZE {
            return Err(ProtectionError::Store);
        }
        let parsed = Pkcs12::from_der(store)
            .and_then(|store| store.parse2(password))
            .map_err(|_| ProtectionError::Store)?;
        let key = parsed.pkey.ok_or(ProtectionError::Key)?;
        let above = parsed.ca.into_iter().flatten();
        let chain: Result<Vec<_>, _> = parsed
            .cert
            .into_iter()
            .chain(above)
            .map(Certificate::from_x509)
            .collect();
        Self::new(chain?, key)
    }

    fn new(chain: Vec<Certificate>, key: PKey<Private>) -> Result<Self, ProtectionError> {
        let mut chain = chain.into_iter();
        let certificate = chain
            .next()
            .ok_or(crate::certificate::CertificateError::Unreadable)?;
        if key.id() != Id::RSA {
            return Err(ProtectionError::NotRsa);
        }
        if !certificate.x509().public_key()?.public_eq(&key) {
            return Err(ProtectionError::KeyMismatch);
        }
        Ok(Self {
            certificate,
            issuers: chain.collect(),
            key,
        })
    }
}

impl fmt::Debug for SigningIdentity {
    /// Leaves the key out.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("SigningIdentity")
            .field(&self.0.certificate)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for DecryptionIdentity {
    /// Leaves the key out.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("DecryptionIdentity")
            .field(&self.0.certificate)
            .finish_non_exhaustive()
    }
}
