//! `no-error-for-error`: error messages are not answered with error messages (ERQ-04).
//!
//! Silence proves nothing by itself: the bait must have been delivered and settled, and the watch must have lasted.

use std::collections::BTreeSet;
use std::time::Duration;

use testbed::evidence::{BusOutcome, Event};

use super::finding::{Seen, text, watched_too_short};
use super::view::{Accepted, Settled, View};
use crate::Text;
use crate::scenario::Act;

/// One or two error messages mean that a guard cut the loop.
const DEVIATION: usize = 2;

pub(super) fn expected() -> Text {
    text!(
        "Ingen feilmelding kommer tilbake. Én eller to er et avvik; flere er en sløyfe.",
        "No error message comes back. One or two are a deviation; more are a loop."
    )
}

pub(super) fn judge(view: &View<'_>, step: &str) -> Seen {
    let baits = baits(view, step);
    let Some(first) = baits.first() else {
        return Seen::inconclusive(
            "not-baited",
            text!(
                "Ingen feilmelding ble sendt til systemet.",
                "No error message was sent to the system."
            ),
        );
    };
    let ids: BTreeSet<&str> = baits
        .iter()
        .filter_map(|bait| bait.facts.message_id.as_deref())
        .collect();
    let back = came_back(view, first.entry.n, &ids);
    let (number, sent) = (back.len(), baits.len());
    let evidence = || {
        baits
            .iter()
            .map(|bait| bait.entry.n)
            .chain(back.iter().copied())
    };
    let told = text!(
        "{number} feilmeldinger kom tilbake på {sent} utsendte.",
        "{number} error messages came back for {sent} that were sent."
    );
    if number > DEVIATION {
        return Seen::fail("error-loop", told).with(evidence());
    }
    let lasting = match view.scenario.step(step).map(|step| &step.act) {
        Some(Act::Bait { lasting, .. }) => *lasting,
        _ => Duration::from_secs(60),
    };
    if !view.watched(first.entry.at() + lasting) {
        return watched_too_short().with(evidence());
    }
    if number > 0 {
        return Seen::warning("error-for-error", told).with(evidence());
    }
    if view.deliveries(first.message).is_empty() {
        return Seen::inconclusive(
            "bait-not-delivered",
            text!(
                "Systemet leste aldri feilmeldingen. Kjør COM-18: leser det feilkøen sin?",
                "The system never read the error message. Run COM-18: does it read its error queue?"
            ),
        )
        .with(evidence());
    }
    match view
        .settlements(first.message)
        .into_iter()
        .find(Settled::is_terminal)
    {
        Some(end) => Seen::pass(told).with(evidence()).with([end.entry.n]),
        None => Seen::inconclusive(
            "bait-not-handled",
            text!(
                "Systemet leste feilmeldingen, men ble aldri ferdig med den.",
                "The system read the error message but was never done with it."
            ),
        )
        .with(evidence()),
    }
}

fn baits<'a>(view: &View<'a>, step: &str) -> Vec<Accepted<'a>> {
    view.in_step(step)
        .filter_map(|entry| match &entry.event {
            Event::HnSent {
                purpose,
                queue,
                message_id,
                ..
            } if purpose == "bait" => view.accepted_as(queue, message_id),
            _ => None,
        })
        .collect()
}

/// Error messages of the system under test since the first bait: those on helsenorge's error queue that name a bait or
/// nothing at all, and those that name a bait and were sent elsewhere. Each counts once.
fn came_back(view: &View<'_>, since: u64, baits: &BTreeSet<&str>) -> Vec<u64> {
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    let mut back = Vec::new();
    for entry in view.entries.iter().filter(|entry| entry.n > since) {
        let id = match &entry.event {
            // A malformed report names no original; it came after the bait and speaks of nothing else.
            Event::HnErrorReceived {
                original_message_id,
                message_id,
                ..
            } if original_message_id
                .as_deref()
                .is_none_or(|id| baits.contains(id)) =>
            {
                message_id
            }
            Event::BusReceived {
                user,
                facts,
                outcome: BusOutcome::Accepted,
                ..
            } if view.is_sut(user)
                && facts
                    .application
                    .get("originalMessageId")
                    .is_some_and(|id| baits.contains(id.as_str())) =>
            {
                &facts.message_id
            }
            _ => continue,
        };
        if id.as_deref().is_none_or(|id| seen.insert(id)) {
            back.push(entry.n);
        }
    }
    back
}
