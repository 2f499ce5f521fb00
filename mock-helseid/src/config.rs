//! What the token service is started with, and its clients.

use std::time::Duration;

use testbed::listener::BindError;
use testbed::tls::{TlsError, TlsIdentity};

use crate::jwk::{KeyError, PublicKey, parse};

/// The scopes of CPPA: version 1 with Bearer, version 2 with DPoP (contract 05 section 1.1).
pub const SCOPES: [&str; 2] = ["nhn:cppa/access", "nhn:cppa/access-with-dpop"];

/// How the token service is set up.
#[derive(Clone, Debug)]
pub struct Config {
    /// What the listener shows; plain HTTP when absent.
    pub tls: Option<TlsIdentity>,
    /// Host name in the issuer.
    pub host: String,
    /// The clients that are registered from the start and after every [`crate::Handle::reset`].
    pub clients: Vec<Client>,
    /// The service's own key as a private JWK ([`crate::new_client_key`] makes an RSA one, as the real service has);
    /// a fresh one for ES256 when absent, which costs nothing to make.
    pub signing_jwk: Option<String>,
    /// Lifetime of access tokens in seconds (contract 05 section 1.9: 600, and not below 3).
    pub token_lifetime: u32,
    /// How long a nonce can be used (contract 05 section 1.8).
    pub nonce_lifetime: Duration,
    /// Refuses what is announced to be refused one day: a client assertion that is used twice, and DPoP proofs older
    /// than 6 seconds (contract 05 sections 1.5 and 1.8).
    pub strict: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            tls: None,
            host: "localhost".to_owned(),
            clients: Vec::new(),
            signing_jwk: None,
            token_lifetime: 600,
            nonce_lifetime: Duration::from_secs(60),
            strict: false,
        }
    }
}

/// A registered client (contract 05 section 1.4).
#[derive(Clone, Debug)]
pub struct Client {
    /// Id.
    pub client_id: String,
    /// Name, for people.
    pub name: String,
    /// Public keys, JWKs; one of them signs the client's assertions.
    pub public_jwks: Vec<String>,
    /// The scopes that it may ask for.
    pub scopes: Vec<String>,
    /// Whether it sends DPoP proofs.
    pub dpop: DpopPolicy,
    /// For which organizations it may speak.
    pub tenancy: Tenancy,
    /// Organization number of the supplier, put into tokens.
    pub supplier: Option<String>,
}

/// Whether a client sends DPoP proofs to the token endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DpopPolicy {
    /// Every request has one.
    #[default]
    Required,
    /// As it likes; without a proof it gets a bearer token.
    Optional,
    /// No request has one.
    Forbidden,
}

/// How a client speaks for organizations (contract 05 section 1.7).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Tenancy {
    /// For none.
    #[default]
    None,
    /// For one organization, whose number comes from the registration.
    Single {
        /// The organization.
        parent: String,
        /// The units that the client may name.
        children: Vec<String>,
    },
    /// For the organizations that have delegated to the supplier.
    Multi {
        /// Their numbers.
        delegations: Vec<String>,
    },
}

impl Client {
    /// A client with one key, both scopes of CPPA, DPoP required, and no organization.
    #[must_use]
    pub fn new(client_id: impl Into<String>, public_jwk: impl Into<String>) -> Self {
        Self {
            client_id: client_id.into(),
            name: "EPJ under test".to_owned(),
            public_jwks: vec![public_jwk.into()],
            scopes: SCOPES.map(str::to_owned).to_vec(),
            dpop: DpopPolicy::Required,
            tenancy: Tenancy::None,
            supplier: None,
        }
    }
}

/// A client whose keys have been read.
#[derive(Clone, Debug)]
pub(crate) struct Registered {
    pub(crate) client: Client,
    pub(crate) keys: Vec<PublicKey>,
}

impl Registered {
    pub(crate) fn new(client: Client) -> Result<Self, KeyError> {
        let keys = client.public_jwks.iter();
        let keys = keys
            .map(|jwk| PublicKey::read_public(&parse(jwk)?))
            .collect::<Result<_, _>>()?;
        Ok(Self { client, keys })
    }
}

impl Tenancy {
    /// Value of the claim `client_tenancy` (contract 05 section 1.10).
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Single { .. } => "single-tenant",
            Self::Multi { .. } => "multi-tenant",
        }
    }
}

/// The token service cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The listener cannot be used.
    #[error(transparent)]
    Listener(#[from] BindError),
    /// The TLS identity cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The service's own key, or a client's, cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
}
