use std::path::Path;

use super::page;
use crate::Text;
use crate::report::{Evidence, sample};
use crate::verdict::RunResult;

fn written(run: &RunResult, evidence: &[Evidence]) -> String {
    page(
        run,
        &sample::catalogue(),
        evidence,
        Path::new("provenett-runs/1"),
    )
}

#[test]
fn the_first_line_says_what_it_is() {
    let (run, evidence) = sample::mixed();
    let text = written(&run, &evidence);
    let body = text.split("<body>").nth(1).unwrap();
    assert!(
        body.starts_with("<h1>Samsvarsrapport (forhåndskontroll) / "),
        "{}",
        &body[..200]
    );
    assert!(text.contains("Conformance report (vendor's own pre-check)"));
    assert!(text.contains("no approval by Norsk helsenett"));
}

#[test]
fn it_needs_nothing_from_elsewhere() {
    let (run, evidence) = sample::mixed();
    let text = written(&run, &evidence).replace("http://www.w3.org/2000/svg", "");
    for word in [
        " src=\"", "<img", "<iframe", "http://", "https://", "@import", "url(", "<link", "<script",
    ] {
        assert!(!text.contains(word), "{word}");
    }
}

#[test]
fn hostile_text_is_inert() {
    let (mut run, mut evidence) = sample::mixed();
    for result in &mut run.scenarios {
        result.reason_code = sample::HOSTILE.into();
        result.adapter = sample::HOSTILE.into();
        result.version = sample::HOSTILE.into();
        result.sut_faults = vec![sample::HOSTILE.into()];
        for check in &mut result.checks {
            check.observed = Text::new(sample::HOSTILE, sample::HOSTILE);
            check.recorded = vec![check.observed.clone()];
            check.step = Some(sample::HOSTILE.into());
            check.evidence = vec![1, 2, 3, u64::MAX];
        }
    }
    for journal in &mut evidence {
        journal.folder = journal.folder.join("javascript:alert(1)\"><b>");
        for entry in &mut journal.entries {
            entry.step = Some(sample::HOSTILE.into());
        }
    }
    let text = written(&run, &evidence);
    for word in [
        "<script",
        "<img",
        "<b>",
        "\u{1b}",
        "\u{202e}",
        "href=\"javascript",
    ] {
        assert!(!text.contains(word), "{word}");
    }
}

#[test]
fn every_link_within_the_page_has_its_place() {
    let (run, evidence) = sample::mixed();
    let text = written(&run, &evidence);
    let mut ids: Vec<&str> = text
        .split(" id=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all, "an id stands twice");
    let targets: Vec<&str> = text
        .split("href=\"#")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    assert!(targets.len() > 20);
    for target in targets {
        assert!(ids.binary_search(&target).is_ok(), "{target}");
    }
    assert!(text.contains("href=\"./REV-05+REV-06.10s/evidence.jsonl\""));
}

#[test]
fn the_failing_step_is_marked_and_the_way_to_check_is_told() {
    let (run, evidence) = sample::mixed();
    let text = written(&run, &evidence);
    assert!(text.contains("step failed"));
    assert!(text.contains(" marked\"") && text.contains("provenett replay &lt;run-folder&gt;"));
    assert!(text.contains(&run.scenarios[0].scenario_sha256));
    assert!(text.contains(&"ab".repeat(32)));
    assert!(text.contains("tested in part: 1 of"));
    assert!(text.contains("not a vendor's system") && text.contains("waits up to 15 seconds"));
    assert!(text.contains("planlagt, ikke prøvd / planned, not tested"));
}

#[test]
fn a_run_of_nothing_is_still_a_page() {
    let text = written(&RunResult::conclude(vec![], vec![]), &[]);
    assert!(text.contains("ufullstendig / incomplete"));
}
