//! Senders, one per queue, kept as long as they are good.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use fe2o3_amqp::Sender;
use fe2o3_amqp::link::{ErrorRecovery, SendError, SenderAttachError, SessionStopReason};
use fe2o3_amqp::session::SessionHandle;
use fe2o3_amqp::types::messaging::Outcome;

use super::{ANSWER_LIMIT, Bus, Outgoing};
use crate::clock;

/// Most senders that are kept. Reply queues are named by others, so their number has to have a limit.
const MOST: usize = 32;
/// Longest queue name (contract 01 section 1.9).
const LONGEST_NAME: usize = 255;

/// A message that the bus has not taken over.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SendProblem {
    /// The bus said no: there is no such queue, or it takes no more.
    #[error("the bus has not taken the message for {queue}: {reason}")]
    Refused { queue: String, reason: String },
    /// The bus did not answer, or is not there.
    #[error("the bus cannot be reached: {0}")]
    Lost(String),
}

struct Link {
    sender: Sender,
    session: SessionHandle<()>,
}

type Slot = Arc<tokio::sync::Mutex<Option<Link>>>;

#[derive(Clone)]
pub(super) struct Senders {
    exchange: String,
    slots: Arc<Mutex<HashMap<String, Slot>>>,
}

impl Senders {
    pub(super) fn new(exchange: String) -> Self {
        Self {
            exchange,
            slots: Arc::default(),
        }
    }

    pub(super) async fn send(
        &self,
        bus: &Bus,
        queue: &str,
        message: Outgoing,
    ) -> Result<(), SendProblem> {
        if !is_name(queue) {
            return Err(SendProblem::Refused {
                queue: crate::log::one_line(&queue),
                reason: "this is no queue name".to_owned(),
            });
        }
        let slot = self.slot(queue);
        let sending = async {
            let mut slot = slot.lock().await;
            if let Some(mut kept) = slot.take().filter(|kept| !kept.session.is_ended()) {
                match kept.sender.send(message.clone().write()).await {
                    Ok(outcome) => {
                        *slot = Some(kept);
                        return taken(queue, &outcome);
                    }
                    // A bus may close links that were idle; that is no reason to fail.
                    Err(error) if is_link_alone(&error) => {}
                    Err(error) => return Err(lost(&error)),
                }
            }
            let mut fresh = self.attach(bus, queue).await?;
            let outcome = fresh.sender.send(message.write()).await;
            let outcome = outcome.map_err(|error| lost(&error))?;
            *slot = Some(fresh);
            taken(queue, &outcome)
        };
        clock::within(ANSWER_LIMIT, sending)
            .await
            .unwrap_or_else(|| Err(SendProblem::Lost("no answer".to_owned())))
    }

    fn slot(&self, queue: &str) -> Slot {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= MOST && !slots.contains_key(queue) {
            slots.clear();
        }
        Arc::clone(slots.entry(queue.to_owned()).or_default())
    }

    async fn attach(&self, bus: &Bus, queue: &str) -> Result<Link, SendProblem> {
        let mut session = bus
            .session()
            .await
            .map_err(|error| SendProblem::Lost(error.to_string()))?;
        let name = format!("sender-{queue}-{}", crate::ids::fresh());
        let target = format!("/exchange/{}/{queue}", self.exchange);
        let sender =
            Sender::attach(&mut session, name, target)
                .await
                .map_err(|error| match error {
                    SenderAttachError::SessionStopped(SessionStopReason::ConnectionStopped(_)) => {
                        lost(&error)
                    }
                    _ => SendProblem::Refused {
                        queue: queue.to_owned(),
                        reason: error.to_string(),
                    },
                })?;
        Ok(Link { sender, session })
    }
}

/// Whether the link has ended and the connection has not.
fn is_link_alone(error: &SendError) -> bool {
    let needed = error.recovery();
    needed != ErrorRecovery::ReconnectConnection && needed != ErrorRecovery::UseLink
}

fn lost(error: &impl ToString) -> SendProblem {
    SendProblem::Lost(error.to_string())
}

fn is_name(queue: &str) -> bool {
    !queue.is_empty()
        && queue.len() <= LONGEST_NAME
        && !queue.contains('/')
        && !queue.chars().any(char::is_control)
}

fn taken(queue: &str, outcome: &Outcome) -> Result<(), SendProblem> {
    let reason = match outcome {
        Outcome::Accepted(_) => return Ok(()),
        Outcome::Rejected(rejected) => rejected.error.as_ref().map_or_else(
            || "rejected".to_owned(),
            |error| format!("rejected, {:?}", error.condition),
        ),
        Outcome::Released(_) => "there is no such queue".to_owned(),
        Outcome::Modified(_) => "modified".to_owned(),
    };
    Err(SendProblem::Refused {
        queue: queue.to_owned(),
        reason,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_name_becomes_part_of_an_address() {
        assert!(is_name("109989_syncreply_a"));
        for name in ["", "a/b", "a\nb", &"x".repeat(256)] {
            assert!(!is_name(name), "{name:?}");
        }
    }

    #[test]
    fn only_accepted_counts_as_taken() {
        use fe2o3_amqp::types::messaging::{Accepted, Released};
        assert_eq!(taken("q", &Outcome::Accepted(Accepted {})), Ok(()));
        assert!(matches!(
            taken("q", &Outcome::Released(Released {})),
            Err(SendProblem::Refused { .. })
        ));
    }
}
