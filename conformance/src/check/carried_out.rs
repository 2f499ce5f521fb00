//! Was the scenario carried out as its file says? What the runner did not do cannot speak for or against the system.
//!
//! A check that sees nothing wrong may owe that to a disturbance that was never there. So the disturbances are proven
//! from evidence, too: faults were installed, services that were to be away answered nobody, a cold cache was cold.

use std::collections::BTreeSet;
use std::time::Duration;

use testbed::evidence::{Entry, Event, Part};

use super::finding::{Seen, text};
use super::judge::step_problem;
use super::view::{View, same_serial};
use crate::scenario::{Act, BASELINE_STEP, Cache, Given, Parameter};

/// How long after a service has been sent away requests that were under way may still arrive.
const UNDER_WAY: Duration = Duration::from_millis(500);

pub(super) fn judge(view: &View<'_>) -> Seen {
    let obstacle = cut_off(view)
        .or_else(|| step_missing(view))
        .or_else(|| unknown_variant(view))
        .or_else(|| fault_missing(view))
        .or_else(|| not_restarted(view))
        .or_else(|| not_away(view))
        .or_else(|| not_cold(view));
    let seen = obstacle.unwrap_or_else(|| {
        Seen::pass(text!("Gjennomført til slutten.", "Carried out to the end."))
    });
    match view.other_file() {
        None => seen,
        Some(n) => seen.with([n]).recording(text!(
            "Bedømt etter en annen utgave av scenariofilen enn den som ble kjørt.",
            "Judged by another edition of the scenario file than the one that was run."
        )),
    }
}

fn cut_off(view: &View<'_>) -> Option<Seen> {
    match view.end {
        Some((_, true, _)) => None,
        None => Some(Seen::inconclusive(
            "cut-off",
            text!(
                "Kjøringen ble avbrutt: journalen har ingen slutt.",
                "The run was cut off: the journal has no end."
            ),
        )),
        Some((entry, false, reason)) => {
            let reason = reason.unwrap_or("?");
            let seen = Seen::inconclusive(
                "not-carried-out",
                text!(
                    "Scenarioet ble ikke gjennomført: {reason}",
                    "The scenario was not carried out to its end: {reason}"
                ),
            );
            Some(seen.with([entry.n]))
        }
    }
}

fn step_missing(view: &View<'_>) -> Option<Seen> {
    if let Some((step, problem, n)) = view.problems().into_iter().next() {
        return Some(step_problem(step, problem, n));
    }
    let step = view
        .scenario
        .steps
        .iter()
        .find(|step| view.step_ended(&step.name).is_none())?;
    let name = &step.name;
    Some(Seen::inconclusive(
        "step-missing",
        text!(
            "Steget «{name}» står ikke i journalen.",
            "The journal does not hold the step `{name}`."
        ),
    ))
}

fn unknown_variant(view: &View<'_>) -> Option<Seen> {
    let variants = &view.scenario.variants;
    let ran = view.parameter(Parameter::Variant);
    let known = variants.is_empty()
        || variants
            .iter()
            .any(|variant| Some(variant.name.as_str()) == ran);
    (!known).then(|| {
        Seen::error(
            "unknown-variant",
            text!(
                "Journalen sier ikke hvilken variant som ble kjørt.",
                "The journal does not say which variant was run."
            ),
        )
    })
}

fn fault_missing(view: &View<'_>) -> Option<Seen> {
    let of_acts = view.scenario.steps.iter().filter_map(|step| {
        let fault = match step.act {
            Act::RefuseStatus => Act::STATUS_REFUSED,
            Act::RegisterDown => Act::REGISTER_DOWN,
            Act::BusOutage { .. } => Act::OUTAGE,
            _ => return None,
        };
        let installed = |entry: &Entry| matches!(&entry.event, Event::FaultInstalled { fault: name, .. } if name == fault);
        (!view.in_step(&step.name).any(installed)).then_some(fault)
    });
    let missing = view.missing_fault().into_iter().chain(of_acts).next()?;
    Some(Seen::inconclusive(
        "fault-not-installed",
        text!(
            "Journalen sier ikke at feilen «{missing}» var på plass.",
            "The journal does not say that the fault `{missing}` was in place."
        ),
    ))
}

/// A system that kept running has no cold caches.
fn not_restarted(view: &View<'_>) -> Option<Seen> {
    let step = view
        .scenario
        .steps
        .iter()
        .find(|step| step.act == Act::Restart)?;
    let restarted = view.in_step(&step.name).any(|entry| match &entry.event {
        Event::SutStarted { .. } => true,
        Event::SutAnswered { verb, .. } => verb == "restart",
        _ => false,
    });
    (!restarted).then(|| {
        Seen::inconclusive(
            "not-restarted",
            text!(
                "Systemet ble ikke startet på nytt.",
                "The system was not restarted."
            ),
        )
    })
}

/// A service that was to be away and was asked all the same.
fn not_away(view: &View<'_>) -> Option<Seen> {
    let acts = view.scenario.steps.iter().map(|step| &step.act);
    let register = acts.clone().any(|act| *act == Act::RegisterDown);
    let status = acts.clone().any(|act| *act == Act::RefuseStatus)
        || view.given().any(|given| given == Given::RefuseStatus);
    let cas = view.own_cas();
    let asked = [
        register.then(|| answered_while(view, Act::REGISTER_DOWN, &|entry| {
            entry.part == Part::Ar && matches!(entry.event, Event::HttpRequest { .. })
        })),
        status.then(|| answered_while(view, Act::STATUS_REFUSED, &|entry| {
            matches!(&entry.event, Event::RevocationAsked { ca, .. } if cas.contains(ca.as_str()))
        })),
    ];
    let entry = asked.into_iter().flatten().flatten().next()?;
    let seen = Seen::error(
        "fault-not-in-place",
        text!(
            "En tjeneste som skulle være borte, tok imot en forespørsel.",
            "A service that was to be away took a request."
        ),
    );
    Some(seen.with([entry.n]))
}

/// The first entry of a kind while a fault is in place.
fn answered_while<'a>(
    view: &View<'a>,
    fault: &str,
    kind: &dyn Fn(&Entry) -> bool,
) -> Option<&'a Entry> {
    let from = view.entries.iter().find(
        |entry| matches!(&entry.event, Event::FaultInstalled { fault: name, .. } if name == fault),
    )?;
    let until = view.fault_removed(fault).map_or(u64::MAX, |entry| entry.n);
    view.entries
        .iter()
        .find(|entry| entry.n < until && entry.at() > from.at() + UNDER_WAY && kind(entry))
}

/// A scenario that starts with a cold cache must not use the CA of its baseline.
fn not_cold(view: &View<'_>) -> Option<Seen> {
    if view.scenario.cache != Cache::Cold || !view.scenario.baseline {
        return None;
    }
    let before = view.signer_cas(BASELINE_STEP);
    let used = view.own_cas();
    let ca = before.intersection(&used).next()?;
    Some(Seen::error(
        "cache-not-cold",
        text!(
            "Grunntilstanden og scenarioet brukte samme utsteder ({ca}), så mellomlageret var ikke tomt.",
            "Baseline and scenario used the same CA ({ca}), so the cache was not cold."
        ),
    ))
}

impl<'a> View<'a> {
    /// The CAs of the certificates that signed helsenorge's requests in the scenario's own steps.
    fn own_cas(&self) -> BTreeSet<&'a str> {
        let steps = self.scenario.steps.iter();
        steps.flat_map(|step| self.signer_cas(&step.name)).collect()
    }

    /// The CAs of the certificates that signed helsenorge's requests in a step.
    fn signer_cas(&self, step: &str) -> BTreeSet<&'a str> {
        let signers = self.in_step(step).filter_map(|entry| match &entry.event {
            Event::HnSent { signer, .. } => signer.as_deref(),
            _ => None,
        });
        let signers: BTreeSet<&str> = signers.collect();
        self.entries
            .iter()
            .filter_map(|entry| match &entry.event {
                Event::CertificateState {
                    ca, serial, action, ..
                } if action == "issued"
                    && signers.iter().any(|signer| same_serial(signer, serial)) =>
                {
                    Some(ca.as_str())
                }
                _ => None,
            })
            .collect()
    }

    /// When a fault was taken away.
    pub(super) fn fault_removed(&self, fault: &str) -> Option<&'a Entry> {
        self.entries.iter().find(
            |entry| matches!(&entry.event, Event::FaultRemoved { fault: name } if name == fault),
        )
    }

    /// The entry of `ScenarioStarted` if it names another edition of the scenario's file.
    fn other_file(&self) -> Option<u64> {
        self.entries.iter().find_map(|entry| match &entry.event {
            Event::ScenarioStarted {
                scenario,
                scenario_sha256,
                ..
            } if *scenario == self.scenario.id
                && !scenario_sha256.is_empty()
                && *scenario_sha256 != self.scenario.sha256 =>
            {
                Some(entry.n)
            }
            _ => None,
        })
    }
}
