//! Bytes and frames. What comes in is read by a bounded reader of our own into the types of `fe2o3-amqp-types`; what
//! goes out is written by `serde_amqp` (contract 06 section 7.2).

pub(crate) mod frame;
pub(crate) mod message;
pub(crate) mod performative;
pub(crate) mod reader;
pub(crate) mod writer;

/// Why a peer's bytes are not what they should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Malformed {
    /// A value is longer than the bytes that are left.
    #[error("a value is cut off")]
    CutOff,
    /// A byte that begins no AMQP type.
    #[error("0x{0:02x} is no AMQP type")]
    UnknownType(u8),
    /// Text that is no UTF-8, or a symbol that is no ASCII.
    #[error("text in a wrong encoding")]
    Text,
    /// A value of another type than the field has.
    #[error("the field '{0}' has a wrong type")]
    FieldType(&'static str),
    /// A mandatory field is absent.
    #[error("the field '{0}' is missing")]
    FieldMissing(&'static str),
    /// A described value that has no place here.
    #[error("descriptor {0:#x} has no place here")]
    Descriptor(u64),
    /// Described values inside each other.
    #[error("a value is nested too deeply")]
    Depth,
    /// Message sections in a wrong order, or twice.
    #[error("the message sections are out of order")]
    SectionOrder,
}
