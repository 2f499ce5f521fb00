//! The outcome of a check and of a scenario.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::Verdict;
use crate::Text;
use crate::scenario::Level;

/// The outcome of one check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckResult {
    /// The check's name; `baseline`, `recovery` and `evidence` are made by the judge itself.
    pub check: String,
    /// The step that it speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// The outcome.
    pub verdict: Verdict,
    /// Why, as a stable word in kebab-case: `ok`, `stalled`, `needs-driver`, ...
    pub reason_code: String,
    /// Rows of the requirement table that the scenario covers.
    pub requirements: Vec<String>,
    /// What has to be seen.
    pub expected: Text,
    /// What was seen.
    pub observed: Text,
    /// Facts that have no influence on the verdict ("recorded" in contract 03 section 7).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recorded: Vec<Text>,
    /// Numbers of the journal entries behind it.
    pub evidence: Vec<u64>,
    /// What went wrong, for a reader who knows nothing of the check; present with `fail` and `warning`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fail: Option<Text>,
    /// What the vendor should change; present with `fail` and `warning`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mend: Option<Text>,
}

/// The outcome of one execution of a scenario (of one variant of it).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScenarioResult {
    /// The scenario's id.
    pub id: String,
    /// The variant, where the scenario has variants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// Title.
    pub title: Text,
    /// Why it matters.
    pub why: Text,
    /// How much a failure weighs.
    pub level: Level,
    /// Rows of the requirement table.
    pub requirements: Vec<String>,
    /// The outcome.
    pub verdict: Verdict,
    /// The reason code of the check that decided; `ok` when all passed.
    pub reason_code: String,
    /// The checks, in the order of the scenario file; baseline, recovery and completeness stand around them.
    pub checks: Vec<CheckResult>,
    /// Beginning, by the wall clock of the run.
    #[serde(with = "time::serde::rfc3339::option")]
    pub started: Option<OffsetDateTime>,
    /// End, by the wall clock of the run.
    #[serde(with = "time::serde::rfc3339::option")]
    pub ended: Option<OffsetDateTime>,
    /// Length by the monotonic clock, in milliseconds.
    pub duration_ms: u64,
    /// Version of the program that ran it.
    pub version: String,
    /// Start of the random numbers.
    pub seed: u64,
    /// The adapter.
    pub adapter: String,
    /// Seeded faults of the reference EPJ that were switched on.
    pub sut_faults: Vec<String>,
    /// SHA-256 of the scenario file that was judged.
    pub scenario_sha256: String,
}

impl ScenarioResult {
    /// Id and variant, as a reader names it: `REV-05 (10s)`.
    #[must_use]
    pub fn label(&self) -> String {
        match &self.variant {
            Some(variant) => format!("{} ({variant})", self.id),
            None => self.id.clone(),
        }
    }
}
