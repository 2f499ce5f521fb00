//! DPoP at the token endpoint: the rules D1-D12 and the life of a nonce (contract 05 section 1.8).
#![expect(clippy::unwrap_used, reason = "a test ends where it goes wrong")]

mod common;

use std::time::Duration;

use common::key::{TestKey, encode};
use common::{CLIENT, SCOPE, Service, changed, form, fresh_id};
use mock_helseid::Client;
use openssl::nid::Nid;
use serde_json::{Value, json};

#[tokio::test]
async fn proofs_out_of_order_are_refused() {
    let service = Service::start().await;
    let nonce = service.nonce().await;
    let now = service.now();
    let (header, claims) = (service.proof_header(), || {
        service.proof_claims(Some(&nonce))
    });
    let stranger = TestKey::es256("K9");
    let mut cases: Vec<(String, &str)> = Vec::new();
    for (name, value, says) in [
        ("htm", json!("GET"), "'htm' is 'GET'"),
        ("htm", json!("post"), "'htm' is 'post'"),
        ("htm", Value::Null, "'htm' is missing"),
        ("htu", json!("https://localhost/other"), "'htu' is 'https"),
        ("htu", json!(service.handle.issuer()), "'htu' is"),
        ("htu", Value::Null, "'htu' is missing"),
        ("iat", json!(now - 90), "at most 60 s"),
        ("iat", json!(now + 30), "in the future"),
        (
            "iat",
            json!(now.to_string()),
            "'iat' is missing or not a number",
        ),
        ("jti", Value::Null, "lacks 'jti'"),
        ("jti", json!(""), "lacks 'jti'"),
        ("jti", json!(7), "lacks 'jti'"),
    ] {
        let claims = changed(&claims(), name, value);
        cases.push((service.key.sign(&header, &claims), says));
    }
    let public = service.key.public_jwk();
    for (name, value, says) in [
        ("typ", json!("JWT"), "'typ' is 'JWT'"),
        ("typ", Value::Null, "'typ' is missing"),
        ("alg", json!("none"), "algorithm 'none'"),
        ("alg", json!("HS256"), "algorithm 'HS256'"),
        ("alg", Value::Null, "lacks 'alg'"),
        ("jwk", Value::Null, "lacks 'jwk'"),
        (
            "jwk",
            service.key.private_jwk(),
            "private or secret member 'd'",
        ),
        (
            "jwk",
            changed(&public, "k", json!("AQ")),
            "private or secret member 'k'",
        ),
        (
            "jwk",
            json!({"kty": "oct", "k": "AQAB"}),
            "private or secret member 'k'",
        ),
        ("jwk", stranger.public_jwk(), "its signature"),
        (
            "jwk",
            TestKey::ec("K", "ES384", Nid::SECP384R1).public_jwk(),
            "its signature",
        ),
        (
            "jwk",
            changed(&public, "x", json!(encode([1; 32]))),
            "its signature",
        ),
        ("jwk", changed(&public, "crv", json!("P-192")), "curve"),
    ] {
        let header = changed(&header, name, value);
        cases.push((service.key.sign(&header, &claims()), says));
    }
    cases.push((String::new(), "three parts"));
    cases.push(("x".repeat(17_000), "longer than"));
    for (proof, says) in cases {
        let reply = service.ask(&service.assertion(), &[&proof]).await;
        assert_eq!(reply.status, 400);
        assert_eq!(reply.error(), "invalid_dpop_proof", "{says}: {reply:?}");
        assert!(reply.description().contains(says), "{says}: {reply:?}");
        assert_eq!(reply.header("dpop-nonce"), None);
    }
    let (one, two) = (service.proof(Some(&nonce)), service.proof(Some(&nonce)));
    let reply = service.ask(&service.assertion(), &[&one, &two]).await;
    assert_eq!(reply.error(), "invalid_dpop_proof");
    assert!(reply.description().contains("more than one"));
    service.stop().await;
}

#[tokio::test]
async fn odd_but_right_proofs_are_accepted() {
    let service = Service::start().await;
    let nonce = service.nonce().await;
    let claims = service.proof_claims(Some(&nonce));
    let header = service.proof_header().to_string();
    let escaped = header.replace("dpop+jwt", "dpop\\u002Bjwt");
    assert_ne!(escaped, header);
    let decorated = changed(&service.key.public_jwk(), "alg", "ES256".into());
    let decorated = changed(&service.proof_header(), "jwk", decorated);
    let shouting = service
        .token_url()
        .replace("http://localhost", "HTTP://LOCALHOST")
        + "?a=b";
    for (header, claims) in [
        (escaped, claims.clone()),
        (decorated.to_string(), claims.clone()),
        (header, changed(&claims, "htu", shouting.into())),
    ] {
        let claims = changed(&claims, "jti", fresh_id().into());
        let proof = service.key.sign_text(&header, &claims.to_string());
        let reply = service.ask(&service.assertion(), &[&proof]).await;
        assert_eq!(reply.status, 200, "{reply:?}");
    }
    let own = TestKey::es256("another key than the client's");
    let header = json!({"alg": "ES256", "typ": "dpop+jwt", "jwk": own.public_jwk()});
    let proof = own.sign(&header, &service.proof_claims(Some(&nonce)));
    let reply = service.ask(&service.assertion(), &[&proof]).await;
    assert_eq!(reply.status, 200, "a separate key may be used: {reply:?}");
    service.stop().await;
}

#[tokio::test]
async fn a_proof_is_good_once() {
    let service = Service::start().await;
    let nonce = service.nonce().await;
    let proof = service.proof(Some(&nonce));
    let first = service.ask(&service.assertion(), &[&proof]).await;
    assert_eq!(first.status, 200);
    let again = service.ask(&service.assertion(), &[&proof]).await;
    assert_eq!(again.error(), "invalid_dpop_proof");
    assert!(again.description().contains("used before"));
    service.stop().await;
}

#[tokio::test]
async fn a_nonce_lives_for_its_time_and_for_its_client() {
    let service = Service::start().await;
    let nonce = service.nonce().await;
    for _ in 0..2 {
        let proof = service.proof(Some(&nonce));
        let reply = service.ask(&service.assertion(), &[&proof]).await;
        assert_eq!(reply.status, 200, "a nonce may be used more than once");
    }
    service.context.clock.advance(Duration::from_secs(61));
    for stale in [nonce.as_str(), "", "made-up"] {
        let proof = service.proof(Some(stale));
        let reply = service.ask(&service.assertion(), &[&proof]).await;
        assert_eq!(reply.error(), "use_dpop_nonce", "{stale}");
        let next = reply.header("dpop-nonce").unwrap();
        assert_ne!(next, nonce);
        assert!(next.len() >= 22, "128 bits at least");
        let reply = service
            .ask(&service.assertion(), &[&service.proof(Some(next))])
            .await;
        assert_eq!(reply.status, 200);
    }
    service.stop().await;
}

#[tokio::test]
async fn a_nonce_of_another_client_is_unknown() {
    let mut service = Service::start().await;
    let nonce = service.nonce().await;
    let other = "99999999-2222-3333-4444-555555555555";
    let key = TestKey::es256("K2");
    let client = Client::new(other, key.public_jwk().to_string());
    service.handle.register_client(client).unwrap();
    service.key = key;
    let mut claims = service.assertion_claims();
    claims["iss"] = other.into();
    claims["sub"] = other.into();
    let assertion = service.key.sign(&service.assertion_header(), &claims);
    let form = form(&assertion, SCOPE).replace(CLIENT, other);
    let reply = service
        .ask_for(&form, &[&service.proof(Some(&nonce))])
        .await;
    assert_eq!(reply.error(), "use_dpop_nonce");
    service.stop().await;
}

#[tokio::test]
async fn a_good_nonce_widens_the_window() {
    let service = Service::start().await;
    let old = |nonce: Option<&str>| {
        let claims = changed(
            &service.proof_claims(nonce),
            "iat",
            (service.now() - 40).into(),
        );
        service.key.sign(&service.proof_header(), &claims)
    };
    let reply = service.ask(&service.assertion(), &[&old(None)]).await;
    assert_eq!(reply.error(), "invalid_dpop_proof");
    let nonce = service.nonce().await;
    let reply = service
        .ask(&service.assertion(), &[&old(Some(&nonce))])
        .await;
    assert_eq!(reply.status, 200, "{reply:?}");
    service.stop().await;
}
