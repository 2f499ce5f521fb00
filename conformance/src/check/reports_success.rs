//! `reports-success`: the driver reported success, and the reply to its own request was there by then.

use super::finding::{Seen, text};
use super::outbound::{Found, no_request};
use super::view::View;
use crate::Text;

pub(super) fn expected() -> Text {
    text!(
        "Systemet melder suksess etter å ha fått svaret på sin egen forespørsel.",
        "The system reports success after it has got the reply to its own request."
    )
}

pub(super) fn judge(view: &View<'_>, step: &str) -> Seen {
    let call = match view.call(step, "run-komtest") {
        Ok(call) => call,
        Err(seen) => return seen,
    };
    let Some((answered, _)) = call.answer else {
        return view.driver_failed(&call).unwrap_or_else(|| {
            Seen::fail(
                "no-answer",
                text!("Systemet meldte ingenting.", "The system reported nothing."),
            )
            .with([call.asked.n])
            .with(call.silence.map(|entry| entry.n))
        });
    };
    let said = call.field("text").unwrap_or("");
    match call.outcome() {
        None => {
            return Seen::inconclusive(
                "answer-incomplete",
                text!(
                    "Driverens svar mangler «outcome».",
                    "The driver's answer lacks `outcome`."
                ),
            )
            .with([answered.n]);
        }
        Some("success") => {}
        Some(outcome) => {
            return Seen::fail(
                "not-success",
                text!(
                    "Systemet meldte: {outcome} {said}",
                    "The system reported: {outcome} {said}"
                ),
            )
            .with([call.asked.n, answered.n]);
        }
    }
    let outbound = match view.outbound(step, &call) {
        Found::One(outbound) => outbound,
        Found::None => {
            return Seen::fail(
                "success-without-request",
                text!(
                    "Systemet meldte suksess, men ingen forespørsel nådde helsenorge.",
                    "The system reported success, but no request reached helsenorge."
                ),
            )
            .with([call.asked.n, answered.n]);
        }
        several @ Found::Several(_) => return no_request(&several),
    };
    let delivered = view
        .reply_to(&outbound)
        .and_then(|(_, reply)| view.deliveries(reply.message).first().copied())
        .filter(|(entry, ..)| entry.n < answered.n);
    match delivered {
        Some((entry, ..)) => Seen::pass(text!(
            "Suksess meldt etter at svaret var levert.",
            "Success reported after the reply had been delivered."
        ))
        .with([outbound.bus.entry.n, entry.n, answered.n]),
        None => Seen::fail(
            "success-without-reply",
            text!(
                "Systemet meldte suksess uten å ha fått svaret på denne forespørselen.",
                "The system reported success without having got the reply to this request."
            ),
        )
        .with([outbound.bus.entry.n, answered.n]),
    }
}
