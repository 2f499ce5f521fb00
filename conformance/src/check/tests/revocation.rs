//! Revocation: asked at all, in time, and kept.

use testbed::evidence::{BusOutcome, Event, ExchangeOutcome, Part, RevocationSource};

use super::*;

/// REV-05 and REV-06 in one execution with a delay of 10 s.
fn slow(cold: impl FnOnce(&mut Tape), warm: impl FnOnce(&mut Tape)) -> [ScenarioResult; 2] {
    let mut tape = Tape::started(&["REV-05", "REV-06"], Some("10s"));
    tape.baseline()
        .install(DELAY(10))
        .pass(500)
        .step("cold", cold)
        .pass(2000)
        .step("warm", warm);
    tape.removed("delay-status").recovery().pass(60_000).end();
    [judged("REV-05", &tape), judged("REV-06", &tape)]
}

fn refused_then_downloaded(tape: &mut Tape) {
    let request = tape.request();
    let list = tape.ask_crl();
    tape.pass(1000)
        .refuse(&request, "transport:revoked-certificate-offline")
        .settle(&request, BusOutcome::Accepted);
    tape.pass(9000).answer_crl(list);
}

fn answered_at_once(tape: &mut Tape) {
    let request = tape.request();
    tape.pass(100)
        .good_reply(&request)
        .settle(&request, BusOutcome::Accepted);
}

#[test]
fn a_quick_refusal_and_a_quick_second_reply_pass() {
    for variant in ["3s", "10s"] {
        let tape = Tape::slow_revocation(variant);
        for id in ["REV-05", "REV-06"] {
            let result = judged(id, &tape);
            passes(&result);
            assert_eq!(result.label(), format!("{id} ({variant})"));
        }
        let result = judged("REV-05", &tape);
        let facts = &check(&result, "outcome-below").recorded;
        assert!(
            facts
                .iter()
                .any(|fact| fact.en.contains("refused-first-call")),
            "{facts:?}"
        );
    }
}

#[test]
fn waiting_for_the_list_is_a_stall() {
    let [first, second] = slow(
        |tape| {
            let request = tape.request();
            let list = tape.pass(30).ask_crl();
            tape.pass(10_000)
                .answer_crl(list)
                .pass(50)
                .good_reply(&request);
            tape.settle(&request, BusOutcome::Accepted);
        },
        answered_at_once,
    );
    fails(&first, "outcome-below", "stalled");
    assert!(
        check(&first, "outcome-below")
            .observed
            .nb
            .contains("10,08 s"),
        "{first:#?}"
    );
    finds(&first, "no-reply-without-status", Verdict::Pass, "ok");
    passes(&second);
}

#[test]
fn a_call_without_any_outcome_is_a_stall() {
    let [first, _] = slow(
        |tape| {
            let request = tape.request();
            tape.ask_crl();
            tape.pass(15_000)
                .conclude(&request, ExchangeOutcome::TimedOut)
                .pass(20_000);
        },
        answered_at_once,
    );
    fails(&first, "outcome-below", "stalled");
}

#[test]
fn giving_the_message_back_is_an_outcome() {
    let given_back = |outcome| {
        slow(
            |tape| {
                let request = tape.request();
                let list = tape.ask_crl();
                tape.pass(2000)
                    .settle(&request, outcome)
                    .pass(8000)
                    .answer_crl(list);
                tape.pass(5000)
                    .conclude(&request, ExchangeOutcome::TimedOut);
            },
            answered_at_once,
        )
    };
    for outcome in [
        BusOutcome::Modified,
        BusOutcome::Released,
        BusOutcome::Rejected,
        BusOutcome::ModifiedFailed,
    ] {
        passes(&given_back(outcome)[0]);
    }
    for outcome in [BusOutcome::Accepted, BusOutcome::Lost] {
        fails(&given_back(outcome)[0], "outcome-below", "stalled");
    }
}

#[test]
fn replying_before_the_status_fails() {
    let [first, second] = slow(
        |tape| {
            let request = tape.request();
            tape.ask_crl();
            tape.pass(1100)
                .good_reply(&request)
                .settle(&request, BusOutcome::Accepted)
                .pass(20_000);
        },
        answered_at_once,
    );
    finds(&first, "outcome-below", Verdict::Pass, "ok");
    fails(&first, "no-reply-without-status", "answered-without-status");
    fails(
        &second,
        "no-reply-without-status",
        "answered-without-status",
    );
}

#[test]
fn without_any_fetch_nothing_is_claimed() {
    let [first, second] = slow(answered_at_once, answered_at_once);
    finds(
        &first,
        "outcome-below",
        Verdict::Inconclusive,
        "cache-state-unknown",
    );
    assert_eq!(first.verdict, Verdict::Inconclusive);
    finds(
        &second,
        "no-reply-without-status",
        Verdict::Inconclusive,
        "cache-state-unknown",
    );
    assert_eq!(second.verdict, Verdict::Inconclusive);
}

#[test]
fn asking_about_another_certificate_counts_for_nothing() {
    let [first, _] = slow(
        |tape| {
            let request = tape.request();
            let status = tape.ask("fresh", RevocationSource::Ocsp, Some("ab02"));
            tape.ask("base", RevocationSource::Crl, None);
            tape.pass(1000)
                .good_reply(&request)
                .settle(&request, BusOutcome::Accepted);
            tape.pass(10_000)
                .answer(status, RevocationSource::Ocsp, Some("ab02"));
        },
        answered_at_once,
    );
    finds(
        &first,
        "outcome-below",
        Verdict::Inconclusive,
        "cache-state-unknown",
    );
}

#[test]
fn a_delay_that_was_not_there_is_our_error() {
    let [first, _] = slow(
        |tape| {
            let request = tape.request();
            let list = tape.ask_crl();
            tape.pass(20)
                .answer_crl(list)
                .good_reply(&request)
                .settle(&request, BusOutcome::Accepted);
        },
        answered_at_once,
    );
    finds(
        &first,
        "outcome-below",
        Verdict::Error,
        "fault-not-in-place",
    );
    assert_eq!(first.verdict, Verdict::Error);
    let mut tape = Tape::slow_revocation("10s");
    tape.entries
        .retain(|entry| !matches!(entry.event, Event::FaultInstalled { .. }));
    renumber(&mut tape);
    assert_eq!(judged("REV-06", &tape).verdict, Verdict::Inconclusive);
}

pub(super) fn renumber(tape: &mut Tape) {
    for (entry, n) in tape.entries.iter_mut().zip(1..) {
        entry.n = n;
    }
}

#[test]
fn a_list_that_is_thrown_away_fails_the_second_call() {
    let [first, second] = slow(
        |tape| {
            let request = tape.request();
            let list = tape.ask_crl();
            tape.pass(1000)
                .hang_up(list)
                .refuse(&request, "transport:revoked-certificate-offline");
            tape.settle(&request, BusOutcome::Accepted);
        },
        |tape| {
            let request = tape.request();
            let list = tape.ask_crl();
            tape.pass(1000)
                .hang_up(list)
                .refuse(&request, "transport:revoked-certificate-offline");
            tape.settle(&request, BusOutcome::Accepted);
        },
    );
    passes(&first);
    assert!(
        check(&first, "outcome-below")
            .recorded
            .iter()
            .any(|fact| fact.en.contains("limit of 1 s"))
    );
    fails(&second, "valid-reply-below", "calls-keep-failing");
    fails(&second, "no-new-download", "crl-not-cached");
}

#[test]
fn a_new_download_in_a_good_second_call_fails() {
    let again = |headers: Vec<(String, String)>, source| {
        slow(refused_then_downloaded, move |tape| {
            let request = tape.request();
            tape.ask("fresh", source, Some("ab01"));
            let asked = tape.entries.len() - 2;
            if let Event::HttpRequest { headers: sent, .. } = &mut tape.entries[asked].event {
                *sent = headers;
            }
            tape.pass(100)
                .good_reply(&request)
                .settle(&request, BusOutcome::Accepted);
        })
    };
    fails(
        &again(vec![], RevocationSource::Crl)[1],
        "no-new-download",
        "crl-not-cached",
    );
    passes(
        &again(
            vec![("if-none-match".into(), "\"1\"".into())],
            RevocationSource::Crl,
        )[1],
    );
    let [_, ocsp] = again(vec![], RevocationSource::Ocsp);
    passes(&ocsp);
    assert_eq!(check(&ocsp, "no-new-download").recorded.len(), 1);
}

#[test]
fn a_slow_second_call_keeps_failing() {
    let [_, second] = slow(refused_then_downloaded, |tape| {
        let request = tape.request();
        tape.pass(5000)
            .good_reply(&request)
            .settle(&request, BusOutcome::Accepted);
    });
    fails(&second, "valid-reply-below", "calls-keep-failing");
}

#[test]
fn a_status_has_to_be_asked_for() {
    let good = |asks: bool| {
        run("REV-01", |tape| {
            tape.step("call", |tape| {
                let request = tape.request();
                if asks {
                    let status = tape.ask("fresh", RevocationSource::Ocsp, Some("AB01"));
                    tape.answer(status, RevocationSource::Ocsp, Some("AB01"));
                }
                tape.pass(100)
                    .good_reply(&request)
                    .settle(&request, BusOutcome::Accepted);
            });
        })
    };
    passes(&good(true));
    fails(&good(false), "status-asked", "answered-without-asking");
    let afterwards = run("REV-01", |tape| {
        tape.step("call", |tape| {
            let request = tape.request();
            tape.pass(100)
                .good_reply(&request)
                .settle(&request, BusOutcome::Accepted)
                .ask_crl();
        });
    });
    fails(&afterwards, "status-asked", "answered-without-asking");
}

#[test]
fn with_the_service_down_the_message_is_given_back_or_reported() {
    let offline = |act: &dyn Fn(&mut Tape, &crate::check::tape::Letter)| {
        run("REV-09", |tape| {
            tape.step("call", |tape| {
                let request = tape.request();
                act(tape.pass(200), &request);
            });
        })
    };
    for condition in [
        "revoked-certificate-offline",
        "revoked-certificate",
        "invalid-certificate",
    ] {
        passes(&offline(&|tape, request| {
            tape.refuse(request, &format!("transport:{condition}"))
                .settle(request, BusOutcome::Accepted);
        }));
    }
    passes(&offline(&|tape, request| {
        tape.pass(119_000)
            .settle(request, BusOutcome::ModifiedFailed);
    }));
    fails(
        &offline(&|tape, request| {
            tape.pass(121_000)
                .settle(request, BusOutcome::ModifiedFailed);
        }),
        "refused-without-status",
        "too-late",
    );
    let other = offline(&|tape, request| {
        tape.refuse(request, "transport:internal-error")
            .settle(request, BusOutcome::Accepted);
    });
    finds(
        &other,
        "refused-without-status",
        Verdict::Warning,
        "other-condition",
    );
    for (outcome, reason) in [
        (BusOutcome::Accepted, "silently-dropped"),
        (BusOutcome::Rejected, "rejected"),
        (BusOutcome::Lost, "left-unsettled"),
    ] {
        fails(
            &offline(&|tape, request| {
                tape.settle(request, outcome);
            }),
            "refused-without-status",
            reason,
        );
    }
    fails(
        &offline(&|tape, request| {
            tape.good_reply(request)
                .settle(request, BusOutcome::Accepted);
        }),
        "refused-without-status",
        "answered-without-status",
    );
    fails(
        &offline(&|tape, request| {
            tape.settle(request, BusOutcome::Released)
                .pass(16_000)
                .conclude(request, ExchangeOutcome::TimedOut);
            tape.reply_on_queue(request);
        }),
        "refused-without-status",
        "answered-without-status",
    );
}

#[test]
fn a_fresh_list_carries_through_an_outage() {
    let steps = |cached: bool, out: &str| {
        run("REV-10", |tape| {
            tape.step("fill-in", |tape| {
                let request = tape.request();
                let list = tape.ask_crl();
                tape.answer_crl(list)
                    .good_reply(&request)
                    .settle(&request, BusOutcome::Accepted);
            });
            tape.step("fill-out", |tape| {
                tape.good_call();
            });
            tape.step("offline", |tape| {
                tape.installed(crate::scenario::Act::STATUS_REFUSED);
            });
            tape.step("in", |tape| {
                let request = tape.request();
                if cached {
                    tape.good_reply(&request);
                } else {
                    tape.refuse(&request, "transport:revoked-certificate-offline");
                }
                tape.settle(&request, BusOutcome::Accepted);
            });
            tape.step("out", |tape| {
                if out == "success" {
                    tape.good_call();
                } else {
                    let call = tape.asked("run-komtest", serde_json::json!({}));
                    tape.answered("run-komtest", call, serde_json::json!({ "outcome": out }));
                }
            });
            tape.step("online", |tape| {
                tape.removed(crate::scenario::Act::STATUS_REFUSED);
            });
        })
    };
    passes(&steps(true, "success"));
    let refusing = steps(false, "refused");
    fails(&refusing, "valid-reply", "refused");
    finds(&refusing, "outbound-valid", Verdict::Fail, "not-sent");
    finds(&refusing, "reports-success", Verdict::Fail, "not-success");
}

#[test]
fn a_signer_that_the_journal_does_not_know_is_our_error() {
    let result = run("REV-01", |tape| {
        tape.step("call", |tape| {
            let request = tape.request_signed("ffff");
            tape.good_reply(&request)
                .settle(&request, BusOutcome::Accepted);
            tape.record(
                Part::Runner,
                Event::Note {
                    text: String::new(),
                },
            );
        });
    });
    finds(&result, "status-asked", Verdict::Error, "signer-unknown");
}
