use nhn_model::message::{
    KomtestReply, KomtestRequest, Party, read, write_komtest_reply, write_komtest_request,
};
use time::macros::datetime;

use super::*;
use crate::bus::MessageId;
use crate::test_pki::{Authority, Leaf};

const OWN: u32 = 8_900_011;
const OTHER: u32 = 109_989;

fn none() -> Faults {
    Faults::default()
}

fn with(fault: Fault) -> Faults {
    [fault].into_iter().collect()
}

fn incoming() -> Incoming {
    let application = [
        (amqp::FROM_HER_ID, "109989"),
        (amqp::TO_HER_ID, "8900011"),
        (amqp::APPLICATION_TIME_STAMP, "2026-03-02T10:15:30Z"),
        (amqp::CPA_ID, "not a uuid"),
    ];
    Incoming {
        message_id: Some(MessageId::String("m".to_owned())),
        subject: Some("dialog_innbygger_test".to_owned()),
        reply_to: Some("109989_syncreply_a".to_owned()),
        content_type: Some(amqp::SIGNED_AND_ENVELOPED.to_owned()),
        application: application
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        ..Incoming::default()
    }
}

fn condition(refusal: Refusal) -> ErrorCondition {
    match refusal {
        Refusal::Report(report) => report.condition,
        other => panic!("{other:?}"),
    }
}

fn party(her_id: u32) -> Party {
    Party {
        name: "Unit".to_owned(),
        her_id,
        organization_name: "Organisation".to_owned(),
        organization_her_id: her_id + 1,
    }
}

fn request(from: u32, to: u32) -> Message {
    let request = KomtestRequest {
        msg_id: "b".to_owned(),
        gen_date: datetime!(2026-03-02 10:15:30 UTC),
        sender: party(from),
        receiver: party(to),
    };
    read(&write_komtest_request(&request)).unwrap()
}

#[test]
fn a_complete_header_passes() {
    let envelope = envelope(&incoming(), OWN).unwrap();
    assert_eq!((envelope.from, envelope.to), (OTHER, OWN));
    // An unreadable agreement is none (contract 03 section 5.2).
    assert_eq!(envelope.cpa_id, None);
}

#[test]
fn what_is_missing_in_the_header_is_named() {
    let mut incoming = incoming();
    incoming.subject = None;
    incoming.content_type = None;
    incoming.application.remove(amqp::TO_HER_ID);
    let Err(Refusal::Report(report)) = envelope(&incoming, OWN) else {
        panic!()
    };
    assert_eq!(report.condition, ErrorCondition::InvalidFieldValue);
    assert_eq!(report.data, ["toHerId", "Label", "ContentType"]);
}

#[test]
fn without_a_sender_nobody_is_told() {
    for from in ["", "0", "-1", "x"] {
        let mut incoming = incoming();
        incoming
            .application
            .insert(amqp::FROM_HER_ID.to_owned(), from.to_owned());
        assert!(
            matches!(envelope(&incoming, OWN), Err(Refusal::Drop(_))),
            "{from:?}"
        );
    }
}

#[test]
fn other_receivers_and_unprotected_content_are_refused() {
    let refusal = envelope(&incoming(), OWN + 1).unwrap_err();
    assert_eq!(condition(refusal), ErrorCondition::InvalidFieldValue);
    let mut incoming = incoming();
    incoming.content_type = Some(amqp::TEXT.to_owned());
    let refusal = envelope(&incoming, OWN).unwrap_err();
    assert_eq!(condition(refusal), ErrorCondition::UnsupportedMessage);
}

#[test]
fn an_error_message_is_never_answered() {
    let mut report = incoming();
    assert_eq!(no_report(&report, Channel::Sync), Ok(()));
    report
        .application
        .insert(amqp::ORIGINAL_MESSAGE_ID.to_owned(), "m".to_owned());
    for channel in [Channel::Sync, Channel::Async, Channel::Reply] {
        assert!(matches!(no_report(&report, channel), Err(Refusal::Drop(_))));
    }
    // The seeded fault treats it as a message.
    assert_eq!(no_report(&report, Channel::Error), Ok(()));
}

#[test]
fn only_a_listed_signer_is_accepted() {
    let authority = Authority::root();
    let [listed_one, other] = [10, 11].map(|serial| authority.leaf(&Leaf::current(serial)));
    let mut counterparty = Counterparty {
        her_id: OTHER,
        name: String::new(),
        cpa_id: None,
        cpp_id: None,
        sync_queue: None,
        async_queue: None,
        error_queue: None,
        encryption: listed_one.clone(),
        signing: vec![listed_one.clone()],
    };
    assert_eq!(listed(&listed_one, &counterparty, &none()), Ok(()));
    let refusal = listed(&other, &counterparty, &none()).unwrap_err();
    assert_eq!(condition(refusal), ErrorCondition::InvalidCertificate);
    let faults = with(Fault::AcceptsUnlistedSigner);
    assert_eq!(listed(&other, &counterparty, &faults), Ok(()));
    counterparty.signing.clear();
    let refusal = listed(&listed_one, &counterparty, &none()).unwrap_err();
    assert_eq!(condition(refusal), ErrorCondition::MissingCertificate);
}

#[test]
fn an_unknown_status_is_refused_at_once_where_somebody_waits_and_tried_again_elsewhere() {
    let unknown = CertificateProblem::RevocationUnknown("down".to_owned());
    assert_eq!(
        condition(certificate(&unknown, Channel::Sync)),
        ErrorCondition::RevokedCertificateOffline
    );
    assert!(matches!(
        certificate(&unknown, Channel::Async),
        Refusal::GiveBack(_)
    ));
    for channel in [Channel::Sync, Channel::Async] {
        let expired = certificate(&CertificateProblem::Expired, channel);
        assert_eq!(condition(expired), ErrorCondition::ExpiredCertificate);
    }
}

#[test]
fn a_reply_needs_both_certificates() {
    let unknown = || Err(CertificateProblem::RevocationUnknown("down".to_owned()));
    let expired = || Err(CertificateProblem::Expired);
    let decided = |own, theirs| answerable(OTHER, &own, &theirs).map_err(condition);
    assert_eq!(decided(Ok(()), Ok(())), Ok(()));
    assert_eq!(
        decided(expired(), Ok(())),
        Err(ErrorCondition::InternalError)
    );
    assert_eq!(
        decided(Ok(()), expired()),
        Err(ErrorCondition::UnverifiedCertificate)
    );
    for (own, theirs) in [(unknown(), Ok(())), (Ok(()), unknown())] {
        assert_eq!(
            decided(own, theirs),
            Err(ErrorCondition::RevokedCertificateOffline)
        );
    }
}

#[test]
fn a_register_that_is_away_is_no_fault_of_the_sender() {
    let away = LookupError::Unavailable("down".to_owned());
    assert!(matches!(lookup(OTHER, &away), Refusal::GiveBack(_)));
    let unknown = LookupError::Unknown("x".to_owned());
    assert!(matches!(lookup(OTHER, &unknown), Refusal::Drop(_)));
    let unusable = LookupError::Unusable("x".to_owned());
    assert_eq!(
        condition(lookup(OTHER, &unusable)),
        ErrorCondition::UnverifiedCertificate
    );
}

#[test]
fn header_and_message_must_agree() {
    let envelope = envelope(&incoming(), OWN).unwrap();
    let decided = |message: &Message, faults: &Faults| {
        head(&envelope, &message.head, faults).map_err(condition)
    };
    assert_eq!(decided(&request(OTHER, OWN), &none()), Ok(()));
    for (message, expected) in [
        (request(OTHER + 1, OWN), ErrorCondition::SpoofingAttack),
        (request(OTHER, OWN + 1), ErrorCondition::InvalidFieldValue),
    ] {
        assert_eq!(decided(&message, &none()), Err(expected));
        assert_eq!(decided(&message, &with(Fault::TrustsEnvelope)), Ok(()));
    }
    let mut other_function = request(OTHER, OWN);
    "APPREC".clone_into(&mut other_function.head.msg_type);
    assert_eq!(
        decided(&other_function, &none()),
        Err(ErrorCondition::InvalidFieldValue)
    );
}

#[test]
fn each_queue_takes_what_it_is_for() {
    let envelope = envelope(&incoming(), OWN).unwrap();
    let question = request(OTHER, OWN);
    let reply = KomtestReply::to(
        &request(OWN, OTHER).head,
        "c",
        datetime!(2026-03-02 10:15:31 UTC),
    );
    let reply = read(&write_komtest_reply(&reply)).unwrap();
    let decided =
        |message: &Message, channel| content(&envelope, message, channel).map_err(condition);
    assert_eq!(decided(&question, Channel::Sync), Ok(()));
    assert_eq!(decided(&reply, Channel::Reply), Ok(()));
    assert_eq!(
        decided(&reply, Channel::Sync),
        Err(ErrorCondition::InvalidFieldValue)
    );
    assert_eq!(
        decided(&question, Channel::Async),
        Err(ErrorCondition::UnsupportedMessage)
    );
}

#[test]
fn the_reply_queue_is_taken_from_the_request() {
    let mut incoming = incoming();
    assert_eq!(reply_queue(&incoming).as_deref(), Ok("109989_syncreply_a"));
    incoming.reply_to = Some("amqps://bus/NHNTESTServiceBus/109989_syncreply".to_owned());
    assert_eq!(reply_queue(&incoming).as_deref(), Ok("109989_syncreply"));
    incoming.reply_to = None;
    assert_eq!(
        condition(reply_queue(&incoming).unwrap_err()),
        ErrorCondition::InvalidFieldValue
    );
}

#[test]
fn what_cannot_be_opened_is_reported_as_a_certificate_fault() {
    for (error, expected) in [
        (OpenError::NotEnveloped, ErrorCondition::InvalidCertificate),
        (OpenError::NoRecipient, ErrorCondition::InvalidCertificate),
        (
            OpenError::WeakCipher("DES".to_owned()),
            ErrorCondition::UnsupportedMessage,
        ),
    ] {
        assert_eq!(condition(opening(&error)), expected);
    }
}
