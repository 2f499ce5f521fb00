//! Which requests have been answered: what the bus delivers again has its effect once. A request is known by its
//! message-id and MsgId together (contract 03 section 7.11, notes).

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::ids;

/// Most requests that are remembered.
const MOST: usize = 1000;

/// Sender, message-id and MsgId of a request.
pub(crate) type Key = (u32, String, String);

#[derive(Default)]
struct Keys {
    done: VecDeque<Key>,
    open: BTreeSet<Key>,
}

/// The requests that were answered lately; clones share them.
#[derive(Clone, Default)]
pub(crate) struct Answered(Arc<Mutex<Keys>>);

/// How a request stands.
pub(crate) enum Claim {
    /// Nobody has answered it; now it is the holder's to answer.
    Yours(Open),
    /// An earlier delivery of it is being answered.
    Open,
    /// It has been answered.
    Done,
}

/// The right to answer a request. Dropped, it can be claimed again.
pub(crate) struct Open {
    answered: Answered,
    key: Key,
}

impl Answered {
    /// Claims a request.
    pub(crate) fn claim(&self, (from, message_id, msg_id): Key) -> Claim {
        let key = (from, ids::cut(&message_id), ids::cut(&msg_id));
        let mut keys = self.keys();
        if keys.done.contains(&key) {
            return Claim::Done;
        }
        if !keys.open.insert(key.clone()) {
            return Claim::Open;
        }
        Claim::Yours(Open {
            answered: self.clone(),
            key,
        })
    }

    fn keys(&self) -> MutexGuard<'_, Keys> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    /// The request has been answered.
    pub(crate) fn done(self) {
        // The lock is given back before the claim is.
        let mut keys = self.answered.keys();
        if keys.done.len() >= MOST {
            keys.done.pop_front();
        }
        keys.done.push_back(self.key.clone());
        drop(keys);
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.answered.keys().open.remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: usize) -> Key {
        (109_989, number.to_string(), "m".to_owned())
    }

    #[test]
    fn a_request_is_answered_once_and_tried_again_when_it_was_not() {
        let answered = Answered::default();
        let Claim::Yours(open) = answered.claim(key(1)) else {
            panic!()
        };
        assert!(matches!(answered.claim(key(1)), Claim::Open));
        drop(open);
        let Claim::Yours(open) = answered.claim(key(1)) else {
            panic!()
        };
        open.done();
        assert!(matches!(answered.claim(key(1)), Claim::Done));
        assert!(matches!(answered.claim(key(2)), Claim::Yours(_)));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let answered = Answered::default();
        for number in 0..=MOST {
            if let Claim::Yours(open) = answered.claim(key(number)) {
                open.done();
            }
        }
        assert!(matches!(answered.claim(key(0)), Claim::Yours(_)));
        assert!(matches!(answered.claim(key(MOST)), Claim::Done));
    }
}
