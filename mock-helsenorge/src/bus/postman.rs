//! Sending: one task that has a connection of its own and keeps the links it has used.

use std::collections::BTreeMap;
use std::time::Duration;

use fe2o3_amqp::Sender;
use fe2o3_amqp::link::{SenderAttachError, SessionStopReason};
use fe2o3_amqp::types::definitions::{AmqpError, ErrorCondition};
use fe2o3_amqp::types::messaging::Outcome;
use testbed::ShutdownSignal;
use tokio::sync::{mpsc, oneshot};

use super::message::Outgoing;
use super::{Bus, Line};

/// How long a message may take until the bus has accepted it, attempts to connect included.
const SEND_LIMIT: Duration = Duration::from_secs(10);
/// Messages that wait to be sent.
const MOST_WAITING: usize = 1024;
/// Links that are kept.
const MOST_LINKS: usize = 16;

/// The bus did not take a message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SendError {
    /// The address is refused or leads to no queue: another attempt would end in the same way.
    #[error("there is no way to {queue}: {reason}")]
    Unroutable { queue: String, reason: String },
    /// The bus is out of reach, or slow.
    #[error("{0}")]
    Unreachable(String),
}

/// Hands messages to the sending task.
#[derive(Clone, Debug)]
pub(crate) struct Postman {
    letters: mpsc::Sender<Letter>,
}

struct Letter {
    message: Outgoing,
    outcome: oneshot::Sender<Result<(), SendError>>,
}

impl Postman {
    /// Starts the task; it ends with the shutdown.
    pub(crate) fn start(bus: Bus, shutdown: ShutdownSignal) -> Self {
        let (letters, inbox) = mpsc::channel(MOST_WAITING);
        tokio::spawn(deliver_all(bus, inbox, shutdown));
        Self { letters }
    }

    /// Sends a message and returns when the bus has accepted it.
    pub(crate) async fn send(&self, message: Outgoing) -> Result<(), SendError> {
        let gone = || SendError::Unreachable("helsenorge is stopping".into());
        let (outcome, told) = oneshot::channel();
        self.letters
            .send(Letter { message, outcome })
            .await
            .map_err(|_| gone())?;
        told.await.map_err(|_| gone())?
    }
}

async fn deliver_all(bus: Bus, mut inbox: mpsc::Receiver<Letter>, mut shutdown: ShutdownSignal) {
    let mut office = Office {
        bus,
        line: None,
        links: BTreeMap::new(),
    };
    loop {
        let letter = tokio::select! {
            biased;
            () = shutdown.stopping() => break,
            letter = inbox.recv() => match letter {
                Some(letter) => letter,
                None => break,
            },
        };
        let clock = office.bus.clock.clone();
        let outcome = tokio::select! {
            biased;
            () = shutdown.stopping() => break,
            outcome = clock.timeout(SEND_LIMIT, office.deliver(&letter.message)) => outcome,
        };
        let outcome = outcome.unwrap_or_else(|late| {
            // Nobody knows what became of the message; links with something open are not used again.
            office.drop_links();
            Err(SendError::Unreachable(late.to_string()))
        });
        // The one who asked may have gone.
        let _ = letter.outcome.send(outcome);
    }
    office.close().await;
}

struct Office {
    bus: Bus,
    line: Option<Line>,
    links: BTreeMap<String, Sender>,
}

impl Office {
    /// One attempt on the connection that is there, and one on a fresh one: a connection that was lost meanwhile is only
    /// noticed in use.
    async fn deliver(&mut self, message: &Outgoing) -> Result<(), SendError> {
        let mut failures = 0;
        loop {
            let used = self.line.is_some();
            match self.attempt(message).await {
                Attempt::Done(outcome) => return outcome,
                Attempt::Lost(reason) => {
                    self.drop_links();
                    if !used {
                        failures += 1;
                    }
                    if failures >= 3 {
                        return Err(SendError::Unreachable(reason));
                    }
                    if failures > 0 {
                        self.bus.clock.sleep(super::backoff(failures)).await;
                    }
                }
            }
        }
    }

    async fn attempt(&mut self, message: &Outgoing) -> Attempt {
        let queue = &message.queue;
        let unroutable = |reason: String| {
            Attempt::Done(Err(SendError::Unroutable {
                queue: queue.clone(),
                reason,
            }))
        };
        if self.links.len() >= MOST_LINKS && !self.links.contains_key(queue) {
            self.drop_links();
        }
        let line = match &mut self.line {
            Some(line) => line,
            empty => match self.bus.connect().await {
                Ok(line) => empty.insert(line),
                Err(reason) => return Attempt::Lost(reason),
            },
        };
        if !self.links.contains_key(queue) {
            let target = self.bus.target(queue);
            let name = format!("{}-{queue}", self.bus.container);
            match Sender::attach(&mut line.session, name, target).await {
                Ok(link) => {
                    self.links.insert(queue.clone(), link);
                }
                Err(refusal) => {
                    let reason = refusal.to_string();
                    let refused = is_refused(&refusal);
                    // A refused address ends the session (contract 01 section 1.9).
                    self.drop_links();
                    return match refused {
                        true => unroutable(reason),
                        false => Attempt::Lost(reason),
                    };
                }
            }
        }
        let Some(link) = self.links.get_mut(queue) else {
            return Attempt::Lost("the link is gone".into());
        };
        match link.send(message.message(self.bus.clock.wall())).await {
            Ok(Outcome::Accepted(_)) => Attempt::Done(Ok(())),
            Ok(Outcome::Released(_)) => unroutable("the bus has no such queue".into()),
            Ok(other) => Attempt::Done(Err(SendError::Unreachable(format!("{other:?}")))),
            Err(problem) => Attempt::Lost(problem.to_string()),
        }
    }

    fn drop_links(&mut self) {
        self.links.clear();
        self.line = None;
    }

    async fn close(mut self) {
        self.links.clear();
        if let Some(line) = self.line.take() {
            line.close(&self.bus.clock).await;
        }
    }
}

/// Whether the bus has refused the address itself; a session or connection that is lost says nothing of it.
fn is_refused(problem: &SenderAttachError) -> bool {
    let error = match problem {
        SenderAttachError::SessionStopped(SessionStopReason::RemoteEndedWithError(error))
        | SenderAttachError::RemoteClosedWithError(error) => error,
        _ => return false,
    };
    let conditions = [
        AmqpError::NotFound,
        AmqpError::InvalidField,
        AmqpError::NotAllowed,
        AmqpError::UnauthorizedAccess,
    ];
    conditions
        .into_iter()
        .any(|condition| error.condition == ErrorCondition::AmqpError(condition))
}

enum Attempt {
    Done(Result<(), SendError>),
    Lost(String),
}
