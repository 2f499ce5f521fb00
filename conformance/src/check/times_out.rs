//! `times-out`: a call without a reply ends as a timeout (SYN-01).

use std::time::Duration;

use super::finding::{Seen, both, text, watched_too_short};
use super::outbound::{Call, Found, Outbound, no_request};
use super::view::View;
use crate::Text;

pub(super) fn expected(within: Duration, deviation: Duration) -> Text {
    let ((nb, en), (late_nb, late_en)) = (both(within), both(deviation));
    text!(
        "Systemet melder tidsavbrudd innen {nb} etter at bussen tok imot forespørselen; inntil {late_nb} er et avvik.",
        "The system reports a timeout within {en} of the bus taking over its request; up to {late_en} is a deviation."
    )
}

pub(super) fn judge(view: &View<'_>, step: &str, within: Duration, deviation: Duration) -> Seen {
    let call = match view.call(step, "run-komtest") {
        Ok(call) => call,
        Err(seen) => return seen,
    };
    let outbound = match view.outbound(step, &call) {
        Found::One(outbound) => outbound,
        other => return no_request(&other).with([call.asked.n]),
    };
    let over = call.end().map_or(u64::MAX, |entry| entry.n);
    if let Some(reply) = view.replied_before(&outbound, over) {
        return Seen::error(
            "fault-not-in-place",
            text!(
                "helsenorge svarte, enda scenarioet sier at det ikke skal svare.",
                "helsenorge replied, although the scenario says that it shall not."
            ),
        )
        .with([reply.n]);
    }
    match call.answer {
        Some((answered, _)) => {
            reported(&call, &outbound, (within, deviation)).with([outbound.bus.entry.n, answered.n])
        }
        None => silent(view, &call, &outbound, deviation).with([outbound.bus.entry.n]),
    }
}

fn reported(
    call: &Call<'_>,
    outbound: &Outbound<'_>,
    (within, deviation): (Duration, Duration),
) -> Seen {
    let Some((answered, _)) = call.answer else {
        return watched_too_short();
    };
    if answered.n < outbound.bus.entry.n {
        return Seen::inconclusive(
            "answer-before-request",
            text!(
                "Driveren svarte før forespørselen var på bussen.",
                "The driver answered before the request was on the bus."
            ),
        );
    }
    let after = answered.at().saturating_sub(outbound.bus.entry.at());
    let (nb, en) = both(after);
    match call.outcome() {
        None => Seen::inconclusive(
            "answer-incomplete",
            text!(
                "Driverens svar mangler «outcome».",
                "The driver's answer lacks `outcome`."
            ),
        ),
        Some("timeout") if after <= within => Seen::pass(text!(
            "Tidsavbrudd meldt etter {nb}.",
            "Timeout reported after {en}."
        )),
        Some("timeout") if after <= deviation => Seen::warning(
            "late-timeout",
            text!(
                "Tidsavbrudd meldt først etter {nb}.",
                "Timeout reported only after {en}."
            ),
        ),
        Some("timeout") => Seen::fail(
            "no-timeout",
            text!(
                "Tidsavbrudd meldt først etter {nb}.",
                "Timeout reported only after {en}."
            ),
        ),
        Some("success") => Seen::fail(
            "success-without-reply",
            text!(
                "Systemet meldte suksess etter {nb}, enda ingen hadde svart.",
                "The system reported success after {en}, although nobody had replied."
            ),
        ),
        Some(other) => Seen::fail(
            "not-a-timeout",
            text!(
                "Systemet meldte «{other}» etter {nb}, ikke tidsavbrudd.",
                "The system reported `{other}` after {en}, not a timeout."
            ),
        ),
    }
}

fn silent(view: &View<'_>, call: &Call<'_>, outbound: &Outbound<'_>, deviation: Duration) -> Seen {
    if let Some(failed) = view.driver_failed(call) {
        return failed;
    }
    let limit = outbound.bus.entry.at() + deviation;
    let waited = call.silence.is_some_and(|entry| entry.at() >= limit);
    if !waited {
        return watched_too_short();
    }
    let (nb, en) = both(deviation);
    Seen::fail(
        "no-timeout",
        text!(
            "Systemet meldte ikke noe tidsavbrudd på {nb}.",
            "The system reported no timeout in {en}."
        ),
    )
}
