//! What can go wrong in the CA itself. What a client does wrong is answered on the wire and is no error here.

use std::path::{Path, PathBuf};

use testbed::listener::BindError;

/// The CA cannot start, or cannot make a certificate.
#[derive(Debug, thiserror::Error)]
pub enum CaError {
    /// A certificate, list or status could not be built or signed.
    #[error("cannot build a certificate or a list: {0}")]
    Build(#[from] rcgen::Error),
    /// A structure could not be encoded.
    #[error("cannot encode or read DER: {0}")]
    Der(#[from] der::Error),
    /// Keys cannot be had.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The listener has no address.
    #[error(transparent)]
    Listener(#[from] BindError),
    /// A PKCS#12 store could not be made.
    #[error("cannot make a PKCS#12 store: {0}")]
    Store(#[from] openssl::error::ErrorStack),
    /// A text cannot stand in a certificate, for example a host name with letters outside ASCII.
    #[error("{0:?} cannot stand in a certificate")]
    Text(String),
    /// A serial number that this CA has not issued.
    #[error("this CA has not issued a certificate with serial number {0}")]
    UnknownSerial(String),
}

/// A key cannot be had from the data directory.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The generator failed.
    #[error("cannot generate a key: {0}")]
    Generate(#[from] rcgen::Error),
    /// The generator ended without a key.
    #[error("the key generator has ended without a key")]
    Generator,
    /// The root's certificate is not for the root's key.
    #[error(
        "{path} is not for the key in the folder keys beside it; delete both and they will be made anew"
    )]
    Mismatch {
        /// The certificate.
        path: PathBuf,
    },
    /// A name that is not made of lower-case letters, digits and hyphens.
    #[error("{0:?} is not a name for a key: lower-case letters, digits and hyphens, at most 64")]
    Name(String),
    /// A file or folder cannot be read or written.
    #[error("cannot use {path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
    /// A file does not hold what it should.
    #[error("{path} is not readable; delete the folder and it will be made anew: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the reader said.
        #[source]
        source: rcgen::Error,
    },
}

impl KeyError {
    pub(crate) fn at(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }
}
