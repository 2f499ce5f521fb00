//! The message bus as a client sees it: one connection that is kept up, receivers that come back, senders per address.

mod connection;
mod listen;
mod message;
mod send;

pub(crate) use connection::{Line, LineError};
pub(crate) use listen::{Arrival, Settlement, Subscription, listen};
pub(crate) use message::{Incoming, MessageId, Outgoing};
pub(crate) use send::SendProblem;

use std::time::Duration;

use fe2o3_amqp::session::SessionHandle;
use tokio::sync::{mpsc, oneshot, watch};

use send::Senders;

/// Longest that the bus may take to answer an opening, an attach or a transfer.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);
/// Most requests for a session that wait for the connection.
const WAITING: usize = 64;

type SessionRequest = oneshot::Sender<SessionHandle<()>>;

/// The connection, shared by all who use it.
#[derive(Clone)]
pub(crate) struct Bus {
    sessions: mpsc::Sender<SessionRequest>,
    senders: Senders,
}

/// The connection has ended for good.
#[derive(Debug, thiserror::Error)]
#[error("there is no connection to the bus")]
pub(crate) struct NoConnection;

impl Bus {
    /// Connects in the background and stays connected until `stop` says otherwise; with `reconnect` false the first loss
    /// is the last.
    pub(crate) fn start(
        line: Line,
        reconnect: bool,
        stop: watch::Receiver<bool>,
    ) -> (Self, tokio::task::JoinHandle<()>) {
        let (sessions, requests) = mpsc::channel(WAITING);
        let senders = Senders::new(line.exchange.clone());
        let keeper = tokio::spawn(connection::keep(line, requests, reconnect, stop));
        (Self { sessions, senders }, keeper)
    }

    /// A session of its own, as soon as the connection is there: a refused link takes its whole session along
    /// (contract 01 section 1.9).
    async fn session(&self) -> Result<SessionHandle<()>, NoConnection> {
        let (reply, session) = oneshot::channel();
        self.sessions.send(reply).await.map_err(|_| NoConnection)?;
        session.await.map_err(|_| NoConnection)
    }

    /// Hands a message to the bus and waits until it has taken it over.
    ///
    /// # Errors
    /// [`SendProblem`] when it has not.
    pub(crate) async fn send(&self, queue: &str, message: Outgoing) -> Result<(), SendProblem> {
        self.senders.send(self, queue, message).await
    }
}

/// Ends when the switch is thrown or can no longer be thrown.
pub(crate) async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that whoever could have thrown the switch is gone.
    let _ = stop.wait_for(|stop| *stop).await;
}
