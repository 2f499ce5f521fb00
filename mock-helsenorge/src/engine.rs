//! What the tasks of helsenorge share.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use nhn_model::amqp::{APPLICATION_TIME_STAMP, CPA_ID, FROM_HER_ID, TO_HER_ID};
use testbed::evidence::{BlobRef, Event, Part};
use testbed::{Clock, Journal, Seed, ShutdownSignal};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::bait::Bait;
use crate::bus::Postman;
use crate::config::{Party, Queues};
use crate::directory::Directory;
use crate::judge::{Checks, Step};
use crate::keys::Keys;
use crate::manner::Manner;
use crate::status::StatusDesk;
use crate::table::Table;

/// How long a synchronous message lives on the bus (contract 03 section 0.3, `SYNC_TTL`).
pub(crate) const SYNC_TTL: Duration = Duration::from_secs(15);

/// The state of a running helsenorge.
pub(crate) struct Engine {
    pub(crate) clock: Clock,
    pub(crate) journal: Journal,
    pub(crate) seed: Seed,
    pub(crate) party: Party,
    pub(crate) queues: Queues,
    pub(crate) directory: Directory,
    pub(crate) desk: StatusDesk,
    pub(crate) postman: Postman,
    pub(crate) table: Table,
    keys: RwLock<Arc<Keys>>,
    manner: Mutex<Manner>,
    bait: Mutex<Option<Bait>>,
    /// Counts resets.
    epoch: watch::Sender<u64>,
    background: Background,
}

/// What an engine is made of.
pub(crate) struct Parts {
    pub(crate) clock: Clock,
    pub(crate) journal: Journal,
    pub(crate) seed: Seed,
    pub(crate) party: Party,
    pub(crate) queues: Queues,
    pub(crate) directory: Directory,
    pub(crate) desk: StatusDesk,
    pub(crate) postman: Postman,
    pub(crate) keys: Keys,
    pub(crate) background: Background,
}

impl Engine {
    pub(crate) fn new(parts: Parts) -> Self {
        Self {
            clock: parts.clock,
            journal: parts.journal,
            seed: parts.seed,
            party: parts.party,
            queues: parts.queues,
            directory: parts.directory,
            desk: parts.desk,
            postman: parts.postman,
            table: Table::default(),
            keys: RwLock::new(Arc::new(parts.keys)),
            manner: Mutex::default(),
            bait: Mutex::default(),
            epoch: watch::Sender::new(0),
            background: parts.background,
        }
    }

    pub(crate) fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn set_keys(&self, keys: Keys) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
    }

    pub(crate) fn manner(&self) -> MutexGuard<'_, Manner> {
        self.manner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn bait(&self) -> MutexGuard<'_, Option<Bait>> {
        self.bait.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets everything that is under way.
    pub(crate) fn reset(&self) {
        *self.manner() = Manner::default();
        *self.bait() = None;
        self.table.clear();
        self.desk.forget();
        self.epoch.send_modify(|epoch| *epoch += 1);
    }

    /// Does something unless a reset comes first.
    pub(crate) async fn until_reset<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut epoch = self.epoch.subscribe();
        tokio::select! {
            biased;
            _ = epoch.changed() => None,
            done = work => Some(done),
        }
    }

    /// Does something in the background, until it is done, or the reset or the shutdown.
    pub(crate) fn spawn(self: &Arc<Self>, work: impl Future<Output = ()> + Send + 'static) {
        let mut epoch = self.epoch.subscribe();
        self.background.spawn(async move {
            tokio::select! {
                biased;
                _ = epoch.changed() => {}
                () = work => {}
            }
        });
    }

    /// A fresh id.
    pub(crate) fn id(&self) -> String {
        self.seed.uuid().to_string()
    }

    pub(crate) fn record(&self, event: Event) {
        self.journal.record(Part::Helsenorge, event);
    }

    pub(crate) fn note(&self, text: impl Into<String>) {
        self.record(Event::Note { text: text.into() });
    }

    pub(crate) fn state(&self, exchange: &str, state: &str) {
        self.record(Event::HnState {
            exchange: exchange.to_owned(),
            state: state.to_owned(),
        });
    }

    /// Records checks, and the states that were reached with them, in the order in which they were made.
    pub(crate) fn record_checks(
        &self,
        exchange: Option<&str>,
        message_id: Option<&str>,
        checks: &Checks,
    ) {
        for step in checks.steps() {
            match step {
                Step::Check {
                    check,
                    outcome,
                    detail,
                } => self.record(Event::HnCheck {
                    exchange: exchange.map(str::to_owned),
                    message_id: message_id.map(str::to_owned),
                    check: (*check).to_owned(),
                    outcome: *outcome,
                    detail: detail.clone(),
                }),
                Step::State(state) => {
                    if let Some(exchange) = exchange {
                        self.state(exchange, state);
                    }
                }
            }
        }
    }

    pub(crate) fn blob(&self, bytes: &[u8]) -> BlobRef {
        self.journal.blob(bytes)
    }

    /// The application properties that every message has (contract 01 section 2.1).
    pub(crate) fn application(&self, to: u32, agreement: Option<Uuid>) -> BTreeMap<String, String> {
        let stamp = nhn_model::amqp::application_time_stamp(self.clock.wall());
        let mut properties: BTreeMap<String, String> = [
            (FROM_HER_ID, self.party.her_id.to_string()),
            (TO_HER_ID, to.to_string()),
            (APPLICATION_TIME_STAMP, stamp),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
        if let Some(agreement) = agreement {
            properties.insert(CPA_ID.to_owned(), agreement.to_string());
        }
        properties
    }
}

/// A time to live as the bus takes it: whole milliseconds.
pub(crate) fn ttl_ms(ttl: Duration) -> Option<u32> {
    Some(u32::try_from(ttl.as_millis()).unwrap_or(u32::MAX))
}

/// Runs what nobody waits for, and ends it with the shutdown.
#[derive(Clone)]
pub(crate) struct Background(mpsc::UnboundedSender<Work>);

type Work = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

impl Background {
    pub(crate) fn start(mut shutdown: ShutdownSignal) -> Self {
        let (sender, mut inbox) = mpsc::unbounded_channel::<Work>();
        tokio::spawn(async move {
            let mut running = JoinSet::new();
            loop {
                tokio::select! {
                    biased;
                    () = shutdown.stopping() => break,
                    Some(_) = running.join_next() => {}
                    work = inbox.recv() => match work {
                        Some(work) => {
                            running.spawn(work);
                        }
                        None => break,
                    },
                }
            }
            running.shutdown().await;
        });
        Self(sender)
    }

    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        // With the task gone helsenorge is stopping, and nothing new is begun.
        let _ = self.0.send(Box::pin(work));
    }
}
