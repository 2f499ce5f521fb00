//! What a check finds, before the scenario's own texts are added.

use std::time::Duration;

use crate::Text;
use crate::verdict::Verdict;

/// The finding of one check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) verdict: Verdict,
    pub(super) reason: &'static str,
    pub(super) expected: Text,
    pub(super) observed: Text,
    pub(super) recorded: Vec<Text>,
    pub(super) evidence: Vec<u64>,
}

/// What was seen and why it leads to a verdict; the check adds what it expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    verdict: Verdict,
    reason: &'static str,
    observed: Text,
    recorded: Vec<Text>,
    evidence: Vec<u64>,
}

impl Seen {
    fn new(verdict: Verdict, reason: &'static str, observed: Text) -> Self {
        Self {
            verdict,
            reason,
            observed,
            recorded: Vec::new(),
            evidence: Vec::new(),
        }
    }

    pub(super) fn pass(observed: Text) -> Self {
        Self::new(Verdict::Pass, "ok", observed)
    }

    pub(super) fn warning(reason: &'static str, observed: Text) -> Self {
        Self::new(Verdict::Warning, reason, observed)
    }

    pub(super) fn fail(reason: &'static str, observed: Text) -> Self {
        Self::new(Verdict::Fail, reason, observed)
    }

    pub(super) fn inconclusive(reason: &'static str, observed: Text) -> Self {
        Self::new(Verdict::Inconclusive, reason, observed)
    }

    pub(super) fn error(reason: &'static str, observed: Text) -> Self {
        Self::new(Verdict::Error, reason, observed)
    }

    pub(super) fn skipped(reason: &'static str, observed: Text) -> Self {
        Self::new(Verdict::Skipped, reason, observed)
    }

    /// Names journal entries behind it; ascending, each once.
    pub(super) fn with(mut self, evidence: impl IntoIterator<Item = u64>) -> Self {
        self.evidence.extend(evidence);
        self.evidence.sort_unstable();
        self.evidence.dedup();
        self
    }

    /// Adds a fact that has no influence.
    pub(super) fn recording(mut self, fact: Text) -> Self {
        self.recorded.push(fact);
        self
    }

    pub(super) fn is_pass(&self) -> bool {
        self.verdict == Verdict::Pass
    }

    pub(super) fn expecting(self, expected: Text) -> Finding {
        Finding {
            verdict: self.verdict,
            reason: self.reason,
            expected,
            observed: self.observed,
            recorded: self.recorded,
            evidence: self.evidence,
        }
    }
}

/// A length of time as both languages write it; milliseconds matter below ten seconds only.
pub(super) fn seconds(length: Duration) -> Text {
    let en = if length.subsec_millis() == 0 || length >= Duration::from_secs(100) {
        format!("{} s", length.as_secs())
    } else {
        format!("{:.2} s", length.as_secs_f64())
    };
    Text::new(en.replace('.', ","), en)
}
