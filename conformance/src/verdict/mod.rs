//! Verdicts: the outcome of a check, of a scenario and of a run, and the exit code that follows (contract 03 section 6.2).
//!
//! Everything here is plain data that is computed by [`crate::check::judge`] from evidence; reports only show it.

mod exit;
mod result;
mod run;

use serde::{Deserialize, Serialize};

pub use exit::ExitCode;
pub use result::{CheckResult, ScenarioResult};
pub use run::{KnownFailure, Overall, RunResult};

/// The outcome of a check or a scenario. `Error` is ours, `Fail` is theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every expected observation was made and no forbidden one.
    Pass,
    /// The declared scope excludes it.
    NotApplicable,
    /// Not selected or not reached.
    Skipped,
    /// A deviation that the scenario's row allows.
    Warning,
    /// Not enough was seen to judge.
    Inconclusive,
    /// A forbidden observation, or an expected one missing although it would have been seen.
    Fail,
    /// A fault of ours.
    Error,
}

impl Verdict {
    /// The word in reports and files.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::NotApplicable => "not-applicable",
            Self::Skipped => "skipped",
            Self::Warning => "warning",
            Self::Inconclusive => "inconclusive",
            Self::Fail => "fail",
            Self::Error => "error",
        }
    }
}
