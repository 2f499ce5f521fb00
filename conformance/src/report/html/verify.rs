//! What somebody else needs to check the report: versions, seeds, hashes, and the command that judges again.

use std::collections::BTreeMap;
use std::path::Path;

use maud::{Markup, html};
use testbed::evidence::Event;
use time::format_description::well_known::Rfc3339;

use super::both;
use super::scenario::file;
use crate::Text;
use crate::report::Evidence;
use crate::report::text::inert;
use crate::verdict::{RunResult, ScenarioResult};

pub(super) fn section(run: &RunResult, evidence: &[Evidence], folder: &Path) -> Markup {
    html! {
        (both(&Text::new(
            "Hvert utfall er regnet ut av bevisene alene. Den som har kjøringens mappe, kan regne det ut på nytt med samme versjon av Prøvenett og skal få det samme:",
            "Every verdict is computed from the evidence alone. Whoever has the run's folder can compute it again with the same version of Prøvenett and must get the same:",
        )))
        p { code { "provenett replay <run-folder>" } }
        (environment(run, evidence))
        table {
            thead {
                tr {
                    th { "Scenario" } th { "SHA-256 av scenariofilen / of the scenario file" }
                    th { "Bevis og dets SHA-256 / Evidence and its SHA-256" } th { "Start" }
                }
            }
            tbody {
                @for result in &run.scenarios {
                    tr {
                        td.id { (inert(&result.label())) }
                        td { code { (inert(&result.scenario_sha256)) } }
                        td {
                            @if let Some(evidence) = Evidence::of(evidence, result) {
                                (file(evidence, folder)) br;
                                code { (evidence.sha256.as_deref().unwrap_or("–")) }
                            }
                        }
                        td { (started(result)) }
                    }
                }
            }
        }
    }
}

fn started(result: &ScenarioResult) -> String {
    result
        .started
        .and_then(|started| started.replace_nanosecond(0).ok())
        .and_then(|started| started.format(&Rfc3339).ok())
        .unwrap_or_else(|| "–".to_owned())
}

fn environment(run: &RunResult, evidence: &[Evidence]) -> Markup {
    let each = |value: fn(&ScenarioResult) -> String| {
        let mut values: Vec<String> = run.scenarios.iter().map(value).collect();
        values.sort();
        values.dedup();
        values.join(", ")
    };
    html! {
        table.facts {
            tr { th { "Dømt med / Judged by" } td { "Prøvenett " (env!("CARGO_PKG_VERSION")) } }
            tr { th { "Kjørt med / Run by" } td { "Prøvenett " (inert(&each(|result| result.version.clone()))) } }
            tr { th { "SUT-adapter" } td { (inert(&each(|result| result.adapter.clone()))) } }
            tr { th { "Tilfeldige tall / Seed" } td { (inert(&each(|result| result.seed.to_string()))) } }
            @for (key, value) in parameters(evidence) {
                tr { th { code { (inert(&key)) } } td { (inert(&value)) } }
            }
        }
    }
}

/// What the runner recorded of the environment, without what differs from one execution to the next.
fn parameters(evidence: &[Evidence]) -> BTreeMap<String, String> {
    let mut all: BTreeMap<String, Vec<&String>> = BTreeMap::new();
    for entry in evidence.iter().flat_map(|evidence| &evidence.entries) {
        if let Event::ScenarioStarted { parameters, .. } = &entry.event {
            for (key, value) in parameters.iter().filter(|(key, _)| *key != "variant") {
                let values = all.entry(key.clone()).or_default();
                if !values.contains(&value) {
                    values.push(value);
                }
            }
        }
    }
    all.into_iter()
        .map(|(key, values)| {
            let values: Vec<&str> = values.into_iter().map(String::as_str).collect();
            (key, values.join(", "))
        })
        .collect()
}
