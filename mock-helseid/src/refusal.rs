//! OAuth errors (RFC 6749 section 5.2, RFC 9449 section 5) and what is only frowned upon.

use serde_json::json;
use testbed::http::{Answer, HeaderName, StatusCode, header};

/// The code of an OAuth error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    InvalidRequest,
    InvalidClient,
    InvalidScope,
    InvalidDpopProof,
    UnsupportedGrantType,
    UseDpopNonce,
    ServerError,
}

/// Why no token is issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: Code,
    /// What is wrong and what to change, for the developer of the client.
    pub(crate) description: String,
    /// The nonce that the client is to use, only ever with [`Code::UseDpopNonce`] (contract 05 section 1.8).
    pub(crate) nonce: Option<String>,
}

/// What was let through although it should be different.
pub(crate) type Findings = Vec<String>;

impl Code {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidDpopProof => "invalid_dpop_proof",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::UseDpopNonce => "use_dpop_nonce",
            Self::ServerError => "server_error",
        }
    }

    /// The refusal with this code.
    pub(crate) fn because(self, description: impl Into<String>) -> Refusal {
        Refusal {
            code: self,
            description: description.into(),
            nonce: None,
        }
    }
}

impl Refusal {
    /// The answer: status 400 for every OAuth error (contract 05 section 1.5).
    pub(crate) fn answer(&self) -> Answer {
        let body = json!({"error": self.code.name(), "error_description": self.description});
        let status = match self.code {
            Code::ServerError => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        };
        let answer = not_stored(Answer::new(status, "application/json", body.to_string()));
        match &self.nonce {
            Some(nonce) => answer.with_header(HeaderName::from_static("dpop-nonce"), nonce),
            None => answer,
        }
    }
}

/// Marks an answer of the token endpoint as nothing to keep.
pub(crate) fn not_stored(answer: Answer) -> Answer {
    answer
        .with_header(header::CACHE_CONTROL, "no-store")
        .with_header(header::PRAGMA, "no-cache")
}
