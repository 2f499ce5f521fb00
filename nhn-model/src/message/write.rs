//! Writing messages: the same values give the same bytes (contract 03 sections 1.4 and 2.1).

use super::{
    Coded, Conversation, DIALOG, Head, KOMTEST, KOMTEST_CODE, KOMTEST_SYSTEM, KomtestReply,
    KomtestRequest, MIG_VERSION, MSGHEAD, Note, Party,
};
use crate::date_time;
use crate::xml::Xml;

/// Code system of HER-ids of organisations.
const HER_SYSTEM: &str = "2.16.578.1.12.4.1.1.9051";
const KOMTEST_TEXT: &str = "Kommunikasjonstest";

/// In which order the elements of `MsgInfo` are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ElementOrder {
    /// As the schema demands.
    #[default]
    Schema,
    /// `GenDate` behind `MsgId`: not valid. The seeded fault `sends-invalid-xml`.
    GenDateAfterMsgId,
}

/// A dialogue message to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dialog {
    /// One `Foresporsel` with nothing but its type.
    Inquiry(Coded),
    /// One `Notat`.
    Note(Note),
}

/// Writes the request of a communication test: UTF-8 with declaration.
#[must_use]
pub fn write_komtest_request(request: &KomtestRequest) -> Vec<u8> {
    write_komtest_request_in(request, ElementOrder::Schema)
}

/// Writes the request of a communication test in the given order of elements.
#[must_use]
pub fn write_komtest_request_in(request: &KomtestRequest, order: ElementOrder) -> Vec<u8> {
    let KomtestRequest {
        msg_id,
        gen_date,
        sender,
        receiver,
    } = request.clone();
    let head = Head {
        msg_type: KOMTEST.to_owned(),
        gen_date,
        msg_id,
        ack: Some("N".to_owned()),
        conversation: None,
        sender,
        receiver,
        has_patient: false,
    };
    write_message(&head, KOMTEST_TEXT, &Dialog::Inquiry(komtest_code()), order)
}

/// Writes the reply of a communication test: UTF-8 with declaration.
#[must_use]
pub fn write_komtest_reply(reply: &KomtestReply) -> Vec<u8> {
    write_komtest_reply_in(reply, ElementOrder::Schema)
}

/// Writes the reply of a communication test in the given order of elements.
#[must_use]
pub fn write_komtest_reply_in(reply: &KomtestReply, order: ElementOrder) -> Vec<u8> {
    let KomtestReply {
        msg_id,
        gen_date,
        sender,
        receiver,
        conversation,
        text,
    } = reply.clone();
    let head = Head {
        msg_type: KOMTEST.to_owned(),
        gen_date,
        msg_id,
        ack: Some("N".to_owned()),
        conversation,
        sender,
        receiver,
        has_patient: false,
    };
    let note = Note {
        topic: komtest_code(),
        text,
    };
    write_message(
        &head,
        "Svar på kommunikasjonstest",
        &Dialog::Note(note),
        order,
    )
}

fn komtest_code() -> Coded {
    Coded {
        code: KOMTEST_CODE.to_owned(),
        system: Some(KOMTEST_SYSTEM.to_owned()),
        display: Some(KOMTEST_TEXT.to_owned()),
    }
}

/// Writes a message with one document, a dialogue message. Level 2 of both parties is written as a unit, never as a person;
/// `has_patient` is not looked at. A HER-id 0 is left out, which makes a message without that level.
#[must_use]
pub fn write_message(
    head: &Head,
    description: &str,
    dialog: &Dialog,
    order: ElementOrder,
) -> Vec<u8> {
    let mut xml = Xml::document();
    let gen_date = date_time::write(head.gen_date);
    xml.within("MsgHead", &[("xmlns", MSGHEAD)], |xml| {
        xml.within("MsgInfo", &[], |xml| {
            write_info(xml, head, &gen_date, order)
        });
        xml.within("Document", &[], |xml| {
            xml.element("ContentDescription", description);
            xml.within("RefDoc", &[], |xml| {
                xml.empty("IssueDate", &[("V", &gen_date)]);
                xml.empty("MsgType", &[("V", "XML"), ("DN", "XML-instans")]);
                xml.within("Content", &[], |xml| write_dialog(xml, dialog));
            });
        });
    });
    xml.into_string().into_bytes()
}

fn write_info(xml: &mut Xml, head: &Head, gen_date: &str, order: ElementOrder) {
    let function = if head.is_komtest() {
        vec![
            ("V", head.msg_type.as_str()),
            ("DN", "Dialog med innbygger - test"),
        ]
    } else {
        vec![("V", head.msg_type.as_str())]
    };
    xml.empty("Type", &function)
        .element("MIGversion", MIG_VERSION);
    match order {
        ElementOrder::Schema => xml
            .element("GenDate", gen_date)
            .element("MsgId", &head.msg_id),
        ElementOrder::GenDateAfterMsgId => xml
            .element("MsgId", &head.msg_id)
            .element("GenDate", gen_date),
    };
    match head.ack.as_deref() {
        Some("N") => {
            xml.empty("Ack", &[("V", "N"), ("DN", "Nei")]);
        }
        Some("J") => {
            xml.empty("Ack", &[("V", "J"), ("DN", "Ja")]);
        }
        Some(other) => {
            xml.empty("Ack", &[("V", other)]);
        }
        None => {}
    }
    if let Some(Conversation {
        ref_to_parent,
        ref_to_conversation,
    }) = &head.conversation
    {
        xml.within("ConversationRef", &[], |xml| {
            xml.element("RefToParent", ref_to_parent)
                .element("RefToConversation", ref_to_conversation);
        });
    }
    xml.within("Sender", &[], |xml| write_party(xml, &head.sender));
    xml.within("Receiver", &[], |xml| write_party(xml, &head.receiver));
}

fn write_party(xml: &mut Xml, party: &Party) {
    xml.within("Organisation", &[], |xml| {
        write_names(xml, &party.organization_name, party.organization_her_id);
        if party.her_id > 0 {
            xml.within("Organisation", &[], |xml| {
                write_names(xml, &party.name, party.her_id)
            });
        }
    });
}

/// Name and ident. The schema demands an ident; of an organisation without HER-id it is an empty one of type ENH.
fn write_names(xml: &mut Xml, name: &str, her_id: u32) {
    xml.element("OrganisationName", name);
    xml.within("Ident", &[], |xml| {
        if her_id > 0 {
            xml.element("Id", her_id).empty(
                "TypeId",
                &[("V", "HER"), ("DN", "HER-id"), ("S", HER_SYSTEM)],
            );
        } else {
            xml.element("Id", "")
                .empty("TypeId", &[("V", "ENH"), ("S", HER_SYSTEM)]);
        }
    });
}

fn write_dialog(xml: &mut Xml, dialog: &Dialog) {
    xml.within("Dialogmelding", &[("xmlns", DIALOG)], |xml| match dialog {
        Dialog::Inquiry(kind) => {
            xml.within("Foresporsel", &[], |xml| {
                write_code(xml, "TypeForesp", kind)
            });
        }
        Dialog::Note(note) => {
            xml.within("Notat", &[], |xml| {
                write_code(xml, "TemaKodet", &note.topic);
                if let Some(text) = &note.text {
                    xml.element("TekstNotatInnhold", text);
                }
            });
        }
    });
}

fn write_code(xml: &mut Xml, tag: &str, code: &Coded) {
    let mut attributes = vec![("V", code.code.as_str())];
    attributes.extend(code.display.as_deref().map(|display| ("DN", display)));
    attributes.extend(code.system.as_deref().map(|system| ("S", system)));
    xml.empty(tag, &attributes);
}
