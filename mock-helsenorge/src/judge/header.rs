//! V01-V04 and V19: who sends to whom, and how an answer finds its way.

use nhn_model::amqp::{APPLICATION_TIME_STAMP, FROM_HER_ID, TO_HER_ID, parse_time};
use nhn_model::error_message::ErrorCondition::InvalidFieldValue;
use nhn_model::queue::{QueueKind, parse_queue_name, queue_of_address};
use nhn_model::register::PartyDetails;

use super::{Checks, Refusal};
use crate::bus::message::Incoming;

/// V01 and V02: all fields are there. The sender, or why not; a refusal without sender can be told to nobody.
pub(crate) fn header(
    checks: &mut Checks,
    message: &Incoming,
) -> Result<u32, (Option<u32>, Refusal)> {
    let from = message.her_id(FROM_HER_ID);
    let filled =
        |text: &Option<String>| text.as_deref().is_some_and(|text| !text.trim().is_empty());
    let time = message.property(APPLICATION_TIME_STAMP);
    let fields = [
        (TO_HER_ID, message.her_id(TO_HER_ID).is_some()),
        (FROM_HER_ID, from.is_some()),
        // The official client's name for the subject.
        ("Label", filled(&message.subject)),
        (
            APPLICATION_TIME_STAMP,
            time.is_some_and(|text| parse_time(text).is_some()),
        ),
        ("ContentType", filled(&message.content_type)),
    ];
    let missing: Vec<&str> = fields
        .into_iter()
        .filter(|(_, there)| !there)
        .map(|(name, _)| name)
        .collect();
    let refusal = if missing.is_empty() {
        checks.pass("V01", "all fields of the header are there");
        None
    } else {
        let description = format!("missing or unreadable: {}", missing.join(", "));
        Some(
            checks
                .fail("V01", InvalidFieldValue, description)
                .with_data(missing),
        )
    };
    match from {
        Some(from) => checks.pass("V02", format!("{FROM_HER_ID} is {from}")),
        None => checks.fail_quietly("V02", format!("{FROM_HER_ID} is no HER-id")),
    }
    match (refusal, from) {
        (None, Some(from)) => Ok(from),
        (Some(refusal), from) => Err((from, refusal)),
        // A missing sender is a missing field, so there is a refusal.
        (None, None) => Err((
            None,
            Refusal {
                condition: InvalidFieldValue,
                description: String::new(),
                data: vec![FROM_HER_ID.into()],
            },
        )),
    }
}

/// V03: the message is meant for helsenorge.
pub(crate) fn receiver(checks: &mut Checks, message: &Incoming, own: u32) -> Result<(), Refusal> {
    match message.her_id(TO_HER_ID) {
        Some(to) if to == own => {
            checks.pass("V03", format!("{TO_HER_ID} is {to}"));
            Ok(())
        }
        other => {
            let other = other.map_or_else(|| "-".to_owned(), |to| to.to_string());
            let description = format!("{TO_HER_ID} is {other}, and this is {own}");
            let refusal = checks.fail("V03", InvalidFieldValue, description);
            Err(refusal.with_data([own.to_string(), other]))
        }
    }
}

/// V04: the register knows the sender, and it is active.
pub(crate) fn sender(
    checks: &mut Checks,
    from: u32,
    party: Option<PartyDetails>,
) -> Result<PartyDetails, Refusal> {
    let problem = match party {
        Some(party) if party.active => {
            checks.pass("V04", format!("{from} is {}", party.name));
            return Ok(party);
        }
        Some(_) => "is not active",
        None => "is unknown to the address register",
    };
    let refusal = checks.fail("V04", InvalidFieldValue, format!("{from} {problem}"));
    Err(refusal.with_data(["FromHerId".to_owned(), from.to_string()]))
}

/// V19: a reply has a queue to go to. One that is not the sender's own reply queue is odd, and served.
pub(crate) fn reply_queue(
    checks: &mut Checks,
    message: &Incoming,
    from: u32,
) -> Result<String, Refusal> {
    let address = message.reply_to.as_deref().unwrap_or_default();
    match queue_of_address(address) {
        Ok(queue) => {
            match parse_queue_name(&queue) {
                Some((owner, QueueKind::SyncReply, _)) if owner == from => {
                    checks.pass("V19", format!("replies go to {queue}"));
                }
                _ => checks.finding("V19", format!("{queue} is no reply queue of {from}")),
            }
            Ok(queue)
        }
        Err(problem) => Err(checks
            .fail("V19", InvalidFieldValue, format!("reply-to: {problem}"))
            .with_data(["ReplyTo"])),
    }
}

/// The refusal of a request whose reply queue does not exist.
pub(crate) fn no_way_back(reason: String) -> Refusal {
    Refusal {
        condition: InvalidFieldValue,
        description: format!("reply-to: {reason}"),
        data: vec!["ReplyTo".into()],
    }
}
