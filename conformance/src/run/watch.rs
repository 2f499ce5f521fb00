//! What the runner reads from the journal while it is being written: links, open downloads, ends of exchanges.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use testbed::evidence::{Entry, Event, LinkRole};

use crate::environment::{Environment, HELSENORGE_USER};

/// How long no download may be open before the next step (contract 03 section 7.10 item 5).
const QUIET: Duration = Duration::from_secs(2);

/// The queues of the party under test that have a receiver of its own.
pub(super) fn received_queues(entries: &[Arc<Entry>]) -> BTreeSet<String> {
    let mut links: BTreeMap<(u64, u64), String> = BTreeMap::new();
    for entry in entries {
        match &entry.event {
            Event::BusAttached {
                connection,
                link,
                role: LinkRole::Receiver,
                queue: Some(queue),
                user,
                ..
            } if user != HELSENORGE_USER => {
                links.insert((*connection, *link), queue.clone());
            }
            Event::BusDetached {
                connection, link, ..
            } => {
                links.remove(&(*connection, *link));
            }
            Event::BusClosed { connection, .. } => {
                links.retain(|(of, _), _| of != connection);
            }
            _ => {}
        }
    }
    links.into_values().collect()
}

/// Waits until each of the queues has a receiver of the system under test; tells whether it came to that.
pub(super) async fn links(environment: &Environment, queues: &[&str], limit: Duration) -> bool {
    let journal = &environment.journal;
    let search = async {
        let mut seen = 0;
        loop {
            let attached = received_queues(&journal.entries());
            if queues.iter().all(|queue| attached.contains(*queue)) {
                return;
            }
            let link_changed = |entry: &Entry| matches!(entry.event, Event::BusAttached { .. });
            // The limit is the outer one; the journal wakes this loop.
            if let Ok(entry) = journal.wait_for(seen, limit, link_changed).await {
                seen = entry.n;
            }
        }
    };
    environment.clock.timeout(limit, search).await.is_ok()
}

/// Waits until no status request of `ca` has been open for [`QUIET`], at most `limit`.
pub(super) async fn no_open_download(environment: &Environment, ca: &str, limit: Duration) {
    let clock = &environment.clock;
    let wait = async {
        loop {
            match open_downloads(&environment.journal.entries(), ca) {
                (0, None) => return,
                (0, Some(ended)) => {
                    let quiet = clock.now().since_start().saturating_sub(ended);
                    if quiet >= QUIET {
                        return;
                    }
                    clock.sleep(QUIET.saturating_sub(quiet)).await;
                }
                (_, _) => {
                    let mark = environment.journal.len();
                    // An end that came between the look and the mark is seen by the next look.
                    let _ = environment
                        .journal
                        .wait_for(mark, Duration::from_millis(500), |entry| {
                            matches!(entry.event, Event::HttpEnded { .. })
                        })
                        .await;
                }
            }
        }
    };
    // When the limit comes first, the step goes on all the same (contract 03 section 7.10 item 5).
    let _ = clock.timeout(limit, wait).await;
}

/// How many status requests of `ca` are open, and when the last one ended.
fn open_downloads(entries: &[Arc<Entry>], ca: &str) -> (usize, Option<Duration>) {
    let prefix = format!("/{ca}/");
    let mut open = BTreeSet::new();
    let mut ended = None;
    for entry in entries {
        match &entry.event {
            Event::HttpRequest { request, path, .. } if path.starts_with(&prefix) => {
                open.insert(*request);
            }
            Event::HttpEnded { request, .. } if open.remove(request) => ended = Some(entry.at()),
            _ => {}
        }
    }
    (open.len(), ended)
}

/// When the bus took the last message of helsenorge, in the time of the journal.
pub(super) fn last_stimulus(entries: &[Arc<Entry>]) -> Duration {
    let of_helsenorge = |entry: &&Arc<Entry>| matches!(&entry.event, Event::BusReceived { user, .. } if user == HELSENORGE_USER);
    let last = entries.iter().rev().find(of_helsenorge);
    last.map_or(Duration::ZERO, |entry| entry.at())
}

/// Waits until the system under test has settled what it was handed since the entry `after`, at most `limit`.
pub(super) async fn settled(environment: &Environment, after: u64, limit: Duration) {
    let journal = &environment.journal;
    let wait = async {
        let mut seen = after;
        while !unsettled(&journal.entries(), after).is_empty() {
            let settled = |entry: &Entry| matches!(entry.event, Event::BusSettled { .. });
            if let Ok(entry) = journal.wait_for(seen, limit, settled).await {
                seen = entry.n;
            }
        }
    };
    // What is left unsettled is for the checks to judge.
    let _ = environment.clock.timeout(limit, wait).await;
}

/// Link and delivery of what the system under test holds.
fn unsettled(entries: &[Arc<Entry>], after: u64) -> BTreeSet<(u64, u64, u32)> {
    let mut held = BTreeSet::new();
    for entry in entries.iter().filter(|entry| entry.n > after) {
        match &entry.event {
            Event::BusDelivered {
                connection,
                link,
                delivery,
                user,
                ..
            } if user != HELSENORGE_USER => {
                held.insert((*connection, *link, *delivery));
            }
            Event::BusSettled {
                connection,
                link,
                delivery,
                ..
            } => {
                held.remove(&(*connection, *link, *delivery));
            }
            _ => {}
        }
    }
    held
}

/// Waits until each exchange has its outcome and each of its requests has been settled, at most `limit`.
pub(super) async fn exchanges(environment: &Environment, exchanges: &[String], limit: Duration) {
    let journal = &environment.journal;
    let wait = async {
        let mut seen = 0;
        loop {
            if concluded(&journal.entries(), exchanges) {
                return;
            }
            let moved = |entry: &Entry| {
                matches!(
                    entry.event,
                    Event::HnOutcome { .. }
                        | Event::BusSettled { .. }
                        | Event::BusDeadLettered { .. }
                )
            };
            if let Ok(entry) = journal.wait_for(seen, limit, moved).await {
                seen = entry.n;
            }
        }
    };
    // At the deadline the step ends; what is missing is for the checks to judge.
    let _ = environment.clock.timeout(limit, wait).await;
}

fn concluded(entries: &[Arc<Entry>], exchanges: &[String]) -> bool {
    let mut waiting: BTreeSet<&str> = exchanges.iter().map(String::as_str).collect();
    let mut requests: BTreeSet<&str> = BTreeSet::new();
    let mut unsettled: BTreeSet<u64> = BTreeSet::new();
    for entry in entries {
        match &entry.event {
            Event::HnOutcome { exchange, .. } => {
                waiting.remove(exchange.as_str());
            }
            Event::HnSent {
                exchange,
                purpose,
                message_id,
                ..
            } if purpose == "request" && exchanges.contains(exchange) => {
                requests.insert(message_id);
            }
            _ => {}
        }
    }
    for entry in entries {
        match &entry.event {
            Event::BusReceived { message, facts, .. }
                if facts
                    .message_id
                    .as_deref()
                    .is_some_and(|id| requests.contains(id)) =>
            {
                unsettled.insert(*message);
            }
            Event::BusSettled { message, .. } | Event::BusDeadLettered { message, .. } => {
                unsettled.remove(message);
            }
            _ => {}
        }
    }
    waiting.is_empty() && unsettled.is_empty()
}
