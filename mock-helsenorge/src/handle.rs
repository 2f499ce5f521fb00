//! The running helsenorge and the commands that the runner gives it.

use std::time::Duration;

use testbed::Context;

use crate::behaviour::Behaviour;
use crate::config::{Config, Identities, StartError};
use crate::request::{BaitRequest, BaitResult, ReleaseError, TestError, TestRequest};

/// The running party. It goes on until the context's shutdown fires.
#[derive(Debug)]
pub struct Handle {
    context: Context,
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

/// What the methods answer until the engine behind them has landed.
const NOT_BUILT: &str = "mock-helsenorge has no engine yet";

/// Starts helsenorge: it connects in the background, and reconnects by itself whenever the bus is lost.
///
/// # Errors
/// [`StartError`] when the configuration cannot be used. That the bus is out of reach is no error; see [`Handle::ready`].
pub fn start(config: Config, context: Context) -> Result<Handle, StartError> {
    let _ = config;
    Ok(Handle { context })
}

impl Handle {
    /// Waits until a receiver is attached to each of its queues.
    ///
    /// # Errors
    /// [`NotReady`] with the queues that have none after `limit`.
    pub async fn ready(&self, limit: Duration) -> Result<(), NotReady> {
        self.context.clock.sleep(limit).await;
        Err(NotReady {
            queues: Vec::new(),
            reason: NOT_BUILT.into(),
        })
    }

    /// Uses other keys from now on. Messages that are under way keep theirs.
    ///
    /// # Errors
    /// [`StartError::Identity`] when a key pair is unusable; nothing has changed then.
    pub fn set_identity(&self, identities: Identities) -> Result<(), StartError> {
        let _ = identities;
        Err(StartError::Identity(NOT_BUILT.into()))
    }

    /// Answers requests in this way from now on. A reply that is held is forgotten.
    pub fn set_behaviour(&self, behaviour: Behaviour) {
        let _ = behaviour;
    }

    /// Sends the reply that [`Behaviour::HoldFirst`] has kept, and returns when the bus has accepted it.
    ///
    /// # Errors
    /// [`ReleaseError`] when none is held or the bus does not take it.
    pub async fn release_reply(&self) -> Result<(), ReleaseError> {
        Err(ReleaseError::Bus(NOT_BUILT.into()))
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
            .ok_or_else(|| TestError::Bus(NOT_BUILT.into()))
    }

    /// Starts `count` tests whose requests go out back to back, each with ids of its own; otherwise as [`Self::start_test`].
    ///
    /// # Errors
    /// As [`Self::start_test`].
    pub async fn start_burst(
        &self,
        request: TestRequest,
        count: u32,
    ) -> Result<Vec<String>, TestError> {
        let _ = (request, count);
        Err(TestError::Bus(NOT_BUILT.into()))
    }

    /// Lays the bait of ERQ-04 and, for each error message that comes back, one more; returns when the time is up.
    ///
    /// # Errors
    /// [`TestError`] when the first bait did not reach the bus.
    pub async fn bait(&self, request: BaitRequest) -> Result<BaitResult, TestError> {
        let _ = request;
        Err(TestError::Bus(NOT_BUILT.into()))
    }

    /// Forgets every exchange, reply and bait that is under way, and answers requests as usual again. Call it between
    /// scenarios; the links stay.
    pub fn reset(&self) {}
}
