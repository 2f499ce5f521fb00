//! The example messages of contract 03 section 10 and what the official client's example sends: valid ones are read, invalid
//! ones are refused with the right error, hostile ones are refused unread.

use std::path::Path;

use nhn_model::message::{
    Attachments, Content, ElementOrder, KOMTEST, KomtestReply, KomtestRequest, Message,
    MessageError, Party, SIZE_LIMIT, metadata, read, write_komtest_reply, write_komtest_request,
    write_komtest_request_in,
};
use proptest::prelude::*;
use time::macros::datetime;
use time::{OffsetDateTime, UtcOffset};

fn bytes(folder: &str, name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(folder)
        .join(name);
    std::fs::read(path).expect("the example is there")
}

fn example(name: &str) -> Result<Message, MessageError> {
    read(&bytes("messages", &format!("{name}.xml")))
}

fn portal() -> Party {
    Party {
        name: "Digitale innbyggertjenester (mock)".into(),
        her_id: 109_989,
        organization_name: "MOCK INNBYGGERPORTAL".into(),
        organization_her_id: 8_990_001,
    }
}

fn unit() -> Party {
    Party {
        name: "Hjemmetjenesten Liksomvik".into(),
        her_id: 8_900_011,
        organization_name: "LIKSOMVIK KOMMUNE".into(),
        organization_her_id: 8_900_001,
    }
}

fn request() -> KomtestRequest {
    KomtestRequest {
        msg_id: "0b5a6f1e-7c10-4d0e-9a51-000000000001".into(),
        gen_date: datetime!(2026-03-02 10:15:30 +01:00),
        sender: unit(),
        receiver: portal(),
    }
}

#[test]
fn valid_requests_are_read() {
    let message = example("komtest-request-to-helsenorge.valid").unwrap();
    assert_eq!(message.head.msg_type, KOMTEST);
    assert_eq!(message.head.msg_id, "0b5a6f1e-7c10-4d0e-9a51-000000000001");
    assert_eq!(message.head.gen_date, datetime!(2026-03-02 10:15:30 +01:00));
    assert_eq!(message.head.ack.as_deref(), Some("N"));
    assert_eq!(
        (&message.head.sender, &message.head.receiver),
        (&unit(), &portal())
    );
    assert!(message.head.conversation.is_none() && !message.head.has_patient);
    let Content::KomtestRequest { kind } = message.content else {
        panic!("not a test request");
    };
    assert_eq!(kind.code, "KT");
    assert_eq!(kind.system.as_deref(), Some("2.16.578.1.12.4.1.1.7603"));

    let other_way = example("komtest-request-from-helsenorge.valid").unwrap();
    assert_eq!(
        (&other_way.head.sender, &other_way.head.receiver),
        (&portal(), &unit())
    );

    let person = example("komtest-request-to-helsenorge.person-level2.valid").unwrap();
    assert_eq!(
        (person.head.sender.her_id, person.head.sender.name.as_str()),
        (8_900_201, "Fiktiv Fjellrev")
    );
    assert!(matches!(person.content, Content::KomtestRequest { .. }));
}

#[test]
fn valid_replies_are_read() {
    for name in [
        "komtest-reply-from-helsenorge.valid",
        "komtest-reply-to-helsenorge.valid",
    ] {
        let message = example(name).unwrap();
        assert!(message.answers_komtest());
        assert!(message.head.conversation.is_some());
        let Content::KomtestReply { topic, text } = message.content else {
            panic!("not a reply");
        };
        assert_eq!(
            (topic.code.as_str(), text.as_deref()),
            ("KT", Some("Kommunikasjonstest OK"))
        );
    }
}

#[test]
fn what_the_official_clients_example_sends_is_read() {
    let request = read(&bytes("recorded", "komtest-request.xml")).unwrap();
    assert!(matches!(request.content, Content::KomtestRequest { .. }));
    assert_eq!(
        request.head.gen_date,
        datetime!(2026-11-24 08:57:01.636 UTC)
    );
    let properties = metadata(&request);
    assert_eq!(properties["X-Sender-Lvl1Id"], "8900001");
    assert_eq!(
        properties["X-MessageInfo-SchemaNamespace"],
        "http://www.kith.no/xmlstds/dialog/2013-01-23"
    );
    assert_eq!(properties["X-AttachmentInfo-HasExternalReference"], "False");
    assert_eq!(properties.len(), 10);
    let reply = read(&bytes("recorded", "komtest-reply.xml")).unwrap();
    assert!(reply.answers_komtest());
    assert!(matches!(
        reply.content,
        Content::KomtestReply { text: None, .. }
    ));
}

#[test]
fn invalid_messages_are_refused_with_the_place() {
    let problem = |name: &str| example(&format!("komtest-request.invalid-{name}")).unwrap_err();
    let at = |path: &str| path.to_owned();
    assert_eq!(
        problem("element-order"),
        MessageError::Order {
            path: at("MsgHead/MsgInfo/MsgId")
        }
    );
    assert_eq!(
        problem("gendate"),
        MessageError::BadValue {
            path: at("MsgHead/MsgInfo/GenDate"),
            value: "02.03.2026 10:15".into()
        }
    );
    assert_eq!(
        problem("migversion"),
        MessageError::BadValue {
            path: at("MsgHead/MsgInfo/MIGversion"),
            value: "v1.1 2006-02-15".into()
        }
    );
    assert_eq!(
        problem("missing-msgid"),
        MessageError::Missing {
            path: at("MsgHead/MsgInfo/MsgId")
        }
    );
    assert_eq!(
        problem("missing-receiver"),
        MessageError::Missing {
            path: at("MsgHead/MsgInfo/Receiver")
        }
    );
    assert_eq!(
        problem("namespace"),
        MessageError::NotMsgHead {
            namespace: "http://www.kith.no/xmlstds/msghead/2005-11-22".into(),
            root: "MsgHead".into()
        }
    );
    let type_path = "MsgHead/Document/RefDoc/Content/Dialogmelding/Foresporsel/TypeForesp";
    assert_eq!(
        problem("no-typeforesp"),
        MessageError::Missing {
            path: at(type_path)
        }
    );
    let form = problem("not-well-formed");
    assert!(
        matches!(form, MessageError::NotWellFormed { line: 30, .. }),
        "{form:?}"
    );
    assert!(!form.is_schema_error() && problem("gendate").is_schema_error());
    assert!(!problem("gendate").to_string().contains("02.03.2026"));
}

#[test]
fn hostile_messages_are_refused_unread() {
    for name in ["security-xxe", "security-entity-expansion"] {
        assert_eq!(
            example(&format!("komtest-request.{name}")),
            Err(MessageError::Forbidden)
        );
    }
    assert_eq!(
        read(&vec![b' '; SIZE_LIMIT + 1]),
        Err(MessageError::TooLarge)
    );
    assert_eq!(
        read("<a>".repeat(300).as_bytes()),
        Err(MessageError::TooComplex)
    );
    assert_eq!(read(b"\xff"), Err(MessageError::Encoding));
}

#[test]
fn messages_without_sense_are_valid() {
    let sender = example("komtest-request.semantic-sender-mismatch").unwrap();
    assert_eq!(sender.head.sender.her_id, 8_990_099);
    let receiver = example("komtest-request.semantic-receiver-mismatch").unwrap();
    assert_eq!(receiver.head.receiver.her_id, 8_900_099);
    let function = example("komtest-request.semantic-type-mismatch").unwrap();
    assert_eq!(function.head.msg_type, "DIALOG_INNBYGGER_EKONTAKT");
}

#[test]
fn other_dialogue_messages() {
    let request = example("ekontakt-request-with-attachment.valid").unwrap();
    assert!(request.head.has_patient);
    assert_eq!(
        request.attachments,
        Attachments {
            count: 1,
            size: 88,
            external: false
        }
    );
    assert!(
        matches!(&request.content, Content::Dialog { inquiries, notes } if inquiries[0].has_more && notes.is_empty())
    );
    assert!(example("ekontakt-request-from-helsenorge.valid").is_ok());
    let answer = example("ekontakt-answer-to-helsenorge.valid").unwrap();
    assert!(matches!(&answer.content, Content::Dialog { notes, .. } if notes.len() == 1));
    let both = example("ekontakt-request.invalid-foresporsel-and-notat").unwrap_err();
    assert_eq!(
        both.path(),
        Some("MsgHead/Document/RefDoc/Content/Dialogmelding/Notat")
    );
    assert!(matches!(
        example("ekontakt-request.invalid-bad-base64"),
        Err(MessageError::BadValue { .. })
    ));
    let unknown = example("ekontakt-request.invalid-unknown-content-namespace").unwrap();
    assert!(matches!(unknown.content, Content::Other { .. }));
}

#[test]
fn places_of_other_faults() {
    let text = String::from_utf8(write_komtest_request(&request())).unwrap();
    let after = |from: &str, to: &str| {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text);
        read(changed.as_bytes()).unwrap_err()
    };
    let path = |error: MessageError| error.path().unwrap().to_owned();
    assert!(
        matches!(after("8900011</Id>", "x</Id>"), MessageError::BadValue { value, .. } if value == "x")
    );
    assert_eq!(path(after("<Ack ", "<Ack S=\"1\" ")), "MsgHead/MsgInfo/Ack");
    assert_eq!(path(after("<Ack ", "stray<Ack ")), "MsgHead/MsgInfo");
    assert_eq!(path(after("<Ack ", "<Stray/><Ack ")), "MsgHead/MsgInfo");
    assert_eq!(
        path(after("7603\"", "x\"")),
        "MsgHead/Document/RefDoc/Content/Dialogmelding/Foresporsel/TypeForesp/@S"
    );
    assert!(matches!(
        after("<Ack ", "<MsgId>1</MsgId><Ack "),
        MessageError::Order { .. }
    ));
    let start = text.find("<Document>").unwrap();
    let without = format!("{}</MsgHead>", &text[..start]);
    assert_eq!(
        read(without.as_bytes()),
        Err(MessageError::Missing {
            path: "MsgHead/Document".into()
        })
    );
}

#[test]
fn a_patient_or_a_second_document_is_no_test_request() {
    let text = String::from_utf8(write_komtest_request(&request())).unwrap();
    let patient = text.replacen("</MsgInfo>", "<Patient/></MsgInfo>", 1);
    let second = text.replacen(
        "</Document>",
        "</Document><Document><RefDoc><MsgType V=\"A\"/></RefDoc></Document>",
        1,
    );
    for changed in [patient, second] {
        let message = read(changed.as_bytes()).unwrap();
        assert!(
            matches!(message.content, Content::Dialog { .. }),
            "{message:?}"
        );
    }
}

#[test]
fn other_encodings_are_read() {
    let text = String::from_utf8(write_komtest_reply(&KomtestReply::to(
        &read(&write_komtest_request(&request())).unwrap().head,
        "1",
        datetime!(2026-03-02 10:15:31 +01:00),
    )))
    .unwrap();
    let expected = read(text.as_bytes()).unwrap();
    let latin: Vec<u8> = text
        .replace("UTF-8", "ISO-8859-1")
        .chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap())
        .collect();
    assert_eq!(read(&latin).as_ref(), Ok(&expected));
    let wide: Vec<u8> = [0xff, 0xfe]
        .into_iter()
        .chain(text.encode_utf16().flat_map(u16::to_le_bytes))
        .collect();
    assert_eq!(read(&wide).as_ref(), Ok(&expected));
}

#[test]
fn the_writer_can_break_the_order_on_purpose() {
    let broken = write_komtest_request_in(&request(), ElementOrder::GenDateAfterMsgId);
    assert_eq!(
        read(&broken),
        Err(MessageError::Order {
            path: "MsgHead/MsgInfo/MsgId".into()
        })
    );
}

#[test]
fn a_message_without_level_2_is_valid() {
    let sender = Party {
        her_id: 0,
        name: String::new(),
        ..unit()
    };
    let message = read(&write_komtest_request(&KomtestRequest {
        sender: sender.clone(),
        ..request()
    }))
    .unwrap();
    assert_eq!(message.head.sender, sender);
}

#[test]
fn what_is_written_is_as_in_the_examples() {
    let strip = |text: &str| {
        text.split('>')
            .map(str::trim)
            .filter(|piece| !piece.starts_with("<!--"))
            .collect::<Vec<_>>()
            .join(">")
    };
    let written = String::from_utf8(write_komtest_request(&request())).unwrap();
    let expected =
        String::from_utf8(bytes("messages", "komtest-request-to-helsenorge.valid.xml")).unwrap();
    assert_eq!(strip(&written), strip(&expected));
}

#[test]
fn prefixes_comments_and_schema_locations_change_nothing() {
    let text = String::from_utf8(write_komtest_request(&request())).unwrap();
    let expected = read(text.as_bytes()).unwrap();
    let (head, dialog) = text.split_once("<Dialogmelding").unwrap();
    let (dialog, tail) = dialog.split_once("</Dialogmelding>").unwrap();
    let prefixed = |text: &str, prefix: &str| {
        text.replace("</", &format!("</{prefix}:"))
            .replace('<', &format!("<{prefix}:"))
    };
    let repaired = |text: String| {
        text.replace("<m:/m:", "</m:")
            .replace("<d:/d:", "</d:")
            .replace("<m:?xml", "<?xml")
    };
    let changed = [
        repaired(prefixed(head, "m")).replace("xmlns=", "xmlns:m="),
        repaired(prefixed(&format!("<Dialogmelding{dialog}</Dialogmelding>"), "d")).replace("xmlns=", "xmlns:d="),
        repaired(prefixed(tail, "m")),
    ]
    .concat()
    .replace("<m:Ack ", "<!-- a comment --><?a instruction?><m:Ack ")
    .replace("<m:MsgHead ", "<m:MsgHead xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:schemaLocation=\"a b\" ");
    assert_eq!(read(changed.as_bytes()), Ok(expected), "{changed}");
}

#[test]
fn organisations_nested_to_the_limit_of_depth() {
    let nested = |depth: usize| {
        let ident =
            "<OrganisationName>x</OrganisationName><Ident><Id>1</Id><TypeId V=\"HER\"/></Ident>";
        let text = String::from_utf8(write_komtest_request(&request())).unwrap();
        let start = text.find("<Organisation>").unwrap();
        let end = text.find("</Sender>").unwrap();
        let open = format!("<Organisation>{ident}").repeat(depth);
        format!(
            "{}{open}{}{}",
            &text[..start],
            "</Organisation>".repeat(depth),
            &text[end..]
        )
    };
    assert_eq!(read(nested(240).as_bytes()).unwrap().head.sender.her_id, 1);
    assert_eq!(read(nested(260).as_bytes()), Err(MessageError::TooComplex));
}

fn party() -> impl Strategy<Value = Party> {
    (
        "[^\\s\\pC]{1,12}",
        1..2_147_483_647_u32,
        "[^\\s\\pC]{1,12}",
        1..2_147_483_647_u32,
    )
        .prop_map(
            |(name, her_id, organization_name, organization_her_id)| Party {
                name,
                her_id,
                organization_name,
                organization_her_id,
            },
        )
}

fn time() -> impl Strategy<Value = OffsetDateTime> {
    (0..4_000_000_000_i64, -14..=14_i8).prop_map(|(seconds, hours)| {
        let offset = UtcOffset::from_hms(hours, 0, 0).expect("an offset");
        OffsetDateTime::from_unix_timestamp(seconds)
            .expect("a time")
            .to_offset(offset)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn requests_and_replies_come_back(sender in party(), receiver in party(), gen_date in time(), msg_id in "[!-~]{1,40}", text in "\\PC{0,40}") {
        let request = KomtestRequest { msg_id, gen_date, sender, receiver };
        let read_back = read(&write_komtest_request(&request)).unwrap();
        let Message { head, content, .. } = &read_back;
        let is_request = matches!(content, Content::KomtestRequest { .. });
        prop_assert!(is_request);
        prop_assert_eq!(&request, &KomtestRequest {
            msg_id: head.msg_id.clone(), gen_date: head.gen_date, sender: head.sender.clone(), receiver: head.receiver.clone(),
        });
        let reply = KomtestReply { text: Some(text), ..KomtestReply::to(head, "r", gen_date) };
        let read_back = read(&write_komtest_reply(&reply)).unwrap();
        prop_assert_eq!(&read_back.head.conversation, &reply.conversation);
        prop_assert_eq!((&read_back.head.sender, &read_back.head.receiver), (&reply.sender, &reply.receiver));
        prop_assert!(read_back.answers_komtest());
        let Content::KomtestReply { text, .. } = read_back.content else { panic!("no reply") };
        prop_assert_eq!(text, reply.text);
    }

    #[test]
    fn only_one_order_of_the_head_is_valid(order in prop_oneof![Just((0..8).collect::<Vec<usize>>()), Just((0..8).collect::<Vec<usize>>()).prop_shuffle()], left_out in 0_usize..16) {
        let text = String::from_utf8(bytes("messages", "komtest-reply-from-helsenorge.valid.xml")).expect("UTF-8");
        let document = roxmltree::Document::parse(&text).expect("the example is well-formed");
        let info = document.descendants().find(|node| node.has_tag_name("MsgInfo")).expect("the example has a head");
        let elements: Vec<_> = info.children().filter(|node| node.is_element()).collect();
        prop_assert_eq!(elements.len(), order.len());
        let kept: Vec<_> = order.iter().copied().filter(|index| *index != left_out).collect();
        let pieces: String = kept.iter().map(|index| &text[elements[*index].range()]).collect();
        let (start, end) = (elements[0].range().start, elements[7].range().end);
        let result = read(format!("{}{pieces}{}", &text[..start], &text[end..]).as_bytes());
        // Ack and ConversationRef may be missing.
        let complete = left_out >= 8 || [4, 5].contains(&left_out);
        prop_assert_eq!(result.is_ok(), kept.is_sorted() && complete);
        if kept.is_sorted() && !complete {
            let is_missing = matches!(result, Err(MessageError::Missing { .. }));
            prop_assert!(is_missing);
        }
        if complete && !kept.is_sorted() {
            let is_order = matches!(result, Err(MessageError::Order { .. }));
            prop_assert!(is_order);
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = read(&bytes);
    }

    #[test]
    fn no_damage_makes_it_panic(from in 0_usize..1900, length in 0_usize..200, insert in "[<>/\"= a-zA-Z&;!\\[\\]æ-]{0,20}") {
        let mut text = bytes("messages", "komtest-reply-to-helsenorge.valid.xml");
        let from = from.min(text.len());
        let end = (from + length).min(text.len());
        text.splice(from..end, insert.into_bytes());
        if let Ok(message) = read(&text) {
            let _ = metadata(&message);
        }
    }
}
