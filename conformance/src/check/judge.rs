//! The frame around the checks: is the journal whole, did the baseline hold, did the system recover, and what follows.

use std::collections::BTreeSet;

use testbed::evidence::{Entry, Event, FORMAT_VERSION};

use super::finding::{Finding, Seen};
use super::view::View;
use super::{baseline, carried_out, dispatch, recovery};
use crate::Text;
use crate::scenario::{Judged, NEEDS_DRIVER, Scenario};
use crate::verdict::{CheckResult, ScenarioResult, Verdict};

pub(super) fn scenario(scenario: &Scenario, entries: &[Entry]) -> ScenarioResult {
    let view = match open(scenario, entries) {
        Ok(view) => view,
        Err(seen) => {
            return conclude(
                scenario,
                entries,
                vec![own("evidence", None, scenario, whole(seen))],
            );
        }
    };
    let mut checks = vec![own(
        "evidence",
        None,
        scenario,
        whole(carried_out::judge(&view)),
    )];
    let mut held = true;
    if scenario.baseline {
        let finding = baseline::judge(&view);
        held = finding.verdict == Verdict::Pass;
        checks.push(own(
            "baseline",
            Some(crate::scenario::BASELINE_STEP),
            scenario,
            finding,
        ));
    }
    for judged in &scenario.checks {
        let finding = if held {
            obstacle(&view, judged).map_or_else(
                || dispatch::judge(&view, &judged.check),
                |seen| seen.expecting(dispatch::expected(&judged.check)),
            )
        } else {
            not_reached().expecting(dispatch::expected(&judged.check))
        };
        checks.push(of_scenario(judged, scenario, finding));
    }
    if let Some(limit) = scenario.recovery {
        let finding = if !held {
            not_reached().expecting(recovery::expected(limit))
        } else if let Some(problem) = own_problem(&view) {
            problem.expecting(recovery::expected(limit))
        } else {
            recovery::judge(&view, limit)
        };
        checks.push(recovery::result(finding, scenario));
    }
    conclude(scenario, entries, checks)
}

fn open<'a>(scenario: &'a Scenario, entries: &'a [Entry]) -> Result<View<'a>, Seen> {
    let numbered = entries.iter().zip(1..).all(|(entry, n)| entry.n == n);
    let ordered = entries
        .windows(2)
        .all(|pair| pair[0].at_us <= pair[1].at_us);
    if !numbered || !ordered {
        return Err(Seen::error(
            "evidence-damaged",
            Text::new(
                "Journalen har hull eller står ikke i rekkefølge.",
                "The journal has gaps or is out of order.",
            ),
        ));
    }
    let started = entries.iter().find_map(|entry| match &entry.event {
        Event::ScenarioStarted {
            format,
            scenario: id,
            parameters,
            ..
        } if *id == scenario.id => Some((*format, parameters)),
        _ => None,
    });
    let Some((format, parameters)) = started else {
        return Err(Seen::error(
            "not-in-evidence",
            Text::new(
                format!("Journalen sier ikke at {} er kjørt.", scenario.id),
                format!("The journal does not say that {} was run.", scenario.id),
            ),
        ));
    };
    if format != FORMAT_VERSION {
        return Err(Seen::error(
            "unknown-evidence-format",
            Text::new(
                format!(
                    "Journalen har format {format}, og denne versjonen leser format {FORMAT_VERSION}."
                ),
                format!(
                    "The journal has format {format}; this version reads format {FORMAT_VERSION}."
                ),
            ),
        ));
    }
    View::new(scenario, entries, parameters)
}

/// What keeps a check from being judged: a step of its own that lacked a driver, or any step up to it that the runner
/// could not carry out.
fn obstacle(view: &View<'_>, judged: &Judged) -> Option<Seen> {
    let steps: BTreeSet<&str> = judged.check.steps().into_iter().collect();
    let last = steps
        .iter()
        .filter_map(|step| view.step_ended(step))
        .map(|entry| entry.n)
        .max()
        .unwrap_or(u64::MAX);
    view.problems()
        .into_iter()
        .find(|(step, problem, n)| {
            let concerned =
                steps.contains(step) || (steps.is_empty() && !problem.starts_with(NEEDS_DRIVER));
            concerned || (*n <= last && !problem.starts_with(NEEDS_DRIVER))
        })
        .map(|(step, problem, n)| step_problem(step, problem, n))
}

/// A step that the runner could not carry out, for another reason than a missing driver.
fn own_problem(view: &View<'_>) -> Option<Seen> {
    view.problems()
        .into_iter()
        .find(|(_, problem, _)| !problem.starts_with(NEEDS_DRIVER))
        .map(|(step, problem, n)| step_problem(step, problem, n))
}

pub(super) fn step_problem(step: &str, problem: &str, n: u64) -> Seen {
    if problem.starts_with(NEEDS_DRIVER) {
        return needs_driver().with([n]);
    }
    Seen::inconclusive(
        "step-not-carried-out",
        Text::new(
            format!("Steget «{step}» kunne ikke gjennomføres: {problem}"),
            format!("The step `{step}` could not be carried out: {problem}"),
        ),
    )
    .with([n])
}

pub(super) fn needs_driver() -> Seen {
    Seen::inconclusive(
        "needs-driver",
        Text::new(
            "inconclusive: needs a driver. Prøvenett må kunne be systemet ditt om å handle; se --sut-verbs.",
            "inconclusive: needs a driver. Prøvenett has to be able to ask your system to act; see --sut-verbs.",
        ),
    )
}

fn not_reached() -> Seen {
    Seen::skipped(
        "baseline",
        Text::new(
            "Ikke vurdert, fordi grunntilstanden ikke var i orden.",
            "Not judged, because the baseline did not hold.",
        ),
    )
}

fn whole(seen: Seen) -> Finding {
    seen.expecting(Text::new(
        "Kjøringen er gjennomført og journalen er hel.",
        "The run was carried out and its journal is whole.",
    ))
}

/// A result of the judge itself.
fn own(check: &str, step: Option<&str>, scenario: &Scenario, finding: Finding) -> CheckResult {
    CheckResult {
        check: check.to_owned(),
        step: step.map(str::to_owned),
        verdict: finding.verdict,
        reason_code: finding.reason.to_owned(),
        requirements: scenario.covers.clone(),
        expected: finding.expected,
        observed: finding.observed,
        recorded: finding.recorded,
        evidence: finding.evidence,
        fail: None,
        mend: None,
    }
}

fn of_scenario(judged: &Judged, scenario: &Scenario, finding: Finding) -> CheckResult {
    let told = matches!(finding.verdict, Verdict::Fail | Verdict::Warning);
    let mut result = own(judged.check.name(), judged.check.step(), scenario, finding);
    if let Some(reason) = judged
        .reason
        .as_ref()
        .filter(|_| result.verdict == Verdict::Fail)
    {
        reason.clone_into(&mut result.reason_code);
    }
    result.fail = told.then(|| judged.fail.clone());
    result.mend = told.then(|| judged.mend.clone());
    result
}

fn conclude(scenario: &Scenario, entries: &[Entry], checks: Vec<CheckResult>) -> ScenarioResult {
    let started = entries.iter().find_map(|entry| match &entry.event {
        Event::ScenarioStarted {
            scenario: id,
            version,
            seed,
            adapter,
            sut_faults,
            parameters,
            ..
        } if *id == scenario.id => Some((entry, version, *seed, adapter, sut_faults, parameters)),
        _ => None,
    });
    let (verdict, reason_code) = combined(&checks);
    let first = started.map(|(entry, ..)| entry);
    // What comes after the end of the scenario, while the journal is being closed, is none of its time.
    let end = entries
        .iter()
        .rfind(|entry| matches!(entry.event, Event::ScenarioEnded { .. }));
    let last = first.and_then(|_| end.or_else(|| entries.last()));
    let length = match (first, last) {
        (Some(first), Some(last)) => last.at_us.saturating_sub(first.at_us) / 1000,
        _ => 0,
    };
    ScenarioResult {
        id: scenario.id.clone(),
        variant: started.and_then(|(.., parameters)| {
            parameters
                .get(crate::scenario::Parameter::Variant.key())
                .cloned()
        }),
        title: scenario.title.clone(),
        why: scenario.why.clone(),
        level: scenario.level,
        requirements: scenario.covers.clone(),
        verdict,
        reason_code,
        checks,
        started: first.map(|entry| entry.wall),
        ended: last.map(|entry| entry.wall),
        duration_ms: length,
        version: started
            .map(|(_, version, ..)| version.clone())
            .unwrap_or_default(),
        seed: started.map(|(_, _, seed, ..)| seed).unwrap_or_default(),
        adapter: started
            .map(|(_, _, _, adapter, ..)| adapter.clone())
            .unwrap_or_default(),
        sut_faults: started
            .map(|(_, _, _, _, faults, _)| faults.clone())
            .unwrap_or_default(),
        scenario_sha256: scenario.sha256.clone(),
    }
}

/// Ours before theirs; a failed baseline before everything that it makes doubtful; then what is certain (`fail`) before
/// what is not (`inconclusive`).
fn combined(checks: &[CheckResult]) -> (Verdict, String) {
    let first = |verdict| checks.iter().find(|check| check.verdict == verdict);
    let of = |check: &CheckResult| (check.verdict, check.reason_code.clone());
    if let Some(check) = first(Verdict::Error) {
        return of(check);
    }
    if checks
        .iter()
        .any(|check| check.check == "baseline" && check.verdict != Verdict::Pass)
    {
        return (Verdict::Inconclusive, "baseline".to_owned());
    }
    [Verdict::Fail, Verdict::Inconclusive, Verdict::Warning]
        .into_iter()
        .find_map(first)
        .map_or_else(|| (Verdict::Pass, "ok".to_owned()), of)
}
