//! The run as JUnit XML, in the dialect that Jenkins, GitLab and Azure DevOps read.
//!
//! A scenario is a suite and a check is a test case. `fail` is a failure; `inconclusive` and `error` are errors, because
//! neither may look green; `skipped` and `not-applicable` are skipped; a known failure is skipped with its reason; a
//! `warning` passes and tells its deviation in `system-out`. So a suite is red exactly when the exit code is not 0.

use quick_junit::{NonSuccessKind, Report, SerializeError, TestCase, TestCaseStatus, TestSuite};
use std::time::Duration;
use time::format_description::well_known::Rfc3339;

use super::text::{inert, numbers};
use super::{Evidence, words};
use crate::Text;
use crate::scenario::Catalogue;
use crate::verdict::{CheckResult, RunResult, ScenarioResult, Verdict};

/// Most evidence numbers that are written.
const NUMBERS: usize = 200;

/// The document.
///
/// # Errors
/// [`SerializeError`] when the XML writer refuses, which no text can make it do.
pub fn report(
    run: &RunResult,
    catalogue: &Catalogue,
    evidence: &[Evidence],
) -> Result<String, SerializeError> {
    let mut report = Report::new(words::pre_check().to_string());
    let total = run.scenarios.iter().map(|result| result.duration_ms).sum();
    report.set_time(Duration::from_millis(total));
    for result in &run.scenarios {
        report.add_test_suite(suite(run, result, catalogue, evidence));
    }
    report.to_string()
}

fn suite(
    run: &RunResult,
    result: &ScenarioResult,
    catalogue: &Catalogue,
    evidence: &[Evidence],
) -> TestSuite {
    let mut suite = TestSuite::new(inert(&format!("{} {}", result.label(), result.title)));
    suite.set_time(Duration::from_millis(result.duration_ms));
    if let Some(started) = result
        .started
        .and_then(|started| started.format(&Rfc3339).ok())
    {
        suite.extra.insert("timestamp".into(), started.into());
    }
    let file = Evidence::of(evidence, result);
    let properties = [
        ("remark", words::no_approval().to_string()),
        ("scenario", result.id.clone()),
        ("variant", result.variant.clone().unwrap_or_default()),
        ("level", words::level_name(result.level).to_owned()),
        ("verdict", result.verdict.word().to_owned()),
        ("reason-code", result.reason_code.clone()),
        ("requirements", result.requirements.join(" ")),
        ("provenett-version", result.version.clone()),
        ("seed", result.seed.to_string()),
        ("adapter", result.adapter.clone()),
        ("sut-faults", result.sut_faults.join(" ")),
        ("scenario-sha256", result.scenario_sha256.clone()),
        (
            "evidence",
            file.map(Evidence::short_name).unwrap_or_default(),
        ),
        (
            "evidence-sha256",
            file.and_then(|file| file.sha256.clone())
                .unwrap_or_default(),
        ),
    ];
    for (name, value) in properties
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
    {
        suite.add_property((name, inert(&value).as_str()));
    }
    for check in &result.checks {
        suite.add_test_case(case(run, result, check, catalogue, file));
    }
    suite
}

fn case(
    run: &RunResult,
    result: &ScenarioResult,
    check: &CheckResult,
    catalogue: &Catalogue,
    file: Option<&Evidence>,
) -> TestCase {
    let name = match &check.step {
        Some(step) if *step != check.check => format!("{} ({step})", check.check),
        _ => check.check.clone(),
    };
    let mut case = TestCase::new(inert(&name), status(run, result, check));
    // Jenkins takes what stands before the last full stop for a package.
    case.set_classname(inert(&format!(
        "provenett.{}",
        result.label().replace('.', "_")
    )));
    case.set_system_out(system_out(check, catalogue, file));
    case
}

fn status(run: &RunResult, result: &ScenarioResult, check: &CheckResult) -> TestCaseStatus {
    let told = check.fail.as_ref().unwrap_or(&check.observed);
    let message = inert(&told.to_string());
    let mut status = match check.verdict {
        Verdict::Pass | Verdict::Warning => return TestCaseStatus::success(),
        Verdict::Skipped | Verdict::NotApplicable => TestCaseStatus::skipped(),
        Verdict::Fail => match run.known_failure(result) {
            Some(known) => {
                let mut status = TestCaseStatus::skipped();
                status.set_message(inert(&format!("known failure: {}", known.reason)));
                return status;
            }
            None => TestCaseStatus::non_success(NonSuccessKind::Failure),
        },
        Verdict::Inconclusive | Verdict::Error => {
            TestCaseStatus::non_success(NonSuccessKind::Error)
        }
    };
    status.set_message(message);
    if matches!(
        check.verdict,
        Verdict::Fail | Verdict::Inconclusive | Verdict::Error
    ) {
        status.set_type(inert(&check.reason_code));
        status.set_description(description(check));
    }
    status
}

fn description(check: &CheckResult) -> String {
    let mut lines = Vec::new();
    both(&mut lines, "Ventet", "Expected", &check.expected);
    both(&mut lines, "Sett", "Observed", &check.observed);
    if let Some(mend) = &check.mend {
        both(&mut lines, "Rett opp", "Mend", mend);
    }
    lines.join("\n")
}

fn system_out(check: &CheckResult, catalogue: &Catalogue, file: Option<&Evidence>) -> String {
    let mut lines = vec![format!(
        "{} ({})",
        words::verdict(check.verdict),
        inert(&check.reason_code)
    )];
    for id in &check.requirements {
        let row = catalogue.requirements.iter().find(|row| row.id == *id);
        let text = row
            .map(|row| format!("{} ({})", row.text, words::basis(row.basis).en))
            .unwrap_or_default();
        lines.push(format!("{id}: {text}"));
    }
    both(&mut lines, "Ventet", "Expected", &check.expected);
    both(&mut lines, "Sett", "Observed", &check.observed);
    for fact in &check.recorded {
        both(&mut lines, "Notert", "Recorded", fact);
    }
    if check.verdict == Verdict::Warning {
        for text in [&check.fail, &check.mend].into_iter().flatten() {
            both(&mut lines, "Avvik", "Deviation", text);
        }
    }
    let place = file.map(Evidence::short_name).unwrap_or_default();
    lines.push(inert(&format!(
        "Bevis / evidence: {} {place}",
        numbers(&check.evidence, NUMBERS)
    )));
    lines.join("\n")
}

fn both(lines: &mut Vec<String>, nb: &str, en: &str, text: &Text) {
    lines.push(format!("{nb}: {}", inert(&text.nb)));
    lines.push(format!("{en}: {}", inert(&text.en)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;
    use crate::verdict::KnownFailure;

    fn document(run: &RunResult, evidence: &[Evidence]) -> String {
        report(run, &sample::catalogue(), evidence).unwrap()
    }

    #[test]
    fn fail_is_a_failure_and_inconclusive_an_error() {
        let (run, evidence) = sample::mixed();
        let text = document(&run, &evidence);
        assert!(text.contains(r#"failures="1""#), "{text}");
        assert!(text.contains(r#"<failure type="stalled""#) || text.contains(r#"type="stalled""#));
        assert!(
            text.contains("<error ") && !text.contains("<skipped"),
            "{text}"
        );
        assert!(
            text.contains(r#"classname="provenett.REV-05 (10s)""#),
            "{text}"
        );
        assert!(text.contains("REV-05+REV-06.10s/evidence.jsonl"), "{text}");
        assert!(
            text.contains(r#"<property name="seed" value="7"/>"#),
            "{text}"
        );
    }

    #[test]
    fn a_known_failure_is_skipped_with_its_reason() {
        let (run, evidence) = sample::mixed();
        let known = KnownFailure {
            scenario: "REV-05".into(),
            variant: None,
            reason: "ticket <7>".into(),
        };
        let run = RunResult::conclude(run.scenarios, vec![known]);
        let text = document(&run, &evidence);
        assert!(text.contains("known failure: ticket &lt;7&gt;"), "{text}");
        assert!(!text.contains("<failure"), "{text}");
    }

    #[test]
    fn hostile_text_stays_text() {
        let (mut run, evidence) = sample::mixed();
        for result in &mut run.scenarios {
            for check in &mut result.checks {
                check.observed = Text::new(sample::HOSTILE, sample::HOSTILE);
                check.reason_code = sample::HOSTILE.into();
            }
        }
        let text = document(&run, &evidence);
        assert!(
            !text.contains("<script>") && !text.contains('\u{1b}'),
            "{text}"
        );
        assert!(!text.contains("]]></"), "{text}");
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_observed_the_document_is_well_formed(observed in ".*", reason in proptest::prelude::any::<String>()) {
            let (mut run, evidence) = sample::mixed();
            for check in run.scenarios.iter_mut().flat_map(|result| &mut result.checks) {
                check.observed = Text::new(observed.clone(), observed.clone());
                check.reason_code.clone_from(&reason);
            }
            let text = document(&run, &evidence);
            roxmltree::Document::parse(&text).unwrap();
        }
    }

    #[test]
    fn forbidden_characters_are_shown_by_their_number() {
        let (mut run, evidence) = sample::passed();
        run.scenarios[0].checks[0].reason_code = "\u{ffff}\u{fffe}\u{0}\u{b}".into();
        let text = document(&run, &evidence);
        roxmltree::Document::parse(&text).unwrap();
        assert!(text.contains("\\u{ffff}\\u{fffe}\\u{0}\\u{b}"), "{text}");
    }

    #[test]
    fn a_green_run_has_only_green_cases() {
        let (run, evidence) = sample::passed();
        let text = document(&run, &evidence);
        assert!(text.contains(r#"failures="0" errors="0""#), "{text}");
        assert!(
            !text.contains("<failure") && !text.contains("<error"),
            "{text}"
        );
    }
}
