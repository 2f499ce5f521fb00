//! The fault plan: what goes wrong on purpose, where, and how often.
//!
//! A fault is met when a request *arrives* (it is counted then, not when the answer goes out), so that a plan is
//! deterministic under concurrency. The one that was installed first wins.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::evidence::Part;

/// Where a fault lies in wait.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultPoint {
    /// The part of the network.
    pub part: Part,
    /// The operation as the part names it (`http`, `attach`, `transfer`, `sasl`, `ocsp`, ...); `*` stands for any.
    pub operation: String,
    /// The path, queue or address; `*` stands for any run of characters.
    pub subject: String,
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case")]
#[non_exhaustive]
pub enum FaultAction {
    /// Waits before the first byte of the answer.
    #[serde(rename = "delay-ms", with = "milliseconds")]
    Delay(Duration),
    /// Sends the answer in pieces of `bytes`, one every `every`.
    Drip {
        /// Size of a piece, at least 1.
        bytes: usize,
        /// Pause before each piece.
        #[serde(rename = "every-ms", with = "milliseconds")]
        every: Duration,
    },
    /// Never answers; the connection stays open.
    NoAnswer,
    /// Ends the connection at once, without an answer.
    Reset,
    /// Ends the connection after `after` bytes of the answer's body.
    ResetMidBody {
        /// Bytes of the body that still go out.
        after: usize,
    },
    /// Answers with an HTTP status and an empty body.
    Status(u16),
    /// Flips bits in the middle of the body.
    Corrupt,
    /// Answers with another artefact, named as the part names it (`expired-crl`, ...).
    Artefact(String),
    /// Answers with an AMQP error condition, by the means that fits the operation.
    Amqp {
        /// Symbol of the condition, `amqp:not-found` for example.
        condition: String,
        /// Text for the reader.
        description: String,
    },
}

/// A fault to be installed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Name that evidence uses.
    pub name: String,
    /// Where it lies in wait.
    pub at: FaultPoint,
    /// How many arrivals it lets pass first.
    #[serde(default)]
    pub skip: u64,
    /// How many arrivals it then hits; all of them when absent.
    #[serde(default)]
    pub count: Option<u64>,
    /// What it does.
    pub action: FaultAction,
}

/// A fault that an arrival has met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Name of the fault.
    pub name: String,
    /// What it does.
    pub action: FaultAction,
}

/// The installed faults. Clones share one plan.
#[derive(Clone, Debug, Default)]
pub struct FaultPlan {
    installed: Arc<Mutex<Vec<Installed>>>,
}

#[derive(Debug)]
struct Installed {
    fault: Fault,
    arrivals: u64,
}

impl FaultPlan {
    /// A plan in which nothing goes wrong.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a fault in place behind those already there.
    pub fn install(&self, fault: Fault) {
        self.lock().push(Installed { fault, arrivals: 0 });
    }

    /// The faults in place, in the order in which they were installed.
    #[must_use]
    pub fn installed(&self) -> Vec<Fault> {
        self.lock()
            .iter()
            .map(|entry| entry.fault.clone())
            .collect()
    }

    /// Takes every fault of this name away; tells whether there was one.
    pub fn remove(&self, name: &str) -> bool {
        let mut installed = self.lock();
        let before = installed.len();
        installed.retain(|entry| entry.fault.name != name);
        installed.len() != before
    }

    /// Takes all faults away.
    pub fn clear(&self) {
        self.lock().clear();
    }

    /// Counts an arrival and returns the fault that it meets, if any.
    #[must_use]
    pub fn arrive(&self, part: Part, operation: &str, subject: &str) -> Option<Hit> {
        let mut hit = None;
        for entry in self
            .lock()
            .iter_mut()
            .filter(|entry| entry.fault.at.covers(part, operation, subject))
        {
            entry.arrivals += 1;
            let turn = entry.arrivals.checked_sub(entry.fault.skip + 1);
            let meets = turn.is_some_and(|turn| entry.fault.count.is_none_or(|count| turn < count));
            if meets && hit.is_none() {
                hit = Some(Hit {
                    name: entry.fault.name.clone(),
                    action: entry.fault.action.clone(),
                });
            }
        }
        hit
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Installed>> {
        self.installed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whole milliseconds, for durations in JSON.
mod milliseconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(
        duration: &Duration,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        u64::try_from(duration.as_millis())
            .unwrap_or(u64::MAX)
            .serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_millis)
    }
}

impl FaultPoint {
    fn covers(&self, part: Part, operation: &str, subject: &str) -> bool {
        self.part == part && matches(&self.operation, operation) && matches(&self.subject, subject)
    }
}

/// Whether `text` fits `pattern`, in which `*` stands for any run of characters.
#[must_use]
pub fn matches(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut left) = text.strip_prefix(head) else {
        return false;
    };
    let mut pieces: Vec<&str> = rest.split('*').collect();
    let tail = pieces.pop().unwrap_or_default();
    for piece in pieces {
        match left.find(piece) {
            Some(at) => left = &left[at + piece.len()..],
            None => return false,
        }
    }
    left.ends_with(tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delay(name: &str, subject: &str, skip: u64, count: Option<u64>) -> Fault {
        Fault {
            name: name.into(),
            at: FaultPoint {
                part: Part::Buypass,
                operation: "http".into(),
                subject: subject.into(),
            },
            skip,
            count,
            action: FaultAction::Delay(Duration::from_secs(1)),
        }
    }

    #[test]
    fn a_fault_counts_arrivals() {
        let plan = FaultPlan::new();
        plan.install(delay("second", "/crl/*", 1, Some(1)));
        let meets = |path: &str| plan.arrive(Part::Buypass, "http", path).is_some();
        assert!(!meets("/crl/a.crl"));
        assert!(
            !meets("/crt/a.cer"),
            "another path neither meets nor counts"
        );
        assert!(meets("/crl/a.crl"));
        assert!(!meets("/crl/a.crl"));
    }

    #[test]
    fn the_first_installed_wins_and_the_other_still_counts() {
        let plan = FaultPlan::new();
        plan.install(delay("one", "*", 0, Some(1)));
        plan.install(delay("two", "*", 1, None));
        let name = || plan.arrive(Part::Buypass, "http", "/x").map(|hit| hit.name);
        assert_eq!(name().as_deref(), Some("one"));
        assert_eq!(name().as_deref(), Some("two"));
        assert!(plan.remove("two"));
        assert_eq!(name(), None);
    }

    #[test]
    fn patterns() {
        for (pattern, text, fits) in [
            ("/crl/*", "/crl/a", true),
            ("*", "", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b", "ab", true),
            ("a*b", "a", false),
            ("ab*b", "ab", false),
            ("/x", "/xy", false),
        ] {
            assert_eq!(matches(pattern, text), fits, "{pattern} {text}");
        }
    }
}
