//! RSA keys: generated in threads, kept in the data directory, and prepared ahead for the next issuing CA.
//!
//! Key material is the one thing that does not come from the run's seed. Every file is written whole and
//! then given its name, so that several processes may share one data directory: the first one wins.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rcgen::{KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use tempfile::NamedTempFile;
use tokio::sync::oneshot;

use crate::error::KeyError;

/// How many keys lie ready for the next issuing CA and its certificates.
const PREPARED: usize = 3;
/// Length of keys of CAs and parties: what SEID 2 asks of a party (contract 04 section 1.4). The real CAs have 4096 bits;
/// three times the waiting at every scenario would buy nothing that a client can see.
const PARTY: RsaKeySize = RsaKeySize::_3072;
/// Length of responder keys: they sign every answer (contract 04 section 12).
const RESPONDER: RsaKeySize = RsaKeySize::_2048;

/// What a key is for, which decides its length.
#[derive(Clone, Copy, Debug)]
pub(crate) enum KeyUse {
    Party,
    Responder,
}

/// The keys of a data directory. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct KeyStore {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    keys: PathBuf,
    prepared: PathBuf,
    filling: AtomicBool,
    next: AtomicU64,
}

impl KeyStore {
    pub(crate) fn open(folder: &Path) -> Result<Self, KeyError> {
        let (keys, prepared) = (folder.join("keys"), folder.join("prepared"));
        for folder in [&keys, &prepared] {
            fs::create_dir_all(folder).map_err(KeyError::at(folder))?;
            only_for_owner(folder).map_err(KeyError::at(folder))?;
        }
        let shared = Shared {
            keys,
            prepared,
            filling: AtomicBool::new(false),
            next: AtomicU64::new(0),
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    /// The key of that name: the one on disk, or a new one that is kept there.
    pub(crate) async fn named(&self, name: &str, usage: KeyUse) -> Result<KeyPair, KeyError> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() || name.len() > 64 || !name.chars().all(plain) {
            return Err(KeyError::Name(name.to_owned()));
        }
        let path = self.shared.keys.join(format!("{name}.pem"));
        if let Some(pem) = read(&path)? {
            return parse(&path, &pem);
        }
        let key = match usage {
            KeyUse::Party => self.fresh().await?,
            KeyUse::Responder => generate(RESPONDER).await?,
        };
        match write(&path, &key.serialize_pem())? {
            Written::Done => Ok(key),
            Written::OtherWasFirst => parse(
                &path,
                &fs::read_to_string(&path).map_err(KeyError::at(&path))?,
            ),
        }
    }

    /// A key that nobody has used: a prepared one if there is any.
    pub(crate) async fn fresh(&self) -> Result<KeyPair, KeyError> {
        match self.take_prepared() {
            Some(key) => {
                self.prepare();
                Ok(key)
            }
            None => generate(PARTY).await,
        }
    }

    /// Fills up the prepared keys in a thread of its own, one after the other.
    pub(crate) fn prepare(&self) {
        if self.shared.filling.swap(true, Ordering::AcqRel) {
            return;
        }
        let shared = Arc::clone(&self.shared);
        std::thread::spawn(move || {
            while shared.count().is_some_and(|count| count < PREPARED) && shared.add_one().is_some()
            {
            }
            shared.filling.store(false, Ordering::Release);
        });
    }

    fn take_prepared(&self) -> Option<KeyPair> {
        let entries = fs::read_dir(&self.shared.prepared).ok()?;
        for path in entries.flatten().map(|entry| entry.path()) {
            if path.extension().is_none_or(|extension| extension != "pem") {
                continue;
            }
            let Ok(pem) = fs::read_to_string(&path) else {
                continue;
            };
            // Whoever removes the file owns the key; another process may have been quicker.
            if fs::remove_file(&path).is_ok()
                && let Ok(key) = parse(&path, &pem)
            {
                return Some(key);
            }
        }
        None
    }
}

impl Shared {
    fn count(&self) -> Option<usize> {
        Some(fs::read_dir(&self.prepared).ok()?.count())
    }

    fn add_one(&self) -> Option<()> {
        let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, PARTY).ok()?;
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let path = self
            .prepared
            .join(format!("{}-{number}.pem", std::process::id()));
        write(&path, &key.serialize_pem()).ok().map(|_| ())
    }
}

/// Generates a key in a thread of its own: several at once use several processors, and a runtime that ends does not wait for it.
async fn generate(size: RsaKeySize) -> Result<KeyPair, KeyError> {
    let (sender, receiver) = oneshot::channel();
    std::thread::spawn(move || {
        // Nobody may be waiting any more, which is no fault.
        let _ = sender.send(KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, size));
    });
    Ok(receiver.await.map_err(|_| KeyError::Generator)??)
}

/// The text of a file, or nothing when there is none.
pub(crate) fn read(path: &Path) -> Result<Option<String>, KeyError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(KeyError::at(path)(error)),
    }
}

fn parse(path: &Path, pem: &str) -> Result<KeyPair, KeyError> {
    KeyPair::from_pkcs8_pem_and_sign_algo(pem, &PKCS_RSA_SHA256).map_err(|source| {
        KeyError::Unreadable {
            path: path.to_owned(),
            source,
        }
    })
}

/// What became of [`write`].
pub(crate) enum Written {
    Done,
    OtherWasFirst,
}

/// Writes a file that only its owner may read, unless there is one already.
pub(crate) fn write(path: &Path, text: &str) -> Result<Written, KeyError> {
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    let mut file = NamedTempFile::new_in(folder).map_err(KeyError::at(folder))?;
    file.write_all(text.as_bytes())
        .map_err(KeyError::at(path))?;
    match file.persist_noclobber(path) {
        Ok(_) => Ok(Written::Done),
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => Ok(Written::OtherWasFirst),
        Err(error) => Err(KeyError::at(path)(error.error)),
    }
}

#[cfg(unix)]
fn only_for_owner(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
}

#[cfg(not(unix))]
fn only_for_owner(_: &Path) -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_named_key_is_the_same_next_time_and_only_for_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        let key = KeyStore::open(folder.path())
            .unwrap()
            .named("responder", KeyUse::Responder)
            .await
            .unwrap();
        let again = KeyStore::open(folder.path())
            .unwrap()
            .named("responder", KeyUse::Responder)
            .await
            .unwrap();
        assert_eq!(key.serialized_der(), again.serialized_der());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(folder.path().join("keys/responder.pem"))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[tokio::test]
    async fn a_prepared_key_is_handed_out_once() {
        let folder = tempfile::tempdir().unwrap();
        let store = KeyStore::open(folder.path()).unwrap();
        let key = generate(RESPONDER).await.unwrap();
        write(&store.shared.prepared.join("1.pem"), &key.serialize_pem()).unwrap();
        let taken = store.take_prepared().unwrap();
        assert_eq!(taken.serialized_der(), key.serialized_der());
        assert!(store.take_prepared().is_none());
    }

    #[tokio::test]
    async fn a_broken_file_and_a_name_that_leads_elsewhere_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let store = KeyStore::open(folder.path()).unwrap();
        fs::write(folder.path().join("keys/broken.pem"), "no key").unwrap();
        let broken = store.named("broken", KeyUse::Party).await;
        assert!(matches!(broken, Err(KeyError::Unreadable { .. })));
        assert!(matches!(
            store.named("../x", KeyUse::Party).await,
            Err(KeyError::Name(_))
        ));
    }
}
