//! The communication test that this EPJ starts (contract 03 section 1.2).

use std::sync::Arc;
use std::time::Duration;

use nhn_model::amqp;
use nhn_model::message::{self, KOMTEST, KomtestRequest};

use crate::book::{End, State};
use crate::bus::{MessageId, Outgoing};
use crate::decision;
use crate::epj::{Epj, SYNC_TTL};
use crate::fault::Fault;
use crate::register::Counterparty;
use crate::{clock, ids, log};

/// How long a reply is waited for, from the moment that the bus has taken the request (contract 03 section 0.3).
const CALL_TIMEOUT: Duration = Duration::from_secs(15);

/// How a test ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// A valid reply in time.
    Success,
    /// No reply in time.
    Timeout,
    /// This party or the other one refuses.
    Refused(String),
    /// It could not be carried through.
    Error(String),
}

/// What is told about a test.
pub(crate) struct Told {
    pub(crate) outcome: Outcome,
    pub(crate) msg_id: String,
    pub(crate) message_id: String,
}

/// Runs the test against helsenorge.
pub(crate) async fn run(epj: &Arc<Epj>) -> Told {
    let (msg_id, message_id) = (ids::fresh().to_string(), ids::fresh().to_string());
    let outcome = match call(epj, &msg_id, &message_id).await {
        Ok(outcome) | Err(outcome) => outcome,
    };
    Told {
        outcome,
        msg_id,
        message_id,
    }
}

async fn call(epj: &Arc<Epj>, msg_id: &str, message_id: &str) -> Result<Outcome, Outcome> {
    let party = epj
        .lookup
        .party(epj.helsenorge.her_id)
        .await
        .map_err(|error| Outcome::Error(error.to_string()))?;
    let queue = party
        .sync_queue
        .clone()
        .ok_or_else(|| Outcome::Error("the register gives no synchronous queue".to_owned()))?;
    log::info(format_args!(
        "communication test {msg_id} to {} on {queue}, agreement {:?}, profile {:?}",
        party.name, party.cpa_id, party.cpp_id
    ));
    let (own, theirs) = epj.may_protect_for(&party.encryption).await;
    decision::answerable(party.her_id, &own, &theirs)
        .map_err(|refusal| Outcome::Refused(refusal.text()))?;
    let request = request(epj, &party, &queue, msg_id, message_id).await?;
    let end = epj.book.called(message_id, msg_id);
    if let Err(problem) = epj.bus.send(&queue, request).await {
        epj.book.end(message_id, End::Error(problem.to_string()));
        return Err(Outcome::Error(problem.to_string()));
    }
    // The book lets nobody wait in vain: whoever is to tell the end lives as long as the book.
    let ended = if epj.faults.has(Fault::NoSyncTimeout) {
        Some(end.await)
    } else {
        clock::within(CALL_TIMEOUT, end).await
    };
    Ok(match ended {
        Some(Ok(End::Success)) => Outcome::Success,
        Some(Ok(End::Refused(text))) => Outcome::Refused(text),
        Some(Ok(End::Error(text))) => Outcome::Error(text),
        Some(Err(_)) => Outcome::Error("the call was forgotten".to_owned()),
        // The reply may have come in the very last moment.
        None => match epj.book.time_out(message_id) {
            State::Processed => Outcome::Success,
            _ => Outcome::Timeout,
        },
    })
}

async fn request(
    epj: &Epj,
    party: &Counterparty,
    queue: &str,
    msg_id: &str,
    message_id: &str,
) -> Result<Outgoing, Outcome> {
    let request = KomtestRequest {
        msg_id: msg_id.to_owned(),
        gen_date: clock::now(),
        sender: epj.party(),
        receiver: epj.helsenorge_party(),
    };
    let content = message::write_komtest_request_in(&request, epj.element_order());
    let body = epj
        .keys
        .protect(&content, &party.encryption)
        .await
        .map_err(|error| Outcome::Error(error.to_string()))?;
    Ok(Outgoing {
        message_id: message_id.to_owned(),
        to: queue.to_owned(),
        subject: KOMTEST.to_owned(),
        reply_to: Some(epj.own.queues.syncreply.clone()),
        correlation_id: Some(MessageId::String(message_id.to_owned())),
        content_type: amqp::SIGNED_AND_ENVELOPED,
        ttl: Some(SYNC_TTL),
        application: epj.properties(party.her_id, party.cpa_id),
        body,
    })
}
