//! The requirement table (`scenarios/requirements.toml`): what is asked of a system, on whose authority, and how it is
//! covered (contract 03 section 6.4).

use serde::{Deserialize, Serialize};

use crate::Text;
use crate::scenario::Problem;
use crate::scenario::read::{Source, Table};

/// On whose authority a requirement stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// Stated by Norsk helsenett or by the helsenorge profiles.
    Nhn,
    /// Behaviour of the reference library that counterparts rely on.
    ReferenceLibrary,
    /// Stated by Norsk helsenett, with details from the reference library.
    NhnAndReferenceLibrary,
    /// A recommendation of this project.
    Project,
}

/// How a requirement is covered today.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Coverage {
    /// At least one scenario covers it; a test proves it.
    Scenarios,
    /// Its scenarios are not built yet; a test proves that too.
    Planned,
    /// The vendor declares it; no scenario can see it.
    Declared,
}

/// One row of the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requirement {
    /// Stable id, `REQ-REV-02`.
    pub id: String,
    /// On whose authority.
    pub basis: Basis,
    /// How it is covered.
    pub coverage: Coverage,
    /// What is required.
    pub text: Text,
}

const BASES: [(&str, Basis); 4] = [
    ("nhn", Basis::Nhn),
    ("reference-library", Basis::ReferenceLibrary),
    ("nhn-and-reference-library", Basis::NhnAndReferenceLibrary),
    ("project", Basis::Project),
];
const COVERAGES: [(&str, Coverage); 3] = [
    ("scenarios", Coverage::Scenarios),
    ("planned", Coverage::Planned),
    ("declared", Coverage::Declared),
];

/// Reads the requirement table.
pub(crate) fn parse(path: &str, text: &str) -> Result<Vec<Requirement>, Vec<Problem>> {
    Source::read(path, text, |root| {
        let mut rows: Vec<Requirement> = Vec::new();
        for table in root.tables("requirement") {
            let Some(id) = table.word("id") else { continue };
            if rows.iter().any(|row| row.id == id.text) {
                table.problem_at(
                    &id.span,
                    format!("the requirement `{}` stands twice", id.text),
                );
            }
            rows.extend(row(table, id.text));
        }
        root.finish();
        Some(rows)
    })
}

fn row(table: Table<'_>, id: String) -> Option<Requirement> {
    let (basis, coverage) = (
        table.choice("basis", &BASES),
        table.choice("coverage", &COVERAGES),
    );
    let text = table.text("text");
    table.finish();
    Some(Requirement {
        id,
        basis: basis?,
        coverage: coverage?,
        text: text?,
    })
}
