//! Requests of others: examined, answered, settled (contract 03 section 1.9, the responder).

use std::sync::Arc;
use std::time::Duration;

use nhn_model::amqp::SIGNED_AND_ENVELOPED;
use nhn_model::error_message::is_report;
use nhn_model::message::Message;
use testbed::clock::Moment;
use testbed::evidence::Event;

use crate::behaviour::Behaviour;
use crate::bus::message::{Incoming, Outgoing};
use crate::bus::{SendError, Settlement};
use crate::engine::{Engine, SYNC_TTL, ttl_ms};
use crate::examine::{Arrived, Channel, Origin, Stop};
use crate::judge::{self, Checks};
use crate::manner::Deed;

/// How long a message that cannot be judged is kept before it is given back: the reason may pass.
const FAULT_PAUSE: Duration = Duration::from_secs(2);

/// Everything that a reply needs.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) exchange: String,
    origin: Origin,
    /// The request.
    request: Message,
    queue: String,
    subject: String,
    correlation_id: Option<String>,
    /// When the request was taken off the bus.
    taken: Moment,
}

/// Handles a message of the synchronous or asynchronous queue.
pub(crate) async fn request(
    engine: Arc<Engine>,
    channel: Channel,
    incoming: Incoming,
) -> Settlement {
    let work = handle(&engine, channel, incoming);
    // What was forgotten by a reset is done with.
    engine.until_reset(work).await.unwrap_or(Settlement::Accept)
}

async fn handle(engine: &Arc<Engine>, channel: Channel, incoming: Incoming) -> Settlement {
    let queue = match channel {
        Channel::Async => engine.queues.asynchronous.clone(),
        _ => engine.queues.synchronous.clone(),
    };
    let taken = engine.clock.now();
    let arrived = Arrived::open(engine, incoming);
    if crate::exchange::misdirected(engine, &arrived, &queue) {
        return Settlement::Accept;
    }
    let exchange = engine.id();
    arrived.record(engine, Some(&exchange), &queue);
    engine.state(&exchange, "received");
    let facts = &arrived.incoming;
    if is_report(facts.subject.as_deref(), &facts.application) {
        // An error message that went astray: it is never answered with another one (contract 01 section 5.2).
        engine.state(&exchange, "dropped");
        engine.state(&exchange, "settled");
        return Settlement::Accept;
    }
    let mut checks = Checks::default();
    let judged = examine(engine, channel, &arrived, &mut checks).await;
    let message_id = arrived.incoming.message_id.as_deref();
    engine.record_checks(Some(&exchange), message_id, &checks);
    match judged {
        // Only the test is answered; what else is agreed on is taken and recorded.
        Ok(Judged::Taken) => engine.state(&exchange, "checked"),
        Ok(Judged::Test(origin, request, reply_queue)) => {
            engine.state(&exchange, "checked");
            let answer = Answer {
                exchange: exchange.clone(),
                origin: *origin,
                request: *request,
                queue: reply_queue,
                subject: arrived.incoming.subject.clone().unwrap_or_default(),
                correlation_id: arrived.incoming.correlation().map(str::to_owned),
                taken,
            };
            behave(engine, answer, &arrived.incoming).await;
        }
        Err(Stop::Refused { from, refusal }) => {
            crate::report::refuse(engine, &exchange, &arrived.incoming, from, refusal).await;
        }
        Err(Stop::Fault(problem)) => {
            engine.note(format!("helsenorge cannot judge a message: {problem}"));
            engine.clock.sleep(FAULT_PAUSE).await;
            engine.state(&exchange, "released");
            return Settlement::Release;
        }
    }
    engine.state(&exchange, "settled");
    Settlement::Accept
}

async fn examine(
    engine: &Engine,
    channel: Channel,
    arrived: &Arrived,
    checks: &mut Checks,
) -> Result<Judged, Stop> {
    let (origin, message) = arrived.examine(engine, channel, checks).await?;
    if channel == Channel::Async && !message.head.is_komtest() {
        return Ok(Judged::Taken);
    }
    let from = origin.from;
    let refused = |refusal| Stop::Refused {
        from: Some(from),
        refusal,
    };
    judge::request_body(checks, message).map_err(refused)?;
    let queue = judge::reply_queue(checks, &arrived.incoming, from).map_err(refused)?;
    Ok(Judged::Test(
        Box::new(origin),
        Box::new(message.clone()),
        queue,
    ))
}

/// A message that is in order.
enum Judged {
    /// A request for a communication test; whose it is, and where the reply goes.
    Test(Box<Origin>, Box<Message>, String),
    /// Another message of the asynchronous queue.
    Taken,
}

/// Answers as the scenario wants it.
async fn behave(engine: &Arc<Engine>, answer: Answer, incoming: &Incoming) {
    let deed = engine.manner().next();
    let sent = match deed {
        Deed::Hold(ttl) => {
            engine.state(&answer.exchange, "held");
            engine.manner().hold(answer, ttl);
            return;
        }
        Deed::Behave(Behaviour::NoReply) => return,
        Deed::Behave(Behaviour::ReplyAfter { delay, ttl }) => {
            engine.clock.sleep_until(answer.taken.plus(delay)).await;
            send(engine, &answer, ttl.unwrap_or(SYNC_TTL), "late").await
        }
        Deed::Behave(Behaviour::WrongCorrelation) => {
            let wrong = Answer {
                correlation_id: Some(engine.id()),
                ..answer.clone()
            };
            send(engine, &wrong, SYNC_TTL, "wrong-correlation").await
        }
        Deed::Behave(Behaviour::Duplicate { copies }) => {
            copy(engine, &answer, copies.clamp(1, Behaviour::MOST_COPIES)).await
        }
        Deed::Behave(Behaviour::Reply | Behaviour::HoldFirst { .. }) => {
            send(engine, &answer, SYNC_TTL, "valid").await
        }
    };
    match sent {
        Ok(()) => engine.state(&answer.exchange, "replied"),
        Err(SendError::Unroutable { reason, .. }) => {
            let refusal = judge::no_way_back(reason);
            let from = Some(answer.origin.from);
            crate::report::refuse(engine, &answer.exchange, incoming, from, refusal).await;
        }
        Err(SendError::Unreachable(reason)) => {
            engine.note(format!("a reply was not sent: {reason}"));
            engine.state(&answer.exchange, "reply-failed");
        }
    }
}

async fn copy(engine: &Engine, answer: &Answer, copies: u32) -> Result<(), SendError> {
    for _ in 0..copies {
        send(engine, answer, SYNC_TTL, "duplicate").await?;
    }
    Ok(())
}

/// Writes a reply and sends it; returns when the bus has accepted it.
pub(crate) async fn send(
    engine: &Engine,
    answer: &Answer,
    ttl: Duration,
    variant: &str,
) -> Result<(), SendError> {
    let msg_id = engine.id();
    let to = answer.origin.from;
    let now = engine.clock.wall();
    let content = crate::text::reply(&engine.party, &msg_id, &answer.request, now);
    let keys = engine.keys();
    let unsent = |problem: String| SendError::Unreachable(problem);
    let recipient = crate::text::recipient(&answer.origin.counterpart.profile).map_err(unsent)?;
    let body = nhn_model::protection::protect(&content, &keys.signing, &recipient, now)
        .map_err(|problem| unsent(problem.to_string()))?;
    let agreement = answer.origin.counterpart.agreement;
    let mut application = engine.application(to, agreement);
    application.extend(crate::text::metadata(&content));
    let message = Outgoing {
        queue: answer.queue.clone(),
        message_id: engine.id(),
        correlation_id: answer.correlation_id.clone(),
        subject: answer.subject.clone(),
        reply_to: None,
        content_type: Some(SIGNED_AND_ENVELOPED),
        ttl_ms: ttl_ms(ttl),
        application,
        body,
    };
    let event = Event::HnSent {
        exchange: answer.exchange.clone(),
        purpose: "reply".into(),
        to,
        queue: message.queue.clone(),
        message_id: message.message_id.clone(),
        correlation_id: message.correlation_id.clone(),
        msg_id: Some(msg_id),
        cpa_id: agreement.map(|id| id.to_string()),
        variant: variant.into(),
        signer: Some(keys.signing.certificate().serial()),
        payload: Some(engine.blob(&content)),
    };
    engine.postman.send(message).await?;
    engine.record(event);
    Ok(())
}
