//! One scenario: its checks, the sequence diagram, and the evidence that the checks rest on.

use std::collections::BTreeSet;
use std::path::Path;

use maud::{Markup, html};
use testbed::evidence::{Entry, Part};

use super::{both, verdict};
use crate::report::diagram::diagram;
use crate::report::text::{inert, numbers, seconds};
use crate::report::{Evidence, words};
use crate::scenario::Catalogue;
use crate::verdict::{CheckResult, RunResult, ScenarioResult, Verdict};

/// Most entries that are shown for one scenario; the file has them all.
const EXCERPT: usize = 200;
/// Longest entry that is shown, in characters.
const ENTRY: usize = 1500;

pub(super) fn section(
    run: &RunResult,
    result: &ScenarioResult,
    number: usize,
    catalogue: &Catalogue,
    evidence: Option<&Evidence>,
    folder: &Path,
) -> Markup {
    let prefix = format!("s{number}");
    let entries = evidence.map_or(&[][..], |evidence| &evidence.entries);
    let marked = marked(result);
    let excerpt = excerpt(result, entries, &marked);
    let shown: BTreeSet<u64> = excerpt.iter().map(|entry| entry.n).collect();
    let open = result.verdict != Verdict::Pass;
    html! {
        section class={ "scenario " (result.verdict.word()) } id=(prefix) {
            h3 { (inert(&result.label())) " · " (inert(&result.title.nb)) " / " span lang="en" { (inert(&result.title.en)) } }
            p {
                (verdict(result.verdict)) " · " (words::level(result.level)) " · " code { (inert(&result.reason_code)) }
                " · " (seconds(result.duration_ms))
            }
            @if let Some(known) = run.known_failure(result) {
                p { "Kjent feil / known failure: " (inert(&known.reason)) }
            }
            (both(&result.why))
            (requirements(result, catalogue))
            @for check in &result.checks {
                (self::check(check, &prefix, &shown))
            }
            @if !entries.is_empty() {
                details open[open] {
                    summary { "Sekvensdiagram / " span lang="en" { "Sequence diagram" } }
                    div.wide { (diagram(entries, &marked, &format!("{prefix}-d"))) }
                }
                details open[open] {
                    summary {
                        "Bevis (" (excerpt.len()) " av " (entries.len()) " linjer) / "
                        span lang="en" { "Evidence (" (excerpt.len()) " of " (entries.len()) " entries)" }
                    }
                    (table(&excerpt, &marked, &prefix, entries))
                }
            }
            @if let Some(evidence) = evidence {
                p.note { "Alle linjer / all entries: " (file(evidence, folder)) }
            }
        }
    }
}

/// The journal's name, as a link where it lies below the page.
pub(super) fn file(evidence: &Evidence, folder: &Path) -> Markup {
    let path = evidence.file();
    let below = path.strip_prefix(folder).ok().and_then(Path::to_str);
    html! {
        @match below {
            Some(below) => a href=(link(below)) { code { (inert(&evidence.short_name())) } },
            None => code { (inert(&evidence.short_name())) },
        }
    }
}

/// A relative reference (RFC 3986 section 4.2) that cannot be taken for an address with a scheme.
fn link(path: &str) -> String {
    let mut link = String::from("./");
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' | b'+' => {
                link.push(char::from(byte));
            }
            b'\\' if cfg!(windows) => link.push('/'),
            _ => link.push_str(&format!("%{byte:02X}")),
        }
    }
    link
}

/// The entries that a check rests on which did not pass.
fn marked(result: &ScenarioResult) -> BTreeSet<u64> {
    let open = |check: &&CheckResult| {
        matches!(
            check.verdict,
            Verdict::Fail | Verdict::Warning | Verdict::Error | Verdict::Inconclusive
        )
    };
    result
        .checks
        .iter()
        .filter(open)
        .flat_map(|check| check.evidence.iter().copied())
        .collect()
}

/// The entries that checks rest on; when they are too many, those of open checks first.
fn excerpt<'a>(
    result: &ScenarioResult,
    entries: &'a [Entry],
    marked: &BTreeSet<u64>,
) -> Vec<&'a Entry> {
    let named: BTreeSet<u64> = result
        .checks
        .iter()
        .flat_map(|check| check.evidence.iter().copied())
        .collect();
    let first = marked.iter().chain(named.difference(marked));
    let chosen: BTreeSet<u64> = first.take(EXCERPT).copied().collect();
    entries
        .iter()
        .filter(|entry| chosen.contains(&entry.n))
        .collect()
}

fn requirements(result: &ScenarioResult, catalogue: &Catalogue) -> Markup {
    html! {
        @for id in &result.requirements {
            @if let Some(row) = catalogue.requirements.iter().find(|row| row.id == *id) {
                p {
                    a href={ "#" (id) } { (id) } " (" (words::basis(row.basis).nb) "): " (row.text.nb)
                    br; span.en lang="en" { (row.text.en) }
                }
            } @else {
                p { (inert(id)) }
            }
        }
    }
}

fn check(check: &CheckResult, prefix: &str, shown: &BTreeSet<u64>) -> Markup {
    let fact = |nb: &str, en: &str, text: &crate::Text| {
        html! {
            tr {
                th { (nb) " / " span lang="en" { (en) } }
                td { (inert(&text.nb)) br; span.en lang="en" { (inert(&text.en)) } }
            }
        }
    };
    html! {
        div class={ "check " (check.verdict.word()) } {
            (verdict(check.verdict)) " · " strong { (inert(&check.check)) }
            @if let Some(step) = check.step.as_ref().filter(|step| **step != check.check) { " · " (inert(step)) }
            @if check.verdict != Verdict::Pass { " · " code { (inert(&check.reason_code)) } }
            table {
                @if let Some(fail) = &check.fail { (fact("Hva er galt", "What is wrong", fail)) }
                (fact("Ventet", "Expected", &check.expected))
                (fact("Sett", "Observed", &check.observed))
                @for each in &check.recorded { (fact("Notert", "Recorded", each)) }
                @if let Some(mend) = &check.mend { (fact("Rett opp", "How to mend", mend)) }
                tr {
                    th { "Krav / " span lang="en" { "Requirement" } }
                    td { (inert(&check.requirements.join(", "))) }
                }
                tr {
                    th { "Bevis / " span lang="en" { "Evidence" } }
                    td { (links(&check.evidence, prefix, shown)) }
                }
            }
        }
    }
}

fn links(evidence: &[u64], prefix: &str, shown: &BTreeSet<u64>) -> Markup {
    let (linked, rest): (Vec<u64>, Vec<u64>) = evidence.iter().partition(|n| shown.contains(n));
    html! {
        @for n in &linked {
            a href={ "#" (prefix) "-n" (n) } { "#" (n) } " "
        }
        @if !rest.is_empty() || linked.is_empty() {
            (numbers(&rest, EXCERPT))
        }
    }
}

fn table(excerpt: &[&Entry], marked: &BTreeSet<u64>, prefix: &str, entries: &[Entry]) -> Markup {
    let start = entries.first().map_or(0, |entry| entry.at_us);
    html! {
        table {
            thead {
                tr {
                    th { "#" } th { "Tid / Time" } th { "Hvor / Where" } th { "Steg / Step" } th { "Hva / What" }
                }
            }
            tbody {
                @for entry in excerpt {
                    tr id={ (prefix) "-n" (entry.n) } class=[marked.contains(&entry.n).then_some("marked")] {
                        td.tight { (entry.n) }
                        td.tight { (format!("{:.3} s", micros(entry.at_us.saturating_sub(start)))) }
                        td.tight { (place(entry.part)) }
                        td.step { (inert(entry.step.as_deref().unwrap_or("–"))) }
                        td { (event(entry)) }
                    }
                }
            }
        }
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a run is far shorter than what the mantissa holds"
)]
fn micros(micros: u64) -> f64 {
    micros as f64 / 1_000_000.0
}

fn place(part: Part) -> &'static str {
    match part {
        Part::Ar => "AR",
        Part::Bus => "buss / bus",
        Part::Buypass => "Buypass",
        Part::Canary => "canary",
        Part::Helseid => "HelseID",
        Part::Helsenorge => "helsenorge",
        Part::Runner => "Prøvenett",
        Part::Sut => "SUT",
    }
}

/// The kind of event in bold and its fields as they stand in the journal.
fn event(entry: &Entry) -> Markup {
    let value = serde_json::to_value(&entry.event).unwrap_or_default();
    let kind = value["kind"].as_str().unwrap_or("?").to_owned();
    let fields = value.as_object().into_iter().flatten();
    let fields: Vec<String> = fields
        .filter(|(name, value)| *name != "kind" && !value.is_null())
        .map(|(name, value)| match value.as_str() {
            Some(text) => format!("{name}={text}"),
            None => format!("{name}={value}"),
        })
        .collect();
    let mut text: String = fields.join("  ").chars().take(ENTRY + 1).collect();
    if text.chars().count() > ENTRY {
        text.pop();
        text.push('…');
    }
    html! { strong { (kind) } " " code { (inert(&text)) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_never_has_a_scheme() {
        assert_eq!(
            link("REV-05+REV-06.3s/evidence.jsonl"),
            "./REV-05+REV-06.3s/evidence.jsonl"
        );
        assert_eq!(link("javascript:x\"<"), "./javascript%3Ax%22%3C");
    }
}
