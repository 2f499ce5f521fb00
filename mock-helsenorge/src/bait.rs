//! The bait of ERQ-03 and ERQ-04: error messages that nobody may answer with error messages.

use std::collections::BTreeSet;
use std::sync::Arc;

use nhn_model::error_message::{ErrorCondition, ErrorMessage, Form};
use nhn_model::message::KOMTEST;
use nhn_model::queue::QueueKind;
use testbed::evidence::Event;
use tokio::sync::mpsc;

use crate::engine::Engine;
use crate::report::outgoing;
use crate::request::{BaitRequest, BaitResult, TestError};

/// Baits that are out.
#[derive(Debug)]
pub(crate) struct Bait {
    ids: BTreeSet<String>,
    back: mpsc::UnboundedSender<()>,
}

impl Bait {
    /// An error message came: one that names a bait, or nothing at all, is an answer to one.
    pub(crate) fn came_back(&self, original: Option<&str>) {
        if original.is_none_or(|original| self.ids.contains(original)) {
            // With the receiver gone nobody counts any more.
            let _ = self.back.send(());
        }
    }
}

/// Lays the bait, and one more for each error message that comes back, until the time is up.
pub(crate) async fn lay(
    engine: &Arc<Engine>,
    request: BaitRequest,
) -> Result<BaitResult, TestError> {
    let queue = queue(engine, request.to).await?;
    let at_most = request.at_most.min(BaitRequest::MOST);
    let (back, mut came) = mpsc::unbounded_channel();
    *engine.bait() = Some(Bait {
        ids: BTreeSet::new(),
        back,
    });
    let exchange = engine.id();
    let mut result = BaitResult {
        sent: 0,
        came_back: 0,
    };
    if at_most > 0 {
        one(engine, &exchange, request.to, &queue).await?;
        result.sent = 1;
    }
    let end = engine.clock.now().plus(request.lasting);
    loop {
        tokio::select! {
            biased;
            () = engine.clock.sleep_until(end) => break,
            Some(()) = came.recv() => {
                result.came_back += 1;
                if result.sent < at_most {
                    match one(engine, &exchange, request.to, &queue).await {
                        Ok(()) => result.sent += 1,
                        Err(problem) => engine.note(format!("a bait was not sent: {problem}")),
                    }
                }
            }
        }
    }
    *engine.bait() = None;
    // What came at the very end has come as well.
    while came.try_recv().is_ok() {
        result.came_back += 1;
    }
    Ok(result)
}

async fn queue(engine: &Engine, to: u32) -> Result<String, TestError> {
    let party = engine.directory.party(to).await;
    let party = party.map_err(TestError::Register)?;
    let party = party.ok_or(TestError::UnknownParty(to))?;
    party
        .queue(QueueKind::Error)
        .map_err(|_| TestError::NoQueue {
            her_id: to,
            kind: "error",
        })
}

/// An error message as the official client at c5d9ab65 sends it, without content-type, for a message that never was.
async fn one(engine: &Engine, exchange: &str, to: u32, queue: &str) -> Result<(), TestError> {
    let original = engine.id();
    let condition = ErrorCondition::InvalidFieldValue;
    let text = "One or more fields are missing";
    let now = engine.clock.wall();
    let own = engine.party.her_id;
    let about = ErrorMessage::about(to, own, &original, condition, text, now);
    let message = outgoing(engine, &about, KOMTEST, queue, Form::WithoutContentType);
    let message_id = message.message_id.clone();
    // An answer names the bait; one that names what the bait names is an answer, too.
    if let Some(bait) = engine.bait().as_mut() {
        bait.ids.insert(message_id.clone());
        bait.ids.insert(original);
    }
    let sent = engine.postman.send(message).await;
    sent.map_err(|problem| TestError::Bus(problem.to_string()))?;
    engine.record(Event::HnSent {
        exchange: exchange.to_owned(),
        purpose: "bait".into(),
        to,
        queue: queue.to_owned(),
        message_id,
        correlation_id: None,
        msg_id: None,
        cpa_id: None,
        variant: "no-content-type".into(),
        signer: None,
        payload: None,
    });
    Ok(())
}
