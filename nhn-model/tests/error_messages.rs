//! Error messages of both forms, recorded and written.

use std::collections::BTreeMap;

use nhn_model::amqp;
use nhn_model::error_message::{ErrorCondition, ErrorMessage, Form, is_report, read};
use proptest::prelude::*;
use time::OffsetDateTime;
use time::macros::datetime;

fn properties(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// What the official client 7.0.2 sent when it found a certificate revoked (shortened by the metadata).
fn recorded() -> BTreeMap<String, String> {
    properties(&[
        ("fromHerId", "109989"),
        ("toHerId", "8900011"),
        ("applicationTimeStamp", "2026-11-24T09:05:52Z"),
        ("X-MessageInfo-Type", "DIALOG_INNBYGGER_EKONTAKT"),
        ("cpaId", "9263d0ac-6ae2-5d50-983d-cf2b4f42bf25"),
        ("enqueuedTimeUtc", "2026-11-24T09:05:53"),
        ("originalMessageId", "435e6bdc-a8e7-4415-a279-cdd9e05e572c"),
        ("receiverTimeStamp", "11/24/2026 09:05:53"),
        ("errorCondition", "transport:revoked-certificate"),
        ("errorDescription", "Certificate has been revoked"),
        (
            "errorConditionData",
            "Subject: SERIALNUMBER=310900109, CN=LIKSOMVIK KOMMUNE sign, O=LIKSOMVIK KOMMUNE, C=NO;Thumbprint: 01C9B010757969816A78BA8D1CEC6104EA397E7B;",
        ),
    ])
}

fn report() -> ErrorMessage {
    let at = datetime!(2026-07-02 14:31:17 +02:00);
    ErrorMessage::about(
        8_900_011,
        109_989,
        "m1",
        ErrorCondition::InvalidFieldValue,
        "One or more fields are missing",
        at,
    )
    .with_data(["Label", "ContentType"])
}

#[test]
fn what_the_official_client_sent_is_read() {
    let subject = Some("DIALOG_INNBYGGER_EKONTAKT");
    let message = read(subject, Some(amqp::SIGNED_AND_ENVELOPED), &recorded(), b"");
    assert_eq!(
        (message.from_her_id, message.to_her_id),
        (Some(109_989), Some(8_900_011))
    );
    assert_eq!(message.condition, ErrorCondition::RevokedCertificate);
    assert_eq!(
        message.original_message_id.as_deref(),
        Some("435e6bdc-a8e7-4415-a279-cdd9e05e572c")
    );
    assert_eq!(
        message.received_time,
        Some(datetime!(2026-11-24 09:05:53 UTC))
    );
    assert_eq!(message.data.len(), 2);
    assert_eq!(
        message.data[1],
        "Thumbprint: 01C9B010757969816A78BA8D1CEC6104EA397E7B"
    );
    assert_eq!(message.other.len(), 3);
    assert_eq!(message.to_properties(), recorded());
    assert!(is_report(subject, &recorded()));
}

#[test]
fn what_is_sent() {
    let message = report().bus_message("DIALOG_INNBYGGER_TEST", None, Form::Properties);
    assert_eq!(
        (message.to.as_str(), message.subject.as_str()),
        ("8900011_error", "DIALOG_INNBYGGER_TEST")
    );
    assert_eq!(message.content_type, Some(amqp::SIGNED_AND_ENVELOPED));
    assert!(message.body.is_empty());
    let expected = properties(&[
        ("fromHerId", "109989"),
        ("toHerId", "8900011"),
        ("applicationTimeStamp", "2026-07-02T12:31:17Z"),
        ("originalMessageId", "m1"),
        ("receiverTimeStamp", "07/02/2026 12:31:17"),
        ("errorCondition", "transport:invalid-field-value"),
        ("errorDescription", "One or more fields are missing"),
        ("errorConditionData", "Label;ContentType;"),
    ]);
    assert_eq!(message.application_properties, expected);
    let bait = report().bus_message("X", Some("other_error"), Form::WithoutContentType);
    assert_eq!((bait.content_type, bait.to.as_str()), (None, "other_error"));
}

#[test]
fn the_form_of_a_fault_comes_back() {
    let sent = report().bus_message("X", None, Form::SoapFault);
    assert_eq!(
        (sent.subject.as_str(), sent.content_type),
        ("AMQP_SOAP_FAULT", Some("application/soap+xml"))
    );
    assert_eq!(sent.application_properties.len(), 3);
    assert!(is_report(Some(&sent.subject), &sent.application_properties));
    let message = read(
        Some(&sent.subject),
        sent.content_type,
        &sent.application_properties,
        &sent.body,
    );
    assert_eq!(message.condition, ErrorCondition::Other("s:Sender".into()));
    assert_eq!(message.description, "One or more fields are missing");
    assert_eq!(message.original_message_id.as_deref(), Some("m1"));
    // Without properties, everything comes from the body; with a broken body, from the properties.
    let message = read(Some(&sent.subject), None, &BTreeMap::new(), &sent.body);
    assert_eq!(
        message.application_time_stamp,
        Some(datetime!(2026-07-02 12:31:17 UTC))
    );
    let message = read(Some(&sent.subject), None, &recorded(), b"<!DOCTYPE a><a/>");
    assert_eq!(message.condition, ErrorCondition::RevokedCertificate);
}

#[test]
fn what_cannot_be_read_is_kept() {
    let odd = properties(&[
        ("fromHerId", "abc"),
        ("receiverTimeStamp", "yesterday"),
        ("applicationTimeStamp", "0001-01-01T00:00:00"),
        ("errorCondition", "transport:something-new"),
        ("errorConditionData", ""),
    ]);
    let message = ErrorMessage::from_properties(&odd);
    assert_eq!((message.from_her_id, message.received_time), (None, None));
    assert_eq!(message.other["fromHerId"], "abc");
    assert_eq!(message.other["receiverTimeStamp"], "yesterday");
    assert_eq!(
        message.application_time_stamp.map(OffsetDateTime::year),
        Some(1)
    );
    assert_eq!(message.condition.as_str(), "transport:something-new");
    assert!(message.data.is_empty());
    assert!(!is_report(None, &BTreeMap::new()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn reports_come_back(
        from in 1..1_000_000_u32, to in 1..1_000_000_u32, id in "\\PC{1,40}", description in "\\PC{0,40}", data in prop::collection::vec("[^;\\pC]{1,20}", 0..4),
        seconds in 0..4_000_000_000_i64, condition in prop::sample::select(ErrorCondition::KNOWN.to_vec()),
    ) {
        let at = OffsetDateTime::from_unix_timestamp(seconds).expect("a time");
        let report = ErrorMessage::about(from, to, &id, condition, description, at).with_data(data);
        prop_assert_eq!(ErrorMessage::from_properties(&report.to_properties()), report.clone());
        let fault = report.bus_message("X", None, Form::SoapFault);
        let read_back = read(Some(&fault.subject), fault.content_type, &fault.application_properties, &fault.body);
        prop_assert_eq!(read_back.description.as_str(), report.description.trim());
    }

    #[test]
    fn nothing_makes_it_panic(
        values in prop::collection::vec(any::<String>(), 8), body in prop::collection::vec(any::<u8>(), 0..200), text in "[<>/ a-zA-Z=\"&;]{0,60}",
    ) {
        let names = [
            amqp::FROM_HER_ID, amqp::TO_HER_ID, amqp::APPLICATION_TIME_STAMP, amqp::ERROR_CONDITION, amqp::ERROR_CONDITION_DATA, amqp::ERROR_DESCRIPTION,
            amqp::ORIGINAL_MESSAGE_ID, amqp::RECEIVER_TIME_STAMP,
        ];
        let properties = names.iter().map(|name| (*name).to_owned()).zip(values).collect();
        for body in [body.as_slice(), text.as_bytes()] {
            let message = read(Some(amqp::SOAP_FAULT_SUBJECT), None, &properties, body);
            let _ = message.bus_message("X", None, Form::Properties);
        }
    }
}
