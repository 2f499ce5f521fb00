//! What the runner does with the service: TLS, faults, outage, clock, reset.
#![expect(clippy::unwrap_used, reason = "a test ends where it goes wrong")]

mod common;

use std::sync::Arc;

use common::key::TestKey;
use common::{CLIENT, LIMIT, Reply, Service, request};
use mock_helseid::{Client, WRONG_ANSWERS};
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::ServerName;
use rustls::pki_types::pem::PemObject;
use serde_json::Value;
use testbed::evidence::Part;
use testbed::fault::{Fault, FaultAction, FaultPoint};
use testbed::tls::TlsIdentity;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

fn wrong_answer(service: &Service, name: &str) {
    service.context.faults.clear();
    service.context.faults.install(Fault {
        name: name.into(),
        at: FaultPoint {
            part: Part::Helseid,
            operation: "http".into(),
            subject: "*".into(),
        },
        skip: 0,
        count: None,
        action: FaultAction::Artefact(name.into()),
    });
}

/// The answer to a request in order while the fault is in place.
async fn met(service: &Service, name: &str) -> Reply {
    service.context.faults.clear();
    let nonce = service.nonce().await;
    wrong_answer(service, name);
    service
        .ask(&service.assertion(), &[&service.proof(Some(&nonce))])
        .await
}

#[tokio::test]
async fn the_issuer_is_served_over_tls() {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".into()]).unwrap();
    let certificate = params.self_signed(&key).unwrap().pem();
    let identity = TlsIdentity {
        chain_pem: certificate.clone(),
        key_pem: key.serialize_pem(),
    };
    let service = Service::with(TestKey::es256("K1"), |config| config.tls = Some(identity)).await;
    let port = service.handle.address().port();
    assert_eq!(service.handle.issuer(), format!("https://localhost:{port}"));
    let mut roots = rustls::RootCertStore::empty();
    let der = rustls::pki_types::CertificateDer::from_pem_slice(certificate.as_bytes());
    roots.add(der.unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let talk = async {
        let stream = TcpStream::connect(service.handle.address()).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
        let mut stream = connector.connect(name, stream).await.unwrap();
        let path = "/.well-known/openid-configuration";
        stream
            .write_all(&request("GET", path, &[], b""))
            .await
            .unwrap();
        Reply::read(&mut stream).await
    };
    let reply = service.context.clock.timeout(LIMIT, talk).await.unwrap();
    let document = reply.json();
    assert_eq!(document["issuer"], service.handle.issuer());
    assert_eq!(document["token_endpoint"], service.token_url());
    service.stop().await;
}

#[tokio::test]
async fn faulty_answers_are_what_their_names_say() {
    let service = Service::start().await;
    let reply = met(&service, "not-json").await;
    assert_eq!(
        (reply.status, reply.header("content-type")),
        (502, Some("text/html"))
    );
    let reply = met(&service, "truncated").await;
    assert_eq!(reply.status, 200);
    assert!(serde_json::from_str::<Value>(&reply.body).is_err());
    assert_eq!(
        met(&service, "invalid-client").await.error(),
        "invalid_client"
    );
    assert_eq!(met(&service, "scope-denied").await.error(), "invalid_scope");
    let reply = met(&service, "nonce-loop").await;
    assert_eq!(reply.error(), "use_dpop_nonce");
    assert!(reply.header("dpop-nonce").is_some());
    assert!(
        met(&service, "no-scope")
            .await
            .json()
            .get("scope")
            .is_none()
    );
    assert_eq!(met(&service, "expires-1").await.json()["expires_in"], 1);
    assert_eq!(
        met(&service, "expires-string").await.json()["expires_in"],
        "600"
    );
    let body = met(&service, "rejected-scope").await.json();
    assert_eq!(
        (&body["scope"], &body["rejected_scope"]),
        (&"".into(), &common::SCOPE.into())
    );
    wrong_answer(&service, "jwks-empty");
    let keys = service.get("/.well-known/openid-configuration/jwks").await;
    assert_eq!(keys.body, r#"{"keys":[]}"#);
    wrong_answer(&service, "no such answer");
    assert_eq!(
        service
            .get("/.well-known/openid-configuration")
            .await
            .status,
        500
    );
    service.stop().await;
}

#[tokio::test]
async fn faulty_tokens_are_refused_by_resource_servers() {
    let service = Service::start().await;
    let tokens = service.handle.access_tokens();
    for name in [
        "wrong-iss",
        "bad-signature",
        "expired-token",
        "wrong-aud",
        "no-cnf",
        "wrong-jkt",
    ] {
        assert!(WRONG_ANSWERS.contains(&name));
        let reply = met(&service, name).await;
        let token = reply.json()["access_token"].as_str().unwrap().to_owned();
        let url = "https://localhost/v2/Profiles/1";
        let claims = serde_json::json!({"jti": name, "htm": "GET", "htu": url, "iat": service.now(),
            "ath": common::key::encode(openssl::sha::sha256(token.as_bytes()))});
        let proof = service.key.sign(&service.proof_header(), &claims);
        let judged = tokens
            .verify(&format!("DPoP {token}"), Some(&proof), "GET", url)
            .and_then(|grant| {
                grant.require(testbed::token::TokenScheme::Dpop, "nhn:cppa", common::SCOPE)
            });
        assert_eq!(judged.unwrap_err().status(), 401, "{name}");
    }
    service.stop().await;
}

#[tokio::test]
async fn an_outage_ends_and_a_reset_forgets() {
    let service = Service::start().await;
    service.token().await;
    service.handle.go_down();
    let clock = service.context.clock.clone();
    let refused = async {
        while TcpStream::connect(service.handle.address()).await.is_ok() {
            clock.sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    clock.timeout(LIMIT, refused).await.unwrap();
    service.handle.remove_client(CLIENT);
    service.handle.skew_clock(time::Duration::minutes(-10));
    service.handle.reset();
    let listening = async {
        while TcpStream::connect(service.handle.address()).await.is_err() {
            clock.sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    clock.timeout(LIMIT, listening).await.unwrap();
    service.token().await;
    service.stop().await;
}

#[tokio::test]
async fn a_clock_that_is_off_refuses_and_says_why() {
    let service = Service::start().await;
    for (minutes, says) in [(10, "expired"), (-10, "in the future")] {
        service.handle.skew_clock(time::Duration::minutes(minutes));
        let claims = service.assertion_claims();
        // So that behind is seen before the limit on the lifetime is.
        let exp = service.now() + minutes.min(0) * 60 + 10;
        let claims = common::changed(&claims, "exp", exp.into());
        let assertion = service.key.sign(&service.assertion_header(), &claims);
        let reply = service.ask(&assertion, &[&service.proof(None)]).await;
        assert_eq!(reply.error(), "invalid_client");
        let description = reply.description();
        assert!(
            description.contains(says) && description.contains("clock"),
            "{description}"
        );
    }
    service.stop().await;
}

#[tokio::test]
async fn a_start_with_an_unusable_key_fails() {
    let clock = testbed::Clock::start();
    let context = testbed::Context {
        journal: testbed::Journal::in_memory(clock.clone()),
        clock,
        faults: testbed::FaultPlan::new(),
        seed: testbed::Seed::new(1),
        shutdown: testbed::Shutdown::new().1,
    };
    let config = mock_helseid::Config {
        clients: vec![Client::new(CLIENT, "{}")],
        ..mock_helseid::Config::default()
    };
    let bound = testbed::listener::loopback(0).await.unwrap();
    assert!(mock_helseid::start(config, bound, context).is_err());
}
