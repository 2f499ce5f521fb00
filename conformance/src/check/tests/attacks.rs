//! Broken systems, drivers and runners that make everything look well, each of which once passed or would have. None may.

use serde_json::json;
use testbed::evidence::{BusMessage, BusOutcome, Event, ExchangeOutcome, Part, RevocationSource};

use super::*;
use crate::scenario::Act;

#[test]
fn a_driver_that_repeats_the_ids_of_an_earlier_call() {
    let result = run("REV-10", |tape| {
        let mut old = None;
        tape.step("fill-in", |tape| {
            let request = tape.request();
            let list = tape.ask_crl();
            tape.answer_crl(list)
                .good_reply(&request)
                .settle(&request, BusOutcome::Accepted);
        });
        tape.step("fill-out", |tape| old = Some(tape.good_call()));
        tape.step("offline", |tape| {
            tape.installed(Act::STATUS_REFUSED);
        });
        tape.step("in", |tape| {
            let request = tape.request();
            tape.good_reply(&request)
                .settle(&request, BusOutcome::Accepted);
        });
        tape.step("out", |tape| {
            let old = old.take().unwrap();
            let call = tape.asked("run-komtest", json!({}));
            tape.answered(
                "run-komtest",
                call,
                json!({ "outcome": "success", "message_id": old.message_id, "msg_id": old.msg_id }),
            );
        });
        tape.step("online", |tape| {
            tape.removed(Act::STATUS_REFUSED);
        });
    });
    fails(&result, "outbound-valid", "not-sent");
    fails(&result, "reports-success", "success-without-request");
}

#[test]
fn a_runner_that_does_not_change_the_ca_after_the_baseline() {
    let mut tape = Tape::started(&["REV-01"], None);
    tape.step("baseline", |tape| {
        let request = tape.request();
        let list = tape.ask_crl();
        tape.answer_crl(list).good_reply(&request);
    });
    tape.step("call", |tape| {
        let request = tape.request();
        tape.good_reply(&request)
            .settle(&request, BusOutcome::Accepted);
    });
    tape.recovery().pass(60_000).end();
    assert_eq!(judged("REV-01", &tape).reason_code, "cache-not-cold");
}

#[test]
fn a_runner_that_does_not_send_a_service_away() {
    let result = run("REV-09", |tape| {
        tape.step("call", |tape| {
            let request = tape.request();
            tape.pass(1000);
            let list = tape.ask_crl();
            tape.answer_crl(list)
                .good_reply(&request)
                .settle(&request, BusOutcome::Accepted);
        });
    });
    assert_eq!(result.reason_code, "fault-not-in-place");
    let away = run("ARG-03", |tape| {
        for step in ["warm", "down", "call", "up"] {
            tape.step(step, |tape| {
                if step == "down" {
                    tape.installed(Act::REGISTER_DOWN).pass(1000);
                }
                if matches!(step, "warm" | "call") {
                    for _ in 0..10 {
                        let request = tape.request();
                        tape.good_reply(&request)
                            .settle(&request, BusOutcome::Accepted);
                    }
                }
                if step == "call" {
                    let event = Event::HttpRequest {
                        request: 99_999,
                        peer: String::new(),
                        method: "POST".into(),
                        path: "/v1/AR/Basic".into(),
                        headers: vec![],
                        body: None,
                    };
                    tape.record(Part::Ar, event);
                }
            });
        }
    });
    assert_eq!(away.reason_code, "fault-not-in-place");
}

#[test]
fn a_restart_that_did_not_happen() {
    let result = run("COM-03", |tape| {
        tape.step("restart", |_| {}).step("first", |tape| {
            let request = tape.request();
            tape.good_reply(&request)
                .settle(&request, BusOutcome::Accepted);
        });
    });
    assert_eq!(
        (result.verdict, result.reason_code.as_str()),
        (Verdict::Inconclusive, "not-restarted")
    );
}

#[test]
fn an_execution_without_a_variant() {
    let mut tape = Tape::slow_revocation("3s");
    for entry in &mut tape.entries {
        if let Event::ScenarioStarted { parameters, .. } = &mut entry.event {
            parameters.remove("variant");
        }
    }
    assert_eq!(judged("REV-05", &tape).reason_code, "unknown-variant");
}

#[test]
fn a_system_that_answers_errors_into_another_queue() {
    let result = run("ERQ-04", |tape| {
        tape.step("bait", |tape| {
            for _ in 0..4 {
                let bait = tape.sent("bait", "8900011_error", None, None);
                tape.deliver(bait.message, 0)
                    .settle(&bait, BusOutcome::Accepted);
                let facts = BusMessage {
                    application: [("originalMessageId".to_owned(), bait.message_id.clone())].into(),
                    ..BusMessage::default()
                };
                tape.taken_from_sut("109989_async", facts);
            }
            tape.pass(61_000);
        });
    });
    fails(&result, "no-error-for-error", "error-loop");
}

#[test]
fn a_system_without_error_queue_never_proves_that_it_keeps_quiet() {
    let result = run("ERQ-04", |tape| {
        tape.step("bait", |tape| {
            let bait = tape.sent("bait", "8900011_error", None, None);
            tape.deliver(bait.message, 0).pass(61_000);
        });
    });
    finds(
        &result,
        "no-error-for-error",
        Verdict::Inconclusive,
        "bait-not-handled",
    );
}

#[test]
fn helsenorges_word_without_a_message_on_the_bus() {
    let result = run("COM-02", |tape| {
        tape.step("call", |tape| {
            let request = tape.request();
            tape.conclude(&request, ExchangeOutcome::RepliedOk)
                .settle(&request, BusOutcome::Accepted);
        });
    });
    finds(
        &result,
        "valid-reply",
        Verdict::Error,
        "evidence-contradictory",
    );
}

#[test]
fn a_later_fetch_without_the_fault_is_no_error_of_ours() {
    let mut tape = Tape::started(&["REV-05", "REV-06"], Some("10s"));
    tape.baseline().install(DELAY(10)).step("cold", |tape| {
        let request = tape.request();
        let list = tape.ask_crl();
        tape.pass(10_000)
            .answer_crl(list)
            .good_reply(&request)
            .settle(&request, BusOutcome::Accepted);
    });
    tape.step("warm", |tape| {
        let request = tape.request();
        tape.good_reply(&request)
            .settle(&request, BusOutcome::Accepted);
    });
    tape.removed("delay-status").step("recovery", |tape| {
        let request = tape.request();
        let status = tape.ask("fresh", RevocationSource::Ocsp, Some("ab01"));
        tape.answer(status, RevocationSource::Ocsp, Some("ab01"))
            .good_reply(&request);
    });
    tape.end();
    fails(&judged("REV-05", &tape), "outcome-below", "stalled");
}

#[test]
fn a_second_delivery_is_counted_from_its_own_beginning() {
    let result = run("COM-02", |tape| {
        tape.step("call", |tape| {
            let request = tape.request();
            tape.good_reply(&request)
                .pass(25_000)
                .settle(&request, BusOutcome::Lost);
            tape.deliver(request.message, 1)
                .pass(10_000)
                .settle_delivery(request.message, 1, BusOutcome::Accepted);
        });
    });
    passes(&result);
}

#[test]
fn a_reply_beside_an_error_message_is_told() {
    let result = run("COM-02", |tape| {
        tape.step("call", |tape| {
            let request = tape.request();
            tape.good_reply(&request)
                .error(Some(&request.message_id), Some("transport:internal-error"));
            tape.settle(&request, BusOutcome::Accepted);
        });
    });
    passes(&result);
    assert_eq!(check(&result, "valid-reply").recorded.len(), 1);
}

#[test]
fn a_system_that_refuses_everything_does_not_recover() {
    let mut tape = Tape::started(&["REV-02"], None);
    tape.baseline()
        .install(Given::RevokeSigner)
        .step("call", |tape| {
            let request = tape.request();
            tape.refuse(&request, "transport:revoked-certificate")
                .settle(&request, BusOutcome::Accepted);
        });
    tape.step("recovery", |tape| {
        let request = tape.request();
        tape.refuse(&request, "transport:revoked-certificate")
            .settle(&request, BusOutcome::Accepted)
            .pass(31_000);
    });
    tape.end();
    fails(&judged("REV-02", &tape), "recovery", "no-recovery");
}

/// Moves the last entry to the place of the first that fits, as if it had happened before it.
fn move_last_before(tape: &mut Tape, fits: impl Fn(&Event) -> bool) {
    let mut moved = tape.entries.pop().unwrap();
    let index = tape
        .entries
        .iter()
        .position(|entry| fits(&entry.event))
        .unwrap();
    moved.at_us = tape.entries[index].at_us;
    tape.entries.insert(index, moved);
    revocation::renumber(tape);
}

#[test]
fn a_message_before_the_request_is_no_reply_to_it() {
    let result = run("COM-02", |tape| {
        tape.step("call", |tape| {
            let request = tape.request();
            tape.reply_on_queue(&request);
            move_last_before(tape, |event| matches!(event, Event::HnSent { .. }));
            tape.conclude(&request, ExchangeOutcome::RepliedOk)
                .settle(&request, BusOutcome::Accepted);
        });
    });
    finds(
        &result,
        "valid-reply",
        Verdict::Error,
        "evidence-contradictory",
    );
}

#[test]
fn a_message_of_helsenorge_is_no_reply_of_the_system() {
    let result = run("COM-02", |tape| {
        tape.step("call", |tape| {
            let request = tape.request();
            tape.reply_on_queue(&request);
            if let Some(Event::BusReceived { user, .. }) =
                tape.entries.last_mut().map(|entry| &mut entry.event)
            {
                crate::check::tape::HN.clone_into(user);
            }
            tape.conclude(&request, ExchangeOutcome::RepliedOk)
                .settle(&request, BusOutcome::Accepted);
        });
    });
    finds(
        &result,
        "valid-reply",
        Verdict::Error,
        "evidence-contradictory",
    );
}

/// REV-10 in which the only status answer is the one that the test writes down; the system replies as if it were good.
fn with_status(status: impl FnOnce(&mut Tape)) -> ScenarioResult {
    run("REV-10", |tape| {
        tape.step("fill-in", |tape| {
            tape.ask_crl();
            status(tape);
        });
        for step in ["fill-out", "out"] {
            tape.step(step, |tape| {
                tape.good_call();
            });
            if step == "fill-out" {
                tape.step("offline", |tape| {
                    tape.installed(Act::STATUS_REFUSED);
                });
                tape.step("in", |tape| {
                    let request = tape.request();
                    tape.good_reply(&request)
                        .settle(&request, BusOutcome::Accepted);
                });
            }
        }
        tape.step("online", |_| {});
    })
}

#[test]
fn an_answer_that_says_nothing_is_no_status() {
    use testbed::evidence::RevocationStatus::{Good, List, Unknown, Unusable};
    let delivered = |ca: &str, status| {
        let ca = ca.to_owned();
        with_status(move |tape| {
            let source = RevocationSource::Crl;
            tape.record(
                Part::Buypass,
                Event::RevocationDelivered {
                    request: 1,
                    ca,
                    source,
                    serial: None,
                    status,
                },
            );
        })
    };
    finds(
        &delivered("fresh", List),
        "no-reply-without-status",
        Verdict::Pass,
        "ok",
    );
    finds(
        &delivered("fresh", Good),
        "no-reply-without-status",
        Verdict::Pass,
        "ok",
    );
    for (ca, status) in [("fresh", Unusable), ("fresh", Unknown), ("base", List)] {
        fails(
            &delivered(ca, status),
            "no-reply-without-status",
            "answered-without-status",
        );
    }
}

#[test]
fn a_status_after_the_reply_comes_too_late() {
    let mut tape = Tape::started(&["REV-05", "REV-06"], Some("10s"));
    tape.baseline().install(DELAY(10)).step("cold", |tape| {
        let request = tape.request();
        let list = tape.ask_crl();
        tape.pass(1000)
            .good_reply(&request)
            .settle(&request, BusOutcome::Accepted)
            .pass(9000)
            .answer_crl(list);
    });
    tape.step("warm", |tape| {
        let request = tape.request();
        tape.good_reply(&request)
            .settle(&request, BusOutcome::Accepted)
            .pass(10)
            .ask_crl();
    });
    tape.removed("delay-status").recovery().end();
    fails(
        &judged("REV-05", &tape),
        "no-reply-without-status",
        "answered-without-status",
    );
    // What begins after the reply is not part of the call.
    passes(&judged("REV-06", &tape));
}

#[test]
fn a_short_watch_does_not_prove_that_no_reply_came() {
    let mut tape = Tape::started(&["REV-09"], None);
    tape.baseline()
        .install(Given::RefuseStatus)
        .step("call", |tape| {
            let request = tape.request();
            tape.refuse(&request, "transport:revoked-certificate-offline")
                .settle(&request, BusOutcome::Accepted);
        });
    tape.removed("refuse-status").recovery().end();
    finds(
        &judged("REV-09", &tape),
        "refused-without-status",
        Verdict::Inconclusive,
        "watched-too-short",
    );
}

#[test]
fn a_fault_that_came_after_the_first_step_was_not_in_place() {
    let mut tape = Tape::started(&["REV-02"], None);
    tape.baseline().step("call", |tape| {
        let request = tape.request();
        tape.install(Given::RevokeSigner)
            .refuse(&request, "transport:revoked-certificate");
        tape.settle(&request, BusOutcome::Accepted);
    });
    tape.recovery().pass(60_000).end();
    assert_eq!(judged("REV-02", &tape).reason_code, "fault-not-installed");
}

#[test]
fn slow_baselines_and_slow_recoveries_count_as_none() {
    let slow = |baseline_ms: u64, recovery_ms: u64| {
        let mut tape = Tape::started(&["XML-01"], None);
        tape.step("baseline", |tape| {
            let request = tape.request();
            tape.pass(baseline_ms).good_reply(&request);
        });
        tape.step("call", |tape| {
            let request = tape.request();
            tape.refuse(&request, "transport:not-well-formed-xml")
                .settle(&request, BusOutcome::Accepted);
        });
        tape.step("recovery", |tape| {
            tape.pass(recovery_ms);
            let request = tape.request();
            tape.pass(100).good_reply(&request);
        });
        tape.pass(40_000).end();
        judged("XML-01", &tape)
    };
    passes(&slow(15_000, 29_000));
    assert_eq!(slow(15_001, 29_000).reason_code, "baseline");
    fails(&slow(100, 30_000), "recovery", "no-recovery");
}

#[test]
fn a_late_reply_that_is_settled_after_the_next_call_was_in_its_way() {
    let result = run("SYN-03", |tape| {
        let mut first = None;
        tape.step("first", |tape| {
            let call = tape.outbound();
            tape.pass(15_000).komtest_ended(&call, "timeout");
            first = Some(call);
        });
        let first = first.unwrap();
        let mut late = None;
        tape.step("late", |tape| {
            let reply = tape.hn_reply(&first);
            tape.deliver(reply.message, 0);
            late = Some(reply);
        });
        tape.step("second", |tape| {
            tape.good_call();
            tape.settle(&late.take().unwrap(), BusOutcome::Accepted);
        });
        tape.step("look", |tape| {
            let call = tape.asked("status", json!({ "msg_id": first.msg_id }));
            tape.answered("status", call, json!({ "state": "overdue" }));
        });
    });
    fails(&result, "late-reply-settled", "left-unsettled");
}

#[test]
fn a_timeout_that_is_reported_before_the_request_was_sent() {
    let result = run("SYN-01", |tape| {
        tape.step("call", |tape| {
            let call = tape.outbound();
            tape.komtest_ended(&call, "timeout");
            move_last_before(
                tape,
                |event| matches!(event, Event::BusReceived { queue: Some(queue), .. } if queue == "109989_sync"),
            );
        });
    });
    finds(
        &result,
        "times-out",
        Verdict::Inconclusive,
        "answer-before-request",
    );
}
