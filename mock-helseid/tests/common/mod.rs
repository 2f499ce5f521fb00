//! A token service on the loopback interface, a client with keys of its own, and raw sockets.
#![expect(
    dead_code,
    reason = "every test binary uses its own part of this module"
)]

pub(crate) mod key;
pub(crate) mod peer;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use mock_helseid::{Client, Config, Handle};
use serde_json::{Value, json};
use testbed::evidence::Event;
use testbed::{Clock, Context, FaultPlan, Journal, Seed, Shutdown, listener};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use key::TestKey;

pub(crate) const CLIENT: &str = "11111111-2222-3333-4444-555555555555";
pub(crate) const LIMIT: Duration = Duration::from_secs(20);
pub(crate) const SCOPE: &str = "nhn:cppa/access-with-dpop";

static NUMBER: AtomicU64 = AtomicU64::new(1);

/// A running token service and its one client.
pub(crate) struct Service {
    pub(crate) handle: Handle,
    pub(crate) context: Context,
    pub(crate) key: TestKey,
    shutdown: Shutdown,
}

impl Service {
    /// Plain HTTP, with a client whose key is for ES256.
    pub(crate) async fn start() -> Self {
        Self::with(TestKey::es256("K1"), |_| {}).await
    }

    pub(crate) async fn with(key: TestKey, change: impl FnOnce(&mut Config)) -> Self {
        let clock = Clock::start();
        let (shutdown, signal) = Shutdown::new();
        let context = Context {
            journal: Journal::in_memory(clock.clone()),
            clock,
            faults: FaultPlan::new(),
            seed: Seed::new(7),
            shutdown: signal,
        };
        let mut config = Config {
            clients: vec![Client::new(CLIENT, key.public_jwk().to_string())],
            ..Config::default()
        };
        change(&mut config);
        let bound = listener::loopback(0).await.unwrap();
        let handle = mock_helseid::start(config, bound, context.clone()).unwrap();
        Self {
            handle,
            context,
            key,
            shutdown,
        }
    }

    pub(crate) fn token_url(&self) -> String {
        format!("{}/connect/token", self.handle.issuer())
    }

    /// Seconds since 1970.
    pub(crate) fn now(&self) -> i64 {
        self.context.clock.wall().unix_timestamp()
    }

    /// Claims of a fresh client assertion that is in order.
    pub(crate) fn assertion_claims(&self) -> Value {
        let now = self.now();
        json!({"iss": CLIENT, "sub": CLIENT, "aud": self.handle.issuer(), "iat": now, "nbf": now,
            "exp": now + 10, "jti": fresh_id()})
    }

    pub(crate) fn assertion_header(&self) -> Value {
        json!({"alg": self.key.algorithm, "kid": self.key.kid, "typ": "client-authentication+jwt"})
    }

    pub(crate) fn assertion(&self) -> String {
        self.key
            .sign(&self.assertion_header(), &self.assertion_claims())
    }

    /// Claims of a fresh proof for the token endpoint.
    pub(crate) fn proof_claims(&self, nonce: Option<&str>) -> Value {
        let mut claims =
            json!({"jti": fresh_id(), "htm": "POST", "htu": self.token_url(), "iat": self.now()});
        if let Some(nonce) = nonce {
            claims["nonce"] = nonce.into();
        }
        claims
    }

    pub(crate) fn proof_header(&self) -> Value {
        json!({"alg": self.key.algorithm, "typ": "dpop+jwt", "jwk": self.key.public_jwk()})
    }

    pub(crate) fn proof(&self, nonce: Option<&str>) -> String {
        self.key
            .sign(&self.proof_header(), &self.proof_claims(nonce))
    }

    /// Sends a token request with this assertion and these headers `DPoP`.
    pub(crate) async fn ask(&self, assertion: &str, proofs: &[&str]) -> Reply {
        self.ask_for(&form(assertion, SCOPE), proofs).await
    }

    pub(crate) async fn ask_for(&self, form: &str, proofs: &[&str]) -> Reply {
        let mut headers = vec![("Content-Type", "application/x-www-form-urlencoded")];
        headers.extend(proofs.iter().map(|proof| ("DPoP", *proof)));
        self.exchange(&request(
            "POST",
            "/connect/token",
            &headers,
            form.as_bytes(),
        ))
        .await
    }

    /// The nonce that the service demands of a proof without one.
    pub(crate) async fn nonce(&self) -> String {
        let reply = self.ask(&self.assertion(), &[&self.proof(None)]).await;
        assert_eq!(reply.error(), "use_dpop_nonce", "{reply:?}");
        reply.header("dpop-nonce").unwrap().to_owned()
    }

    /// An access token, by the whole way that a client goes.
    pub(crate) async fn token(&self) -> String {
        let nonce = self.nonce().await;
        let proof = self.proof(Some(&nonce));
        let reply = self.ask(&self.assertion(), &[&proof]).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.json()["access_token"].as_str().unwrap().to_owned()
    }

    /// What a client with a right nonce is told about this assertion.
    pub(crate) async fn told_about(&self, header: &Value, claims: &Value) -> Reply {
        let nonce = self.nonce().await;
        let assertion = self.key.sign(header, claims);
        self.ask(&assertion, &[&self.proof(Some(&nonce))]).await
    }

    /// Sends bytes and reads one answer.
    pub(crate) async fn exchange(&self, request: &[u8]) -> Reply {
        let talk = async {
            let mut stream = TcpStream::connect(self.handle.address()).await.unwrap();
            stream.write_all(request).await.unwrap();
            Reply::read(&mut stream).await
        };
        self.context.clock.timeout(LIMIT, talk).await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.exchange(&request("GET", path, &[], b"")).await
    }

    /// Error and description of the last recorded token request.
    pub(crate) fn last_asked(&self) -> (Option<String>, String) {
        let entries = self.context.journal.entries();
        let found = entries.iter().rev().find_map(|entry| match &entry.event {
            Event::TokenAsked {
                error, description, ..
            } => Some((error.clone(), description.clone().unwrap_or_default())),
            _ => None,
        });
        found.unwrap()
    }

    /// Stops the service; the handle may outlive it.
    pub(crate) async fn stop(self) {
        let clock = self.context.clock.clone();
        drop(self.context);
        self.shutdown.stop(&clock, LIMIT).await.unwrap();
    }
}

/// An id that was not used before.
pub(crate) fn fresh_id() -> String {
    format!("id-{}", NUMBER.fetch_add(1, Ordering::Relaxed))
}

/// The form of a client-credentials request.
pub(crate) fn form(assertion: &str, scope: &str) -> String {
    let scope = scope
        .replace(':', "%3A")
        .replace('/', "%2F")
        .replace(' ', "+");
    format!(
        "client_id={CLIENT}&scope={scope}&client_assertion={assertion}&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&grant_type=client_credentials"
    )
}

pub(crate) fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n");
    for (name, value) in headers {
        bytes += &format!("{name}: {value}\r\n");
    }
    bytes += &format!("Content-Length: {}\r\n\r\n", body.len());
    let mut bytes = bytes.into_bytes();
    bytes.extend(body);
    bytes
}

/// The object with a member changed, or removed when `value` is null.
pub(crate) fn changed(object: &Value, name: &str, value: Value) -> Value {
    let mut object = object.clone();
    match value {
        Value::Null => {
            object.as_object_mut().unwrap().remove(name);
        }
        value => object[name] = value,
    }
    object
}

/// An HTTP answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Self {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        let head = String::from_utf8(head).unwrap();
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap();
        let status = status.parse().unwrap();
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let mut reply = Self {
            status,
            headers,
            body: String::new(),
        };
        let length = reply.header("content-length").unwrap_or("0");
        let mut body = vec![0; length.parse().unwrap()];
        stream.read_exact(&mut body).await.unwrap();
        reply.body = String::from_utf8(body).unwrap();
        reply
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(given, _)| given == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// The OAuth error, or empty.
    pub(crate) fn error(&self) -> String {
        let body: Value = serde_json::from_str(&self.body).unwrap_or_default();
        body["error"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn description(&self) -> String {
        self.json()["error_description"]
            .as_str()
            .unwrap()
            .to_owned()
    }
}
