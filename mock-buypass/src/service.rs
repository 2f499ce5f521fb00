//! Starting the CA, its base listener, and fresh issuing CAs with listeners of their own.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rcgen::{CertificateParams, KeyPair, PublicKeyData};
use sha1::{Digest, Sha1};
use testbed::Context;
use testbed::http::{Answer, Exchange, HttpServer, Method, StatusCode, serve};
use testbed::listener::BindError;
use time::OffsetDateTime;
use tokio::net::TcpListener;

use crate::authority::{Authority, Revocation};
use crate::ca::{IssuingCa, announce};
use crate::error::{CaError, KeyError};
use crate::http;
use crate::keys::{self, KeyStore, KeyUse};
use crate::profile::{self, Addresses};
use crate::request::{Cause, RevocationReason};

const ROOT_CRL_PATH: &str = "/crl/BPCl3RootCaG2ST.crl";
const ROOT_CERTIFICATE_PATH: &str = "/crt/BPCl3RootCaG2ST.cer";
const TRUST_PATH: &str = "/trust/mock-buypass-roots.pem";

/// How the CA is set up.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where root and keys are kept, made when it is not there. Several processes may use one directory.
    pub data: PathBuf,
    /// The host in the addresses that certificates name; `127.0.0.1` unless clients come from elsewhere.
    pub host: String,
}

/// The running CA.
#[derive(Clone, Debug)]
pub struct Handle {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    config: Config,
    context: Context,
    keys: KeyStore,
    responder_key: Arc<KeyPair>,
    base_url: String,
    address: SocketAddr,
    root: Arc<Authority>,
    base: IssuingCa,
    directory: Directory,
}

/// The CA certificates that the base listener hands out, by id.
#[derive(Clone, Debug, Default)]
struct Directory {
    entries: Arc<Mutex<BTreeMap<String, Arc<Authority>>>>,
}

/// A fresh issuing CA with its own listener for list and OCSP. Dropping it closes that listener.
#[derive(Debug)]
pub struct ScenarioCa {
    ca: IssuingCa,
    server: HttpServer,
    directory: Directory,
}

impl Config {
    /// A CA whose root and keys are kept in `data`, for clients on this machine.
    #[must_use]
    pub fn new(data: impl Into<PathBuf>) -> Self {
        Self {
            data: data.into(),
            host: "127.0.0.1".to_owned(),
        }
    }
}

/// Starts the CA: reads or makes the root and the keys, and serves on `listener` until the context's shutdown fires.
///
/// # Errors
/// [`CaError`] when the data directory cannot be used or holds something else, or the listener has no address.
pub async fn start(
    config: Config,
    listener: TcpListener,
    context: Context,
) -> Result<Handle, CaError> {
    let keys = KeyStore::open(&config.data)?;
    let now = context.clock.wall();
    let base_url = url(&config.host, &listener)?;
    let (root_key, base_key, responder_key) = tokio::try_join!(
        keys.named("root", KeyUse::Party),
        keys.named("issuing", KeyUse::Party),
        keys.named("responder", KeyUse::Responder),
    )?;
    let root = Arc::new(root(&config, root_key, &base_url, now)?);
    let responder_key = Arc::new(responder_key);
    let base = issuing(&root, base_key, &responder_key, (&base_url, &base_url), now)?;
    let base = IssuingCa {
        authority: Arc::new(base),
        keys: keys.clone(),
        context: context.clone(),
    };
    let directory = Directory::default();
    directory.add(&base.authority);
    let routes = Routes {
        root: Arc::clone(&root),
        base: Arc::clone(&base.authority),
        directory: directory.clone(),
    };
    let served = context.clone();
    let server = serve(http::config(), listener, context.clone(), move |exchange| {
        let answer = routes.answer(&exchange, &served);
        async move { answer }
    })?;
    announce(&root, &context);
    base.announce();
    let address = server.address();
    let shared = Shared {
        config,
        context,
        keys,
        responder_key,
        base_url,
        address,
        root,
        base,
        directory,
    };
    Ok(Handle {
        shared: Arc::new(shared),
    })
}

impl Handle {
    /// Where the base listener listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.shared.address
    }

    /// `http://host:port` of the base listener.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.shared.base_url
    }

    /// The CA that issues what stays healthy in every scenario: the SUT's certificates and those of TLS servers.
    #[must_use]
    pub fn base_ca(&self) -> &IssuingCa {
        &self.shared.base
    }

    /// Has keys for the next issuing CAs made in the background. Whoever starts the CA calls it when nothing waits for the
    /// processor any more; without it each new CA waits for its key.
    pub fn prepare_keys(&self) {
        self.shared.keys.prepare();
    }

    /// The root, PEM: all that a client has to trust.
    #[must_use]
    pub fn trust_bundle_pem(&self) -> String {
        self.shared.root.certificate_pem.clone()
    }

    /// Makes an issuing CA with a new key and a new name, whose list and responder are served on `listener`.
    ///
    /// # Errors
    /// [`CaError`] when no key can be had or the listener has no address.
    pub async fn new_issuing_ca(&self, listener: TcpListener) -> Result<ScenarioCa, CaError> {
        let shared = &self.shared;
        let key = shared.keys.fresh().await?;
        let status_url = url(&shared.config.host, &listener)?;
        let now = shared.context.clock.wall();
        let authority = issuing(
            &shared.root,
            key,
            &shared.responder_key,
            (&status_url, &shared.base_url),
            now,
        )?;
        let ca = IssuingCa {
            authority: Arc::new(authority),
            keys: shared.keys.clone(),
            context: shared.context.clone(),
        };
        shared.directory.add(&ca.authority);
        let (authority, context) = (Arc::clone(&ca.authority), shared.context.clone());
        let server = serve(
            http::config(),
            listener,
            shared.context.clone(),
            move |exchange| {
                let answer = below(&authority, &exchange, &context);
                async move { answer }
            },
        )?;
        ca.announce();
        Ok(ScenarioCa {
            ca,
            server,
            directory: shared.directory.clone(),
        })
    }

    /// Revokes an issuing CA: the root's list names it from now on.
    ///
    /// # Errors
    /// [`CaError::UnknownSerial`] when it is not one of this root's.
    pub fn revoke_issuing_ca(
        &self,
        ca: &IssuingCa,
        reason: RevocationReason,
    ) -> Result<(), CaError> {
        let serial = profile::serial_text(
            ca.authority
                .certificate
                .tbs_certificate
                .serial_number
                .as_bytes(),
        );
        let revocation = Revocation {
            since: self.shared.context.clock.wall(),
            cause: Cause::Revoked(reason),
        };
        self.shared
            .root
            .set_status(&serial, Some(revocation))
            .map(|_| ())
    }
}

impl ScenarioCa {
    /// The CA.
    #[must_use]
    pub fn ca(&self) -> &IssuingCa {
        &self.ca
    }

    /// Closes its listener and every connection to it: clients are refused by the operating system.
    pub fn refuse(&self) {
        self.server.refuse();
    }

    /// Listens again at the same address.
    pub fn resume(&self) {
        self.server.resume();
    }
}

impl Drop for ScenarioCa {
    fn drop(&mut self) {
        self.server.refuse();
        self.directory.remove(self.ca.id());
    }
}

impl Directory {
    fn add(&self, authority: &Arc<Authority>) {
        self.lock()
            .insert(authority.id.clone(), Arc::clone(authority));
    }

    fn remove(&self, id: &str) {
        self.lock().remove(id);
    }

    fn find(&self, id: &str) -> Option<Arc<Authority>> {
        self.lock().get(id).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Authority>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the base listener serves.
#[derive(Clone, Debug)]
struct Routes {
    root: Arc<Authority>,
    base: Arc<Authority>,
    directory: Directory,
}

impl Routes {
    fn answer(&self, exchange: &Exchange, context: &Context) -> Answer {
        match exchange.path() {
            ROOT_CRL_PATH => http::crl_service(&self.root, exchange, context)
                .unwrap_or_else(|error| http::broken(&error, context)),
            TRUST_PATH => read_only(exchange, || {
                http::trust(self.root.certificate_pem.clone(), context)
            }),
            ROOT_CERTIFICATE_PATH => read_only(exchange, || http::certificate(&self.root, context)),
            path => {
                let id = path
                    .strip_prefix("/crt/")
                    .and_then(|file| file.strip_suffix(".cer"));
                match id.map(|id| self.directory.find(id)) {
                    Some(Some(found)) => read_only(exchange, || http::certificate(&found, context)),
                    Some(None) => Answer::empty(StatusCode::NOT_FOUND),
                    None => below(&self.base, exchange, context),
                }
            }
        }
    }
}

fn read_only(exchange: &Exchange, answer: impl FnOnce() -> Answer) -> Answer {
    if exchange.method == Method::GET {
        answer()
    } else {
        http::not_allowed("GET")
    }
}

/// Answers what lies below the id of one CA.
fn below(authority: &Authority, exchange: &Exchange, context: &Context) -> Answer {
    let path = exchange
        .path()
        .strip_prefix('/')
        .and_then(|path| path.strip_prefix(authority.id.as_str()));
    match path.and_then(|path| path.strip_prefix('/')) {
        Some(path) => http::status_service(authority, path, exchange, context),
        None => Answer::empty(StatusCode::NOT_FOUND),
    }
}

fn url(host: &str, listener: &TcpListener) -> Result<String, CaError> {
    let unknown = SocketAddr::from(([0, 0, 0, 0], 0));
    let address = listener.local_addr().map_err(|source| BindError {
        address: unknown,
        source,
    })?;
    Ok(format!("http://{host}:{}", address.port()))
}

/// The root: its certificate is kept beside its key, because clients are told to trust it once.
fn root(
    config: &Config,
    key: KeyPair,
    base_url: &str,
    now: OffsetDateTime,
) -> Result<Authority, CaError> {
    let params = profile::root(&key, now)?;
    let path = config.data.join("root.pem");
    let (der, pem) = match keys::read(&path)? {
        Some(pem) => (certificate_der(&path, &pem)?, pem),
        None => {
            let made = params.self_signed(&key)?;
            match keys::write(&path, &made.pem())? {
                keys::Written::Done => (made.der().to_vec(), made.pem()),
                keys::Written::OtherWasFirst => {
                    let pem = keys::read(&path)?.unwrap_or_default();
                    (certificate_der(&path, &pem)?, pem)
                }
            }
        }
    };
    let addresses = Addresses {
        crl: format!("{base_url}{ROOT_CRL_PATH}"),
        ocsp: None,
        ca_certificate: format!("{base_url}{ROOT_CERTIFICATE_PATH}"),
    };
    let public_key = key.der_bytes().to_vec();
    let root = Authority::new("root".to_owned(), (params, key), (der, pem), addresses, now)?;
    let certified = root
        .certificate
        .tbs_certificate
        .subject_public_key_info
        .subject_public_key
        .raw_bytes();
    if certified != public_key {
        return Err(KeyError::Mismatch { path }.into());
    }
    Ok(root)
}

fn certificate_der(path: &std::path::Path, pem: &str) -> Result<Vec<u8>, CaError> {
    let unreadable = || KeyError::Unreadable {
        path: path.to_owned(),
        source: rcgen::Error::CouldNotParseCertificate,
    };
    let certificate = openssl::x509::X509::from_pem(pem.as_bytes()).map_err(|_| unreadable())?;
    Ok(certificate.to_der()?)
}

/// An issuing CA below `root`: its list and responder at `status_url`, its certificate at `base_url`.
fn issuing(
    root: &Authority,
    key: KeyPair,
    responder_key: &Arc<KeyPair>,
    (status_url, base_url): (&str, &str),
    now: OffsetDateTime,
) -> Result<Authority, CaError> {
    let id = ca_id(&key, &root.addresses.crl, status_url);
    let params: CertificateParams = profile::issuing(&id, &key, &root.addresses, now)?;
    let signed = root.sign(&params, &key, format!("issuing CA {id}"), "issuing-ca")?;
    let addresses = Addresses {
        crl: format!("{status_url}/{id}/crl/BPCl3CaG2STBS.crl"),
        ocsp: Some(format!("{status_url}/{id}/ocspbs")),
        ca_certificate: format!("{base_url}/crt/{id}.cer"),
    };
    Authority::new(id, (params, key), (signed.der, signed.pem), addresses, now)?
        .with_responder(Arc::clone(responder_key), now)
}

/// Names a CA by its key and by the addresses that stand in certificates: clients keep CA certificates, and one with the same
/// name and other addresses would lead them to a listener of a former run.
fn ca_id(key: &KeyPair, root_crl: &str, status_url: &str) -> String {
    let hash = Sha1::new()
        .chain_update(profile::key_identifier(key))
        .chain_update(root_crl)
        .chain_update(status_url)
        .finalize();
    format!(
        "ca-{}",
        hash.iter()
            .take(4)
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    )
}
