//! The running helsenorge and the commands that the runner gives it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use nhn_model::certificate::Trust;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use testbed::Context;
use tokio::sync::watch;

use crate::behaviour::Behaviour;
use crate::bus::{Bus, Postman, SendError, read_queue};
use crate::config::{Config, Identities, StartError};
use crate::directory::Directory;
use crate::engine::{Background, Engine, Parts};
use crate::examine::Channel;
use crate::keys::Keys;
use crate::manner::Manner;
use crate::request::{BaitRequest, BaitResult, ReleaseError, TestError, TestRequest};
use crate::status::StatusDesk;
use crate::web::Web;
use crate::{answer, bait, exchange, report};

/// How helsenorge names its connections and links.
const CONTAINER: &str = "mock-helsenorge";

/// The running party. It goes on until the context's shutdown fires.
pub struct Handle {
    engine: Arc<Engine>,
    /// For each queue why it has no receiver; nothing while it has one.
    receivers: Vec<(String, watch::Receiver<Option<String>>)>,
}

impl fmt::Debug for Handle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Handle")
            .field("her_id", &self.engine.party.her_id)
            .finish_non_exhaustive()
    }
}

/// Not all receivers are attached in time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no receiver on {}: {reason}", .queues.join(", "))]
pub struct NotReady {
    /// The queues without a receiver.
    pub queues: Vec<String>,
    /// What the bus said last.
    pub reason: String,
}

/// Starts helsenorge: it connects in the background, and reconnects by itself whenever the bus is lost.
///
/// # Errors
/// [`StartError`] when the configuration cannot be used. That the bus is out of reach is no error; see [`Handle::ready`].
pub fn start(config: Config, context: Context) -> Result<Handle, StartError> {
    let Context {
        clock,
        journal,
        seed,
        shutdown,
        ..
    } = context;
    let bus = Bus::new(
        config.bus.reveal(),
        tls_roots(&config.trust_pem)?,
        CONTAINER.into(),
        clock.clone(),
    )?;
    let trust = Trust::from_pem(&config.trust_pem)
        .map_err(|problem| StartError::Trust(problem.to_string()))?;
    let web = Web::new(&config.trust_pem, clock.clone())?;
    let keys = Keys::read(&config.identities)?;
    let queues = config.queues;
    let engine = Arc::new(Engine::new(Parts {
        clock,
        journal,
        seed: seed.fork("helsenorge"),
        directory: Directory::new(web.clone(), config.register, config.party.her_id),
        desk: StatusDesk::new(web, trust),
        postman: Postman::start(bus.clone(), shutdown.clone()),
        party: config.party,
        queues: queues.clone(),
        keys,
        background: Background::start(shutdown.clone()),
    }));
    let mut receivers = Vec::new();
    let mut read = |queue: String, kind: Kind| {
        let (missing, state) = watch::channel(Some("not connected yet".to_owned()));
        receivers.push((queue.clone(), state));
        let engine = Arc::clone(&engine);
        let handle = move |incoming| {
            let engine = Arc::clone(&engine);
            async move {
                match kind {
                    Kind::Request(channel) => answer::request(engine, channel, incoming).await,
                    Kind::Error => report::received(engine, incoming).await,
                    Kind::Reply => exchange::reply(engine, incoming).await,
                }
            }
        };
        let (bus, shutdown) = (bus.clone(), shutdown.clone());
        tokio::spawn(read_queue(bus, queue, missing, handle, shutdown));
    };
    read(queues.asynchronous, Kind::Request(Channel::Async));
    read(queues.synchronous, Kind::Request(Channel::Sync));
    read(queues.error, Kind::Error);
    read(queues.sync_reply, Kind::Reply);
    Ok(Handle { engine, receivers })
}

/// What a queue is for.
#[derive(Clone, Copy)]
enum Kind {
    Request(Channel),
    Error,
    Reply,
}

fn tls_roots(pem: &str) -> Result<RootCertStore, StartError> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(|problem| StartError::Trust(problem.to_string()))?;
        roots
            .add(certificate)
            .map_err(|problem| StartError::Trust(problem.to_string()))?;
    }
    if roots.is_empty() {
        return Err(StartError::Trust("there is no certificate in it".into()));
    }
    Ok(roots)
}

impl Handle {
    /// Waits until a receiver is attached to each of its queues.
    ///
    /// # Errors
    /// [`NotReady`] with the queues that have none after `limit`.
    pub async fn ready(&self, limit: Duration) -> Result<(), NotReady> {
        let all = async {
            for (_, state) in &self.receivers {
                // A task that has ended attaches nothing any more; the limit tells.
                if state.clone().wait_for(Option::is_none).await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        };
        // What was attached first may be lost again; what counts is the state at the end.
        let _ = self.engine.clock.timeout(limit, all).await;
        let missing: Vec<(String, String)> = self
            .receivers
            .iter()
            .filter_map(|(queue, state)| Some((queue.clone(), state.borrow().clone()?)))
            .collect();
        match missing.last() {
            None => Ok(()),
            Some((_, reason)) => Err(NotReady {
                reason: reason.clone(),
                queues: missing.iter().map(|(queue, _)| queue.clone()).collect(),
            }),
        }
    }

    /// Uses other keys from now on. Messages that are under way keep theirs.
    ///
    /// # Errors
    /// [`StartError::Identity`] when a key pair is unusable; nothing has changed then.
    pub fn set_identity(&self, identities: Identities) -> Result<(), StartError> {
        self.engine.set_keys(Keys::read(&identities)?);
        Ok(())
    }

    /// Answers requests in this way from now on. A reply that is held is forgotten.
    pub fn set_behaviour(&self, behaviour: Behaviour) {
        *self.engine.manner() = Manner::new(behaviour);
    }

    /// Sends the reply that [`Behaviour::HoldFirst`] has kept, and returns when the bus has accepted it.
    ///
    /// # Errors
    /// [`ReleaseError`] when none is held or the bus does not take it.
    pub async fn release_reply(&self) -> Result<(), ReleaseError> {
        let held = self.engine.manner().take_held();
        let (reply, ttl) = held.ok_or(ReleaseError::NothingHeld)?;
        answer::send(&self.engine, &reply, ttl, "held")
            .await
            .map_err(|problem: SendError| ReleaseError::Bus(problem.to_string()))?;
        self.engine.state(&reply.exchange, "replied");
        Ok(())
    }

    /// Starts a communication test and returns the id of its exchange when the bus has accepted the request. The outcome
    /// follows as evidence (`HnOutcome` with this id), at the latest 15 s later plus the time that judging a reply takes.
    ///
    /// # Errors
    /// [`TestError`] when there is no such request on the bus.
    pub async fn start_test(&self, request: TestRequest) -> Result<String, TestError> {
        let mut exchanges = self.start_burst(request, 1).await?;
        exchanges
            .pop()
            .ok_or_else(|| TestError::Bus("no request was made".into()))
    }

    /// Starts `count` tests whose requests go out back to back, each with ids of its own; otherwise as [`Self::start_test`].
    /// When the bus refuses one, those before it are under way and the answer holds their ids alone.
    ///
    /// # Errors
    /// As [`Self::start_test`], when not even the first request is on the bus.
    pub async fn start_burst(
        &self,
        request: TestRequest,
        count: u32,
    ) -> Result<Vec<String>, TestError> {
        let starting = exchange::start(&self.engine, request, count);
        let started = self.engine.until_reset(starting).await;
        started.unwrap_or(Err(TestError::Reset))
    }

    /// Lays the bait of ERQ-04 and, for each error message that comes back, one more; returns when the time is up.
    ///
    /// # Errors
    /// [`TestError`] when the first bait did not reach the bus.
    pub async fn bait(&self, request: BaitRequest) -> Result<BaitResult, TestError> {
        let laid = self.engine.until_reset(bait::lay(&self.engine, request));
        laid.await.unwrap_or(Err(TestError::Reset))
    }

    /// Forgets every exchange, reply and bait that is under way, and answers requests as usual again. Call it between
    /// scenarios; the links stay.
    pub fn reset(&self) {
        self.engine.reset();
    }
}
