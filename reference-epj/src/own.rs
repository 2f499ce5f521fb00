//! The EPJ's own certificates and keys, and what is done with them.

use std::path::Path;
use std::time::Duration;

use nhn_model::certificate::Certificate;
use nhn_model::protection::{
    self, DecryptionIdentity, OpenError, Opened, ProtectionError, SigningIdentity,
};

use crate::clock;
use crate::environment::{Store, Stores};
use crate::fault::{Fault, Faults};

/// Largest file with a certificate or key.
const LARGEST_FILE: u64 = 256 * 1024;
/// How long the seeded fault waits for an address that never answers.
const STALL: Duration = Duration::from_secs(6);

/// Both pairs of certificate and key.
pub(crate) struct Keys {
    signing: SigningIdentity,
    decryption: Vec<DecryptionIdentity>,
    stalls: bool,
}

/// A key store cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the key store {file} cannot be used: {reason}")]
pub(crate) struct KeysError {
    file: String,
    reason: String,
}

impl Keys {
    /// Reads the stores.
    ///
    /// # Errors
    /// [`KeysError`] for a file that cannot be read or used.
    pub(crate) fn read(stores: &Stores, faults: &Faults) -> Result<Self, KeysError> {
        let (chain, key) = texts(&stores.signing)?;
        let signing = SigningIdentity::from_pem(&chain, &key)
            .map_err(|error| failed(&stores.signing.certificate_pem, error))?;
        let (chain, key) = texts(&stores.encryption)?;
        let decryption = DecryptionIdentity::from_pem(&chain, &key)
            .map_err(|error| failed(&stores.encryption.certificate_pem, error))?;
        Ok(Self {
            signing,
            decryption: vec![decryption],
            stalls: faults.has(Fault::RootListStall),
        })
    }

    /// The certificate that the EPJ signs with.
    pub(crate) fn signing_certificate(&self) -> &Certificate {
        self.signing.certificate()
    }

    /// What came with it: the certificates of its issuers.
    pub(crate) fn signing_issuers(&self) -> &[Certificate] {
        self.signing.issuers()
    }

    /// Signs, then encrypts.
    ///
    /// # Errors
    /// [`ProtectionError`].
    pub(crate) async fn protect(
        &self,
        content: &[u8],
        recipient: &Certificate,
    ) -> Result<Vec<u8>, ProtectionError> {
        if self.stalls {
            clock::sleep(STALL).await;
        }
        let signed = protection::sign(content, &self.signing, clock::now())?;
        protection::encrypt(&signed, recipient)
    }

    /// Decrypts and verifies the signature mathematically.
    ///
    /// # Errors
    /// [`OpenError`].
    pub(crate) fn open(&self, bytes: &[u8]) -> Result<Opened, OpenError> {
        protection::open(bytes, &self.decryption)
    }
}

fn texts(store: &Store) -> Result<(String, String), KeysError> {
    Ok((text(&store.certificate_pem)?, text(&store.key_pem)?))
}

fn text(path: &Path) -> Result<String, KeysError> {
    let size = std::fs::metadata(path)
        .map_err(|error| failed(path, error))?
        .len();
    if size > LARGEST_FILE {
        return Err(failed(
            path,
            format!("it has more than {LARGEST_FILE} bytes"),
        ));
    }
    std::fs::read_to_string(path).map_err(|error| failed(path, error))
}

fn failed(path: &Path, reason: impl ToString) -> KeysError {
    KeysError {
        file: path.display().to_string(),
        reason: reason.to_string(),
    }
}
