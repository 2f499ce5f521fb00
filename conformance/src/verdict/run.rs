//! The outcome of a run: all its scenarios, the known failures, and what follows from them.

use serde::{Deserialize, Serialize};

use super::{ExitCode, ScenarioResult, Verdict};
use crate::Text;
use crate::scenario::Level;

/// The run in one word (contract 03 section 6.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Overall {
    /// Everything passed.
    Passed,
    /// Warnings, or failures of scenarios that are not `must`.
    PassedWithDeviations,
    /// A `must` failed.
    Failed,
    /// A `must` could not be decided, or something of ours broke.
    Incomplete,
}

impl Overall {
    /// The word for the reader.
    #[must_use]
    pub fn text(self) -> Text {
        let (nb, en) = match self {
            Self::Passed => ("bestått", "passed"),
            Self::PassedWithDeviations => ("bestått med avvik", "passed with deviations"),
            Self::Failed => ("ikke bestått", "failed"),
            Self::Incomplete => ("ufullstendig", "incomplete"),
        };
        Text::new(nb, en)
    }
}

/// A failure that the vendor has listed, with a reason. Its absence is reported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownFailure {
    /// Id of the scenario.
    pub scenario: String,
    /// The variant; all of them when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// Why it is known.
    pub reason: String,
}

impl KnownFailure {
    fn covers(&self, result: &ScenarioResult) -> bool {
        self.scenario == result.id && (self.variant.is_none() || self.variant == result.variant)
    }
}

/// The outcome of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunResult {
    /// Version of this document.
    pub format: u32,
    /// The run in one word.
    pub overall: Overall,
    /// What the process ends with.
    pub exit_code: ExitCode,
    /// The scenarios, in the order in which they ran.
    pub scenarios: Vec<ScenarioResult>,
    /// Failures that were known beforehand.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub known_failures: Vec<KnownFailure>,
}

impl RunResult {
    /// Version of the document.
    pub const FORMAT: u32 = 1;

    /// Draws the conclusion from the scenarios.
    #[must_use]
    pub fn conclude(scenarios: Vec<ScenarioResult>, known_failures: Vec<KnownFailure>) -> Self {
        Self {
            format: Self::FORMAT,
            overall: overall(&scenarios),
            exit_code: exit_code(&scenarios, &known_failures),
            scenarios,
            known_failures,
        }
    }

    /// The known failure that a result is covered by, if any.
    #[must_use]
    pub fn known_failure(&self, result: &ScenarioResult) -> Option<&KnownFailure> {
        self.known_failures
            .iter()
            .find(|failure| failure.covers(result))
    }

    /// How many scenarios have this verdict.
    #[must_use]
    pub fn count(&self, verdict: Verdict) -> usize {
        self.scenarios
            .iter()
            .filter(|result| result.verdict == verdict)
            .count()
    }
}

fn overall(scenarios: &[ScenarioResult]) -> Overall {
    let any = |test: &dyn Fn(&ScenarioResult) -> bool| scenarios.iter().any(test);
    let must = |result: &ScenarioResult| result.level == Level::Must;
    if scenarios.is_empty()
        || any(&|result| result.verdict == Verdict::Error)
        || any(&|result| must(result) && is_open(result.verdict))
    {
        Overall::Incomplete
    } else if any(&|result| must(result) && result.verdict == Verdict::Fail) {
        Overall::Failed
    } else if any(&|result| !matches!(result.verdict, Verdict::Pass | Verdict::NotApplicable)) {
        Overall::PassedWithDeviations
    } else {
        Overall::Passed
    }
}

/// Whether a selected scenario was left without an answer.
fn is_open(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Inconclusive | Verdict::Skipped)
}

fn exit_code(scenarios: &[ScenarioResult], known: &[KnownFailure]) -> ExitCode {
    if scenarios.is_empty() {
        return ExitCode::NothingSelected;
    }
    let is_known = |result: &ScenarioResult| known.iter().any(|failure| failure.covers(result));
    let codes = scenarios.iter().map(|result| match result.verdict {
        Verdict::Error => ExitCode::OwnError,
        Verdict::Inconclusive | Verdict::Skipped => ExitCode::Inconclusive,
        Verdict::Fail if is_known(result) => ExitCode::KnownFailuresOnly,
        Verdict::Fail => ExitCode::Failed,
        Verdict::Pass | Verdict::Warning | Verdict::NotApplicable => ExitCode::Passed,
    });
    let absent = known.iter().filter_map(|failure| {
        let mut covered = scenarios
            .iter()
            .filter(|result| failure.covers(result))
            .peekable();
        covered.peek()?;
        covered
            .all(|result| matches!(result.verdict, Verdict::Pass | Verdict::Warning))
            .then_some(ExitCode::KnownFailureAbsent)
    });
    ExitCode::most_significant(codes.chain(absent))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Text;

    fn result(id: &str, level: Level, verdict: Verdict) -> ScenarioResult {
        ScenarioResult {
            id: id.into(),
            variant: None,
            title: Text::default(),
            why: Text::default(),
            level,
            requirements: vec![],
            verdict,
            reason_code: "x".into(),
            checks: vec![],
            started: None,
            ended: None,
            duration_ms: 0,
            version: String::new(),
            seed: 0,
            adapter: String::new(),
            sut_faults: vec![],
            scenario_sha256: String::new(),
        }
    }

    fn concluded(verdicts: &[(Level, Verdict)]) -> (Overall, ExitCode) {
        let results = verdicts
            .iter()
            .map(|(level, verdict)| result("A", *level, *verdict));
        let run = RunResult::conclude(results.collect(), vec![]);
        (run.overall, run.exit_code)
    }

    #[test]
    fn the_gravest_decides_and_levels_weigh() {
        use Level::{Must, Should};
        use Verdict::{Error, Fail, Inconclusive, NotApplicable, Pass, Skipped, Warning};
        for (verdicts, expected) in [
            (vec![(Must, Pass)], (Overall::Passed, ExitCode::Passed)),
            (
                vec![(Must, Pass), (Must, NotApplicable)],
                (Overall::Passed, ExitCode::Passed),
            ),
            (
                vec![(Must, Pass), (Must, Warning)],
                (Overall::PassedWithDeviations, ExitCode::Passed),
            ),
            (
                vec![(Should, Fail)],
                (Overall::PassedWithDeviations, ExitCode::Failed),
            ),
            (
                vec![(Must, Fail), (Must, Warning)],
                (Overall::Failed, ExitCode::Failed),
            ),
            (
                vec![(Must, Fail), (Must, Inconclusive)],
                (Overall::Incomplete, ExitCode::Inconclusive),
            ),
            (
                vec![(Must, Pass), (Must, Skipped)],
                (Overall::Incomplete, ExitCode::Inconclusive),
            ),
            (
                vec![(Must, Pass), (Should, Inconclusive)],
                (Overall::PassedWithDeviations, ExitCode::Inconclusive),
            ),
            (
                vec![(Must, Inconclusive), (Should, Error)],
                (Overall::Incomplete, ExitCode::OwnError),
            ),
            (vec![], (Overall::Incomplete, ExitCode::NothingSelected)),
        ] {
            assert_eq!(concluded(&verdicts), expected, "{verdicts:?}");
        }
    }

    #[test]
    fn known_failures_are_expected_and_missed() {
        let known = |id: &str| KnownFailure {
            scenario: id.into(),
            variant: None,
            reason: "ticket 7".into(),
        };
        let code = |verdicts: &[(&str, Verdict)], names: &[&str]| {
            let results = verdicts
                .iter()
                .map(|(id, verdict)| result(id, Level::Must, *verdict));
            RunResult::conclude(
                results.collect(),
                names.iter().map(|name| known(name)).collect(),
            )
            .exit_code
        };
        let (fail, pass) = (Verdict::Fail, Verdict::Pass);
        assert_eq!(
            code(&[("A", fail), ("B", pass)], &["A"]),
            ExitCode::KnownFailuresOnly
        );
        assert_eq!(code(&[("A", fail), ("B", fail)], &["A"]), ExitCode::Failed);
        assert_eq!(
            code(&[("A", fail), ("B", pass)], &["A", "B"]),
            ExitCode::KnownFailureAbsent
        );
        assert_eq!(
            code(&[("A", pass)], &["C"]),
            ExitCode::Passed,
            "C was not selected"
        );
        assert_eq!(
            code(&[("A", Verdict::Inconclusive)], &["A"]),
            ExitCode::Inconclusive
        );
    }

    #[test]
    fn the_document_is_read_as_it_is_written() {
        let run = RunResult::conclude(vec![result("A", Level::May, Verdict::Warning)], vec![]);
        let text = serde_json::to_string(&run).unwrap();
        assert!(
            text.contains(r#""exit_code":0"#) && text.contains(r#""verdict":"warning""#),
            "{text}"
        );
        assert_eq!(serde_json::from_str::<RunResult>(&text).unwrap(), run);
    }
}
