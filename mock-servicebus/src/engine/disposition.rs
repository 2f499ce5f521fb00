//! What receivers decide about deliveries (contract 01 sections 3.2 and 3.3).

use bytes::Bytes;
use fe2o3_amqp_types::definitions::{ErrorCondition, Role};
use fe2o3_amqp_types::messaging::{DeliveryState, Modified, Rejected};
use fe2o3_amqp_types::performatives::{Disposition, Performative};
use testbed::evidence::Event;

use super::Engine;
use super::link::Unsettled;
use super::serial;
use crate::queue::{Annotations, Settlement};
use crate::refusal::{Refusal, condition};

impl Engine {
    pub(super) fn on_disposition(&mut self, channel: u16, disposition: Disposition) {
        // A sender's disposition speaks of deliveries that we have settled already.
        if disposition.role == Role::Sender {
            return;
        }
        let deliveries = self.unsettled_in(channel, &disposition);
        if deliveries.is_empty() {
            return;
        }
        let decided = disposition.state.as_ref().and_then(settlement);
        let Some((settlement, condition)) = decided else {
            let what =
                "a disposition needs a terminal state: accepted, rejected, released or modified";
            return self.end(channel, &Refusal::new(condition::INVALID_FIELD, what));
        };
        for delivery in &deliveries {
            let Some(session) = self.session(channel) else {
                return;
            };
            if let Some(unsettled) = session.unsettled.remove(delivery) {
                self.settle(*delivery, &unsettled, settlement.clone(), condition.clone());
            }
        }
        if !disposition.settled {
            let last = Some(disposition.last.unwrap_or(disposition.first));
            let echo = Disposition {
                role: Role::Sender,
                first: disposition.first,
                last: last.filter(|last| *last != disposition.first),
                settled: true,
                state: disposition.state.map(without_error),
                batchable: false,
            };
            self.send(channel, &Performative::Disposition(echo), &[]);
        }
    }

    /// Deliveries of the range that are not settled. The range is the peer's claim; what is looked at is what we have sent.
    fn unsettled_in(&mut self, channel: u16, disposition: &Disposition) -> Vec<u32> {
        let Some(session) = self.session(channel) else {
            return Vec::new();
        };
        let first = disposition.first;
        let last = disposition.last.unwrap_or(first);
        let within = |delivery: &u32| {
            !serial::is_after(first, *delivery) && !serial::is_after(*delivery, last)
        };
        if first == last {
            return session
                .unsettled
                .contains_key(&first)
                .then_some(first)
                .into_iter()
                .collect();
        }
        session.unsettled.keys().copied().filter(within).collect()
    }

    /// Applies a decision to the queue, with its evidence.
    pub(super) fn settle(
        &self,
        delivery: u32,
        of: &Unsettled,
        settlement: Settlement,
        condition: Option<String>,
    ) {
        let outcome = settlement.outcome();
        self.shared
            .broker
            .settle(&of.queue, of.position, settlement, |entry| {
                Event::BusSettled {
                    connection: self.connection,
                    link: of.link,
                    user: self.user.clone(),
                    queue: of.queue.clone(),
                    message: entry.message.number,
                    delivery,
                    outcome,
                    condition,
                }
            });
    }
}

/// The decision, and the condition of a `rejected`; nothing for a state that decides nothing.
fn settlement(state: &DeliveryState) -> Option<(Settlement, Option<String>)> {
    Some(match state {
        DeliveryState::Accepted(_) => (Settlement::Accepted, None),
        DeliveryState::Rejected(rejected) => {
            let condition = rejected.error.as_ref().map(|error| text(&error.condition));
            (Settlement::Rejected, condition)
        }
        DeliveryState::Released(_) => (Settlement::Released, None),
        DeliveryState::Modified(modified) => (decided(modified), None),
        DeliveryState::Received(_) => return None,
    })
}

fn decided(modified: &Modified) -> Settlement {
    let entries = modified
        .message_annotations
        .iter()
        .flat_map(|annotations| annotations.iter());
    let annotations: Annotations = entries
        .filter(|(key, _)| key.as_str().starts_with("x-"))
        .filter_map(|(key, value)| {
            let encoded = serde_amqp::to_vec(value).ok()?;
            Some((key.as_str().to_owned(), Bytes::from(encoded)))
        })
        .collect();
    Settlement::Modified {
        failed: modified.delivery_failed.unwrap_or(false),
        undeliverable: modified.undeliverable_here.unwrap_or(false),
        annotations,
    }
}

/// The echo of a rejection states no error: some clients would take it for a failure of their own.
fn without_error(state: DeliveryState) -> DeliveryState {
    match state {
        DeliveryState::Rejected(_) => DeliveryState::Rejected(Rejected { error: None }),
        other => other,
    }
}

pub(super) fn text(condition: &ErrorCondition) -> String {
    match condition {
        ErrorCondition::Custom(symbol) => symbol.as_str().to_owned(),
        // The decoder makes no others.
        other => format!("{other:?}"),
    }
}
