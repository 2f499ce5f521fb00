//! The error queue: what comes there is noted and settled, never answered (contract 03 section 5.1).

use std::sync::Arc;

use nhn_model::error_message;
use time::format_description::well_known::Rfc3339;

use crate::book::{End, ErrorEntry, Known};
use crate::bus::{Arrival, Incoming, Settlement};
use crate::decision::Channel;
use crate::epj::Epj;
use crate::fault::Fault;
use crate::{clock, inbound, log};

/// Handles a message of the error queue.
pub(crate) async fn handle(epj: Arc<Epj>, arrival: Arrival) {
    if epj.faults.has(Fault::AnswersErrorsWithErrors) {
        return inbound::handle(epj, Channel::Error, arrival).await;
    }
    let entry = entry(&arrival.incoming);
    log::warning(format_args!("error message: {}", entry.text));
    let original = entry.original_message_id.clone().unwrap_or_default();
    let text = entry.text.clone();
    let known = epj.book.known(&original);
    epj.book.note_error(entry);
    let settlement = if known == Known::Unknown && epj.faults.has(Fault::LeavesOrphans) {
        Settlement::Leave
    } else {
        Settlement::Accept
    };
    arrival.settle(settlement).await;
    epj.book.end(&original, End::Refused(text));
}

fn entry(incoming: &Incoming) -> ErrorEntry {
    let message = error_message::read(
        incoming.subject.as_deref(),
        incoming.content_type.as_deref(),
        &incoming.application,
        incoming.body.as_deref().unwrap_or_default(),
    );
    let given = |text: &str| Some(log::one_line(&text)).filter(|text| !text.is_empty());
    let condition = given(message.condition.as_str());
    let data = given(&message.data.join("; ")).map(|data| format!("({data})"));
    let text: Vec<String> = [condition.clone(), given(&message.description), data]
        .into_iter()
        .flatten()
        .collect();
    ErrorEntry {
        time: clock::now().format(&Rfc3339).unwrap_or_default(),
        text: if text.is_empty() {
            "an error message that says nothing".to_owned()
        } else {
            text.join(" ")
        },
        error_condition: condition,
        original_message_id: message.original_message_id.as_deref().and_then(given),
    }
}

#[cfg(test)]
mod tests {
    use nhn_model::amqp;

    use super::*;

    #[test]
    fn the_property_form_is_read() {
        let mut incoming = Incoming::default();
        for (name, value) in [
            (amqp::ERROR_CONDITION, "transport:invalid-field-value"),
            (amqp::ERROR_DESCRIPTION, "One or more\nfields"),
            (amqp::ERROR_CONDITION_DATA, "Label;"),
            (amqp::ORIGINAL_MESSAGE_ID, "m1"),
        ] {
            incoming
                .application
                .insert(name.to_owned(), value.to_owned());
        }
        let entry = entry(&incoming);
        assert_eq!(
            entry.text,
            "transport:invalid-field-value One or more\\nfields (Label)"
        );
        assert_eq!(entry.original_message_id.as_deref(), Some("m1"));
    }

    #[test]
    fn the_older_form_is_read_and_rubbish_does_no_harm() {
        let fault = "<s:Envelope xmlns:s='http://www.w3.org/2003/05/soap-envelope'><s:Body><s:Fault><s:Code><s:Value>s:Sender</s:Value></s:Code>\
             <s:Reason><s:Text>Revoked</s:Text></s:Reason><s:Detail><d:messageId xmlns:d='http://www.kith.no/xmlstds/digitaldialog/2013-10-08'>m2\
             </d:messageId></s:Detail></s:Fault></s:Body></s:Envelope>";
        let mut incoming = Incoming {
            subject: Some(amqp::SOAP_FAULT_SUBJECT.to_owned()),
            body: Some(fault.as_bytes().to_vec()),
            ..Incoming::default()
        };
        let read = entry(&incoming);
        assert_eq!(
            (read.text.as_str(), read.original_message_id.as_deref()),
            ("s:Sender Revoked", Some("m2"))
        );
        incoming.body = Some(b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>".to_vec());
        assert_eq!(entry(&incoming).text, "an error message that says nothing");
    }
}
