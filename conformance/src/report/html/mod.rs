//! The report for people: one HTML file that needs nothing beside it, neither network nor script.
//!
//! Its first line says that it is the vendor's own pre-check (contract 03 section 8). Everything that comes from outside
//! is escaped, and a content security policy forbids what an error of ours could let through.

mod requirements;
mod scenario;
mod verify;

use std::collections::BTreeSet;
use std::path::Path;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::text::{inert, seconds};
use super::{Evidence, words};
use crate::Text;
use crate::scenario::Catalogue;
use crate::verdict::{Overall, RunResult, ScenarioResult, Verdict};

const STYLE: &str = include_str!("style.css");
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";
const SHOWN: [Verdict; 7] = [
    Verdict::Pass,
    Verdict::Fail,
    Verdict::Inconclusive,
    Verdict::Warning,
    Verdict::Error,
    Verdict::Skipped,
    Verdict::NotApplicable,
];

/// The whole page. Files that lie below `folder`, where the page itself will lie, are linked; others are only named.
#[must_use]
pub fn page(
    run: &RunResult,
    catalogue: &Catalogue,
    evidence: &[Evidence],
    folder: &Path,
) -> String {
    let name = words::pre_check();
    let page = html! {
        (DOCTYPE)
        html lang="nb" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light";
                title { (name.nb) " – Prøvenett" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { (name.nb) " / " span lang="en" { (name.en) } }
                div.remark { (both(&words::no_approval())) }
                (overall(run))
                (examined(run))
                h2 { "Scenarioer / " span lang="en" { "Scenarios" } }
                (scenarios(run))
                (limits())
                h2 { "Kontroller og bevis / " span lang="en" { "Checks and evidence" } }
                @for (result, number) in open_first(run) {
                    (scenario::section(run, result, number, catalogue, Evidence::of(evidence, result), folder))
                }
                h2 { "Krav / " span lang="en" { "Requirements" } }
                (requirements::table(run, catalogue))
                h2 { "Etterprøving / " span lang="en" { "Verification" } }
                (verify::section(run, evidence, folder))
                h2 { "Fylles ut av leverandøren / " span lang="en" { "To be filled in by the vendor" } }
                (identification())
            }
        }
    };
    page.into_string()
}

/// The scenarios with their numbers; those that somebody has to look at come first.
fn open_first(run: &RunResult) -> Vec<(&ScenarioResult, usize)> {
    let (passed, open): (Vec<_>, Vec<_>) = run
        .scenarios
        .iter()
        .zip(1..)
        .partition(|(result, _)| result.verdict == Verdict::Pass);
    open.into_iter().chain(passed).collect()
}

/// A text in both languages, one paragraph each.
fn both(text: &Text) -> Markup {
    html! {
        p { (inert(&text.nb)) }
        @if text.en != text.nb {
            p.en lang="en" { (inert(&text.en)) }
        }
    }
}

/// A verdict with its sign, in both languages.
fn verdict(verdict: Verdict) -> Markup {
    let text = words::verdict(verdict);
    html! { span class={ "v " (verdict.word()) } { (words::sign(verdict)) " " (text.nb) " / " (text.en) } }
}

fn overall(run: &RunResult) -> Markup {
    let class = match run.overall {
        Overall::Passed => "passed",
        Overall::PassedWithDeviations => "passed-with-deviations",
        Overall::Failed => "failed",
        Overall::Incomplete => "incomplete",
    };
    let text = run.overall.text();
    let total: u64 = run.scenarios.iter().map(|result| result.duration_ms).sum();
    html! {
        div class={ "overall " (class) } {
            strong { (text.nb) " / " (text.en) }
            @for each in SHOWN.into_iter().filter(|each| run.count(*each) > 0) {
                span { (run.count(each)) " " (verdict(each)) }
            }
            span.note {
                "exit code " (run.exit_code.number()) ": " (run.exit_code.meaning().nb) " / " (run.exit_code.meaning().en)
                " · " (seconds(total))
            }
        }
    }
}

/// What was examined, and with which seeded faults.
fn examined(run: &RunResult) -> Markup {
    let adapters: BTreeSet<&str> = run
        .scenarios
        .iter()
        .map(|result| result.adapter.as_str())
        .filter(|adapter| !adapter.is_empty())
        .collect();
    let faults: BTreeSet<&str> = run
        .scenarios
        .iter()
        .flat_map(|result| result.sut_faults.iter().map(String::as_str))
        .collect();
    html! {
        @for adapter in adapters {
            @let text = words::examined(adapter);
            p { "Prøvd / " span lang="en" { "Examined" } ": " (inert(&text.nb)) " / " span lang="en" { (inert(&text.en)) } "." }
        }
        @for fault in faults {
            @let text = words::seeded_fault(fault).unwrap_or_default();
            div.remark {
                p { "Innlagt feil / " span lang="en" { "Seeded fault" } ": " code { (inert(fault)) } }
                (both(&text))
            }
        }
    }
}

/// Filled in by hand: what the contract asks a report to identify and no program knows.
fn identification() -> Markup {
    let rows = [
        ("Leverandør", "Vendor"),
        ("System, versjon og bygg", "System, version and build"),
        ("Driftsleverandør", "Operations vendor"),
        ("Kontaktperson", "Contact"),
        ("Dato og underskrift", "Date and signature"),
    ];
    html! {
        table.facts.form {
            @for (nb, en) in rows {
                tr { th { (nb) " / " span lang="en" { (en) } } td {} }
            }
        }
    }
}

fn scenarios(run: &RunResult) -> Markup {
    html! {
        table {
            thead {
                tr {
                    th { "Id" } th { "Tittel / Title" } th { "Nivå / Level" } th { "Utfall / Verdict" }
                    th { "Årsak / Reason" } th { "Varighet / Duration" }
                }
            }
            tbody {
                @for (result, number) in run.scenarios.iter().zip(1..) {
                    tr {
                        td.id { a href={ "#s" (number) } { (inert(&result.label())) } }
                        td { (inert(&result.title.nb)) br; span.en lang="en" { (inert(&result.title.en)) } }
                        td { (words::level(result.level)) }
                        td {
                            (verdict(result.verdict))
                            @if let Some(known) = run.known_failure(result) {
                                br; span.note { "kjent feil / known failure: " (inert(&known.reason)) }
                            }
                        }
                        td { code { (inert(&result.reason_code)) } }
                        td.tight { (seconds(result.duration_ms)) }
                    }
                }
            }
        }
    }
}

/// What the simulation cannot prove (contract 03 section 8 item 2).
fn limits() -> Markup {
    html! {
        h2 { "Hva dette ikke viser / " span lang="en" { "What this does not show" } }
        (both(&Text::new(
            "Kjøringen viser hvordan systemet håndterte disse situasjonene på én maskin mot simulerte tjenester. Den kan ikke vise at \
             brannmuren slipper trafikken gjennom til Norsk helsenett, at virksomhetssertifikatene i produksjon er i orden, eller at operativsystemets liste over \
             rotsertifikater er det. Det må prøves der systemet skal brukes.",
            "The run shows how the system handled these situations on one machine against simulated services. It cannot show that a \
             firewall lets traffic through to Norsk helsenett, that the organisation certificates of production are in order, or that the operating system's list of \
             root certificates is. That has to be tried where the system will be used.",
        )))
    }
}

#[cfg(test)]
mod tests;
