//! `links-back`: after an outage every receiver that was there before is there again (BUS-01).
//!
//! The reply queue is left out: its receiver may come with the next own call (REQ-BUS-04).

use std::collections::BTreeSet;
use std::time::Duration;

use testbed::evidence::{Entry, Event};

use super::finding::{Seen, both, text, watched_too_short};
use super::links::{Receiver, listed};
use super::view::View;
use crate::Text;
use crate::scenario::Act;

pub(super) fn expected(within: Duration) -> Text {
    let (nb, en) = both(within);
    text!(
        "Alle mottakerne er tilbake innen {nb} etter at bussen er oppe igjen.",
        "All receivers are back within {en} after the bus is up again."
    )
}

pub(super) fn judge(view: &View<'_>, step: &str, within: Duration) -> Seen {
    let (Some(down), Some(up)) = (installed(view, step), removed(view, step)) else {
        return Seen::inconclusive(
            "outage-not-seen",
            text!(
                "Journalen sier ikke når bussen var borte.",
                "The journal does not say when the bus was away."
            ),
        );
    };
    let before: BTreeSet<Receiver<'_>> = view
        .receivers_before(down.n)
        .into_iter()
        .filter(|receiver| !receiver.queue.contains("_syncreply"))
        .collect();
    if let Some(receiver) = before
        .iter()
        .find(|receiver| !ended(view, **receiver, down.n))
    {
        let queue = receiver.queue;
        return Seen::inconclusive(
            "outage-not-effective",
            text!(
                "Mottakeren på {queue} ble aldri brutt, så bussen var ikke borte for systemet.",
                "The receiver on {queue} was never cut, so the bus was not away for the system."
            ),
        )
        .with([down.n, up.n]);
    }
    let wanted = if before.is_empty() {
        match view.own_queues() {
            Ok(queues) => queues,
            Err(seen) => return seen,
        }
    } else {
        before.iter().map(|receiver| receiver.queue).collect()
    };
    let limit = up.at() + within;
    if let Some(at) = view.all_open(&wanted, down.n, (up.at(), limit)) {
        let (nb, en) = both(at.saturating_sub(up.at()));
        let again = view
            .attachments()
            .filter(|(entry, _)| entry.n > down.n)
            .map(|(entry, _)| entry.n);
        return Seen::pass(text!("Alle tilbake etter {nb}.", "All back after {en}."))
            .with([down.n, up.n])
            .with(again);
    }
    if !view.watched(limit) {
        return watched_too_short().with([up.n]);
    }
    let back: BTreeSet<&str> = view
        .attachments()
        .filter(|(entry, _)| entry.n > down.n && entry.at() <= limit)
        .map(|(_, queue)| queue)
        .collect();
    let missing = listed(wanted.difference(&back).copied());
    let text = if missing.is_empty() {
        text!(
            "Mottakerne var aldri der samtidig.",
            "The receivers were never there at the same time."
        )
    } else {
        text!("Ikke tilbake: {missing}.", "Not back: {missing}.")
    };
    Seen::fail("links-missing", text).with([down.n, up.n])
}

fn installed<'a>(view: &View<'a>, step: &str) -> Option<&'a Entry> {
    view.in_step(step).find(
        |entry| matches!(&entry.event, Event::FaultInstalled { fault, .. } if fault == Act::OUTAGE),
    )
}

fn removed<'a>(view: &View<'a>, step: &str) -> Option<&'a Entry> {
    view.in_step(step)
        .find(|entry| matches!(&entry.event, Event::FaultRemoved { fault } if fault == Act::OUTAGE))
}

fn ended(view: &View<'_>, receiver: Receiver<'_>, since: u64) -> bool {
    view.entries
        .iter()
        .filter(|entry| entry.n > since)
        .any(|entry| match &entry.event {
            Event::BusDetached {
                connection, link, ..
            } => (*connection, *link) == (receiver.connection, receiver.link),
            Event::BusClosed { connection, .. } => *connection == receiver.connection,
            _ => false,
        })
}
