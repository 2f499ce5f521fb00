//! The server: accepts, reads within limits, records, meets faults, answers.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::http::{HeaderValue, Response, StatusCode, header};
use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;

use super::answer::{Answer, Exchange};
use super::body::{CutOff, Pace, PacedBody};
use super::record::{Ending, public_headers};
use crate::Context;
use crate::evidence::{Event, Part};
use crate::fault::{FaultAction, Hit};
use crate::listener::BindError;

/// Most connections that one server holds at once.
const CONNECTION_LIMIT: usize = 512;
/// How long a client may take for its TLS handshake, its header and its body, each.
const READ_LIMIT: Duration = Duration::from_secs(30);
/// How long a fault keeps a connection without an answer.
const SILENCE_LIMIT: Duration = Duration::from_secs(600);

/// Numbers HTTP exchanges of all servers in this process.
static REQUESTS: AtomicU64 = AtomicU64::new(1);

/// How a server is set up.
#[derive(Clone)]
pub struct HttpConfig {
    /// The part whose evidence and faults the server's exchanges are.
    pub part: Part,
    /// TLS, or plain HTTP when absent.
    pub tls: Option<TlsAcceptor>,
    /// Largest request body in bytes; above it the answer is 413.
    pub body_limit: usize,
    /// Whether bodies are stored as evidence; off where they carry credentials.
    pub record_bodies: bool,
}

/// A running server.
#[derive(Debug)]
pub struct HttpServer {
    address: SocketAddr,
    open: Arc<watch::Sender<bool>>,
}

impl HttpServer {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes the listening socket and every connection: clients are refused by the operating system.
    pub fn refuse(&self) {
        self.open.send_replace(false);
    }

    /// Listens again at the same address.
    pub fn resume(&self) {
        self.open.send_replace(true);
    }
}

/// Serves HTTP/1.1 until the context's shutdown fires.
///
/// Faults are asked for with operation `http` and the path as subject, before the handler is called and in the
/// order of arrival.
///
/// # Errors
/// [`BindError`] when the listener has no local address.
pub fn serve<H, F>(
    config: HttpConfig,
    listener: TcpListener,
    context: Context,
    handler: H,
) -> Result<HttpServer, BindError>
where
    H: Fn(Exchange) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Answer> + Send + 'static,
{
    let unknown = SocketAddr::from(([0, 0, 0, 0], 0));
    let address = listener.local_addr().map_err(|source| BindError {
        address: unknown,
        source,
    })?;
    let open = Arc::new(watch::Sender::new(true));
    tokio::spawn(accept(
        config,
        listener,
        address,
        open.subscribe(),
        context,
        handler,
    ));
    Ok(HttpServer { address, open })
}

async fn accept<H, F>(
    config: HttpConfig,
    listener: TcpListener,
    address: SocketAddr,
    mut open: watch::Receiver<bool>,
    context: Context,
    handler: H,
) where
    H: Fn(Exchange) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Answer> + Send + 'static,
{
    let mut shutdown = context.shutdown.clone();
    let mut listener = Some(listener);
    let mut steered = true;
    let places = Arc::new(Semaphore::new(CONNECTION_LIMIT));
    loop {
        if let Some(bound) = &listener {
            tokio::select! {
                () = shutdown.stopping() => return,
                changed = open.changed(), if steered => {
                    // When the handle is gone, the server goes on until the shutdown.
                    steered = changed.is_ok();
                    if steered && !*open.borrow() {
                        listener = None;
                    }
                }
                accepted = bound.accept() => {
                    let Ok((stream, peer)) = accepted else {
                        context.clock.sleep(Duration::from_millis(20)).await;
                        continue;
                    };
                    let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
                        continue;
                    };
                    let (config, context, handler, open) = (config.clone(), context.clone(), handler.clone(), open.clone());
                    tokio::spawn(async move {
                        connection(config, stream, peer, open, context, handler).await;
                        drop(place);
                    });
                }
            }
        } else {
            tokio::select! {
                () = shutdown.stopping() => return,
                () = reopened(&mut open) => listener = rebind(address, &context).await,
            }
        }
    }
}

async fn reopened(open: &mut watch::Receiver<bool>) {
    if open.wait_for(|open| *open).await.is_err() {
        std::future::pending::<()>().await;
    }
}

async fn refused(open: &mut watch::Receiver<bool>) {
    if open.wait_for(|open| !*open).await.is_err() {
        // The handle is gone and can refuse no more.
        std::future::pending::<()>().await;
    }
}

/// Binds the old address again; another process may hold the port for a moment.
async fn rebind(address: SocketAddr, context: &Context) -> Option<TcpListener> {
    for _ in 0..100 {
        match TcpListener::bind(address).await {
            Ok(listener) => return Some(listener),
            Err(_) => context.clock.sleep(Duration::from_millis(20)).await,
        }
    }
    let text = format!("cannot listen on {address} again: the port was taken by another program");
    context.journal.record(Part::Runner, Event::Note { text });
    None
}

async fn connection<H, F>(
    config: HttpConfig,
    stream: TcpStream,
    peer: SocketAddr,
    mut open: watch::Receiver<bool>,
    context: Context,
    handler: H,
) where
    H: Fn(Exchange) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Answer> + Send + 'static,
{
    // Without it the last piece of an answer may wait for the peer's delayed acknowledgement.
    let _ = stream.set_nodelay(true);
    let mut shutdown = context.shutdown.clone();
    let serving = async {
        match &config.tls {
            None => speak(&config, stream, peer, &context, &handler).await,
            Some(tls) => {
                if let Ok(Ok(stream)) = context.clock.timeout(READ_LIMIT, tls.accept(stream)).await
                {
                    speak(&config, stream, peer, &context, &handler).await;
                }
            }
        }
    };
    tokio::select! {
        () = serving => {}
        () = shutdown.stopping() => {}
        () = refused(&mut open) => {}
    }
}

async fn speak<S, H, F>(
    config: &HttpConfig,
    stream: S,
    peer: SocketAddr,
    context: &Context,
    handler: &H,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send,
    H: Fn(Exchange) -> F,
    F: Future<Output = Answer>,
{
    let service = service_fn(|request| exchange(config, request, peer, context, handler));
    // An error here is the peer's (a broken request, a lost connection) or a fault's; the journal has what matters.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(READ_LIMIT)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn exchange<H, F>(
    config: &HttpConfig,
    request: hyper::Request<Incoming>,
    peer: SocketAddr,
    context: &Context,
    handler: &H,
) -> Result<Response<PacedBody>, CutOff>
where
    H: Fn(Exchange) -> F,
    F: Future<Output = Answer>,
{
    let number = REQUESTS.fetch_add(1, Ordering::Relaxed);
    let (head, body) = request.into_parts();
    let read = context
        .clock
        .timeout(READ_LIMIT, Limited::new(body, config.body_limit).collect())
        .await;
    let mut ending = Ending::new(context.journal.clone(), config.part, number);
    let stored = |bytes: &Bytes| {
        (config.record_bodies && !bytes.is_empty()).then(|| context.journal.blob(bytes))
    };
    let (bytes, refusal) = match read {
        Ok(Ok(body)) => (body.to_bytes(), None),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            (Bytes::new(), Some(StatusCode::PAYLOAD_TOO_LARGE))
        }
        Ok(Err(_)) => (Bytes::new(), Some(StatusCode::BAD_REQUEST)),
        Err(_) => (Bytes::new(), Some(StatusCode::REQUEST_TIMEOUT)),
    };
    context.journal.record(
        config.part,
        Event::HttpRequest {
            request: number,
            peer: peer.to_string(),
            method: head.method.to_string(),
            path: head.uri.to_string(),
            headers: public_headers(&head.headers),
            body: stored(&bytes),
        },
    );
    let path = head.uri.path().to_owned();
    let hit = context.faults.arrive(config.part, "http", &path);
    if let Some(hit) = &hit {
        let met = Event::FaultMet {
            fault: hit.name.clone(),
            target: path,
            action: format!("{:?}", hit.action),
        };
        context.journal.record(config.part, met);
    }
    let exchange = Exchange {
        request: number,
        peer,
        method: head.method,
        uri: head.uri,
        headers: head.headers,
        body: bytes,
        artefact: hit.as_ref().and_then(|hit| match &hit.action {
            FaultAction::Artefact(name) => Some(name.clone()),
            _ => None,
        }),
    };
    let answer = match refusal {
        Some(status) => close_after(Answer::empty(status)),
        None => handler(exchange).await,
    };
    let (answer, pace) = apply(hit, answer, context, &mut ending).await?;
    context.journal.record(
        config.part,
        Event::HttpAnswer {
            request: number,
            status: answer.response.status().as_u16(),
            headers: public_headers(answer.response.headers()),
            body: stored(answer.response.body()),
        },
    );
    ending.promise(answer.when_served);
    Ok(answer
        .response
        .map(|bytes| PacedBody::new(bytes, pace, context.clock.clone(), ending)))
}

/// A connection whose request was not read to its end cannot be used again.
fn close_after(mut answer: Answer) -> Answer {
    answer
        .response
        .headers_mut()
        .insert(header::CONNECTION, HeaderValue::from_static("close"));
    answer
}

async fn apply(
    hit: Option<Hit>,
    mut answer: Answer,
    context: &Context,
    ending: &mut Ending,
) -> Result<(Answer, Pace), CutOff> {
    let mut pace = Pace::Whole;
    match hit.map(|hit| hit.action) {
        None | Some(FaultAction::Artefact(_) | FaultAction::Amqp { .. }) => {}
        Some(FaultAction::Delay(delay)) => context.clock.sleep(delay).await,
        Some(FaultAction::Drip { bytes, every }) => pace = Pace::Drip { bytes, every },
        Some(FaultAction::NoAnswer) => {
            context.clock.sleep(SILENCE_LIMIT).await;
            ending.cut_off();
            return Err(CutOff);
        }
        Some(FaultAction::Reset) => {
            ending.cut_off();
            return Err(CutOff);
        }
        Some(FaultAction::ResetMidBody { after }) => pace = Pace::CutAfter(after),
        Some(FaultAction::Status(status)) => {
            answer = Answer::empty(
                StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            );
        }
        Some(FaultAction::Corrupt) => {
            let mut bytes = answer.response.body().to_vec();
            let middle = bytes.len() / 2;
            bytes
                .iter_mut()
                .skip(middle)
                .take(8)
                .for_each(|byte| *byte ^= 0x5a);
            *answer.response.body_mut() = bytes.into();
            answer.when_served.clear();
        }
    }
    Ok((answer, pace))
}
