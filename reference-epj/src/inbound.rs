//! Messages from others: examined, answered, reported (contract 03 sections 1.3 and 1.6).

use std::sync::Arc;

use nhn_model::amqp;
use nhn_model::error_message::ErrorCondition;
use nhn_model::message::{self, KomtestReply, Message, Party};
use nhn_model::protection::Signer;

use crate::answered::Claim;
use crate::book::State;
use crate::bus::{Arrival, Incoming, MessageId, Outgoing, SendProblem, Settlement};
use crate::decision::{self, Channel, Envelope, Refusal, Report};
use crate::epj::{Epj, SYNC_TTL};
use crate::fault::Fault;
use crate::register::Counterparty;
use crate::{clock, ids, log};

/// How long a message is held before it goes back to the bus. The official client takes a minute; this EPJ is in a hurry
/// (contract 03 section 7.11).
const RETRY_DELAY: std::time::Duration = std::time::Duration::from_secs(1);

/// A message that has passed every check.
pub(crate) struct Valid {
    pub(crate) envelope: Envelope,
    pub(crate) party: Arc<Counterparty>,
    pub(crate) message: Message,
    /// Whether a reply may be signed and encrypted.
    answerable: Result<(), Refusal>,
}

/// Handles a message of the synchronous or asynchronous queue to its end.
pub(crate) async fn handle(epj: Arc<Epj>, channel: Channel, arrival: Arrival) {
    let outcome = match examine(&epj, channel, &arrival.incoming).await {
        Ok(valid) => answer(&epj, &arrival.incoming, &valid).await,
        Err(refusal) => Err(refusal),
    };
    let Err(refusal) = outcome else {
        return arrival.settle(Settlement::Accept).await;
    };
    let id = arrival.incoming.id().unwrap_or_default();
    log::warning(format_args!("message {id} is refused: {}", refusal.text()));
    let settlement = match refusal {
        Refusal::Drop(_) => Settlement::Accept,
        Refusal::Report(_) if epj.faults.has(Fault::NoErrorReports) => Settlement::Accept,
        Refusal::Report(report) => match epj.report(&arrival.incoming, &report).await {
            Ok(()) => Settlement::Accept,
            Err(_) => Settlement::GiveBack,
        },
        Refusal::GiveBack(_) => Settlement::GiveBack,
    };
    if settlement == Settlement::GiveBack {
        clock::sleep(RETRY_DELAY).await;
    }
    arrival.settle(settlement).await;
}

/// Makes all checks of a message (contract 03 section 1.6).
pub(crate) async fn examine(
    epj: &Epj,
    channel: Channel,
    incoming: &Incoming,
) -> Result<Valid, Refusal> {
    decision::no_report(incoming, channel)?;
    let envelope = decision::envelope(incoming, epj.own.her_id)?;
    let party = counterparty(epj, &envelope).await?;
    let body = incoming.body.as_deref().unwrap_or_default();
    let opened = epj
        .keys
        .open(body)
        .map_err(|error| decision::opening(&error))?;
    let signer = decision::signer(&opened, &epj.faults)?;
    let answerable = certificates(epj, channel, signer.as_ref(), &party).await?;
    let message = message::read(&opened.content)
        .map_err(|error| Refusal::report(ErrorCondition::NotWellFormedXml, error.to_string()))?;
    decision::head(&envelope, &message.head, &epj.faults)?;
    decision::content(&envelope, &message, channel)?;
    Ok(Valid {
        envelope,
        party,
        message,
        answerable,
    })
}

/// The sender, as the named agreement has it, or else as agreement, profile and register have it now. An unknown agreement
/// is no error (contract 03 section 5.2).
async fn counterparty(epj: &Epj, envelope: &Envelope) -> Result<Arc<Counterparty>, Refusal> {
    if let Some(cpa_id) = envelope.cpa_id
        && let Ok(party) = epj.lookup.agreement(cpa_id).await
        && party.her_id == envelope.from
    {
        return Ok(party);
    }
    let party = epj.lookup.party(envelope.from).await;
    party.map_err(|error| decision::lookup(envelope.from, &error))
}

/// Checks the signer's certificate and, side by side, those that a reply needs.
async fn certificates(
    epj: &Epj,
    channel: Channel,
    signer: Option<&Signer>,
    party: &Counterparty,
) -> Result<Result<(), Refusal>, Refusal> {
    let signing = async {
        let Some(signer) = signer else {
            return Ok(());
        };
        decision::listed(&signer.certificate, party, &epj.faults)?;
        let checked = epj.validator.check(&signer.certificate, &signer.embedded);
        checked
            .await
            .map_err(|problem| decision::certificate(&problem, channel))
    };
    if channel != Channel::Sync {
        return signing.await.map(Ok);
    }
    let (signing, (own, theirs)) = tokio::join!(signing, epj.may_protect_for(&party.encryption));
    signing?;
    Ok(decision::answerable(party.her_id, &own, &theirs))
}

/// Answers a communication test, unless an earlier delivery of it was answered.
async fn answer(epj: &Epj, incoming: &Incoming, valid: &Valid) -> Result<(), Refusal> {
    let Some(message_id) = incoming.id() else {
        return reply(epj, incoming, valid).await;
    };
    let msg_id = valid.message.head.msg_id.clone();
    match epj
        .answered
        .claim((valid.envelope.from, message_id, msg_id))
    {
        Claim::Yours(open) => {
            reply(epj, incoming, valid).await?;
            open.done();
            Ok(())
        }
        Claim::Open => Err(Refusal::GiveBack(
            "an earlier delivery is being answered".to_owned(),
        )),
        Claim::Done => Ok(()),
    }
}

/// Replies. The request is over when the bus has taken the reply (contract 03 section 1.9).
async fn reply(epj: &Epj, incoming: &Incoming, valid: &Valid) -> Result<(), Refusal> {
    let asked = decision::reply_queue(incoming)?;
    valid.answerable.clone()?;
    let head = &valid.message.head;
    let mut reply = KomtestReply::to(head, ids::fresh().to_string(), clock::now());
    reply.sender = epj.party();
    reply.receiver = Party {
        her_id: valid.envelope.from,
        ..head.sender.clone()
    };
    let content = message::write_komtest_reply_in(&reply, epj.element_order());
    let body = epj
        .keys
        .protect(&content, &valid.party.encryption)
        .await
        .map_err(|error| Refusal::report(ErrorCondition::InternalError, error.to_string()))?;
    let queue = if epj.faults.has(Fault::RepliesToWrongQueue) {
        format!("{}_syncreply", valid.envelope.from)
    } else {
        asked
    };
    let correlation = if epj.faults.has(Fault::WrongCorrelation) {
        Some(MessageId::String(ids::fresh().to_string()))
    } else {
        // A request without one is answered by its message-id (contract 03 section 1.2).
        incoming
            .correlation_id
            .clone()
            .or_else(|| incoming.message_id.clone())
    };
    let outgoing = Outgoing {
        message_id: ids::fresh().to_string(),
        to: queue.clone(),
        subject: valid.envelope.subject.clone(),
        reply_to: None,
        correlation_id: correlation,
        content_type: amqp::SIGNED_AND_ENVELOPED,
        ttl: Some(SYNC_TTL),
        application: epj.properties(valid.envelope.from, valid.party.cpa_id),
        body,
    };
    match epj.bus.send(&queue, outgoing).await {
        Ok(()) => {
            epj.book.received(&head.msg_id, State::Processed);
            log::info(format_args!(
                "communication test {} of {} answered",
                head.msg_id, valid.envelope.from
            ));
            Ok(())
        }
        Err(SendProblem::Refused { .. }) => Err(Refusal::Report(Report {
            condition: ErrorCondition::InvalidFieldValue,
            description: "Invalid value in field: 'ReplyTo'".to_owned(),
            data: vec!["ReplyTo".to_owned()],
        })),
        Err(problem @ SendProblem::Lost(_)) => Err(Refusal::GiveBack(problem.to_string())),
    }
}
