//! Calls of the system under test.

use serde_json::json;
use testbed::evidence::{BusOutcome, CheckOutcome, Event, Part};

use super::*;
use crate::check::tape::Letter;

fn com_01(act: impl FnOnce(&mut Tape)) -> ScenarioResult {
    run("COM-01", |tape| {
        tape.step("call", act);
    })
}

#[test]
fn a_good_call_passes() {
    passes(&com_01(|tape| {
        tape.good_call();
    }));
}

#[test]
fn a_failed_check_of_helsenorge_is_named() {
    let result = com_01(|tape| {
        let call = tape.outbound();
        tape.all_checks(&call)
            .hn_check(&call.message_id, "V12", CheckOutcome::Failed);
        tape.pass(15_000).komtest_ended(&call, "timeout");
    });
    fails(&result, "outbound-valid", "invalid-request");
    assert!(check(&result, "outbound-valid").observed.en.contains("V12"));
    finds(
        &result,
        "reply-settled",
        Verdict::Inconclusive,
        "no-reply-sent",
    );
    finds(&result, "reports-success", Verdict::Fail, "not-success");
}

#[test]
fn level_one_is_recorded_only_and_missing_checks_are_no_pass() {
    let with = |failed: &str, last: u32| {
        com_01(|tape| {
            let call = tape.outbound();
            for number in 1..=last {
                let name = format!("V{number:02}");
                let outcome = if name == failed {
                    CheckOutcome::Failed
                } else {
                    CheckOutcome::Passed
                };
                tape.hn_check(&call.message_id, &name, outcome);
            }
            let reply = tape.hn_reply(&call);
            tape.deliver(reply.message, 0)
                .settle(&reply, BusOutcome::Accepted)
                .komtest_ended(&call, "success");
        })
    };
    passes(&with("V16", 20));
    assert_eq!(check(&with("V16", 20), "outbound-valid").recorded.len(), 1);
    finds(
        &with("-", 14),
        "outbound-valid",
        Verdict::Inconclusive,
        "checks-incomplete",
    );
}

#[test]
fn a_reply_that_is_never_settled_fails() {
    let result = com_01(|tape| {
        let call = tape.outbound();
        tape.all_checks(&call);
        let reply = tape.hn_reply(&call);
        tape.deliver(reply.message, 0)
            .komtest_ended(&call, "success");
    });
    fails(&result, "reply-settled", "left-unsettled");
    let never_read = com_01(|tape| {
        let call = tape.outbound();
        tape.all_checks(&call).hn_reply(&call);
        tape.pass(20_000).komtest_ended(&call, "timeout");
    });
    fails(&never_read, "reply-settled", "not-read");
}

#[test]
fn success_without_the_reply_is_no_success() {
    let result = com_01(|tape| {
        let call = tape.outbound();
        tape.all_checks(&call).komtest_ended(&call, "success");
        let reply = tape.pass(500).hn_reply(&call);
        tape.deliver(reply.message, 0)
            .settle(&reply, BusOutcome::Accepted);
    });
    fails(&result, "reports-success", "success-without-reply");
    let nothing_sent = com_01(|tape| {
        let call = tape.asked("run-komtest", json!({}));
        tape.answered("run-komtest", call, json!({ "outcome": "success" }));
    });
    fails(&nothing_sent, "reports-success", "success-without-request");
    fails(&nothing_sent, "outbound-valid", "not-sent");
}

#[test]
fn a_missing_driver_is_said_and_nothing_else() {
    let result = com_01(|tape| {
        let call = tape.asked("run-komtest", json!({}));
        tape.unanswered(
            "run-komtest",
            call,
            "needs a driver: the program takes no verbs (see --sut-verbs)",
        );
    });
    assert_eq!(
        (result.verdict, result.reason_code.as_str()),
        (Verdict::Inconclusive, "needs-driver")
    );
    for name in ["outbound-valid", "reply-settled", "reports-success"] {
        finds(&result, name, Verdict::Inconclusive, "needs-driver");
    }
    let mut by_step = Tape::started(&["COM-01"], None);
    by_step
        .step_with("call", Some("needs a driver: none given"), |_| {})
        .recovery()
        .end();
    let result = judged("COM-01", &by_step);
    assert_eq!(
        (result.verdict, result.reason_code.as_str()),
        (Verdict::Inconclusive, "needs-driver")
    );
    finds(&result, "recovery", Verdict::Pass, "ok");
}

#[test]
fn a_driver_that_breaks_is_not_the_systems_failure() {
    let result = com_01(|tape| {
        let call = tape.asked("run-komtest", json!({}));
        tape.pass(50)
            .unanswered("run-komtest", call, "the program ended without an answer");
    });
    finds(
        &result,
        "reports-success",
        Verdict::Inconclusive,
        "driver-failed",
    );
    let crashed = com_01(|tape| {
        let call = tape.asked("run-komtest", json!({}));
        tape.pass(30_000).record(
            Part::Sut,
            Event::SutExited {
                pid: None,
                status: "1".into(),
                expected: false,
            },
        );
        tape.unanswered("run-komtest", call, "the program ended without an answer");
    });
    finds(
        &crashed,
        "reports-success",
        Verdict::Inconclusive,
        "driver-failed",
    );
}

#[test]
fn ids_decide_which_request_belongs_to_the_call() {
    let two = |named: bool| {
        com_01(|tape| {
            let other = tape.good_call();
            tape.entries.retain(|entry| {
                !matches!(&entry.event, Event::SutAsked { call, .. } | Event::SutAnswered { call, .. } if *call == other.call)
            });
            revocation::renumber(tape);
            let mine = tape.outbound();
            tape.all_checks(&mine);
            let reply = tape.hn_reply(&mine);
            tape.deliver(reply.message, 0)
                .settle(&reply, BusOutcome::Accepted);
            if named {
                tape.komtest_ended(&mine, "success");
            } else {
                tape.answered("run-komtest", mine.call, json!({ "outcome": "success" }));
            }
        })
    };
    passes(&two(true));
    // Without ids only what came after the question can be meant.
    passes(&two(false));
    let both_after = com_01(|tape| {
        let first = tape.outbound();
        let second = tape.outbound();
        tape.answered("run-komtest", first.call, json!({ "outcome": "success" }));
        tape.answered("run-komtest", second.call, json!({ "outcome": "success" }));
    });
    finds(
        &both_after,
        "reports-success",
        Verdict::Inconclusive,
        "ambiguous",
    );
}

fn syn_01(ms: u64, outcome: Option<&str>) -> ScenarioResult {
    run("SYN-01", |tape| {
        tape.step("call", |tape| {
            let call = tape.outbound();
            tape.all_checks(&call).pass(ms);
            match outcome {
                Some(outcome) => tape.komtest_ended(&call, outcome),
                None => tape.unanswered("run-komtest", call.call, "no answer within 75 s"),
            };
        });
    })
}

#[test]
fn a_call_without_reply_times_out_in_time() {
    passes(&syn_01(15_400, Some("timeout")));
    passes(&syn_01(20_000, Some("timeout")));
    finds(
        &syn_01(20_001, Some("timeout")),
        "times-out",
        Verdict::Warning,
        "late-timeout",
    );
    fails(&syn_01(60_001, Some("timeout")), "times-out", "no-timeout");
    fails(&syn_01(74_900, None), "times-out", "no-timeout");
    fails(
        &syn_01(15_000, Some("success")),
        "times-out",
        "success-without-reply",
    );
    fails(&syn_01(15_000, Some("error")), "times-out", "not-a-timeout");
    finds(
        &syn_01(40_000, None),
        "times-out",
        Verdict::Inconclusive,
        "watched-too-short",
    );
}

#[test]
fn a_reply_where_none_should_be_is_our_error() {
    let result = run("SYN-01", |tape| {
        tape.step("call", |tape| {
            tape.good_call();
        });
    });
    finds(&result, "times-out", Verdict::Error, "fault-not-in-place");
    let nothing_sent = run("SYN-01", |tape| {
        tape.step("call", |tape| {
            let call = tape.asked("run-komtest", json!({}));
            tape.answered("run-komtest", call, json!({ "outcome": "timeout" }));
        });
    });
    finds(
        &nothing_sent,
        "times-out",
        Verdict::Inconclusive,
        "no-request-seen",
    );
}

/// SYN-03: what the system does with the late reply, and what it says of the first call afterwards.
fn syn_03(
    late: &dyn Fn(&mut Tape, &Letter),
    state: serde_json::Value,
    second: &dyn Fn(&mut Tape),
) -> ScenarioResult {
    run("SYN-03", |tape| {
        let mut first = None;
        tape.step("first", |tape| {
            let call = tape.outbound();
            tape.all_checks(&call)
                .pass(15_000)
                .komtest_ended(&call, "timeout");
            first = Some(call);
        });
        let first = first.unwrap();
        tape.pass(5000).step("late", |tape| {
            let reply = tape.hn_reply(&first);
            late(tape, &reply);
        });
        tape.pass(5000).step("second", |tape| second(tape));
        tape.step("look", |tape| {
            let call = tape.asked("status", json!({ "msg_id": first.msg_id }));
            tape.answered("status", call, state);
        });
    })
}

fn settled(tape: &mut Tape, reply: &Letter) {
    tape.deliver(reply.message, 0)
        .settle(reply, BusOutcome::Accepted);
}

fn own_success(tape: &mut Tape) {
    tape.good_call();
}

#[test]
fn a_late_reply_is_taken_away_and_changes_nothing() {
    passes(&syn_03(
        &settled,
        json!({ "state": "overdue" }),
        &own_success,
    ));
    passes(&syn_03(
        &settled,
        json!({ "state": "unknown", "acknowledged": "none" }),
        &own_success,
    ));
    let shown = syn_03(&settled, json!({ "state": "processed" }), &own_success);
    fails(&shown, "not-shown-as-success", "shown-as-success");
    let shown = syn_03(
        &settled,
        json!({ "state": "overdue", "acknowledged": "positive" }),
        &own_success,
    );
    fails(&shown, "not-shown-as-success", "shown-as-success");
    let silent = syn_03(&settled, json!({}), &own_success);
    finds(
        &silent,
        "not-shown-as-success",
        Verdict::Inconclusive,
        "answer-incomplete",
    );
}

#[test]
fn a_late_reply_that_is_left_lying_fails() {
    let unsettled = |tape: &mut Tape, reply: &Letter| {
        tape.deliver(reply.message, 0);
    };
    fails(
        &syn_03(&unsettled, json!({ "state": "overdue" }), &own_success),
        "late-reply-settled",
        "left-unsettled",
    );
    let unread = |_: &mut Tape, _: &Letter| {};
    fails(
        &syn_03(&unread, json!({ "state": "overdue" }), &own_success),
        "late-reply-settled",
        "left-in-queue",
    );
}

#[test]
fn the_late_reply_is_not_the_next_calls_reply() {
    let stolen = |tape: &mut Tape| {
        let call = tape.outbound();
        tape.all_checks(&call).komtest_ended(&call, "success");
        tape.pass(100).hn_reply(&call);
    };
    let result = syn_03(&settled, json!({ "state": "overdue" }), &stolen);
    fails(&result, "reports-success", "success-without-reply");
}
