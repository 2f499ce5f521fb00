//! Each check in both directions, and with too little seen, by evidence made by hand and the scenario files as they are.

mod attacks;
mod frame;
mod inbound;
mod links;
mod outbound;
mod revocation;

use std::sync::LazyLock;

use super::judge;
use super::tape::Tape;
use crate::scenario::{Catalogue, Given};
use crate::verdict::{CheckResult, ScenarioResult, Verdict};

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::embedded().unwrap());

/// Judges a journal for a scenario file.
fn judged(id: &str, tape: &Tape) -> ScenarioResult {
    judge(CATALOGUE.scenario(id).unwrap(), &tape.entries)
}

/// A journal of a scenario: baseline and faults as its file says, then what the test does, recovery and a long watch.
fn run(id: &str, act: impl FnOnce(&mut Tape)) -> ScenarioResult {
    judged(id, &tape(id, act))
}

fn tape(id: &str, act: impl FnOnce(&mut Tape)) -> Tape {
    let scenario = CATALOGUE.scenario(id).unwrap();
    let mut tape = Tape::started(&[id], None);
    if scenario.baseline {
        tape.baseline();
    }
    for given in &scenario.given {
        tape.install(*given);
    }
    tape.pass(500);
    act(&mut tape);
    for given in &scenario.given {
        tape.removed(given.name().1);
    }
    tape.recovery().pass(200_000).end();
    tape
}

#[track_caller]
fn check<'a>(result: &'a ScenarioResult, name: &str) -> &'a CheckResult {
    result
        .checks
        .iter()
        .find(|check| check.check == name)
        .unwrap_or_else(|| panic!("no check {name} in {result:#?}"))
}

/// Asserts verdict and reason of one check.
#[track_caller]
fn finds(result: &ScenarioResult, name: &str, verdict: Verdict, reason: &str) {
    let check = check(result, name);
    assert_eq!(
        (check.verdict, check.reason_code.as_str()),
        (verdict, reason),
        "{check:#?}"
    );
}

/// Asserts that the scenario passed, every check with evidence behind it.
#[track_caller]
fn passes(result: &ScenarioResult) {
    assert_eq!(result.verdict, Verdict::Pass, "{result:#?}");
    let bare = result
        .checks
        .iter()
        .find(|check| check.evidence.is_empty() && check.check != "evidence");
    assert!(bare.is_none(), "{bare:#?}");
}

/// Asserts that the scenario failed for this reason.
#[track_caller]
fn fails(result: &ScenarioResult, name: &str, reason: &str) {
    finds(result, name, Verdict::Fail, reason);
    assert_eq!(result.verdict, Verdict::Fail, "{result:#?}");
    assert!(check(result, name).mend.is_some());
}

const DELAY: fn(u64) -> Given = |seconds| Given::DelayStatus {
    delay: std::time::Duration::from_secs(seconds),
};
