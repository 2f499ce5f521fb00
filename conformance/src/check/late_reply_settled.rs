//! `late-reply-settled`: a reply that nobody waits for any more is taken off the queue (SYN-03).

use super::finding::{Seen, text};
use super::outbound::{Found, no_request};
use super::view::View;
use crate::Text;

pub(super) fn expected() -> Text {
    text!(
        "Svaret som kom for sent, er kvittert før det neste kallet er over.",
        "The late reply is settled before the next call is over."
    )
}

pub(super) fn judge(view: &View<'_>, step: &str, before: &str) -> Seen {
    let call = match view.call(step, "run-komtest") {
        Ok(call) => call,
        Err(seen) => return seen,
    };
    let outbound = match view.outbound(step, &call) {
        Found::One(outbound) => outbound,
        other => return no_request(&other).with([call.asked.n]),
    };
    let Some((sent, reply)) = view.reply_to(&outbound) else {
        return Seen::inconclusive(
            "no-late-reply",
            text!(
                "Det sene svaret ble aldri sendt.",
                "The late reply was never sent."
            ),
        )
        .with([outbound.received.n]);
    };
    let next = match view.call(before, "run-komtest") {
        Ok(next) => next,
        Err(seen) => return seen,
    };
    let Some((over, _)) = next.answer.filter(|(entry, _)| entry.n > reply.entry.n) else {
        return view.driver_failed(&next).unwrap_or_else(|| {
            Seen::inconclusive(
                "no-next-call",
                text!(
                    "Det neste kallet ble aldri ferdig.",
                    "The next call never ended."
                ),
            )
            .with([next.asked.n])
        });
    };
    let delivered = view
        .deliveries(reply.message)
        .into_iter()
        .find(|(entry, ..)| entry.n < over.n);
    let end = view
        .settlements(reply.message)
        .into_iter()
        .find(|end| end.is_terminal() && end.entry.n < over.n);
    match (delivered, end) {
        (_, Some(end)) => {
            let outcome = super::words::outcome(end.outcome);
            Seen::pass(text!("Kvittert: {outcome}.", "Settled: {outcome}."))
                .with([reply.entry.n, end.entry.n])
        }
        (Some((delivered, ..)), None) => Seen::fail(
            "left-unsettled",
            text!(
                "Levert, men ikke kvittert da det neste kallet var over.",
                "Delivered, but not settled when the next call was over."
            ),
        )
        .with([delivered.n, over.n]),
        (None, None) => Seen::fail(
            "left-in-queue",
            text!(
                "Svaret lå fortsatt i svarkøen da det neste kallet var over.",
                "The reply was still on the reply queue when the next call was over."
            ),
        )
        .with([sent.n, over.n]),
    }
}
