//! Names and formats of what surrounds a message on the bus (contract 01 section 2).

use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

/// Application property: HER-id of the sender, as decimal text.
pub const FROM_HER_ID: &str = "fromHerId";
/// Application property: HER-id of the receiver, as decimal text.
pub const TO_HER_ID: &str = "toHerId";
/// Application property: when the application made the message, `2026-07-02T12:31:17Z`.
pub const APPLICATION_TIME_STAMP: &str = "applicationTimeStamp";
/// Application property: the agreement that the message was sent under.
pub const CPA_ID: &str = "cpaId";
/// Application property: when the client sent, `2026-07-02T12:31:17` without zone letter.
pub const ENQUEUED_TIME_UTC: &str = "enqueuedTimeUtc";
/// Application property: the name that a vendor gives its system.
pub const SYSTEM_IDENTIFIER: &str = "X-SystemIdentifier";

/// Metadata (contract 01 section 2.4): `MsgInfo/Type/@V`.
pub const MESSAGE_TYPE: &str = "X-MessageInfo-Type";
/// Metadata: `MsgInfo/MsgId`.
pub const MESSAGE_MSG_ID: &str = "X-MessageInfo-MsgId";
/// Metadata: `MsgInfo/ConversationRef/RefToParent`.
pub const MESSAGE_REF_TO_PARENT: &str = "X-MessageInfo-RefToParent";
/// Metadata: `MsgInfo/ConversationRef/RefToConversation`.
pub const MESSAGE_REF_TO_CONVERSATION: &str = "X-MessageInfo-RefToConversation";
/// Metadata: namespace of the first document's content.
pub const MESSAGE_SCHEMA_NAMESPACE: &str = "X-MessageInfo-SchemaNamespace";
/// Metadata: HER-id of the sending organisation.
pub const SENDER_LEVEL_1: &str = "X-Sender-Lvl1Id";
/// Metadata: HER-id of the sending unit or person.
pub const SENDER_LEVEL_2: &str = "X-Sender-Lvl2Id";
/// Metadata: HER-id of the receiving organisation.
pub const RECEIVER_LEVEL_1: &str = "X-Receiver-Lvl1Id";
/// Metadata: HER-id of the receiving unit or person.
pub const RECEIVER_LEVEL_2: &str = "X-Receiver-Lvl2Id";
/// Metadata: number of documents but for the first.
pub const ATTACHMENT_COUNT: &str = "X-AttachmentInfo-Count";
/// Metadata: length of the attachments' base64 text.
pub const ATTACHMENT_SIZE: &str = "X-AttachmentInfo-TotalSizeInBytes";
/// Metadata: whether an attachment is elsewhere, `True` or `False`.
pub const ATTACHMENT_EXTERNAL: &str = "X-AttachmentInfo-HasExternalReference";

/// Application property of an error message: message-id of the message that failed (contract 01 section 5.1).
pub const ORIGINAL_MESSAGE_ID: &str = "originalMessageId";
/// Application property of an error message: when the failing message was received, `07/02/2026 12:31:17`.
pub const RECEIVER_TIME_STAMP: &str = "receiverTimeStamp";
/// Application property of an error message: `transport:…` or `abuse:…`.
pub const ERROR_CONDITION: &str = "errorCondition";
/// Application property of an error message: free text.
pub const ERROR_DESCRIPTION: &str = "errorDescription";
/// Application property of an error message: details, each followed by `;`.
pub const ERROR_CONDITION_DATA: &str = "errorConditionData";

/// Content type: signed, then encrypted (contract 01 section 2.3).
pub const SIGNED_AND_ENVELOPED: &str =
    "application/pkcs7-mime; smime-type=signed-and-enveloped-data";
/// Content type: encrypted only.
pub const ENVELOPED: &str = "application/pkcs7-mime; smime-type=enveloped-data";
/// Content type: signed only.
pub const SIGNED: &str = "application/pkcs7-mime; smime-type=signed-data";
/// Content type: no protection.
pub const TEXT: &str = "text/plain";
/// Content type: a SOAP fault, unprotected.
pub const SOAP: &str = "application/soap+xml";

/// Subject of an error message in the form of a SOAP fault.
pub const SOAP_FAULT_SUBJECT: &str = "AMQP_SOAP_FAULT";
/// Subject of an application receipt.
pub const APPREC_SUBJECT: &str = "APPREC";

/// Name under which the official client's validation reports a missing subject (contract 03 section 1.6, V01).
pub const SUBJECT_FIELD: &str = "Label";
/// Name under which the official client's validation reports a missing content type.
pub const CONTENT_TYPE_FIELD: &str = "ContentType";

/// What a content type says about the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentKind {
    /// Signed, then encrypted.
    SignedAndEnveloped,
    /// Encrypted only.
    Enveloped,
    /// Signed only.
    Signed,
    /// Not protected.
    Text,
    /// A SOAP fault.
    Soap,
    /// Anything else. The official client takes it for protected content.
    Other,
}

impl ContentKind {
    /// Reads a content type leniently: case, white space around `;` and `=`, quotes, and the spelling `smimetype`
    /// (contract 01 section 2.3). Whether it is spelt exactly, [`ContentKind::is_exact`] says.
    #[must_use]
    pub fn of(content_type: &str) -> Self {
        if content_type.len() > 1024 {
            return Self::Other;
        }
        let mut parts = content_type.split(';').map(str::trim);
        let media = parts.next().unwrap_or_default().to_ascii_lowercase();
        match media.as_str() {
            TEXT => return Self::Text,
            SOAP => return Self::Soap,
            "application/pkcs7-mime" | "application/x-pkcs7-mime" => {}
            _ => return Self::Other,
        }
        let parameter = parts
            .filter_map(|part| part.split_once('='))
            .map(|(name, value)| {
                (
                    name.trim().to_ascii_lowercase(),
                    value.trim().trim_matches('"'),
                )
            })
            .find(|(name, _)| matches!(name.as_str(), "smime-type" | "smimetype"));
        match parameter
            .map(|(_, value)| value.to_ascii_lowercase())
            .as_deref()
        {
            Some("signed-and-enveloped-data") => Self::SignedAndEnveloped,
            Some("enveloped-data") => Self::Enveloped,
            Some("signed-data") => Self::Signed,
            _ => Self::Other,
        }
    }

    /// The content type as the official client spells it; none for [`ContentKind::Other`].
    #[must_use]
    pub const fn content_type(self) -> Option<&'static str> {
        match self {
            Self::SignedAndEnveloped => Some(SIGNED_AND_ENVELOPED),
            Self::Enveloped => Some(ENVELOPED),
            Self::Signed => Some(SIGNED),
            Self::Text => Some(TEXT),
            Self::Soap => Some(SOAP),
            Self::Other => None,
        }
    }

    /// Whether a content type is spelt as the official client compares it: whole, without regard to case.
    #[must_use]
    pub fn is_exact(content_type: &str) -> bool {
        let expected = Self::of(content_type).content_type();
        expected.is_some_and(|expected| expected.eq_ignore_ascii_case(content_type))
    }
}

const ZONE_Z: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
const NO_ZONE: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");
const INVARIANT: &[BorrowedFormatItem<'_>] =
    format_description!("[month]/[day]/[year] [hour]:[minute]:[second]");

/// A time as `applicationTimeStamp` has it: UTC, whole seconds, `Z`.
#[must_use]
pub fn application_time_stamp(time: OffsetDateTime) -> String {
    format(time, ZONE_Z)
}

/// A time as `enqueuedTimeUtc` has it: UTC, whole seconds, no zone.
#[must_use]
pub fn enqueued_time_utc(time: OffsetDateTime) -> String {
    format(time, NO_ZONE)
}

/// A time as `receiverTimeStamp` has it: .NET's invariant general format in UTC, month first.
#[must_use]
pub fn receiver_time_stamp(time: OffsetDateTime) -> String {
    format(time, INVARIANT)
}

/// Reads a time of an application property: any of the three formats above, a fraction of a second, an offset. Without a zone
/// it is UTC. None for anything else; the official client accepts whatever .NET can parse as a date, which is more.
#[must_use]
pub fn parse_time(text: &str) -> Option<OffsetDateTime> {
    let text = text.trim();
    if text.len() > 64 {
        return None;
    }
    let invariant =
        time::PrimitiveDateTime::parse(text, INVARIANT).map(time::PrimitiveDateTime::assume_utc);
    invariant.ok().or_else(|| crate::date_time::parse(text))
}

fn format(time: OffsetDateTime, description: &[BorrowedFormatItem<'_>]) -> String {
    let utc = time.checked_to_offset(time::UtcOffset::UTC);
    // Years beyond 9999 have no form; neither can they be received.
    utc.and_then(|utc| utc.format(description).ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::datetime;

    use super::*;

    #[test]
    fn content_types() {
        for kind in [
            ContentKind::SignedAndEnveloped,
            ContentKind::Enveloped,
            ContentKind::Signed,
            ContentKind::Text,
            ContentKind::Soap,
        ] {
            let text = kind.content_type().unwrap();
            assert_eq!(ContentKind::of(text), kind);
            assert!(ContentKind::is_exact(&text.to_uppercase()));
        }
        let other = "application/pkcs7-mime;smimetype=\"signed-and-enveloped-data\"";
        assert_eq!(ContentKind::of(other), ContentKind::SignedAndEnveloped);
        assert!(!ContentKind::is_exact(other));
        for text in [
            "",
            "text/html",
            "application/pkcs7-mime",
            ";",
            "application/pkcs7-mime; smime-type",
        ] {
            assert_eq!(ContentKind::of(text), ContentKind::Other, "{text}");
        }
    }

    #[test]
    fn times() {
        let time = datetime!(2026-07-02 14:31:17.9 +02:00);
        assert_eq!(application_time_stamp(time), "2026-07-02T12:31:17Z");
        assert_eq!(enqueued_time_utc(time), "2026-07-02T12:31:17");
        assert_eq!(receiver_time_stamp(time), "07/02/2026 12:31:17");
        let whole = datetime!(2026-07-02 12:31:17 UTC);
        for text in [
            "2026-07-02T12:31:17Z",
            "2026-07-02T12:31:17",
            "07/02/2026 12:31:17",
            "2026-07-02T14:31:17.000+02:00",
        ] {
            assert_eq!(parse_time(text), Some(whole), "{text}");
        }
        assert_eq!(
            parse_time("0001-01-01T00:00:00"),
            Some(datetime!(0001-01-01 00:00 UTC))
        );
        assert_eq!(
            parse_time("01/01/0001 00:00:00"),
            Some(datetime!(0001-01-01 00:00 UTC))
        );
        for text in ["", "now", "2026-13-01T00:00:00Z", "13/13/2026 00:00:00"] {
            assert_eq!(parse_time(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_form_of_a_time_is_read(seconds in -62_135_596_800_i64..253_402_300_799) {
            let time = OffsetDateTime::from_unix_timestamp(seconds).unwrap();
            for text in [application_time_stamp(time), enqueued_time_utc(time), receiver_time_stamp(time)] {
                prop_assert_eq!(parse_time(&text), Some(time));
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            let _ = parse_time(&text);
            let _ = ContentKind::of(&text);
            let _ = ContentKind::is_exact(&text);
        }
    }
}
