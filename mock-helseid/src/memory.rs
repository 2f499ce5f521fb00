//! What has been seen or given out, for a while: ids of assertions and proofs, and nonces. Bounded in time and number.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use sha2::{Digest, Sha256};
use testbed::clock::Moment;

/// Most entries that are kept; the oldest is forgotten first.
const CAPACITY: usize = 100_000;

/// Remembers texts for a fixed time.
#[derive(Debug)]
pub(crate) struct Memory {
    lifetime: Duration,
    known: HashSet<[u8; 32]>,
    order: VecDeque<(Moment, [u8; 32])>,
}

impl Memory {
    pub(crate) fn new(lifetime: Duration) -> Self {
        Self {
            lifetime,
            known: HashSet::new(),
            order: VecDeque::new(),
        }
    }

    /// Remembers; false when it was known already.
    pub(crate) fn remember(&mut self, parts: &[&str], now: Moment) -> bool {
        self.forget(now);
        let key = hash(parts);
        let fresh = self.known.insert(key);
        if fresh {
            self.order.push_back((now.plus(self.lifetime), key));
        }
        fresh
    }

    /// Whether it is known.
    pub(crate) fn knows(&mut self, parts: &[&str], now: Moment) -> bool {
        self.forget(now);
        self.known.contains(&hash(parts))
    }

    pub(crate) fn clear(&mut self) {
        self.known.clear();
        self.order.clear();
    }

    fn forget(&mut self, now: Moment) {
        while let Some((until, key)) = self.order.front() {
            if *until >= now && self.order.len() < CAPACITY {
                return;
            }
            self.known.remove(key);
            self.order.pop_front();
        }
    }
}

/// Lengths are hashed as well, so that no two lists of parts look alike.
fn hash(parts: &[&str]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_known_until_their_time_is_up() {
        let start = Moment::default();
        let mut memory = Memory::new(Duration::from_secs(10));
        assert!(memory.remember(&["a", "b"], start));
        assert!(!memory.remember(&["a", "b"], start.plus(Duration::from_secs(10))));
        assert!(!memory.knows(&["ab"], start), "parts are not run together");
        assert!(!memory.knows(&["a", "b"], start.plus(Duration::from_secs(11))));
    }

    #[test]
    fn the_number_is_bounded() {
        let start = Moment::default();
        let mut memory = Memory::new(Duration::from_secs(10));
        for number in 0..CAPACITY + 100 {
            memory.remember(&[&number.to_string()], start);
        }
        assert!(memory.known.len() <= CAPACITY);
        assert!(!memory.knows(&["0"], start));
        assert!(memory.knows(&[&(CAPACITY + 99).to_string()], start));
    }
}
