//! From chosen scenarios to executions: what is run once, and for whom it is judged.

use std::sync::Arc;
use std::time::Duration;

use super::{Cache, Catalogue, Given, Limits, Recovery, Scenario, Step};

/// One run of steps in an environment of its own. Its journal is judged for each scenario of `judged`.
///
/// The runner, in this order: records one `ScenarioStarted` for each judged scenario; sees that the system under test is
/// there; runs the baseline if asked for; with a cold cache gives helsenorge certificates of a fresh CA and the pair a new
/// CPA; puts the faults in place; takes the steps; puts everything right (after `revoke-signer` that means new
/// certificates); runs the recovery probe if asked for; goes on watching until `limits.watch` has passed since the last
/// stimulus of a step; records `ScenarioEnded`. The links of a system that was there before are recorded again as
/// `BusAttached` after `ScenarioStarted`, so that a journal stands on its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Execution {
    /// The scenarios that its journal is judged for.
    pub judged: Vec<Arc<Scenario>>,
    /// The scenario whose faults and first steps these are; it is judged only if it is in `judged`.
    pub leader: Arc<Scenario>,
    /// The variant, where there are variants.
    pub variant: Option<String>,
    /// Whether the baseline has to hold first.
    pub baseline: bool,
    /// What may be cached when the first step begins.
    pub cache: Cache,
    /// Faults that are in place before the first step.
    pub given: Vec<Given>,
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// The recovery probe.
    pub recovery: Option<Recovery>,
    /// Limits of the harness.
    pub limits: Limits,
}

impl Execution {
    /// A name that is fit for a folder: `REV-05+REV-06.10s`.
    #[must_use]
    pub fn name(&self) -> String {
        let ids: Vec<&str> = self
            .judged
            .iter()
            .map(|scenario| scenario.id.as_str())
            .collect();
        match &self.variant {
            Some(variant) => format!("{}.{variant}", ids.join("+")),
            None => ids.join("+"),
        }
    }

    /// Longest wait of [`super::After::NoOpenDownload`]: twice the longest delay and 10 s (contract 03 section 7.10 item 5).
    #[must_use]
    pub fn download_limit(&self) -> Duration {
        let delays = self.given.iter().map(|given| match given {
            Given::DelayStatus { delay } => *delay,
            _ => Duration::ZERO,
        });
        delays.max().unwrap_or_default() * 2 + Duration::from_secs(10)
    }
}

/// Scenarios that follow another one share its execution, wherever they stand in the choice.
pub(super) fn executions(
    catalogue: &Catalogue,
    chosen: &[Arc<Scenario>],
    all_variants: bool,
) -> Vec<Execution> {
    let mut groups: Vec<(Arc<Scenario>, Vec<Arc<Scenario>>)> = Vec::new();
    for scenario in chosen {
        let leader = scenario
            .follows
            .as_ref()
            .and_then(|id| catalogue.scenario(id))
            .unwrap_or(scenario);
        match groups.iter_mut().find(|(first, _)| first.id == leader.id) {
            Some((_, judged)) => judged.push(Arc::clone(scenario)),
            None => groups.push((Arc::clone(leader), vec![Arc::clone(scenario)])),
        }
    }
    groups
        .into_iter()
        .flat_map(|(leader, judged)| variants(&leader, &judged, all_variants))
        .collect()
}

fn variants(leader: &Arc<Scenario>, judged: &[Arc<Scenario>], all: bool) -> Vec<Execution> {
    let mut judged = judged.to_vec();
    judged.sort_by_key(|scenario| scenario.follows.is_some());
    let one = |variant: Option<&super::Variant>| {
        let followers = judged.iter().filter(|scenario| scenario.id != leader.id);
        let mut given = leader.given.clone();
        given.extend(variant.into_iter().flat_map(|variant| &variant.given));
        Execution {
            variant: variant.map(|variant| variant.name.clone()),
            baseline: leader.baseline,
            cache: leader.cache,
            given,
            steps: leader
                .steps
                .iter()
                .chain(followers.flat_map(|scenario| &scenario.steps))
                .cloned()
                .collect(),
            recovery: judged
                .iter()
                .chain([leader])
                .filter_map(|scenario| scenario.recovery)
                .max_by_key(|limit| limit.within),
            limits: Limits {
                watch: judged
                    .iter()
                    .map(|scenario| scenario.limits.watch)
                    .max()
                    .unwrap_or_default(),
                runtime: judged
                    .iter()
                    .chain([leader])
                    .map(|scenario| scenario.limits.runtime)
                    .max()
                    .unwrap_or_default(),
            },
            judged: judged.clone(),
            leader: Arc::clone(leader),
        }
    };
    if leader.variants.is_empty() {
        return vec![one(None)];
    }
    leader
        .variants
        .iter()
        .filter(|variant| all || variant.ordinary)
        .map(|variant| one(Some(variant)))
        .collect()
}
