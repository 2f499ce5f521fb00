//! A connection as a task: TLS, SASL, then bytes between socket and engine until one of them ends.

mod handshake;
mod pipe;
mod run;

use std::net::SocketAddr;
use std::sync::Arc;

use testbed::ShutdownSignal;
use testbed::evidence::{ClosedBy, Event, Part};
use testbed::fault::{FaultAction, Hit};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use crate::queue::Mailbox;
use crate::refusal::Refusal;
use crate::shared::Shared;
use pipe::Socket;

/// A connection that has been accepted.
pub(crate) struct Accepted {
    pub(crate) number: u64,
    pub(crate) stream: TcpStream,
    pub(crate) peer: SocketAddr,
    pub(crate) tls: Option<TlsAcceptor>,
}

/// Why a connection ended before its engine began.
#[derive(Debug)]
struct Ended {
    by: ClosedBy,
    user: Option<String>,
    refusal: Option<Refusal>,
    /// Whether the socket is reset instead of closed.
    is_reset: bool,
}

/// Serves a connection to its end.
pub(crate) async fn serve(accepted: Accepted, shared: Arc<Shared>, shutdown: ShutdownSignal) {
    let Accepted {
        number,
        stream,
        peer,
        tls,
    } = accepted;
    shared.record(Event::BusAccepted {
        connection: number,
        peer: peer.to_string(),
        tls: tls.is_some(),
    });
    let mailbox = Arc::new(Mailbox::default());
    if !shared.enter(number, Arc::clone(&mailbox)) {
        let what = format!("more than {} connections", shared.config.limits.connections);
        let refusal = Refusal::new(crate::refusal::condition::RESOURCE_LIMIT_EXCEEDED, what);
        closed(&shared, number, Ended::by_mock(refusal));
        return;
    }
    let task = Task {
        number,
        shared: Arc::clone(&shared),
        mailbox,
        shutdown,
    };
    task.serve(stream, peer, tls).await;
    shared.leave(number);
}

/// What a connection's task needs at every step.
struct Task {
    number: u64,
    shared: Arc<Shared>,
    mailbox: Arc<Mailbox>,
    shutdown: ShutdownSignal,
}

impl Task {
    async fn serve(mut self, stream: TcpStream, peer: SocketAddr, tls: Option<TlsAcceptor>) {
        // Replies are small and somebody waits for each of them.
        let _ = stream.set_nodelay(true);
        let ended = match self.accept_fault(&peer).await {
            Err(ended) => {
                if ended.is_reset {
                    pipe::reset(&stream);
                }
                Some(ended)
            }
            Ok(()) => match tls {
                None => self.speak(stream).await,
                Some(acceptor) => match self.secure(stream, &acceptor).await {
                    Ok(stream) => self.speak(stream).await,
                    Err(ended) => Some(ended),
                },
            },
        };
        if let Some(ended) = ended {
            closed(&self.shared, self.number, ended);
        }
    }

    /// Faults that lie in wait for the connection itself.
    async fn accept_fault(&mut self, peer: &SocketAddr) -> Result<(), Ended> {
        let Some(hit) = self.meet("accept", &peer.to_string()) else {
            return Ok(());
        };
        match hit.action {
            FaultAction::Delay(after) => self.wait(after).await,
            FaultAction::NoAnswer => Err(self.nothing_more().await),
            _ => Err(Ended::reset()),
        }
    }

    async fn secure(
        &mut self,
        stream: TcpStream,
        acceptor: &TlsAcceptor,
    ) -> Result<tokio_rustls::server::TlsStream<TcpStream>, Ended> {
        let limit = self.shared.config.limits.handshake;
        let shake = self.shared.clock.timeout(limit, acceptor.accept(stream));
        let stream = tokio::select! {
            () = self.shutdown.stopping() => return Err(Ended::stopping()),
            shaken = shake => match shaken {
                Ok(Ok(stream)) => stream,
                Ok(Err(error)) => return Err(Ended::transport(format!("TLS handshake failed: {error}"))),
                Err(passed) => return Err(Ended::transport(format!("TLS handshake: {passed}"))),
            },
        };
        let session = stream.get_ref().1;
        let version = session
            .protocol_version()
            .map_or_else(String::new, |version| format!("{version:?}"));
        self.shared.record(Event::BusSecured {
            connection: self.number,
            version,
            sni: session.server_name().map(str::to_owned),
        });
        Ok(stream)
    }

    /// SASL, then the engine. Returns how it ended if that has not been recorded.
    async fn speak<S: Socket>(&mut self, stream: S) -> Option<Ended> {
        let mut pipe = pipe::Pipe::new(stream);
        match self.handshake(&mut pipe).await {
            Ok(user) => {
                self.run(pipe, user).await;
                None
            }
            Err(ended) => {
                if ended.is_reset {
                    pipe.reset();
                }
                Some(ended)
            }
        }
    }

    fn meet(&self, operation: &str, subject: &str) -> Option<Hit> {
        let hit = self.shared.faults.arrive(Part::Bus, operation, subject)?;
        self.shared.record(Event::FaultMet {
            fault: hit.name.clone(),
            target: format!("{operation} {subject} (connection {})", self.number),
            action: format!("{:?}", hit.action),
        });
        Some(hit)
    }

    /// Waits, unless the bus goes down first.
    async fn wait(&mut self, after: std::time::Duration) -> Result<(), Ended> {
        tokio::select! {
            () = self.shared.clock.sleep(after) => Ok(()),
            () = self.shutdown.stopping() => Err(Ended::stopping()),
            () = self.mailbox.arrival() => Err(Ended::reset()),
        }
    }

    /// Keeps the connection without a word, for as long as anybody may want to wait.
    async fn nothing_more(&mut self) -> Ended {
        const SILENCE: std::time::Duration = std::time::Duration::from_secs(600);
        self.wait(SILENCE).await.err().unwrap_or_else(Ended::reset)
    }
}

impl Ended {
    fn by_mock(refusal: Refusal) -> Self {
        Self {
            by: ClosedBy::Mock,
            user: None,
            refusal: Some(refusal),
            is_reset: false,
        }
    }

    fn reset() -> Self {
        Self {
            by: ClosedBy::Mock,
            user: None,
            refusal: None,
            is_reset: true,
        }
    }

    fn stopping() -> Self {
        Self {
            is_reset: false,
            ..Self::reset()
        }
    }

    fn transport(what: impl Into<String>) -> Self {
        Self {
            by: ClosedBy::Transport,
            user: None,
            refusal: Some(Refusal::new("", what)),
            is_reset: false,
        }
    }
}

fn closed(shared: &Shared, connection: u64, ended: Ended) {
    let (condition, description) = ended
        .refusal
        .map(|refusal| (refusal.condition, refusal.description))
        .unzip();
    shared.record(Event::BusClosed {
        connection,
        user: ended.user,
        by: ended.by,
        condition: condition.filter(|condition| !condition.is_empty()),
        description,
    });
}
