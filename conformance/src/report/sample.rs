//! A made-up run for the tests of reports: one scenario passes in one variant and fails in the other, one cannot be
//! decided, and the system under test sends text that would do harm if a report let it.

use std::path::PathBuf;

use testbed::evidence::{BusOutcome, Event, ExchangeOutcome, Part};

use super::Evidence;
use crate::check::judge;
use crate::check::tape::Tape;
use crate::scenario::{Catalogue, Given};
use crate::verdict::{RunResult, Verdict};

/// Text as a hostile system would send it.
pub(crate) const HOSTILE: &str =
    "</td><script>alert(1)</script><img src=x onerror=alert(2)>\u{1b}[2J]]>\u{202e}& \"'";

/// The built-in catalogue.
pub(crate) fn catalogue() -> Catalogue {
    Catalogue::embedded().unwrap()
}

/// REV-05 and REV-06, once passed (3s) and once failed (10s); COM-02 inconclusive.
pub(crate) fn mixed() -> (RunResult, Vec<Evidence>) {
    let catalogue = catalogue();
    let journals = [
        (
            "REV-05+REV-06.3s",
            vec!["REV-05", "REV-06"],
            Tape::slow_revocation("3s"),
        ),
        ("REV-05+REV-06.10s", vec!["REV-05", "REV-06"], stalled()),
        ("COM-02", vec!["COM-02"], broken_off()),
    ];
    let mut results = Vec::new();
    let mut evidence = Vec::new();
    for (name, ids, tape) in journals {
        for id in ids {
            results.push(judge(catalogue.scenario(id).unwrap(), &tape.entries));
        }
        evidence.push(Evidence {
            folder: PathBuf::from("provenett-runs/1").join(name),
            sha256: Some("ab".repeat(32)),
            entries: tape.entries,
        });
    }
    (RunResult::conclude(results, Vec::new()), evidence)
}

/// Only REV-05 and REV-06 in the variant 3s, both passed.
pub(crate) fn passed() -> (RunResult, Vec<Evidence>) {
    let (run, mut evidence) = mixed();
    let results: Vec<_> = run.scenarios.into_iter().take(2).collect();
    evidence.truncate(1);
    assert!(results.iter().all(|result| result.verdict == Verdict::Pass));
    (RunResult::conclude(results, Vec::new()), evidence)
}

fn stalled() -> Tape {
    let mut tape = Tape::started(&["REV-05", "REV-06"], Some("10s"));
    for entry in &mut tape.entries {
        if let Event::ScenarioStarted { sut_faults, .. } = &mut entry.event {
            sut_faults.push("crl-timeout-15s".to_owned());
        }
    }
    tape.baseline().install(Given::DelayStatus {
        delay: std::time::Duration::from_secs(10),
    });
    tape.record(
        Part::Sut,
        Event::SutOutput {
            stream: "stdout".into(),
            line: HOSTILE.into(),
        },
    );
    tape.step("cold", |tape| {
        let request = tape.pass(500).request();
        let list = tape.pass(50).ask_crl();
        tape.pass(10_000).answer_crl(list);
        tape.pass(50)
            .good_reply(&request)
            .settle(&request, BusOutcome::Accepted);
    });
    tape.pass(2000).step("warm", |tape| {
        let request = tape.request();
        tape.pass(100)
            .good_reply(&request)
            .settle(&request, BusOutcome::Accepted);
    });
    tape.removed("delay-status").recovery().end();
    tape
}

fn broken_off() -> Tape {
    let mut tape = Tape::started(&["COM-02"], None);
    tape.step("call", |tape| {
        let request = tape.pass(500).request();
        tape.refuse(&request, HOSTILE);
        tape.conclude(&request, ExchangeOutcome::ErrorReceived);
    });
    let length = tape.entries.len() - 3;
    tape.entries.truncate(length);
    tape
}
