//! Exchanges, queues, accounts and the fate of messages. Nothing here knows AMQP frames or sockets; the only effect
//! beside the state is the evidence, which is written while the state is locked, so that its order is the true one.

mod dead_letter;
mod mailbox;
mod message;
#[expect(
    clippy::module_inception,
    reason = "the folder is the room of all queues, the file is one queue"
)]
mod queue;
mod settle;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use testbed::clock::Moment;
use testbed::evidence::{Event, Part};
use testbed::{Clock, Journal};
use tokio::sync::watch;

pub(crate) use dead_letter::queue_of as dead_letter_queue;
pub(crate) use mailbox::{Mailbox, Post};
pub(crate) use message::{Annotations, Death, DeathReason, Entry, Message, SenderHeader};
pub(crate) use queue::Take;
pub(crate) use settle::Settlement;

use crate::account::{Account, Accounts};
use crate::config::BusConfig;
use crate::refusal::Refusal;
use queue::Queue;

/// The bus behind all connections.
#[derive(Debug)]
pub(crate) struct Broker {
    state: Mutex<State>,
    clock: Clock,
    journal: Journal,
    /// When the first message at the head of a queue expires.
    next_expiry: watch::Sender<Option<Moment>>,
}

#[derive(Debug)]
pub(super) struct State {
    accounts: Accounts,
    exchanges: BTreeSet<String>,
    queues: BTreeMap<String, Queue>,
    policy: Policy,
    stored: usize,
    positions: u64,
    messages: u64,
}

/// What of the configuration concerns messages in queues.
#[derive(Debug)]
struct Policy {
    access_control: bool,
    most_deliveries: u32,
    released_counts: bool,
    queue_length: usize,
    stored_bytes: usize,
}

/// How many messages a queue holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueDepth {
    /// Messages that wait for a receiver.
    pub ready: usize,
    /// Messages that are handed out and not settled.
    pub unsettled: usize,
}

/// A message on its way into a queue.
#[derive(Debug)]
pub(crate) struct Publication {
    pub(crate) header: SenderHeader,
    pub(crate) annotations: Annotations,
    pub(crate) bare: Bytes,
    /// Empty for the default exchange.
    pub(crate) exchange: String,
    pub(crate) routing_key: String,
}

/// What became of a publication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Published {
    /// It is in the queue.
    Enqueued,
    /// The exchange is gone.
    NoExchange(Refusal),
    /// No queue of that name; the text explains.
    Unroutable(String),
    /// The queue or the bus is full; the text says which.
    Full(String),
}

/// A link that was just attached to a queue.
#[derive(Clone, Debug)]
pub(crate) struct Consumer {
    pub(crate) link: u64,
    pub(crate) mailbox: Arc<Mailbox>,
}

impl Broker {
    pub(crate) fn new(config: &BusConfig, clock: Clock, journal: Journal) -> Self {
        let mut accounts = Accounts::default();
        config
            .accounts
            .iter()
            .cloned()
            .for_each(|account| accounts.add(account));
        let limit = config.rules.delivery_limit.max(1);
        let policy = Policy {
            access_control: config.rules.access_control,
            most_deliveries: match config.rules.limit_rule {
                crate::config::LimitRule::Attempts => limit,
                crate::config::LimitRule::RabbitMq => limit.saturating_add(1),
            },
            released_counts: config.rules.released_counts,
            queue_length: config.limits.queue_length,
            stored_bytes: config.limits.stored_bytes,
        };
        let state = State {
            accounts,
            exchanges: config.exchanges.iter().cloned().collect(),
            queues: BTreeMap::new(),
            policy,
            stored: 0,
            positions: 0,
            messages: 0,
        };
        Self {
            state: Mutex::new(state),
            clock,
            journal,
            next_expiry: watch::Sender::new(None),
        }
    }

    // --- accounts ---

    pub(crate) fn add_account(&self, account: Account) {
        self.lock().accounts.add(account);
    }

    pub(crate) fn remove_account(&self, user: &str) -> bool {
        self.lock().accounts.remove(user)
    }

    pub(crate) fn logs_in(&self, user: &str, password: &str) -> bool {
        self.lock().accounts.logs_in(user, password)
    }

    // --- queues ---

    /// Makes `her_id` an owner of these queues and creates those that do not exist, its dead-letter queue included.
    pub(crate) fn create_queues(&self, her_id: u32, names: &[String]) {
        let mut state = self.lock();
        for name in names
            .iter()
            .flat_map(|name| [name.clone(), dead_letter::queue_of(name)])
        {
            if !state.queues.contains_key(&name) {
                self.queue_event(&name, "created", 0);
            }
            state.queues.entry(name).or_default().owners.insert(her_id);
        }
    }

    /// Takes the ownership back; a queue without owner goes, and its receivers are told.
    pub(crate) fn remove_queues(&self, her_id: u32) {
        let mut state = self.lock();
        for queue in state.queues.values_mut() {
            queue.owners.remove(&her_id);
        }
        let orphans: Vec<String> = state
            .queues
            .iter()
            .filter(|(_, queue)| queue.owners.is_empty())
            .map(|(name, _)| name.clone())
            .collect();
        for name in orphans {
            state.remove_queue(&name, self);
        }
    }

    /// Empties a queue, messages that are handed out included. Returns how many it held; nothing when it is unknown.
    pub(crate) fn purge(&self, name: &str) -> Option<usize> {
        let mut state = self.lock();
        let gone = state.queues.get_mut(name)?.purge();
        state.forget(&gone);
        self.queue_event(name, "purged", gone.len());
        Some(gone.len())
    }

    /// Empties every queue.
    pub(crate) fn purge_all(&self) {
        let names: Vec<String> = self.lock().queues.keys().cloned().collect();
        for name in names {
            self.purge(&name);
        }
    }

    pub(crate) fn depths(&self) -> BTreeMap<String, QueueDepth> {
        let state = self.lock();
        let depth = |queue: &Queue| QueueDepth {
            ready: queue.ready(),
            unsettled: queue.acquired(),
        };
        state
            .queues
            .iter()
            .map(|(name, queue)| (name.clone(), depth(queue)))
            .collect()
    }

    /// How many messages wait in a queue.
    pub(crate) fn ready(&self, name: &str) -> usize {
        self.lock().queues.get(name).map_or(0, Queue::ready)
    }

    // --- attaching ---

    /// Whether there is such an exchange.
    pub(crate) fn find_exchange(&self, name: &str) -> Result<(), Refusal> {
        self.lock().find_exchange(name)
    }

    /// Whether a sender may name this queue as its target.
    pub(crate) fn find_target(&self, name: &str, user: &str) -> Result<(), Refusal> {
        let state = self.lock();
        state.find_queue(name)?;
        if dead_letter::is_one(name) {
            let what = format!(
                "write access to dead-letter queue '{name}' in vhost '/' refused for user '{user}'"
            );
            return Err(Refusal::unauthorized(what));
        }
        Ok(())
    }

    /// Makes a link a reader of a queue.
    pub(crate) fn subscribe(
        &self,
        name: &str,
        user: &str,
        consumer: Consumer,
    ) -> Result<(), Refusal> {
        let mut state = self.lock();
        state.find_queue(name)?;
        state.may_read(user, name)?;
        if let Some(queue) = state.queues.get_mut(name) {
            queue.subscribe(consumer.link, consumer.mailbox);
        }
        Ok(())
    }

    pub(crate) fn unsubscribe(&self, name: &str, link: u64) {
        if let Some(queue) = self.lock().queues.get_mut(name) {
            queue.unsubscribe(link);
        }
    }

    // --- messages ---

    /// Puts a message into the queue that it is routed to. `record` makes the evidence from the message's number and
    /// its fate; it is written before anyone can be handed the message.
    pub(crate) fn publish(
        &self,
        publication: Publication,
        record: impl FnOnce(u64, &Published) -> Event,
    ) -> Published {
        let now = self.clock.now();
        let mut state = self.lock();
        state.messages += 1;
        let message = Message {
            number: state.messages,
            header: publication.header,
            annotations: publication.annotations,
            bare: publication.bare,
            exchange: publication.exchange,
            routing_key: publication.routing_key,
        };
        let fate = state.route(&message);
        self.journal
            .record(Part::Bus, record(message.number, &fate));
        if fate == Published::Enqueued {
            self.enqueue(&mut state, message, now);
        }
        fate
    }

    fn enqueue(&self, state: &mut State, message: Message, now: Moment) {
        let name = message.routing_key.clone();
        state.stored += message.weight();
        let position = state.next_position();
        let Some(queue) = state.queues.get_mut(&name) else {
            return;
        };
        let expires = message.header.ttl.map(|ttl| match ttl {
            // Without life it reaches only a receiver that waits already (contract 01 section 3.5), which comes at once.
            0 if queue.is_awaited() => now.plus(Duration::from_secs(1)),
            ttl => now.plus(Duration::from_millis(u64::from(ttl))),
        });
        queue.put(Entry {
            message: Arc::new(message),
            position,
            failures: 0,
            returns: 0,
            handed_out: false,
            expires,
            merged: Annotations::new(),
            deaths: Vec::new(),
        });
        self.tend(state, &name, now);
    }

    /// Hands the next message of a queue to a link.
    pub(crate) fn take(&self, name: &str, link: u64) -> Take {
        let now = self.clock.now();
        let mut state = self.lock();
        self.tend(&mut state, name, now);
        let taken = state
            .queues
            .get_mut(name)
            .map_or(Take::Wait, |queue| queue.take(link));
        self.note_expiry(&state, name);
        taken
    }

    /// A link that may have been woken has no room for a message.
    pub(crate) fn pass(&self, name: &str, link: u64) {
        if let Some(queue) = self.lock().queues.get_mut(name) {
            queue.pass(link);
        }
    }

    /// Expires what has come to its end at the heads of all queues.
    pub(crate) fn sweep(&self) {
        let now = self.clock.now();
        let mut state = self.lock();
        self.next_expiry.send_replace(None);
        let names: Vec<String> = state.queues.keys().cloned().collect();
        for name in names {
            self.tend(&mut state, &name, now);
        }
    }

    /// Tells when [`Self::sweep`] is due next.
    pub(crate) fn expiries(&self) -> watch::Receiver<Option<Moment>> {
        self.next_expiry.subscribe()
    }

    /// Dead-letters expired messages at the head of a queue; those behind a living one wait, as on RabbitMQ.
    fn tend(&self, state: &mut State, name: &str, now: Moment) {
        loop {
            let Some(queue) = state.queues.get_mut(name) else {
                return;
            };
            match queue.head() {
                Some((_, Some(end))) if end <= now => {
                    if let Some(entry) = queue.pop_head() {
                        self.dead_letter(state, name, entry, DeathReason::Expired);
                    }
                }
                _ => break,
            }
        }
        self.note_expiry(state, name);
    }

    fn note_expiry(&self, state: &State, name: &str) {
        let end = state
            .queues
            .get(name)
            .and_then(Queue::head)
            .and_then(|(_, end)| end);
        if let Some(end) = end {
            self.next_expiry.send_if_modified(|next| {
                let sooner = next.is_none_or(|next| end < next);
                if sooner {
                    *next = Some(end);
                }
                sooner
            });
        }
    }

    fn queue_event(&self, queue: &str, action: &str, messages: usize) {
        let event = Event::BusQueue {
            queue: queue.to_owned(),
            action: action.to_owned(),
            messages: messages as u64,
        };
        self.journal.record(Part::Bus, event);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn next_position(&mut self) -> u64 {
        self.positions += 1;
        self.positions
    }

    fn route(&self, message: &Message) -> Published {
        if !message.exchange.is_empty()
            && let Err(refusal) = self.find_exchange(&message.exchange)
        {
            return Published::NoExchange(refusal);
        }
        // The dead-letter queues are bound to no exchange: only the bus writes to them.
        let queue = match self.queues.get(&message.routing_key) {
            Some(queue) if !dead_letter::is_one(&message.routing_key) => queue,
            _ => return Published::Unroutable(self.no_queue(&message.routing_key)),
        };
        if queue.len() >= self.policy.queue_length {
            let name = &message.routing_key;
            return Published::Full(format!("queue '{name}' is full ({} messages)", queue.len()));
        }
        if self.stored + message.weight() > self.policy.stored_bytes {
            return Published::Full(format!("the bus is full ({} bytes)", self.stored));
        }
        Published::Enqueued
    }

    fn find_exchange(&self, name: &str) -> Result<(), Refusal> {
        if self.exchanges.contains(name) {
            return Ok(());
        }
        let hint = near(name, &self.exchanges);
        Err(Refusal::not_found(format!(
            "no exchange '{name}' in vhost '/'{hint}"
        )))
    }

    fn find_queue(&self, name: &str) -> Result<(), Refusal> {
        match self.queues.contains_key(name) {
            true => Ok(()),
            false => Err(Refusal::not_found(self.no_queue(name))),
        }
    }

    fn no_queue(&self, name: &str) -> String {
        format!(
            "no queue '{name}' in vhost '/'{}",
            near(name, self.queues.keys())
        )
    }

    fn may_read(&self, user: &str, name: &str) -> Result<(), Refusal> {
        let owned = self
            .queues
            .get(name)
            .is_some_and(|queue| self.accounts.may_read(user, &queue.owners));
        if owned || !self.policy.access_control {
            return Ok(());
        }
        let what = format!("read access to queue '{name}' in vhost '/' refused for user '{user}'");
        Err(Refusal::unauthorized(what))
    }

    fn remove_queue(&mut self, name: &str, broker: &Broker) {
        let Some(mut queue) = self.queues.remove(name) else {
            return;
        };
        let gone = queue.purge();
        self.forget(&gone);
        broker.queue_event(name, "removed", gone.len());
        for (link, mailbox) in queue.consumers() {
            mailbox.queue_deleted(link);
        }
    }

    fn forget(&mut self, gone: &[Entry]) {
        for entry in gone {
            self.stored = self.stored.saturating_sub(entry.message.weight());
        }
    }
}

/// Names the known name that was probably meant: one that differs in letter case or by at most two letters.
fn near<'a>(name: &str, known: impl IntoIterator<Item = &'a String>) -> String {
    const MOST_EDITS: usize = 2;
    let lower = name.to_lowercase();
    known
        .into_iter()
        .filter(|known| known.len() <= 255 && name.len() <= 255)
        .map(|known| (strsim::osa_distance(&lower, &known.to_lowercase()), known))
        .filter(|(edits, known)| *edits <= MOST_EDITS && edits * 2 < known.len())
        .min_by_key(|(edits, _)| *edits)
        .map_or_else(String::new, |(_, meant)| {
            format!("; did you mean '{meant}'?")
        })
}
