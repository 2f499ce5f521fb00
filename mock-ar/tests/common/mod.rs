//! A register on the loopback interface, with throw-away certificates, and a client of raw sockets.
#![expect(
    dead_code,
    reason = "every test binary uses its own part of this module"
)]

pub(crate) mod client;
pub(crate) mod peer;
pub(crate) mod xml;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mock_ar::{Account, ArConfig, ArHandle, TokenPolicy};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
};
use testbed::provision::QueueProvisioner;
use testbed::tls::TlsIdentity;
use testbed::token::{AccessGrant, AccessTokens, TokenRefusal, TokenScheme};
use testbed::{Clock, Context, FaultPlan, Journal, Seed, Shutdown, listener};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub(crate) const USER: &str = "OrgUsr310900109";
pub(crate) const PASSWORD: &str = "x";
pub(crate) const UNIT: u32 = mock_ar::UNIT_UNDER_TEST;
pub(crate) const HELSENORGE: u32 = mock_ar::HELSENORGE;
pub(crate) const LIMIT: Duration = Duration::from_secs(20);

/// A CA for one test.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// Certificates of a party in DER.
pub(crate) struct Pair {
    pub(crate) signing: Vec<u8>,
    pub(crate) encryption: Vec<u8>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params
            .distinguished_name
            .push(DnType::CommonName, "Throw-away test CA");
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::self_signed(params, key).unwrap())
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    pub(crate) fn tls(&self) -> TlsIdentity {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".into()]).unwrap();
        TlsIdentity {
            chain_pem: params.signed_by(&key, &self.0).unwrap().pem(),
            key_pem: key.serialize_pem(),
        }
    }

    pub(crate) fn pair(&self, name: &str) -> Pair {
        let certificate = |usages: &[KeyUsagePurpose]| {
            let mut params = CertificateParams::default();
            params.key_usages = usages.to_vec();
            params.distinguished_name.push(DnType::CommonName, name);
            let key = KeyPair::generate().unwrap();
            params.signed_by(&key, &self.0).unwrap().der().to_vec()
        };
        Pair {
            signing: certificate(&[KeyUsagePurpose::ContentCommitment]),
            encryption: certificate(&[
                KeyUsagePurpose::DigitalSignature,
                KeyUsagePurpose::KeyEncipherment,
            ]),
        }
    }
}

/// Notes what the register asks the bus for.
#[derive(Debug, Default)]
pub(crate) struct Queues(pub(crate) Mutex<Vec<(u32, Vec<String>)>>);

impl QueueProvisioner for Queues {
    fn create_queues(&self, her_id: u32, names: &[String]) {
        self.0.lock().unwrap().push((her_id, names.to_vec()));
    }

    fn remove_queues(&self, her_id: u32) {
        self.0.lock().unwrap().retain(|(owner, _)| *owner != her_id);
    }
}

/// Lets tokens in that begin with `at-`, in the scheme that they are presented with.
#[derive(Debug)]
pub(crate) struct Tokens;

impl AccessTokens for Tokens {
    fn verify(
        &self,
        authorization: &str,
        dpop: Option<&str>,
        method: &str,
        url: &str,
    ) -> Result<AccessGrant, TokenRefusal> {
        let (scheme, token) = authorization
            .split_once(' ')
            .ok_or(TokenRefusal::MissingToken)?;
        let (scheme, scope) = match scheme {
            "DPoP" => (TokenScheme::Dpop, "nhn:cppa/access-with-dpop"),
            _ => (TokenScheme::Bearer, "nhn:cppa/access"),
        };
        if !token.starts_with("at-") {
            return Err(TokenRefusal::InvalidToken("it is not ours".into()));
        }
        if scheme == TokenScheme::Dpop && dpop.is_none() {
            return Err(TokenRefusal::InvalidProof("it is missing".into()));
        }
        if token == "at-show-request" {
            return Err(TokenRefusal::InvalidProof(format!("{method} {url}")));
        }
        let scope = if token == "at-poor" { "other" } else { scope };
        Ok(AccessGrant {
            scheme,
            client_id: "epj".into(),
            audiences: vec!["nhn:cppa".into()],
            scopes: vec![scope.into()],
            parent_organization: None,
            child_organization: None,
        })
    }
}

/// A running register.
pub(crate) struct Register {
    pub(crate) handle: ArHandle,
    pub(crate) context: Context,
    pub(crate) address: SocketAddr,
    pub(crate) authority: Authority,
    pub(crate) queues: Arc<Queues>,
    shutdown: Shutdown,
}

impl Register {
    /// Plain HTTP, with tokens.
    pub(crate) async fn plain() -> Self {
        Self::start(false, TokenPolicy::Verify(Arc::new(Tokens))).await
    }

    /// HTTPS for foreign clients, REST open to everybody.
    pub(crate) async fn secure() -> Self {
        Self::start(true, TokenPolicy::Off).await
    }

    async fn start(secure: bool, tokens: TokenPolicy) -> Self {
        let clock = Clock::start();
        let (shutdown, signal) = Shutdown::new();
        let context = Context {
            journal: Journal::in_memory(clock.clone()),
            clock,
            faults: FaultPlan::new(),
            seed: Seed::new(7),
            shutdown: signal,
        };
        let authority = Authority::new();
        let queues = Arc::new(Queues::default());
        let config = ArConfig {
            tls: secure.then(|| authority.tls()),
            accounts: vec![Account {
                user: USER.into(),
                password: PASSWORD.into(),
            }],
            queues: Some(Arc::clone(&queues) as Arc<dyn QueueProvisioner>),
            tokens,
            ..ArConfig::default()
        };
        let bound = listener::loopback(0).await.unwrap();
        let address = bound.local_addr().unwrap();
        let handle = mock_ar::start(config, bound, context.clone()).unwrap();
        for (her_id, name) in [
            (UNIT, "LIKSOMVIK KOMMUNE"),
            (HELSENORGE, "MOCK INNBYGGERPORTAL"),
            (8_900_103, "LIKSOMVIK KOMMUNE 3"),
            (8_900_200, "LIKSOMVIK LEGEKONTOR"),
        ] {
            let pair = authority.pair(name);
            handle
                .set_certificates(her_id, &pair.signing, &pair.encryption)
                .unwrap();
        }
        Self {
            handle,
            context,
            address,
            authority,
            queues,
            shutdown,
        }
    }

    /// Sends bytes and reads one answer.
    pub(crate) async fn exchange(&self, request: &[u8]) -> Reply {
        let talk = async {
            let mut stream = TcpStream::connect(self.address).await.unwrap();
            stream.write_all(request).await.unwrap();
            Reply::read(&mut stream).await
        };
        self.context.clock.timeout(LIMIT, talk).await.unwrap()
    }

    /// Calls a SOAP operation on the Basic binding.
    pub(crate) async fn soap(&self, path: &str, action: &str, body: &str) -> Reply {
        let envelope = format!(
            "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>{body}</s:Body></s:Envelope>"
        );
        let headers = [
            ("Content-Type", "text/xml; charset=utf-8"),
            ("SOAPAction", &format!("\"{action}\"")),
            ("Authorization", BASIC),
        ];
        self.exchange(&request("POST", path, &headers, envelope.as_bytes()))
            .await
    }

    /// Calls an operation of the register by name, with one parameter.
    pub(crate) async fn register(&self, operation: &str, parameter: &str, value: &str) -> Reply {
        let namespace = "http://register.nhn.no/CommunicationParty";
        let action = format!("{namespace}/ICommunicationPartyService/{operation}");
        let body = format!(
            "<{operation} xmlns=\"{namespace}\"><{parameter}>{value}</{parameter}></{operation}>"
        );
        self.soap("/v1/AR/Basic", &action, &body).await
    }

    /// Calls an operation of CPPA with the given parameters.
    pub(crate) async fn cppa(&self, operation: &str, parameters: &[(&str, &str)]) -> Reply {
        let namespace = "http://schemas.nhn.no/reg/CollaborationProtocolProfile";
        let action = format!("{namespace}/ICPPAService/{operation}");
        let parameters: String = parameters
            .iter()
            .map(|(name, value)| format!("<{name}>{value}</{name}>"))
            .collect();
        let body = format!("<{operation} xmlns=\"{namespace}\">{parameters}</{operation}>");
        self.soap("/v1/CPPA/Basic", &action, &body).await
    }

    /// GET with a Bearer token.
    pub(crate) async fn get(&self, path: &str, accept: &str) -> Reply {
        let headers = [("Accept", accept), ("Authorization", "Bearer at-1")];
        self.exchange(&request("GET", path, &headers, b"")).await
    }

    /// Stops the register; the handle may outlive it.
    pub(crate) async fn stop(self) {
        let clock = self.context.clock.clone();
        drop(self.context);
        self.shutdown.stop(&clock, LIMIT).await.unwrap();
    }
}

/// `OrgUsr310900109:x`.
pub(crate) const BASIC: &str = "Basic T3JnVXNyMzEwOTAwMTA5Ong=";

pub(crate) fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("{method} {path} HTTP/1.1\r\nHost: localhost:8443\r\n");
    for (name, value) in headers {
        bytes += &format!("{name}: {value}\r\n");
    }
    bytes += &format!("Content-Length: {}\r\n\r\n", body.len());
    let mut bytes = bytes.into_bytes();
    bytes.extend(body);
    bytes
}

/// An HTTP answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) async fn read(stream: &mut TcpStream) -> Self {
        loop {
            let head = read_head(stream).await;
            let mut lines = head.lines();
            let status = lines.next().unwrap().split(' ').nth(1).unwrap();
            let status = status.parse().unwrap();
            let headers: Vec<(String, String)> = lines
                .filter_map(|line| line.split_once(": "))
                .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
                .collect();
            if status < 200 {
                continue;
            }
            let mut reply = Self {
                status,
                headers,
                body: String::new(),
            };
            let length = reply.header("content-length").unwrap_or("0");
            let mut body = vec![0; length.parse().unwrap()];
            stream.read_exact(&mut body).await.unwrap();
            reply.body = String::from_utf8(body).unwrap();
            return reply;
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(given, _)| given == name);
        found.map(|(_, value)| value.as_str())
    }
}

async fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}
