//! Why a payload is no message.

use crate::xml::XmlError;

/// Why a payload is refused (contract 03 section 1.6, V11 and V12). All of them are reported as `transport:not-well-formed-xml`.
///
/// Printing an error never shows text of the payload: error descriptions leave the house (contract 03 section 5.4).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// More bytes than are taken.
    #[error("the payload is larger than is taken")]
    TooLarge,
    /// Not UTF-8, UTF-16 or declared ISO-8859-1.
    #[error("the encoding of the payload cannot be read")]
    Encoding,
    /// Not well-formed XML.
    #[error("the payload is not well-formed XML, line {line} column {column}")]
    NotWellFormed {
        /// Line from 1.
        line: u32,
        /// Column from 1.
        column: u32,
    },
    /// A document type definition.
    #[error("the payload has a document type definition, which is forbidden")]
    Forbidden,
    /// Nested too deeply, or too many elements, attributes or namespaces.
    #[error("the payload is nested too deeply or has too many parts")]
    TooComplex,
    /// The root is not `MsgHead` of version 1.2.
    #[error("the payload is not a MsgHead of version 1.2")]
    NotMsgHead {
        /// Namespace of the root, shortened.
        namespace: String,
        /// Local name of the root, shortened.
        root: String,
    },
    /// An element or attribute is missing.
    #[error("{path} is missing")]
    Missing {
        /// Where it should be, `MsgHead/MsgInfo/MsgId`.
        path: String,
    },
    /// An element comes before one that must precede it, or again behind its place.
    #[error("{path} is in the wrong place")]
    Order {
        /// The element.
        path: String,
    },
    /// An element, attribute or text that the schema does not have there.
    #[error("{path} is not allowed there")]
    Unexpected {
        /// Path of the element around it, and a name if the schema knows it.
        path: String,
    },
    /// A value is not of its type.
    #[error("the value of {path} is not allowed")]
    BadValue {
        /// Where it is.
        path: String,
        /// The value, shortened; not printed.
        value: String,
    },
}

impl MessageError {
    /// Whether the payload is well-formed XML within limits, but not a valid message (V12 rather than V11).
    #[must_use]
    pub const fn is_schema_error(&self) -> bool {
        matches!(
            self,
            Self::NotMsgHead { .. }
                | Self::Missing { .. }
                | Self::Order { .. }
                | Self::Unexpected { .. }
                | Self::BadValue { .. }
        )
    }

    /// The place in the message, if there is one.
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        match self {
            Self::Missing { path }
            | Self::Order { path }
            | Self::Unexpected { path }
            | Self::BadValue { path, .. } => Some(path),
            _ => None,
        }
    }
}

impl From<XmlError> for MessageError {
    fn from(error: XmlError) -> Self {
        match error {
            XmlError::TooLarge => Self::TooLarge,
            XmlError::Encoding => Self::Encoding,
            XmlError::NotWellFormed { line, column } => Self::NotWellFormed { line, column },
            XmlError::Forbidden => Self::Forbidden,
            XmlError::TooComplex => Self::TooComplex,
        }
    }
}
