//! Reading a payload.

use roxmltree::Node;

use super::{
    Attachments, Coded, Content, Conversation, DIALOG, Head, Inquiry, KOMTEST_CODE, MSGHEAD,
    Message, MessageError, Note, Party, schema,
};
use crate::xml::{self, Limits, child, elements, is, shortened};
use crate::{HerId, date_time};

/// Most bytes of a payload.
pub const SIZE_LIMIT: usize = Limits::MESSAGE.bytes;

/// Reads a payload: UTF-8, UTF-16 with a byte order mark, or declared ISO-8859-1; no document type definition; within limits of
/// size, depth and number of parts (contract 03 sections 1.6, 5.4 and 5.5).
///
/// # Errors
/// If it is not a valid MsgHead 1.2; which kind and where, the error says. A content of a schema that this crate does not know
/// is no error here, but [`Content::Other`].
pub fn read(bytes: &[u8]) -> Result<Message, MessageError> {
    let text = xml::decode(bytes, SIZE_LIMIT)?;
    let document = xml::parse(&text, &Limits::MESSAGE)?;
    let root = document.root_element();
    if !is(root, MSGHEAD, "MsgHead") {
        return Err(MessageError::NotMsgHead {
            namespace: shortened(root.tag_name().namespace().unwrap_or_default()),
            root: shortened(root.tag_name().name()),
        });
    }
    schema::check(root)?;
    let documents: Vec<_> = elements(root)
        .flat_map(|node| [node].into_iter().chain(elements(node)))
        .filter(|node| is(*node, MSGHEAD, "Document"))
        .collect();
    let (first, others) = documents.split_at(documents.len().min(1));
    let head = read_head(child(root, MSGHEAD, "MsgInfo"))?;
    Ok(Message {
        content: read_content(&head, first.first().copied(), others.len()),
        attachments: read_attachments(others),
        head,
    })
}

type Found<'a, 'input> = Option<Node<'a, 'input>>;

/// A child of the header's namespace; of a missing element everything is missing.
fn part<'a, 'input>(node: Found<'a, 'input>, name: &str) -> Found<'a, 'input> {
    node.and_then(|node| child(node, MSGHEAD, name))
}

fn text_of(node: Found<'_, '_>, name: &str) -> String {
    let text = part(node, name).map(xml::text);
    text.map(|text| text.trim().to_owned()).unwrap_or_default()
}

fn code_of(node: Found<'_, '_>, name: &str) -> Option<String> {
    let code = part(node, name)?.attribute("V")?;
    Some(code.trim().to_owned())
}

fn bad_value(path: &str, value: &str) -> MessageError {
    MessageError::BadValue {
        path: path.to_owned(),
        value: shortened(value),
    }
}

fn read_head(info: Found<'_, '_>) -> Result<Head, MessageError> {
    let gen_date = text_of(info, "GenDate");
    let msg_id = text_of(info, "MsgId");
    if msg_id.is_empty() {
        // The schema allows it, but nothing can refer to such a message.
        return Err(bad_value("MsgHead/MsgInfo/MsgId", ""));
    }
    let conversation = part(info, "ConversationRef").map(|reference| Conversation {
        ref_to_parent: text_of(Some(reference), "RefToParent"),
        ref_to_conversation: text_of(Some(reference), "RefToConversation"),
    });
    Ok(Head {
        msg_type: code_of(info, "Type").unwrap_or_default(),
        gen_date: date_time::parse(&gen_date)
            .ok_or_else(|| bad_value("MsgHead/MsgInfo/GenDate", &gen_date))?,
        msg_id,
        ack: code_of(info, "Ack"),
        conversation,
        sender: read_party(part(info, "Sender"), "MsgHead/MsgInfo/Sender")?,
        receiver: read_party(part(info, "Receiver"), "MsgHead/MsgInfo/Receiver")?,
        has_patient: part(info, "Patient").is_some(),
    })
}

/// The two levels of a sender or receiver (contract 03 section 2.3).
fn read_party(node: Found<'_, '_>, path: &str) -> Result<Party, MessageError> {
    let organization = part(node, "Organisation");
    let unit = part(organization, "Organisation");
    let person = part(organization, "HealthcareProfessional");
    let her_id = match read_her_id(unit, path)? {
        0 => read_her_id(person, path)?,
        her_id => her_id,
    };
    let name = match unit {
        Some(_) => text_of(unit, "OrganisationName"),
        None => {
            let names = ["GivenName", "MiddleName", "FamilyName"].map(|name| text_of(person, name));
            let given: Vec<_> = names.into_iter().filter(|name| !name.is_empty()).collect();
            given.join(" ")
        }
    };
    Ok(Party {
        name,
        her_id,
        organization_name: text_of(organization, "OrganisationName"),
        organization_her_id: read_her_id(organization, path)?,
    })
}

/// The first ident of type HER; 0 if there is none.
fn read_her_id(node: Found<'_, '_>, path: &str) -> Result<u32, MessageError> {
    let mut idents = node.into_iter().flat_map(elements);
    let ident = idents.find(|ident| {
        is(*ident, MSGHEAD, "Ident") && code_of(Some(*ident), "TypeId").as_deref() == Some("HER")
    });
    if ident.is_none() {
        return Ok(0);
    }
    let id = text_of(ident, "Id");
    let her_id: Result<HerId, _> = id.parse();
    her_id
        .map(HerId::get)
        .map_err(|_| bad_value(&format!("{path}/Organisation//Ident/Id"), &id))
}

fn coded(node: Node<'_, '_>) -> Coded {
    let attribute = |name| node.attribute(name).map(|value| value.trim().to_owned());
    Coded {
        code: attribute("V").unwrap_or_default(),
        system: attribute("S"),
        display: attribute("DN"),
    }
}

fn read_content(head: &Head, document: Found<'_, '_>, attachments: usize) -> Content {
    let reference = part(document, "RefDoc");
    let content = part(reference, "Content");
    let mut roots = content.into_iter().flat_map(elements);
    let root = roots.next();
    let alone = roots.next().is_none() && attachments == 0;
    let Some(dialog) = root.filter(|root| is(*root, DIALOG, "Dialogmelding")) else {
        let name = root.map(|root| root.tag_name());
        return Content::Other {
            namespace: name
                .and_then(|name| name.namespace())
                .unwrap_or_default()
                .to_owned(),
            root: name.map(|name| name.name().to_owned()).unwrap_or_default(),
        };
    };
    let named = |name| elements(dialog).filter(move |node| is(*node, DIALOG, name));
    let mut inquiries: Vec<_> = named("Foresporsel").map(read_inquiry).collect();
    let mut notes: Vec<_> = named("Notat").map(read_note).collect();
    let is_xml = code_of(reference, "MsgType").as_deref() == Some("XML");
    match (inquiries.as_slice(), notes.as_slice()) {
        ([only], [])
            if only.kind.code == KOMTEST_CODE
                && !only.has_more
                && alone
                && is_xml
                && !head.has_patient =>
        {
            Content::KomtestRequest {
                kind: inquiries.remove(0).kind,
            }
        }
        ([], [_, ..]) if head.is_komtest() => {
            let Note { topic, text } = notes.remove(0);
            Content::KomtestReply { topic, text }
        }
        _ => Content::Dialog { inquiries, notes },
    }
}

fn read_inquiry(node: Node<'_, '_>) -> Inquiry {
    let kind = child(node, DIALOG, "TypeForesp");
    Inquiry {
        kind: kind.map(coded).unwrap_or_default(),
        has_more: elements(node).count() > 1,
    }
}

fn read_note(node: Node<'_, '_>) -> Note {
    let topic = child(node, DIALOG, "TemaKodet");
    Note {
        topic: topic.map(coded).unwrap_or_default(),
        text: child(node, DIALOG, "TekstNotatInnhold").map(xml::text),
    }
}

fn read_attachments(documents: &[Node<'_, '_>]) -> Attachments {
    let mut attachments = Attachments {
        count: documents.len(),
        ..Attachments::default()
    };
    for document in documents {
        let reference = part(Some(*document), "RefDoc");
        attachments.external |= part(reference, "FileReference").is_some();
        let content = part(reference, "Content");
        let containers = content
            .into_iter()
            .flat_map(elements)
            .filter(|node| is(*node, super::BASE64_CONTAINER, "Base64Container"));
        attachments.size += containers.map(|node| xml::text(node).len()).sum::<usize>();
    }
    attachments
}
