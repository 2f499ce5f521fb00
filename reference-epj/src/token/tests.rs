use std::collections::HashMap;
use std::path::Path;

use serde_json::{Value, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

pub(crate) use super::key::tests::rsa_jwk;
use super::key::tests::verified;
use super::*;
use crate::environment::Scopes;
use crate::http::tests::plain_client;

/// A token endpoint that demands a nonce and checks what it is sent.
struct TokenEndpoint {
    jwk: Value,
    issuer: String,
    life: u32,
}

impl Respond for TokenEndpoint {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let body = String::from_utf8(request.body.clone()).unwrap();
        let form: HashMap<String, String> = reqwest::Url::parse(&format!("http://x/?{body}"))
            .unwrap()
            .query_pairs()
            .into_owned()
            .collect();
        assert_eq!(form["grant_type"], "client_credentials");
        assert_eq!(form["scope"], "nhn:cppa/access-with-dpop");
        assert_eq!(form["client_assertion_type"], ASSERTION_TYPE);
        let (_, assertion) = verified(&form["client_assertion"], &self.jwk);
        assert_eq!(assertion["aud"], self.issuer.as_str());
        assert_eq!(assertion["iss"], form["client_id"].as_str());
        let proof = request.headers["dpop"].to_str().unwrap();
        let (_, proof) = verified(proof, &self.jwk);
        assert_eq!(proof["htm"], "POST");
        assert_eq!(proof["htu"], format!("{}/connect/token", self.issuer));
        if proof["nonce"] != "n1" {
            return ResponseTemplate::new(400)
                .insert_header("DPoP-Nonce", "n1")
                .set_body_json(json!({ "error": "use_dpop_nonce" }));
        }
        let token = format!("token-{}", assertion["jti"].as_str().unwrap());
        ResponseTemplate::new(200).set_body_json(json!({
            "access_token": token, "token_type": "DPoP", "expires_in": self.life, "scope": form["scope"],
        }))
    }
}

async fn discovery(server: &MockServer, issuer: &str) {
    let document =
        json!({ "issuer": issuer, "token_endpoint": format!("{}/connect/token", server.uri()) });
    Mock::given(path("/.well-known/openid-configuration"))
        .respond_with(ResponseTemplate::new(200).set_body_json(document))
        .mount(server)
        .await;
}

fn client(server: &MockServer, jwk: &Value, folder: &Path) -> TokenClient {
    let jwk_file = folder.join("client.jwk");
    std::fs::write(&jwk_file, jwk.to_string()).unwrap();
    let settings = Helseid {
        issuer: server.uri(),
        client_id: "epj".into(),
        scopes: Scopes {
            v1: "nhn:cppa/access".into(),
            v2: "nhn:cppa/access-with-dpop".into(),
        },
        jwk_file,
    };
    TokenClient::new(plain_client(), &settings, &settings.scopes.v2).unwrap()
}

async fn token_requests(server: &MockServer) -> usize {
    let requests = server.received_requests().await.unwrap();
    requests
        .iter()
        .filter(|request| request.url.path() == "/connect/token")
        .count()
}

async fn start(life: u32) -> (MockServer, TokenClient, tempfile::TempDir) {
    let (server, folder, jwk) = (
        MockServer::start().await,
        tempfile::tempdir().unwrap(),
        rsa_jwk(),
    );
    discovery(&server, &server.uri()).await;
    let client = client(&server, &jwk, folder.path());
    Mock::given(method("POST"))
        .and(path("/connect/token"))
        .respond_with(TokenEndpoint {
            jwk,
            issuer: server.uri(),
            life,
        })
        .mount(&server)
        .await;
    (server, client, folder)
}

#[tokio::test]
async fn the_nonce_challenge_is_answered_and_the_token_kept() {
    let (server, client, _folder) = start(600).await;
    let token = client.token().await.unwrap();
    assert_eq!(token_requests(&server).await, 2);
    assert_eq!(client.token().await.unwrap(), token);
    assert_eq!(token_requests(&server).await, 2);
    // A refused token is given up; the nonce is still known.
    client.drop_token("another").await;
    assert_eq!(client.token().await.unwrap(), token);
    client.drop_token(&token).await;
    assert_ne!(client.token().await.unwrap(), token);
    assert_eq!(token_requests(&server).await, 3);
    let requests = server.received_requests().await.unwrap();
    assert_eq!(requests.len(), 4, "discovery was read once");
}

#[tokio::test]
async fn callers_at_the_same_time_share_one_request() {
    let (server, client, _folder) = start(600).await;
    let (a, b, c) = tokio::join!(client.token(), client.token(), client.token());
    assert!(a == b && b == c);
    assert_eq!(token_requests(&server).await, 2);
}

#[tokio::test]
async fn a_token_without_life_is_never_kept() {
    let (server, client, _folder) = start(0).await;
    assert_ne!(client.token().await.unwrap(), client.token().await.unwrap());
    assert_eq!(token_requests(&server).await, 3);
}

#[tokio::test]
async fn an_issuer_that_speaks_for_another_gets_no_assertion() {
    let (server, folder) = (MockServer::start().await, tempfile::tempdir().unwrap());
    discovery(&server, "https://other").await;
    let client = client(&server, &rsa_jwk(), folder.path());
    assert_eq!(
        client.token().await,
        Err(TokenError::OtherIssuer("https://other".into()))
    );
    assert_eq!(token_requests(&server).await, 0);
}

#[tokio::test]
async fn refusals_and_nonsense_are_errors() {
    let (server, folder) = (MockServer::start().await, tempfile::tempdir().unwrap());
    discovery(&server, &server.uri()).await;
    let client = client(&server, &rsa_jwk(), folder.path());
    let huge = vec![b' '; LONGEST_ANSWER + 1];
    let answers = [
        ResponseTemplate::new(400).set_body_json(json!({ "error": "invalid_client" })),
        ResponseTemplate::new(200).set_body_string("<html/>"),
        ResponseTemplate::new(503),
        ResponseTemplate::new(200).set_body_bytes(huge),
        // A challenge without a nonce is answered by nobody.
        ResponseTemplate::new(400).set_body_json(json!({ "error": "use_dpop_nonce" })),
    ];
    let count = answers.len();
    for answer in answers {
        Mock::given(path("/connect/token"))
            .respond_with(answer)
            .up_to_n_times(1)
            .mount(&server)
            .await;
    }
    let refused = |status, error: &str| TokenError::Refused {
        status,
        error: error.into(),
        description: String::new(),
    };
    assert_eq!(client.token().await, Err(refused(400, "invalid_client")));
    assert_eq!(
        client.token().await,
        Err(TokenError::Unreadable { status: 200 })
    );
    assert_eq!(client.token().await, Err(refused(503, "")));
    assert_eq!(
        client.token().await,
        Err(HttpError::TooLarge(LONGEST_ANSWER).into())
    );
    assert_eq!(client.token().await, Err(refused(400, "use_dpop_nonce")));
    assert_eq!(token_requests(&server).await, count);
}
