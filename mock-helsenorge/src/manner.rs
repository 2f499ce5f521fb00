//! How requests are answered just now, and the reply that is kept.

use std::time::Duration;

use crate::answer::Answer;
use crate::behaviour::Behaviour;

/// The behaviour with its state.
#[derive(Debug, Default)]
pub(crate) struct Manner {
    behaviour: Behaviour,
    /// Whether the first request has come since a reply was to be held.
    taken: bool,
    held: Option<(Answer, Duration)>,
}

/// What to do with one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    Behave(Behaviour),
    /// Keep the reply, to live for this long once it is sent.
    Hold(Duration),
}

impl Manner {
    pub(crate) fn new(behaviour: Behaviour) -> Self {
        Self {
            behaviour,
            ..Self::default()
        }
    }

    /// What to do with the next request.
    pub(crate) fn next(&mut self) -> Deed {
        match self.behaviour {
            Behaviour::HoldFirst { ttl } if !self.taken => {
                self.taken = true;
                Deed::Hold(ttl)
            }
            Behaviour::HoldFirst { .. } => Deed::Behave(Behaviour::Reply),
            other => Deed::Behave(other),
        }
    }

    pub(crate) fn hold(&mut self, answer: Answer, ttl: Duration) {
        // A behaviour that was set meanwhile wants no held reply.
        if matches!(self.behaviour, Behaviour::HoldFirst { .. }) {
            self.held = Some((answer, ttl));
        }
    }

    pub(crate) fn take_held(&mut self) -> Option<(Answer, Duration)> {
        self.held.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_request_is_held_and_the_next_answered() {
        let ttl = Duration::from_secs(60);
        let mut manner = Manner::new(Behaviour::HoldFirst { ttl });
        assert_eq!(manner.next(), Deed::Hold(ttl));
        assert_eq!(manner.next(), Deed::Behave(Behaviour::Reply));
        assert!(manner.take_held().is_none());
        assert_eq!(
            Manner::new(Behaviour::NoReply).next(),
            Deed::Behave(Behaviour::NoReply)
        );
    }
}
