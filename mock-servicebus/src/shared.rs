//! What the connections of a bus share.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use testbed::evidence::{Event, Part};
use testbed::{Clock, FaultPlan, Journal};

use crate::config::BusConfig;
use crate::queue::{Broker, Mailbox};

/// One bus: configuration, queues, and the way to every open connection.
///
/// It holds no shutdown signal, because a handle that outlives the run must not hold up the run's stop.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: BusConfig,
    pub(crate) clock: Clock,
    pub(crate) journal: Journal,
    pub(crate) faults: FaultPlan,
    pub(crate) broker: Broker,
    connections: Mutex<BTreeMap<u64, Arc<Mailbox>>>,
    /// The `BusAttached` of each link that is attached now.
    links: Mutex<BTreeMap<u64, Event>>,
    next_connection: AtomicU64,
    next_link: AtomicU64,
}

impl Shared {
    pub(crate) fn new(
        config: BusConfig,
        clock: Clock,
        journal: Journal,
        faults: FaultPlan,
    ) -> Self {
        Self {
            broker: Broker::new(&config, clock.clone(), journal.clone()),
            config,
            clock,
            journal,
            faults,
            connections: Mutex::default(),
            links: Mutex::default(),
            next_connection: AtomicU64::new(1),
            next_link: AtomicU64::new(1),
        }
    }

    /// A number for a new connection.
    pub(crate) fn connection_number(&self) -> u64 {
        self.next_connection.fetch_add(1, Ordering::Relaxed)
    }

    /// A number for a new link.
    pub(crate) fn link_number(&self) -> u64 {
        self.next_link.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn record(&self, event: Event) {
        self.journal.record(Part::Bus, event);
    }

    /// Enters a connection, so that the operator reaches it; nothing when there are too many.
    pub(crate) fn enter(&self, connection: u64, mailbox: Arc<Mailbox>) -> bool {
        let mut connections = self.lock();
        let free = connections.len() < self.config.limits.connections;
        if free {
            connections.insert(connection, mailbox);
        }
        free
    }

    pub(crate) fn leave(&self, connection: u64) {
        self.lock().remove(&connection);
    }

    pub(crate) fn connections(&self) -> usize {
        self.lock().len()
    }

    /// Tells every connection to close.
    pub(crate) fn close_all(&self, explanation: &str) {
        for mailbox in self.lock().values() {
            mailbox.close(explanation);
        }
    }

    /// Tells the connections of one account to close.
    pub(crate) fn close_of(&self, user: &str, explanation: &str) {
        for mailbox in self
            .lock()
            .values()
            .filter(|mailbox| mailbox.user() == Some(user))
        {
            mailbox.close(explanation);
        }
    }

    /// Records a new link and remembers it.
    pub(crate) fn link_attached(&self, link: u64, event: Event) {
        let mut links = self.links();
        self.record(event.clone());
        links.insert(link, event);
    }

    /// Records the end of a link.
    pub(crate) fn link_detached(&self, link: u64, event: Event) {
        let mut links = self.links();
        links.remove(&link);
        self.record(event);
    }

    /// Records every link that is attached once more, for a journal that has just begun.
    pub(crate) fn record_links(&self) {
        for event in self.links().values() {
            self.record(event.clone());
        }
    }

    fn links(&self) -> MutexGuard<'_, BTreeMap<u64, Event>> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<Mailbox>>> {
        self.connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
