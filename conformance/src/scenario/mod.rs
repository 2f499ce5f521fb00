//! Scenarios as values: what is arranged, what is done, and what is judged (`style-anchors` B3 made concrete).
//!
//! A scenario only composes acts, faults and checks that are registered by name. Nothing in here touches the network:
//! acts are carried out by the runner, checks are judged by [`crate::check::judge`].

mod act;
mod catalogue;
mod check;
mod embedded;
mod given;
mod parameter;
mod parse;
mod plan;
mod problem;
mod profile;
pub(crate) mod read;
mod registry;
#[cfg(test)]
mod tests;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Text;

pub use act::{Act, After, CommunicationTest, NEEDS_DRIVER, RequestVariant, SignerChoice, Step};
pub use catalogue::{Catalogue, SelectError};
pub use check::{Check, Judged};
pub use given::Given;
pub use parameter::{BASELINE_STEP, Parameter, RECOVERY_STEP};
pub use plan::Execution;
pub use problem::{Problem, Problems, nearest};
pub use profile::Profile;
pub use registry::{ACTS, CHECKS, CONDITIONS, FAULTS};

/// How much a failure weighs (contract 03 section 0.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Informational.
    May,
    /// A failure is a deviation of the whole.
    Should,
    /// A failure makes the whole negative.
    Must,
}

/// Who starts the exchange that is judged, seen from the system under test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Both directions are judged.
    Both,
    /// The system under test starts it; a driver is needed.
    Initiator,
    /// helsenorge starts it and the system under test answers.
    Responder,
}

/// What the system under test may already know about helsenorge's certificates when the first step begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cache {
    /// After the baseline helsenorge gets certificates of a fresh issuing CA and the pair a new CPA, so that nothing that
    /// the baseline has fetched can be of use.
    Cold,
    /// The certificates of the baseline stay in use.
    Warm,
}

/// The communication test at the end of a scenario, when everything is well again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovery {
    /// How long after its beginning a valid reply has to be there: 30 s, or 60 s after the bus or the register was away
    /// (contract 03 section 7).
    pub within: Duration,
}

/// One way to run a scenario; it adds faults of its own to those that all have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variant {
    /// Name, unique in the scenario.
    pub name: String,
    /// Whether it belongs to an ordinary run; the others run in profiles that ask for all variants.
    pub ordinary: bool,
    /// Faults of this variant.
    pub given: Vec<Given>,
}

/// Time limits that belong to the harness, never to a requirement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long the runner goes on watching after the last stimulus: what a row forbids is watched for until the recovery
    /// probe has ended and at least this long (contract 03 section 7, "window").
    pub watch: Duration,
    /// Longest that one execution may take, the start of the system under test left aside; then the runner cuts it off.
    pub runtime: Duration,
}

/// A scenario file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// Stable id, `REV-05`.
    pub id: String,
    /// Names under which it can be started, alone or with others.
    pub aliases: Vec<String>,
    /// Title.
    pub title: Text,
    /// Why it matters to a patient or to those who run the system.
    pub why: Text,
    /// How much a failure weighs.
    pub level: Level,
    /// Rows of the requirement table.
    pub covers: Vec<String>,
    /// Who starts the exchange.
    pub role: Role,
    /// Whether the baseline has to hold before the first step; the COM rows are the baseline themselves.
    pub baseline: bool,
    /// What may be cached when the first step begins.
    pub cache: Cache,
    /// The recovery probe; absent where the contract's row notes it.
    pub recovery: Option<Recovery>,
    /// The scenario whose faults and steps come first in the same execution (REV-06 follows REV-05).
    pub follows: Option<String>,
    /// Ways to run it; empty when there is only one. A scenario that follows another has those of the other.
    pub variants: Vec<Variant>,
    /// Faults in place before the first step; the runner takes them away before the recovery probe.
    pub given: Vec<Given>,
    /// What is done, in order.
    pub steps: Vec<Step>,
    /// What is judged, in order.
    pub checks: Vec<Judged>,
    /// Limits of the harness.
    pub limits: Limits,
    /// Seeded faults of the reference EPJ that must turn it red (contract 03 section 7.11).
    pub killed_by: Vec<String>,
    /// SHA-256 of the file, lower-case hexadecimal digits.
    pub sha256: String,
    /// The file's text.
    pub source: String,
    /// Where the file was read, for messages.
    pub path: String,
}

impl Scenario {
    /// The step of this name among the scenario's own.
    #[must_use]
    pub fn step(&self, name: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.name == name)
    }

    /// Whether any of its own steps needs a driver.
    #[must_use]
    pub fn needs_driver(&self) -> bool {
        self.steps.iter().any(|step| step.act.needs_driver())
    }
}
