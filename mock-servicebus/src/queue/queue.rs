//! One queue: what is ready, what is handed out, and who waits. No clock, no socket, no lock.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use testbed::clock::Moment;

use super::mailbox::Mailbox;
use super::message::Entry;

/// A queue and those who read it.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    /// HER-ids whose accounts read it.
    pub(crate) owners: BTreeSet<u32>,
    /// By place: the lowest is handed out next.
    ready: BTreeMap<u64, Entry>,
    acquired: BTreeMap<u64, Entry>,
    consumers: BTreeMap<u64, Arc<Mailbox>>,
    /// Links with room for a message, in the order in which they will be woken.
    waiting: VecDeque<u64>,
    /// Links that were woken for a message and have not come for it yet.
    woken: BTreeSet<u64>,
}

/// What a consumer gets that comes for a message.
#[derive(Debug)]
pub(crate) enum Take {
    /// Nothing for it; it is woken when there is.
    Wait,
    /// A copy of the entry, which is now handed out.
    Entry(Entry),
}

impl Queue {
    pub(crate) fn len(&self) -> usize {
        self.ready.len() + self.acquired.len()
    }

    pub(crate) fn ready(&self) -> usize {
        self.ready.len()
    }

    pub(crate) fn acquired(&self) -> usize {
        self.acquired.len()
    }

    /// Whether a link stands ready to take a message at once.
    pub(crate) fn is_awaited(&self) -> bool {
        !self.waiting.is_empty()
    }

    pub(crate) fn subscribe(&mut self, link: u64, mailbox: Arc<Mailbox>) {
        self.consumers.insert(link, mailbox);
    }

    pub(crate) fn unsubscribe(&mut self, link: u64) {
        self.consumers.remove(&link);
        self.waiting.retain(|waiting| *waiting != link);
        self.woken.remove(&link);
        self.wake();
    }

    /// Puts an entry at its place and wakes one link for it.
    pub(crate) fn put(&mut self, entry: Entry) {
        self.ready.insert(entry.position, entry);
        self.wake();
    }

    /// Hands the first entry to `link`, but leaves one for each other link that was woken before.
    pub(crate) fn take(&mut self, link: u64) -> Take {
        self.woken.remove(&link);
        if self.ready.len() <= self.woken.len() {
            if self.consumers.contains_key(&link) && !self.waiting.contains(&link) {
                self.waiting.push_back(link);
            }
            return Take::Wait;
        }
        let Some((position, mut entry)) = self.ready.pop_first() else {
            return Take::Wait;
        };
        self.waiting.retain(|waiting| *waiting != link);
        let handed = entry.clone();
        entry.handed_out = true;
        self.acquired.insert(position, entry);
        Take::Entry(handed)
    }

    /// A link cannot take a message now, although it may have been woken for one.
    pub(crate) fn pass(&mut self, link: u64) {
        self.woken.remove(&link);
        self.waiting.retain(|waiting| *waiting != link);
        self.wake();
    }

    /// Takes an entry back from whoever it was handed to; nothing when it is no longer there.
    pub(crate) fn reclaim(&mut self, position: u64) -> Option<Entry> {
        self.acquired.remove(&position)
    }

    /// The place and the end of life of the entry that is next.
    pub(crate) fn head(&self) -> Option<(u64, Option<Moment>)> {
        self.ready
            .first_key_value()
            .map(|(position, entry)| (*position, entry.expires))
    }

    /// Removes the entry that is next.
    pub(crate) fn pop_head(&mut self) -> Option<Entry> {
        self.ready.pop_first().map(|(_, entry)| entry)
    }

    /// Throws everything away and returns it.
    pub(crate) fn purge(&mut self) -> Vec<Entry> {
        let ready = std::mem::take(&mut self.ready);
        let acquired = std::mem::take(&mut self.acquired);
        ready.into_values().chain(acquired.into_values()).collect()
    }

    /// Those who read it, when the queue is about to go.
    pub(crate) fn consumers(&self) -> impl Iterator<Item = (u64, &Arc<Mailbox>)> {
        self.consumers
            .iter()
            .map(|(link, mailbox)| (*link, mailbox))
    }

    fn wake(&mut self) {
        while self.woken.len() < self.ready.len() {
            let Some(link) = self.waiting.pop_front() else {
                return;
            };
            if let Some(mailbox) = self.consumers.get(&link) {
                self.woken.insert(link);
                mailbox.wake(link);
            }
        }
    }
}
