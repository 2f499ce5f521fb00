//! Dead lettering: one queue per HER-id takes what its other queues could not get rid of (contract 01 sections 1.1, 3.5).

use testbed::evidence::{Event, Part};

use super::message::{Death, DeathReason, Entry};
use super::{Broker, State};

const SUFFIX: &str = "_dl";

/// The dead-letter queue for a queue: `<herId>_dl`.
pub(crate) fn queue_of(name: &str) -> String {
    let owner = name.split_once('_').map_or(name, |(owner, _)| owner);
    format!("{owner}{SUFFIX}")
}

/// Whether this is a dead-letter queue.
pub(super) fn is_one(name: &str) -> bool {
    name.ends_with(SUFFIX)
}

impl Broker {
    /// Moves an entry that was taken out of `from` to the dead-letter queue. What dies in a dead-letter queue is gone.
    pub(super) fn dead_letter(
        &self,
        state: &mut State,
        from: &str,
        entry: Entry,
        reason: DeathReason,
    ) {
        let to = queue_of(from);
        if is_one(from) || !state.queues.contains_key(&to) {
            state.forget(std::slice::from_ref(&entry));
            let text = format!(
                "message {} of queue {from} is gone ({}): there is no dead-letter queue for it",
                entry.message.number,
                reason.symbol()
            );
            self.journal.record(Part::Bus, Event::Note { text });
            return;
        }
        let event = Event::BusDeadLettered {
            queue: from.to_owned(),
            to: to.clone(),
            message: entry.message.number,
            reason: reason.symbol().to_owned(),
        };
        self.journal.record(Part::Bus, event);
        let position = state.next_position();
        let dead = self.buried(from, entry, reason, position);
        let most = state.policy.queue_length;
        let Some(queue) = state.queues.get_mut(&to) else {
            return;
        };
        queue.put(dead);
        let overflow = (queue.len() > most).then(|| queue.pop_head()).flatten();
        if let Some(oldest) = overflow {
            self.dead_letter(state, &to, oldest, DeathReason::MaxLength);
        }
    }

    /// The entry as it lies in the dead-letter queue: no time to live, never handed out by this queue, deaths noted.
    fn buried(&self, from: &str, mut entry: Entry, reason: DeathReason, position: u64) -> Entry {
        let now = self.clock.wall();
        let known = entry
            .deaths
            .iter()
            .position(|death| death.queue == from && death.reason == reason);
        let mut death = match known {
            Some(index) => entry.deaths.remove(index),
            None => Death {
                queue: from.to_owned(),
                reason,
                count: 0,
                first: now,
                last: now,
                exchange: entry.message.exchange.clone(),
                routing_key: entry.message.routing_key.clone(),
                ttl: entry.message.header.ttl,
            },
        };
        death.count += 1;
        death.last = now;
        entry.deaths.insert(0, death);
        entry.position = position;
        entry.expires = None;
        // The counter that the limit looks at starts again from the failures (contract 01 section 3.3).
        entry.returns = entry.failures;
        // RabbitMQ gives a dead letter out with first-acquirer false.
        entry.handed_out = true;
        entry
    }
}
