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
