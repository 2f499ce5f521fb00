//! The environment document: all that a system under test is told.
//!
//! Only the fields that this EPJ needs are read. Unknown fields are skipped, because the document may gain some; a
//! missing or malformed one is an error that names it.

use std::path::{Path, PathBuf};

use nhn_model::Secret;
use serde::{Deserialize, Deserializer};

/// Version of the document that this EPJ understands.
const FORMAT: u32 = 1;
/// Most bytes of the document.
const LONGEST_DOCUMENT: u64 = 1024 * 1024;

/// The document.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Environment {
    format: u32,
    pub(crate) bus: Bus,
    pub(crate) address_register: Account,
    pub(crate) cppa: Cppa,
    pub(crate) helseid: Helseid,
    pub(crate) stores: Stores,
    pub(crate) trust: Trust,
    pub(crate) sut: Own,
    pub(crate) helsenorge: Party,
}

/// The message bus.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Bus {
    #[serde(deserialize_with = "secret")]
    pub(crate) amqps: Secret,
    pub(crate) exchange: String,
}

/// An address with its account.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Account {
    pub(crate) url: String,
    pub(crate) username: String,
    #[serde(deserialize_with = "secret")]
    pub(crate) password: Secret,
}

/// Where CPP and CPA are read over REST.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Cppa {
    pub(crate) v1: String,
    pub(crate) v2: String,
}

/// The security token service.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Helseid {
    pub(crate) issuer: String,
    pub(crate) client_id: String,
    pub(crate) scopes: Scopes,
    pub(crate) jwk_file: PathBuf,
}

/// Scope for each version of CPPA REST.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Scopes {
    pub(crate) v1: String,
    pub(crate) v2: String,
}

/// The EPJ's own certificates and keys.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Stores {
    pub(crate) signing: Store,
    pub(crate) encryption: Store,
}

/// One of them.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Store {
    pub(crate) certificate_pem: PathBuf,
    pub(crate) key_pem: PathBuf,
}

/// Whom to trust.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Trust {
    pub(crate) bundle: PathBuf,
}

/// The party that this EPJ plays.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Own {
    pub(crate) her_id: u32,
    pub(crate) name: String,
    pub(crate) organization_her_id: u32,
    pub(crate) organization_name: String,
    pub(crate) queues: Queues,
}

/// A communication party.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Party {
    pub(crate) her_id: u32,
    pub(crate) name: String,
    pub(crate) organization_her_id: u32,
    pub(crate) organization_name: String,
}

/// The queue that the register does not tell a client about.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Queues {
    pub(crate) syncreply: String,
}

/// Reads a text that `Debug` does not show.
fn secret<'a, D: Deserializer<'a>>(text: D) -> Result<Secret, D::Error> {
    String::deserialize(text).map(Secret::new)
}

/// Why the environment cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EnvironmentError {
    /// The document cannot be read.
    #[error("cannot read the environment document {}: {source}", path.display())]
    Read {
        path: PathBuf,
        source: std::io::Error,
    },
    /// It is larger than any real one.
    #[error("the environment document {} is larger than {LONGEST_DOCUMENT} bytes", .0.display())]
    TooLarge(PathBuf),
    /// It is no JSON of the expected shape.
    #[error("the environment document {} cannot be understood: {source}", path.display())]
    Shape {
        path: PathBuf,
        source: serde_json::Error,
    },
    /// It is of another version.
    #[error("the environment document has format {0}, this EPJ understands {FORMAT}")]
    Format(u32),
}

impl Environment {
    /// Reads the document.
    pub(crate) fn read(path: &Path) -> Result<Self, EnvironmentError> {
        let failed = |source| EnvironmentError::Read {
            path: path.to_owned(),
            source,
        };
        if std::fs::metadata(path).map_err(failed)?.len() > LONGEST_DOCUMENT {
            return Err(EnvironmentError::TooLarge(path.to_owned()));
        }
        let bytes = std::fs::read(path).map_err(failed)?;
        let document: Self =
            serde_json::from_slice(&bytes).map_err(|source| EnvironmentError::Shape {
                path: path.to_owned(),
                source,
            })?;
        match document.format {
            FORMAT => Ok(document),
            other => Err(EnvironmentError::Format(other)),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A document with the addresses of nobody.
    pub(crate) fn example() -> serde_json::Value {
        let party = |her_id: u32, name: &str, organization: u32, organization_name: &str| {
            serde_json::json!({ "her_id": her_id, "name": name, "organization_her_id": organization,
                "organization_name": organization_name, "organization_number": "310900109" })
        };
        let store = |name: &str| {
            serde_json::json!({ "p12": format!("/x/{name}.p12"), "certificate_pem": format!("/x/{name}.pem"),
                "key_pem": format!("/x/{name}.key.pem"), "password": "pw" })
        };
        let mut sut = party(
            8_900_011,
            "Hjemmetjenesten Liksomvik",
            8_900_001,
            "LIKSOMVIK KOMMUNE",
        );
        sut["queues"] = serde_json::json!({ "async": "8900011_async", "sync": "8900011_sync",
            "error": "8900011_error", "syncreply": "8900011_syncreply" });
        serde_json::json!({
            "format": 1, "new_field": true,
            "bus": { "amqps": "amqps://user:hush@localhost:5671/NHNTESTServiceBus", "amqp": "", "legacy": "",
                "exchange": "NHNTESTServiceBus", "username": "user", "password": "hush" },
            "address_register": { "url": "https://localhost/v1/AR/Basic", "username": "user", "password": "hush" },
            "cppa": { "soap": "https://localhost/v1/CPPA/Basic", "v1": "https://localhost/", "v2": "https://localhost/v2/" },
            "helseid": { "issuer": "https://localhost", "client_id": "id",
                "scopes": { "v1": "nhn:cppa/access", "v2": "nhn:cppa/access-with-dpop" }, "jwk_file": "/x/jwk.json" },
            "stores": { "signing": store("sign"), "encryption": store("enc") },
            "trust": { "bundle": "/x/trust.pem" },
            "sut": sut,
            "helsenorge": party(109_989, "Digitale innbyggertjenester (mock)", 8_990_001, "MOCK INNBYGGERPORTAL"),
        })
    }

    /// The same, read.
    pub(crate) fn read_example() -> Environment {
        read(&example()).unwrap()
    }

    fn read(document: &serde_json::Value) -> Result<Environment, EnvironmentError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("environment.json");
        std::fs::write(&path, document.to_string()).unwrap();
        Environment::read(&path)
    }

    #[test]
    fn the_document_is_read_and_keeps_its_secrets() {
        let environment = read(&example()).unwrap();
        assert_eq!(environment.sut.her_id, 8_900_011);
        assert_eq!(environment.sut.queues.syncreply, "8900011_syncreply");
        assert!(!format!("{environment:?}").contains("hush"));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let mut document = example();
        document["format"] = 2.into();
        assert!(matches!(read(&document), Err(EnvironmentError::Format(2))));
        let mut document = example();
        document["helseid"]
            .as_object_mut()
            .unwrap()
            .remove("issuer");
        let message = read(&document).unwrap_err().to_string();
        assert!(message.contains("issuer"), "{message}");
        assert!(matches!(
            Environment::read(Path::new("/no/such/file")),
            Err(EnvironmentError::Read { .. })
        ));
    }
}
