//! `receivers-attached`: the system under test reads the queues that AR names for its party (COM-18).

use std::collections::BTreeSet;
use std::time::Duration;

use super::finding::{Seen, both, text, watched_too_short};
use super::links::{listed, never_connected};
use super::view::View;
use crate::Text;

pub(super) fn expected(within: Duration) -> Text {
    let (nb, en) = both(within);
    text!(
        "Mottakere på den asynkrone køen, den synkrone køen og feilkøen innen {nb}.",
        "Receivers on the asynchronous, the synchronous and the error queue within {en}."
    )
}

pub(super) fn judge(view: &View<'_>, step: &str, within: Duration) -> Seen {
    let wanted = match view.own_queues() {
        Ok(wanted) => wanted,
        Err(seen) => return seen,
    };
    let Some(started) = view.step_started(step) else {
        return watched_too_short();
    };
    let attachments: Vec<_> = view.attachments().collect();
    if attachments.is_empty() {
        return never_connected();
    }
    let evidence: Vec<u64> = attachments
        .iter()
        .filter(|(_, queue)| wanted.contains(queue))
        .map(|(entry, _)| entry.n)
        .collect();
    let window = (started.at(), started.at() + within);
    if let Some(at) = view.all_open(&wanted, 1, window) {
        let (nb, en) = both(at.saturating_sub(started.at()));
        let queues = listed(wanted.iter().copied());
        return Seen::pass(text!("Etter {nb}: {queues}.", "After {en}: {queues}.")).with(evidence);
    }
    if !view.watched(window.1) {
        return watched_too_short().with([started.n]);
    }
    let ever: BTreeSet<&str> = attachments.iter().map(|(_, queue)| *queue).collect();
    let missing = listed(wanted.difference(&ever).copied());
    let seen = if missing.is_empty() {
        Seen::fail(
            "not-attached",
            text!(
                "Mottakerne var aldri der samtidig.",
                "The receivers were never there at the same time."
            ),
        )
    } else {
        Seen::fail(
            "not-attached",
            text!("Ingen mottaker på {missing}.", "No receiver on {missing}."),
        )
    };
    seen.with(evidence).with([started.n])
}
