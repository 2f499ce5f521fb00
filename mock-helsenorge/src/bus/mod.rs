//! The bus, as an ordinary client sees it: AMQP 1.0 over TLS with SASL PLAIN (contract 01 section 1).

pub(crate) mod message;
mod postman;
mod receiver;

use std::sync::Arc;
use std::time::Duration;

use fe2o3_amqp::connection::ConnectionHandle;
use fe2o3_amqp::sasl_profile::SaslProfile;
use fe2o3_amqp::session::SessionHandle;
use fe2o3_amqp::{Connection, Session};
use nhn_model::connection_string::ConnectionString;
use rustls::pki_types::ServerName;
use testbed::Clock;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

pub(crate) use postman::{Postman, SendError};
pub(crate) use receiver::{Settlement, read_queue};

use crate::config::StartError;

/// How long connecting may take, from the first packet to an open session.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// The waits between attempts to connect; the last one is repeated.
const BACKOFF: [Duration; 5] = [
    Duration::from_millis(100),
    Duration::from_millis(200),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
];

/// The wait before attempt `failures + 1`.
fn backoff(failures: usize) -> Duration {
    BACKOFF[failures.min(BACKOFF.len() - 1)]
}

/// Where the bus is and how it is reached.
#[derive(Clone)]
pub(crate) struct Bus {
    at: Arc<ConnectionString>,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    container: String,
    clock: Clock,
}

impl Bus {
    /// Makes ready to connect.
    pub(crate) fn new(
        connection: &str,
        trust: rustls::RootCertStore,
        container: String,
        clock: Clock,
    ) -> Result<Self, StartError> {
        let refused = |problem: String| StartError::Connection(problem);
        let at =
            ConnectionString::parse(connection).map_err(|problem| refused(problem.to_string()))?;
        if at.exchange.is_empty() {
            return Err(refused("it names no exchange".into()));
        }
        let tls = if at.tls {
            let name = ServerName::try_from(at.host.clone())
                .map_err(|problem| refused(problem.to_string()))?;
            let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
            let config = rustls::ClientConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .map_err(|problem| refused(problem.to_string()))?
                .with_root_certificates(trust)
                .with_no_client_auth();
            Some((TlsConnector::from(Arc::new(config)), name))
        } else {
            None
        };
        Ok(Self {
            at: Arc::new(at),
            tls,
            container,
            clock,
        })
    }

    /// The address of a sender's link (contract 01 section 1.9).
    fn target(&self, queue: &str) -> String {
        format!("/exchange/{}/{queue}", self.at.exchange)
    }

    /// Connects and begins a session; the error is for the reader.
    async fn connect(&self) -> Result<Line, String> {
        self.clock
            .timeout(CONNECT_LIMIT, self.open())
            .await
            .map_err(|late| late.to_string())?
    }

    async fn open(&self) -> Result<Line, String> {
        let told = |problem: &dyn std::fmt::Display| problem.to_string();
        let stream = TcpStream::connect((self.at.host.as_str(), self.at.port))
            .await
            .map_err(|problem| told(&problem))?;
        stream.set_nodelay(true).map_err(|problem| told(&problem))?;
        let opening = Connection::builder()
            .container_id(self.container.clone())
            .hostname(self.at.host.as_str())
            .sasl_profile(SaslProfile::Plain {
                username: self.at.username.clone(),
                password: self.at.password.reveal().to_owned(),
            });
        let opened = match &self.tls {
            Some((connector, name)) => {
                let stream = connector
                    .connect(name.clone(), stream)
                    .await
                    .map_err(|problem| told(&problem))?;
                opening.open_with_stream(stream).await
            }
            None => opening.open_with_stream(stream).await,
        };
        let mut connection = opened.map_err(|problem| told(&problem))?;
        let session = Session::begin(&mut connection)
            .await
            .map_err(|problem| told(&problem))?;
        Ok(Line {
            session,
            connection,
        })
    }
}

/// A connection with one session. A refused link costs the session (contract 01 section 1.9), so receivers do not share one.
struct Line {
    session: SessionHandle<()>,
    connection: ConnectionHandle<()>,
}

impl Line {
    /// Says good-bye. What goes wrong meanwhile changes nothing: the bus does not always answer (contract 06 section 3.5).
    async fn close(mut self, clock: &Clock) {
        let _ = clock
            .timeout(Duration::from_secs(1), self.connection.close())
            .await;
    }
}
