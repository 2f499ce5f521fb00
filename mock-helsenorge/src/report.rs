//! Error messages: those that helsenorge sends when it refuses a message, and those that it gets (contract 03 section 5.1).

use std::sync::Arc;

use nhn_model::amqp::{
    ERROR_CONDITION, ERROR_CONDITION_DATA, ERROR_DESCRIPTION, FROM_HER_ID, TO_HER_ID,
};
use nhn_model::error_message::{ErrorMessage, Form, read};
use nhn_model::queue::QueueKind;
use testbed::evidence::{Event, ExchangeOutcome};

use crate::bus::message::{Incoming, Outgoing};
use crate::bus::{SendError, Settlement};
use crate::engine::Engine;
use crate::judge::Refusal;

/// Tells the sender of a message that it is refused, if there is a way to tell.
pub(crate) async fn refuse(
    engine: &Engine,
    exchange: &str,
    failing: &Incoming,
    from: Option<u32>,
    refusal: Refusal,
) {
    let Some(from) = from else {
        engine.state(exchange, "dropped");
        return;
    };
    let queue = match error_queue(engine, from).await {
        Ok(queue) => queue,
        Err(reason) => {
            engine.note(format!("{from} cannot be told of an error: {reason}"));
            engine.state(exchange, "dropped");
            return;
        }
    };
    let message = error_message(engine, failing, from, &queue, &refusal);
    let event = Event::HnSent {
        exchange: exchange.to_owned(),
        purpose: "error-report".into(),
        to: from,
        queue: message.queue.clone(),
        message_id: message.message_id.clone(),
        correlation_id: None,
        msg_id: None,
        cpa_id: None,
        variant: refusal.condition.to_string(),
        signer: None,
        payload: None,
    };
    match engine.postman.send(message).await {
        Ok(()) => {
            engine.record(event);
            engine.state(exchange, "error-reported");
        }
        Err(SendError::Unroutable { reason, .. } | SendError::Unreachable(reason)) => {
            engine.note(format!("an error message to {from} was not sent: {reason}"));
            engine.state(exchange, "dropped");
        }
    }
}

/// The error queue that the register gives for a party.
pub(crate) async fn error_queue(engine: &Engine, her_id: u32) -> Result<String, String> {
    let party = engine.directory.party(her_id).await?;
    let party = party.ok_or("the register does not know the party")?;
    party
        .queue(QueueKind::Error)
        .map_err(|problem| format!("the register gives no error queue: {problem}"))
}

fn error_message(
    engine: &Engine,
    failing: &Incoming,
    to: u32,
    queue: &str,
    refusal: &Refusal,
) -> Outgoing {
    let message = ErrorMessage {
        original_message_id: failing.message_id.clone(),
        ..ErrorMessage::about(
            to,
            engine.party.her_id,
            "",
            refusal.condition.clone(),
            &refusal.description,
            engine.clock.wall(),
        )
    };
    let subject = failing.subject.as_deref().unwrap_or_default();
    let message = message.with_data(refusal.data.clone());
    outgoing(engine, &message, subject, queue, Form::Properties)
}

/// An error message for the bus: a message-id without hyphens, no correlation-id, no ttl (contract 03 section 5.1).
pub(crate) fn outgoing(
    engine: &Engine,
    message: &ErrorMessage,
    subject: &str,
    queue: &str,
    form: Form,
) -> Outgoing {
    let message = message.bus_message(subject, Some(queue), form);
    Outgoing {
        queue: message.to,
        message_id: engine.seed.uuid().simple().to_string(),
        subject: message.subject,
        content_type: message.content_type,
        application: message.application_properties,
        body: message.body,
        ..Outgoing::default()
    }
}

/// Handles a message of the error queue. It is never answered (contract 03 section 5.1).
pub(crate) async fn received(engine: Arc<Engine>, incoming: Incoming) -> Settlement {
    let property = |name: &str| incoming.property(name).map(str::to_owned);
    let message = read(
        incoming.subject.as_deref(),
        incoming.content_type.as_deref(),
        &incoming.application,
        incoming.body.as_deref().unwrap_or_default(),
    );
    let original = message.original_message_id;
    let about = original
        .as_deref()
        .and_then(|id| engine.table.by_message(id));
    let condition = property(ERROR_CONDITION).or_else(|| {
        let told = message.condition.as_str();
        (!told.is_empty()).then(|| told.to_owned())
    });
    engine.record(Event::HnErrorReceived {
        exchange: about.as_ref().map(|exchange| exchange.id.clone()),
        message_id: incoming.message_id.clone(),
        original_message_id: original.clone(),
        condition: condition.clone(),
        description: property(ERROR_DESCRIPTION)
            .or_else(|| Some(message.description).filter(|text| !text.is_empty())),
        data: property(ERROR_CONDITION_DATA),
        from: incoming.her_id(FROM_HER_ID),
        to: incoming.her_id(TO_HER_ID),
        properties: incoming.application.clone(),
        content_type: incoming.content_type.clone(),
    });
    if let Some(exchange) = about {
        // The report can overtake the bus's word that it has accepted the request.
        let known = engine
            .clock
            .timeout(crate::exchange::ACCEPTED, exchange.sent());
        if known.await.is_ok() {
            let detail = condition.unwrap_or_else(|| "no condition".into());
            crate::exchange::conclude(&engine, &exchange, ExchangeOutcome::ErrorReceived, detail);
        }
    }
    if let Some(bait) = engine.bait().as_ref() {
        bait.came_back(original.as_deref());
    }
    Settlement::Accept
}
