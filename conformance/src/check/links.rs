//! Links of the system under test: which queues it reads, and when.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use testbed::evidence::{Entry, Event, LinkRole};

use super::finding::{Seen, text};
use super::view::View;
use crate::scenario::Parameter;

/// A receiver: connection, link and queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Receiver<'a> {
    pub(super) connection: u64,
    pub(super) link: u64,
    pub(super) queue: &'a str,
}

/// The receivers of the system under test that are open, followed entry by entry.
#[derive(Default)]
pub(super) struct Open<'a> {
    links: BTreeMap<(u64, u64), &'a str>,
}

impl<'a> Open<'a> {
    pub(super) fn follow(&mut self, view: &View<'a>, entry: &'a Entry) {
        match &entry.event {
            Event::BusAttached {
                connection,
                link,
                role: LinkRole::Receiver,
                queue: Some(queue),
                user,
                ..
            } if view.is_sut(user) => {
                self.links.insert((*connection, *link), queue);
            }
            Event::BusDetached {
                connection, link, ..
            } => {
                self.links.remove(&(*connection, *link));
            }
            Event::BusClosed { connection, .. } => self.links.retain(|(of, _), _| of != connection),
            _ => {}
        }
    }

    pub(super) fn queues(&self) -> BTreeSet<&'a str> {
        self.links.values().copied().collect()
    }

    pub(super) fn receivers(&self) -> BTreeSet<Receiver<'a>> {
        let receiver = |(&(connection, link), &queue): (&(u64, u64), &&'a str)| Receiver {
            connection,
            link,
            queue,
        };
        self.links.iter().map(receiver).collect()
    }
}

impl<'a> View<'a> {
    /// The receivers that were open just before an entry.
    pub(super) fn receivers_before(&self, n: u64) -> BTreeSet<Receiver<'a>> {
        let mut open = Open::default();
        for entry in self.entries.iter().take_while(|entry| entry.n < n) {
            open.follow(self, entry);
        }
        open.receivers()
    }

    /// The first moment not before `from` and not after `limit` at which every wanted queue has a receiver, counting only
    /// receivers that were attached from entry `since` on.
    pub(super) fn all_open(
        &self,
        wanted: &BTreeSet<&str>,
        since: u64,
        (from, limit): (Duration, Duration),
    ) -> Option<Duration> {
        let mut open = Open::default();
        let mut began = false;
        for entry in self.entries.iter().filter(|entry| entry.n >= since) {
            if entry.at() > limit {
                break;
            }
            // What is open when the window begins is open at its beginning.
            if entry.at() >= from
                && !std::mem::replace(&mut began, true)
                && wanted.is_subset(&open.queues())
            {
                return Some(from);
            }
            open.follow(self, entry);
            if began && wanted.is_subset(&open.queues()) {
                return Some(entry.at());
            }
        }
        None
    }

    /// The asynchronous, synchronous and error queue that AR names for the party.
    pub(super) fn own_queues(&self) -> Result<BTreeSet<&'a str>, Seen> {
        let keys = [
            Parameter::SutAsyncQueue,
            Parameter::SutSyncQueue,
            Parameter::SutErrorQueue,
        ];
        keys.into_iter()
            .map(|key| {
                self.parameter(key).ok_or_else(|| {
                    let key = key.key();
                    Seen::error(
                        "evidence-incomplete",
                        text!("Journalen mangler «{key}».", "The journal lacks `{key}`."),
                    )
                })
            })
            .collect()
    }

    /// Every attachment of a receiver by the system under test, in order.
    pub(super) fn attachments(&self) -> impl Iterator<Item = (&'a Entry, &'a str)> {
        self.entries.iter().filter_map(|entry| match &entry.event {
            Event::BusAttached {
                role: LinkRole::Receiver,
                queue: Some(queue),
                user,
                ..
            } if self.is_sut(user) => Some((entry, queue.as_str())),
            _ => None,
        })
    }
}

/// Names in a row.
pub(super) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().collect::<Vec<_>>().join(", ")
}

pub(super) fn never_connected() -> Seen {
    Seen::inconclusive(
        "never-connected",
        text!(
            "Systemet koblet aldri noen mottaker til bussen.",
            "The system never attached a receiver to the bus."
        ),
    )
}
