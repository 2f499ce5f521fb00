//! Messages of error queues: reports that a message could not be used (contract 01 section 5, contract 03 sections 5.1 and 5.2).
//!
//! There are two forms. In the property form everything is in application properties and the body is one empty data section. In
//! the form of a SOAP fault the body is a SOAP 1.2 envelope in clear text. The official client sends the first and reads both.
//!
//! An error message never answers an error message; [`is_report`] tells one.

mod condition;
mod fault;

use std::collections::BTreeMap;

use time::OffsetDateTime;

use crate::queue::{QueueKind, queue_name};
use crate::{HerId, amqp};

pub use condition::ErrorCondition;

/// A report that a message could not be used. What it says of itself is not trusted: every part may be missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorMessage {
    /// Who reports; none if missing or not a HER-id.
    pub from_her_id: Option<u32>,
    /// To whom: the sender of the message that failed.
    pub to_her_id: Option<u32>,
    /// When the report was made. In a copy as the official client up to 7.0.2 sends it: when the failing message was.
    pub application_time_stamp: Option<OffsetDateTime>,
    /// What is wrong. In the form of a SOAP fault it is the fault's code.
    pub condition: ErrorCondition,
    /// Free text.
    pub description: String,
    /// Details, such as names of missing fields.
    pub data: Vec<String>,
    /// AMQP message-id of the message that failed.
    pub original_message_id: Option<String>,
    /// When the failing message was received. Year 1 is what .NET writes for "unknown".
    pub received_time: Option<OffsetDateTime>,
    /// Application properties that are not among the above, and those whose value could not be read.
    pub other: BTreeMap<String, String>,
}

/// The form in which a report is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// Application properties, and the content type of a protected message, so that no receiver answers it with an error of its
    /// own (contract 01 section 5.2, rule 1).
    #[default]
    Properties,
    /// The same without content type, as the official client after 7.0.2 sends it: the bait for error loops.
    WithoutContentType,
    /// A SOAP fault in the body.
    SoapFault,
}

/// A report as a message for the bus. Correlation-id and reply-to are absent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BusMessage {
    /// `to`: bare name of the queue.
    pub to: String,
    /// `subject`: that of the failing message, or of SOAP faults.
    pub subject: String,
    /// `content-type`.
    pub content_type: Option<&'static str>,
    /// Application properties, all of them strings.
    pub application_properties: BTreeMap<String, String>,
    /// The one data section; empty in the property form.
    pub body: Vec<u8>,
}

/// Whether application properties are those of a report. A SOAP fault is told by its subject.
#[must_use]
pub fn is_report(subject: Option<&str>, application_properties: &BTreeMap<String, String>) -> bool {
    subject == Some(amqp::SOAP_FAULT_SUBJECT)
        || [amqp::ERROR_CONDITION, amqp::ORIGINAL_MESSAGE_ID]
            .iter()
            .any(|name| application_properties.contains_key(*name))
}

/// Reads a report of either form; whatever is missing or unreadable is none, empty, or kept as it is.
#[must_use]
pub fn read(
    subject: Option<&str>,
    content_type: Option<&str>,
    application_properties: &BTreeMap<String, String>,
    body: &[u8],
) -> ErrorMessage {
    let mut message = ErrorMessage::from_properties(application_properties);
    let is_fault =
        content_type.is_some_and(|kind| amqp::ContentKind::of(kind) == amqp::ContentKind::Soap);
    if (subject == Some(amqp::SOAP_FAULT_SUBJECT) || is_fault) && !body.is_empty() {
        fault::read_into(body, &mut message);
    }
    message
}

impl ErrorMessage {
    /// A report about a message: HER-ids swapped, received and reported at the same time (contract 03 section 5.1). `from` and
    /// `to` are those of the message that failed.
    #[must_use]
    pub fn about(
        from: u32,
        to: u32,
        message_id: &str,
        condition: ErrorCondition,
        description: impl Into<String>,
        at: OffsetDateTime,
    ) -> Self {
        Self {
            from_her_id: Some(to),
            to_her_id: Some(from),
            application_time_stamp: Some(at),
            condition,
            description: description.into(),
            data: Vec::new(),
            original_message_id: Some(message_id.to_owned()),
            received_time: Some(at),
            other: BTreeMap::new(),
        }
    }

    /// The same report with details.
    #[must_use]
    pub fn with_data(mut self, data: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.data = data.into_iter().map(Into::into).collect();
        self
    }

    /// Reads the property form.
    #[must_use]
    pub fn from_properties(application_properties: &BTreeMap<String, String>) -> Self {
        let mut other = application_properties.clone();
        let her_id = |other: &mut BTreeMap<String, String>, name| {
            taken(other, name, |text| text.parse::<HerId>().ok()).map(HerId::get)
        };
        let text = |text: &str| Some(text.to_owned());
        let from_her_id = her_id(&mut other, amqp::FROM_HER_ID);
        let to_her_id = her_id(&mut other, amqp::TO_HER_ID);
        let condition = taken(&mut other, amqp::ERROR_CONDITION, text).unwrap_or_default();
        let data = taken(&mut other, amqp::ERROR_CONDITION_DATA, text).unwrap_or_default();
        Self {
            from_her_id,
            to_her_id,
            application_time_stamp: taken(
                &mut other,
                amqp::APPLICATION_TIME_STAMP,
                amqp::parse_time,
            ),
            condition: ErrorCondition::from(condition.as_str()),
            description: taken(&mut other, amqp::ERROR_DESCRIPTION, text).unwrap_or_default(),
            data: data
                .split(';')
                .filter(|detail| !detail.is_empty())
                .map(str::to_owned)
                .collect(),
            original_message_id: taken(&mut other, amqp::ORIGINAL_MESSAGE_ID, text),
            received_time: taken(&mut other, amqp::RECEIVER_TIME_STAMP, amqp::parse_time),
            other,
        }
    }

    /// Writes the property form. `enqueuedTimeUtc` is for the client that sends it.
    #[must_use]
    pub fn to_properties(&self) -> BTreeMap<String, String> {
        let mut properties = self.other.clone();
        let her_id = |her_id: Option<u32>| her_id.map(|her_id| her_id.to_string());
        // A detail's own semicolon would end it.
        let details: String = self
            .data
            .iter()
            .filter(|detail| !detail.is_empty())
            .map(|detail| format!("{};", detail.replace(';', ",")))
            .collect();
        let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let own = [
            (amqp::FROM_HER_ID, her_id(self.from_her_id)),
            (amqp::TO_HER_ID, her_id(self.to_her_id)),
            (
                amqp::APPLICATION_TIME_STAMP,
                self.application_time_stamp
                    .map(amqp::application_time_stamp),
            ),
            (amqp::ORIGINAL_MESSAGE_ID, self.original_message_id.clone()),
            (
                amqp::RECEIVER_TIME_STAMP,
                self.received_time.map(amqp::receiver_time_stamp),
            ),
            (amqp::ERROR_CONDITION, given(self.condition.as_str())),
            (amqp::ERROR_DESCRIPTION, given(&self.description)),
            (amqp::ERROR_CONDITION_DATA, given(&details)),
        ];
        for (name, value) in own {
            if let Some(value) = value {
                properties.insert(name.to_owned(), value);
            }
        }
        properties
    }

    /// The report as a message for the bus, to `<herId>_error` unless the register names another queue. `subject` is that of the
    /// message that failed.
    #[must_use]
    pub fn bus_message(&self, subject: &str, queue: Option<&str>, form: Form) -> BusMessage {
        let of_receiver = || queue_name(self.to_her_id.unwrap_or_default(), QueueKind::Error);
        let to = queue.map_or_else(of_receiver, str::to_owned);
        let properties = self.to_properties();
        if form == Form::SoapFault {
            let kept = [
                amqp::FROM_HER_ID,
                amqp::TO_HER_ID,
                amqp::APPLICATION_TIME_STAMP,
            ];
            let kept = properties
                .into_iter()
                .filter(|(name, _)| kept.contains(&name.as_str()));
            return BusMessage {
                to,
                subject: amqp::SOAP_FAULT_SUBJECT.to_owned(),
                content_type: Some(amqp::SOAP),
                application_properties: kept.collect(),
                body: fault::write(self),
            };
        }
        BusMessage {
            to,
            subject: subject.to_owned(),
            content_type: (form == Form::Properties).then_some(amqp::SIGNED_AND_ENVELOPED),
            application_properties: properties,
            body: Vec::new(),
        }
    }
}

/// Takes a property out, if it can be read.
fn taken<T>(
    properties: &mut BTreeMap<String, String>,
    name: &str,
    read: impl FnOnce(&str) -> Option<T>,
) -> Option<T> {
    let value = read(properties.get(name)?)?;
    properties.remove(name);
    Some(value)
}
