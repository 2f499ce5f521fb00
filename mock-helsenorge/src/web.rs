//! HTTP as helsenorge uses it: SOAP with Basic towards the register, plain GET for revocation lists and issuing CAs.

use std::time::Duration;

use nhn_model::register::{CONTENT_TYPE as XML, Service, SoapRequest};
use reqwest::header::CONTENT_TYPE;
use testbed::Clock;

use crate::config::{RegisterAccount, StartError};

/// Begins the name under which helsenorge asks; faults of the register that are meant for others leave it alone.
const USER_AGENT: &str = concat!("mock-helsenorge/", env!("CARGO_PKG_VERSION"));
/// Limit of a question to the register.
const REGISTER_LIMIT: Duration = Duration::from_secs(3);
/// Most bytes of an answer of the register.
const REGISTER_ANSWER: usize = 4 * 1024 * 1024;
/// Limit of a download from a CA: contract 03 section 0.3 recommends 1 s, a slow machine gets more.
const CA_LIMIT: Duration = Duration::from_secs(2);
/// Most bytes of a revocation list or certificate.
const CA_ANSWER: usize = 32 * 1024 * 1024;

/// An HTTP client with helsenorge's trust and limits.
#[derive(Clone, Debug)]
pub(crate) struct Web {
    client: reqwest::Client,
    clock: Clock,
}

impl Web {
    pub(crate) fn new(trust_pem: &str, clock: Clock) -> Result<Self, StartError> {
        let failed = |problem: reqwest::Error| StartError::Http(problem.to_string());
        let roots = reqwest::Certificate::from_pem_bundle(trust_pem.as_bytes()).map_err(failed)?;
        let client = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .tls_certs_only(roots)
            .redirect(reqwest::redirect::Policy::limited(3))
            .no_proxy()
            .build()
            .map_err(failed)?;
        Ok(Self { client, clock })
    }

    /// Asks a service of the register; a SOAP fault is an answer, too.
    pub(crate) async fn ask(
        &self,
        account: &RegisterAccount,
        request: SoapRequest,
    ) -> Result<Vec<u8>, String> {
        let url = match request.service {
            Service::Register => &account.address_register,
            Service::Cppa => &account.cppa,
        };
        let call = self
            .client
            .post(url)
            .basic_auth(&account.username, Some(account.password.reveal()))
            .header(CONTENT_TYPE, XML)
            .header("SOAPAction", request.soap_action())
            .body(request.body);
        let exchange = async {
            let answer = call.send().await.map_err(|problem| chain(&problem))?;
            let status = answer.status().as_u16();
            let body = bounded(answer, REGISTER_ANSWER).await?;
            // SOAP 1.1 carries faults in answers with status 500.
            match status {
                200 | 500 if !body.is_empty() => Ok(body),
                other => Err(format!("HTTP status {other}")),
            }
        };
        self.within(REGISTER_LIMIT, exchange).await
    }

    /// Fetches what a CA offers.
    pub(crate) async fn fetch(&self, url: &str) -> Result<Vec<u8>, String> {
        let exchange = async {
            let answer = self.client.get(url).send().await;
            let answer = answer.map_err(|problem| chain(&problem))?;
            match answer.status().as_u16() {
                200 => bounded(answer, CA_ANSWER).await,
                other => Err(format!("HTTP status {other}")),
            }
        };
        self.within(CA_LIMIT, exchange).await
    }

    async fn within<T>(
        &self,
        limit: Duration,
        exchange: impl Future<Output = Result<T, String>>,
    ) -> Result<T, String> {
        self.clock
            .timeout(limit, exchange)
            .await
            .map_err(|late| late.to_string())?
    }
}

async fn bounded(mut answer: reqwest::Response, most: usize) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|problem| chain(&problem))? {
        if bytes.len() + chunk.len() > most {
            return Err(format!("the answer is longer than {most} bytes"));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// The problem with its causes: reqwest's own text names the URL only.
fn chain(problem: &dyn std::error::Error) -> String {
    let mut text = problem.to_string();
    let mut cause = problem.source();
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    text
}
