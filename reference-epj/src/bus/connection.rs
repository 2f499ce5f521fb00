//! Opening the connection and opening it again.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use fe2o3_amqp::connection::ConnectionHandle;
use fe2o3_amqp::sasl_profile::SaslProfile;
use fe2o3_amqp::{Connection, Session};
use nhn_model::connection_string::ConnectionString;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio_rustls::TlsConnector;

use super::{ANSWER_LIMIT, SessionRequest, stopped};
use crate::{clock, log};

/// Pause before the first new attempt; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// Longest pause: NHN restarts the bus now and then, and nobody shall wait a minute for that.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// The bus has to be heard of this often, in milliseconds.
const IDLE_MILLISECONDS: u32 = 20_000;
/// Longest that a farewell may take.
const FAREWELL: Duration = Duration::from_millis(700);

/// Where the bus is and who calls.
#[derive(Clone)]
pub(crate) struct Line {
    host: String,
    port: u16,
    username: String,
    password: nhn_model::Secret,
    pub(super) exchange: String,
    name: ServerName<'static>,
    tls: TlsConnector,
}

/// The bus cannot be reached with what the environment says.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LineError {
    /// The connection string cannot be read.
    #[error("the bus's connection string cannot be used: {0}")]
    ConnectionString(String),
    /// The trust bundle cannot be read.
    #[error("the trust bundle cannot be read: {0}")]
    Trust(String),
}

impl Line {
    /// Reads connection string and trust bundle.
    ///
    /// # Errors
    /// [`LineError`].
    pub(crate) fn new(amqps: &str, exchange: &str, trust: &Path) -> Result<Self, LineError> {
        let parsed = ConnectionString::parse(amqps)
            .map_err(|error| LineError::ConnectionString(error.to_string()))?;
        if !parsed.tls {
            return Err(LineError::ConnectionString(
                "it does not begin with amqps://".to_owned(),
            ));
        }
        let name = ServerName::try_from(parsed.host.clone())
            .map_err(|error| LineError::ConnectionString(error.to_string()))?;
        Ok(Self {
            host: parsed.host,
            port: parsed.port,
            username: parsed.username,
            password: parsed.password,
            exchange: exchange.to_owned(),
            name,
            tls: tls(trust)?,
        })
    }
}

fn tls(trust: &Path) -> Result<TlsConnector, LineError> {
    let failed = |error: String| LineError::Trust(error);
    let mut roots = RootCertStore::empty();
    for root in CertificateDer::pem_file_iter(trust).map_err(|error| failed(error.to_string()))? {
        let root = root.map_err(|error| failed(error.to_string()))?;
        roots.add(root).map_err(|error| failed(error.to_string()))?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

/// Keeps the connection up and opens sessions on it for those who ask.
pub(super) async fn keep(
    line: Line,
    mut requests: mpsc::Receiver<SessionRequest>,
    reconnect: bool,
    mut stop: watch::Receiver<bool>,
) {
    let mut pause = FIRST_PAUSE;
    loop {
        let opened = tokio::select! {
            opened = clock::within(ANSWER_LIMIT, open(&line)) => opened,
            () = stopped(&mut stop) => return,
        };
        match opened {
            Some(Ok(connection)) => {
                log::info("connected to the bus");
                pause = FIRST_PAUSE;
                match serve(connection, &mut requests, &mut stop).await {
                    Ended::Stopped => return,
                    Ended::Lost(reason) => {
                        log::warning(format_args!("the bus has closed the connection: {reason}"));
                    }
                }
            }
            Some(Err(reason)) => {
                log::warning(format_args!("cannot connect to the bus: {reason}"));
            }
            None => log::warning("cannot connect to the bus: no answer"),
        }
        if !reconnect {
            return;
        }
        tokio::select! {
            () = clock::sleep(pause) => {}
            () = stopped(&mut stop) => return,
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

async fn open(line: &Line) -> Result<ConnectionHandle<()>, String> {
    let stream = TcpStream::connect((line.host.as_str(), line.port))
        .await
        .map_err(|error| error.to_string())?;
    stream
        .set_nodelay(true)
        .map_err(|error| error.to_string())?;
    let stream = line
        .tls
        .connect(line.name.clone(), stream)
        .await
        .map_err(|error| error.to_string())?;
    Connection::builder()
        .container_id(format!("reference-epj-{}", crate::ids::fresh().simple()))
        .hostname(line.host.as_str())
        .sasl_hostname(line.host.as_str())
        // TLS is there already; the library only sees its stream.
        .scheme("amqp")
        .idle_time_out(IDLE_MILLISECONDS)
        .sasl_profile(SaslProfile::Plain {
            username: line.username.clone(),
            password: line.password.reveal().to_owned(),
        })
        .open_with_stream(stream)
        .await
        .map_err(|error| error.to_string())
}

enum Ended {
    Stopped,
    Lost(String),
}

async fn serve(
    mut connection: ConnectionHandle<()>,
    requests: &mut mpsc::Receiver<SessionRequest>,
    stop: &mut watch::Receiver<bool>,
) -> Ended {
    loop {
        let request = tokio::select! {
            closed = connection.on_close() => {
                return Ended::Lost(closed.err().map_or_else(|| "no reason given".to_owned(), |error| error.to_string()));
            }
            () = stopped(stop) => {
                // A bus that does not say goodbye is left without one.
                let _ = clock::within(FAREWELL, connection.close()).await;
                return Ended::Stopped;
            }
            request = requests.recv() => request,
        };
        let Some(request) = request else {
            // Nobody is left who could use the connection.
            let _ = clock::within(FAREWELL, connection.close()).await;
            return Ended::Stopped;
        };
        if request.is_closed() {
            continue;
        }
        match clock::within(ANSWER_LIMIT, Session::begin(&mut connection)).await {
            // Whoever asked may have gone meanwhile; the session ends when it is dropped.
            Some(Ok(session)) => drop(request.send(session)),
            Some(Err(error)) => log::warning(format_args!("the bus gives no session: {error}")),
            None => return Ended::Lost("no answer to the opening of a session".to_owned()),
        }
    }
}
