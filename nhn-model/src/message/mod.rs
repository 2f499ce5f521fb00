//! The header message MsgHead 1.2 (HIS 80601:2006) and the dialogue message in it, as far as the communication test needs them
//! (contract 03 sections 1.4 and 2).
//!
//! [`read`] takes what came from the network: it refuses what is not schema-valid with a [`MessageError`] that names the place,
//! and leaves judgements about sense (does the sender match the envelope, is it the test request) to the caller.

mod error;
mod metadata;
mod read;
mod schema;
mod write;

use time::OffsetDateTime;

pub use error::MessageError;
pub use metadata::metadata;
pub use read::{SIZE_LIMIT, read};
pub use write::{
    Dialog, ElementOrder, write_komtest_reply, write_komtest_reply_in, write_komtest_request,
    write_komtest_request_in, write_message,
};

/// Namespace of MsgHead 1.2.
pub const MSGHEAD: &str = "http://www.kith.no/xmlstds/msghead/2006-05-24";
/// Namespace of Dialogmelding 1.1.
pub const DIALOG: &str = "http://www.kith.no/xmlstds/dialog/2013-01-23";
/// Namespace of attachments.
pub const BASE64_CONTAINER: &str = "http://www.kith.no/xmlstds/base64container";
/// The fixed text of `MIGversion`.
pub const MIG_VERSION: &str = "v1.2 2006-05-24";
/// Message function of the communication test (code system 8279).
pub const KOMTEST: &str = "DIALOG_INNBYGGER_TEST";
/// Code of the communication test in code system 7603.
pub const KOMTEST_CODE: &str = "KT";
/// Code system of the communication test.
pub const KOMTEST_SYSTEM: &str = "2.16.578.1.12.4.1.1.7603";

/// A sender or receiver: level 2 (unit or person), and the organisation around it, level 1 (contract 03 section 2.3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Party {
    /// Name at level 2; given name and family name of a person.
    pub name: String,
    /// HER-id at level 2; 0 if the message names none, which is schema-valid.
    pub her_id: u32,
    /// Name at level 1.
    pub organization_name: String,
    /// HER-id at level 1; 0 if the message names none.
    pub organization_her_id: u32,
}

/// Where in a dialogue a message belongs (contract 03 section 2.6). Not used in the first message of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conversation {
    /// `MsgId` of the message answered.
    pub ref_to_parent: String,
    /// `MsgId` of the first message.
    pub ref_to_conversation: String,
}

/// `MsgInfo`: what a message says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// `Type/@V`, the message function; empty if the message has none, which is schema-valid.
    pub msg_type: String,
    /// `GenDate`, with the offset written; UTC if there is none.
    pub gen_date: OffsetDateTime,
    /// `MsgId`.
    pub msg_id: String,
    /// `Ack/@V`: whether a receipt is asked for (contract 03 section 2.5).
    pub ack: Option<String>,
    /// `ConversationRef`.
    pub conversation: Option<Conversation>,
    /// `Sender`.
    pub sender: Party,
    /// `Receiver`.
    pub receiver: Party,
    /// Whether a `Patient` is given.
    pub has_patient: bool,
}

/// A coded value; every part may be missing (contract 03 section 2.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coded {
    /// `V`, the code.
    pub code: String,
    /// `S`, the code system's OID.
    pub system: Option<String>,
    /// `DN`, the display text.
    pub display: Option<String>,
}

/// A `Foresporsel`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inquiry {
    /// `TypeForesp`.
    pub kind: Coded,
    /// Whether there are more elements than `TypeForesp`.
    pub has_more: bool,
}

/// A `Notat`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Note {
    /// `TemaKodet`.
    pub topic: Coded,
    /// `TekstNotatInnhold`.
    pub text: Option<String>,
}

/// What the first document of a message holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// The test request exactly as contract 03 section 1.4 describes it: one document, no patient, one inquiry with nothing but
    /// the code of the test.
    KomtestRequest {
        /// `TypeForesp`.
        kind: Coded,
    },
    /// A dialogue message of the test's function with a note. Codes and text are recorded, not judged.
    KomtestReply {
        /// `TemaKodet` of the first note.
        topic: Coded,
        /// `TekstNotatInnhold` of the first note.
        text: Option<String>,
    },
    /// Another dialogue message; one of the two lists is empty.
    Dialog {
        /// Questions.
        inquiries: Vec<Inquiry>,
        /// Answers.
        notes: Vec<Note>,
    },
    /// Not a dialogue message of this version. Its schema was not checked.
    Other {
        /// Namespace of the element; empty if it has none or there is no content.
        namespace: String,
        /// Local name of the element; empty if there is no content.
        root: String,
    },
}

/// What the documents after the first are (contract 01 section 2.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attachments {
    /// How many there are.
    pub count: usize,
    /// UTF-8 length of their base64 text, white space included.
    pub size: usize,
    /// Whether one is only referred to.
    pub external: bool,
}

/// A message that is schema-valid as far as this crate knows the schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// `MsgInfo`.
    pub head: Head,
    /// The first document's content.
    pub content: Content,
    /// The other documents.
    pub attachments: Attachments,
}

impl Message {
    /// Whether the message can answer a communication test: a dialogue message of the test's function with at least one note or
    /// inquiry (contract 03 section 1.4).
    #[must_use]
    pub fn answers_komtest(&self) -> bool {
        let dialog = !matches!(self.content, Content::Other { .. });
        dialog && self.head.is_komtest()
    }

    /// Namespace of the first document's content; empty if there is none.
    #[must_use]
    pub fn content_namespace(&self) -> &str {
        match &self.content {
            Content::Other { namespace, .. } => namespace,
            _ => DIALOG,
        }
    }
}

impl Head {
    /// Whether the function is that of the communication test, in any case (contract 03 section 1.6, V13).
    #[must_use]
    pub fn is_komtest(&self) -> bool {
        self.msg_type.eq_ignore_ascii_case(KOMTEST)
    }
}

/// A request of the communication test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KomtestRequest {
    /// `MsgId`.
    pub msg_id: String,
    /// `GenDate`; seconds are whole.
    pub gen_date: OffsetDateTime,
    /// `Sender`.
    pub sender: Party,
    /// `Receiver`.
    pub receiver: Party,
}

/// A reply of the communication test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KomtestReply {
    /// `MsgId`.
    pub msg_id: String,
    /// `GenDate`; seconds are whole.
    pub gen_date: OffsetDateTime,
    /// `Sender`.
    pub sender: Party,
    /// `Receiver`.
    pub receiver: Party,
    /// `ConversationRef`; both ids are the request's `MsgId`.
    pub conversation: Option<Conversation>,
    /// `TekstNotatInnhold`.
    pub text: Option<String>,
}

impl KomtestReply {
    /// The reply to a request: parties swapped, conversation referred to, text "Kommunikasjonstest OK" (contract 03 section 1.4).
    #[must_use]
    pub fn to(request: &Head, msg_id: impl Into<String>, gen_date: OffsetDateTime) -> Self {
        Self {
            msg_id: msg_id.into(),
            gen_date,
            sender: request.receiver.clone(),
            receiver: request.sender.clone(),
            conversation: Some(Conversation {
                ref_to_parent: request.msg_id.clone(),
                ref_to_conversation: request.msg_id.clone(),
            }),
            text: Some("Kommunikasjonstest OK".to_owned()),
        }
    }
}
