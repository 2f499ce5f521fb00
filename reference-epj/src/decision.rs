//! What is done with a message that came: the decisions alone, as functions of what is known (contract 03 sections 1.6,
//! 5.2 and 5.3).
//!
//! Each stage lets the message pass or ends with a [`Refusal`]. Who fetches the facts is none of this module's business.

use nhn_model::amqp::{self, ContentKind};
use nhn_model::certificate::Certificate;
use nhn_model::error_message::{self, ErrorCondition};
use nhn_model::message::{Content, Head, KOMTEST, Message};
use nhn_model::protection::{OpenError, Opened, Signer};
use uuid::Uuid;

use crate::bus::Incoming;
use crate::fault::{Fault, Faults};
use crate::register::{Counterparty, LookupError};
use crate::validation::CertificateProblem;

/// Where a message came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Channel {
    /// The queue of business messages: there is time to try again.
    Async,
    /// The queue of requests: somebody waits for the reply.
    Sync,
    /// The queue of replies to own requests.
    Reply,
    /// The error queue; only a faulty EPJ treats what is there as a message.
    Error,
}

/// Why a message is not used, and what is done about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The sender is told; the message is settled (contract 03 section 5.2).
    Report(Report),
    /// Nobody can be told; the message is settled and logged (V02).
    Drop(String),
    /// It may go better later: the bus gets the message back.
    GiveBack(String),
}

impl Refusal {
    /// A report without details.
    pub(crate) fn report(condition: ErrorCondition, description: impl Into<String>) -> Self {
        Self::Report(Report {
            condition,
            description: description.into(),
            data: Vec::new(),
        })
    }

    /// The reason, for people.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Report(report) => {
                format!("{}: {}", report.condition.as_str(), report.description)
            }
            Self::Drop(reason) | Self::GiveBack(reason) => reason.clone(),
        }
    }
}

/// What an error message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) condition: ErrorCondition,
    pub(crate) description: String,
    pub(crate) data: Vec<String>,
}

/// The header of a message that can be gone on with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Envelope {
    pub(crate) from: u32,
    pub(crate) to: u32,
    pub(crate) subject: String,
    pub(crate) cpa_id: Option<Uuid>,
}

/// HER-id of the sender by the header; without one nobody can be told anything.
pub(crate) fn sender(incoming: &Incoming) -> Option<u32> {
    incoming
        .property(amqp::FROM_HER_ID)?
        .trim()
        .parse()
        .ok()
        .filter(|her_id| *her_id > 0)
}

/// An error message is never answered with another, on whatever queue it comes (contract 03 section 5.1).
pub(crate) fn no_report(incoming: &Incoming, channel: Channel) -> Result<(), Refusal> {
    let subject = incoming.subject.as_deref();
    if channel != Channel::Error && error_message::is_report(subject, &incoming.application) {
        return Err(Refusal::Drop(
            "an error message has come on another queue than that of errors".to_owned(),
        ));
    }
    Ok(())
}

/// Checks V01 to V03 and V05.
pub(crate) fn envelope(incoming: &Incoming, own: u32) -> Result<Envelope, Refusal> {
    let Some(from) = sender(incoming) else {
        return Err(Refusal::Drop("fromHerId is missing".to_owned()));
    };
    let present = [
        (
            amqp::TO_HER_ID,
            incoming.property(amqp::TO_HER_ID).is_some(),
        ),
        (amqp::SUBJECT_FIELD, incoming.subject.is_some()),
        (
            amqp::APPLICATION_TIME_STAMP,
            incoming.property(amqp::APPLICATION_TIME_STAMP).is_some(),
        ),
        (amqp::CONTENT_TYPE_FIELD, incoming.content_type.is_some()),
    ];
    let missing: Vec<String> = present
        .into_iter()
        .filter(|(_, present)| !present)
        .map(|(name, _)| name.to_owned())
        .collect();
    if !missing.is_empty() {
        return Err(Refusal::Report(Report {
            condition: ErrorCondition::InvalidFieldValue,
            description: "One or more fields are missing".to_owned(),
            data: missing,
        }));
    }
    let to = incoming
        .property(amqp::TO_HER_ID)
        .and_then(|text| text.trim().parse().ok());
    let Some(to) = to.filter(|to| *to == own) else {
        return Err(mismatch(
            "toHerId is not a party of this system",
            own,
            to.unwrap_or(0),
        ));
    };
    let content_type = incoming.content_type.as_deref().unwrap_or_default();
    if ContentKind::of(content_type) != ContentKind::SignedAndEnveloped {
        return Err(Refusal::report(
            ErrorCondition::UnsupportedMessage,
            "The content type is not that of signed and encrypted content",
        ));
    }
    Ok(Envelope {
        from,
        to,
        subject: incoming.subject.clone().unwrap_or_default(),
        cpa_id: incoming
            .property(amqp::CPA_ID)
            .and_then(|text| Uuid::try_parse(text.trim()).ok()),
    })
}

/// The signer of what was opened, V08.
pub(crate) fn signer(opened: &Opened, faults: &Faults) -> Result<Option<Signer>, Refusal> {
    match &opened.signer {
        Some(signer) => Ok(Some(signer.clone())),
        None if faults.has(Fault::AcceptsUnsigned) => Ok(None),
        None => Err(Refusal::report(
            ErrorCondition::InvalidCertificate,
            "The content is not signed",
        )),
    }
}

/// Whether agreement, profile or register names this certificate for the sender, V09, and whether it may sign, V10.
pub(crate) fn listed(
    certificate: &Certificate,
    party: &Counterparty,
    faults: &Faults,
) -> Result<(), Refusal> {
    if party.signing.is_empty() {
        return Err(Refusal::report(
            ErrorCondition::MissingCertificate,
            "No signature certificate is registered for the sender",
        ));
    }
    let is_listed = party
        .signing
        .iter()
        .any(|listed| listed.der() == certificate.der());
    if !is_listed && !faults.has(Fault::AcceptsUnlistedSigner) {
        return Err(Refusal::report(
            ErrorCondition::InvalidCertificate,
            "The signer's certificate is not the one that is registered for the sender",
        ));
    }
    if !certificate.has_non_repudiation() {
        return Err(Refusal::report(
            ErrorCondition::InvalidCertificate,
            "Invalid usage",
        ));
    }
    Ok(())
}

/// What a problem with the signer's certificate leads to, V10. A synchronous request is refused at once when the status is
/// unknown, because its sender does not wait; another message is tried again (contract 03 section 7.11).
pub(crate) fn certificate(problem: &CertificateProblem, channel: Channel) -> Refusal {
    match problem {
        CertificateProblem::RevocationUnknown(_) if channel == Channel::Async => {
            Refusal::GiveBack(problem.to_string())
        }
        _ => Refusal::report(problem.condition(), problem.to_string()),
    }
}

/// Whether a reply may be signed with the own certificate and encrypted to theirs.
pub(crate) fn answerable(
    her_id: u32,
    own: &Result<(), CertificateProblem>,
    theirs: &Result<(), CertificateProblem>,
) -> Result<(), Refusal> {
    match (own, theirs) {
        (Err(problem @ CertificateProblem::RevocationUnknown(_)), _)
        | (Ok(()), Err(problem @ CertificateProblem::RevocationUnknown(_))) => {
            Err(Refusal::report(problem.condition(), problem.to_string()))
        }
        (Err(problem), _) => Err(Refusal::report(
            ErrorCondition::InternalError,
            format!("The receiver cannot sign. {problem}"),
        )),
        (Ok(()), Err(problem)) => Err(Refusal::Report(Report {
            condition: ErrorCondition::UnverifiedCertificate,
            description: format!("The encryption certificate cannot be used. {problem}"),
            data: vec![amqp::FROM_HER_ID.to_owned(), her_id.to_string()],
        })),
        (Ok(()), Ok(())) => Ok(()),
    }
}

/// What a failed look-up of the sender leads to. An unknown sender has no address to be told at (V04).
pub(crate) fn lookup(her_id: u32, error: &LookupError) -> Refusal {
    match error {
        LookupError::Unavailable(_) => Refusal::GiveBack(error.to_string()),
        LookupError::Unknown(_) => Refusal::Drop(format!("the sender {her_id}: {error}")),
        LookupError::Unusable(_) => Refusal::Report(Report {
            condition: ErrorCondition::UnverifiedCertificate,
            description: format!("Could not verify the sender. {error}"),
            data: vec![amqp::FROM_HER_ID.to_owned(), her_id.to_string()],
        }),
    }
}

/// What a message that cannot be opened leads to, V06 to V08.
pub(crate) fn opening(error: &OpenError) -> Refusal {
    let condition = match error {
        OpenError::WeakCipher(_) | OpenError::UnsupportedCipher(_) => {
            ErrorCondition::UnsupportedMessage
        }
        _ => ErrorCondition::InvalidCertificate,
    };
    Refusal::report(condition, error.to_string())
}

/// Compares header and message head, V13 to V15.
pub(crate) fn head(envelope: &Envelope, head: &Head, faults: &Faults) -> Result<(), Refusal> {
    if faults.has(Fault::TrustsEnvelope) {
        return Ok(());
    }
    if !head.msg_type.eq_ignore_ascii_case(&envelope.subject) {
        return Err(Refusal::report(
            ErrorCondition::InvalidFieldValue,
            "The subject is not the function in the message",
        ));
    }
    if head.sender.her_id != envelope.from {
        return Err(Refusal::report(
            ErrorCondition::SpoofingAttack,
            "fromHerId is not the sender in the message",
        ));
    }
    if head.receiver.her_id != envelope.to {
        return Err(mismatch(
            "toHerId is not the receiver in the message",
            envelope.to,
            head.receiver.her_id,
        ));
    }
    Ok(())
}

/// Whether the message is what this channel is for, V17 and V18.
pub(crate) fn content(
    envelope: &Envelope,
    message: &Message,
    channel: Channel,
) -> Result<(), Refusal> {
    if channel == Channel::Async || !envelope.subject.eq_ignore_ascii_case(KOMTEST) {
        return Err(Refusal::report(
            ErrorCondition::UnsupportedMessage,
            "This system takes no such message on this queue",
        ));
    }
    let fits = match channel {
        Channel::Reply => message.answers_komtest(),
        _ => matches!(message.content, Content::KomtestRequest { .. }),
    };
    if fits {
        return Ok(());
    }
    Err(Refusal::report(
        ErrorCondition::InvalidFieldValue,
        "The content is not a communication test",
    ))
}

/// The queue that a request wants its reply on, V19. Some senders write an address instead of a name.
pub(crate) fn reply_queue(incoming: &Incoming) -> Result<String, Refusal> {
    let queue = incoming
        .reply_to
        .as_deref()
        .and_then(|address| nhn_model::queue::queue_of_address(address).ok());
    queue.ok_or_else(|| {
        Refusal::Report(Report {
            condition: ErrorCondition::InvalidFieldValue,
            description: "Invalid value in field: 'ReplyTo'".to_owned(),
            data: vec!["ReplyTo".to_owned()],
        })
    })
}

fn mismatch(description: &str, expected: u32, received: u32) -> Refusal {
    Refusal::Report(Report {
        condition: ErrorCondition::InvalidFieldValue,
        description: description.to_owned(),
        data: vec![expected.to_string(), received.to_string()],
    })
}

#[cfg(test)]
mod tests;
