//! V11-V18 and V20: the XML, and whether it says what the header says.

use nhn_model::amqp::{APPLICATION_TIME_STAMP, parse_time};
use nhn_model::error_message::ErrorCondition::{
    InvalidFieldValue, NotWellFormedXml, SpoofingAttack, UnsupportedMessage,
};
use nhn_model::message::{Content, Message, MessageError};
use time::{Duration, OffsetDateTime};

use super::{Checks, Refusal};
use crate::bus::message::Incoming;

/// Offset that counts as none (REQ-TIM-01).
const OFFSET: Duration = Duration::seconds(2);

/// What agreement or profile says of a message function from the sender to helsenorge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Support {
    /// It may be sent in this way.
    Agreed,
    /// It may be sent over the other channel (finding `KT-CHANNEL` of contract 03 section 1.1).
    OtherChannel,
    /// It may not be sent.
    None,
}

/// What the payload is held against.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expected {
    /// HER-id of the sender as the header has it.
    pub(crate) from: u32,
    /// HER-id of the organisation above it, as the register has it.
    pub(crate) from_parent: Option<u32>,
    /// HER-id of helsenorge.
    pub(crate) own: u32,
    /// HER-id of the organisation above helsenorge.
    pub(crate) own_parent: u32,
    /// What agreement or profile says of the function; nothing for a reply, where it is not asked.
    pub(crate) support: Option<Support>,
    /// When the message was received.
    pub(crate) now: OffsetDateTime,
}

/// V11-V17 and V20.
pub(crate) fn content<'a>(
    checks: &mut Checks,
    incoming: &Incoming,
    read: Result<&'a Message, &MessageError>,
    expected: Expected,
) -> Result<&'a Message, Refusal> {
    let message = match read {
        Ok(message) => message,
        Err(problem) => return Err(unreadable(checks, problem)),
    };
    checks.pass("V11", "well-formed, without DTD");
    checks.pass("V12", "MsgHead 1.2, schema-valid");
    checks.reach("parsed");
    function(checks, incoming, message)?;
    parties(checks, message, expected)?;
    let subject = incoming.subject.as_deref().unwrap_or_default();
    match expected.support {
        Some(Support::Agreed) => checks.pass("V17", format!("{subject} is agreed on")),
        Some(Support::OtherChannel) => {
            checks.finding(
                "V17",
                format!("{subject} is agreed on for the other channel"),
            );
        }
        Some(Support::None) => {
            let description = format!("{subject} is not agreed on between the parties");
            return Err(checks.fail("V17", UnsupportedMessage, description));
        }
        None => {}
    }
    clock(checks, incoming, message, expected.now);
    Ok(message)
}

/// V18: a request is the communication test of contract 03 section 1.4.
pub(crate) fn request_body(checks: &mut Checks, message: &Message) -> Result<(), Refusal> {
    match &message.content {
        Content::KomtestRequest { .. } => {
            checks.pass("V18", "one Foresporsel of type KT");
            Ok(())
        }
        _ => Err(checks.fail(
            "V18",
            InvalidFieldValue,
            "the body is no request for a communication test",
        )),
    }
}

/// Rest of V12 for a reply: one dialogue message with a note or a question (contract 03 section 1.4).
pub(crate) fn reply_body(checks: &mut Checks, message: &Message) -> Result<(), Refusal> {
    if message.answers_komtest() {
        return Ok(());
    }
    Err(checks.fail(
        "V12",
        NotWellFormedXml,
        "the content is no dialogue message of the communication test",
    ))
}

fn unreadable(checks: &mut Checks, problem: &MessageError) -> Refusal {
    let check = match problem.is_schema_error() {
        true => {
            checks.pass("V11", "well-formed, without DTD");
            "V12"
        }
        false => "V11",
    };
    checks.fail(check, NotWellFormedXml, problem.to_string())
}

fn function(checks: &mut Checks, incoming: &Incoming, message: &Message) -> Result<(), Refusal> {
    let subject = incoming.subject.as_deref().unwrap_or_default();
    let stated = message.head.msg_type.as_str();
    if stated == subject {
        checks.pass("V13", subject);
    } else if stated.eq_ignore_ascii_case(subject) {
        checks.finding("V13", format!("subject {subject}, Type {stated}"));
    } else {
        let description = "subject and MsgInfo/Type differ";
        let refusal = checks.fail("V13", InvalidFieldValue, description);
        return Err(refusal.with_data([subject]));
    }
    Ok(())
}

fn parties(checks: &mut Checks, message: &Message, expected: Expected) -> Result<(), Refusal> {
    let (sender, receiver) = (&message.head.sender, &message.head.receiver);
    if sender.her_id != expected.from {
        let description = "the sender in the message head is not the one of the header";
        return Err(checks.fail("V14", SpoofingAttack, description));
    }
    checks.pass("V14", format!("sender {}", expected.from));
    if receiver.her_id != expected.own {
        let description = "the receiver in the message head is not the one of the header";
        let refusal = checks.fail("V15", InvalidFieldValue, description);
        return Err(refusal.with_data([expected.own.to_string()]));
    }
    checks.pass("V15", format!("receiver {}", expected.own));
    let levels = [
        (sender.organization_her_id, expected.from_parent),
        (receiver.organization_her_id, Some(expected.own_parent)),
    ];
    if levels
        .iter()
        .all(|(stated, known)| known.is_none_or(|known| known == *stated))
    {
        checks.pass("V16", "the organisations are those of the register");
    } else {
        checks.finding("V16", "an organisation is not the register's");
    }
    Ok(())
}

fn clock(checks: &mut Checks, incoming: &Incoming, message: &Message, now: OffsetDateTime) {
    let stamp = incoming
        .property(APPLICATION_TIME_STAMP)
        .and_then(parse_time);
    let offsets = [
        ("GenDate", Some(message.head.gen_date)),
        (APPLICATION_TIME_STAMP, stamp),
    ];
    let told: Vec<String> = offsets
        .iter()
        .filter_map(|(name, time)| {
            let offset = ((*time)? - now).as_seconds_f64();
            Some(format!("{name} {offset:+.1} s"))
        })
        .collect();
    let close = |time: &OffsetDateTime| (*time - now).abs() <= OFFSET;
    let told = told.join(", ");
    if offsets
        .iter()
        .filter_map(|(_, time)| time.as_ref())
        .all(close)
    {
        checks.pass("V20", told);
    } else {
        checks.finding("V20", told);
    }
}
