//! Evidence as checks look at it: who sent what, what became of it, and how long it was watched.
//!
//! Everything is found by ids. Where a party's evidence could be doubted (helsenorge says that a reply was valid), the
//! bus's evidence is asked as well.

use std::collections::BTreeMap;
use std::time::Duration;

use testbed::evidence::{BusMessage, BusOutcome, Entry, Event};

use super::finding::Seen;
use crate::Text;
use crate::scenario::{Given, Parameter, Scenario};

/// A journal, opened for one scenario.
pub(super) struct View<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) entries: &'a [Entry],
    parameters: &'a BTreeMap<String, String>,
    helsenorge: &'a str,
    /// The end, whether everything was carried out, and the reason if not.
    pub(super) end: Option<(&'a Entry, bool, Option<&'a str>)>,
}

/// A message that the bus took over.
#[derive(Clone, Copy)]
pub(super) struct Accepted<'a> {
    pub(super) entry: &'a Entry,
    pub(super) message: u64,
    pub(super) user: &'a str,
    pub(super) queue: &'a str,
    pub(super) facts: &'a BusMessage,
}

/// The end of a delivery.
#[derive(Clone, Copy)]
pub(super) struct Settled<'a> {
    pub(super) entry: &'a Entry,
    pub(super) delivery: u32,
    pub(super) link: u64,
    pub(super) outcome: BusOutcome,
}

impl Settled<'_> {
    /// A terminal disposition; a delivery that is lost with its link has none.
    pub(super) fn is_terminal(&self) -> bool {
        self.outcome != BusOutcome::Lost
    }

    /// Modified, released or rejected (contract 03 section 7.10 item 3).
    pub(super) fn gives_back(&self) -> bool {
        !matches!(self.outcome, BusOutcome::Accepted | BusOutcome::Lost)
    }
}

impl<'a> View<'a> {
    pub(super) fn new(
        scenario: &'a Scenario,
        entries: &'a [Entry],
        parameters: &'a BTreeMap<String, String>,
    ) -> Result<Self, Seen> {
        let key = Parameter::HelsenorgeUser.key();
        let Some(helsenorge) = parameters.get(key) else {
            return Err(Seen::error(
                "evidence-incomplete",
                Text::new(
                    format!("Journalen mangler «{key}»."),
                    format!("The journal lacks `{key}`."),
                ),
            ));
        };
        let end = entries.iter().rev().find_map(|entry| match &entry.event {
            Event::ScenarioEnded { complete, reason } => {
                Some((entry, *complete, reason.as_deref()))
            }
            _ => None,
        });
        Ok(Self {
            scenario,
            entries,
            parameters,
            helsenorge,
            end,
        })
    }

    pub(super) fn parameter(&self, parameter: Parameter) -> Option<&'a str> {
        self.parameters.get(parameter.key()).map(String::as_str)
    }

    /// Whether a bus account is the system under test's.
    pub(super) fn is_sut(&self, user: &str) -> bool {
        user != self.helsenorge
    }

    /// Until when everything was watched.
    pub(super) fn watched_until(&self) -> Duration {
        self.end
            .map(|(entry, ..)| entry)
            .or_else(|| self.entries.last())
            .map(Entry::at)
            .unwrap_or_default()
    }

    /// Whether the watch reached `moment`.
    pub(super) fn watched(&self, moment: Duration) -> bool {
        self.watched_until() >= moment
    }

    /// The faults that had to be in place in this execution: those of the scenario and of the variant that ran.
    pub(super) fn given(&self) -> impl Iterator<Item = Given> {
        let variant = self.parameter(Parameter::Variant);
        let of_variant = self
            .scenario
            .variants
            .iter()
            .filter(move |each| Some(each.name.as_str()) == variant);
        self.scenario
            .given
            .iter()
            .chain(of_variant.flat_map(|variant| &variant.given))
            .copied()
    }

    /// The first of these faults that the journal does not report as installed before the scenario's first step.
    pub(super) fn missing_fault(&self) -> Option<&'static str> {
        let first_step = self
            .scenario
            .steps
            .first()
            .and_then(|step| self.step_started(&step.name));
        let before = first_step.map_or(0, |entry| entry.n);
        self.given().map(|given| given.name().1).find(|name| {
            !self.entries.iter().any(|entry| {
                entry.n < before
                    && matches!(&entry.event, Event::FaultInstalled { fault, .. } if fault == name)
            })
        })
    }

    /// Steps that could not be carried out: step, problem, entry.
    pub(super) fn problems(&self) -> Vec<(&'a str, &'a str, u64)> {
        self.entries
            .iter()
            .filter_map(|entry| match &entry.event {
                Event::StepEnded {
                    step,
                    problem: Some(problem),
                } => Some((step.as_str(), problem.as_str(), entry.n)),
                _ => None,
            })
            .collect()
    }

    pub(super) fn step_started(&self, name: &str) -> Option<&'a Entry> {
        self.entries
            .iter()
            .find(|entry| matches!(&entry.event, Event::StepStarted { step, .. } if step == name))
    }

    pub(super) fn step_ended(&self, name: &str) -> Option<&'a Entry> {
        self.entries
            .iter()
            .rev()
            .find(|entry| matches!(&entry.event, Event::StepEnded { step, .. } if step == name))
    }

    /// The entries of a step.
    pub(super) fn in_step(&self, name: &str) -> impl Iterator<Item = &'a Entry> {
        let name = name.to_owned();
        self.entries
            .iter()
            .filter(move |entry| entry.step.as_deref() == Some(name.as_str()))
    }

    /// Every message that the bus took over, in order.
    pub(super) fn accepted(&self) -> impl Iterator<Item = Accepted<'a>> {
        self.entries.iter().filter_map(|entry| match &entry.event {
            Event::BusReceived {
                user,
                queue: Some(queue),
                message,
                facts,
                outcome: BusOutcome::Accepted,
                ..
            } => Some(Accepted {
                entry,
                message: *message,
                user,
                queue,
                facts,
            }),
            _ => None,
        })
    }

    /// The message with this message-id that the bus took over for this queue.
    pub(super) fn accepted_as(&self, queue: &str, message_id: &str) -> Option<Accepted<'a>> {
        self.accepted().find(|message| {
            message.queue == queue && message.facts.message_id.as_deref() == Some(message_id)
        })
    }

    /// Deliveries of a message to the system under test: entry, link and delivery.
    pub(super) fn deliveries(&self, number: u64) -> Vec<(&'a Entry, u64, u32)> {
        self.entries
            .iter()
            .filter_map(|entry| match &entry.event {
                Event::BusDelivered {
                    user,
                    message,
                    link,
                    delivery,
                    ..
                } if *message == number && self.is_sut(user) => Some((entry, *link, *delivery)),
                _ => None,
            })
            .collect()
    }

    /// Ends of deliveries of a message to the system under test.
    pub(super) fn settlements(&self, number: u64) -> Vec<Settled<'a>> {
        self.entries
            .iter()
            .filter_map(|entry| match &entry.event {
                Event::BusSettled {
                    user,
                    message,
                    link,
                    delivery,
                    outcome,
                    ..
                } if *message == number && self.is_sut(user) => Some(Settled {
                    entry,
                    delivery: *delivery,
                    link: *link,
                    outcome: *outcome,
                }),
                _ => None,
            })
            .collect()
    }

    /// The last delivery of a message that has no end; the message is in the hands of the system under test.
    pub(super) fn unsettled(&self, number: u64) -> Option<&'a Entry> {
        let settled = self.settlements(number);
        self.deliveries(number)
            .into_iter()
            .rfind(|(entry, link, delivery)| {
                !settled.iter().any(|end| {
                    end.link == *link && end.delivery == *delivery && end.entry.n > entry.n
                })
            })
            .map(|(entry, ..)| entry)
    }

    pub(super) fn dead_lettered(&self, number: u64) -> Option<(&'a Entry, &'a str)> {
        self.entries.iter().find_map(|entry| match &entry.event {
            Event::BusDeadLettered {
                message, reason, ..
            } if *message == number => Some((entry, reason.as_str())),
            _ => None,
        })
    }
}

/// The queue that an address leads to: its last segment.
pub(super) fn queue_of(address: &str) -> &str {
    address.rsplit('/').next().unwrap_or(address)
}

/// Serial numbers are equal whatever their case and leading zeros.
pub(super) fn same_serial(one: &str, other: &str) -> bool {
    one.trim_start_matches('0')
        .eq_ignore_ascii_case(other.trim_start_matches('0'))
}
