//! A bus for a test, with what every test needs of it.
#![expect(
    dead_code,
    reason = "every test binary uses its own part of this module"
)]

pub(crate) mod authority;
pub(crate) mod pcap;
pub(crate) mod peer;
pub(crate) mod raw;

use std::time::Duration;

use mock_servicebus::{BusConfig, BusHandle, Listeners, start};
use testbed::evidence::{Entry, Event};
use testbed::provision::QueueProvisioner;
use testbed::{Clock, Context, FaultPlan, Journal, Seed, Shutdown};

/// Longest that a test waits for something.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);
/// The account of 8900011, and its password with characters that a URL must encode.
pub(crate) const EPJ: (&str, &str) = ("orgusr-310900109", "p%ss:w/rd#1");
/// The account of 109989.
pub(crate) const HELSENORGE: (&str, &str) = ("orgusr-310900206", "secret-2");

/// A running bus with the queues of 8900011 and 109989.
pub(crate) struct Bed {
    pub(crate) bus: BusHandle,
    pub(crate) context: Context,
    shutdown: Option<Shutdown>,
}

impl Bed {
    /// Starts a bus without TLS whose refusals come at once.
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// Starts a bus with a configuration of the test's own; with an identity it serves TLS as well.
    pub(crate) async fn with(change: impl FnOnce(&mut BusConfig)) -> Self {
        let (shutdown, signal) = Shutdown::new();
        let clock = Clock::start();
        let context = Context {
            journal: Journal::in_memory(clock.clone()),
            clock,
            faults: FaultPlan::new(),
            seed: Seed::new(1),
            shutdown: signal,
        };
        let mut config = BusConfig::default();
        config.rules.login_refusal_delay = Duration::ZERO;
        change(&mut config);
        let tls = match config.tls {
            Some(_) => Some(testbed::listener::loopback(0).await.unwrap()),
            None => None,
        };
        let plain = Some(testbed::listener::loopback(0).await.unwrap());
        let bus = start(config, Listeners { tls, plain }, context.clone()).unwrap();
        bus.add_account(EPJ.0, EPJ.1, &[8_900_011]);
        bus.add_account(HELSENORGE.0, HELSENORGE.1, &[109_989]);
        for her_id in [8_900_011, 109_989] {
            let kinds = ["async", "sync", "error", "syncreply"];
            bus.create_queues(her_id, &kinds.map(|kind| format!("{her_id}_{kind}")));
        }
        Self {
            bus,
            context,
            shutdown: Some(shutdown),
        }
    }

    /// Address of the listener without TLS.
    pub(crate) fn plain(&self) -> std::net::SocketAddr {
        self.bus.plain_address().unwrap()
    }

    /// A URL for an account, its password percent-encoded.
    pub(crate) fn url(&self, account: (&str, &str)) -> String {
        format!(
            "amqp://{}:{}@{}",
            account.0,
            encoded(account.1),
            self.plain()
        )
    }

    /// Waits for an event that was or will be recorded.
    pub(crate) async fn event(
        &self,
        what: &str,
        wanted: impl Fn(&Event) -> bool,
    ) -> std::sync::Arc<Entry> {
        self.event_after(0, what, wanted).await
    }

    /// Waits for an event behind the entry `after`.
    pub(crate) async fn event_after(
        &self,
        after: u64,
        what: &str,
        wanted: impl Fn(&Event) -> bool,
    ) -> std::sync::Arc<Entry> {
        let found = self
            .context
            .journal
            .wait_for(after, LIMIT, |entry| wanted(&entry.event))
            .await;
        found.unwrap_or_else(|_| panic!("{what} was not recorded; recorded: {:#?}", self.events()))
    }

    /// Everything recorded so far, frames left out.
    pub(crate) fn events(&self) -> Vec<Event> {
        let entries = self.context.journal.entries();
        let events = entries.iter().map(|entry| entry.event.clone());
        events
            .filter(|event| !matches!(event, Event::BusFrame { .. }))
            .collect()
    }

    /// Stops the bus and sees that everything of it has ended.
    pub(crate) async fn stop(mut self) {
        let Context {
            clock, shutdown, ..
        } = self.context;
        drop(shutdown);
        let stopping = self.shutdown.take().unwrap();
        stopping.stop(&clock, LIMIT).await.unwrap();
    }
}

/// Percent-encodes everything that is not a letter or a digit.
pub(crate) fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}
