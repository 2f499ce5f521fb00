//! Faults: asked for once when a request arrives, and carried out by the means that fits it.

use std::collections::VecDeque;
use std::time::Duration;

use fe2o3_amqp_types::performatives::{Attach, Open};
use testbed::evidence::{Event, Part};
use testbed::fault::{FaultAction, Hit};

use super::incoming::Answer;
use super::{Engine, Phase};
use crate::refusal::Refusal;

/// What goes on when a timer has run out.
#[derive(Debug)]
pub(super) enum Deferred {
    Open(Box<Open>),
    Attach {
        channel: u16,
        attach: Box<Attach>,
    },
    Answer {
        channel: u16,
        link: u64,
        handle: u32,
        delivery: u32,
        is_settled: bool,
        answer: Answer,
    },
    Reset,
}

/// A fault that a message has met.
#[derive(Debug)]
pub(super) enum TransferFault {
    /// The outcome comes late.
    Late(Duration),
    /// The outcome never comes.
    Silent,
    /// The connection ends before the message has an effect.
    Reset,
    /// The message is refused.
    Error(Refusal),
}

impl From<Hit> for TransferFault {
    fn from(hit: Hit) -> Self {
        match hit.action {
            FaultAction::Delay(after) => Self::Late(after),
            FaultAction::NoAnswer => Self::Silent,
            FaultAction::Amqp {
                condition,
                description,
            } => Self::Error(Refusal::new(condition, description)),
            // The actions of HTTP have no counterpart in a frame; a cut connection is the nearest.
            _ => Self::Reset,
        }
    }
}

impl Engine {
    /// Asks the plan whether this arrival meets a fault, and records that it did.
    pub(super) fn meet(&self, operation: &str, subject: &str) -> Option<Hit> {
        let hit = self.shared.faults.arrive(Part::Bus, operation, subject)?;
        self.shared.record(Event::FaultMet {
            fault: hit.name.clone(),
            target: format!("{operation} {subject} (connection {})", self.connection),
            action: format!("{:?}", hit.action),
        });
        Some(hit)
    }

    pub(super) fn open_fault(&mut self, hit: Hit, open: Open) {
        match hit.action {
            FaultAction::Delay(after) => {
                self.hold_open();
                self.defer(after, Deferred::Open(Box::new(open)));
            }
            FaultAction::NoAnswer => self.hold_open(),
            FaultAction::Amqp {
                condition,
                description,
            } => {
                self.close(Refusal::new(condition, description));
            }
            _ => self.reset(),
        }
    }

    pub(super) fn attach_fault(&mut self, channel: u16, hit: Hit, attach: Attach) {
        match hit.action {
            FaultAction::Delay(after) => {
                self.hold_session(channel);
                let attach = Box::new(attach);
                self.defer(after, Deferred::Attach { channel, attach });
            }
            FaultAction::NoAnswer => self.hold_session(channel),
            FaultAction::Amqp {
                condition,
                description,
            } => {
                let refusal = Refusal::new(condition, description);
                match refusal.condition.starts_with("amqp:connection:") {
                    true => self.close(refusal),
                    false => self.refuse_attach(channel, &attach, &refusal),
                }
            }
            _ => self.reset(),
        }
    }

    fn hold_session(&mut self, channel: u16) {
        if let Some(session) = self.session(channel) {
            session.held = Some(VecDeque::new());
        }
    }

    /// Goes on with what was put off under this token.
    pub(crate) fn on_timer(&mut self, token: u64) {
        match self.deferred.remove(&token) {
            None => {}
            Some(Deferred::Open(open)) => self.open_now(&open),
            Some(Deferred::Attach { channel, attach }) => {
                let Some(session) = self.session(channel) else {
                    return;
                };
                let held = session.held.take().unwrap_or_default();
                self.attach(channel, *attach);
                for (channel, performative, payload) in held {
                    self.dispatch(channel, performative, payload);
                }
            }
            Some(Deferred::Answer {
                channel,
                link,
                handle,
                delivery,
                is_settled,
                answer,
            }) => {
                // Another link may have got the handle meanwhile.
                let is_there = self.links.contains_key(&link) && self.phase == Phase::Open;
                if is_there {
                    self.settle_incoming(channel, handle, delivery, is_settled, answer);
                }
            }
            Some(Deferred::Reset) => self.reset(),
        }
    }
}
