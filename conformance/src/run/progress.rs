//! What a person sees while a run is under way: lines, made by [`crate::report::progress`].

use std::io::Write;

use testbed::Journal;

use crate::report::progress::event;

/// Somebody who wants to know how far the run has come.
pub trait Progress: Sync {
    /// One line.
    fn line(&self, text: &str);
}

/// Nobody.
#[derive(Clone, Copy, Debug)]
pub struct Silent;

impl Progress for Silent {
    fn line(&self, _: &str) {}
}

/// Standard error.
#[derive(Clone, Copy, Debug)]
pub struct Telling;

impl Progress for Telling {
    fn line(&self, text: &str) {
        // A reader that has gone away is no reason to stop.
        let _ = writeln!(std::io::stderr(), "{text}");
    }
}

/// Tells what becomes evidence, for as long as it is polled.
pub(super) async fn follow(journal: &Journal, progress: &dyn Progress) {
    let mut seen = 0;
    loop {
        let next = journal.next(seen).await;
        for entry in next {
            seen = entry.n;
            if let Some(text) = event(&entry.event) {
                progress.line(&text);
            }
        }
    }
}
