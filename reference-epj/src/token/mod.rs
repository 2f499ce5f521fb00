//! Access tokens of HelseID (contract 05 sections 1.3 to 1.9): client credentials, a signed assertion, DPoP.
//!
//! The token endpoint always gets a proof, so that the token is bound to the key; CPPA REST version 1 takes such a
//! token under `Bearer` as well (contract 05 section 1.11, R9).

mod key;

use std::time::Duration;

use reqwest::Client;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;
use tokio::time::Instant;

pub(crate) use self::key::{ClientKey, Proven};
use crate::clock;
use crate::environment::Helseid;
use crate::http::{self, Answer, HttpError, SetupError};

/// Most bytes of an answer.
const LONGEST_ANSWER: usize = 256 * 1024;
/// Longest wait for an answer.
const LIMIT: Duration = Duration::from_secs(10);
/// How long the discovery document is used (contract 05 section 1.3, FK2).
const DISCOVERY_KEPT: Duration = Duration::from_secs(24 * 60 * 60);
/// A token is given up this long before it expires.
const MARGIN: Duration = Duration::from_secs(10);

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Why there is no token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TokenError {
    /// HelseID does not answer.
    #[error("HelseID: {0}")]
    Http(#[from] HttpError),
    /// It answers something else.
    #[error("HelseID answers {status} with something unreadable")]
    Unreadable { status: u16 },
    /// It speaks for somebody else.
    #[error("HelseID's discovery document names the issuer {0:?}")]
    OtherIssuer(String),
    /// It refuses.
    #[error("HelseID refuses with {status} {error}: {description}")]
    Refused {
        status: u16,
        error: String,
        description: String,
    },
    /// The own key cannot sign.
    #[error("no client assertion: {0}")]
    Key(String),
}

/// The client; one token at a time, kept until shortly before it expires.
pub(crate) struct TokenClient {
    http: Client,
    settings: Helseid,
    scope: String,
    key: ClientKey,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    discovery: Option<(Discovery, Instant)>,
    token: Option<(String, Instant)>,
    nonce: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
struct Discovery {
    issuer: String,
    token_endpoint: String,
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    expires_in: u32,
}

#[derive(Default, Deserialize)]
struct Refusal {
    #[serde(default)]
    error: String,
    #[serde(default)]
    error_description: String,
}

impl TokenClient {
    pub(crate) fn new(http: Client, settings: &Helseid, scope: &str) -> Result<Self, SetupError> {
        let path = &settings.jwk_file;
        let key =
            ClientKey::from_jwk(&http::read_file(path)?).map_err(|reason| SetupError::Content {
                path: path.clone(),
                reason,
            })?;
        Ok(Self {
            http,
            settings: settings.clone(),
            scope: scope.to_owned(),
            key,
            state: Mutex::default(),
        })
    }

    /// The key that tokens are bound to.
    pub(crate) fn key(&self) -> &ClientKey {
        &self.key
    }

    /// A token that is still good for a while. Callers at the same time wait for one request.
    pub(crate) async fn token(&self) -> Result<String, TokenError> {
        let mut state = self.state.lock().await;
        let now = clock::instant();
        if let Some((token, until)) = &state.token
            && now < *until
        {
            return Ok(token.clone());
        }
        state.token = None;
        let granted = self.request(&mut state).await?;
        let life = Duration::from_secs(granted.expires_in.into());
        let until = now + life - MARGIN.min(life / 2);
        state.token = Some((granted.access_token.clone(), until));
        Ok(granted.access_token)
    }

    /// Gives a token up that somebody has refused (contract 05 section 1.12).
    pub(crate) async fn drop_token(&self, refused: &str) {
        let mut state = self.state.lock().await;
        if state
            .token
            .as_ref()
            .is_some_and(|(token, _)| token == refused)
        {
            state.token = None;
        }
    }

    /// One token request, repeated once with the nonce that the answer demands (contract 05 section 1.8).
    async fn request(&self, state: &mut State) -> Result<Granted, TokenError> {
        let discovery = self.discovery(state).await?;
        let mut answer = self.post(&discovery, state.nonce.as_deref()).await?;
        if challenged(&answer) {
            state.nonce = fresh_nonce(&answer);
            answer = self.post(&discovery, state.nonce.as_deref()).await?;
        }
        if let Some(nonce) = fresh_nonce(&answer) {
            state.nonce = Some(nonce);
        }
        if answer.status.is_success() {
            return read(&answer);
        }
        let refusal: Refusal = serde_json::from_slice(&answer.body).unwrap_or_default();
        Err(TokenError::Refused {
            status: answer.status.as_u16(),
            error: refusal.error,
            description: refusal.error_description,
        })
    }

    async fn post(&self, discovery: &Discovery, nonce: Option<&str>) -> Result<Answer, TokenError> {
        let now = clock::now();
        let client_id = &self.settings.client_id;
        let assertion = self
            .key
            .assertion(client_id, &discovery.issuer, now)
            .map_err(TokenError::Key)?;
        let url = discovery.token_endpoint.as_str();
        let proven = Proven {
            method: "POST",
            url,
            nonce,
            token: None,
        };
        let proof = self.key.proof(&proven, now).map_err(TokenError::Key)?;
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", client_id),
            ("scope", &self.scope),
            ("client_assertion_type", ASSERTION_TYPE),
            ("client_assertion", &assertion),
        ];
        let request = self.http.post(url).header("DPoP", proof).form(&form);
        Ok(http::send(request, LONGEST_ANSWER, LIMIT).await?)
    }

    async fn discovery(&self, state: &mut State) -> Result<Discovery, TokenError> {
        let now = clock::instant();
        if let Some((discovery, until)) = &state.discovery
            && now < *until
        {
            return Ok(discovery.clone());
        }
        let issuer = self.settings.issuer.as_str();
        let base = issuer.trim_end_matches('/');
        let request = self
            .http
            .get(format!("{base}/.well-known/openid-configuration"));
        let answer = http::send(request, LONGEST_ANSWER, LIMIT).await?;
        let discovery: Discovery = read(&answer)?;
        if discovery.issuer != issuer {
            return Err(TokenError::OtherIssuer(discovery.issuer));
        }
        state.discovery = Some((discovery.clone(), now + DISCOVERY_KEPT));
        Ok(discovery)
    }
}

fn read<T: DeserializeOwned>(answer: &Answer) -> Result<T, TokenError> {
    let unreadable = TokenError::Unreadable {
        status: answer.status.as_u16(),
    };
    if !answer.status.is_success() {
        return Err(unreadable);
    }
    serde_json::from_slice(&answer.body).map_err(|_| unreadable)
}

/// Whether the answer asks for a proof with its nonce.
fn challenged(answer: &Answer) -> bool {
    let refusal: Refusal = serde_json::from_slice(&answer.body).unwrap_or_default();
    answer.status.is_client_error()
        && refusal.error == "use_dpop_nonce"
        && fresh_nonce(answer).is_some()
}

/// The nonce for the next proof.
pub(crate) fn fresh_nonce(answer: &Answer) -> Option<String> {
    answer.header("dpop-nonce").map(str::to_owned)
}

#[cfg(test)]
pub(crate) mod tests;
