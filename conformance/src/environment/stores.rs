//! The files for a vendor: key stores, trust, the client's JWK and the environment document itself.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use mock_buypass::{CaError, Issued};

use super::document::Store;
use super::fixture::STORE_PASSWORD;

/// A file for the system under test cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The operating system refuses.
    #[error("cannot write {path}: {source}. Give a folder that you may write to with --data-dir", path = .path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What it said.
        #[source]
        source: std::io::Error,
    },
    /// The PKCS#12 store cannot be made.
    #[error(transparent)]
    Store(#[from] CaError),
}

/// Makes the folder and returns its absolute path: programs that are started elsewhere must find the files.
pub(super) fn folder(path: &Path) -> Result<PathBuf, FileError> {
    let failed = |source| FileError::Write {
        path: path.to_owned(),
        source,
    };
    fs::create_dir_all(path).map_err(failed)?;
    let failed = |source| FileError::Write {
        path: path.to_owned(),
        source,
    };
    fs::canonicalize(path).map_err(failed)
}

/// Writes a key store in its three forms: `<name>.p12`, `<name>.pem` and `<name>.key.pem`.
pub(super) fn store(folder: &Path, name: &str, issued: &Issued) -> Result<Store, FileError> {
    let p12 = folder.join(format!("{name}.p12"));
    let certificate_pem = folder.join(format!("{name}.pem"));
    let key_pem = folder.join(format!("{name}.key.pem"));
    write(&p12, &issued.pkcs12(STORE_PASSWORD)?)?;
    write(&certificate_pem, issued.chain_pem().as_bytes())?;
    write(&key_pem, issued.key_pem.as_bytes())?;
    Ok(Store {
        p12,
        certificate_pem,
        key_pem,
        password: STORE_PASSWORD.to_owned(),
    })
}

/// Writes a file whole or not at all; only its owner may read it.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let failed = |source| FileError::Write {
        path: path.to_owned(),
        source,
    };
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}
