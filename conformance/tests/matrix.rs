//! The matrix: every scenario is green for the correct reference EPJ and red for each seeded fault that it names, each cell
//! with a network and a reference EPJ of its own.
//!
//! A cell that is red for another reason than the one below is a failure of this test, too.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Instant;

use conformance::scenario::Catalogue;
use conformance::verdict::Verdict;

/// Cells at once: they wait most of the time.
const AT_ONCE: usize = 8;

/// The executions of a scenario: variant (empty: none) and reason.
type Executions = &'static [(&'static str, &'static str)];

/// Why each seeded fault turns its scenario red: for each execution of the scenario, its variant (empty: none) and the reason
/// of the check that decides. What is red for another reason was red because of something else.
const REASONS: &[(&str, &str, Executions)] = &[
    ("ARG-03", "no-ar-cache", &[("", "no-reply")]),
    ("BUS-01", "ignores-reconnect", &[("", "links-missing")]),
    ("COM-01", "never-settles", &[("", "left-unsettled")]),
    ("COM-01", "sends-invalid-xml", &[("", "invalid-request")]),
    ("COM-02", "replies-to-wrong-queue", &[("", "wrong-queue")]),
    ("COM-02", "wrong-correlation", &[("", "wrong-correlation")]),
    ("COM-02", "never-settles", &[("", "left-unsettled")]),
    ("COM-03", "root-list-stall", &[("", "too-slow")]),
    ("COM-05", "wrong-correlation", &[("", "wrong-correlation")]),
    ("COM-05", "replies-to-wrong-queue", &[("", "wrong-queue")]),
    ("COM-18", "no-error-listener", &[("", "not-attached")]),
    ("CRT-01", "accepts-expired", &[("", "took-effect")]),
    ("CRT-05", "accepts-unlisted-signer", &[("", "took-effect")]),
    ("CRT-08", "accepts-unsigned", &[("", "took-effect")]),
    (
        "ERQ-04",
        "answers-errors-with-errors",
        &[("", "error-loop")],
    ),
    (
        "REV-01",
        "no-revocation-check",
        &[("", "answered-without-asking")],
    ),
    ("REV-02", "no-revocation-check", &[("", "took-effect")]),
    // With one slow address in the way a limit of 15 s or 30 s passes at 3 s (contract 03 section 7.10).
    (
        "REV-05",
        "crl-timeout-15s",
        &[("3s", "ok"), ("10s", "stalled")],
    ),
    (
        "REV-05",
        "crl-timeout-30s",
        &[("3s", "ok"), ("10s", "stalled")],
    ),
    (
        "REV-06",
        "no-crl-cache",
        &[("3s", "calls-keep-failing"), ("10s", "calls-keep-failing")],
    ),
    (
        "REV-06",
        "drops-late-crl",
        &[("3s", "calls-keep-failing"), ("10s", "calls-keep-failing")],
    ),
    (
        "REV-09",
        "soft-fail-revocation",
        &[("", "answered-without-status")],
    ),
    (
        "REV-09",
        "no-revocation-check",
        &[("", "answered-without-status")],
    ),
    ("REV-10", "no-crl-cache", &[("", "refused")]),
    ("SYN-01", "no-sync-timeout", &[("", "no-timeout")]),
    (
        "SYN-03",
        "late-reply-as-success",
        &[("", "shown-as-success")],
    ),
    ("SYN-03", "leaves-orphans", &[("", "left-unsettled")]),
    ("XML-01", "no-error-reports", &[("", "not-reported")]),
    ("XML-05", "trusts-envelope", &[("", "took-effect")]),
];

/// The executions of a scenario that a cell must have, with their reasons; none for a cell that the table does not hold.
fn reasons(scenario: &str, fault: &str) -> Option<Executions> {
    REASONS
        .iter()
        .find(|(id, name, _)| (*id, *name) == (scenario, fault))
        .map(|(.., reasons)| *reasons)
}

/// One run of one scenario.
#[derive(Clone, Debug)]
struct Cell {
    scenario: String,
    fault: Option<String>,
}

#[test]
fn every_scenario_is_green_when_all_is_well_and_red_for_each_fault_that_it_names() {
    let catalogue = Catalogue::embedded().unwrap();
    let mut cells: Vec<Cell> = Vec::new();
    for scenario in &catalogue.scenarios {
        let faults = scenario.killed_by.iter().cloned().map(Some);
        cells.extend(faults.chain([None]).map(|fault| Cell {
            scenario: scenario.id.clone(),
            fault,
        }));
    }
    // The long ones first, so that the end is not one cell alone.
    let long = ["BUS-01", "ERQ-04", "SYN-01", "CRT-08", "REV-05", "REV-06"];
    cells.sort_by_key(|cell| !long.contains(&cell.scenario.as_str()));
    cells.reverse();
    // One cell alone at first: it makes the keys that all others then find in the data folder.
    let first = judged(&Cell {
        scenario: "COM-02".into(),
        fault: None,
    });
    first.unwrap_or_else(|reason| panic!("{reason}"));
    let waiting = Mutex::new(cells);
    let wrong: Mutex<Vec<String>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(cell) = next(&waiting) {
                    if let Err(reason) = judged(&cell) {
                        wrong.lock().unwrap().push(reason);
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

fn next(waiting: &Mutex<Vec<Cell>>) -> Option<Cell> {
    waiting.lock().unwrap().pop()
}

fn judged(cell: &Cell) -> Result<(), String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "tells the reader how long a cell took"
    )]
    let started = Instant::now();
    let mut words = vec!["scenario", cell.scenario.as_str()];
    if let Some(fault) = &cell.fault {
        words.extend(["--sut-fault", fault.as_str()]);
    }
    let ran = support::run(&words);
    let result = ran.result();
    let verdicts: BTreeMap<String, (Verdict, String)> = result
        .scenarios
        .iter()
        .map(|scenario| {
            let reason = scenario.reason_code.clone();
            (scenario.label(), (scenario.verdict, reason))
        })
        .collect();
    println!("{cell:?} {verdicts:?} {:?}", started.elapsed());
    let of_cell: Vec<(&str, &str, Verdict)> = result
        .scenarios
        .iter()
        .filter(|scenario| scenario.id == cell.scenario)
        .map(|scenario| {
            let variant = scenario.variant.as_deref().unwrap_or_default();
            (variant, scenario.reason_code.as_str(), scenario.verdict)
        })
        .collect();
    let right = match cell.fault.as_deref() {
        None => {
            let green = |(.., verdict): &(_, _, Verdict)| *verdict == Verdict::Pass;
            !of_cell.is_empty() && of_cell.iter().all(green) && ran.code() == 0
        }
        Some(fault) => reasons(&cell.scenario, fault)
            .is_some_and(|wanted| is_red_for(wanted, &of_cell) && ran.code() == 10),
    };
    if right {
        Ok(())
    } else {
        let wanted = cell
            .fault
            .as_deref()
            .map(|fault| reasons(&cell.scenario, fault));
        Err(format!(
            "{cell:?}: exit {}, {of_cell:?} instead of {wanted:?}\n{}",
            ran.code(),
            ran.said()
        ))
    }
}

/// Whether each execution ended for the reason that the table gives, and at least one is red.
fn is_red_for(wanted: &[(&str, &str)], seen: &[(&str, &str, Verdict)]) -> bool {
    let as_wanted = |(variant, reason): &(&str, &str)| {
        let verdict = match *reason {
            "ok" => Verdict::Pass,
            _ => Verdict::Fail,
        };
        seen.contains(&(*variant, *reason, verdict))
    };
    wanted.len() == seen.len()
        && wanted.iter().all(as_wanted)
        && seen.iter().any(|(.., verdict)| *verdict == Verdict::Fail)
}

#[test]
fn every_cell_has_a_reason_and_no_other_has() {
    let catalogue = Catalogue::embedded().unwrap();
    let mut named = 0;
    for scenario in &catalogue.scenarios {
        for fault in &scenario.killed_by {
            assert!(
                reasons(&scenario.id, fault).is_some(),
                "{} {fault}",
                scenario.id
            );
            named += 1;
        }
    }
    assert_eq!(named, REASONS.len());
}

#[test]
fn a_cell_that_is_red_for_another_reason_is_wrong() {
    let wanted = [("3s", "ok"), ("10s", "stalled")];
    let passed = ("3s", "ok", Verdict::Pass);
    let stalled = ("10s", "stalled", Verdict::Fail);
    assert!(is_red_for(&wanted, &[passed, stalled]));
    assert!(!is_red_for(
        &wanted,
        &[passed, ("10s", "no-recovery", Verdict::Fail)]
    ));
    assert!(!is_red_for(
        &wanted,
        &[("3s", "stalled", Verdict::Fail), stalled]
    ));
    assert!(!is_red_for(&wanted, &[stalled]));
    assert!(!is_red_for(&[("", "ok")], &[("", "ok", Verdict::Pass)]));
}
