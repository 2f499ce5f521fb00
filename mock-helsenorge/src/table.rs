//! Tests that helsenorge has started: what is under way, and how each ends (contract 03 section 1.9).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use testbed::clock::Moment;
use tokio::sync::watch;

/// Most tests that are under way at once, those that are watched for late replies included.
pub(crate) const MOST_TESTS: usize = 1000;

/// Where a test stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The bus has not accepted the request yet.
    Sending,
    /// Since when a reply is waited for.
    Waiting(Moment),
    /// A reply came in time and is judged.
    Judging(Moment),
    /// It has its outcome.
    Concluded(Moment),
}

/// A test.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) id: String,
    /// HER-id of the party that was asked.
    pub(crate) to: u32,
    pub(crate) message_id: String,
    pub(crate) correlation_id: String,
    pub(crate) msg_id: String,
    pub(crate) phase: watch::Sender<Phase>,
}

impl Exchange {
    /// Moves on if it stands at one of the phases that `from` accepts, and tells whether it has.
    pub(crate) fn step(&self, next: impl FnOnce(Phase) -> Option<Phase>) -> bool {
        self.phase.send_if_modified(|phase| match next(*phase) {
            Some(next) => {
                *phase = next;
                true
            }
            None => false,
        })
    }

    /// When the bus accepted the request; waits until it has.
    pub(crate) async fn sent(&self) -> Option<Moment> {
        let mut phase = self.phase.subscribe();
        let sent = phase.wait_for(|phase| *phase != Phase::Sending).await;
        match *sent.ok()? {
            Phase::Sending => None,
            Phase::Waiting(at) | Phase::Judging(at) | Phase::Concluded(at) => Some(at),
        }
    }
}

/// All tests that are under way.
#[derive(Debug, Default)]
pub(crate) struct Table(Mutex<BTreeMap<String, Arc<Exchange>>>);

impl Table {
    /// Adds tests, unless they would be too many.
    pub(crate) fn add(&self, exchanges: &[Arc<Exchange>]) -> bool {
        let mut table = self.lock();
        if table.len() + exchanges.len() > MOST_TESTS {
            return false;
        }
        for exchange in exchanges {
            table.insert(exchange.id.clone(), Arc::clone(exchange));
        }
        true
    }

    pub(crate) fn remove(&self, id: &str) {
        self.lock().remove(id);
    }

    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    /// The test whose request has this correlation-id.
    pub(crate) fn by_correlation(&self, correlation_id: &str) -> Option<Arc<Exchange>> {
        self.find(|exchange| exchange.correlation_id == correlation_id)
    }

    /// The test whose request has this message-id.
    pub(crate) fn by_message(&self, message_id: &str) -> Option<Arc<Exchange>> {
        self.find(|exchange| exchange.message_id == message_id)
    }

    fn find(&self, wanted: impl Fn(&Exchange) -> bool) -> Option<Arc<Exchange>> {
        self.lock()
            .values()
            .find(|exchange| wanted(exchange))
            .cloned()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Exchange>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange(id: usize) -> Arc<Exchange> {
        Arc::new(Exchange {
            id: id.to_string(),
            to: 1,
            message_id: format!("m{id}"),
            correlation_id: format!("c{id}"),
            msg_id: String::new(),
            phase: watch::Sender::new(Phase::Sending),
        })
    }

    #[test]
    fn tests_are_found_by_their_ids_and_bounded() {
        let table = Table::default();
        assert!(table.add(&[exchange(1), exchange(2)]));
        assert_eq!(
            table.by_correlation("c2").map(|it| it.id.clone()),
            Some("2".into())
        );
        assert_eq!(
            table.by_message("m1").map(|it| it.id.clone()),
            Some("1".into())
        );
        assert!(table.by_message("c1").is_none());
        let many: Vec<_> = (10..10 + MOST_TESTS).map(exchange).collect();
        assert!(!table.add(&many));
        table.remove("2");
        assert!(table.by_correlation("c2").is_none());
    }

    #[tokio::test]
    async fn a_test_is_concluded_once() {
        let exchange = exchange(1);
        let now = Moment::default();
        let conclude = |phase| match phase {
            Phase::Waiting(at) => Some(Phase::Concluded(at)),
            _ => None,
        };
        assert!(!exchange.step(conclude));
        assert!(exchange.step(|_| Some(Phase::Waiting(now))));
        assert_eq!(exchange.sent().await, Some(now));
        assert!(exchange.step(conclude));
        assert!(!exchange.step(conclude));
    }
}
