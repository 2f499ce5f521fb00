//! The schema of MsgHead 1.2 (contract 03 sections 2.1 and 2.2). The order of each table is binding.

use crate::message::MIG_VERSION;

/// An element in a sequence.
#[derive(Debug)]
pub(super) struct Particle {
    pub(super) name: &'static str,
    pub(super) required: bool,
    pub(super) many: bool,
    pub(super) shape: Shape,
}

/// What an element holds.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    /// Elements in order, no text.
    Sequence(&'static [Particle]),
    /// The same, but it may be empty as a whole.
    EmptyOrSequence(&'static [Particle]),
    /// Text.
    Text,
    /// Text that is a point in time.
    DateTime,
    /// Text that is a date.
    Date,
    /// One text.
    Fixed(&'static str),
    /// No content; attributes of these names.
    Attributes(&'static [&'static str]),
    /// Elements of other schemas.
    Wildcard,
    /// Not looked into.
    Anything,
}

const CS: Shape = Shape::Attributes(&["V", "DN"]);
pub(super) const CV: Shape = Shape::Attributes(&["V", "S", "DN", "OT"]);
const VALUE: Shape = Shape::Attributes(&["V"]);

const fn one(name: &'static str, shape: Shape) -> Particle {
    Particle {
        name,
        required: true,
        many: false,
        shape,
    }
}

const fn optional(name: &'static str, shape: Shape) -> Particle {
    Particle {
        name,
        required: false,
        many: false,
        shape,
    }
}

const fn some(name: &'static str, shape: Shape) -> Particle {
    Particle {
        name,
        required: true,
        many: true,
        shape,
    }
}

const fn any(name: &'static str, shape: Shape) -> Particle {
    Particle {
        name,
        required: false,
        many: true,
        shape,
    }
}

pub(super) static MSG_HEAD: [Particle; 4] = [
    one("MsgInfo", Shape::Sequence(&MSG_INFO)),
    any("Document", Shape::Sequence(&DOCUMENT)),
    any("PatientReport", Shape::Sequence(&PATIENT_REPORT)),
    optional("Signature", Shape::Anything),
];

static MSG_INFO: [Particle; 12] = [
    one("Type", CS),
    one("MIGversion", Shape::Fixed(MIG_VERSION)),
    one("GenDate", Shape::DateTime),
    one("MsgId", Shape::Text),
    optional("ProcessingStatus", CS),
    optional("RequestedPriority", CS),
    optional("Ack", CS),
    optional("ConversationRef", Shape::Sequence(&CONVERSATION)),
    one("Sender", Shape::Sequence(&PARTY)),
    one("Receiver", Shape::Sequence(&PARTY)),
    any("OtherReceiver", Shape::Sequence(&OTHER_RECEIVER)),
    optional("Patient", Shape::Sequence(&PERSON)),
];

static CONVERSATION: [Particle; 2] = [
    one("RefToParent", Shape::Text),
    one("RefToConversation", Shape::Text),
];

static PARTY: [Particle; 2] = [
    optional("ComMethod", CS),
    one("Organisation", Shape::EmptyOrSequence(&ORGANISATION)),
];

static OTHER_RECEIVER: [Particle; 6] = [
    optional("ComMethod", CS),
    one("RoleReceiver", CS),
    optional("Organisation", Shape::EmptyOrSequence(&ORGANISATION)),
    optional("Patient", Shape::Sequence(&PERSON)),
    optional("Person", Shape::Sequence(&PERSON)),
    optional("HealthcareProfessional", Shape::Sequence(&PROFESSIONAL)),
];

static ORGANISATION: [Particle; 7] = [
    one("OrganisationName", Shape::Text),
    optional("TypeOrganisation", CV),
    some("Ident", Shape::Sequence(&IDENT)),
    optional("Address", Shape::Sequence(&ADDRESS)),
    any("TeleCom", Shape::Sequence(&TELECOM)),
    optional("Organisation", Shape::EmptyOrSequence(&ORGANISATION)),
    optional("HealthcareProfessional", Shape::Sequence(&PROFESSIONAL)),
];

static PROFESSIONAL: [Particle; 11] = [
    optional("TypeHealthcareProfessional", CS),
    optional("RoleToPatient", CV),
    optional("FamilyName", Shape::Text),
    optional("MiddleName", Shape::Text),
    optional("GivenName", Shape::Text),
    optional("DateOfBirth", Shape::Date),
    optional("Sex", CS),
    optional("Nationality", CS),
    some("Ident", Shape::Sequence(&IDENT)),
    optional("Address", Shape::Sequence(&ADDRESS)),
    any("TeleCom", Shape::Sequence(&TELECOM)),
];

static PERSON: [Particle; 9] = [
    optional("FamilyName", Shape::Text),
    optional("MiddleName", Shape::Text),
    optional("GivenName", Shape::Text),
    optional("DateOfBirth", Shape::Date),
    optional("Sex", CS),
    optional("Nationality", CS),
    any("Ident", Shape::Sequence(&IDENT)),
    optional("Address", Shape::Sequence(&ADDRESS)),
    any("TeleCom", Shape::Sequence(&TELECOM)),
];

static IDENT: [Particle; 2] = [one("Id", Shape::Text), one("TypeId", CV)];

static ADDRESS: [Particle; 7] = [
    optional("Type", CS),
    optional("StreetAdr", Shape::Text),
    optional("PostalCode", Shape::Text),
    optional("City", Shape::Text),
    optional("Postbox", Shape::Text),
    optional("County", CS),
    optional("Country", CS),
];

static TELECOM: [Particle; 2] = [optional("TypeTelecom", CS), one("TeleAddress", VALUE)];

static PATIENT_REPORT: [Particle; 4] = [
    optional("DocumentConnection", CS),
    one("CaseNo", Shape::Text),
    some("Document", Shape::Sequence(&DOCUMENT)),
    optional("Patient", Shape::Sequence(&PERSON)),
];

static DOCUMENT: [Particle; 11] = [
    optional("DocumentConnection", CS),
    optional("ContentType", CV),
    optional("ContentDescription", Shape::Text),
    optional("ContentCategory", CV),
    optional("Consent", CV),
    optional("Annotation", Shape::Text),
    optional("FromDate", VALUE),
    optional("ToDate", VALUE),
    optional("OidRef", Shape::Text),
    optional("EnquiryRefId", Shape::Text),
    one("RefDoc", Shape::Sequence(&REF_DOC)),
];

static REF_DOC: [Particle; 8] = [
    optional("IssueDate", VALUE),
    one("MsgType", CS),
    optional("Id", Shape::Text),
    optional("MimeType", Shape::Text),
    optional("Description", Shape::Text),
    optional("Compression", CS),
    optional("FileReference", Shape::Text),
    optional("Content", Shape::Wildcard),
];
