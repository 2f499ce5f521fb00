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

    /// Adds a fact that has no influence, if there is one.
    pub(super) fn recording_if(self, told: bool, fact: impl FnOnce() -> Text) -> Self {
        if told { self.recording(fact()) } else { self }
    }

    pub(super) fn is_fail(&self) -> bool {
        self.verdict == Verdict::Fail
    }

    /// Of several, the first of the gravest; when all passed, the first with the evidence of all.
    pub(super) fn worst(all: Vec<Self>) -> Option<Self> {
        let gravest = all.iter().map(|seen| seen.verdict).max()?;
        let evidence: Vec<u64> = all
            .iter()
            .flat_map(|seen| seen.evidence.iter().copied())
            .collect();
        let first = all.into_iter().find(|seen| seen.verdict == gravest)?;
        Some(if gravest == Verdict::Pass {
            first.with(evidence)
        } else {
            first
        })
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

/// A text whose two forms take values from where it stands.
macro_rules! text {
    ($nb:literal, $en:literal $(,)?) => {
        crate::Text::new(format!($nb), format!($en))
    };
}
pub(super) use text;

/// A length of time in both languages, for [`text!`].
pub(super) fn both(length: Duration) -> (String, String) {
    let text = seconds(length);
    (text.nb, text.en)
}

/// The watch ended before the time was over in which something could still have come.
pub(super) fn watched_too_short() -> Seen {
    Seen::inconclusive(
        "watched-too-short",
        text!(
            "Kjøringen sluttet før tiden var ute, så det kan ikke avgjøres.",
            "The run ended before the time was over, so it cannot be decided."
        ),
    )
}
