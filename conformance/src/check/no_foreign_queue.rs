//! `no-foreign-queue`: the system under test reads no queue of another party (COM-18).

use testbed::evidence::{Event, LinkRole};

use super::finding::{Seen, text};
use super::links::{listed, never_connected};
use super::view::{View, queue_of};
use crate::Text;
use crate::scenario::Parameter;

pub(super) fn expected() -> Text {
    text!(
        "Ingen mottaker på en annen parts kø.",
        "No receiver on a queue of another party."
    )
}

pub(super) fn judge(view: &View<'_>) -> Seen {
    let Some(her_id) = view.parameter(Parameter::SutHerId) else {
        let key = Parameter::SutHerId.key();
        return Seen::error(
            "evidence-incomplete",
            text!("Journalen mangler «{key}».", "The journal lacks `{key}`."),
        );
    };
    let attachments: Vec<_> = view.attachments().collect();
    if attachments.is_empty() {
        return never_connected();
    }
    let foreign: Vec<_> = attachments
        .iter()
        .filter(|(_, queue)| !belongs_to(queue, her_id))
        .collect();
    if !foreign.is_empty() {
        let queues = listed(foreign.iter().map(|(_, queue)| *queue));
        return Seen::fail("foreign-queue", text!("Leser {queues}.", "Reads {queues}."))
            .with(foreign.iter().map(|(entry, _)| entry.n));
    }
    if view.end.is_none() {
        return super::finding::watched_too_short();
    }
    let number = attachments.len();
    let mut seen = Seen::pass(text!(
        "{number} mottakere, alle på partens egne køer.",
        "{number} receivers, all on the party's own queues."
    ))
    .with(attachments.iter().map(|(entry, _)| entry.n));
    for (queue, condition) in refused(view, her_id) {
        seen = seen.recording(text!(
            "Et forsøk på å lese {queue} ble avvist av bussen ({condition}).",
            "An attempt to read {queue} was refused by the bus ({condition})."
        ));
    }
    seen
}

fn refused<'a>(view: &View<'a>, her_id: &str) -> Vec<(&'a str, &'a str)> {
    let attempts = view.entries.iter().filter_map(|entry| match &entry.event {
        Event::BusRefused {
            role: LinkRole::Receiver,
            address: Some(address),
            user,
            condition,
            ..
        } if view.is_sut(user) && !belongs_to(queue_of(address), her_id) => {
            Some((address.as_str(), condition.as_str()))
        }
        _ => None,
    });
    attempts.collect()
}

/// Queues are named `<herId>_<kind>`.
fn belongs_to(queue: &str, her_id: &str) -> bool {
    queue
        .split_once('_')
        .is_some_and(|(owner, _)| owner == her_id)
}
