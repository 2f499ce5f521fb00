//! `outbound-valid`: helsenorge's ordered checks of the request that the system under test sent (contract 03 section 1.6).

use std::time::Duration;

use testbed::evidence::{CheckOutcome, Event};

use super::finding::{Seen, text, watched_too_short};
use super::outbound::{Found, Outbound, no_request};
use super::view::View;
use crate::Text;

/// The checks that have to be seen as passed; V16 and V20 are recorded only.
const NEEDED: [&str; 18] = [
    "V01", "V02", "V03", "V04", "V05", "V06", "V07", "V08", "V09", "V10", "V11", "V12", "V13",
    "V14", "V15", "V17", "V18", "V19",
];
const RECORDED: [&str; 2] = ["V16", "V20"];
/// How long a call may take until its request is on the bus.
const SENT: Duration = Duration::from_secs(30);

pub(super) fn expected() -> Text {
    text!(
        "Forespørselen består kontrollene V01-V19 (V16 og V20 blir bare notert).",
        "The request passes the checks V01-V19 (V16 and V20 are recorded only)."
    )
}

pub(super) fn judge(view: &View<'_>, step: &str) -> Seen {
    let call = match view.call(step, "run-komtest") {
        Ok(call) => call,
        Err(seen) => return seen,
    };
    let outbound = match view.outbound(step, &call) {
        Found::One(outbound) => outbound,
        Found::None => {
            if let Some(failed) = view.driver_failed(&call) {
                return failed;
            }
            return match &call.answer {
                Some(_) => not_sent(
                    call.outcome().unwrap_or("-"),
                    call.field("text").unwrap_or(""),
                ),
                None if view.watched(call.asked.at() + SENT) => not_sent("-", ""),
                None => watched_too_short(),
            }
            .with([call.asked.n]);
        }
        several @ Found::Several(_) => return no_request(&several),
    };
    checks(view, &outbound)
}

fn not_sent(outcome: &str, said: &str) -> Seen {
    Seen::fail(
        "not-sent",
        text!(
            "Ingen forespørsel nådde helsenorge. Driveren sa: {outcome} {said}",
            "No request reached helsenorge. The driver said: {outcome} {said}"
        ),
    )
}

fn checks(view: &View<'_>, outbound: &Outbound<'_>) -> Seen {
    let made: Vec<(u64, &str, CheckOutcome, &str)> = view
        .entries
        .iter()
        .filter_map(|entry| match &entry.event {
            Event::HnCheck {
                message_id,
                check,
                outcome,
                detail,
                ..
            } if message_id.is_some() && message_id.as_deref() == outbound.message_id => {
                Some((entry.n, check.as_str(), *outcome, detail.as_str()))
            }
            _ => None,
        })
        .collect();
    let failed = made.iter().find(|(_, check, outcome, _)| {
        *outcome == CheckOutcome::Failed && !RECORDED.contains(check)
    });
    let start = [outbound.bus.entry.n, outbound.received.n];
    if let Some((n, check, _, detail)) = failed {
        return Seen::fail(
            "invalid-request",
            text!(
                "Kontroll {check} feilet: {detail}",
                "Check {check} failed: {detail}"
            ),
        )
        .with(start)
        .with([*n]);
    }
    let missing: Vec<&str> = NEEDED
        .into_iter()
        .filter(|needed| !made.iter().any(|(_, check, ..)| check == needed))
        .collect();
    if !missing.is_empty() {
        let missing = missing.join(", ");
        return Seen::inconclusive(
            "checks-incomplete",
            text!(
                "helsenorge gjorde ikke alle kontrollene; {missing} mangler.",
                "helsenorge did not make all checks; {missing} are missing."
            ),
        )
        .with(start);
    }
    let number = NEEDED.len();
    let mut seen = Seen::pass(text!(
        "{number} kontroller bestått.",
        "{number} checks passed."
    ))
    .with(start)
    .with(made.iter().map(|(n, ..)| *n));
    for (_, check, _, detail) in made
        .iter()
        .filter(|(_, _, outcome, _)| *outcome != CheckOutcome::Passed)
    {
        seen = seen.recording(text!("{check}: {detail}", "{check}: {detail}"));
    }
    seen
}
