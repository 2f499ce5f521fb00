//! What queues and the operator tell a connection: links to look after and orders, without a channel that could fill up.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::sync::Notify;

/// The end of a connection's line that others write to.
#[derive(Debug, Default)]
pub(crate) struct Mailbox {
    post: Mutex<Post>,
    bell: Notify,
    user: OnceLock<String>,
}

/// What lay in the mailbox.
#[derive(Debug, Default)]
pub(crate) struct Post {
    /// Links for which a message may be there.
    pub(crate) woken: BTreeSet<u64>,
    /// Links whose queue was removed.
    pub(crate) deleted: BTreeSet<u64>,
    /// The operator closes the connection, with this explanation.
    pub(crate) close: Option<String>,
}

impl Mailbox {
    pub(crate) fn wake(&self, link: u64) {
        self.lock().woken.insert(link);
        self.bell.notify_one();
    }

    pub(crate) fn queue_deleted(&self, link: u64) {
        self.lock().deleted.insert(link);
        self.bell.notify_one();
    }

    pub(crate) fn close(&self, explanation: &str) {
        self.lock()
            .close
            .get_or_insert_with(|| explanation.to_owned());
        self.bell.notify_one();
    }

    /// Writes down who has logged in.
    pub(crate) fn belongs_to(&self, user: &str) {
        self.user.get_or_init(|| user.to_owned());
    }

    pub(crate) fn user(&self) -> Option<&str> {
        self.user.get().map(String::as_str)
    }

    /// Takes everything out.
    pub(crate) fn collect(&self) -> Post {
        std::mem::take(&mut *self.lock())
    }

    /// Waits until something was put in since the last wait.
    pub(crate) async fn arrival(&self) {
        self.bell.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, Post> {
        self.post.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
