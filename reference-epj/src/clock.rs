//! The EPJ's clock. It may not use `testbed`, so the few places that read the time or wait are gathered here.
#![expect(
    clippy::disallowed_methods,
    reason = "reference-epj is a stranger to testbed; this module is its one door to the time"
)]

use std::future::Future;
use std::time::Duration;

use time::OffsetDateTime;
use tokio::time::Instant;

/// Wall time, UTC.
pub(crate) fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

/// Monotonic time.
pub(crate) fn instant() -> Instant {
    Instant::now()
}

/// Waits.
pub(crate) async fn sleep(duration: Duration) {
    tokio::time::sleep(duration).await;
}

/// What a future gives within `limit`, or `None`.
pub(crate) async fn within<F: Future>(limit: Duration, future: F) -> Option<F::Output> {
    tokio::time::timeout(limit, future).await.ok()
}
