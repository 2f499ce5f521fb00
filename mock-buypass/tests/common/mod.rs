//! A CA on the loopback interface and a client of raw sockets.
#![expect(
    dead_code,
    reason = "every test binary uses its own part of this module"
)]

pub(crate) mod peer;

use std::path::{Path, PathBuf};
use std::time::Duration;

use mock_buypass::{Config, Handle, IssueRequest, Issued, IssuingCa, Purpose, ScenarioCa, Subject};
use tempfile::TempDir;
use testbed::evidence::Part;
use testbed::fault::{Fault, FaultAction, FaultPoint};
use testbed::{Clock, Context, FaultPlan, Journal, Seed, Shutdown, listener};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// A running CA.
pub(crate) struct Ca {
    pub(crate) handle: Handle,
    pub(crate) context: Context,
    /// For the files of this test.
    pub(crate) folder: TempDir,
    shutdown: Shutdown,
}

impl Ca {
    /// The keys are kept in the target folder, because they take seconds to make.
    pub(crate) async fn start() -> Self {
        let clock = Clock::start();
        let (shutdown, signal) = Shutdown::new();
        let context = Context {
            journal: Journal::in_memory(clock.clone()),
            clock,
            faults: FaultPlan::new(),
            seed: Seed::new(7),
            shutdown: signal,
        };
        let data = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mock-buypass");
        let bound = listener::loopback(0).await.unwrap();
        let handle = mock_buypass::start(Config::new(data), bound, context.clone())
            .await
            .unwrap();
        Self {
            handle,
            context,
            folder: tempfile::tempdir().unwrap(),
            shutdown,
        }
    }

    /// A fresh issuing CA with its own listener.
    pub(crate) async fn scenario(&self) -> ScenarioCa {
        let bound = listener::loopback(0).await.unwrap();
        self.handle.new_issuing_ca(bound).await.unwrap()
    }

    /// Lets a fault lie in wait at addresses of one CA.
    pub(crate) fn fault(&self, ca: &IssuingCa, below: &str, action: FaultAction) {
        self.context.faults.install(Fault {
            name: "test".into(),
            at: FaultPoint {
                part: Part::Buypass,
                operation: "http".into(),
                subject: ca.fault_subject(below),
            },
            skip: 0,
            count: None,
            action,
        });
    }

    /// Writes a file into the test's folder.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn root_crl_url(&self) -> String {
        format!("{}/crl/BPCl3RootCaG2ST.crl", self.handle.base_url())
    }

    /// Stops the CA and everything that belongs to it.
    pub(crate) async fn stop(self) {
        let clock = self.context.clock.clone();
        drop((self.context, self.handle));
        self.shutdown.stop(&clock, LIMIT).await.unwrap();
    }
}

/// A signing certificate with a kept key.
pub(crate) async fn issue(ca: &IssuingCa) -> Issued {
    let subject = Subject {
        organization_number: "310900109".into(),
        organization: "LIKSOMVIK KOMMUNE".into(),
        name: "LIKSOMVIK KOMMUNE".into(),
    };
    let request = IssueRequest::new(subject, Purpose::Signing).with_kept_key("test");
    ca.issue(&request).await.unwrap()
}

/// An HTTP answer as far as it came.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) content_type: Option<String>,
    pub(crate) body: Vec<u8>,
}

/// Host and port, and path, of an address.
pub(crate) fn parts(url: &str) -> (&str, &str) {
    let rest = url.strip_prefix("http://").unwrap();
    rest.split_at(rest.find('/').unwrap())
}

/// GET over a socket of its own; nothing when the connection is refused or ends without an answer.
pub(crate) async fn get(url: &str) -> Option<Reply> {
    let (host, path) = parts(url);
    send(
        url,
        &format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"),
    )
    .await
}

/// Sends a request and reads to the end of the connection.
pub(crate) async fn send(url: &str, request: &str) -> Option<Reply> {
    let talk = async {
        let mut stream = TcpStream::connect(parts(url).0).await.ok()?;
        stream.write_all(request.as_bytes()).await.ok()?;
        let mut bytes = Vec::new();
        // An end in the middle is an error, what came before it counts.
        let _ = stream.read_to_end(&mut bytes).await;
        reply(&bytes)
    };
    tokio::time::timeout(LIMIT, talk).await.unwrap()
}

fn reply(bytes: &[u8]) -> Option<Reply> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let mut fields = head.lines().filter_map(|line| line.split_once(": "));
    let content_type = fields.find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    Some(Reply {
        status,
        content_type: content_type.map(|(_, value)| value.to_owned()),
        body: bytes[end + 4..].to_vec(),
    })
}
