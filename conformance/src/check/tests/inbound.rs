//! Requests of helsenorge: replies, settlement, refusals.

use testbed::evidence::{BusOutcome, CheckOutcome, ExchangeOutcome};

use super::*;
use crate::check::tape::Letter;

/// A step in which helsenorge asks once and the system does what the test says.
fn call(id: &str, step: &str, act: impl FnOnce(&mut Tape, &Letter)) -> ScenarioResult {
    run(id, |tape| {
        tape.step(step, |tape| {
            let request = tape.request();
            act(tape.pass(300), &request);
        });
    })
}

#[test]
fn a_valid_reply_and_a_settled_request_pass() {
    let result = call("COM-02", "call", |tape, request| {
        tape.good_reply(request)
            .settle(request, BusOutcome::Accepted);
    });
    passes(&result);
    assert!(check(&result, "valid-reply").observed.nb.contains("0,30 s"));
    assert!(check(&result, "valid-reply").observed.en.contains("0.30 s"));
}

#[test]
fn no_reply_fails() {
    let result = call("COM-02", "call", |tape, request| {
        tape.settle(request, BusOutcome::Accepted)
            .pass(15_000)
            .conclude(request, ExchangeOutcome::TimedOut);
    });
    fails(&result, "valid-reply", "no-reply");
}

#[test]
fn a_reply_on_another_queue_is_found_and_named() {
    let result = call("COM-02", "call", |tape, request| {
        tape.reply_on("109989_syncreply", &request.correlation);
        tape.settle(request, BusOutcome::Accepted)
            .pass(15_000)
            .conclude(request, ExchangeOutcome::TimedOut);
    });
    fails(&result, "valid-reply", "wrong-queue");
    assert!(
        check(&result, "valid-reply")
            .observed
            .en
            .contains("109989_syncreply;")
    );
}

#[test]
fn a_reply_with_a_correlation_of_its_own_is_found_and_named() {
    let result = call("COM-02", "call", |tape, request| {
        tape.reply_on("109989_syncreply_1", "made-up");
        tape.settle(request, BusOutcome::Accepted)
            .pass(15_000)
            .conclude(request, ExchangeOutcome::TimedOut);
    });
    fails(&result, "valid-reply", "wrong-correlation");
    assert!(
        check(&result, "valid-reply")
            .observed
            .en
            .contains("made-up")
    );
}

#[test]
fn an_invalid_reply_names_the_failed_check() {
    let result = call("COM-02", "call", |tape, request| {
        let reply = tape.reply_on_queue(request);
        tape.hn_check(&reply, "V12", CheckOutcome::Failed)
            .conclude(request, ExchangeOutcome::RepliedInvalid);
        tape.settle(request, BusOutcome::Accepted);
    });
    fails(&result, "valid-reply", "invalid-reply");
    assert!(check(&result, "valid-reply").observed.en.contains("V12"));
}

#[test]
fn a_late_reply_is_called_late_whatever_helsenorge_calls_it() {
    for outcome in [ExchangeOutcome::TimedOut, ExchangeOutcome::RepliedInvalid] {
        let result = call("COM-02", "call", |tape, request| {
            let reply = tape.pass(16_000).reply_on_queue(request);
            tape.hn_check(&reply, "VR3", CheckOutcome::Failed)
                .conclude(request, outcome);
            tape.settle(request, BusOutcome::Accepted);
        });
        fails(&result, "valid-reply", "too-late");
    }
}

#[test]
fn a_request_that_is_never_settled_fails_only_after_the_time_is_over() {
    let result = call("COM-02", "call", |tape, request| {
        tape.good_reply(request);
    });
    fails(&result, "request-settled", "left-unsettled");
    let mut short = Tape::started(&["COM-02"], None);
    short.step("call", |tape| {
        let request = tape.request();
        tape.pass(300).good_reply(&request);
    });
    short.recovery().end();
    finds(
        &judged("COM-02", &short),
        "request-settled",
        Verdict::Inconclusive,
        "watched-too-short",
    );
}

#[test]
fn a_delivery_that_was_lost_with_its_link_may_be_settled_the_next_time() {
    let result = call("COM-02", "call", |tape, request| {
        tape.settle(request, BusOutcome::Lost)
            .deliver(request.message, 1)
            .good_reply(request);
        tape.settle_delivery(request.message, 1, BusOutcome::Accepted);
    });
    passes(&result);
    let result = call("COM-02", "call", |tape, request| {
        tape.good_reply(request).settle(request, BusOutcome::Lost);
    });
    fails(&result, "request-settled", "left-unsettled");
    let result = call("COM-02", "call", |tape, request| {
        tape.good_reply(request)
            .settle(request, BusOutcome::Released);
    });
    fails(&result, "request-settled", "not-accepted");
    let result = call("COM-02", "call", |tape, request| {
        tape.good_reply(request)
            .pass(31_000)
            .settle(request, BusOutcome::Accepted);
    });
    fails(&result, "request-settled", "settled-late");
}

#[test]
fn the_limit_itself_is_too_slow() {
    let after = |ms| {
        run("COM-03", |tape| {
            tape.step("restart", |tape| {
                tape.start_sut();
            })
            .step("first", |tape| {
                let request = tape.request();
                tape.pass(ms)
                    .good_reply(&request)
                    .settle(&request, BusOutcome::Accepted);
            });
        })
    };
    passes(&after(4999));
    fails(&after(5000), "valid-reply-below", "too-slow");
    fails(&after(6100), "valid-reply-below", "too-slow");
}

#[test]
fn ten_requests_need_ten_replies_of_their_own() {
    let burst = |act: &dyn Fn(&mut Tape, &[Letter])| {
        run("COM-05", |tape| {
            tape.step("burst", |tape| {
                let requests: Vec<Letter> = (0..10).map(|_| tape.request()).collect();
                act(tape.pass(500), &requests);
            });
        })
    };
    let all_but_swapped = |tape: &mut Tape, requests: &[Letter]| {
        for request in requests.iter().rev() {
            tape.pass(10)
                .good_reply(request)
                .settle(request, BusOutcome::Accepted);
        }
    };
    passes(&burst(&all_but_swapped));
    let one_missing = |tape: &mut Tape, requests: &[Letter]| {
        all_but_swapped(tape, &requests[1..]);
        tape.pass(15_000)
            .conclude(&requests[0], ExchangeOutcome::TimedOut);
    };
    let result = burst(&one_missing);
    fails(&result, "valid-reply", "no-reply");
    assert!(
        check(&result, "valid-reply")
            .recorded
            .iter()
            .any(|fact| fact.en == "9 of 10 replies are valid.")
    );
    let twice = |tape: &mut Tape, requests: &[Letter]| {
        all_but_swapped(tape, requests);
        tape.reply_on_queue(&requests[3]);
    };
    fails(&burst(&twice), "valid-reply", "more-than-one-reply");
    let nine = run("COM-05", |tape| {
        tape.step("burst", |tape| {
            for _ in 0..9 {
                let request = tape.request();
                tape.good_reply(&request);
            }
        });
    });
    finds(
        &nine,
        "valid-reply",
        Verdict::Inconclusive,
        "request-not-sent",
    );
}

#[test]
fn the_register_may_be_away_for_the_second_ten() {
    let result = |act: &dyn Fn(&mut Tape, &Letter)| {
        run("ARG-03", |tape| {
            for step in ["warm", "down", "call", "up"] {
                tape.step(step, |tape| {
                    if step == "down" {
                        tape.installed(crate::scenario::Act::REGISTER_DOWN);
                    }
                    let asks = if matches!(step, "warm" | "call") {
                        10
                    } else {
                        0
                    };
                    for _ in 0..asks {
                        let request = tape.pass(200).request();
                        act(tape.pass(50), &request);
                    }
                });
            }
        })
    };
    passes(&result(&|tape, request| {
        tape.good_reply(request)
            .settle(request, BusOutcome::Accepted);
    }));
    fails(
        &result(&|tape, request| {
            tape.refuse(request, "transport:internal-error")
                .settle(request, BusOutcome::Accepted);
        }),
        "valid-reply",
        "refused",
    );
}

#[test]
fn a_refusal_with_the_right_condition_passes() {
    for (id, condition) in [
        ("REV-02", "transport:revoked-certificate"),
        ("CRT-01", "transport:expired-certificate"),
        ("CRT-05", "transport:invalid-certificate"),
        ("XML-01", "transport:not-well-formed-xml"),
        ("XML-05", "abuse:spoofing-attack"),
    ] {
        let refused = |condition: &str| {
            call(id, "call", |tape, request| {
                tape.refuse(request, condition)
                    .settle(request, BusOutcome::Accepted);
            })
        };
        passes(&refused(condition));
        let other = refused("transport:internal-error");
        finds(&other, "refused", Verdict::Warning, "other-condition");
        assert_eq!(other.verdict, Verdict::Warning);
        fails(
            &refused("transport:whatever"),
            "refused",
            "unknown-condition",
        );
    }
}

#[test]
fn a_message_that_should_be_refused_must_have_no_effect() {
    let replied = call("REV-02", "call", |tape, request| {
        tape.good_reply(request)
            .settle(request, BusOutcome::Accepted);
    });
    fails(&replied, "refused", "took-effect");
    assert!(
        check(&replied, "refused").recorded[0]
            .en
            .contains("trust store")
    );
    let reported_and_replied = call("XML-05", "call", |tape, request| {
        tape.refuse(request, "abuse:spoofing-attack")
            .settle(request, BusOutcome::Accepted)
            .pass(20_000);
        tape.reply_on_queue(request);
    });
    fails(&reported_and_replied, "refused", "took-effect");
}

#[test]
fn a_refusal_has_to_be_told() {
    let dropped = call("XML-01", "call", |tape, request| {
        tape.settle(request, BusOutcome::Accepted)
            .pass(15_000)
            .conclude(request, ExchangeOutcome::TimedOut);
    });
    fails(&dropped, "refused", "not-reported");
    let late = call("XML-01", "call", |tape, request| {
        tape.settle(request, BusOutcome::Accepted)
            .pass(30_000)
            .refuse(request, "transport:not-well-formed-xml");
    });
    fails(&late, "refused", "not-reported");
    let unsettled = call("XML-01", "call", |tape, request| {
        tape.refuse(request, "transport:not-well-formed-xml");
    });
    fails(&unsettled, "refused", "left-unsettled");
    let about_another = call("XML-01", "call", |tape, request| {
        tape.error(Some("another"), Some("transport:not-well-formed-xml"))
            .settle(request, BusOutcome::Accepted);
    });
    fails(&about_another, "refused", "not-reported");
}

#[test]
fn any_refusal_of_an_unsigned_message_will_do() {
    for outcome in [
        BusOutcome::Rejected,
        BusOutcome::Released,
        BusOutcome::ModifiedFailed,
        BusOutcome::Modified,
    ] {
        passes(&call("CRT-08", "call", |tape, request| {
            tape.pass(60_000).settle(request, outcome);
        }));
    }
    passes(&call("CRT-08", "call", |tape, request| {
        tape.refuse(request, "transport:unsupported-message")
            .settle(request, BusOutcome::Accepted);
    }));
    passes(&call("CRT-08", "call", |tape, request| {
        tape.settle(request, BusOutcome::Lost)
            .dead_letter(request, "expired");
    }));
    // Held again after it was given back once: the system's own retry, not a message left lying.
    let mut retried = Tape::started(&["CRT-08"], None);
    retried.baseline().step("call", |tape| {
        let request = tape.request();
        tape.pass(60_000)
            .settle(&request, BusOutcome::ModifiedFailed)
            .deliver(request.message, 1);
    });
    retried.recovery().pass(20_000).end();
    passes(&judged("CRT-08", &retried));
    fails(
        &call("CRT-08", "call", |tape, request| {
            tape.settle(request, BusOutcome::Accepted);
        }),
        "refused",
        "silently-dropped",
    );
    fails(
        &call("CRT-08", "call", |_, _| {}),
        "refused",
        "left-unsettled",
    );
    fails(
        &call("CRT-08", "call", |tape, request| {
            tape.good_reply(request)
                .settle(request, BusOutcome::Accepted);
        }),
        "refused",
        "took-effect",
    );
}

#[test]
fn what_is_forbidden_is_watched_for_thirty_seconds() {
    let mut tape = Tape::started(&["XML-01"], None);
    tape.baseline().step("call", |tape| {
        let request = tape.request();
        tape.refuse(&request, "transport:not-well-formed-xml")
            .settle(&request, BusOutcome::Accepted);
    });
    tape.recovery().end();
    finds(
        &judged("XML-01", &tape),
        "refused",
        Verdict::Inconclusive,
        "watched-too-short",
    );
}

#[test]
fn an_error_message_for_an_error_message_is_counted() {
    let baited = |back: usize, read: bool| {
        run("ERQ-04", |tape| {
            tape.step("bait", |tape| {
                for index in 0..=back.min(3) {
                    let bait = tape.sent("bait", "8900011_error", None, None);
                    if read {
                        tape.deliver(bait.message, 0)
                            .settle(&bait, BusOutcome::Accepted);
                    }
                    if index < back {
                        tape.pass(100).error(
                            Some(&bait.message_id),
                            Some("transport:invalid-field-value"),
                        );
                    }
                }
                tape.pass(61_000);
            });
        })
    };
    passes(&baited(0, true));
    finds(
        &baited(1, true),
        "no-error-for-error",
        Verdict::Warning,
        "error-for-error",
    );
    finds(
        &baited(2, true),
        "no-error-for-error",
        Verdict::Warning,
        "error-for-error",
    );
    fails(&baited(3, true), "no-error-for-error", "error-loop");
    finds(
        &baited(0, false),
        "no-error-for-error",
        Verdict::Inconclusive,
        "bait-not-delivered",
    );
}

#[test]
fn silence_after_a_bait_must_last() {
    let mut tape = Tape::started(&["ERQ-04"], None);
    tape.baseline().step("bait", |tape| {
        let bait = tape.sent("bait", "8900011_error", None, None);
        tape.deliver(bait.message, 0)
            .settle(&bait, BusOutcome::Accepted);
    });
    tape.recovery().end();
    finds(
        &judged("ERQ-04", &tape),
        "no-error-for-error",
        Verdict::Inconclusive,
        "watched-too-short",
    );
}
