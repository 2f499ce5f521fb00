//! helsenorge on a real bus, with a register and a CA written by hand, and a scripted party on the other side.
#![allow(
    dead_code,
    unused_imports,
    reason = "every test binary uses its own part of this module"
)]

mod network;
mod peer;
mod pki;

use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use mock_helsenorge::{Config, Handle, Identities, Party, Queues, RegisterAccount, Secret, start};
use mock_servicebus::{BusConfig, BusHandle, Listeners};
use testbed::evidence::{CheckOutcome, Entry, Event};
use testbed::http::HttpServer;
use testbed::listener::loopback;
use testbed::provision::QueueProvisioner;
use testbed::{Clock, Context, FaultPlan, Journal, Seed, Shutdown};

pub(crate) use network::Facts;
pub(crate) use peer::{Draft, Got, Peer};
pub(crate) use pki::{Pki, Use, leaf_only};

pub(crate) const LIMIT: Duration = Duration::from_secs(20);
pub(crate) const OWN: u32 = 109_989;
pub(crate) const PEER: u32 = 8_900_011;
pub(crate) const PEER_ACCOUNT: (&str, &str) = ("orgusr-310900109", "secret-1");
const OWN_ACCOUNT: (&str, &str) = ("orgusr-310900206", "p%ss:w/rd#2");

/// Serial numbers of the certificates that everything starts with.
pub(crate) const OWN_SIGNING: u64 = 0x11;
pub(crate) const PEER_SIGNING: u64 = 0x21;

/// The network for a test.
pub(crate) struct Bed {
    pub(crate) helsenorge: Handle,
    pub(crate) bus: BusHandle,
    pub(crate) context: Context,
    pub(crate) pki: Arc<OnceLock<Pki>>,
    pub(crate) facts: Arc<Mutex<Facts>>,
    pub(crate) register: HttpServer,
    pub(crate) lists: HttpServer,
    /// What helsenorge was started with.
    pub(crate) config: Config,
    shutdown: Shutdown,
}

impl Bed {
    /// Everything running, helsenorge's receivers attached.
    pub(crate) async fn start() -> Self {
        let (shutdown, signal) = Shutdown::new();
        let clock = Clock::start();
        let context = Context {
            journal: Journal::in_memory(clock.clone()),
            faults: FaultPlan::new(),
            seed: Seed::new(1),
            shutdown: signal,
            clock,
        };
        let facts = Arc::new(Mutex::new(Facts::default()));
        let pki = Arc::new(OnceLock::new());
        let lists = network::lists(Arc::clone(&pki), Arc::clone(&facts), context.clone()).await;
        let made = Pki::new(&format!("http://{}", lists.address()), context.clock.wall());
        let bus = start_bus(&made, context.clone()).await;
        let register = network::register(&made, Arc::clone(&facts), context.clone()).await;
        let url = |path: &str| format!("https://localhost:{}{path}", register.address().port());
        facts.lock().unwrap().list(
            &made.issue(Use::PeerSigning, PEER_SIGNING, 100),
            &made.issue(Use::PeerEncryption, 0x22, 100),
        );
        let config = Config {
            bus: Secret::new(format!(
                "amqps://{}:p%25ss%3Aw%2Frd%232@localhost:{}/{}",
                OWN_ACCOUNT.0,
                bus.tls_address().unwrap().port(),
                bus.exchange()
            )),
            trust_pem: made.root_pem(),
            register: RegisterAccount {
                address_register: url("/v1/AR/Basic"),
                cppa: url("/v1/CPPA/Basic"),
                username: "OrgUsr310900206".into(),
                password: Secret::new("x"),
            },
            party: Party::helsenorge(),
            identities: Identities {
                signing: made.issue(Use::HelsenorgeSigning, OWN_SIGNING, 100),
                encryption: made.issue(Use::HelsenorgeEncryption, 0x12, 100),
                legacy_decryption: Vec::new(),
            },
            queues: Queues::of(OWN),
        };
        assert!(pki.set(made).is_ok());
        let helsenorge = start(config.clone(), context.clone()).unwrap();
        helsenorge.ready(LIMIT).await.unwrap();
        Self {
            helsenorge,
            bus,
            context,
            pki,
            facts,
            register,
            lists,
            config,
            shutdown,
        }
    }

    pub(crate) fn pki(&self) -> &Pki {
        self.pki.get().unwrap()
    }

    /// The party on the other side.
    pub(crate) async fn peer(&self) -> Peer {
        Peer::connect(self).await
    }

    /// Waits for an event that was or will be recorded.
    pub(crate) async fn event(&self, what: &str, wanted: impl Fn(&Event) -> bool) -> Arc<Entry> {
        let found = self
            .context
            .journal
            .wait_for(0, LIMIT, |entry| wanted(&entry.event))
            .await;
        found.unwrap_or_else(|_| panic!("{what} was not recorded; recorded: {:#?}", self.events()))
    }

    /// Waits for a state of an exchange.
    pub(crate) async fn state(&self, wanted: &str) -> Arc<Entry> {
        self.event(
            wanted,
            |event| matches!(event, Event::HnState { state, .. } if state == wanted),
        )
        .await
    }

    /// What is recorded of helsenorge and of messages on the bus.
    pub(crate) fn events(&self) -> Vec<Event> {
        let entries = self.context.journal.entries();
        let events = entries.iter().map(|entry| entry.event.clone());
        events
            .filter(|event| {
                matches!(
                    event,
                    Event::Note { .. }
                        | Event::HnSent { .. }
                        | Event::HnReceived { .. }
                        | Event::HnCheck { .. }
                        | Event::HnState { .. }
                        | Event::HnErrorReceived { .. }
                        | Event::HnOutcome { .. }
                        | Event::BusRefused { .. }
                )
            })
            .collect()
    }

    /// Names of the checks of a message that ended in this way, in order.
    pub(crate) fn checks(&self, id: &str, wanted: CheckOutcome) -> Vec<String> {
        self.events()
            .into_iter()
            .filter_map(|event| match event {
                Event::HnCheck {
                    message_id,
                    check,
                    outcome,
                    ..
                } if outcome == wanted && message_id.as_deref() == Some(id) => Some(check),
                _ => None,
            })
            .collect()
    }

    /// Stops everything and sees that it has ended.
    pub(crate) async fn stop(self) {
        let Context {
            clock, shutdown, ..
        } = self.context;
        drop(shutdown);
        self.shutdown.stop(&clock, LIMIT).await.unwrap();
    }
}

async fn start_bus(pki: &Pki, context: Context) -> BusHandle {
    let config = BusConfig {
        tls: Some(pki.tls()),
        ..BusConfig::default()
    };
    let listeners = Listeners {
        tls: Some(loopback(0).await.unwrap()),
        plain: Some(loopback(0).await.unwrap()),
    };
    let bus = mock_servicebus::start(config, listeners, context).unwrap();
    bus.add_account(PEER_ACCOUNT.0, PEER_ACCOUNT.1, &[PEER]);
    bus.add_account(OWN_ACCOUNT.0, OWN_ACCOUNT.1, &[OWN]);
    for her_id in [PEER, OWN] {
        let kinds = ["async", "sync", "error", "syncreply", "syncreply_provenett"];
        bus.create_queues(her_id, &kinds.map(|kind| format!("{her_id}_{kind}")));
    }
    bus
}
