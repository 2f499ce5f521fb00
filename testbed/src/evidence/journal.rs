//! Writing evidence: the journal file, its blobs, and the entries in memory that acts and checks look at.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use tokio::sync::watch;

use super::event::Event;
use crate::clock::{Clock, DeadlinePassed, Moment};

/// Most entries that are kept in memory; older ones stay in the file only.
const MEMORY_LIMIT: usize = 200_000;
/// Most entries of [`Journal::of_latest`].
const LATEST: usize = 2_000;

/// Which part of the network an entry comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// The address register and CPPA.
    Ar,
    /// The message bus.
    Bus,
    /// The certificate authority.
    Buypass,
    /// The canary: addresses that nobody may ask.
    Canary,
    /// The security token service.
    Helseid,
    /// The party behind HER-id 109989.
    Helsenorge,
    /// The examiner itself.
    Runner,
    /// The system under test, as its adapter sees it.
    Sut,
}

/// Bytes that lie beside the journal as `blobs/<sha256>`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct BlobRef {
    /// SHA-256 of the bytes, 64 lower-case hexadecimal digits; the file's name.
    pub sha256: String,
    /// Length in bytes.
    pub size: u64,
}

/// One line of the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Number of the entry in its journal, from 1 without gaps; reports refer to evidence by it.
    pub n: u64,
    /// Monotonic time in microseconds since the run's clock was started.
    pub at_us: u64,
    /// Wall time, UTC.
    #[serde(with = "time::serde::rfc3339")]
    pub wall: OffsetDateTime,
    /// Where it happened.
    pub part: Part,
    /// The scenario's step that was under way, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// What happened.
    pub event: Event,
}

impl Entry {
    /// Monotonic time since the run's clock was started.
    #[must_use]
    pub fn at(&self) -> Duration {
        Duration::from_micros(self.at_us)
    }
}

/// The journal cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write evidence to {path}: {source}")]
pub struct JournalError {
    /// The file or folder concerned.
    pub path: PathBuf,
    /// What the operating system said.
    #[source]
    pub source: std::io::Error,
}

/// The journal of a run. Clones write to the same one.
#[derive(Clone, Debug)]
pub struct Journal {
    clock: Clock,
    state: Arc<Mutex<State>>,
    length: Arc<watch::Sender<u64>>,
}

#[derive(Debug, Default)]
struct State {
    sink: Option<Sink>,
    step: Option<String>,
    count: u64,
    entries: Vec<Arc<Entry>>,
    memory_limit: Option<usize>,
    failed: Option<String>,
}

#[derive(Debug)]
struct Sink {
    file: File,
    path: PathBuf,
    blobs: PathBuf,
}

impl Journal {
    /// A journal that lives in memory only, for tests and for `serve`.
    #[must_use]
    pub fn in_memory(clock: Clock) -> Self {
        Self {
            clock,
            state: Arc::default(),
            length: Arc::new(watch::Sender::new(0)),
        }
    }

    /// A journal for a network that runs for days: it remembers the latest entries only and writes nothing.
    #[must_use]
    pub fn of_latest(clock: Clock) -> Self {
        let journal = Self::in_memory(clock);
        journal.lock().memory_limit = Some(LATEST);
        journal
    }

    /// Starts a fresh journal in `folder` (`evidence.jsonl` and `blobs/`): what was in memory is forgotten and
    /// numbering begins at 1 again. The runner calls it at the start of each scenario.
    ///
    /// # Errors
    /// [`JournalError`] when the folder or the file cannot be made; the former journal then goes on.
    pub fn begin(&self, folder: &Path) -> Result<(), JournalError> {
        let blobs = folder.join("blobs");
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| JournalError { path, source }
        };
        std::fs::create_dir_all(&blobs).map_err(failed(&blobs))?;
        let path = folder.join("evidence.jsonl");
        let file = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(true)
            .open(&path)
            .map_err(failed(&path))?;
        *self.lock() = State {
            sink: Some(Sink { file, path, blobs }),
            ..State::default()
        };
        self.length.send_replace(0);
        Ok(())
    }

    /// Names the scenario's step to which the following entries belong.
    pub fn set_step(&self, step: Option<&str>) {
        self.lock().step = step.map(str::to_owned);
    }

    /// Appends an event that happens now and returns the entry's number.
    pub fn record(&self, part: Part, event: Event) -> u64 {
        let number = {
            let mut state = self.lock();
            let now: Moment = self.clock.now();
            state.count += 1;
            let entry = Entry {
                n: state.count,
                at_us: u64::try_from(now.since_start().as_micros()).unwrap_or(u64::MAX),
                wall: self.clock.wall_at(now),
                part,
                step: state.step.clone(),
                event,
            };
            state.append(entry);
            state.count
        };
        self.length.send_replace(number);
        number
    }

    /// Stores bytes beside the journal. Without a folder only their hash and length are kept.
    pub fn blob(&self, bytes: &[u8]) -> BlobRef {
        let sha256 = Sha256::digest(bytes)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>();
        let mut state = self.lock();
        let target = state
            .sink
            .as_ref()
            .map(|sink| sink.blobs.join(&sha256))
            .filter(|path| !path.exists());
        if let Some(path) = target
            && let Err(error) = std::fs::write(&path, bytes)
        {
            state.fail(&path, &error);
        }
        BlobRef {
            sha256,
            size: bytes.len() as u64,
        }
    }

    /// What went wrong with writing since the journal began, if anything: evidence is then incomplete and no verdict
    /// may be a pass.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        self.lock().failed.clone()
    }

    /// The entries since the journal began, in order.
    #[must_use]
    pub fn entries(&self) -> Vec<Arc<Entry>> {
        self.lock().entries.clone()
    }

    /// How many entries there are; a mark for [`Self::wait_for`].
    #[must_use]
    pub fn len(&self) -> u64 {
        self.lock().count
    }

    /// Whether nothing has been recorded yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Waits for an entry numbered above `after` that `wanted` accepts, and returns it. Entries that are already there count.
    ///
    /// # Errors
    /// [`DeadlinePassed`] when none came within `limit`.
    pub async fn wait_for(
        &self,
        after: u64,
        limit: Duration,
        wanted: impl Fn(&Entry) -> bool,
    ) -> Result<Arc<Entry>, DeadlinePassed> {
        let search = async {
            let mut seen = after;
            loop {
                let fresh = self.next(seen).await;
                if let Some(found) = fresh.iter().find(|entry| wanted(entry)) {
                    return Arc::clone(found);
                }
                seen = fresh.last().map_or(seen, |entry| entry.n);
            }
        };
        self.clock.timeout(limit, search).await
    }

    /// The entries numbered above `after`, as soon as there is one.
    pub async fn next(&self, after: u64) -> Vec<Arc<Entry>> {
        let mut length = self.length.subscribe();
        loop {
            length.borrow_and_update();
            let fresh = {
                let state = self.lock();
                let from = state.entries.partition_point(|entry| entry.n <= after);
                state.entries[from..].to_vec()
            };
            if !fresh.is_empty() {
                return fresh;
            }
            if length.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn append(&mut self, entry: Entry) {
        if self.sink.is_some() {
            let written = serde_json::to_vec(&entry)
                .map_err(std::io::Error::from)
                .and_then(|mut line| {
                    line.push(b'\n');
                    self.sink
                        .as_mut()
                        .map_or(Ok(()), |sink| sink.file.write_all(&line))
                });
            if let Err(error) = written {
                let path = self
                    .sink
                    .as_ref()
                    .map(|sink| sink.path.clone())
                    .unwrap_or_default();
                self.fail(&path, &error);
            }
        }
        let limit = self.memory_limit.unwrap_or(MEMORY_LIMIT);
        if self.entries.len() >= limit {
            self.entries.drain(..limit / 2);
        }
        self.entries.push(Arc::new(entry));
    }

    fn fail(&mut self, path: &Path, error: &std::io::Error) {
        self.failed
            .get_or_insert_with(|| format!("cannot write evidence to {}: {error}", path.display()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::read_entries;

    #[tokio::test]
    async fn what_is_recorded_can_be_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::in_memory(Clock::start());
        journal.begin(folder.path()).unwrap();
        journal.set_step(Some("cold"));
        journal.record(
            Part::Runner,
            Event::Note {
                text: "æøå".into()
            },
        );
        let blob = journal.blob(b"bytes");
        assert_eq!(
            std::fs::read(folder.path().join("blobs").join(&blob.sha256)).unwrap(),
            b"bytes"
        );
        let read = read_entries(&folder.path().join("evidence.jsonl")).unwrap();
        assert_eq!(read.len(), 1);
        assert_eq!(&read[0], journal.entries()[0].as_ref());
        assert_eq!(read[0].step.as_deref(), Some("cold"));
        assert_eq!(journal.failure(), None);
    }

    #[tokio::test]
    async fn a_waiter_sees_what_comes_later_and_not_what_came_before_its_mark() {
        let journal = Journal::in_memory(Clock::start());
        let note = |text: &str| Event::Note { text: text.into() };
        let mark = journal.record(Part::Runner, note("a"));
        let wait = journal.wait_for(mark, Duration::from_secs(10), |entry| {
            matches!(entry.event, Event::Note { .. })
        });
        let (found, _) = tokio::join!(wait, async { journal.record(Part::Runner, note("b")) });
        assert_eq!(found.unwrap().event, note("b"));
    }
}
