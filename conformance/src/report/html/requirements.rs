//! The requirement table: what this run says about each row, and what it leaves open.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::verdict;
use crate::report::text::inert;
use crate::report::words;
use crate::requirement::{Coverage, Requirement};
use crate::scenario::Catalogue;
use crate::verdict::{RunResult, ScenarioResult};

pub(super) fn table(run: &RunResult, catalogue: &Catalogue) -> Markup {
    html! {
        table {
            thead {
                tr {
                    th { "Id" } th { "Krav / Requirement" } th { "Grunnlag / Basis" } th { "I denne kjøringen / In this run" }
                }
            }
            tbody {
                @for row in &catalogue.requirements {
                    tr id=(row.id) {
                        td.id { (row.id) }
                        td { (row.text.nb) br; span.en lang="en" { (row.text.en) } }
                        td { (words::basis(row.basis).nb) }
                        td { (state(run, row, catalogue)) }
                    }
                }
            }
        }
    }
}

/// The gravest verdict of the scenarios that cover the row; what was not run is never called passed, and what was run in
/// part is called so.
fn state(run: &RunResult, row: &Requirement, catalogue: &Catalogue) -> Markup {
    let results: Vec<(&ScenarioResult, usize)> = run
        .scenarios
        .iter()
        .zip(1..)
        .filter(|(result, _)| result.requirements.contains(&row.id))
        .collect();
    let gravest = results.iter().map(|(result, _)| result.verdict).max();
    let all = catalogue
        .scenarios
        .iter()
        .filter(|scenario| scenario.covers.contains(&row.id))
        .count();
    let ran: BTreeSet<&str> = results
        .iter()
        .map(|(result, _)| result.id.as_str())
        .collect();
    html! {
        @match (gravest, row.coverage) {
            (Some(gravest), _) => {
                (verdict(gravest)) br;
                @for (result, number) in results {
                    a href={ "#s" (number) } { (inert(&result.label())) } " "
                }
                @if ran.len() < all {
                    br; span.note { "prøvd delvis: " (ran.len()) " av " (all) " scenarioer / tested in part: " (ran.len()) " of " (all) " scenarios" }
                }
            },
            (None, Coverage::Scenarios) => span.note { "ikke prøvd / not tested" },
            (None, coverage) => span.note { (words::coverage(coverage)) },
        }
    }
}
