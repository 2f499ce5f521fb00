//! `request-settled`: did the system under test settle what it was given?

use std::time::Duration;

use testbed::evidence::BusOutcome;

use super::finding::{Seen, both, text, watched_too_short};
use super::view::{Accepted, View};
use crate::Text;

/// "Settled" in contract 03 section 7: a terminal disposition within this time of the delivery.
pub(super) const LIMIT: Duration = Duration::from_secs(30);

pub(super) fn expected() -> Text {
    let (nb, en) = both(LIMIT);
    text!(
        "Hver forespørsel er kvittert med «accepted» innen {nb} etter levering.",
        "Each request is settled as accepted within {en} of its delivery."
    )
}

pub(super) fn judge(view: &View<'_>, step: &str) -> Seen {
    let requests = match view.sent(step) {
        Ok(requests) => requests,
        Err(seen) => return seen,
    };
    let all: Vec<Seen> = requests
        .iter()
        .map(|request| settled(view, request.bus))
        .collect();
    Seen::worst(all).unwrap_or_else(watched_too_short)
}

/// Whether a message that the bus took over for the system under test was settled as accepted in time.
pub(super) fn settled(view: &View<'_>, message: Accepted<'_>) -> Seen {
    let deliveries = view.deliveries(message.message);
    let Some((delivered, ..)) = deliveries.first().copied() else {
        return if view.watched(message.entry.at() + LIMIT) {
            Seen::fail(
                "not-read",
                text!(
                    "Meldingen ble liggende i køen; ingen leste den.",
                    "The message was left in the queue; nobody read it."
                ),
            )
        } else {
            watched_too_short()
        }
        .with([message.entry.n]);
    };
    let ends = view.settlements(message.message);
    if let Some(end) = ends.iter().find(|end| end.outcome == BusOutcome::Accepted) {
        // Counted from the delivery that it ends: an earlier one may have been lost with its link.
        let begun = deliveries
            .iter()
            .find(|(entry, link, delivery)| {
                (*link, *delivery) == (end.link, end.delivery) && entry.n < end.entry.n
            })
            .map_or(delivered, |(entry, ..)| *entry);
        let after = end.entry.at().saturating_sub(begun.at());
        let (nb, en) = both(after);
        return if after <= LIMIT {
            Seen::pass(text!("Kvittert etter {nb}.", "Settled after {en}."))
        } else {
            Seen::fail(
                "settled-late",
                text!("Kvittert først etter {nb}.", "Settled only after {en}."),
            )
        }
        .with([begun.n, end.entry.n]);
    }
    let until = deliveries
        .last()
        .map_or(delivered, |(entry, ..)| *entry)
        .at()
        + LIMIT;
    if !view.watched(until) {
        return watched_too_short().with([delivered.n]);
    }
    match ends.iter().find(|end| end.is_terminal()) {
        Some(end) => {
            let outcome = super::words::outcome(end.outcome);
            Seen::fail(
                "not-accepted",
                text!(
                    "Kvittert med «{outcome}», ikke med «accepted».",
                    "Settled as `{outcome}`, not as accepted."
                ),
            )
            .with([delivered.n, end.entry.n])
        }
        None => Seen::fail(
            "left-unsettled",
            text!(
                "Levert, men aldri kvittert.",
                "Delivered, but never settled."
            ),
        )
        .with([delivered.n]),
    }
}
