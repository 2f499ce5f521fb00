//! The ordered checks of contract 03 section 1.6: pure functions over what was received and looked up.
//!
//! Each function makes the checks that belong to one piece of knowledge, records each of them, and stops at the first that
//! fails.

mod content;
mod envelope;
mod header;
mod reply;
mod signer;
#[cfg(test)]
mod tests;

pub(crate) use content::{Expected, Support, content, reply_body, request_body};
pub(crate) use envelope::{content_type, opened};
pub(crate) use header::{header, no_way_back, receiver, reply_queue, sender};
pub(crate) use reply::{correlation, in_time, refers_to_request, right_party, right_queue};
pub(crate) use signer::{expected_signer, standing, validity};

use nhn_model::error_message::ErrorCondition;
use testbed::evidence::CheckOutcome;

/// A check that was made, or a state that was reached with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Check {
        check: &'static str,
        outcome: CheckOutcome,
        detail: String,
    },
    State(&'static str),
}

/// What was checked so far, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Checks(Vec<Step>);

/// A message is refused: what its sender is told (contract 03 section 5.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) condition: ErrorCondition,
    pub(crate) description: String,
    pub(crate) data: Vec<String>,
}

impl Checks {
    pub(crate) fn steps(&self) -> &[Step] {
        &self.0
    }

    /// Names of the checks that ended in this way.
    #[cfg(test)]
    pub(crate) fn ended(&self, wanted: CheckOutcome) -> Vec<&'static str> {
        self.0
            .iter()
            .filter_map(|step| match step {
                Step::Check { check, outcome, .. } if *outcome == wanted => Some(*check),
                _ => None,
            })
            .collect()
    }

    pub(crate) fn reach(&mut self, state: &'static str) {
        self.0.push(Step::State(state));
    }

    pub(crate) fn pass(&mut self, check: &'static str, detail: impl Into<String>) {
        self.add(check, CheckOutcome::Passed, detail);
    }

    pub(crate) fn finding(&mut self, check: &'static str, detail: impl Into<String>) {
        self.add(check, CheckOutcome::Finding, detail);
    }

    /// Records a failed check whose failure is not told to anybody.
    pub(crate) fn fail_quietly(&mut self, check: &'static str, detail: impl Into<String>) {
        self.add(check, CheckOutcome::Failed, detail);
    }

    /// Records a failed check and says what the sender is told. Nothing of the message's content may stand in the
    /// description (contract 03 section 5.4).
    pub(crate) fn fail(
        &mut self,
        check: &'static str,
        condition: ErrorCondition,
        description: impl Into<String>,
    ) -> Refusal {
        let description = description.into();
        self.add(check, CheckOutcome::Failed, description.clone());
        Refusal {
            condition,
            description,
            data: Vec::new(),
        }
    }

    fn add(&mut self, check: &'static str, outcome: CheckOutcome, detail: impl Into<String>) {
        self.0.push(Step::Check {
            check,
            outcome,
            detail: detail.into(),
        });
    }
}

impl Refusal {
    /// Adds what `errorConditionData` says.
    pub(crate) fn with_data(mut self, data: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.data = data.into_iter().map(Into::into).collect();
        self
    }
}
