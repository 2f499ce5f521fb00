//! The environment document: all that a system under test must know, as one stable JSON object.
//!
//! `up --json` prints it, and every started program finds its path in `PROVENETT_ENVIRONMENT`. Fields are only ever
//! added; a change that an old reader could misread raises [`DOCUMENT_FORMAT`]. The README describes each field.

use std::path::{Path, PathBuf};

use serde::Serialize;

/// Version of the document.
pub const DOCUMENT_FORMAT: u32 = 1;

/// The whole document.
#[derive(Clone, Debug, Serialize)]
pub struct Document {
    /// [`DOCUMENT_FORMAT`].
    pub format: u32,
    /// The message bus.
    pub bus: Bus,
    /// The address register (SOAP).
    pub address_register: Account,
    /// CPP and CPA.
    pub cppa: Cppa,
    /// The security token service.
    pub helseid: Helseid,
    /// The system's own key stores.
    pub stores: Stores,
    /// Whom to trust.
    pub trust: Trust,
    /// The party that the system plays.
    pub sut: Party,
    /// The party that it talks to.
    pub helsenorge: Party,
}

/// The message bus (contract 01 section 1.5).
#[derive(Clone, Debug, Serialize)]
pub struct Bus {
    /// Connection string of today's grammar, TLS.
    pub amqps: String,
    /// The same without TLS.
    pub amqp: String,
    /// Connection string of the old grammar.
    pub legacy: String,
    /// Exchange that routes to every queue.
    pub exchange: String,
    /// Account.
    pub username: String,
    /// Its password, not percent-encoded.
    pub password: String,
}

/// An address with HTTP Basic credentials.
#[derive(Clone, Debug, Serialize)]
pub struct Account {
    /// Address of the Basic binding.
    pub url: String,
    /// Account.
    pub username: String,
    /// Its password.
    pub password: String,
}

/// Where CPP and CPA are read; the SOAP binding takes the register's account, REST takes a token.
#[derive(Clone, Debug, Serialize)]
pub struct Cppa {
    /// SOAP, Basic binding.
    pub soap: String,
    /// REST version 1, `Authorization: Bearer`.
    pub v1: String,
    /// REST version 2, `Authorization: DPoP`.
    pub v2: String,
}

/// The security token service (contract 05).
#[derive(Clone, Debug, Serialize)]
pub struct Helseid {
    /// Issuer; discovery lies below it.
    pub issuer: String,
    /// The registered client.
    pub client_id: String,
    /// Scope for each version of CPPA REST.
    pub scopes: Scopes,
    /// File with the client's private key as a JWK.
    pub jwk_file: PathBuf,
}

/// Scopes (contract 05 section 1.1).
#[derive(Clone, Debug, Serialize)]
pub struct Scopes {
    /// For CPPA REST version 1.
    pub v1: String,
    /// For CPPA REST version 2.
    pub v2: String,
}

/// Key stores.
#[derive(Clone, Debug, Serialize)]
pub struct Stores {
    /// Certificate with key usage nonRepudiation, its chain and key.
    pub signing: Store,
    /// Certificate with key usage keyEncipherment, its chain and key.
    pub encryption: Store,
}

/// One key store, in two forms.
#[derive(Clone, Debug, Serialize)]
pub struct Store {
    /// PKCS#12 with certificate, chain and key.
    pub p12: PathBuf,
    /// The certificate, PEM.
    pub certificate_pem: PathBuf,
    /// The private key, PKCS#8 PEM without a password.
    pub key_pem: PathBuf,
    /// Password of the PKCS#12 file.
    pub password: String,
}

/// Roots.
#[derive(Clone, Debug, Serialize)]
pub struct Trust {
    /// The root of all TLS and message certificates, PEM.
    pub bundle: PathBuf,
}

/// A communication party (contract 02 section 3.6).
#[derive(Clone, Debug, Serialize)]
pub struct Party {
    /// HER-id of the unit (level 2), which owns the queues.
    pub her_id: u32,
    /// Its name.
    pub name: String,
    /// HER-id of the organisation (level 1).
    pub organization_her_id: u32,
    /// The organisation's name.
    pub organization_name: String,
    /// The organisation's number.
    pub organization_number: String,
    /// Its queues; given for the system's own party only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queues: Option<Queues>,
}

/// Queue names.
#[derive(Clone, Debug, Serialize)]
pub struct Queues {
    /// Business messages.
    #[serde(rename = "async")]
    pub asynchronous: String,
    /// Requests that expect a reply.
    #[serde(rename = "sync")]
    pub synchronous: String,
    /// Error messages.
    pub error: String,
    /// Replies to own requests.
    pub syncreply: String,
}

impl Document {
    /// The document as it is printed and written: one indented JSON object.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Strings, numbers and UTF-8 paths: nothing in it can fail to be written as JSON.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// What matters of it to a person, and where the whole lies.
    #[must_use]
    pub fn for_people(&self, file: &Path) -> String {
        let Self {
            bus,
            address_register: register,
            cppa,
            helseid,
            stores,
            ..
        } = self;
        let (sut, helsenorge) = (&self.sut, &self.helsenorge);
        let queues = self.sut.queues.as_ref().map_or_else(String::new, |queues| {
            [
                &queues.asynchronous,
                &queues.synchronous,
                &queues.error,
                &queues.syncreply,
            ]
            .map(String::as_str)
            .join(" ")
        });
        let rows = [
            ("Message bus, TLS", bus.amqps.clone()),
            ("Message bus, plain", bus.amqp.clone()),
            ("  old grammar", bus.legacy.clone()),
            ("Address register", register.url.clone()),
            (
                "  account",
                format!("{} / {}", register.username, register.password),
            ),
            ("CPPA SOAP", cppa.soap.clone()),
            ("CPPA REST v1", cppa.v1.clone()),
            ("CPPA REST v2", cppa.v2.clone()),
            ("HelseID", helseid.issuer.clone()),
            ("  client id", helseid.client_id.clone()),
            (
                "  scopes",
                format!("{} {}", helseid.scopes.v1, helseid.scopes.v2),
            ),
            ("  client key", helseid.jwk_file.display().to_string()),
            (
                "Your signing store",
                stores.signing.p12.display().to_string(),
            ),
            (
                "Your encryption store",
                stores.encryption.p12.display().to_string(),
            ),
            ("  password", stores.signing.password.clone()),
            ("Roots to trust", self.trust.bundle.display().to_string()),
            (
                "Your HER-ids",
                format!(
                    "{} ({}), organisation {}",
                    sut.her_id, sut.name, sut.organization_her_id
                ),
            ),
            ("  queues", queues),
            (
                "helsenorge",
                format!("{} ({})", helsenorge.her_id, helsenorge.name),
            ),
            ("Environment document", file.display().to_string()),
        ];
        let mut text = String::from("The network is running. Ctrl-C ends it.\n\n");
        for (name, value) in rows {
            text.push_str(&format!("{name:22} {value}\n"));
        }
        text
    }
}
