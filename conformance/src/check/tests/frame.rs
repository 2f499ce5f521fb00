//! The frame: baseline, recovery, completeness, and what never happens.

use proptest::prelude::*;
use testbed::evidence::{BusOutcome, Event, ExchangeOutcome, Part};

use super::revocation::renumber;
use super::*;

fn good(id: &str) -> Tape {
    tape(id, |tape| {
        tape.step("call", |tape| {
            let request = tape.request();
            tape.refuse(&request, "transport:not-well-formed-xml")
                .settle(&request, BusOutcome::Accepted);
        });
    })
}

#[test]
fn without_a_baseline_nothing_is_judged() {
    let mut tape = Tape::started(&["XML-01"], None);
    tape.step("baseline", |tape| {
        let request = tape.request_signed("aa01");
        tape.pass(15_000)
            .conclude(&request, ExchangeOutcome::TimedOut);
    });
    tape.step("call", |tape| {
        let request = tape.request();
        tape.good_reply(&request);
    });
    tape.recovery().pass(60_000).end();
    let result = judged("XML-01", &tape);
    assert_eq!(
        (result.verdict, result.reason_code.as_str()),
        (Verdict::Inconclusive, "baseline")
    );
    finds(&result, "refused", Verdict::Skipped, "baseline");
}

#[test]
fn a_driver_whose_own_call_fails_spoils_the_baseline() {
    let mut tape = Tape::started(&["XML-01"], None);
    tape.step("baseline", |tape| {
        let request = tape.request();
        tape.good_reply(&request);
        let call = tape.asked("run-komtest", serde_json::json!({}));
        tape.answered(
            "run-komtest",
            call,
            serde_json::json!({ "outcome": "error" }),
        );
    });
    tape.recovery().end();
    assert_eq!(judged("XML-01", &tape).reason_code, "baseline");
}

#[test]
fn no_recovery_fails_the_scenario() {
    let mut tape = good("XML-01");
    passes(&judged("XML-01", &tape));
    tape.entries
        .retain(|entry| entry.step.as_deref() != Some("recovery"));
    renumber(&mut tape);
    let result = judged("XML-01", &tape);
    finds(
        &result,
        "recovery",
        Verdict::Inconclusive,
        "no-recovery-probe",
    );
    let mut failing = Tape::started(&["COM-02"], None);
    failing.step("call", |tape| {
        let request = tape.request();
        tape.good_reply(&request)
            .settle(&request, BusOutcome::Accepted);
    });
    failing.step("recovery", |tape| {
        for _ in 0..2 {
            let request = tape.request();
            tape.pass(15_000)
                .conclude(&request, ExchangeOutcome::TimedOut);
        }
    });
    failing.end();
    fails(&judged("COM-02", &failing), "recovery", "no-recovery");
}

#[test]
fn a_journal_without_an_end_is_no_pass_and_a_failure_stays_one() {
    let mut tape = good("XML-01");
    tape.entries.pop();
    let result = judged("XML-01", &tape);
    assert_eq!(
        (result.verdict, result.reason_code.as_str()),
        (Verdict::Inconclusive, "cut-off")
    );
    let mut failed = Tape::started(&["XML-01"], None);
    failed.baseline().step("call", |tape| {
        let request = tape.request();
        tape.good_reply(&request);
    });
    fails(&judged("XML-01", &failed), "refused", "took-effect");
}

#[test]
fn a_run_that_was_cut_off_says_why() {
    let mut tape = good("XML-01");
    tape.entries.pop();
    let reason = "the system did not connect within 60 s";
    tape.record(
        Part::Runner,
        Event::ScenarioEnded {
            complete: false,
            reason: Some(reason.into()),
        },
    );
    let result = judged("XML-01", &tape);
    assert_eq!(result.reason_code, "not-carried-out");
    assert!(check(&result, "evidence").observed.en.contains(reason));
}

#[test]
fn a_step_that_we_could_not_carry_out_blames_nobody() {
    let mut tape = Tape::started(&["ARG-03"], None);
    tape.baseline()
        .step("warm", |_| {})
        .step_with("down", Some("the port was taken"), |_| {});
    tape.step("call", |tape| {
        for _ in 0..10 {
            let request = tape.request();
            tape.pass(15_000)
                .conclude(&request, ExchangeOutcome::TimedOut);
        }
    });
    tape.step("up", |_| {}).step("recovery", |tape| {
        let request = tape.request();
        tape.pass(61_000)
            .conclude(&request, ExchangeOutcome::TimedOut);
    });
    tape.end();
    let result = judged("ARG-03", &tape);
    assert_eq!(
        (result.verdict, result.reason_code.as_str()),
        (Verdict::Inconclusive, "step-not-carried-out")
    );
}

#[test]
fn a_damaged_or_foreign_journal_is_an_error() {
    let mut tape = good("XML-01");
    assert_eq!(judged("XML-05", &tape).reason_code, "not-in-evidence");
    tape.entries.remove(5);
    assert_eq!(judged("XML-01", &tape).reason_code, "evidence-damaged");
    assert_eq!(judged("XML-01", &Tape::default()).verdict, Verdict::Error);
    let mut future = good("XML-01");
    if let Event::ScenarioStarted { format, .. } = &mut future.entries[0].event {
        *format += 1;
    }
    assert_eq!(
        judged("XML-01", &future).reason_code,
        "unknown-evidence-format"
    );
}

#[test]
fn the_judge_gives_the_same_verdict_twice() {
    let tape = Tape::slow_revocation("10s");
    assert_eq!(judged("REV-05", &tape), judged("REV-05", &tape));
}

fn journals() -> Vec<Tape> {
    let ids: Vec<&str> = CATALOGUE
        .scenarios
        .iter()
        .map(|scenario| scenario.id.as_str())
        .collect();
    let mut all = Tape::started(&ids, Some("3s"));
    all.baseline();
    for given in [
        "delay-status",
        "refuse-status",
        "revoke-signer",
        "no-reply",
        "hold-reply",
    ] {
        all.installed(given);
    }
    for scenario in &CATALOGUE.scenarios {
        for step in &scenario.steps {
            all.step(&step.name, |tape| {
                let request = tape.request();
                let status = tape.ask_crl();
                tape.answer_crl(status)
                    .good_reply(&request)
                    .settle(&request, BusOutcome::Accepted);
                tape.installed(crate::scenario::Act::OUTAGE)
                    .removed(crate::scenario::Act::OUTAGE)
                    .attach(1, 2, "8900011_sync");
                let bait = tape.sent("bait", "8900011_error", None, None);
                tape.deliver(bait.message, 0)
                    .error(Some(&bait.message_id), None)
                    .close(1);
                let call = tape.good_call();
                tape.asked("status", serde_json::json!({ "msg_id": call.msg_id }));
            });
        }
    }
    all.recovery().pass(100_000).end();
    vec![all, Tape::slow_revocation("3s"), good("XML-01")]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_journal_makes_the_judge_panic(
        which in 0_usize..3,
        cut in 0_usize..400,
        drops in proptest::collection::vec(0_usize..400, 0..12),
        swaps in proptest::collection::vec((0_usize..400, 0_usize..400), 0..12),
        numbered in any::<bool>(),
    ) {
        let mut tape = journals().remove(which);
        for drop in drops {
            if drop < tape.entries.len() {
                tape.entries.remove(drop);
            }
        }
        let length = tape.entries.len().max(1);
        for (one, other) in swaps {
            if !tape.entries.is_empty() {
                tape.entries.swap(one % length, other % length);
            }
        }
        tape.entries.truncate(cut.max(1));
        if numbered {
            renumber(&mut tape);
            let mut times: Vec<u64> = tape.entries.iter().map(|entry| entry.at_us).collect();
            times.sort_unstable();
            for (entry, at) in tape.entries.iter_mut().zip(times) {
                entry.at_us = at;
            }
        }
        for scenario in &CATALOGUE.scenarios {
            let result = judge(scenario, &tape.entries);
            // Whatever happened to it, a verdict says why.
            prop_assert!(!result.reason_code.is_empty());
        }
    }

    #[test]
    fn cutting_a_good_journal_short_never_leaves_a_pass(at in 1_usize..60) {
        for id in ["REV-05", "REV-06"] {
            let mut tape = Tape::slow_revocation("3s");
            prop_assume!(at < tape.entries.len());
            tape.entries.truncate(at);
            prop_assert_ne!(judged(id, &tape).verdict, Verdict::Pass);
        }
    }
}

#[test]
fn what_is_recorded_behind_the_end_does_not_count() {
    let whole = Tape::slow_revocation("3s");
    let mut longer = Tape::slow_revocation("3s");
    longer.pass(10).step("cold", |tape| {
        let request = tape.request();
        tape.pass(10).good_reply(&request);
    });
    assert_eq!(judged("REV-05", &longer), judged("REV-05", &whole));
}
