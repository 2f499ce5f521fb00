//! What a receiver's decision about a message means for the queue (contract 01 sections 3.2 and 3.3).

use testbed::evidence::{BusOutcome, Event, Part};

use super::Broker;
use super::message::{Annotations, DeathReason, Entry};

/// A receiver's decision, or what stands in for it when there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Settlement {
    /// Done with: the message is gone.
    Accepted,
    /// Refused: dead-lettered.
    Rejected,
    /// Given back untouched.
    Released,
    /// `modified`.
    Modified {
        failed: bool,
        undeliverable: bool,
        annotations: Annotations,
    },
    /// The link was detached first: given back, not a failure.
    Detached,
    /// Session or connection ended first: given back, a failed attempt.
    Lost,
}

impl Settlement {
    /// The word for it in evidence.
    pub(crate) fn outcome(&self) -> BusOutcome {
        match self {
            Self::Accepted => BusOutcome::Accepted,
            Self::Rejected => BusOutcome::Rejected,
            Self::Released => BusOutcome::Released,
            Self::Modified {
                undeliverable: true,
                ..
            } => BusOutcome::ModifiedUndeliverable,
            Self::Modified { failed: true, .. } => BusOutcome::ModifiedFailed,
            Self::Modified { .. } => BusOutcome::Modified,
            Self::Detached | Self::Lost => BusOutcome::Lost,
        }
    }

    fn is_failure(&self) -> bool {
        matches!(self, Self::Lost | Self::Modified { failed: true, .. })
    }
}

/// What becomes of an entry.
#[derive(Debug)]
enum Fate {
    Gone,
    Dead(DeathReason),
    Back,
}

impl Broker {
    /// Applies a decision to the entry at `position`; `record` makes the evidence. Tells whether the entry was still
    /// handed out: a decision that comes after a purge changes nothing and is not recorded.
    pub(crate) fn settle(
        &self,
        name: &str,
        position: u64,
        settlement: Settlement,
        record: impl FnOnce(&Entry) -> Event,
    ) -> bool {
        let now = self.clock.now();
        let mut state = self.lock();
        let reclaimed = state
            .queues
            .get_mut(name)
            .and_then(|queue| queue.reclaim(position));
        let Some(mut entry) = reclaimed else {
            return false;
        };
        self.journal.record(Part::Bus, record(&entry));
        let fate = decide(
            &mut entry,
            settlement,
            state.policy.most_deliveries,
            state.policy.released_counts,
        );
        match fate {
            Fate::Gone => state.forget(&[entry]),
            Fate::Dead(reason) => self.dead_letter(&mut state, name, entry, reason),
            Fate::Back => {
                if let Some(queue) = state.queues.get_mut(name) {
                    queue.put(entry);
                }
            }
        }
        self.tend(&mut state, name, now);
        true
    }
}

fn decide(
    entry: &mut Entry,
    settlement: Settlement,
    most_deliveries: u32,
    released_counts: bool,
) -> Fate {
    let failure = settlement.is_failure();
    match settlement {
        Settlement::Accepted => return Fate::Gone,
        Settlement::Rejected
        | Settlement::Modified {
            undeliverable: true,
            ..
        } => {
            entry.failures = entry.failures.saturating_add(1);
            return Fate::Dead(DeathReason::Rejected);
        }
        Settlement::Modified { annotations, .. } => entry.merged.extend(annotations),
        Settlement::Released | Settlement::Detached | Settlement::Lost => {}
    }
    if failure {
        entry.failures = entry.failures.saturating_add(1);
    }
    if failure || released_counts {
        entry.returns = entry.returns.saturating_add(1);
    }
    match entry.returns >= most_deliveries {
        true => Fate::Dead(DeathReason::DeliveryLimit),
        false => Fate::Back,
    }
}
