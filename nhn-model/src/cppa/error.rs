//! Why a document is no profile or agreement.

use crate::xml::{XmlError, shortened};

/// What is wrong with a document. The official client loses the whole document in each of these cases (contract 02 section 5.5).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CppaError {
    /// More bytes than any such document has.
    #[error("the document is too large")]
    TooLarge,
    /// An encoding that is not known, or not what is declared.
    #[error("the document's encoding cannot be read")]
    Encoding,
    /// Not well-formed XML.
    #[error("the document is not well-formed at line {line}, column {column}")]
    NotWellFormed {
        /// Line, from 1.
        line: u32,
        /// Column, from 1.
        column: u32,
    },
    /// It has a document type definition.
    #[error("the document has a document type definition")]
    Forbidden,
    /// More elements, processes, messages or channels than are read.
    #[error("the document has too many parts")]
    TooComplex,
    /// The root is another; its name.
    #[error("the document's root is {0}")]
    Root(String),
    /// Something that must be there is not.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// Something is there and makes no sense.
    #[error("{what} makes no sense: {value}")]
    Invalid {
        /// What it is.
        what: &'static str,
        /// Its beginning.
        value: String,
    },
    /// A channel of a message is not in the document, or leads to no transport with a receiver.
    #[error("channel {0} leads to no queue")]
    Channel(String),
    /// An agreement has another number of parties than two.
    #[error("the agreement has {0} parties")]
    Parties(usize),
}

impl CppaError {
    pub(super) fn invalid(what: &'static str, value: &str) -> Self {
        Self::Invalid {
            what,
            value: shortened(value),
        }
    }
}

impl From<XmlError> for CppaError {
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
