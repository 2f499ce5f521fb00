//! Starting a bus, and what the runner can do with a running one.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use testbed::Context;
use testbed::provision::QueueProvisioner;
use testbed::tls::{TlsError, acceptor};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::account::Account;
use crate::config::BusConfig;
use crate::listen::{self, Door};
use crate::queue::QueueDepth;
use crate::shared::Shared;

/// Where a bus listens. At least one of the two must be there.
#[derive(Debug, Default)]
pub struct Listeners {
    /// For TLS from the first byte (port 5671 at NHN).
    pub tls: Option<TcpListener>,
    /// Without TLS (port 5672).
    pub plain: Option<TcpListener>,
}

/// A bus cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// There is no exchange, or it has no name.
    #[error("a bus needs at least one exchange, and each needs a name")]
    Exchanges,
    /// Neither listener is there.
    #[error("a bus needs a listener")]
    NoListener,
    /// A TLS listener without identity.
    #[error("the TLS listener needs a TLS identity")]
    NoIdentity,
    /// The TLS identity cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// A listener has no local address.
    #[error("a listener has no address: {0}")]
    Address(#[from] std::io::Error),
}

/// A running bus. Dropping it does not stop it; the context's shutdown does.
#[derive(Clone, Debug)]
pub struct BusHandle {
    shared: Arc<Shared>,
    tls: Option<SocketAddr>,
    plain: Option<SocketAddr>,
    open: Arc<watch::Sender<bool>>,
}

/// Starts a bus on the given listeners. It stops when the context's shutdown fires.
///
/// # Errors
/// [`StartError`] when the configuration cannot work.
pub fn start(
    config: BusConfig,
    listeners: Listeners,
    context: Context,
) -> Result<BusHandle, StartError> {
    if config.exchanges.is_empty() || config.exchanges.iter().any(String::is_empty) {
        return Err(StartError::Exchanges);
    }
    let mut doors = Vec::new();
    if let Some(listener) = listeners.tls {
        let identity = config.tls.as_ref().ok_or(StartError::NoIdentity)?;
        doors.push(Door::new(listener, Some(acceptor(identity)?))?);
    }
    let tls = doors.first().map(Door::address);
    let mut plain = None;
    if let Some(listener) = listeners.plain {
        let door = Door::new(listener, None)?;
        plain = Some(door.address());
        doors.push(door);
    }
    if doors.is_empty() {
        return Err(StartError::NoListener);
    }
    let Context {
        clock,
        journal,
        faults,
        shutdown,
        ..
    } = context;
    let shared = Arc::new(Shared::new(config, clock, journal, faults));
    let open = Arc::new(watch::Sender::new(true));
    for door in doors {
        tokio::spawn(listen::serve(
            door,
            open.subscribe(),
            Arc::clone(&shared),
            shutdown.clone(),
        ));
    }
    tokio::spawn(listen::expire(Arc::clone(&shared), shutdown));
    Ok(BusHandle {
        shared,
        tls,
        plain,
        open,
    })
}

impl BusHandle {
    /// Where TLS is served.
    #[must_use]
    pub fn tls_address(&self) -> Option<SocketAddr> {
        self.tls
    }

    /// Where AMQP without TLS is served.
    #[must_use]
    pub fn plain_address(&self) -> Option<SocketAddr> {
        self.plain
    }

    /// The exchange that connection strings name.
    #[must_use]
    pub fn exchange(&self) -> &str {
        // `start` has seen to it that there is one.
        self.shared
            .config
            .exchanges
            .first()
            .map_or("", String::as_str)
    }

    /// Adds an account that reads the queues of these HER-ids and writes to all, or replaces the one of that name.
    pub fn add_account(&self, user: &str, password: &str, her_ids: &[u32]) {
        self.shared.broker.add_account(Account {
            user: user.to_owned(),
            password: password.to_owned(),
            her_ids: her_ids.to_vec(),
        });
    }

    /// Closes an account; its connections stay. Tells whether there was one.
    pub fn remove_account(&self, user: &str) -> bool {
        self.shared.broker.remove_account(user)
    }

    /// The register's way to create and remove queues.
    #[must_use]
    pub fn provisioner(&self) -> Arc<dyn QueueProvisioner> {
        Arc::new(self.clone())
    }

    /// Records every attached link once more (`BusAttached`), so that a journal that has just begun stands on its own.
    pub fn record_links(&self) {
        self.shared.record_links();
    }

    /// Throws the messages of all queues away, those that are handed out included. Queues and links stay.
    pub fn reset(&self) {
        self.shared.broker.purge_all();
    }

    /// Throws the messages of one queue away and returns how many there were; nothing when the queue is unknown.
    pub fn purge(&self, queue: &str) -> Option<usize> {
        self.shared.broker.purge(queue)
    }

    /// How many messages each queue holds.
    #[must_use]
    pub fn queue_depths(&self) -> BTreeMap<String, QueueDepth> {
        self.shared.broker.depths()
    }

    /// How many connections there are.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.connections()
    }

    /// Closes every connection as RabbitMQ's operator does (contract 01 section 14); clients may come back at once.
    pub fn close_connections(&self) {
        self.shared.close_all("maintenance");
    }

    /// As [`Self::close_connections`], for one account.
    pub fn close_connections_of(&self, user: &str) {
        self.shared.close_of(user, "maintenance");
    }

    /// Closes the listening sockets, then every connection as [`Self::close_connections`] does. Clients are refused by the
    /// operating system until [`Self::come_back`].
    pub fn go_down(&self) {
        self.open.send_replace(false);
        self.shared.close_all(listen::OUTAGE);
    }

    /// Listens again at the same addresses.
    pub fn come_back(&self) {
        self.open.send_replace(true);
    }
}

impl QueueProvisioner for BusHandle {
    fn create_queues(&self, her_id: u32, names: &[String]) {
        self.shared.broker.create_queues(her_id, names);
    }

    fn remove_queues(&self, her_id: u32) {
        self.shared.broker.remove_queues(her_id);
    }
}
