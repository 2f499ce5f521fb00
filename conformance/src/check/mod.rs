//! Judging: from evidence to verdicts, by pure functions and nothing else.
//!
//! A live run, a replay and a re-check elsewhere share this one code path. Checks correlate by ids (exchange, message
//! number, message-id, correlation-id, request number, serial number), never by nearness in time alone.

mod baseline;
mod dispatch;
mod finding;
mod inbound;
mod judge;
mod recovery;
mod view;

use testbed::evidence::Entry;

use crate::scenario::Scenario;
use crate::verdict::ScenarioResult;

/// Judges one execution of a scenario from its journal. A journal can serve several scenarios (REV-05 and REV-06 share
/// one execution); the runner then records one `ScenarioStarted` for each.
///
/// It never panics and never passes what was not seen: a journal that breaks off, a failed baseline, a missing driver and
/// a step that could not be carried out are `inconclusive`; a damaged journal is an `error`.
#[must_use]
pub fn judge(scenario: &Scenario, entries: &[Entry]) -> ScenarioResult {
    judge::scenario(scenario, entries)
}
