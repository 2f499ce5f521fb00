//! Calls that the system under test was asked to make: what the driver said, what reached helsenorge, and its reply.

use std::time::Duration;

use serde_json::Value;
use testbed::evidence::{Entry, Event};

use super::finding::{Seen, text};
use super::judge::needs_driver;
use super::view::{Accepted, View};
use crate::scenario::{NEEDS_DRIVER, Parameter};

/// Function of the communication test (contract 03 section 1.1).
const FUNCTION: &str = "DIALOG_INNBYGGER_TEST";
/// A driver that stayed silent for longer than this was waiting for the call, not failing by itself.
const SILENT: Duration = Duration::from_secs(15);

/// A verb that was put to the driver, and its answer.
pub(super) struct Call<'a> {
    pub(super) asked: &'a Entry,
    pub(super) arguments: &'a Value,
    pub(super) answer: Option<(&'a Entry, &'a Value)>,
    /// The entry that says that no answer came.
    pub(super) silence: Option<&'a Entry>,
}

impl<'a> Call<'a> {
    /// A field of the answer, as text.
    pub(super) fn field(&self, name: &str) -> Option<&'a str> {
        self.answer
            .and_then(|(_, answer)| answer.get(name)?.as_str())
    }

    /// How the call ended, by the driver's word.
    pub(super) fn outcome(&self) -> Option<&'a str> {
        self.field("outcome")
    }

    /// The entry with which the call is over.
    pub(super) fn end(&self) -> Option<&'a Entry> {
        self.answer.map(|(entry, _)| entry).or(self.silence)
    }
}

/// A request of the system under test that helsenorge took off the bus.
pub(super) struct Outbound<'a> {
    pub(super) received: &'a Entry,
    pub(super) exchange: Option<&'a str>,
    pub(super) message_id: Option<&'a str>,
    pub(super) msg_id: Option<&'a str>,
    /// When and how the bus took it over.
    pub(super) bus: Accepted<'a>,
}

/// The search for the request that belongs to a call.
pub(super) enum Found<'a> {
    One(Box<Outbound<'a>>),
    None,
    /// Several requests, and the driver gave no id to tell them apart.
    Several(Vec<u64>),
}

impl<'a> View<'a> {
    /// The call of a step. Without a driver it is inconclusive.
    pub(super) fn call(&self, step: &str, verb: &str) -> Result<Call<'a>, Seen> {
        let asked = self.in_step(step).find_map(|entry| match &entry.event {
            Event::SutAsked {
                verb: asked,
                call,
                arguments,
            } if asked == verb => Some((entry, *call, arguments)),
            _ => None,
        });
        let Some((asked, number, arguments)) = asked else {
            return Err(if self.parameter(Parameter::Driver) == Some("yes") {
                Seen::inconclusive(
                    "not-asked",
                    text!(
                        "Systemet ble aldri bedt om «{verb}».",
                        "The system was never asked for `{verb}`."
                    ),
                )
            } else {
                needs_driver()
            });
        };
        let later = || self.entries.iter().filter(|entry| entry.n > asked.n);
        let answer = later().find_map(|entry| match &entry.event {
            Event::SutAnswered {
                call,
                verb: answered,
                answer,
            } if *call == number && answered == verb => Some((entry, answer)),
            _ => None,
        });
        let silence = later().find_map(|entry| match &entry.event {
            Event::SutUnanswered {
                call,
                reason,
                verb: asked,
            } if *call == number && asked == verb => Some((entry, reason.as_str())),
            _ => None,
        });
        if let Some((entry, _)) = silence.filter(|(_, reason)| reason.starts_with(NEEDS_DRIVER)) {
            return Err(needs_driver().with([entry.n]));
        }
        Ok(Call {
            asked,
            arguments,
            answer,
            silence: silence.map(|(entry, _)| entry),
        })
    }

    /// Why a call has no usable answer: the driver failed (inconclusive), or it waited in vain (the caller judges).
    pub(super) fn driver_failed(&self, call: &Call<'a>) -> Option<Seen> {
        let (entry, reason) = self.entries.iter().find_map(|entry| match &entry.event {
            Event::SutUnanswered { reason, .. }
                if call.silence.is_some_and(|silence| silence.n == entry.n) =>
            {
                Some((entry, reason.as_str()))
            }
            _ => None,
        })?;
        let waited = entry.at().saturating_sub(call.asked.at());
        let exited = self.entries.iter().any(|other| {
            other.n > call.asked.n
                && other.n <= entry.n + 1
                && matches!(
                    other.event,
                    Event::SutExited {
                        expected: false,
                        ..
                    }
                )
        });
        (waited < SILENT || exited).then(|| {
            Seen::inconclusive(
                "driver-failed",
                text!(
                    "Driveren svarte ikke: {reason}",
                    "The driver did not answer: {reason}"
                ),
            )
            .with([call.asked.n, entry.n])
        })
    }

    /// The request that belongs to a call: by the ids that the driver gave, else the only one of the step.
    pub(super) fn outbound(&self, step: &str, call: &Call<'a>) -> Found<'a> {
        let (message_id, msg_id) = (call.field("message_id"), call.field("msg_id"));
        let named = message_id.is_some() || msg_id.is_some();
        // What came before the question cannot be its answer, whatever id the driver repeats.
        let later = self
            .candidates()
            .into_iter()
            .filter(|candidate| candidate.received.n > call.asked.n);
        let candidates = later.filter(|candidate| {
            if named {
                (message_id.is_some() && candidate.message_id == message_id)
                    || (msg_id.is_some() && candidate.msg_id == msg_id)
            } else {
                candidate.received.step.as_deref() == Some(step)
            }
        });
        let mut found: Vec<Outbound<'a>> = candidates.collect();
        match found.len() {
            0 => Found::None,
            1 => Found::One(Box::new(found.remove(0))),
            _ => Found::Several(found.iter().map(|each| each.received.n).collect()),
        }
    }

    /// Communication test requests of the system under test that helsenorge received.
    fn candidates(&self) -> Vec<Outbound<'a>> {
        self.entries
            .iter()
            .filter_map(|entry| match &entry.event {
                Event::HnReceived {
                    exchange,
                    queue,
                    message_id,
                    subject,
                    msg_id,
                    ..
                } if subject
                    .as_deref()
                    .is_some_and(|subject| subject.eq_ignore_ascii_case(FUNCTION))
                    && !self.started_by_helsenorge(exchange.as_deref()) =>
                {
                    let bus = self.accepted_as(queue, message_id.as_deref()?)?;
                    self.is_sut(bus.user).then_some(Outbound {
                        received: entry,
                        exchange: exchange.as_deref(),
                        message_id: message_id.as_deref(),
                        msg_id: msg_id.as_deref(),
                        bus,
                    })
                }
                _ => None,
            })
            .filter(|candidate| {
                candidate.bus.facts.reply_to.is_some() || candidate.exchange.is_some()
            })
            .collect()
    }

    fn started_by_helsenorge(&self, exchange: Option<&str>) -> bool {
        exchange.is_some_and(|wanted| {
            self.entries.iter().any(|entry| {
                matches!(&entry.event, Event::HnSent { exchange, purpose, .. } if exchange == wanted && purpose == "request")
            })
        })
    }

    /// helsenorge's reply to a request, once the bus has taken it over: the entry of sending and the message.
    pub(super) fn reply_to(&self, outbound: &Outbound<'a>) -> Option<(&'a Entry, Accepted<'a>)> {
        let wanted = outbound.exchange?;
        self.entries.iter().find_map(|entry| match &entry.event {
            Event::HnSent {
                exchange,
                purpose,
                queue,
                message_id,
                ..
            } if exchange == wanted && purpose == "reply" => self
                .accepted_as(queue, message_id)
                .map(|accepted| (entry, accepted)),
            _ => None,
        })
    }

    /// Whether helsenorge sent any reply in an exchange before an entry.
    pub(super) fn replied_before(&self, outbound: &Outbound<'a>, limit: u64) -> Option<&'a Entry> {
        let wanted = outbound.exchange?;
        self.entries.iter().find(|entry| {
            entry.n < limit
                && matches!(&entry.event, Event::HnSent { exchange, purpose, .. } if exchange == wanted && purpose == "reply")
        })
    }
}

/// No request reached helsenorge, so nothing can be said about its fate.
pub(super) fn no_request(found: &Found<'_>) -> Seen {
    match found {
        Found::Several(entries) => Seen::inconclusive(
            "ambiguous",
            text!(
                "Flere forespørsler kom, og driveren ga ingen message_id eller msg_id å skille dem etter.",
                "Several requests came, and the driver gave no message_id or msg_id to tell them apart."
            ),
        )
        .with(entries.iter().copied()),
        _ => Seen::inconclusive(
            "no-request-seen",
            text!(
                "Forespørselen fra systemet kom aldri fram til helsenorge.",
                "The system's request never reached helsenorge."
            ),
        ),
    }
}
