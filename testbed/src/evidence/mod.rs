//! Evidence: the append-only record from which every verdict is computed.
//!
//! Entries are typed ([`Event`]), versioned ([`FORMAT_VERSION`]) and written as they happen, one JSON line each,
//! so that a killed run leaves a readable journal. Large or raw bytes lie beside it as blobs, named by their SHA-256.

mod event;
mod journal;
mod read;

pub use event::{
    BusMessage, BusOutcome, CheckOutcome, ClosedBy, Direction, Event, ExchangeOutcome, HttpEnd,
    LinkRole, RevocationSource, RevocationStatus,
};
pub use journal::{BlobRef, Entry, Journal, JournalError, Part};
pub use read::{ReadError, read_entries};

/// Version of the journal's format; raised when a reader of the present version could misread a new journal.
pub const FORMAT_VERSION: u32 = 1;
