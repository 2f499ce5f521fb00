//! Time, from one place: every wait and every time stamp of the workspace goes through [`Clock`].
//!
//! The clock follows the machine's monotonic clock and can be moved forward on command
//! ([`Clock::advance`]), so that locks, time-to-live and `nextUpdate` can be passed without waiting.

#![expect(
    clippy::disallowed_methods,
    reason = "this module is the one place that may ask the machine for the time"
)]

use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;
use tokio::sync::watch;

/// A point on a [`Clock`]'s monotonic axis, counted from the start of that clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(Duration);

impl Moment {
    /// The time since the clock was made.
    #[must_use]
    pub fn since_start(self) -> Duration {
        self.0
    }

    /// The moment that lies `later` after this one; stays at the end of the axis instead of overflowing.
    #[must_use]
    pub fn plus(self, later: Duration) -> Self {
        Self(self.0.saturating_add(later))
    }

    /// How long after `earlier` this moment is; zero when it is not after it.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

/// The source of time. Clones share one clock.
#[derive(Clone, Debug)]
pub struct Clock {
    axis: Arc<Axis>,
}

#[derive(Debug)]
struct Axis {
    started: tokio::time::Instant,
    started_wall: OffsetDateTime,
    advanced: watch::Sender<Duration>,
}

/// A wait took longer than it was allowed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nothing came within {0:?}")]
pub struct DeadlinePassed(pub Duration);

impl Clock {
    /// A clock that starts now.
    #[must_use]
    pub fn start() -> Self {
        Self {
            axis: Arc::new(Axis {
                started: tokio::time::Instant::now(),
                started_wall: OffsetDateTime::now_utc(),
                advanced: watch::Sender::new(Duration::ZERO),
            }),
        }
    }

    /// The present moment.
    #[must_use]
    pub fn now(&self) -> Moment {
        Moment(self.axis.started.elapsed() + *self.axis.advanced.borrow())
    }

    /// The present wall time, UTC.
    #[must_use]
    pub fn wall(&self) -> OffsetDateTime {
        self.wall_at(self.now())
    }

    /// The wall time, UTC, at `moment`.
    #[must_use]
    pub fn wall_at(&self, moment: Moment) -> OffsetDateTime {
        self.axis.started_wall + moment.0
    }

    /// Moves the clock forward; every wait whose time has then come ends.
    pub fn advance(&self, by: Duration) {
        self.axis.advanced.send_modify(|total| *total += by);
    }

    /// Waits for `duration` of this clock's time.
    pub async fn sleep(&self, duration: Duration) {
        self.sleep_until(self.now().plus(duration)).await;
    }

    /// Waits until this clock shows `deadline`.
    pub async fn sleep_until(&self, deadline: Moment) {
        let mut advanced = self.axis.advanced.subscribe();
        loop {
            let left = deadline.since(self.now());
            if left.is_zero() {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(left) => {}
                _ = advanced.changed() => {}
            }
        }
    }

    /// Runs `future` for at most `limit` of this clock's time.
    ///
    /// # Errors
    /// [`DeadlinePassed`] when the limit came first; the future is dropped then.
    pub async fn timeout<F: Future>(
        &self,
        limit: Duration,
        future: F,
    ) -> Result<F::Output, DeadlinePassed> {
        tokio::select! {
            biased;
            output = future => Ok(output),
            () = self.sleep(limit) => Err(DeadlinePassed(limit)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn advancing_ends_a_long_wait() {
        let clock = Clock::start();
        let before = clock.wall();
        let far = clock.now().plus(Duration::from_secs(3600));
        tokio::join!(clock.sleep_until(far), async {
            clock.advance(Duration::from_secs(3601))
        });
        assert!(clock.wall() - before >= Duration::from_secs(3601));
    }

    #[tokio::test]
    async fn a_future_without_end_meets_its_deadline() {
        let clock = Clock::start();
        let outcome = clock
            .timeout(Duration::from_millis(1), std::future::pending::<()>())
            .await;
        assert_eq!(outcome, Err(DeadlinePassed(Duration::from_millis(1))));
    }
}
