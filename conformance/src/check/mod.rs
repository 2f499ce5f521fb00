//! Judging: from evidence to verdicts, by pure functions and nothing else.
//!
//! A live run, a replay and a re-check elsewhere share this one code path. Checks correlate by ids (exchange, message
//! number, message-id, correlation-id, request number, serial number), never by nearness in time alone.
//!
//! What checks need to find in a journal, beside what [`testbed::evidence::Event`] says of each event:
//! - `ScenarioStarted::parameters` holds the keys of [`crate::scenario::Parameter`];
//! - entries carry the step that was under way; baseline and recovery are steps with reserved names;
//! - `HnSent` has purpose `request`, `reply` or `bait`, one exchange for each request, and in `signer` the serial number of
//!   the certificate that signed it, which a `CertificateState` (`issued`) of the same journal ties to its CA;
//! - the message-ids and correlation-ids of `Hn…` events are those of `BusReceived::facts`, letter by letter;
//! - `HnCheck` names the message that was checked by its message-id; for a request of the system under test every check of
//!   contract 03 section 1.6 up to the first failure is recorded, passed or not;
//! - `HnOutcome` is recorded once for each request of helsenorge, at the latest 30 s after it;
//! - faults are announced by `FaultInstalled` and `FaultRemoved` under the names of [`crate::scenario::Given::name`] and of
//!   the constants of [`crate::scenario::Act`].

mod baseline;
mod carried_out;
mod dispatch;
mod finding;
mod inbound;
mod judge;
mod late_reply_settled;
mod links;
mod links_back;
mod no_error_for_error;
mod no_foreign_queue;
mod no_new_download;
mod no_reply_without_status;
mod not_shown_as_success;
mod outbound;
mod outbound_valid;
mod outcome_below;
mod receivers_attached;
mod recovery;
mod refused;
mod refused_without_status;
mod reply_settled;
mod reports_success;
mod request_settled;
mod status;
mod status_asked;
#[cfg(test)]
pub(crate) mod tape;
#[cfg(test)]
mod tests;
mod times_out;
mod valid_reply;
mod view;
mod words;

use testbed::evidence::{Entry, Event};

use crate::Text;
use crate::scenario::{Check, Scenario};
use crate::verdict::ScenarioResult;

/// Judges one execution of a scenario from its journal. A journal can serve several scenarios (REV-05 and REV-06 share
/// one execution); the runner then records one `ScenarioStarted` for each.
///
/// It never panics and never passes what was not seen: a journal that breaks off, a failed baseline, a missing driver and
/// a step that could not be carried out are `inconclusive`; a damaged journal is an `error`.
#[must_use]
pub fn judge(scenario: &Scenario, entries: &[Entry]) -> ScenarioResult {
    judge::scenario(scenario, until_its_end(entries))
}

/// What a check expects to see, for those who want to know before anything has run.
#[must_use]
pub fn expectation(check: &Check) -> Text {
    dispatch::expected(check)
}

/// The entries up to the end of the scenario. What is recorded while everything is taken down belongs to no scenario: a live
/// run has not seen it when it judges, and a replay must not.
fn until_its_end(entries: &[Entry]) -> &[Entry] {
    let is_end = |entry: &Entry| matches!(entry.event, Event::ScenarioEnded { .. });
    let end = entries.iter().position(is_end);
    end.map_or(entries, |end| &entries[..=end])
}
