//! The run as JSON Lines: one object a line, for programs. `docs/report-format.md` describes each field.
//!
//! Fields are only ever added; a change that an old reader could misread raises [`FORMAT`].

use serde::Serialize;
use time::OffsetDateTime;

use super::{Evidence, words};
use crate::Text;
use crate::scenario::Level;
use crate::verdict::{
    CheckResult, ExitCode, KnownFailure, Overall, RunResult, ScenarioResult, Verdict,
};

/// Version of the lines.
pub const FORMAT: u32 = 1;

#[derive(Serialize)]
#[serde(tag = "line", rename_all = "kebab-case")]
enum Line<'a> {
    Run(Run<'a>),
    Scenario(Scenario<'a>),
    Check(Check<'a>),
    Summary(Summary),
}

#[derive(Serialize)]
struct Run<'a> {
    format: u32,
    name: Text,
    remark: Text,
    program: &'static str,
    version: &'static str,
    overall: Overall,
    exit_code: ExitCode,
    scenarios: usize,
    known_failures: &'a [KnownFailure],
}

#[derive(Serialize)]
struct Scenario<'a> {
    scenario: &'a str,
    variant: Option<&'a str>,
    title: &'a Text,
    why: &'a Text,
    level: Level,
    requirements: &'a [String],
    verdict: Verdict,
    reason_code: &'a str,
    known_failure: Option<&'a str>,
    #[serde(with = "time::serde::rfc3339::option")]
    started: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    ended: Option<OffsetDateTime>,
    duration_ms: u64,
    version: &'a str,
    seed: u64,
    adapter: &'a str,
    sut_faults: &'a [String],
    scenario_sha256: &'a str,
    evidence: Option<File<'a>>,
}

#[derive(Serialize)]
struct File<'a> {
    file: String,
    sha256: Option<&'a str>,
}

#[derive(Serialize)]
struct Check<'a> {
    scenario: &'a str,
    variant: Option<&'a str>,
    check: &'a str,
    step: Option<&'a str>,
    verdict: Verdict,
    reason_code: &'a str,
    requirements: &'a [String],
    expected: &'a Text,
    observed: &'a Text,
    recorded: &'a [Text],
    evidence: &'a [u64],
    fail: Option<&'a Text>,
    mend: Option<&'a Text>,
}

#[derive(Serialize)]
struct Summary {
    overall: Overall,
    exit_code: ExitCode,
    meaning: Text,
    pass: usize,
    fail: usize,
    inconclusive: usize,
    warning: usize,
    error: usize,
    skipped: usize,
    not_applicable: usize,
}

/// The lines of a run, each with a line break: `run`, for each scenario `scenario` and its `check`s, `summary`.
#[must_use]
pub fn report(run: &RunResult, evidence: &[Evidence]) -> String {
    let mut text = String::new();
    push(&mut text, &Line::Run(head(run)));
    for result in &run.scenarios {
        push(&mut text, &Line::Scenario(scenario(run, result, evidence)));
        for each in &result.checks {
            push(&mut text, &Line::Check(check(result, each)));
        }
    }
    push(&mut text, &Line::Summary(summary(run)));
    text
}

fn push(text: &mut String, line: &Line<'_>) {
    text.push_str(&serde_json::to_string(line).expect("names, texts and numbers are always JSON"));
    text.push('\n');
}

fn head(run: &RunResult) -> Run<'_> {
    Run {
        format: FORMAT,
        name: words::pre_check(),
        remark: words::no_approval(),
        program: "provenett",
        version: env!("CARGO_PKG_VERSION"),
        overall: run.overall,
        exit_code: run.exit_code,
        scenarios: run.scenarios.len(),
        known_failures: &run.known_failures,
    }
}

fn scenario<'a>(
    run: &'a RunResult,
    result: &'a ScenarioResult,
    evidence: &'a [Evidence],
) -> Scenario<'a> {
    Scenario {
        scenario: &result.id,
        variant: result.variant.as_deref(),
        title: &result.title,
        why: &result.why,
        level: result.level,
        requirements: &result.requirements,
        verdict: result.verdict,
        reason_code: &result.reason_code,
        known_failure: run.known_failure(result).map(|known| known.reason.as_str()),
        started: result.started,
        ended: result.ended,
        duration_ms: result.duration_ms,
        version: &result.version,
        seed: result.seed,
        adapter: &result.adapter,
        sut_faults: &result.sut_faults,
        scenario_sha256: &result.scenario_sha256,
        evidence: Evidence::of(evidence, result).map(|evidence| File {
            file: evidence.short_name(),
            sha256: evidence.sha256.as_deref(),
        }),
    }
}

fn check<'a>(result: &'a ScenarioResult, check: &'a CheckResult) -> Check<'a> {
    Check {
        scenario: &result.id,
        variant: result.variant.as_deref(),
        check: &check.check,
        step: check.step.as_deref(),
        verdict: check.verdict,
        reason_code: &check.reason_code,
        requirements: &check.requirements,
        expected: &check.expected,
        observed: &check.observed,
        recorded: &check.recorded,
        evidence: &check.evidence,
        fail: check.fail.as_ref(),
        mend: check.mend.as_ref(),
    }
}

fn summary(run: &RunResult) -> Summary {
    Summary {
        overall: run.overall,
        exit_code: run.exit_code,
        meaning: run.exit_code.meaning(),
        pass: run.count(Verdict::Pass),
        fail: run.count(Verdict::Fail),
        inconclusive: run.count(Verdict::Inconclusive),
        warning: run.count(Verdict::Warning),
        error: run.count(Verdict::Error),
        skipped: run.count(Verdict::Skipped),
        not_applicable: run.count(Verdict::NotApplicable),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;
    use serde_json::Value;

    fn lines() -> Vec<Value> {
        let (run, evidence) = sample::mixed();
        report(&run, &evidence)
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    #[test]
    fn there_is_one_line_for_each_thing() {
        let (run, _) = sample::mixed();
        let lines = lines();
        let count = |name: &str| lines.iter().filter(|line| line["line"] == name).count();
        let checks: usize = run.scenarios.iter().map(|result| result.checks.len()).sum();
        assert_eq!(
            [
                count("run"),
                count("scenario"),
                count("check"),
                count("summary")
            ],
            [1, run.scenarios.len(), checks, 1]
        );
        assert_eq!(lines[0]["line"], "run");
        assert_eq!(lines.last().unwrap()["line"], "summary");
    }

    #[test]
    fn the_fields_are_a_contract() {
        let lines = lines();
        assert_eq!(lines[0]["format"], 1);
        assert_eq!(lines[0]["overall"], "incomplete");
        let fits = |line: &&Value| line["scenario"] == "REV-05" && line["variant"] == "10s";
        let scenario = lines.iter().find(fits).unwrap();
        assert_eq!(scenario["verdict"], "fail");
        assert_eq!(scenario["level"], "must");
        assert_eq!(scenario["sut_faults"][0], "crl-timeout-15s");
        assert_eq!(
            scenario["evidence"]["file"],
            "REV-05+REV-06.10s/evidence.jsonl"
        );
        let check = lines
            .iter()
            .filter(fits)
            .find(|line| line["check"] == "outcome-below")
            .unwrap();
        assert_eq!(check["verdict"], "fail");
        assert_eq!(check["step"], "cold");
        assert!(check["mend"]["nb"].is_string() && check["evidence"][0].is_u64());
        let summary = lines.last().unwrap();
        assert_eq!(summary["exit_code"], 11);
        assert_eq!(summary["fail"], 1);
    }

    #[test]
    fn every_field_is_described() {
        let described = include_str!("../../../docs/report-format.md");
        for line in lines() {
            for name in line
                .as_object()
                .unwrap()
                .keys()
                .filter(|name| *name != "line")
            {
                assert!(described.contains(&format!("`{name}`")), "{name}");
            }
        }
    }
}
