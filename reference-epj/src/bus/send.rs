//! Senders, one per queue, kept as long as they are good.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use fe2o3_amqp::Sender;
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
            let mut link = slot.lock().await;
            let mut good = match link.take() {
                Some(good) if !good.session.is_ended() => good,
                _ => self.attach(bus, queue).await?,
            };
            let outcome = good
                .sender
                .send(message.write())
                .await
                .map_err(|error| SendProblem::Lost(error.to_string()))?;
            *link = Some(good);
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
        let sender = Sender::attach(&mut session, name, target)
            .await
            .map_err(|error| SendProblem::Refused {
                queue: queue.to_owned(),
                reason: error.to_string(),
            })?;
        Ok(Link { sender, session })
    }
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
