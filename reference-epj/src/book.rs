//! What the EPJ remembers: its own calls, the requests it has answered, the errors it was told of. All of it is bounded;
//! the oldest goes first.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use tokio::sync::oneshot;

use crate::fault::{Fault, Faults};
use crate::ids;

/// Most entries of each kind.
const MOST: usize = 1000;

/// How a call stands, in the driver's words (docs/driver.md).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum State {
    /// Nothing is known of it, or it is still under way.
    Unknown,
    /// It has ended well.
    Processed,
    /// It has ended badly.
    Rejected,
    /// No reply came in time.
    Overdue,
}

/// How a call ended (docs/driver.md).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The reply came and is valid.
    Success,
    /// The other party, or this one, said no.
    Refused(String),
    /// It could not be carried through.
    Error(String),
}

/// A request of our own.
struct Call {
    message_id: String,
    msg_id: String,
    state: State,
    text: String,
    waiter: Option<oneshot::Sender<End>>,
}

/// What the book knows of a correlation-id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// Somebody waits for this reply.
    Waiting {
        /// MsgId of the request.
        msg_id: String,
    },
    /// The call is over.
    Over,
    /// No such call.
    Unknown,
}

/// An error that an operator sees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct ErrorEntry {
    pub(crate) time: String,
    pub(crate) text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error_condition: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) original_message_id: Option<String>,
}

#[derive(Default)]
struct Pages {
    calls: VecDeque<Call>,
    received: VecDeque<(String, State)>,
    errors: VecDeque<ErrorEntry>,
}

/// The book.
pub(crate) struct Book {
    pages: Mutex<Pages>,
    late_is_success: bool,
}

impl Book {
    /// An empty book.
    pub(crate) fn new(faults: &Faults) -> Self {
        Self {
            pages: Mutex::default(),
            late_is_success: faults.has(Fault::LateReplyAsSuccess),
        }
    }

    /// Notes a call that is about to be sent; its end comes through what is returned. The correlation-id of a call is its
    /// message-id.
    pub(crate) fn called(&self, message_id: &str, msg_id: &str) -> oneshot::Receiver<End> {
        let (waiter, end) = oneshot::channel();
        let call = Call {
            message_id: message_id.to_owned(),
            msg_id: msg_id.to_owned(),
            state: State::Unknown,
            text: "waiting for the reply".to_owned(),
            waiter: Some(waiter),
        };
        push(&mut self.pages().calls, call);
        end
    }

    /// Whose reply has this correlation-id.
    pub(crate) fn known(&self, correlation: &str) -> Known {
        match find(&mut self.pages().calls, correlation) {
            Some(call) if call.waiter.is_some() => Known::Waiting {
                msg_id: call.msg_id.clone(),
            },
            Some(_) => Known::Over,
            None => Known::Unknown,
        }
    }

    /// Ends a call, unless it is over already.
    pub(crate) fn end(&self, message_id: &str, end: End) {
        if let Some(call) = find(&mut self.pages().calls, message_id)
            && let Some(waiter) = call.waiter.take()
        {
            (call.state, call.text) = match &end {
                End::Success => (State::Processed, "the reply is valid".to_owned()),
                End::Refused(text) | End::Error(text) => (State::Rejected, text.clone()),
            };
            // Whoever waited may have gone; the book has it all the same.
            let _ = waiter.send(end);
        }
    }

    /// Ends a call because no reply came in time, unless it is over already. Tells how it stands then.
    pub(crate) fn time_out(&self, message_id: &str) -> State {
        let mut pages = self.pages();
        let Some(call) = find(&mut pages.calls, message_id) else {
            return State::Overdue;
        };
        if call.waiter.take().is_some() {
            call.state = State::Overdue;
            "no reply came in time".clone_into(&mut call.text);
        }
        call.state
    }

    /// Notes the reply to a call that is over: what has timed out stays so.
    pub(crate) fn late(&self, correlation: &str) {
        let mut pages = self.pages();
        let Some(call) = find(&mut pages.calls, correlation) else {
            return;
        };
        if call.state != State::Overdue {
            return;
        }
        "the reply came after the time was out".clone_into(&mut call.text);
        if self.late_is_success {
            call.state = State::Processed;
        }
    }

    /// Notes a request of another party.
    pub(crate) fn received(&self, msg_id: &str, state: State) {
        push(&mut self.pages().received, (ids::cut(msg_id), state));
    }

    /// How a message stands, by its MsgId, and a text for people.
    pub(crate) fn state(&self, msg_id: &str) -> (State, String) {
        let pages = self.pages();
        if let Some(call) = pages.calls.iter().rev().find(|call| call.msg_id == msg_id) {
            return (call.state, call.text.clone());
        }
        let msg_id = ids::cut(msg_id);
        let received = pages.received.iter().rev().find(|(id, _)| *id == msg_id);
        received.map_or_else(
            || (State::Unknown, "there is no such message".to_owned()),
            |(_, state)| (*state, "received from another party".to_owned()),
        )
    }

    /// Notes an error message.
    pub(crate) fn note_error(&self, entry: ErrorEntry) {
        push(&mut self.pages().errors, entry);
    }

    /// All errors, the oldest first.
    pub(crate) fn errors(&self) -> Vec<ErrorEntry> {
        self.pages().errors.iter().cloned().collect()
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn push<T>(page: &mut VecDeque<T>, entry: T) {
    if page.len() >= MOST {
        page.pop_front();
    }
    page.push_back(entry);
}

fn find<'a>(calls: &'a mut VecDeque<Call>, message_id: &str) -> Option<&'a mut Call> {
    calls
        .iter_mut()
        .rev()
        .find(|call| call.message_id == message_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn book(faults: &[Fault]) -> Book {
        Book::new(&faults.iter().copied().collect())
    }

    #[test]
    fn a_reply_in_time_ends_the_call() {
        let book = book(&[]);
        let mut end = book.called("a", "m");
        assert_eq!(
            book.known("a"),
            Known::Waiting {
                msg_id: "m".to_owned()
            }
        );
        book.end("a", End::Success);
        assert_eq!(end.try_recv(), Ok(End::Success));
        assert_eq!(book.state("m").0, State::Processed);
        // Nothing that comes later changes it.
        book.end("a", End::Refused("too late".to_owned()));
        book.time_out("a");
        assert_eq!(
            (book.known("a"), book.state("m").0),
            (Known::Over, State::Processed)
        );
    }

    #[test]
    fn a_late_reply_changes_nothing_but_the_text() {
        for (faults, state) in [
            (&[][..], State::Overdue),
            (&[Fault::LateReplyAsSuccess][..], State::Processed),
        ] {
            let book = book(faults);
            let _end = book.called("a", "m");
            book.late("a");
            assert_eq!(book.state("m").0, State::Unknown);
            book.time_out("a");
            assert_eq!(
                (book.known("a"), book.state("m").0),
                (Known::Over, State::Overdue)
            );
            book.late("a");
            assert_eq!(book.state("m").0, state);
        }
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let book = book(&[]);
        for number in 0..=MOST {
            book.received(&number.to_string(), State::Processed);
        }
        assert_eq!(book.state("0").0, State::Unknown);
        assert_eq!(book.state("1").0, State::Processed);
    }
}
