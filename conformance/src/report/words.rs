//! Words that all reports share.

use crate::Text;
use crate::requirement::{Basis, Coverage};
use crate::scenario::{Level, Role};
use crate::verdict::Verdict;

/// The line that stands first in every report and cannot be removed (contract 03 section 8 item 1).
#[must_use]
pub fn pre_check() -> Text {
    Text::new(
        "Samsvarsrapport (forhåndskontroll)",
        "Conformance report (vendor's own pre-check)",
    )
}

/// What that means.
#[must_use]
pub fn no_approval() -> Text {
    Text::new(
        "Leverandørens egen forhåndskontroll mot simulerte tjenester. Den er ingen godkjenning fra Norsk helsenett.",
        "The vendor's own pre-check against simulated services. It is no approval by Norsk helsenett.",
    )
}

/// A verdict for the reader.
#[must_use]
pub fn verdict(verdict: Verdict) -> Text {
    let (nb, en) = match verdict {
        Verdict::Pass => ("bestått", "pass"),
        Verdict::NotApplicable => ("ikke aktuelt", "not applicable"),
        Verdict::Skipped => ("ikke vurdert", "skipped"),
        Verdict::Warning => ("avvik", "warning"),
        Verdict::Inconclusive => ("ikke avgjort", "inconclusive"),
        Verdict::Fail => ("ikke bestått", "fail"),
        Verdict::Error => ("feil hos oss", "error (ours)"),
    };
    Text::new(nb, en)
}

/// The sign that stands before a verdict, so that colour is never needed to tell it.
#[must_use]
pub fn sign(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "✓",
        Verdict::NotApplicable | Verdict::Skipped => "–",
        Verdict::Warning => "!",
        Verdict::Inconclusive => "?",
        Verdict::Fail => "✗",
        Verdict::Error => "‼",
    }
}

/// How much a failure weighs.
#[must_use]
pub fn level(level: Level) -> Text {
    let (nb, en) = match level {
        Level::Must => ("må", "must"),
        Level::Should => ("bør", "should"),
        Level::May => ("kan", "may"),
    };
    Text::new(nb, en)
}

/// The level as it stands in files.
#[must_use]
pub fn level_name(level: Level) -> &'static str {
    match level {
        Level::Must => "must",
        Level::Should => "should",
        Level::May => "may",
    }
}

/// Who starts the exchange, as it stands in files.
#[must_use]
pub fn role_name(role: Role) -> &'static str {
    match role {
        Role::Both => "both",
        Role::Initiator => "initiator",
        Role::Responder => "responder",
    }
}

/// Who starts the exchange.
#[must_use]
pub fn role(role: Role) -> Text {
    let (nb, en) = match role {
        Role::Both => ("begge veier", "both directions"),
        Role::Initiator => ("systemet ditt spør", "your system asks"),
        Role::Responder => (
            "helsenorge spør, systemet ditt svarer",
            "helsenorge asks, your system answers",
        ),
    };
    Text::new(nb, en)
}

/// On whose authority a requirement stands.
#[must_use]
pub fn basis(basis: Basis) -> Text {
    let (nb, en) = match basis {
        Basis::Nhn => ("Norsk helsenett", "Norsk helsenett"),
        Basis::ReferenceLibrary => ("referansebiblioteket", "the reference library"),
        Basis::NhnAndReferenceLibrary => (
            "Norsk helsenett og referansebiblioteket",
            "Norsk helsenett and the reference library",
        ),
        Basis::Project => (
            "Prøvenetts egen anbefaling",
            "Prøvenett's own recommendation",
        ),
    };
    Text::new(nb, en)
}

/// How a requirement is covered by the catalogue.
#[must_use]
pub fn coverage(coverage: Coverage) -> Text {
    let (nb, en) = match coverage {
        Coverage::Scenarios => ("scenarioer", "scenarios"),
        Coverage::Planned => ("planlagt, ikke prøvd", "planned, not tested"),
        Coverage::Declared => ("egenerklæring", "declared by the vendor"),
    };
    Text::new(nb, en)
}

/// What was examined, by the name of the adapter; nobody may take the reference EPJ's result for a vendor's.
#[must_use]
pub fn examined(adapter: &str) -> Text {
    let (nb, en) = match adapter {
        "reference" => (
            "Prøvenetts egen referanse-EPJ, ikke en leverandørs system",
            "Prøvenett's own reference EPJ, not a vendor's system",
        ),
        "command" => (
            "et program som Prøvenett startet",
            "a program that Prøvenett started",
        ),
        "http" => (
            "et kjørende system, spurt over HTTP",
            "a running system, asked over HTTP",
        ),
        _ => return Text::new(adapter, adapter),
    };
    Text::new(nb, en)
}

/// What a seeded fault does, as a whole sentence; nothing for a name that the reference EPJ does not have.
#[must_use]
pub fn seeded_fault(name: &str) -> Option<Text> {
    reference_epj::Fault::all()
        .find(|fault| fault.name() == name)
        .map(|fault| {
            Text::new(
                format!("EPJ-en {}.", fault.norwegian()),
                format!("The EPJ {}.", fault.english()),
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_files() {
        for each in [Level::Must, Level::Should, Level::May] {
            assert_eq!(serde_json::to_value(each).unwrap(), level_name(each));
        }
        for each in [Role::Both, Role::Initiator, Role::Responder] {
            assert_eq!(serde_json::to_value(each).unwrap(), role_name(each));
        }
    }

    #[test]
    fn a_seeded_fault_is_told_as_a_sentence() {
        let told = seeded_fault("crl-timeout-15s").unwrap();
        assert!(told.en.starts_with("The EPJ waits") && told.en.ends_with('.'));
        assert_eq!(seeded_fault("no-such"), None);
    }
}
