//! What has been fetched and what is being fetched (contract 03 section 7.11, notes).
//!
//! Everybody who asks for the same thing shares one download. Whoever has waited long enough goes away; the download
//! goes on in the background, and its answer is kept for the next one who asks. Failures are never kept.

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use time::OffsetDateTime;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::clock;

/// Longest life of a download that nobody waits for any more.
const LONGEST_DOWNLOAD: Duration = Duration::from_secs(60);

/// How the cache behaves; the seeded faults change it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Habits {
    /// Keeps what has been fetched and shares what is being fetched.
    pub(crate) keeps: bool,
    /// Lets a late download end in the background.
    pub(crate) finishes_late: bool,
    /// Most things kept.
    pub(crate) capacity: usize,
}

/// What a download gives.
#[derive(Clone, Debug)]
pub(crate) struct Fetched<V> {
    /// The thing itself.
    pub(crate) value: V,
    /// How long it may be used; `None` for this once.
    pub(crate) keep_until: Option<OffsetDateTime>,
}

/// Why there is nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Missed<E> {
    /// Not in time.
    Late,
    /// The download failed.
    Failed(E),
}

/// The cache; clones share their content.
pub(crate) struct Cache<K, V, E> {
    habits: Habits,
    slots: Arc<Mutex<HashMap<K, Slot<V, E>>>>,
}

impl<K, V, E> Clone for Cache<K, V, E> {
    fn clone(&self) -> Self {
        Self {
            habits: self.habits,
            slots: Arc::clone(&self.slots),
        }
    }
}

struct Slot<V, E> {
    kept: Option<(V, OffsetDateTime)>,
    under_way: Option<Download<V, E>>,
}

impl<V, E> Default for Slot<V, E> {
    fn default() -> Self {
        Self {
            kept: None,
            under_way: None,
        }
    }
}

struct Download<V, E> {
    outcome: watch::Receiver<Option<Result<V, E>>>,
    task: AbortHandle,
}

impl<V, E> Clone for Download<V, E> {
    fn clone(&self) -> Self {
        Self {
            outcome: self.outcome.clone(),
            task: self.task.clone(),
        }
    }
}

impl<K, V, E> Cache<K, V, E>
where
    K: Clone + Eq + Hash + Send + 'static,
    V: Clone + Send + Sync + 'static,
    E: Clone + Send + Sync + 'static,
{
    pub(crate) fn new(habits: Habits) -> Self {
        Self {
            habits,
            slots: Arc::default(),
        }
    }

    /// The thing of that name: kept, or out of the download under way, or out of `fetch`.
    pub(crate) async fn get<F>(&self, key: K, limit: Duration, fetch: F) -> Result<V, Missed<E>>
    where
        F: Future<Output = Result<Fetched<V>, E>> + Send + 'static,
    {
        let mut download = match self.find_or_start(&key, fetch) {
            Ok(kept) => return Ok(kept),
            Err(download) => download,
        };
        let arrived = clock::within(limit, download.outcome.wait_for(Option::is_some)).await;
        // A sender that is gone without an outcome is a download that was given up.
        let outcome = arrived
            .and_then(Result::ok)
            .and_then(|outcome| outcome.clone());
        match outcome {
            Some(outcome) => outcome.map_err(Missed::Failed),
            None => {
                if !self.habits.finishes_late {
                    self.cut_off(&key, &download);
                }
                Err(Missed::Late)
            }
        }
    }

    /// What is kept under that name, even if its time is over.
    pub(crate) fn outdated(&self, key: &K) -> Option<V> {
        self.lock()
            .get(key)?
            .kept
            .as_ref()
            .map(|(value, _)| value.clone())
    }

    /// What is kept under that name is over: the next one who asks starts anew.
    pub(crate) fn expire(&self, key: &K) {
        if let Some((_, until)) = self.lock().get_mut(key).and_then(|slot| slot.kept.as_mut()) {
            *until = clock::now();
        }
    }

    fn find_or_start<F>(&self, key: &K, fetch: F) -> Result<V, Download<V, E>>
    where
        F: Future<Output = Result<Fetched<V>, E>> + Send + 'static,
    {
        if !self.habits.keeps {
            return Err(self.start(None, fetch));
        }
        // The lock is held until the download is entered, so that nobody starts a second one.
        let mut slots = self.lock();
        if let Some(slot) = slots.get(key) {
            match &slot.kept {
                Some((value, until)) if clock::now() < *until => return Ok(value.clone()),
                _ => {}
            }
            match &slot.under_way {
                Some(download) if download.outcome.has_changed().is_ok() => {
                    return Err(download.clone());
                }
                _ => {}
            }
        }
        make_room(&mut slots, self.habits.capacity);
        let download = self.start(Some(key.clone()), fetch);
        slots.entry(key.clone()).or_default().under_way = Some(download.clone());
        Err(download)
    }

    /// Ends a download for everybody; the next one who asks starts anew.
    fn cut_off(&self, key: &K, download: &Download<V, E>) {
        download.task.abort();
        if let Some(slot) = self.lock().get_mut(key) {
            let same = |other: &mut Download<V, E>| other.task.id() == download.task.id();
            slot.under_way.take_if(same);
        }
    }

    fn start<F>(&self, key: Option<K>, fetch: F) -> Download<V, E>
    where
        F: Future<Output = Result<Fetched<V>, E>> + Send + 'static,
    {
        let (sender, outcome) = watch::channel(None);
        let cache = self.clone();
        let task = tokio::spawn(async move {
            let Some(fetched) = clock::within(LONGEST_DOWNLOAD, fetch).await else {
                return;
            };
            if let Some(key) = key {
                cache.finish(key, fetched.as_ref().ok());
            }
            sender.send_replace(Some(fetched.map(|fetched| fetched.value)));
        });
        Download {
            outcome,
            task: task.abort_handle(),
        }
    }

    fn finish(&self, key: K, fetched: Option<&Fetched<V>>) {
        let mut slots = self.lock();
        let slot = slots.entry(key.clone()).or_default();
        slot.under_way = None;
        if let Some(Fetched {
            value,
            keep_until: Some(until),
        }) = fetched
        {
            slot.kept = Some((value.clone(), *until));
        }
        if slot.kept.is_none() {
            slots.remove(&key);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, Slot<V, E>>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Room for one more: what is over goes first, then what ends next. Downloads under way stay.
fn make_room<K: Clone + Eq + Hash, V, E>(slots: &mut HashMap<K, Slot<V, E>>, capacity: usize) {
    if slots.len() < capacity {
        return;
    }
    let now = clock::now();
    let idle = |slot: &Slot<V, E>| {
        slot.under_way
            .as_ref()
            .is_none_or(|download| download.outcome.has_changed().is_err())
    };
    slots
        .retain(|_, slot| !idle(slot) || slot.kept.as_ref().is_some_and(|(_, until)| now < *until));
    while slots.len() >= capacity {
        let next = slots
            .iter()
            .filter(|(_, slot)| idle(slot))
            .min_by_key(|(_, slot)| slot.kept.as_ref().map(|(_, until)| *until))
            .map(|(key, _)| key.clone());
        match next {
            Some(key) => slots.remove(&key),
            None => return,
        };
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::Notify;

    use super::*;

    const PLENTY: Duration = Duration::from_secs(10);
    const SHORT: Duration = Duration::from_millis(20);
    const GOOD: Habits = Habits {
        keeps: true,
        finishes_late: true,
        capacity: 4,
    };

    fn in_an_hour() -> Option<OffsetDateTime> {
        Some(clock::now() + time::Duration::HOUR)
    }

    /// A download that counts itself and ends when it is told to.
    #[derive(Clone, Default)]
    struct Source {
        asked: Arc<AtomicUsize>,
        open: Arc<Notify>,
    }

    impl Source {
        fn fetch(
            &self,
            value: u32,
            keep_until: Option<OffsetDateTime>,
        ) -> impl Future<Output = Result<Fetched<u32>, &'static str>> + Send + 'static {
            let source = self.clone();
            async move {
                source.asked.fetch_add(1, Ordering::SeqCst);
                source.open.notified().await;
                Ok(Fetched { value, keep_until })
            }
        }

        fn asked(&self) -> usize {
            self.asked.load(Ordering::SeqCst)
        }
    }

    async fn now(value: Result<u32, &'static str>) -> Result<Fetched<u32>, &'static str> {
        value.map(|value| Fetched {
            value,
            keep_until: in_an_hour(),
        })
    }

    #[tokio::test]
    async fn a_late_answer_is_kept_and_nobody_downloads_twice() {
        let cache = Cache::new(GOOD);
        let source = Source::default();
        let late = cache
            .get("list", SHORT, source.fetch(1, in_an_hour()))
            .await;
        assert_eq!(late, Err(Missed::Late));
        // Still under way: joined, not repeated.
        let late = cache
            .get("list", SHORT, source.fetch(2, in_an_hour()))
            .await;
        assert_eq!(late, Err(Missed::Late));
        let waiting = cache.get("list", PLENTY, source.fetch(3, in_an_hour()));
        source.open.notify_one();
        assert_eq!(waiting.await, Ok(1));
        let kept = cache.get("list", PLENTY, source.fetch(4, in_an_hour()));
        assert_eq!(kept.await, Ok(1));
        assert_eq!(source.asked(), 1);
    }

    #[tokio::test]
    async fn what_is_over_or_may_not_be_kept_is_fetched_anew() {
        let cache = Cache::new(GOOD);
        let source = Source::default();
        for (value, until) in [(1, None), (2, Some(clock::now())), (3, in_an_hour())] {
            source.open.notify_one();
            assert_eq!(
                cache
                    .get("answer", PLENTY, source.fetch(value, until))
                    .await,
                Ok(value)
            );
        }
        assert_eq!(source.asked(), 3);
        assert_eq!(cache.outdated(&"answer"), Some(3));
        assert_eq!(cache.outdated(&"other"), None);
        cache.expire(&"answer");
        source.open.notify_one();
        let anew = cache.get("answer", PLENTY, source.fetch(4, in_an_hour()));
        assert_eq!(anew.await, Ok(4));
    }

    #[tokio::test]
    async fn failures_are_told_to_all_and_forgotten() {
        let cache = Cache::new(GOOD);
        let failed = cache.get("answer", PLENTY, now(Err("broken"))).await;
        assert_eq!(failed, Err(Missed::Failed("broken")));
        assert_eq!(cache.get("answer", PLENTY, now(Ok(1))).await, Ok(1));
        // A refresh that fails leaves what was known.
        let short: Cache<_, _, &str> = Cache::new(GOOD);
        let over = async {
            Ok(Fetched {
                value: 7,
                keep_until: Some(clock::now()),
            })
        };
        assert_eq!(short.get("x", PLENTY, over).await, Ok(7));
        let failed = short.get("x", PLENTY, now(Err("down"))).await;
        assert_eq!(failed, Err(Missed::Failed("down")));
        assert_eq!(short.outdated(&"x"), Some(7));
    }

    #[tokio::test]
    async fn a_download_that_panics_does_not_block_the_next() {
        let cache: Cache<_, u32, &str> = Cache::new(GOOD);
        let broken = async { panic!("on purpose") };
        assert_eq!(cache.get("x", PLENTY, broken).await, Err(Missed::Late));
        assert_eq!(cache.get("x", PLENTY, now(Ok(1))).await, Ok(1));
    }

    #[tokio::test]
    async fn the_faults_keep_nothing_or_stop_at_the_limit() {
        let forgetful = Cache::new(Habits {
            keeps: false,
            ..GOOD
        });
        for value in [1, 2] {
            assert_eq!(forgetful.get("x", PLENTY, now(Ok(value))).await, Ok(value));
        }
        assert_eq!(forgetful.outdated(&"x"), None);
        let hasty = Cache::new(Habits {
            finishes_late: false,
            ..GOOD
        });
        let source = Source::default();
        for _ in 0..2 {
            let late = hasty.get("x", SHORT, source.fetch(1, in_an_hour())).await;
            assert_eq!(late, Err(Missed::Late));
        }
        assert_eq!(source.asked(), 2, "the first one was cut off");
    }

    #[tokio::test]
    async fn there_is_never_more_than_the_capacity() {
        let cache = Cache::new(GOOD);
        for key in 0..20 {
            assert_eq!(cache.get(key, PLENTY, now(Ok(key))).await, Ok(key));
        }
        assert_eq!(cache.lock().len(), GOOD.capacity);
        assert_eq!(cache.outdated(&19), Some(19));
    }
}
