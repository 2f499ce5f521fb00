//! The discovery document and the key set (contract 05 section 1.3).

use serde_json::{Value, json};
use testbed::http::{Answer, StatusCode, header};

use crate::config::SCOPES;
use crate::jws::ALGORITHMS;
use crate::service::Sts;

/// Path of the discovery document below the issuer.
pub(crate) const DISCOVERY_PATH: &str = "/.well-known/openid-configuration";
/// Path of the key set.
pub(crate) const JWKS_PATH: &str = "/.well-known/openid-configuration/jwks";
/// Path of the token endpoint.
pub(crate) const TOKEN_PATH: &str = "/connect/token";

/// The discovery document. It names what is served here, and besides that only what strict readers demand:
/// `authorization_endpoint` and the members on subjects, responses and id tokens.
pub(crate) fn document(sts: &Sts) -> Answer {
    let issuer = &sts.issuer;
    let algorithms = ALGORITHMS.map(|(name, _)| name);
    let mut id_token = vec!["RS256"];
    let own = sts.signer().algorithm.name();
    if !id_token.contains(&own) {
        id_token.push(own);
    }
    kept(json!({
        "issuer": issuer,
        "jwks_uri": format!("{issuer}{JWKS_PATH}"),
        "authorization_endpoint": format!("{issuer}/connect/authorize"),
        "token_endpoint": sts.token_endpoint(),
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "form_post"],
        "subject_types_supported": ["public"],
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": algorithms,
        "dpop_signing_alg_values_supported": algorithms,
        "id_token_signing_alg_values_supported": id_token,
        "code_challenge_methods_supported": ["S256"],
        "scopes_supported": SCOPES,
    }))
}

/// The public key of the service.
pub(crate) fn key_set(sts: &Sts, wrong: &str) -> Answer {
    let signer = sts.signer();
    let mut key = signer.public.to_json();
    key["alg"] = signer.algorithm.name().into();
    kept(match wrong {
        "jwks-empty" => json!({"keys": []}),
        _ => json!({"keys": [key]}),
    })
}

fn kept(body: Value) -> Answer {
    Answer::new(StatusCode::OK, "application/json", body.to_string())
        .with_header(header::CACHE_CONTROL, "public, max-age=86400")
}
