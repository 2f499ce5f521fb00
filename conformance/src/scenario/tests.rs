//! The catalogue as a whole, and what files are told when they are wrong.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;

use super::parse::{Names, parse};
use super::*;
use crate::requirement::Coverage;

const NAMES: Names<'static> = Names {
    requirements: &["REQ-COM-02", "REQ-REV-02"],
    faults: &["wrong-correlation"],
};

const GOOD: &str = r#"
id     = "COM-02"
title  = { nb = "a", en = "a" }
why    = { nb = "a", en = "a" }
level  = "must"
covers = ["REQ-COM-02"]
role   = "responder"

[[when]]
step = "call"
act  = { helsenorge = "communication-test", deadline = "45s" }

[[then]]
check = { name = "valid-reply", step = "call" }
fail  = { nb = "a", en = "a" }
mend  = { nb = "a", en = "a" }

[proof]
killed-by = ["wrong-correlation"]
"#;

fn catalogue() -> Catalogue {
    Catalogue::embedded().unwrap_or_else(|problems| panic!("{problems}"))
}

fn complaints(text: &str) -> Vec<String> {
    let found = parse("x.toml", text, &NAMES).expect_err("the file is wrong");
    found.iter().map(ToString::to_string).collect()
}

#[track_caller]
fn complains(from: &str, to: &str, expected: &str) {
    assert!(GOOD.contains(from), "{from}");
    let found = complaints(&GOOD.replacen(from, to, 1));
    assert!(
        found.iter().any(|line| line.contains(expected)),
        "{found:#?}"
    );
}

#[test]
fn requirements_and_scenarios_cover_each_other() {
    let catalogue = catalogue();
    for requirement in &catalogue.requirements {
        let covered = catalogue
            .scenarios
            .iter()
            .any(|scenario| scenario.covers.contains(&requirement.id));
        assert_eq!(
            covered,
            requirement.coverage == Coverage::Scenarios,
            "{}",
            requirement.id
        );
    }
}

#[test]
fn every_act_check_and_fault_is_used_and_named_once() {
    let catalogue = catalogue();
    let all = |names: &mut dyn Iterator<Item = String>| names.collect::<BTreeSet<_>>();
    let checks = all(&mut catalogue.scenarios.iter().flat_map(|scenario| {
        scenario
            .checks
            .iter()
            .map(|judged| judged.check.name().to_owned())
    }));
    assert_eq!(
        checks,
        all(&mut CHECKS.iter().map(|name| (*name).to_owned()))
    );
    let pair = |(service, name): (&str, &str)| format!("{service}.{name}");
    let acts = all(&mut catalogue
        .scenarios
        .iter()
        .flat_map(|scenario| scenario.steps.iter().map(|step| pair(step.act.name()))));
    let mut registered = all(&mut ACTS.iter().copied().map(pair));
    registered.remove("runner.observe");
    assert_eq!(acts, registered);
    let faults = all(&mut catalogue.scenarios.iter().flat_map(|scenario| {
        let variants = scenario.variants.iter().flat_map(|variant| &variant.given);
        scenario
            .given
            .iter()
            .chain(variants)
            .map(|given| pair(given.name()))
    }));
    assert_eq!(faults, all(&mut FAULTS.iter().copied().map(pair)));
}

#[test]
fn every_scenario_is_killed_and_every_seeded_fault_kills() {
    let catalogue = catalogue();
    assert!(
        catalogue
            .scenarios
            .iter()
            .all(|scenario| !scenario.killed_by.is_empty() && !scenario.covers.is_empty())
    );
    for fault in reference_epj::Fault::all() {
        let kills = |scenario: &std::sync::Arc<Scenario>| {
            scenario.killed_by.iter().any(|name| name == fault.name())
        };
        assert!(
            catalogue.scenarios.iter().any(kills),
            "{} kills nothing",
            fault.name()
        );
    }
}

#[test]
fn what_is_forbidden_is_watched_for_long_enough() {
    for scenario in &catalogue().scenarios {
        for judged in &scenario.checks {
            let step = judged.check.step().and_then(|name| scenario.step(name));
            let (watch, deadline) = match &judged.check {
                Check::Refused { within, .. } | Check::RefusedWithoutStatus { within, .. } => {
                    (Duration::from_secs(30), Some(*within))
                }
                Check::RequestSettled { .. } => (Duration::ZERO, Some(Duration::from_secs(30))),
                Check::TimesOut { deviation, .. } => (Duration::ZERO, Some(*deviation)),
                _ => (Duration::ZERO, None),
            };
            assert!(scenario.limits.watch >= watch, "{}", scenario.id);
            let given = step.map(|step| match &step.act {
                Act::CommunicationTest(test) => test.deadline,
                Act::RunKomtest { deadline } => *deadline,
                _ => Duration::MAX,
            });
            if let (Some(needed), Some(given)) = (deadline, given) {
                assert!(
                    given > needed,
                    "{}: the step ends before the check can fail",
                    scenario.id
                );
            }
        }
    }
}

#[test]
fn the_alias_runs_two_variants_each_judged_twice() {
    let executions = catalogue().select(&["revocation-slow".to_owned()]).unwrap();
    let names: Vec<String> = executions.iter().map(Execution::name).collect();
    assert_eq!(names, ["REV-05+REV-06.3s", "REV-05+REV-06.10s"]);
    let steps = |execution: &Execution| {
        execution
            .steps
            .iter()
            .map(|step| step.name.clone())
            .collect::<Vec<_>>()
    };
    assert!(
        executions
            .iter()
            .all(|execution| steps(execution) == ["cold", "warm"])
    );
    assert_eq!(
        executions[1].given,
        [Given::DelayStatus {
            delay: Duration::from_secs(10)
        }]
    );
    assert_eq!(executions[1].download_limit(), Duration::from_secs(30));
}

#[test]
fn one_half_of_a_pair_runs_what_it_needs() {
    let catalogue = catalogue();
    let of = |id: &str| catalogue.select(&[id.to_owned()]).unwrap().remove(0);
    let (first, second) = (of("rev-05"), of("REV-06"));
    assert_eq!((first.judged.len(), first.steps.len()), (1, 1));
    assert_eq!(
        (second.judged[0].id.as_str(), second.steps.len()),
        ("REV-06", 2)
    );
    assert_eq!(catalogue.select_profile("full").unwrap().len(), 19 + 4);
    assert_eq!(
        catalogue
            .select(&["COM-02".to_owned(), "com-02".to_owned()])
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn an_unknown_name_is_answered_with_the_nearest() {
    let error = catalogue()
        .select(&["revocation-slwo".to_owned()])
        .unwrap_err();
    assert_eq!(error.nearest.as_deref(), Some("revocation-slow"));
    assert!(
        catalogue()
            .select_profile("smok")
            .unwrap_err()
            .to_string()
            .contains("did you mean `smoke`?")
    );
}

#[test]
fn the_good_file_is_good() {
    let scenario = parse("x.toml", GOOD, &NAMES).unwrap();
    assert_eq!(
        (scenario.id.as_str(), scenario.sha256.len()),
        ("COM-02", 64)
    );
    assert_eq!(
        scenario.recovery,
        Some(Recovery {
            within: Duration::from_secs(30)
        })
    );
}

#[test]
fn mistakes_are_named_with_place_and_nearest_name() {
    complains(
        "title  =",
        "tittle =",
        "x.toml:3:1: unknown key `tittle` (did you mean `title`?)",
    );
    complains(
        "level  = \"must\"",
        "level  = \"mst\"",
        "x.toml:5:10: unknown level `mst` (did you mean `must`?)",
    );
    complains(
        "REQ-COM-02",
        "REQ-COM-20",
        "unknown requirement `REQ-COM-20` (did you mean `REQ-COM-02`?)",
    );
    complains(
        "wrong-correlation",
        "wrong-corelation",
        "unknown seeded fault `wrong-corelation` (did you mean",
    );
    complains(
        "communication-test",
        "komunication-test",
        "unknown act of helsenorge `komunication-test` (did you mean",
    );
    complains(
        "helsenorge =",
        "helsenorg =",
        "an act names exactly one service: ar, bus, buypass, helsenorge, runner, sut (did you mean `helsenorge`?)",
    );
    complains(
        "valid-reply",
        "vaild-reply",
        "unknown check `vaild-reply` (did you mean `valid-reply`?)",
    );
    complains(
        "step = \"call\" }",
        "step = \"cal\" }",
        "unknown step `cal` (did you mean `call`?)",
    );
    complains(
        "\"45s\"",
        "45",
        "`deadline` must be a string with a number and a unit",
    );
    complains(", deadline = \"45s\"", "", "`act` lacks the key `deadline`");
    complains(
        "en = \"a\" }",
        "no = \"a\" }",
        "unknown key `no` in `title`",
    );
    complains(
        "id     = \"COM-02\"",
        "id     = \"COM-2\"",
        "is no scenario id",
    );
    complains(
        "[proof]\nkilled-by = [\"wrong-correlation\"]",
        "",
        "the file lacks the key `proof`",
    );
    complains("\"call\"\nact", "\"baseline\"\nact", "reserved");
    complains(
        "{ name = \"valid-reply\", step = \"call\" }",
        "{ name = \"times-out\", step = \"call\", within = \"1s\", deviation = \"2s\" }",
        "does not fit the step `call`",
    );
    complains("level  =", "level  ==", "x.toml:5:");
}

#[test]
fn several_mistakes_are_named_at_once() {
    let text = GOOD
        .replace("level  =", "levle  =")
        .replace("[proof]", "[prof]");
    assert!(
        complaints(&text).len() >= 4,
        "two unknown and two missing keys"
    );
}

#[test]
fn a_folder_takes_the_place_of_what_is_built_in() {
    let folder = tempfile::tempdir().unwrap();
    assert!(
        Catalogue::load(folder.path())
            .unwrap_err()
            .to_string()
            .contains("no scenario file")
    );
    std::fs::write(folder.path().join("a.toml"), GOOD).unwrap();
    assert_eq!(Catalogue::load(folder.path()).unwrap().scenarios.len(), 1);
    std::fs::write(folder.path().join("b.toml"), GOOD).unwrap();
    assert!(
        Catalogue::load(folder.path())
            .unwrap_err()
            .to_string()
            .contains("used by another file")
    );
    let follower = GOOD
        .replace("COM-02", "COM-03")
        .replace("REQ-COM-03", "REQ-COM-02")
        .replace("level ", "follows = \"COM-99\"\nlevel ");
    std::fs::write(folder.path().join("b.toml"), follower).unwrap();
    let problems = Catalogue::load(folder.path()).unwrap_err().to_string();
    assert!(
        problems.contains("b.toml:5:1: unknown scenario `COM-99`"),
        "{problems}"
    );
}

proptest! {
    #[test]
    fn no_file_makes_the_parser_panic(text in "\\PC{0,200}") {
        let _ = parse("x.toml", &text, &NAMES);
    }

    #[test]
    fn no_damage_makes_the_parser_panic(at in 0..GOOD.len(), length in 0_usize..40, put in "[\\[\\]{}\"=a-z0-9\n]{0,8}") {
        let end = (at + length).min(GOOD.len());
        let damaged = format!("{}{put}{}", &GOOD[..at], &GOOD[end..]);
        let _ = parse("x.toml", &damaged, &NAMES);
    }
}
