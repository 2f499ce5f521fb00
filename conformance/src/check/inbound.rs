//! Communication tests that helsenorge started: request, replies, error reports and fate.

use std::collections::BTreeSet;
use std::time::Duration;

use testbed::evidence::{CheckOutcome, Entry, Event, ExchangeOutcome};

use super::finding::{Seen, text};
use super::view::{Accepted, Settled, View, queue_of};
use crate::scenario::Act;

/// A request of helsenorge that the bus took over.
pub(super) struct Request<'a> {
    pub(super) exchange: &'a str,
    pub(super) message_id: &'a str,
    pub(super) correlation_id: Option<&'a str>,
    pub(super) signer: Option<&'a str>,
    pub(super) sent: &'a Entry,
    /// When and how the bus took it over: t0 of contract 03 section 7.10.
    pub(super) bus: Accepted<'a>,
}

/// A reply that the bus took over for the queue that the request named, with the request's correlation-id.
#[derive(Clone, Copy)]
pub(super) struct Reply<'a> {
    pub(super) bus: Accepted<'a>,
    /// The failed check of helsenorge, if any: its name and detail.
    pub(super) flaw: Option<(&'a Entry, &'a str, &'a str)>,
}

/// An error message about a request.
pub(super) struct Report<'a> {
    pub(super) entry: &'a Entry,
    /// When the bus took it over.
    pub(super) at: Duration,
    pub(super) condition: Option<&'a str>,
}

/// The outcome of a call (contract 03 section 7.10 item 3).
pub(super) enum Outcome<'a> {
    Reply(Reply<'a>),
    Report(Report<'a>),
    GivenBack(&'a Entry),
}

impl Outcome<'_> {
    pub(super) fn at(&self) -> Duration {
        match self {
            Self::Reply(reply) => reply.bus.entry.at(),
            Self::Report(report) => report.at,
            Self::GivenBack(entry) => entry.at(),
        }
    }

    pub(super) fn entry(&self) -> u64 {
        match self {
            Self::Reply(reply) => reply.bus.entry.n,
            Self::Report(report) => report.entry.n,
            Self::GivenBack(entry) => entry.n,
        }
    }
}

impl<'a> View<'a> {
    /// The requests that helsenorge sent in a step and that the bus took over, in order.
    pub(super) fn requests(&self, step: &str) -> Vec<Request<'a>> {
        self.in_step(step)
            .filter_map(|entry| match &entry.event {
                Event::HnSent {
                    exchange,
                    purpose,
                    queue,
                    message_id,
                    correlation_id,
                    signer,
                    ..
                } if purpose == "request" => Some(Request {
                    exchange,
                    message_id,
                    correlation_id: correlation_id.as_deref(),
                    signer: signer.as_deref(),
                    sent: entry,
                    bus: self.accepted_as(queue, message_id)?,
                }),
                _ => None,
            })
            .collect()
    }

    /// The requests of a step, as many as the step asks for and each with ids of its own.
    pub(super) fn sent(&self, step: &str) -> Result<Vec<Request<'a>>, Seen> {
        let wanted = match self.scenario.step(step).map(|step| &step.act) {
            Some(Act::CommunicationTest(test)) => test.count as usize,
            _ => 1,
        };
        let requests = self.requests(step);
        let sent = requests.len();
        if sent != wanted {
            return Err(Seen::inconclusive(
                "request-not-sent",
                text!(
                    "helsenorge skulle sende {wanted} forespørsler i steget «{step}», og bussen tok imot {sent}.",
                    "helsenorge was to send {wanted} requests in the step `{step}`, and the bus took over {sent}."
                ),
            )
            .with(requests.iter().map(|request| request.sent.n)));
        }
        let mut ids = BTreeSet::new();
        for request in &requests {
            let correlation = request.correlation_id.unwrap_or(request.message_id);
            if !ids.insert(("exchange", request.exchange))
                || !ids.insert(("correlation", correlation))
            {
                return Err(Seen::error(
                    "evidence-contradictory",
                    text!(
                        "To forespørsler i steget «{step}» har samme id.",
                        "Two requests of the step `{step}` have the same id."
                    ),
                )
                .with([request.sent.n]));
            }
        }
        Ok(requests)
    }

    /// Replies to a request, valid or not, in order: messages of the system under test that the bus took over for the
    /// queue that the request named, with the request's correlation-id.
    pub(super) fn replies(&self, request: &Request<'a>) -> Vec<Reply<'a>> {
        let Some(queue) = request.bus.facts.reply_to.as_deref().map(queue_of) else {
            return Vec::new();
        };
        self.correlated(request)
            .filter(|message| message.queue == queue)
            .map(|bus| Reply {
                bus,
                flaw: self.flaw(request, bus.facts.message_id.as_deref()),
            })
            .collect()
    }

    /// Messages of the system under test with the request's correlation-id, whatever queue they went to.
    pub(super) fn correlated(&self, request: &Request<'a>) -> impl Iterator<Item = Accepted<'a>> {
        let correlation = request.correlation_id.unwrap_or(request.message_id);
        self.accepted().filter(move |message| {
            self.is_sut(message.user)
                && message.entry.n > request.bus.entry.n
                && message.facts.correlation_id.as_deref() == Some(correlation)
        })
    }

    /// Messages of the system under test on the queue that the request named whose correlation-id is none of helsenorge's.
    pub(super) fn orphans(&self, request: &Request<'a>) -> Vec<Accepted<'a>> {
        let used: BTreeSet<&str> = self
            .entries
            .iter()
            .filter_map(|entry| match &entry.event {
                Event::HnSent {
                    correlation_id,
                    message_id,
                    ..
                } => Some(correlation_id.as_deref().unwrap_or(message_id)),
                _ => None,
            })
            .collect();
        let queue = request.bus.facts.reply_to.as_deref().map(queue_of);
        self.accepted()
            .filter(|message| {
                self.is_sut(message.user)
                    && Some(message.queue) == queue
                    && message.entry.n > request.bus.entry.n
                    && message
                        .facts
                        .correlation_id
                        .as_deref()
                        .is_none_or(|id| !used.contains(id))
            })
            .collect()
    }

    /// The failed check of helsenorge on a reply. VR3 (too late) is no flaw of the message: lateness is judged by the
    /// bus's clock.
    fn flaw(
        &self,
        request: &Request<'a>,
        reply: Option<&str>,
    ) -> Option<(&'a Entry, &'a str, &'a str)> {
        self.entries.iter().find_map(|entry| match &entry.event {
            Event::HnCheck {
                exchange,
                message_id,
                check,
                outcome: CheckOutcome::Failed,
                detail,
            } if check != "VR3"
                && exchange
                    .as_deref()
                    .is_none_or(|exchange| exchange == request.exchange)
                && message_id.is_some()
                && message_id.as_deref() == reply =>
            {
                Some((entry, check.as_str(), detail.as_str()))
            }
            _ => None,
        })
    }

    /// What helsenorge concluded of a request.
    pub(super) fn conclusion(
        &self,
        request: &Request<'a>,
    ) -> Option<(&'a Entry, ExchangeOutcome, &'a str)> {
        self.entries.iter().find_map(|entry| match &entry.event {
            Event::HnOutcome {
                exchange,
                outcome,
                detail,
            } if exchange == request.exchange => Some((entry, *outcome, detail.as_str())),
            _ => None,
        })
    }

    /// The reply that helsenorge found valid. Its word alone is not enough: the bus must have taken over a reply with the
    /// request's correlation-id for the queue that the request named, and no check may have failed on it.
    pub(super) fn valid_reply(&self, request: &Request<'a>) -> Option<Reply<'a>> {
        let (_, outcome, _) = self.conclusion(request)?;
        if outcome != ExchangeOutcome::RepliedOk {
            return None;
        }
        self.replies(request)
            .into_iter()
            .find(|reply| reply.flaw.is_none())
    }

    /// The first reply without a flaw, in time or not: the message had an effect.
    pub(super) fn effect(&self, request: &Request<'a>) -> Option<Reply<'a>> {
        self.replies(request)
            .into_iter()
            .find(|reply| reply.flaw.is_none())
    }

    /// Error messages about a request, in order.
    pub(super) fn reports(&self, request: &Request<'a>) -> Vec<Report<'a>> {
        self.entries
            .iter()
            .filter_map(|entry| match &entry.event {
                Event::HnErrorReceived {
                    message_id,
                    original_message_id: Some(original),
                    condition,
                    ..
                } if original == request.message_id => {
                    let accepted = message_id.as_deref().and_then(|id| {
                        self.accepted().find(|message| {
                            message.facts.message_id.as_deref() == Some(id)
                                && self.is_sut(message.user)
                        })
                    });
                    Some(Report {
                        entry,
                        at: accepted.map_or(entry, |message| message.entry).at(),
                        condition: condition.as_deref(),
                    })
                }
                _ => None,
            })
            .collect()
    }

    /// The first outcome of a call: a valid reply, an error message for it, or the request given back.
    pub(super) fn outcome(&self, request: &Request<'a>) -> Option<Outcome<'a>> {
        let reply = self.valid_reply(request).map(Outcome::Reply);
        let report = self
            .reports(request)
            .into_iter()
            .next()
            .map(Outcome::Report);
        let given_back = self
            .settlements(request.bus.message)
            .into_iter()
            .find(Settled::gives_back)
            .map(|end| Outcome::GivenBack(end.entry));
        [reply, report, given_back]
            .into_iter()
            .flatten()
            .min_by_key(Outcome::at)
    }
}
