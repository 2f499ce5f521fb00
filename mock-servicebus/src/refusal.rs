//! Errors that the bus states on the wire: AMQP condition and a text for the reader.

use std::fmt;

/// An AMQP error on its way to a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) condition: String,
    pub(crate) description: String,
}

/// Error conditions of AMQP 1.0 that the bus uses (part 2 section 2.8).
pub(crate) mod condition {
    pub(crate) const DECODE_ERROR: &str = "amqp:decode-error";
    pub(crate) const FRAME_SIZE_TOO_SMALL: &str = "amqp:frame-size-too-small";
    pub(crate) const FRAMING_ERROR: &str = "amqp:connection:framing-error";
    pub(crate) const HANDLE_IN_USE: &str = "amqp:session:handle-in-use";
    pub(crate) const ILLEGAL_STATE: &str = "amqp:illegal-state";
    pub(crate) const INTERNAL_ERROR: &str = "amqp:internal-error";
    pub(crate) const INVALID_FIELD: &str = "amqp:invalid-field";
    pub(crate) const MESSAGE_SIZE_EXCEEDED: &str = "amqp:link:message-size-exceeded";
    pub(crate) const NOT_ALLOWED: &str = "amqp:not-allowed";
    pub(crate) const NOT_FOUND: &str = "amqp:not-found";
    pub(crate) const NOT_IMPLEMENTED: &str = "amqp:not-implemented";
    pub(crate) const PRECONDITION_FAILED: &str = "amqp:precondition-failed";
    pub(crate) const RESOURCE_DELETED: &str = "amqp:resource-deleted";
    pub(crate) const RESOURCE_LIMIT_EXCEEDED: &str = "amqp:resource-limit-exceeded";
    pub(crate) const TRANSFER_LIMIT_EXCEEDED: &str = "amqp:link:transfer-limit-exceeded";
    pub(crate) const UNATTACHED_HANDLE: &str = "amqp:session:unattached-handle";
    pub(crate) const UNAUTHORIZED_ACCESS: &str = "amqp:unauthorized-access";
    pub(crate) const WINDOW_VIOLATION: &str = "amqp:session:window-violation";
}

impl Refusal {
    pub(crate) fn new(condition: impl Into<String>, description: impl Into<String>) -> Self {
        Self {
            condition: condition.into(),
            description: description.into(),
        }
    }

    pub(crate) fn invalid(description: impl Into<String>) -> Self {
        Self::new(condition::INVALID_FIELD, description)
    }

    pub(crate) fn not_found(description: impl Into<String>) -> Self {
        Self::new(condition::NOT_FOUND, description)
    }

    pub(crate) fn not_implemented(description: impl Into<String>) -> Self {
        Self::new(condition::NOT_IMPLEMENTED, description)
    }

    pub(crate) fn unauthorized(description: impl Into<String>) -> Self {
        Self::new(condition::UNAUTHORIZED_ACCESS, description)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.condition, self.description)
    }
}
