//! `not-shown-as-success`: a call that timed out stays a failure when its reply comes late (SYN-03).

use super::finding::{Seen, text};
use super::outbound::{Found, Outbound, no_request};
use super::view::View;
use crate::Text;

/// States of a message that tell a user that all is well.
const WELL: [&str; 3] = ["received", "processed", "partly"];

pub(super) fn expected() -> Text {
    text!(
        "Kallet som ble avbrutt, vises ikke som vellykket etter at svaret kom for sent.",
        "The call that timed out is not shown as a success after its reply came late."
    )
}

pub(super) fn judge(view: &View<'_>, step: &str, status: &str) -> Seen {
    let call = match view.call(step, "run-komtest") {
        Ok(call) => call,
        Err(seen) => return seen,
    };
    let outbound = match view.outbound(step, &call) {
        Found::One(outbound) => outbound,
        other => return no_request(&other).with([call.asked.n]),
    };
    let over = call.end().map_or(0, |entry| entry.n);
    if let Some(reply) = view.replied_before(&outbound, over) {
        return Seen::error(
            "fault-not-in-place",
            text!(
                "helsenorge svarte før kallet var over, så svaret kom ikke for sent.",
                "helsenorge replied before the call was over, so the reply was not late."
            ),
        )
        .with([reply.n]);
    }
    if call.outcome() == Some("success") {
        return shown("success")
            .with(call.answer.map(|(entry, _)| entry.n))
            .with([outbound.bus.entry.n]);
    }
    let look = match view.call(status, "status") {
        Ok(look) => look,
        Err(seen) => return seen,
    };
    match view.reply_to(&outbound) {
        Some((sent, _)) if sent.n < look.asked.n => {}
        _ => {
            return Seen::inconclusive(
                "no-late-reply",
                text!(
                    "Det sene svaret ble aldri sendt.",
                    "The late reply was never sent."
                ),
            )
            .with([outbound.received.n]);
        }
    }
    later(&look, &outbound).with([outbound.bus.entry.n, look.asked.n])
}

fn later(look: &super::outbound::Call<'_>, outbound: &Outbound<'_>) -> Seen {
    let asked_for = look.arguments.get("msg_id").and_then(|id| id.as_str());
    if asked_for.is_none() || asked_for != outbound.msg_id {
        return Seen::inconclusive(
            "asked-for-another",
            text!(
                "Tilstanden ble spurt etter for en annen melding enn den som gjaldt.",
                "The state was asked for another message than the one concerned."
            ),
        );
    }
    let Some((answered, _)) = look.answer else {
        return Seen::inconclusive(
            "driver-failed",
            text!(
                "Driveren svarte ikke på «status».",
                "The driver did not answer `status`."
            ),
        );
    };
    match (look.field("state"), look.field("acknowledged")) {
        (Some(state), _) if WELL.contains(&state) => shown(state),
        (Some(_), Some("positive")) => shown("acknowledged: positive"),
        (Some(state), _) => Seen::pass(text!(
            "Tilstanden er fortsatt «{state}».",
            "The state is still `{state}`."
        )),
        (None, _) => Seen::inconclusive(
            "answer-incomplete",
            text!(
                "Driverens svar mangler «state».",
                "The driver's answer lacks `state`."
            ),
        ),
    }
    .with([answered.n])
}

fn shown(state: &str) -> Seen {
    Seen::fail(
        "shown-as-success",
        text!(
            "Systemet viser kallet som «{state}».",
            "The system shows the call as `{state}`."
        ),
    )
}
