//! Exit codes: a public contract that is only ever added to.

use serde::{Deserialize, Serialize};

use crate::Text;

/// What the process tells its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "u8", try_from = "u8")]
pub enum ExitCode {
    /// 0: all selected scenarios passed, deviations included.
    Passed,
    /// 1: our own error.
    OwnError,
    /// 2: wrong usage or configuration.
    Usage,
    /// 3: a scenario file is invalid.
    InvalidScenario,
    /// 4: nothing was selected.
    NothingSelected,
    /// 10: a check failed.
    Failed,
    /// 11: a verdict could not be reached.
    Inconclusive,
    /// 12: only known failures.
    KnownFailuresOnly,
    /// 13: a known failure did not occur.
    KnownFailureAbsent,
    /// 20: the report was refused.
    ReportRefused,
    /// 21: the verification failed.
    VerificationFailed,
}

/// From the most to the least significant. Codes that a whole command ends with on its own come first; of those that a
/// run can collect, the order is 1 > 3 > 11 > 10 > 13 > 12 (design section 5).
const PRECEDENCE: [ExitCode; 11] = [
    ExitCode::OwnError,
    ExitCode::Usage,
    ExitCode::InvalidScenario,
    ExitCode::NothingSelected,
    ExitCode::ReportRefused,
    ExitCode::VerificationFailed,
    ExitCode::Inconclusive,
    ExitCode::Failed,
    ExitCode::KnownFailureAbsent,
    ExitCode::KnownFailuresOnly,
    ExitCode::Passed,
];

impl ExitCode {
    /// Every code, in numerical order.
    pub const ALL: [Self; 11] = [
        Self::Passed,
        Self::OwnError,
        Self::Usage,
        Self::InvalidScenario,
        Self::NothingSelected,
        Self::Failed,
        Self::Inconclusive,
        Self::KnownFailuresOnly,
        Self::KnownFailureAbsent,
        Self::ReportRefused,
        Self::VerificationFailed,
    ];

    /// The number.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::Passed => 0,
            Self::OwnError => 1,
            Self::Usage => 2,
            Self::InvalidScenario => 3,
            Self::NothingSelected => 4,
            Self::Failed => 10,
            Self::Inconclusive => 11,
            Self::KnownFailuresOnly => 12,
            Self::KnownFailureAbsent => 13,
            Self::ReportRefused => 20,
            Self::VerificationFailed => 21,
        }
    }

    /// What it means, for the tables of the documentation.
    #[must_use]
    pub fn meaning(self) -> Text {
        let (nb, en) = match self {
            Self::Passed => (
                "alle valgte scenarioer er bestått",
                "all selected scenarios passed",
            ),
            Self::OwnError => ("feil i Prøvenett selv", "an error of Prøvenett itself"),
            Self::Usage => (
                "feil bruk eller oppsett",
                "wrong usage or wrong configuration",
            ),
            Self::InvalidScenario => ("en scenariofil er ugyldig", "a scenario file is invalid"),
            Self::NothingSelected => ("ingenting var valgt", "nothing was selected"),
            Self::Failed => (
                "minst én kontroll er ikke bestått",
                "at least one check failed",
            ),
            Self::Inconclusive => (
                "det ble ikke sett nok til å avgjøre alt",
                "not enough was seen to decide everything",
            ),
            Self::KnownFailuresOnly => ("bare kjente feil", "known failures only"),
            Self::KnownFailureAbsent => {
                ("en kjent feil oppsto ikke", "a known failure did not occur")
            }
            Self::ReportRefused => ("rapporten ble ikke godtatt", "the report was refused"),
            Self::VerificationFailed => (
                "rapporten stemmer ikke med bevisene",
                "the report does not agree with its evidence",
            ),
        };
        Text::new(nb, en)
    }

    /// The most significant of several; [`ExitCode::Passed`] of none.
    #[must_use]
    pub fn most_significant(codes: impl IntoIterator<Item = Self>) -> Self {
        let rank = |code: &Self| PRECEDENCE.iter().position(|each| each == code);
        codes.into_iter().min_by_key(rank).unwrap_or(Self::Passed)
    }
}

impl From<ExitCode> for u8 {
    fn from(code: ExitCode) -> Self {
        code.number()
    }
}

impl TryFrom<u8> for ExitCode {
    type Error = String;

    fn try_from(number: u8) -> Result<Self, Self::Error> {
        Self::ALL
            .into_iter()
            .find(|code| code.number() == number)
            .ok_or_else(|| format!("{number} is no exit code of this program"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_a_public_contract() {
        let numbers: Vec<u8> = ExitCode::ALL.into_iter().map(ExitCode::number).collect();
        assert_eq!(numbers, [0, 1, 2, 3, 4, 10, 11, 12, 13, 20, 21]);
        for code in ExitCode::ALL {
            assert_eq!(ExitCode::try_from(code.number()), Ok(code));
            assert!(PRECEDENCE.contains(&code));
        }
        assert!(ExitCode::try_from(9).is_err());
    }

    #[test]
    fn the_order_of_precedence_is_1_3_11_10_13_12() {
        let order = [1, 3, 11, 10, 13, 12, 0].map(|number| ExitCode::try_from(number).unwrap());
        for (index, code) in order.into_iter().enumerate() {
            let rest = order[index..].iter().rev().copied();
            assert_eq!(ExitCode::most_significant(rest), code);
        }
        assert_eq!(ExitCode::most_significant([]), ExitCode::Passed);
    }
}
