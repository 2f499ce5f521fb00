//! Orderly stop: one [`Shutdown`] ends everything that holds its [`ShutdownSignal`] and waits until it has ended.

use std::time::Duration;

use tokio::sync::watch;

use crate::clock::{Clock, DeadlinePassed};

/// The end that stops. Dropping it stops as well, without waiting.
#[derive(Debug)]
pub struct Shutdown {
    stopped: watch::Sender<bool>,
}

/// The end that listens. Every task that has to be waited for keeps a clone until it is done.
#[derive(Clone, Debug)]
pub struct ShutdownSignal {
    stopped: watch::Receiver<bool>,
}

impl Shutdown {
    /// A pair of stopper and signal.
    #[must_use]
    pub fn new() -> (Self, ShutdownSignal) {
        let (sender, receiver) = watch::channel(false);
        (
            Self { stopped: sender },
            ShutdownSignal { stopped: receiver },
        )
    }

    /// Fires the signal and waits until every clone of it is gone.
    ///
    /// # Errors
    /// [`DeadlinePassed`] when something still held the signal after `limit`.
    pub async fn stop(self, clock: &Clock, limit: Duration) -> Result<(), DeadlinePassed> {
        self.stopped.send_replace(true);
        clock.timeout(limit, self.stopped.closed()).await
    }
}

impl ShutdownSignal {
    /// Whether the stop has begun.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        *self.stopped.borrow()
    }

    /// Waits for the stop to begin. A dropped [`Shutdown`] counts as one.
    pub async fn stopping(&mut self) {
        // An error says that the sender is gone, which means the same.
        let _ = self.stopped.wait_for(|stopped| *stopped).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn stop_waits_for_the_last_holder() {
        let clock = Clock::start();
        let (shutdown, signal) = Shutdown::new();
        let task = tokio::spawn({
            let mut signal = signal.clone();
            async move { signal.stopping().await }
        });
        drop(signal);
        shutdown
            .stop(&clock, Duration::from_secs(10))
            .await
            .unwrap();
        task.await.unwrap();
    }
}
