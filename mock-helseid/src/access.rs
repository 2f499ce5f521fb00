//! The judgement of access tokens for resource servers: R2-R6 and R9-R15 of contract 05 section 1.11.

use std::sync::Arc;

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use testbed::token::{AccessGrant, AccessTokens, TokenRefusal, TokenScheme};

use crate::assertion::LEEWAY;
use crate::dpop;
use crate::jws::{Jws, encode, text_of};
use crate::service::Sts;

/// The token service as resource servers see it.
#[derive(Debug)]
pub(crate) struct Judge(pub(crate) Arc<Sts>);

impl AccessTokens for Judge {
    fn verify(
        &self,
        authorization: &str,
        dpop: Option<&str>,
        method: &str,
        url: &str,
    ) -> Result<AccessGrant, TokenRefusal> {
        let sts = &self.0;
        let now = sts.unix_now();
        let (scheme, token) = presented(authorization)?;
        let claims = check_token(sts, token, now)?;
        if scheme == TokenScheme::Dpop {
            let bound_to = claims.get("cnf").and_then(|cnf| cnf.get("jkt"));
            let bound_to = bound_to.and_then(Value::as_str).ok_or_else(|| {
                TokenRefusal::InvalidToken("it is not bound to a key (no 'cnf.jkt')".into())
            })?;
            check_proof(sts, dpop, method, url, token, bound_to, now)?;
        }
        let text = |name: &str| text_of(&claims, name).map(str::to_owned);
        Ok(AccessGrant {
            scheme,
            client_id: text("client_id").unwrap_or_default(),
            audiences: words(claims.get("aud")),
            scopes: words(claims.get("scope")),
            parent_organization: text("helseid://claims/client/claims/orgnr_parent"),
            child_organization: text("helseid://claims/client/claims/orgnr_child"),
        })
    }
}

fn presented(authorization: &str) -> Result<(TokenScheme, &str), TokenRefusal> {
    if authorization.trim().is_empty() {
        return Err(TokenRefusal::MissingToken);
    }
    let (scheme, token) = authorization
        .split_once(' ')
        .ok_or(TokenRefusal::MissingToken)?;
    let schemes = [TokenScheme::Bearer, TokenScheme::Dpop];
    let known = schemes
        .into_iter()
        .find(|known| known.name().eq_ignore_ascii_case(scheme));
    Ok((known.ok_or(TokenRefusal::WrongScheme)?, token.trim()))
}

/// R2-R6, but for the audience's value, which is the resource's to ask for.
fn check_token(sts: &Sts, token: &str, now: f64) -> Result<Map<String, Value>, TokenRefusal> {
    let invalid = |text: &str| TokenRefusal::InvalidToken(text.to_owned());
    let jws = Jws::read(token).map_err(|error| invalid(&error.to_string()))?;
    let signer = sts.signer();
    if text_of(&jws.header, "kid") != signer.public.kid.as_deref() {
        return Err(invalid(
            "its key is not, or no longer, one of the token service",
        ));
    }
    if jws.algorithm != signer.algorithm || !signer.public.has_signed(&jws) {
        return Err(invalid("its signature is not one of the token service"));
    }
    if !matches!(text_of(&jws.header, "typ"), Some("at+jwt" | "JWT")) {
        return Err(invalid("it is not an access token"));
    }
    if text_of(&jws.claims, "iss") != Some(sts.issuer.as_str()) {
        return Err(invalid("its issuer is another one"));
    }
    if words(jws.claims.get("aud")).is_empty() {
        return Err(invalid("it has no audience"));
    }
    let time = |name: &str| jws.claims.get(name).and_then(Value::as_f64);
    match time("exp") {
        Some(exp) if exp + LEEWAY >= now => {}
        Some(exp) => return Err(invalid(&format!("it expired {:.0} s ago", now - exp))),
        None => return Err(invalid("it has no 'exp'")),
    }
    if time("nbf").is_none_or(|nbf| nbf > now + LEEWAY) {
        return Err(invalid("it is not valid yet, or has no 'nbf'"));
    }
    Ok(jws.claims)
}

/// R10-R15.
fn check_proof(
    sts: &Sts,
    dpop: Option<&str>,
    method: &str,
    url: &str,
    token: &str,
    bound_to: &str,
    now: f64,
) -> Result<(), TokenRefusal> {
    let invalid = |text: &str| TokenRefusal::InvalidProof(text.to_owned());
    let text = dpop.ok_or_else(|| invalid("the header DPoP is missing"))?;
    let proof = dpop::read(text, method, url).map_err(TokenRefusal::InvalidProof)?;
    if proof.thumbprint != bound_to {
        return Err(invalid("its key is not the one that the token is bound to"));
    }
    let hash = encode(Sha256::digest(token));
    if proof.token_hash.as_deref() != Some(hash.as_str()) {
        return Err(invalid(
            "its 'ath' is not the base64url SHA-256 of the access token",
        ));
    }
    let (behind, ahead) = sts.proof_window();
    proof
        .check_time(now, behind, ahead)
        .map_err(TokenRefusal::InvalidProof)?;
    if !sts.first_use_of_proof(&proof) {
        return Err(invalid(
            "it was used before; make a new one for every request",
        ));
    }
    Ok(())
}

/// A claim that is one text with words, or a list of words.
fn words(claim: Option<&Value>) -> Vec<String> {
    match claim {
        Some(Value::String(text)) => text.split_whitespace().map(str::to_owned).collect(),
        Some(Value::Array(list)) => list
            .iter()
            .filter_map(|word| word.as_str().map(str::to_owned))
            .collect(),
        _ => Vec::new(),
    }
}
