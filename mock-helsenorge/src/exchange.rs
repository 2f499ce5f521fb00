//! Communication tests that helsenorge starts (contract 03 sections 1.3 and 1.9, the initiator).

use std::sync::Arc;
use std::time::Duration;

use nhn_model::amqp::SIGNED_AND_ENVELOPED;
use nhn_model::message::KOMTEST;
use nhn_model::protection::{SigningIdentity, encrypt, protect};
use nhn_model::queue::QueueKind;
use nhn_model::register::PartyDetails;
use testbed::clock::Moment;
use testbed::evidence::{Event, ExchangeOutcome};
use tokio::sync::watch;

use crate::bus::Settlement;
use crate::bus::message::{Incoming, Outgoing};
use crate::directory::Counterpart;
use crate::engine::{Engine, ttl_ms};
use crate::examine::{Arrived, Channel, Stop};
use crate::judge::{self, Checks};
use crate::keys::signer;
use crate::request::{TestError, TestRequest, Variant};
use crate::table::{Exchange, MOST_TESTS, Phase};

/// How long a reply is waited for (contract 03 section 0.3, `SYNC_CALL_TIMEOUT`).
const CALL_TIMEOUT: Duration = Duration::from_secs(15);
/// How long late replies are watched for after the outcome.
const LATE_WATCH: Duration = Duration::from_secs(25);
/// How long a reply that came in time may be judged.
const JUDGING: Duration = Duration::from_secs(13);
/// How long the bus's word that it has accepted a request may come after the answer to it.
pub(crate) const ACCEPTED: Duration = Duration::from_secs(5);

/// A request that is ready to be sent.
struct Letter {
    exchange: Arc<Exchange>,
    message: Outgoing,
    event: Event,
}

/// Starts tests; their ids. Those that the bus has accepted before one was refused are under way.
pub(crate) async fn start(
    engine: &Arc<Engine>,
    request: TestRequest,
    count: u32,
) -> Result<Vec<String>, TestError> {
    if count as usize > MOST_TESTS {
        return Err(TestError::TooMany(MOST_TESTS));
    }
    let party = asked(engine, request.to).await?;
    let queue = queue(&party)?;
    let counterpart = engine
        .directory
        .counterpart(request.to, request.cpa_id)
        .await
        .map_err(TestError::Register)?
        .ok_or(TestError::NoProfile(request.to))?;
    let mut letters = Vec::new();
    for _ in 0..count {
        letters.push(letter(engine, &request, &party, &counterpart, &queue)?);
        // Signing takes milliseconds, and others want to go on meanwhile.
        tokio::task::yield_now().await;
    }
    let exchanges: Vec<_> = letters
        .iter()
        .map(|letter| Arc::clone(&letter.exchange))
        .collect();
    if !engine.table.add(&exchanges) {
        return Err(TestError::TooMany(MOST_TESTS));
    }
    let mut started = Vec::new();
    let mut refused = None;
    for letter in letters {
        let id = letter.exchange.id.clone();
        if refused.is_some() {
            engine.table.remove(&id);
            continue;
        }
        match send(engine, letter).await {
            Ok(()) => started.push(id),
            Err(problem) => {
                engine.table.remove(&id);
                refused = Some(problem);
            }
        }
    }
    match refused {
        Some(problem) if started.is_empty() => Err(problem),
        Some(problem) => {
            engine.note(format!("the burst broke off: {problem}"));
            Ok(started)
        }
        None => Ok(started),
    }
}

async fn asked(engine: &Engine, to: u32) -> Result<PartyDetails, TestError> {
    let party = engine.directory.party(to).await;
    party
        .map_err(TestError::Register)?
        .filter(|party| party.active)
        .ok_or(TestError::UnknownParty(to))
}

/// The queue of the register, whatever channel the profile names (contract 03 section 1.1).
fn queue(party: &PartyDetails) -> Result<String, TestError> {
    party
        .queue(QueueKind::Sync)
        .map_err(|_| TestError::NoQueue {
            her_id: party.her_id,
            kind: "sync",
        })
}

/// Writes and protects one request.
fn letter(
    engine: &Engine,
    request: &TestRequest,
    party: &PartyDetails,
    counterpart: &Counterpart,
    queue: &str,
) -> Result<Letter, TestError> {
    let unprotected = |problem: String| TestError::Protection(problem);
    let exchange = Exchange {
        id: engine.id(),
        to: request.to,
        message_id: engine.id(),
        correlation_id: engine.id(),
        msg_id: engine.id(),
        phase: watch::Sender::new(Phase::Sending),
    };
    engine.state(&exchange.id, "created");
    let now = engine.clock.wall();
    let variant = request.variant;
    let content = crate::text::request(&engine.party, party, &exchange.msg_id, now, variant);
    let keys = engine.keys();
    let other = request.signer.as_ref().map(signer).transpose();
    let other: Option<SigningIdentity> =
        other.map_err(|problem| unprotected(problem.to_string()))?;
    let signing = other.as_ref().unwrap_or(&keys.signing);
    let recipient = crate::text::recipient(&counterpart.profile).map_err(unprotected)?;
    let body = match variant {
        Variant::Unsigned => encrypt(&content, &recipient),
        _ => protect(&content, signing, &recipient, now),
    };
    let body = body.map_err(|problem| unprotected(problem.to_string()))?;
    engine.state(&exchange.id, "protected");
    let agreement = request.cpa_id.or(counterpart.agreement);
    let event = Event::HnSent {
        exchange: exchange.id.clone(),
        purpose: "request".into(),
        to: request.to,
        queue: queue.to_owned(),
        message_id: exchange.message_id.clone(),
        correlation_id: Some(exchange.correlation_id.clone()),
        msg_id: Some(exchange.msg_id.clone()),
        cpa_id: agreement.map(|id| id.to_string()),
        variant: variant.name().into(),
        signer: match variant {
            Variant::Unsigned => None,
            _ => Some(signing.certificate().serial()),
        },
        payload: Some(engine.blob(&content)),
    };
    let mut application = engine.application(request.to, agreement);
    application.extend(crate::text::metadata(&content));
    let message = Outgoing {
        queue: queue.to_owned(),
        message_id: exchange.message_id.clone(),
        correlation_id: Some(exchange.correlation_id.clone()),
        subject: KOMTEST.into(),
        reply_to: Some(engine.queues.sync_reply.clone()),
        content_type: Some(SIGNED_AND_ENVELOPED),
        ttl_ms: ttl_ms(request.ttl),
        application,
        body,
    };
    Ok(Letter {
        exchange: Arc::new(exchange),
        message,
        event,
    })
}

async fn send(engine: &Arc<Engine>, letter: Letter) -> Result<(), TestError> {
    let sent = engine.postman.send(letter.message).await;
    sent.map_err(|problem| TestError::Bus(problem.to_string()))?;
    let exchange = letter.exchange;
    engine.state(&exchange.id, "sent");
    engine.record(letter.event);
    engine.state(&exchange.id, "waiting");
    let now = engine.clock.now();
    exchange.step(|_| Some(Phase::Waiting(now)));
    engine.spawn(watch(Arc::clone(engine), exchange, now));
    Ok(())
}

/// Sees a test to its end.
async fn watch(engine: Arc<Engine>, exchange: Arc<Exchange>, sent: Moment) {
    let mut phase = exchange.phase.subscribe();
    let concluded = |phase: &Phase| matches!(phase, Phase::Concluded(_));
    let end = sent.plus(CALL_TIMEOUT);
    let waited = tokio::select! {
        biased;
        _ = phase.wait_for(concluded) => true,
        () = engine.clock.sleep_until(end) => false,
    };
    if !waited && !time_out(&engine, &exchange) {
        // A reply came in time and is judged; that has a limit of its own.
        let _ = engine
            .clock
            .timeout(JUDGING, phase.wait_for(concluded))
            .await;
    }
    let end = engine.clock.now().plus(LATE_WATCH);
    engine.state(&exchange.id, "late-watch");
    engine.clock.sleep_until(end).await;
    engine.state(&exchange.id, "closed");
    engine.table.remove(&exchange.id);
}

/// Ends the waiting, unless a reply is being judged.
fn time_out(engine: &Engine, exchange: &Exchange) -> bool {
    let seconds = CALL_TIMEOUT.as_secs();
    let detail = format!("nothing came within {seconds} s");
    conclude(engine, exchange, ExchangeOutcome::TimedOut, detail);
    matches!(*exchange.phase.borrow(), Phase::Concluded(_))
}

/// Gives a test its outcome, unless it has one or a reply that came first decides.
pub(crate) fn conclude(
    engine: &Engine,
    exchange: &Exchange,
    result: ExchangeOutcome,
    detail: String,
) {
    use ExchangeOutcome::{ErrorReceived, RepliedInvalid, RepliedOk, TimedOut};
    let state = match result {
        RepliedOk => "replied-ok",
        RepliedInvalid => "replied-invalid",
        ErrorReceived => "error-received",
        TimedOut => "timed-out",
    };
    exchange.step(|phase| {
        let since = match (phase, result) {
            (Phase::Waiting(since), _) => since,
            (Phase::Judging(since), RepliedOk | RepliedInvalid) => since,
            _ => return None,
        };
        // Recorded before anybody who waits for the outcome goes on.
        engine.state(&exchange.id, state);
        engine.record(Event::HnOutcome {
            exchange: exchange.id.clone(),
            outcome: result,
            detail,
        });
        Some(Phase::Concluded(since))
    });
}

/// Whether a message on another queue is a reply to helsenorge's request; then it is recorded as one (VR2).
pub(crate) fn misdirected(engine: &Engine, arrived: &Arrived, queue: &str) -> bool {
    let correlation = arrived.incoming.correlation_id.as_deref();
    let Some(exchange) = correlation.and_then(|id| engine.table.by_correlation(id)) else {
        return false;
    };
    arrived.record(engine, Some(&exchange.id), queue);
    let mut checks = Checks::default();
    judge::correlation(&mut checks, correlation, true);
    judge::right_queue(&mut checks, queue, &engine.queues.sync_reply);
    let message_id = arrived.incoming.message_id.as_deref();
    engine.record_checks(Some(&exchange.id), message_id, &checks);
    true
}

/// Handles a message of the reply queue. It is always settled (contract 01 section 4.1).
pub(crate) async fn reply(engine: Arc<Engine>, incoming: Incoming) -> Settlement {
    let work = handle_reply(&engine, incoming);
    // Nothing is left of it after a reset.
    let _ = engine.until_reset(work).await;
    Settlement::Accept
}

async fn handle_reply(engine: &Arc<Engine>, incoming: Incoming) {
    let correlation = incoming.correlation_id.clone();
    let exchange = correlation
        .as_deref()
        .and_then(|id| engine.table.by_correlation(id));
    let arrived = Arrived::open(engine, incoming);
    let id = exchange.as_ref().map(|exchange| exchange.id.as_str());
    let message_id = arrived.incoming.message_id.as_deref();
    let Some(exchange) = &exchange else {
        arrived.record(engine, None, &engine.queues.sync_reply);
        let mut checks = Checks::default();
        judge::correlation(&mut checks, correlation.as_deref(), false);
        engine.record_checks(None, message_id, &checks);
        return;
    };
    let at = engine.clock.now();
    // The reply can overtake the bus's word that it has accepted the request.
    let sent = engine.clock.timeout(ACCEPTED, exchange.sent()).await;
    let sent = sent.ok().flatten().unwrap_or(at);
    arrived.record(engine, id, &engine.queues.sync_reply);
    let first = exchange.step(|phase| match phase {
        Phase::Waiting(since) => Some(Phase::Judging(since)),
        _ => None,
    });
    let mut checks = Checks::default();
    judge::correlation(&mut checks, correlation.as_deref(), true);
    let queue = &engine.queues.sync_reply;
    judge::right_queue(&mut checks, queue, queue);
    judge::in_time(&mut checks, at.since(sent), CALL_TIMEOUT);
    let judging = judge_reply(engine, exchange, &arrived, &mut checks);
    let judged = engine.clock.timeout(JUDGING, judging).await;
    engine.record_checks(id, message_id, &checks);
    let (result, detail) = match judged {
        Ok(Ok(true)) => (ExchangeOutcome::RepliedOk, String::new()),
        Ok(Ok(false)) => (
            ExchangeOutcome::RepliedInvalid,
            "the reply does not belong to the request".into(),
        ),
        Ok(Err(Stop::Refused { from, refusal })) => {
            let detail = refusal.description.clone();
            if from == Some(exchange.to) {
                let failing = &arrived.incoming;
                crate::report::refuse(engine, &exchange.id, failing, from, refusal).await;
            }
            (ExchangeOutcome::RepliedInvalid, detail)
        }
        Ok(Err(Stop::Fault(problem))) => return abandon(engine, exchange, first, &problem),
        Err(late) => return abandon(engine, exchange, first, &late.to_string()),
    };
    if first {
        conclude(engine, exchange, result, detail);
    }
}

/// helsenorge itself cannot judge a reply: the test ends without an outcome, which no verdict can rest on.
fn abandon(engine: &Engine, exchange: &Exchange, first: bool, problem: &str) {
    engine.note(format!("helsenorge cannot judge a reply: {problem}"));
    if first {
        exchange.step(|phase| match phase {
            Phase::Judging(at) => Some(Phase::Concluded(at)),
            _ => None,
        });
    }
}

/// The checks on a reply; whether it belongs to the request. One that does not is told to nobody.
async fn judge_reply(
    engine: &Engine,
    exchange: &Exchange,
    arrived: &Arrived,
    checks: &mut Checks,
) -> Result<bool, Stop> {
    let (origin, message) = arrived.examine(engine, Channel::Reply, checks).await?;
    let refused = |refusal| Stop::Refused {
        from: Some(origin.from),
        refusal,
    };
    judge::reply_body(checks, message).map_err(refused)?;
    let party = judge::right_party(checks, origin.from, exchange.to);
    let reference = judge::refers_to_request(checks, message, &exchange.msg_id);
    Ok(party && reference)
}
