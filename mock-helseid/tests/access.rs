//! The judgement of access tokens for a resource server (contract 05 section 1.11), and the tokens themselves as an
//! independent library sees them.
#![expect(clippy::unwrap_used, reason = "a test ends where it goes wrong")]

mod common;

use std::time::Duration;

use common::key::{TestKey, decode, encode};
use common::{CLIENT, SCOPE, Service, changed, fresh_id};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Validation};
use mock_helseid::new_client_key;
use serde_json::{Value, json};
use testbed::token::{TokenRefusal, TokenScheme};

const URL: &str = "https://localhost:8443/v2/Profiles/8900011";

fn proof_claims(service: &Service, token: &str) -> Value {
    json!({"jti": fresh_id(), "htm": "GET", "htu": URL, "iat": service.now(),
        "ath": encode(openssl::sha::sha256(token.as_bytes()))})
}

fn verify(service: &Service, token: &str, header: &Value, claims: &Value) -> Result<(), String> {
    let proof = service.key.sign(header, claims);
    let judged = service.handle.access_tokens().verify(
        &format!("DPoP {token}"),
        Some(&proof),
        "GET",
        &format!("{URL}?x=1"),
    );
    judged.map(|_| ()).map_err(|refusal| refusal.to_string())
}

#[tokio::test]
async fn an_independent_library_accepts_token_and_key_set() {
    let rsa = new_client_key().unwrap();
    for signing_jwk in [None, Some(rsa.private_jwk_json)] {
        let own = signing_jwk.is_some();
        let service = Service::with(TestKey::es256("K1"), |config| {
            config.signing_jwk = signing_jwk;
        })
        .await;
        let token = service.token().await;
        let document = service
            .get("/.well-known/openid-configuration")
            .await
            .json();
        let issuer = service.handle.issuer();
        assert_eq!(document["issuer"], issuer);
        let path = document["jwks_uri"].as_str().unwrap();
        let keys = service.get(path.strip_prefix(issuer).unwrap()).await;
        assert_eq!(keys.header("content-type"), Some("application/json"));
        let keys: JwkSet = serde_json::from_str(&keys.body).unwrap();
        let header = jsonwebtoken::decode_header(&token).unwrap();
        assert_eq!(header.typ.as_deref(), Some("at+jwt"));
        let key = keys.find(header.kid.as_deref().unwrap()).unwrap();
        let mut validation = Validation::new(header.alg);
        validation.set_issuer(&[issuer]);
        validation.set_audience(&["nhn:cppa"]);
        validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud"]);
        let key = DecodingKey::from_jwk(key).unwrap();
        let read = jsonwebtoken::decode::<Value>(&token, &key, &validation).unwrap();
        let claims = read.claims;
        assert_eq!(claims["client_id"], CLIENT);
        assert_eq!(claims["scope"], json!([SCOPE]));
        assert_eq!(claims["cnf"]["jkt"], service.key.thumbprint());
        let lifetime = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
        assert_eq!(lifetime, 600);
        let expected = if own { "PS256" } else { "ES256" };
        assert_eq!(decode(&token).0["alg"], expected);
        service.stop().await;
    }
}

#[tokio::test]
async fn a_token_is_taken_in_both_schemes() {
    let service = Service::start().await;
    let token = service.token().await;
    let tokens = service.handle.access_tokens();
    let bearer = tokens.verify(&format!("Bearer {token}"), None, "GET", URL);
    let bearer = bearer.unwrap();
    assert_eq!(bearer.scheme, TokenScheme::Bearer);
    assert_eq!(bearer.client_id, CLIENT);
    assert_eq!(
        bearer.require(TokenScheme::Bearer, "nhn:cppa", SCOPE),
        Ok(())
    );
    let (header, claims) = (service.proof_header(), proof_claims(&service, &token));
    assert_eq!(verify(&service, &token, &header, &claims), Ok(()));
    let again = verify(&service, &token, &header, &claims).unwrap_err();
    assert!(again.contains("used before"), "{again}");
    service.stop().await;
}

#[tokio::test]
async fn proofs_out_of_order_are_refused() {
    let service = Service::start().await;
    let token = service.token().await;
    let now = service.now();
    let header = service.proof_header();
    for (name, value, says) in [
        (
            "htu",
            json!("https://localhost:8443/v2Profiles/8900011"),
            "'htu' is",
        ),
        ("htm", json!("POST"), "'htm' is"),
        ("ath", Value::Null, "'ath'"),
        (
            "ath",
            json!(encode(openssl::sha::sha256(b"other"))),
            "'ath'",
        ),
        ("iat", json!(now - 20), "at most 15 s"),
        ("iat", json!(now + 20), "in the future"),
        ("jti", Value::Null, "'jti'"),
    ] {
        let claims = changed(&proof_claims(&service, &token), name, value);
        let refused = verify(&service, &token, &header, &claims).unwrap_err();
        assert!(refused.contains(says), "{says}: {refused}");
        assert!(refused.starts_with("the DPoP proof is not valid"));
    }
    let claims = proof_claims(&service, &token);
    let stranger = TestKey::es256("K1");
    let header = changed(&header, "jwk", stranger.public_jwk());
    let proof = stranger.sign(&header, &claims);
    let tokens = service.handle.access_tokens();
    let judged = tokens.verify(&format!("DPoP {token}"), Some(&proof), "GET", URL);
    let refused = judged.unwrap_err().to_string();
    assert!(
        refused.contains("the one that the token is bound to"),
        "{refused}"
    );
    let judged = tokens.verify(&format!("DPoP {token}"), None, "GET", URL);
    assert!(matches!(judged, Err(TokenRefusal::InvalidProof(_))));
    service.stop().await;
}

#[tokio::test]
async fn tokens_of_others_and_old_ones_are_refused() {
    let service = Service::start().await;
    let token = service.token().await;
    let tokens = service.handle.access_tokens();
    let bearer = |token: &str| tokens.verify(&format!("Bearer {token}"), None, "GET", URL);
    let (header, claims) = decode(&token);
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let altered = changed(&claims, "scope", json!(["nhn:cppa/admin"])).to_string();
    let unsigned = changed(&header, "alg", "none".into()).to_string();
    for forged in [
        TestKey::es256("K1").sign(&header, &claims),
        format!(
            "{}.{}.{signature}",
            encode(header.to_string()),
            encode(altered)
        ),
        format!("{}.{}.", encode(unsigned), encode(claims.to_string())),
        format!("{signed}."),
        service.assertion(),
        "not-a-token".into(),
        String::new(),
    ] {
        let judged = bearer(&forged);
        assert!(
            matches!(judged, Err(TokenRefusal::InvalidToken(_))),
            "{forged} {judged:?}"
        );
    }
    for (authorization, expected) in [
        ("", TokenRefusal::MissingToken),
        ("  ", TokenRefusal::MissingToken),
        ("Bearer", TokenRefusal::MissingToken),
        ("Basic eDp5", TokenRefusal::WrongScheme),
    ] {
        assert_eq!(
            tokens.verify(authorization, None, "GET", URL),
            Err(expected)
        );
    }
    assert!(bearer(&token).is_ok());
    service.context.clock.advance(Duration::from_secs(606));
    let judged = bearer(&token).unwrap_err().to_string();
    assert!(judged.contains("expired"), "{judged}");
    service.stop().await;
}

#[tokio::test]
async fn a_withdrawn_signing_key_makes_tokens_worthless() {
    let service = Service::start().await;
    let old = service.token().await;
    service.handle.replace_signing_key().unwrap();
    let new = service.token().await;
    let tokens = service.handle.access_tokens();
    let judge = |token: &str| tokens.verify(&format!("Bearer {token}"), None, "GET", URL);
    let refused = judge(&old).unwrap_err();
    assert_eq!(refused.status(), 401);
    assert!(judge(&new).is_ok());
    service.stop().await;
}

#[tokio::test]
async fn a_signature_alone_does_not_make_an_access_token() {
    let own = TestKey::es256("STS");
    let jwk = changed(&own.private_jwk(), "alg", "ES256".into()).to_string();
    let service = Service::with(TestKey::es256("K1"), |config| {
        config.signing_jwk = Some(jwk);
    })
    .await;
    let (header, claims) = decode(&service.token().await);
    let tokens = service.handle.access_tokens();
    let judge = |header: &Value, claims: &Value| {
        let token = own.sign(header, claims);
        let judged = tokens.verify(&format!("Bearer {token}"), None, "GET", URL);
        judged.map(|_| ()).map_err(|refusal| refusal.to_string())
    };
    assert_eq!(judge(&header, &claims), Ok(()));
    let listed = changed(&claims, "aud", json!(["nhn:cppa", "nhn:other"]));
    assert_eq!(judge(&header, &listed), Ok(()), "an audience may be a list");
    let jwt = changed(&header, "typ", "JWT".into());
    assert_eq!(judge(&jwt, &claims), Ok(()), "the older type is taken, too");
    for (name, value, says) in [
        ("aud", Value::Null, "no audience"),
        ("iss", Value::Null, "issuer"),
        ("exp", Value::Null, "no 'exp'"),
        ("exp", json!("never"), "no 'exp'"),
        ("nbf", Value::Null, "not valid yet"),
        ("nbf", json!(service.now() + 30), "not valid yet"),
    ] {
        let refused = judge(&header, &changed(&claims, name, value)).unwrap_err();
        assert!(refused.contains(says), "{name}: {refused}");
    }
    for (name, value, says) in [
        (
            "typ",
            json!("client-authentication+jwt"),
            "not an access token",
        ),
        ("typ", Value::Null, "not an access token"),
        ("kid", Value::Null, "its key"),
        ("kid", json!("another"), "its key"),
    ] {
        let refused = judge(&changed(&header, name, value), &claims).unwrap_err();
        assert!(refused.contains(says), "{name}: {refused}");
    }
    service.stop().await;
}

#[tokio::test]
async fn strict_mode_takes_fresh_proofs_only() {
    for (strict, taken) in [(false, true), (true, false)] {
        let service = Service::with(TestKey::es256("K1"), |config| config.strict = strict).await;
        let token = service.token().await;
        let claims = changed(
            &proof_claims(&service, &token),
            "iat",
            (service.now() - 10).into(),
        );
        let judged = verify(&service, &token, &service.proof_header(), &claims);
        assert_eq!(judged.is_ok(), taken, "{judged:?}");
        service.stop().await;
    }
}
