//! Does a report agree with the evidence beside it? Whoever receives both must see it when either was changed afterwards.
//!
//! A report names the hash of each journal and of each scenario file, so a changed, shortened or exchanged file shows. It
//! cannot show what was made up together with the report; for that there is the receiver's own run.

use std::fs::File;
use std::io;
use std::path::Path;

use serde::Deserialize;
use sha2::{Digest, Sha256};
use testbed::evidence::Event;

use super::Evidence;
use crate::verdict::{RunResult, ScenarioResult, Verdict};

/// Name of the folder with the raw bytes beside a journal; each file is named by the SHA-256 of its content.
const BLOBS: &str = "blobs";

/// What a `scenario` line of `report.jsonl` says; all other lines and fields are of no interest here.
#[derive(Deserialize)]
struct Line {
    scenario: String,
    variant: Option<String>,
    verdict: Verdict,
    reason_code: String,
    scenario_sha256: String,
    evidence: Option<Journal>,
}

#[derive(Deserialize)]
struct Journal {
    sha256: Option<String>,
}

/// What a `report.jsonl` says that the evidence, judged again as `run`, does not bear out. With `whole` the evidence is that
/// of the whole run, so that each scenario of one must be in the other.
#[must_use]
pub fn with_report(
    report: &str,
    run: &RunResult,
    evidence: &[Evidence],
    whole: bool,
) -> Vec<String> {
    let mut lines = Vec::new();
    for (text, number) in report.lines().zip(1..) {
        let Ok(value) = serde_json::from_str::<serde_json::Value>(text) else {
            return vec![format!("report.jsonl, line {number}: not readable")];
        };
        if value.get("line").and_then(|kind| kind.as_str()) != Some("scenario") {
            continue;
        }
        match serde_json::from_value::<Line>(value) {
            Ok(line) => lines.push(line),
            Err(error) => return vec![format!("report.jsonl, line {number}: {error}")],
        }
    }
    let mut found = Vec::new();
    for line in &lines {
        let result = run.scenarios.iter().find(|result| is_of(line, result));
        match result {
            Some(result) => found.extend(differences(line, result, evidence)),
            None if whole => found.push(format!(
                "{}: it is in the report, but there is no evidence of it",
                line.scenario
            )),
            None => {}
        }
    }
    for result in &run.scenarios {
        if whole && !lines.iter().any(|line| is_of(line, result)) {
            found.push(format!("{}: the report does not name it", result.label()));
        }
    }
    found
}

fn is_of(line: &Line, result: &ScenarioResult) -> bool {
    line.scenario == result.id && line.variant == result.variant
}

fn differences(line: &Line, result: &ScenarioResult, evidence: &[Evidence]) -> Vec<String> {
    let label = result.label();
    let mut found = Vec::new();
    let journal = Evidence::of(evidence, result).and_then(|journal| journal.sha256.as_deref());
    let reported = line.evidence.as_ref().and_then(|it| it.sha256.as_deref());
    if journal != reported {
        found.push(format!(
            "{label}: the journal has the SHA-256 {}, the report names {}",
            journal.unwrap_or("-"),
            reported.unwrap_or("-")
        ));
    }
    if line.scenario_sha256 != result.scenario_sha256 {
        found.push(format!(
            "{label}: the scenario file has the SHA-256 {}, the report names {}",
            result.scenario_sha256, line.scenario_sha256
        ));
    }
    if (line.verdict, line.reason_code.as_str()) != (result.verdict, result.reason_code.as_str()) {
        found.push(format!(
            "{label}: the evidence gives {:?} ({}), the report says {:?} ({})",
            result.verdict, result.reason_code, line.verdict, line.reason_code
        ));
    }
    found
}

/// What does not fit within the folder of an execution: a kept scenario file that is not the one that was run, and raw bytes
/// that are not those of the journal.
///
/// # Errors
/// What the operating system says when a file cannot be read.
pub fn within(run: &RunResult, evidence: &[Evidence]) -> io::Result<Vec<String>> {
    let mut found = Vec::new();
    for journal in evidence {
        if journal.folder.join(crate::replay::SCENARIOS).is_dir() {
            let own = run
                .scenarios
                .iter()
                .filter(|result| is_same(Evidence::of(evidence, result), journal));
            found.extend(own.filter_map(|result| other_file(result, journal)));
        }
        found.extend(changed_blobs(&journal.folder.join(BLOBS))?);
    }
    Ok(found)
}

fn is_same(one: Option<&Evidence>, other: &Evidence) -> bool {
    one.is_some_and(|one| std::ptr::eq(one, other))
}

fn other_file(result: &ScenarioResult, journal: &Evidence) -> Option<String> {
    journal.entries.iter().find_map(|entry| match &entry.event {
        Event::ScenarioStarted {
            scenario,
            scenario_sha256,
            ..
        } if *scenario == result.id
            && !scenario_sha256.is_empty()
            && *scenario_sha256 != result.scenario_sha256 =>
        {
            Some(format!(
                "{}: the scenario file beside the journal has the SHA-256 {}, the one that was run had {scenario_sha256}",
                result.label(),
                result.scenario_sha256
            ))
        }
        _ => None,
    })
}

fn changed_blobs(folder: &Path) -> io::Result<Vec<String>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for file in std::fs::read_dir(folder)? {
        let path = file?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_hash = name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_hash && sha256(&path)? != *name {
            found.push(format!("{}: the bytes were changed", path.display()));
        }
    }
    found.sort();
    Ok(found)
}

/// SHA-256 of a file, lower-case hexadecimal digits.
pub(super) fn sha256(path: &Path) -> io::Result<String> {
    let mut digest = Sha256::new();
    io::copy(&mut File::open(path)?, &mut digest)?;
    let bytes = digest.finalize();
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{jsonl, sample};

    #[test]
    fn a_report_agrees_with_the_evidence_that_it_was_made_from() {
        let (run, evidence) = sample::mixed();
        let report = jsonl::report(&run, &evidence);
        assert_eq!(with_report(&report, &run, &evidence, true), [""; 0]);
        assert_eq!(within(&run, &evidence).unwrap(), [""; 0]);
    }

    #[test]
    fn each_change_is_told() {
        let (run, mut evidence) = sample::mixed();
        let report = jsonl::report(&run, &evidence);
        let told = |report: &str, run: &RunResult, evidence: &[Evidence]| {
            with_report(report, run, evidence, true).join("\n")
        };
        let mut other = run.clone();
        other.scenarios[0].scenario_sha256 = "cd".repeat(32);
        assert!(told(&report, &other, &evidence).contains("the scenario file has"));
        let mut other = run.clone();
        "made-up".clone_into(&mut other.scenarios[0].reason_code);
        assert!(told(&report, &other, &evidence).contains("the evidence gives Pass (made-up)"));
        let gone = other.scenarios.pop().unwrap();
        assert!(told(&report, &other, &evidence).contains("there is no evidence of it"));
        assert!(
            !with_report(&report, &other, &evidence, false)
                .join("")
                .contains(&gone.id)
        );
        let fewer: String = report
            .lines()
            .filter(|line| !line.contains("\"COM-02\""))
            .map(|line| format!("{line}\n"))
            .collect();
        assert!(told(&fewer, &run, &evidence).contains("the report does not name it"));
        assert!(told("{", &run, &evidence).contains("line 1: not readable"));
        evidence[0].sha256 = Some("00".repeat(32));
        assert!(told(&report, &run, &evidence).contains("the journal has the SHA-256 00"));
    }

    #[test]
    fn changed_bytes_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "x").unwrap();
        let named = folder.path().join(sha256(&file).unwrap());
        std::fs::rename(&file, &named).unwrap();
        assert_eq!(changed_blobs(folder.path()).unwrap(), [""; 0]);
        std::fs::write(&named, "y").unwrap();
        assert_eq!(changed_blobs(folder.path()).unwrap().len(), 1);
    }
}
