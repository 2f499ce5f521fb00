//! The recorded requests of the official client, with fresh times, ids and keys, are answered as that client needs it.
#![expect(clippy::unwrap_used, reason = "a test ends where it goes wrong")]

mod common;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use common::key::{TestKey, decode};
use common::{Service, changed, fresh_id};
use serde_json::{Value, json};
use testbed::token::TokenScheme;

/// A recorded request: the lines of its head, and its body. The recordings have lost line ends of the head.
fn recorded(text: &'static str) -> (&'static str, &'static str) {
    text.split_once("\n\n").unwrap()
}

/// A head with the line ends that went over the wire.
fn on_the_wire(head: &str) -> String {
    let lines = head.lines().map(|line| format!("{line}\r\n"));
    lines.collect::<String>() + "\r\n"
}

/// A header field of a recorded head.
fn field<'a>(head: &'a str, name: &str) -> &'a str {
    let mut fields = head.lines().filter_map(|line| line.split_once(": "));
    fields.find(|(known, _)| *known == name).unwrap().1
}

fn parameter<'a>(body: &'a str, name: &str) -> &'a str {
    let mut pairs = body.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(known, _)| *known == name).unwrap().1
}

/// The recorded proof with our key, our address and the present time; every other member stays.
fn fresh_proof(service: &Service, recorded: &str, url: &str, more: &[(&str, &str)]) -> String {
    let (header, claims) = decode(recorded);
    let ours = service.key.public_jwk();
    let jwk = changed(&header["jwk"], "n", ours["n"].clone());
    let header = changed(&header, "jwk", changed(&jwk, "e", ours["e"].clone()));
    let mut claims = changed(&claims, "htu", url.into());
    claims["jti"] = fresh_id().into();
    claims["iat"] = service.now().into();
    for (name, value) in more {
        assert!(claims.get(*name).is_some(), "the recording has {name}");
        claims[*name] = (*value).into();
    }
    service.key.sign(&header, &claims)
}

/// The recorded token request, made fresh.
fn fresh_request(service: &Service, text: &'static str, nonce: Option<&str>) -> Vec<u8> {
    let (head, body) = recorded(text);
    let (header, claims) = decode(parameter(body, "client_assertion"));
    let now = service.now();
    let shift = now - claims["iat"].as_i64().unwrap();
    let mut fresh = changed(&claims, "aud", service.handle.issuer().into());
    fresh["jti"] = fresh_id().into();
    for name in ["iat", "nbf", "exp"] {
        fresh[name] = (claims[name].as_i64().unwrap() + shift).into();
    }
    let assertion = service.key.sign(&header, &fresh);
    let body = body.replace(parameter(body, "client_assertion"), &assertion);
    let nonce: Vec<(&str, &str)> = nonce.map(|nonce| ("nonce", nonce)).into_iter().collect();
    let proof = fresh_proof(service, field(head, "DPoP"), &service.token_url(), &nonce);
    let head = head.replace(field(head, "DPoP"), &proof).replace(
        &format!("Content-Length: {}", field(head, "Content-Length")),
        &format!("Content-Length: {}", body.len()),
    );
    (on_the_wire(&head) + &body).into_bytes()
}

/// The client asks, is challenged, asks again and gets a token.
async fn obtain(service: &Service, first: &'static str, second: &'static str) -> Value {
    let challenge = service.exchange(&fresh_request(service, first, None)).await;
    assert_eq!(challenge.status, 400);
    assert_eq!(challenge.error(), "use_dpop_nonce");
    assert_eq!(challenge.header("cache-control"), Some("no-store"));
    let nonce = challenge.header("dpop-nonce").unwrap().to_owned();
    let answer = service
        .exchange(&fresh_request(service, second, Some(&nonce)))
        .await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("dpop-nonce"), None);
    answer.json()
}

async fn service() -> Service {
    Service::with(TestKey::rsa("K1", "RS256"), |_| {}).await
}

#[tokio::test]
async fn discovery_is_answered_with_what_the_client_reads() {
    let service = service().await;
    for text in [
        include_str!("data/komtest-discovery.req"),
        include_str!("data/komtest-dpop-discovery.req"),
    ] {
        let (head, _) = recorded(text);
        let reply = service.exchange(on_the_wire(head).as_bytes()).await;
        assert_eq!(reply.status, 200);
        let document = reply.json();
        assert_eq!(document["token_endpoint"], service.token_url());
        assert!(document["authorization_endpoint"].is_string());
    }
    service.stop().await;
}

#[tokio::test]
async fn version_1_gets_a_bound_token_that_is_taken_as_bearer() {
    let service = service().await;
    let answer = obtain(
        &service,
        include_str!("data/komtest-token-1.req"),
        include_str!("data/komtest-token-2.req"),
    )
    .await;
    assert_eq!(answer["token_type"], "DPoP");
    assert_eq!(answer["scope"], "nhn:cppa/access");
    assert_eq!(answer["expires_in"], 600);
    let (head, _) = recorded(include_str!("data/komtest-agreement.req"));
    let (scheme, _) = field(head, "Authorization").split_once(' ').unwrap();
    let token = answer["access_token"].as_str().unwrap();
    let grant = service
        .handle
        .access_tokens()
        .verify(
            &format!("{scheme} {token}"),
            None,
            "GET",
            "https://localhost/",
        )
        .unwrap();
    assert_eq!(
        grant.require(TokenScheme::Bearer, "nhn:cppa", "nhn:cppa/access"),
        Ok(())
    );
    service.stop().await;
}

#[tokio::test]
async fn version_2_gets_a_token_and_proves_possession() {
    let service = service().await;
    let answer = obtain(
        &service,
        include_str!("data/komtest-dpop-token-1.req"),
        include_str!("data/komtest-dpop-token-2.req"),
    )
    .await;
    let token = answer["access_token"].as_str().unwrap();
    let (head, _) = recorded(include_str!("data/komtest-dpop-agreement.req"));
    let (scheme, _) = field(head, "Authorization").split_once(' ').unwrap();
    let url = "https://localhost:8443/v2/Agreements/HerIds/8900011/109989";
    let hash = URL_SAFE_NO_PAD.encode(openssl::sha::sha256(token.as_bytes()));
    let proof = fresh_proof(&service, field(head, "DPoP"), url, &[("ath", &hash)]);
    let grant = service
        .handle
        .access_tokens()
        .verify(&format!("{scheme} {token}"), Some(&proof), "GET", url)
        .unwrap();
    assert_eq!(
        grant.require(TokenScheme::Dpop, "nhn:cppa", "nhn:cppa/access-with-dpop"),
        Ok(())
    );
    let (_, description) = service.last_asked();
    assert!(
        description.contains("noted: the assertion is signed with RS256"),
        "the padding is noted: {description}"
    );
    assert_eq!(json!(grant.client_id), common::CLIENT);
    service.stop().await;
}
