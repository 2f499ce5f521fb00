//! `reply-settled`: the system under test settled helsenorge's reply to its own call.

use super::finding::{Seen, both, text};
use super::outbound::{Found, no_request};
use super::request_settled::{LIMIT, settled};
use super::view::View;
use crate::Text;

pub(super) fn expected() -> Text {
    let (nb, en) = both(LIMIT);
    text!(
        "Svaret fra helsenorge er kvittert med «accepted» innen {nb} etter levering.",
        "The reply from helsenorge is settled as accepted within {en} of its delivery."
    )
}

pub(super) fn judge(view: &View<'_>, step: &str) -> Seen {
    let call = match view.call(step, "run-komtest") {
        Ok(call) => call,
        Err(seen) => return seen,
    };
    let outbound = match view.outbound(step, &call) {
        Found::One(outbound) => outbound,
        other => return no_request(&other),
    };
    match view.reply_to(&outbound) {
        Some((_, reply)) => settled(view, reply),
        None => Seen::inconclusive(
            "no-reply-sent",
            text!(
                "helsenorge sendte ikke noe svar på denne forespørselen.",
                "helsenorge sent no reply to this request."
            ),
        )
        .with([outbound.received.n]),
    }
}
