//! Words of the wire, for texts.

use testbed::evidence::BusOutcome;

/// The outcome as AMQP calls it.
pub(super) fn outcome(outcome: BusOutcome) -> &'static str {
    match outcome {
        BusOutcome::Accepted => "accepted",
        BusOutcome::Rejected => "rejected",
        BusOutcome::Released => "released",
        BusOutcome::ModifiedFailed => "modified (delivery-failed)",
        BusOutcome::Modified => "modified",
        BusOutcome::ModifiedUndeliverable => "modified (undeliverable-here)",
        BusOutcome::Lost => "lost",
    }
}
