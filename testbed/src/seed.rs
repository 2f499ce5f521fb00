//! Randomness, from one place: a run that is given the same seed makes the same choices.
//!
//! Key material is the single exception: it comes from the operating system.

use std::sync::{Arc, Mutex};

use rand::RngExt;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use uuid::Uuid;

/// The seeded generator of a run. Clones share one stream.
#[derive(Clone, Debug)]
pub struct Seed {
    value: u64,
    stream: Arc<Mutex<ChaCha8Rng>>,
}

impl Seed {
    /// A generator that starts at `value`.
    #[must_use]
    pub fn new(value: u64) -> Self {
        Self {
            value,
            stream: Arc::new(Mutex::new(ChaCha8Rng::seed_from_u64(value))),
        }
    }

    /// The number that the stream started at, to be written into reports.
    #[must_use]
    pub fn value(&self) -> u64 {
        self.value
    }

    /// A generator of its own for the use that `name` tells, independent of the order in which others draw.
    #[must_use]
    pub fn fork(&self, name: &str) -> Self {
        // FNV-1a: stable across versions of the standard library, unlike its hasher.
        let mixed = name
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64 ^ self.value, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
            });
        Self::new(mixed)
    }

    /// The next number of the stream.
    #[must_use]
    pub fn next_u64(&self) -> u64 {
        self.draw(|rng| rng.random())
    }

    /// The next UUID (version 4 in form) of the stream.
    #[must_use]
    pub fn uuid(&self) -> Uuid {
        uuid::Builder::from_random_bytes(self.draw(|rng| rng.random())).into_uuid()
    }

    fn draw<T>(&self, from: impl FnOnce(&mut ChaCha8Rng) -> T) -> T {
        let mut stream = self
            .stream
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        from(&mut stream)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_stream() {
        assert_eq!(Seed::new(7).uuid(), Seed::new(7).uuid());
        assert_ne!(Seed::new(7).uuid(), Seed::new(8).uuid());
        assert_eq!(
            Seed::new(7).fork("bus").next_u64(),
            Seed::new(7).fork("bus").next_u64()
        );
        assert_ne!(
            Seed::new(7).fork("bus").next_u64(),
            Seed::new(7).fork("ar").next_u64()
        );
    }
}
