//! Starting the token service, its paths, its state, and what the runner can do with it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use testbed::evidence::{Event, Part};
use testbed::http::{Answer, Exchange, HttpConfig, HttpServer, Method, StatusCode, header, serve};
use testbed::listener::BindError;
use testbed::tls::acceptor;
use testbed::token::AccessTokens;
use testbed::{Clock, Context, Journal, Seed};
use tokio::net::TcpListener;

use crate::access::Judge;
use crate::config::{Client, Config, Registered, StartError};
use crate::discovery::{DISCOVERY_PATH, JWKS_PATH, TOKEN_PATH, document, key_set};
use crate::dpop::Proof;
use crate::endpoint;
use crate::issue::WRONG_ANSWERS;
use crate::jwk::{KeyError, parse};
use crate::jws::encode;
use crate::memory::Memory;
use crate::signer::Signer;

/// Largest request, in bytes. Requests of clients have about two thousand.
const REQUEST_LIMIT: usize = 64 * 1024;
/// How long ids of assertions and proofs are remembered: longer than any of them can be valid.
const REPLAY_WINDOW: Duration = Duration::from_secs(90);

/// A running token service. Dropping it does not stop it; the context's shutdown does.
#[derive(Debug)]
pub struct Handle {
    server: HttpServer,
    sts: Arc<Sts>,
    initial: Vec<Registered>,
}

/// What requests are answered from.
#[derive(Debug)]
pub(crate) struct Sts {
    pub(crate) issuer: String,
    pub(crate) token_lifetime: u32,
    pub(crate) strict: bool,
    // Not the whole context: its shutdown signal would keep the shutdown waiting for the handle.
    pub(crate) journal: Journal,
    clock: Clock,
    seed: Seed,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    signer: Arc<Signer>,
    clients: BTreeMap<String, Arc<Registered>>,
    nonces: Memory,
    assertions: Memory,
    proofs: Memory,
    skew: time::Duration,
}

/// Starts the token service on a bound listener.
///
/// # Errors
/// [`StartError`] when the TLS identity, the listener or a configured key is not usable.
pub fn start(
    config: Config,
    listener: TcpListener,
    context: Context,
) -> Result<Handle, StartError> {
    let address = listener.local_addr().map_err(|source| BindError {
        address: ([0, 0, 0, 0], 0).into(),
        source,
    })?;
    let tls = config.tls.as_ref().map(acceptor).transpose()?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    let signer = match &config.signing_jwk {
        Some(jwk) => Signer::from_jwk(&parse(jwk)?)?,
        None => Signer::new_es256()?,
    };
    let initial = config
        .clients
        .into_iter()
        .map(Registered::new)
        .collect::<Result<Vec<_>, _>>()?;
    let sts = Arc::new(Sts {
        issuer: format!("{scheme}://{}:{}", config.host, address.port()),
        token_lifetime: config.token_lifetime,
        strict: config.strict,
        journal: context.journal.clone(),
        clock: context.clock.clone(),
        seed: context.seed.fork("helseid"),
        state: Mutex::new(State {
            signer: Arc::new(signer),
            clients: by_id(&initial),
            nonces: Memory::new(config.nonce_lifetime),
            assertions: Memory::new(REPLAY_WINDOW),
            proofs: Memory::new(REPLAY_WINDOW),
            skew: time::Duration::ZERO,
        }),
    });
    let http = HttpConfig {
        part: Part::Helseid,
        tls,
        body_limit: REQUEST_LIMIT,
        // Requests carry assertions and answers carry tokens.
        record_bodies: false,
    };
    let served = Arc::clone(&sts);
    let server = serve(http, listener, context, move |exchange| {
        std::future::ready(answer(&served, &exchange))
    })?;
    Ok(Handle {
        server,
        sts,
        initial,
    })
}

impl Handle {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// The issuer, `https://localhost:<port>`: begin of every address, `aud` of client assertions and `iss` of tokens.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.sts.issuer
    }

    /// What resource servers ask about access tokens.
    #[must_use]
    pub fn access_tokens(&self) -> Arc<dyn AccessTokens> {
        Arc::new(Judge(Arc::clone(&self.sts)))
    }

    /// Registers a client, or replaces the one with the same id.
    ///
    /// # Errors
    /// [`KeyError`] when one of its keys is not a usable public key.
    pub fn register_client(&self, client: Client) -> Result<(), KeyError> {
        let registered = Arc::new(Registered::new(client)?);
        let id = registered.client.client_id.clone();
        self.sts.state().clients.insert(id, registered);
        Ok(())
    }

    /// Takes a client away; tells whether there was one. Its tokens stay valid.
    pub fn remove_client(&self, client_id: &str) -> bool {
        self.sts.state().clients.remove(client_id).is_some()
    }

    /// Signs with a fresh key from now on and withdraws the old one at once: tokens in use are refused
    /// (contract 05 section 1.12, `emergency`).
    ///
    /// # Errors
    /// [`KeyError::Generation`] when no key could be made.
    pub fn replace_signing_key(&self) -> Result<(), KeyError> {
        let signer = Arc::new(Signer::new_es256()?);
        self.sts.state().signer = signer;
        Ok(())
    }

    /// Sets the service's clock off by this much (contract 05 section 1.13, `sts-clock-skew`).
    pub fn skew_clock(&self, by: time::Duration) {
        self.sts.state().skew = by;
    }

    /// Closes the listener and every connection: clients are refused by the operating system.
    pub fn go_down(&self) {
        self.server.refuse();
    }

    /// Listens again at the same address.
    pub fn come_back(&self) {
        self.server.resume();
    }

    /// Brings clients, nonces, replay memory and clock back to how they were at the start, and listens. The signing key
    /// stays, so that tokens in use stay valid.
    pub fn reset(&self) {
        let mut state = self.sts.state();
        state.clients = by_id(&self.initial);
        state.nonces.clear();
        state.assertions.clear();
        state.proofs.clear();
        state.skew = time::Duration::ZERO;
        drop(state);
        self.server.resume();
    }
}

impl Sts {
    pub(crate) fn token_endpoint(&self) -> String {
        format!("{}{TOKEN_PATH}", self.issuer)
    }

    /// The service's time in seconds since 1970.
    pub(crate) fn unix_now(&self) -> f64 {
        let skew = self.state().skew;
        let now = self.clock.wall().saturating_add(skew);
        now.unix_timestamp_nanos() as f64 / 1e9
    }

    /// How old a proof may be and how far in the future, in seconds (contract 05 section 1.8).
    pub(crate) fn proof_window(&self) -> (f64, f64) {
        if self.strict { (6.0, 5.0) } else { (15.0, 5.0) }
    }

    pub(crate) fn client(&self, id: &str) -> Option<Arc<Registered>> {
        self.state().clients.get(id).cloned()
    }

    pub(crate) fn signer(&self) -> Arc<Signer> {
        Arc::clone(&self.state().signer)
    }

    pub(crate) fn first_use_of_assertion(&self, client_id: &str, jti: &str) -> bool {
        let now = self.clock.now();
        self.state().assertions.remember(&[client_id, jti], now)
    }

    pub(crate) fn first_use_of_proof(&self, proof: &Proof) -> bool {
        let now = self.clock.now();
        let key = [proof.thumbprint.as_str(), proof.jti.as_str()];
        self.state().proofs.remember(&key, now)
    }

    pub(crate) fn nonce_is_good(&self, client_id: &str, nonce: &str) -> bool {
        let now = self.clock.now();
        self.state().nonces.knows(&[client_id, nonce], now)
    }

    pub(crate) fn new_nonce(&self, client_id: &str) -> String {
        let bytes = [self.seed.next_u64(), self.seed.next_u64()].map(u64::to_be_bytes);
        let nonce = encode(bytes.concat());
        let now = self.clock.now();
        self.state().nonces.remember(&[client_id, &nonce], now);
        nonce
    }

    /// 32 upper-case hex digits, as the real service writes ids.
    pub(crate) fn random_id(&self) -> String {
        format!("{:016X}{:016X}", self.seed.next_u64(), self.seed.next_u64())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn by_id(clients: &[Registered]) -> BTreeMap<String, Arc<Registered>> {
    let clients = clients.iter();
    clients
        .map(|registered| {
            let id = registered.client.client_id.clone();
            (id, Arc::new(registered.clone()))
        })
        .collect()
}

fn answer(sts: &Sts, exchange: &Exchange) -> Answer {
    let wrong = exchange.artefact.as_deref().unwrap_or_default();
    if !wrong.is_empty() && !WRONG_ANSWERS.contains(&wrong) {
        let text = format!("the token service knows no faulty answer '{wrong}'");
        sts.journal.record(Part::Runner, Event::Note { text });
        return Answer::empty(StatusCode::INTERNAL_SERVER_ERROR);
    }
    if wrong == "not-json" {
        let page = "<html><body><h1>502 Bad Gateway</h1></body></html>";
        return Answer::new(StatusCode::BAD_GATEWAY, "text/html", page);
    }
    let mut answer = route(sts, exchange, wrong);
    if wrong == "truncated" {
        let body = answer.response.body_mut();
        body.truncate(body.len() / 2);
    }
    answer
}

fn route(sts: &Sts, exchange: &Exchange, wrong: &str) -> Answer {
    let allowed = match exchange.path() {
        TOKEN_PATH => Method::POST,
        DISCOVERY_PATH | JWKS_PATH => Method::GET,
        _ => return Answer::empty(StatusCode::NOT_FOUND),
    };
    if exchange.method != allowed {
        return Answer::empty(StatusCode::METHOD_NOT_ALLOWED)
            .with_header(header::ALLOW, allowed.as_str());
    }
    match exchange.path() {
        TOKEN_PATH => endpoint::answer(sts, exchange),
        DISCOVERY_PATH => document(sts),
        _ => key_set(sts, wrong),
    }
}
