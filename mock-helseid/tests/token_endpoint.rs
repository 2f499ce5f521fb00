//! The token endpoint: what it refuses, with which error, and what it only notes (contract 05 sections 1.5 and 1.6).
#![expect(clippy::unwrap_used, reason = "a test ends where it goes wrong")]

mod common;

use common::key::{TestKey, encode};
use common::{CLIENT, SCOPE, Service, changed, form, request};
use mock_helseid::{Client, DpopPolicy, Tenancy};
use openssl::nid::Nid;
use serde_json::{Value, json};
use testbed::evidence::Event;

#[tokio::test]
async fn every_algorithm_is_accepted() {
    let rsa = TestKey::rsa("K1", "RS256");
    let mut keys: Vec<TestKey> = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]
        .map(|algorithm| rsa.using(algorithm))
        .to_vec();
    keys.push(TestKey::es256("K1"));
    keys.push(TestKey::ec("K1", "ES384", Nid::SECP384R1));
    keys.push(TestKey::ec("K1", "ES512", Nid::SECP521R1));
    for key in keys {
        let service = Service::with(key, |_| {}).await;
        service.token().await;
        service.stop().await;
    }
}

#[tokio::test]
async fn forged_and_weak_assertions_are_refused() {
    let service = Service::start().await;
    let nonce = service.nonce().await;
    let (header, claims) = (service.assertion_header(), service.assertion_claims());
    let unsigned = |algorithm: &str, signature: &str| {
        let header = changed(&header, "alg", algorithm.into());
        format!(
            "{}.{}.{signature}",
            encode(header.to_string()),
            encode(claims.to_string())
        )
    };
    // The classic confusion: an HMAC with the public key as its secret.
    let public = service.key.public_jwk().to_string();
    let secret = openssl::pkey::PKey::hmac(public.as_bytes()).unwrap();
    let input = unsigned("HS256", "");
    let digest = openssl::hash::MessageDigest::sha256();
    let mut signer = openssl::sign::Signer::new(digest, &secret).unwrap();
    signer
        .update(input.trim_end_matches('.').as_bytes())
        .unwrap();
    let hmac = encode(signer.sign_to_vec().unwrap());
    let good = service.assertion();
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let other: String = signature.chars().rev().collect();
    let stranger = TestKey::es256("K1").sign(&header, &claims);
    let wrong_curve = TestKey::ec("K1", "ES384", Nid::SECP384R1);
    let wrong_curve = wrong_curve.sign(&changed(&header, "alg", "ES384".into()), &claims);
    for (assertion, says) in [
        (unsigned("none", ""), "algorithm 'none'"),
        (unsigned("HS256", &hmac), "algorithm 'HS256'"),
        (unsigned("ES256", ""), "signature"),
        (unsigned("ES256", &"A".repeat(86)), "signature"),
        (unsigned("RS256", &"A".repeat(342)), "signature"),
        (format!("{signed}.{other}"), "signature"),
        (stranger, "signature"),
        (wrong_curve, "signature"),
        ("a.b".into(), "three parts"),
        (String::new(), "three parts"),
        (format!("{good}.{good}"), "three parts"),
        ("A".repeat(20_000), "longer than"),
    ] {
        let reply = service
            .ask(&assertion, &[&service.proof(Some(&nonce))])
            .await;
        assert_eq!(reply.status, 400);
        assert_eq!(reply.error(), "invalid_client", "{reply:?}");
        assert!(reply.description().contains(says), "{says}: {reply:?}");
        assert_eq!(
            reply.header("dpop-nonce"),
            None,
            "a nonce on an error would be taken for a challenge"
        );
    }
    service.stop().await;
}

#[tokio::test]
async fn claims_out_of_order_are_refused() {
    let service = Service::start().await;
    let (header, claims) = (service.assertion_header(), service.assertion_claims());
    let now = service.now();
    let issuer = service.handle.issuer().to_owned();
    for (name, value, says) in [
        ("iss", json!("somebody"), "'iss' and 'sub'"),
        ("sub", json!("somebody"), "'iss' and 'sub'"),
        ("iss", Value::Null, "'iss' is missing"),
        ("aud", json!(service.token_url()), "issuer to the letter"),
        ("aud", json!(format!("{issuer}/")), "issuer to the letter"),
        ("aud", json!([issuer]), "must be one string"),
        ("aud", Value::Null, "'aud' is missing"),
        ("exp", Value::Null, "'exp' is missing"),
        ("exp", json!("soon"), "'exp' is missing or not a number"),
        ("exp", json!(now - 10), "expired"),
        ("exp", json!(now + 80), "at most 60 s"),
        ("iat", json!(now + 30), "in the future"),
        ("iat", Value::Null, "'iat' is missing"),
        ("nbf", json!(now + 30), "in the future"),
        ("nbf", json!([]), "'nbf' is not a number"),
        ("jti", Value::Null, "'jti' is missing"),
        ("jti", json!(""), "'jti' is missing"),
    ] {
        let reply = service
            .told_about(&header, &changed(&claims, name, value))
            .await;
        assert_eq!(reply.error(), "invalid_client", "{name} {reply:?}");
        assert!(reply.description().contains(says), "{says}: {reply:?}");
    }
    for (name, value, says) in [
        ("typ", json!("at+jwt"), "'typ' is 'at+jwt'"),
        ("kid", json!("K2"), "not that of a registered key"),
        ("crit", json!(["exp"]), "crit"),
    ] {
        let reply = service
            .told_about(&changed(&header, name, value), &claims)
            .await;
        assert_eq!(reply.error(), "invalid_client", "{name} {reply:?}");
        assert!(reply.description().contains(says), "{says}: {reply:?}");
    }
    service.stop().await;
}

#[tokio::test]
async fn habits_of_real_clients_are_noted_only() {
    let service = Service::start().await;
    let now = service.now();
    for (name, value, says) in [
        ("iat", json!(now.to_string()), "'iat' is a text"),
        ("nbf", Value::Null, "lacks 'nbf'"),
    ] {
        let claims = changed(&service.assertion_claims(), name, value);
        let reply = service
            .told_about(&service.assertion_header(), &claims)
            .await;
        assert_eq!(reply.status, 200, "{reply:?}");
        let (error, description) = service.last_asked();
        assert_eq!(error, None);
        assert!(description.starts_with("noted: ") && description.contains(says));
    }
    for (name, value, says) in [
        ("typ", json!("JWT"), "'typ' should be"),
        ("typ", Value::Null, "'typ' should be"),
        ("kid", Value::Null, "lacks 'kid'"),
    ] {
        let header = changed(&service.assertion_header(), name, value);
        let reply = service
            .told_about(&header, &service.assertion_claims())
            .await;
        assert_eq!(reply.status, 200, "{reply:?}");
        assert!(service.last_asked().1.contains(says));
    }
    let nonce = service.nonce().await;
    let nameless = form(&service.assertion(), SCOPE).replace(&format!("client_id={CLIENT}&"), "");
    let proof = service.proof(Some(&nonce));
    assert_eq!(service.ask_for(&nameless, &[&proof]).await.status, 200);
    assert!(service.last_asked().1.contains("client_id is missing"));
    service.stop().await;
}

#[tokio::test]
async fn an_assertion_used_twice_is_noted_and_refused_in_strict_mode() {
    for strict in [false, true] {
        let service = Service::with(TestKey::es256("K1"), |config| config.strict = strict).await;
        let assertion = service.assertion();
        let first = service.ask(&assertion, &[&service.proof(None)]).await;
        assert_eq!(first.error(), "use_dpop_nonce");
        let nonce = first.header("dpop-nonce").unwrap();
        let second = service
            .ask(&assertion, &[&service.proof(Some(nonce))])
            .await;
        let (error, description) = service.last_asked();
        assert!(description.contains("was used before"), "{description}");
        if strict {
            assert_eq!(second.error(), "invalid_client");
            assert_eq!(error.as_deref(), Some("invalid_client"));
        } else {
            assert_eq!(second.status, 200);
            assert_eq!(error, None);
        }
        service.stop().await;
    }
}

#[tokio::test]
async fn forms_out_of_order_are_refused() {
    let service = Service::start().await;
    let nonce = service.nonce().await;
    let good = || form(&service.assertion(), SCOPE);
    for (body, error) in [
        (String::new(), "unsupported_grant_type"),
        (
            good().replace("client_credentials", "password"),
            "unsupported_grant_type",
        ),
        (
            good().replace("grant_type=client_credentials", ""),
            "unsupported_grant_type",
        ),
        (good() + "&scope=x", "invalid_request"),
        (good() + "&%zz=1", "invalid_request"),
        (
            good().replace("jwt-bearer", "saml2-bearer"),
            "invalid_client",
        ),
        (good().replace("client_assertion=", "x="), "invalid_client"),
        (good() + "&client_secret=x", "invalid_client"),
        (good().replace(CLIENT, "somebody"), "invalid_client"),
        (form(&service.assertion(), "openid"), "invalid_scope"),
        (form(&service.assertion(), "nhn:cppa"), "invalid_scope"),
    ] {
        let reply = service
            .ask_for(&body, &[&service.proof(Some(&nonce))])
            .await;
        assert_eq!(reply.status, 400);
        assert_eq!(reply.error(), error, "{body} {reply:?}");
    }
    let body = good();
    for headers in [&[("Content-Type", "application/json")][..], &[]] {
        let reply = service
            .exchange(&request("POST", "/connect/token", headers, body.as_bytes()))
            .await;
        assert_eq!(reply.error(), "invalid_request");
    }
    let headers = [
        (
            "Content-Type",
            "application/x-www-form-urlencoded; charset=utf-8",
        ),
        ("Authorization", "Basic eDp5"),
    ];
    let reply = service
        .exchange(&request(
            "POST",
            "/connect/token",
            &headers,
            body.as_bytes(),
        ))
        .await;
    assert_eq!(reply.error(), "invalid_client");
    let reply = service.get("/connect/token").await;
    assert_eq!((reply.status, reply.header("allow")), (405, Some("POST")));
    service.stop().await;
}

#[tokio::test]
async fn an_oversized_form_is_cut_off() {
    let service = Service::start().await;
    let headers = [("Content-Type", "application/x-www-form-urlencoded")];
    let body = "a".repeat(64 * 1024 + 1);
    let reply = service
        .exchange(&request(
            "POST",
            "/connect/token",
            &headers,
            body.as_bytes(),
        ))
        .await;
    assert_eq!(reply.status, 413);
    service.token().await;
    service.stop().await;
}

#[tokio::test]
async fn a_removed_client_is_unknown_and_a_replaced_key_is_the_new_one() {
    let mut service = Service::start().await;
    service.token().await;
    let other = TestKey::es256("K2");
    service
        .handle
        .register_client(Client::new(CLIENT, other.public_jwk().to_string()))
        .unwrap();
    let reply = service.ask(&service.assertion(), &[]).await;
    assert!(reply.description().contains("'kid' 'K1'"), "{reply:?}");
    service.key = other;
    service.token().await;
    assert!(service.handle.remove_client(CLIENT));
    let reply = service.ask(&service.assertion(), &[]).await;
    assert_eq!(reply.error(), "invalid_client");
    assert!(reply.description().contains(CLIENT));
    let with_secret = Client::new(CLIENT, service.key.private_jwk().to_string());
    assert!(service.handle.register_client(with_secret).is_err());
    service.stop().await;
}

#[tokio::test]
async fn without_a_scope_all_scopes_are_granted() {
    let service = Service::start().await;
    let nonce = service.nonce().await;
    let body = form(&service.assertion(), "");
    let reply = service
        .ask_for(&body, &[&service.proof(Some(&nonce))])
        .await;
    assert_eq!(
        reply.json()["scope"],
        "nhn:cppa/access nhn:cppa/access-with-dpop"
    );
    service.stop().await;
}

#[tokio::test]
async fn clients_without_dpop_get_bearer_tokens() {
    for (policy, with_proof, outcome) in [
        (DpopPolicy::Optional, false, "Bearer"),
        (DpopPolicy::Optional, true, "DPoP"),
        (DpopPolicy::Forbidden, false, "Bearer"),
        (DpopPolicy::Forbidden, true, "invalid_request"),
        (DpopPolicy::Required, false, "invalid_dpop_proof"),
    ] {
        let service = Service::with(TestKey::es256("K1"), |config| {
            config.clients[0].dpop = policy;
        })
        .await;
        let proof = match (with_proof, policy) {
            (false, _) => None,
            (true, DpopPolicy::Forbidden) => Some(service.proof(None)),
            (true, _) => Some(service.proof(Some(&service.nonce().await))),
        };
        let proofs: Vec<&str> = proof.iter().map(String::as_str).collect();
        let reply = service.ask(&service.assertion(), &proofs).await;
        let found = match reply.status {
            200 => reply.json()["token_type"].as_str().unwrap().to_owned(),
            _ => reply.error(),
        };
        assert_eq!(found, outcome);
        service.stop().await;
    }
}

#[tokio::test]
async fn organization_numbers_reach_the_grant() {
    let service = Service::with(TestKey::es256("K1"), |config| {
        config.clients[0].tenancy = Tenancy::Multi {
            delegations: vec!["310900109".into()],
        };
    })
    .await;
    let details = |value: &str| {
        json!([{"type": "helseid_authorization", "practitioner_role": {"organization": {"identifier":
            {"system": "urn:oid:1.0.6523", "type": "ENH", "value": value}}}}])
    };
    let with = |value: &str| {
        changed(
            &service.assertion_claims(),
            "assertion_details",
            details(value),
        )
    };
    let reply = service
        .told_about(
            &service.assertion_header(),
            &with("NO:ORGNR:310900109:310900419"),
        )
        .await;
    let token = reply.json()["access_token"].as_str().unwrap().to_owned();
    let tokens = service.handle.access_tokens();
    let grant = tokens
        .verify(&format!("Bearer {token}"), None, "GET", "http://localhost/")
        .unwrap();
    assert_eq!(grant.parent_organization.as_deref(), Some("310900109"));
    assert_eq!(grant.child_organization.as_deref(), Some("310900419"));
    let reply = service
        .told_about(&service.assertion_header(), &with("NO:ORGNR:310900303"))
        .await;
    assert_eq!(reply.error(), "invalid_request");
    assert!(reply.description().starts_with("HID-1001"));
    service.stop().await;
}

#[tokio::test]
async fn every_request_is_in_evidence_and_no_secret_is() {
    let service = Service::start().await;
    let nonce = service.nonce().await;
    let (assertion, proof) = (service.assertion(), service.proof(Some(&nonce)));
    let reply = service.ask(&assertion, &[&proof]).await;
    let token = reply.json()["access_token"].as_str().unwrap().to_owned();
    let asked: Vec<_> = service
        .context
        .journal
        .entries()
        .iter()
        .filter_map(|entry| match entry.event.clone() {
            Event::TokenAsked {
                client,
                scopes,
                dpop,
                nonce,
                error,
                ..
            } => Some((client.unwrap(), scopes.join(" "), dpop, nonce, error)),
            _ => None,
        })
        .collect();
    let challenged = Some("use_dpop_nonce".to_owned());
    let line = |nonce, error| (CLIENT.to_owned(), SCOPE.to_owned(), true, nonce, error);
    assert_eq!(asked, [line(false, challenged), line(true, None)]);
    for entry in service.context.journal.entries() {
        let text = serde_json::to_string(&*entry).unwrap();
        for secret in [&assertion, &proof, &token] {
            let signature = secret.rsplit_once('.').unwrap().1;
            assert!(!text.contains(signature), "{text}");
        }
    }
    service.stop().await;
}
