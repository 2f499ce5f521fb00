//! Each check once red, and a message in order that passes them all.

use nhn_model::amqp::{FROM_HER_ID, SIGNED_AND_ENVELOPED, TO_HER_ID, application_time_stamp};
use nhn_model::certificate::Certificate;
use nhn_model::error_message::ErrorCondition;
use nhn_model::message::{
    Conversation, KomtestReply, KomtestRequest, Message, Party, read, write_komtest_reply,
    write_komtest_request,
};
use nhn_model::protection::{OpenError, Signer};
use nhn_model::register::PartyDetails;
use testbed::evidence::CheckOutcome::{Failed, Finding, Passed};
use time::{Duration, OffsetDateTime};

use super::*;
use crate::bus::message::Incoming;
use crate::status::Standing;

const OWN: u32 = 109_989;
const FROM: u32 = 8_900_011;
const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

fn incoming() -> Incoming {
    let properties = [
        (FROM_HER_ID, FROM.to_string()),
        (TO_HER_ID, OWN.to_string()),
        ("applicationTimeStamp", application_time_stamp(NOW)),
    ];
    Incoming {
        subject: Some("DIALOG_INNBYGGER_TEST".into()),
        content_type: Some(SIGNED_AND_ENVELOPED.into()),
        reply_to: Some("8900011_syncreply_a".into()),
        application: properties
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
        ..Incoming::default()
    }
}

fn party(her_id: u32, organization_her_id: u32) -> Party {
    Party {
        name: "Tjeneste".into(),
        her_id,
        organization_name: "Virksomhet".into(),
        organization_her_id,
    }
}

fn message(change: impl FnOnce(&mut KomtestRequest)) -> Message {
    let mut request = KomtestRequest {
        msg_id: "1".into(),
        gen_date: NOW,
        sender: party(FROM, 8_900_001),
        receiver: party(OWN, 8_990_001),
    };
    change(&mut request);
    read(&write_komtest_request(&request)).unwrap()
}

fn expected() -> Expected {
    Expected {
        from: FROM,
        from_parent: Some(8_900_001),
        own: OWN,
        own_parent: 8_990_001,
        support: Some(Support::Agreed),
        now: NOW,
    }
}

/// What V11-V17 and V20 say of a message.
fn of_content(
    incoming: &Incoming,
    message: &Message,
    expected: Expected,
) -> (Checks, Option<ErrorCondition>) {
    let mut checks = Checks::default();
    let refusal = content(&mut checks, incoming, Ok(message), expected).err();
    (checks, refusal.map(|refusal| refusal.condition))
}

#[test]
fn a_message_in_order_passes() {
    let mut checks = Checks::default();
    let incoming = incoming();
    assert_eq!(header(&mut checks, &incoming), Ok(FROM));
    receiver(&mut checks, &incoming, OWN).unwrap();
    content_type(&mut checks, incoming.content_type.as_deref()).unwrap();
    let message = message(|_| {});
    content(&mut checks, &incoming, Ok(&message), expected()).unwrap();
    request_body(&mut checks, &message).unwrap();
    let queue = reply_queue(&mut checks, &incoming, FROM).unwrap();
    assert_eq!(queue, "8900011_syncreply_a");
    let wanted = [
        "V01", "V02", "V03", "V05", "V11", "V12", "V13", "V14", "V15", "V16", "V17", "V20", "V18",
        "V19",
    ];
    assert_eq!(checks.ended(Passed), wanted);
    assert_eq!(checks.ended(Failed), Vec::<&str>::new());
    assert_eq!(checks.ended(Finding), Vec::<&str>::new());
}

#[test]
fn v01_and_v02_missing_fields() {
    for (spoil, name, sender) in [
        (
            (|message| message.subject = Some(" ".into())) as fn(&mut Incoming),
            "Label",
            Some(FROM),
        ),
        (
            |message| message.content_type = None,
            "ContentType",
            Some(FROM),
        ),
        (
            |message| {
                message.application.insert(TO_HER_ID.into(), "0".into());
            },
            "toHerId",
            Some(FROM),
        ),
        (
            |message| {
                message
                    .application
                    .insert("applicationTimeStamp".into(), "yesterday".into());
            },
            "applicationTimeStamp",
            Some(FROM),
        ),
        (
            |message| {
                message.application.remove(FROM_HER_ID);
            },
            "fromHerId",
            None,
        ),
    ] {
        let mut message = incoming();
        spoil(&mut message);
        let mut checks = Checks::default();
        let (from, refusal) = header(&mut checks, &message).unwrap_err();
        assert_eq!(from, sender);
        assert_eq!(refusal.condition, ErrorCondition::InvalidFieldValue);
        assert_eq!(refusal.data, [name]);
        let failed: &[&str] = match sender {
            Some(_) => &["V01"],
            None => &["V01", "V02"],
        };
        assert_eq!(checks.ended(Failed), failed);
    }
}

#[test]
fn v03_another_receiver() {
    let mut checks = Checks::default();
    let refusal = receiver(&mut checks, &incoming(), 93_238).unwrap_err();
    assert_eq!(refusal.condition, ErrorCondition::InvalidFieldValue);
    assert_eq!(checks.ended(Failed), ["V03"]);
}

#[test]
fn v04_an_unknown_or_inactive_sender() {
    let inactive = PartyDetails {
        her_id: FROM,
        name: "Nedlagt".into(),
        kind: "Service".into(),
        active: false,
        takes_messages: false,
        parent_her_id: None,
        parent_name: None,
        parent_organization_number: None,
        organization_number: None,
        valid_from: None,
        valid_to: None,
        addresses: Vec::new(),
    };
    for party in [None, Some(inactive)] {
        let mut checks = Checks::default();
        let refusal = sender(&mut checks, FROM, party).unwrap_err();
        assert_eq!(refusal.data, ["FromHerId", "8900011"]);
        assert_eq!(checks.ended(Failed), ["V04"]);
    }
}

#[test]
fn v05_to_v09_what_does_not_open() {
    for (text, outcome) in [
        ("text/plain", Failed),
        ("application/pkcs7-mime; smime-type=enveloped-data", Failed),
        (
            "application/pkcs7-mime;smimetype=signed-and-enveloped-data",
            Finding,
        ),
    ] {
        let mut checks = Checks::default();
        let made = content_type(&mut checks, Some(text));
        assert_eq!(checks.ended(outcome), ["V05"]);
        let condition = made.err().map(|refusal| refusal.condition);
        let wanted = (outcome == Failed).then_some(ErrorCondition::UnsupportedMessage);
        assert_eq!(condition, wanted);
    }
    for (problem, check, condition) in [
        (
            OpenError::NotEnveloped,
            "V06",
            ErrorCondition::InvalidCertificate,
        ),
        (
            OpenError::NoRecipient,
            "V06",
            ErrorCondition::InvalidCertificate,
        ),
        (
            OpenError::UnsupportedCipher("1.2.3".into()),
            "V07",
            ErrorCondition::UnsupportedMessage,
        ),
        (
            OpenError::NoSigner,
            "V08",
            ErrorCondition::InvalidCertificate,
        ),
        (
            OpenError::SignatureInvalid,
            "V09",
            ErrorCondition::InvalidCertificate,
        ),
    ] {
        let mut checks = Checks::default();
        let refusal = opened(&mut checks, Err(&problem)).unwrap_err();
        assert_eq!(refusal.condition, condition);
        assert_eq!(checks.ended(Failed), [check]);
        let before = ["V06", "V07", "V08"]
            .into_iter()
            .filter(|earlier| *earlier < check);
        assert_eq!(checks.ended(Passed), before.collect::<Vec<_>>());
    }
}

#[test]
fn v11_and_v12_what_is_no_message() {
    for (text, check) in [
        (&b"<MsgHead"[..], "V11"),
        (b"<!DOCTYPE a [<!ENTITY e \"x\">]><a>&e;</a>", "V11"),
        (b"<DummyResponse/>", "V12"),
    ] {
        let mut checks = Checks::default();
        let problem = read(text).unwrap_err();
        let refusal = content(&mut checks, &incoming(), Err(&problem), expected()).unwrap_err();
        assert_eq!(refusal.condition, ErrorCondition::NotWellFormedXml);
        assert_eq!(checks.ended(Failed), [check]);
    }
}

#[test]
fn v13_to_v17_what_does_not_agree() {
    let good = message(|_| {});
    let mut other = incoming();
    other.subject = Some("DIALOG_INNBYGGER_EKONTAKT".into());
    let (checks, condition) = of_content(&other, &good, expected());
    assert_eq!(checks.ended(Failed), ["V13"]);
    assert_eq!(condition, Some(ErrorCondition::InvalidFieldValue));
    other.subject = Some("dialog_innbygger_test".into());
    let (checks, condition) = of_content(&other, &good, expected());
    assert_eq!((checks.ended(Finding), condition), (vec!["V13"], None));

    let spoofed = message(|request| request.sender.her_id = 8_900_001);
    let (checks, condition) = of_content(&incoming(), &spoofed, expected());
    assert_eq!(checks.ended(Failed), ["V14"]);
    assert_eq!(condition, Some(ErrorCondition::SpoofingAttack));

    let elsewhere = message(|request| request.receiver.her_id = 93_238);
    let (checks, condition) = of_content(&incoming(), &elsewhere, expected());
    assert_eq!(checks.ended(Failed), ["V15"]);
    assert_eq!(condition, Some(ErrorCondition::InvalidFieldValue));

    let orphan = message(|request| request.sender.organization_her_id = 8_900_200);
    let (checks, condition) = of_content(&incoming(), &orphan, expected());
    assert_eq!((checks.ended(Finding), condition), (vec!["V16"], None));

    for (support, outcome) in [(Support::None, Failed), (Support::OtherChannel, Finding)] {
        let expected = Expected {
            support: Some(support),
            ..expected()
        };
        let (checks, _) = of_content(&incoming(), &good, expected);
        assert_eq!(checks.ended(outcome), ["V17"]);
    }
}

#[test]
fn v18_v19_and_v20() {
    let reply = read(&write_komtest_reply(&KomtestReply {
        msg_id: "2".into(),
        gen_date: NOW,
        sender: party(FROM, 1),
        receiver: party(OWN, 1),
        conversation: None,
        text: None,
    }))
    .unwrap();
    let mut checks = Checks::default();
    assert!(request_body(&mut checks, &reply).is_err());
    let mut message = incoming();
    message.reply_to = None;
    assert!(reply_queue(&mut checks, &message, FROM).is_err());
    assert_eq!(checks.ended(Failed), ["V18", "V19"]);
    message.reply_to = Some("8900103_async".into());
    assert!(reply_queue(&mut checks, &message, FROM).is_ok());
    assert_eq!(checks.ended(Finding), ["V19"]);

    let late = self::message(|request| request.gen_date = NOW - Duration::seconds(30));
    let (checks, condition) = of_content(&incoming(), &late, expected());
    assert_eq!((checks.ended(Finding), condition), (vec!["V20"], None));
}

#[test]
fn vr1_to_vr5_each_red_once() {
    let mut checks = Checks::default();
    let second = std::time::Duration::from_secs(1);
    assert!(!correlation(&mut checks, None, false));
    assert!(!right_queue(&mut checks, "109989_sync", "109989_syncreply"));
    assert!(!in_time(&mut checks, 16 * second, 15 * second));
    assert!(!right_party(&mut checks, 1, 2));
    let mut message = message(|_| {});
    message.head.conversation = Some(Conversation {
        ref_to_parent: "other".into(),
        ref_to_conversation: "other".into(),
    });
    assert!(!refers_to_request(&mut checks, &message, "1"));
    assert_eq!(checks.ended(Failed), ["VR1", "VR2", "VR3", "VR4", "VR5"]);
    message.head.conversation = None;
    assert!(refers_to_request(&mut checks, &message, "1"));
}

/// A certificate that is valid from `from` to `until` days after now.
fn certificate(usage: rcgen::KeyUsagePurpose, from: i64, until: i64) -> Certificate {
    let mut params = rcgen::CertificateParams::default();
    params.key_usages = vec![usage];
    params.not_before = NOW + Duration::days(from);
    params.not_after = NOW + Duration::days(until);
    let key = rcgen::KeyPair::generate().unwrap();
    Certificate::from_der(params.self_signed(&key).unwrap().der()).unwrap()
}

fn signed_by(certificate: &Certificate) -> Signer {
    Signer {
        certificate: certificate.clone(),
        embedded: vec![certificate.clone()],
        others: Vec::new(),
    }
}

#[test]
fn v09_a_signer_that_is_not_listed() {
    let usage = rcgen::KeyUsagePurpose::ContentCommitment;
    let (own, other) = (certificate(usage, -1, 1), certificate(usage, -1, 1));
    let mut checks = Checks::default();
    let signer = signed_by(&own);
    assert!(expected_signer(&mut checks, &signer, Some(&own)).is_ok());
    for (listed, condition) in [
        (Some(&other), ErrorCondition::InvalidCertificate),
        (None, ErrorCondition::MissingCertificate),
    ] {
        let mut checks = Checks::default();
        let refusal = expected_signer(&mut checks, &signer, listed).unwrap_err();
        assert_eq!(refusal.condition, condition);
        assert_eq!(checks.ended(Failed), ["V09"]);
    }
}

#[test]
fn v10_a_certificate_that_is_not_good() {
    use rcgen::KeyUsagePurpose::{ContentCommitment, KeyEncipherment};
    let good = certificate(ContentCommitment, -1, 1);
    assert!(validity(&mut Checks::default(), &good, NOW).is_ok());
    for (bad, condition) in [
        (
            certificate(ContentCommitment, 1, 2),
            ErrorCondition::ExpiredCertificate,
        ),
        (
            certificate(ContentCommitment, -2, -1),
            ErrorCondition::ExpiredCertificate,
        ),
        (
            certificate(KeyEncipherment, -1, 1),
            ErrorCondition::InvalidCertificate,
        ),
    ] {
        let mut checks = Checks::default();
        let refusal = validity(&mut checks, &bad, NOW).unwrap_err();
        assert_eq!(refusal.condition, condition);
        assert!(refusal.data[1].starts_with("Thumbprint: "));
        assert_eq!(checks.ended(Failed), ["V10"]);
    }
    for (found, condition) in [
        (
            Standing::Revoked(String::new()),
            ErrorCondition::RevokedCertificate,
        ),
        (
            Standing::Untrusted(String::new()),
            ErrorCondition::InvalidCertificate,
        ),
        (
            Standing::Unknown(String::new()),
            ErrorCondition::RevokedCertificateOffline,
        ),
    ] {
        let mut checks = Checks::default();
        let refusal = standing(&mut checks, &good, found).unwrap_err();
        assert_eq!(refusal.condition, condition);
        assert_eq!(checks.ended(Failed), ["V10"]);
    }
}
