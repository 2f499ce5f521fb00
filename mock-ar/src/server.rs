//! The listener: which path leads where.

use std::sync::Arc;

use testbed::Context;
use testbed::evidence::{Event, Part};
use testbed::http::{Answer, Exchange, HttpConfig, serve};
use testbed::listener::BindError;
use testbed::tls::acceptor;
use tokio::net::TcpListener;

use crate::account::Accounts;
use crate::config::{ArConfig, StartError, TokenPolicy};
use crate::handle::ArHandle;
use crate::registry::Registry;
use crate::registry::agreement::{Agreement, NoAgreement};
use crate::{rest, soap};

/// Names of faulty answers that the register understands as a fault of the kind `Artefact`, on SOAP and REST alike:
/// - `empty-result`: a nil result or an empty body (contract 02 section 2.5);
/// - `generic-fault`: a fault or problem with a code that no client knows (F-6);
/// - `soap-fault`: a fault without detail, on REST a status 500 with an HTML body (F-5, F-21);
/// - `unauthorized`: status 401 with a challenge, whatever the credentials (F-3);
/// - `truncated`: a document that ends in the middle (F-18).
pub const WRONG_ANSWERS: [&str; 5] = [
    "empty-result",
    "generic-fault",
    "soap-fault",
    "unauthorized",
    "truncated",
];

/// Largest request, in bytes. Requests of clients have some hundred; the limit keeps hostile ones cheap to read.
const REQUEST_LIMIT: usize = 64 * 1024;

/// What a request is answered from.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    pub(crate) registry: Arc<Registry>,
    pub(crate) context: Context,
    pub(crate) tokens: TokenPolicy,
    /// `https` or `http`.
    pub(crate) scheme: &'static str,
}

/// An answer that a fault asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WrongAnswer {
    EmptyResult,
    GenericFault,
    SoapFault,
    Unauthorized,
    Truncated,
    /// A name that the register does not know: answered as an error of ours, so that it does not go unseen.
    Unknown,
}

impl Service {
    /// The wrong answer that the request is to get, if a fault says so.
    fn wrong_answer(&self, exchange: &Exchange) -> Option<WrongAnswer> {
        let name = exchange.artefact.as_deref()?;
        let known = [
            WrongAnswer::EmptyResult,
            WrongAnswer::GenericFault,
            WrongAnswer::SoapFault,
            WrongAnswer::Unauthorized,
            WrongAnswer::Truncated,
        ];
        let found = WRONG_ANSWERS
            .iter()
            .zip(known)
            .find(|(known, _)| **known == name);
        if found.is_none() {
            let text = format!("the register knows no faulty answer '{name}'");
            self.context
                .journal
                .record(Part::Runner, Event::Note { text });
        }
        Some(found.map_or(WrongAnswer::Unknown, |(_, wrong)| wrong))
    }

    /// The agreement in force between two parties; made now if there is none (contract 02 section 5.4).
    pub(crate) fn agreement(&self, a: u32, b: u32) -> Result<Arc<Agreement>, NoAgreement> {
        let now = self.context.clock.wall();
        if let Some(found) = self.registry.read().agreement_in_force(a, b, now) {
            return Ok(Arc::clone(found));
        }
        let id = self.context.seed.uuid();
        let mut state = self.registry.write();
        // Another request may have been faster.
        if let Some(found) = state.agreement_in_force(a, b, now) {
            return Ok(Arc::clone(found));
        }
        state.agree(&self.registry, (a, b), id, now)
    }

    /// Begin of the addresses as the client writes them.
    pub(crate) fn base(&self, exchange: &Exchange) -> String {
        exchange.header("host").map_or_else(
            || self.registry.public_url.clone(),
            |host| format!("{}://{host}", self.scheme),
        )
    }
}

/// Starts the register on a bound listener.
///
/// # Errors
/// [`StartError`] when the TLS identity, the listener or a configured party is not usable.
pub fn start(
    config: ArConfig,
    listener: TcpListener,
    context: Context,
) -> Result<ArHandle, StartError> {
    let address = listener.local_addr().map_err(|source| BindError {
        address: ([0, 0, 0, 0], 0).into(),
        source,
    })?;
    let tls = config.tls.as_ref().map(acceptor).transpose()?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    let registry = Arc::new(Registry::new(
        config.queue_base,
        config.ldap_base,
        format!("{scheme}://{}:{}", config.host, address.port()),
        Accounts::new(config.accounts),
    ));
    let service = Service {
        registry: Arc::clone(&registry),
        context: context.clone(),
        tokens: config.tokens,
        scheme,
    };
    let http = HttpConfig {
        part: Part::Ar,
        tls,
        body_limit: REQUEST_LIMIT,
        record_bodies: true,
    };
    let server = serve(http, listener, context.clone(), move |exchange| {
        let answer = answer(&service, &exchange);
        std::future::ready(answer)
    })?;
    let handle = ArHandle {
        server,
        registry,
        queues: config.queues,
        clock: context.clock,
        journal: context.journal,
        seed: context.seed,
        initial: config.parties.clone(),
    };
    for party in config.parties {
        handle.enter(party)?;
    }
    Ok(handle)
}

/// SOAP paths are compared without regard to case, as the real server does (contract 02 section 1).
fn answer(service: &Service, exchange: &Exchange) -> Answer {
    let wrong = service.wrong_answer(exchange);
    let mut answer = match soap::endpoint(exchange.path()) {
        Some(endpoint) => soap::answer(service, endpoint, exchange, wrong),
        None => rest::answer(service, exchange, wrong),
    };
    if wrong == Some(WrongAnswer::Truncated) {
        let body = answer.response.body_mut();
        body.truncate(body.len() / 2);
    }
    answer
}
