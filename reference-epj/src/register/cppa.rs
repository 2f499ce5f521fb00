//! CPPA REST: profiles and agreements (contract 02 section 4.1).

use std::time::Duration;

use nhn_model::cppa::{Agreement, Profile, read_agreement, read_profile};
use reqwest::{Client, StatusCode};
use uuid::Uuid;

use super::LookupError;
use crate::cli::CppaVersion;
use crate::clock;
use crate::environment::Environment;
use crate::http::{self, Answer, SetupError};
use crate::token::{Proven, TokenClient, fresh_nonce};

/// Most bytes of a document.
const LONGEST_ANSWER: usize = 4 * 1024 * 1024;
/// Longest wait for one answer.
const LIMIT: Duration = Duration::from_secs(10);

/// The client of one version of the interface.
pub(super) struct CppaClient {
    http: Client,
    base: String,
    version: CppaVersion,
    tokens: TokenClient,
}

impl CppaClient {
    pub(super) fn new(
        http: Client,
        environment: &Environment,
        version: CppaVersion,
    ) -> Result<Self, SetupError> {
        let (base, scope) = match version {
            CppaVersion::V1 => (&environment.cppa.v1, &environment.helseid.scopes.v1),
            CppaVersion::V2 => (&environment.cppa.v2, &environment.helseid.scopes.v2),
        };
        Ok(Self {
            tokens: TokenClient::new(http.clone(), &environment.helseid, scope)?,
            http,
            // Without the final slash the paths below would not be below it.
            base: format!("{}/", base.trim_end_matches('/')),
            version,
        })
    }

    /// The agreement between two parties, if there is one.
    pub(super) async fn agreement_with(
        &self,
        own: u32,
        other: u32,
    ) -> Result<Option<Agreement>, LookupError> {
        let document = self
            .document(&format!("Agreements/HerIds/{own}/{other}"))
            .await?;
        document
            .map(|xml| read_agreement(&xml).map_err(unusable))
            .transpose()
    }

    /// An agreement by its id.
    pub(super) async fn agreement(&self, id: Uuid) -> Result<Option<Agreement>, LookupError> {
        let document = self.document(&format!("Agreements/{id}")).await?;
        document
            .map(|xml| read_agreement(&xml).map_err(unusable))
            .transpose()
    }

    /// A party's profile.
    pub(super) async fn profile(&self, her_id: u32) -> Result<Option<Profile>, LookupError> {
        let document = self.document(&format!("Profiles/{her_id}")).await?;
        document
            .map(|xml| read_profile(&xml).map_err(unusable))
            .transpose()
    }

    /// A document; none when CPPA says that there is none. A refused token is replaced once (contract 05 section 1.12).
    async fn document(&self, path: &str) -> Result<Option<Vec<u8>>, LookupError> {
        let mut token = self.token().await?;
        let mut answer = self.get(path, &token, None).await?;
        if answer.status == StatusCode::UNAUTHORIZED {
            let nonce = fresh_nonce(&answer);
            if nonce.is_none() {
                self.tokens.drop_token(&token).await;
                token = self.token().await?;
            }
            answer = self.get(path, &token, nonce.as_deref()).await?;
        }
        match answer.status {
            StatusCode::OK => Ok(Some(answer.body)),
            // GF-2, GF-8, GF-9, GF-10: no such party, profile, agreement, or nothing in common.
            StatusCode::NOT_FOUND | StatusCode::BAD_REQUEST => Ok(None),
            other => Err(LookupError::Unavailable(format!(
                "CPPA answers HTTP {}",
                other.as_u16()
            ))),
        }
    }

    async fn token(&self) -> Result<String, LookupError> {
        let token = self.tokens.token().await;
        token.map_err(|error| LookupError::Unavailable(error.to_string()))
    }

    async fn get(
        &self,
        path: &str,
        token: &str,
        nonce: Option<&str>,
    ) -> Result<Answer, LookupError> {
        let url = format!("{}{path}", self.base);
        let request = self.http.get(&url).header("accept", "application/xml");
        let request = match self.version {
            CppaVersion::V1 => request.bearer_auth(token),
            CppaVersion::V2 => {
                let proven = Proven {
                    method: "GET",
                    url: &url,
                    nonce,
                    token: Some(token),
                };
                let proof = self.tokens.key().proof(&proven, clock::now());
                request
                    .header("authorization", format!("DPoP {token}"))
                    .header("DPoP", proof.map_err(LookupError::Unavailable)?)
            }
        };
        http::send(request, LONGEST_ANSWER, LIMIT)
            .await
            .map_err(|error| LookupError::Unavailable(format!("CPPA: {error}")))
    }
}

/// A document that cannot be read is the same as none that came: the next one may be whole.
fn unusable(error: impl std::fmt::Display) -> LookupError {
    LookupError::Unavailable(format!("CPPA's document: {error}"))
}
