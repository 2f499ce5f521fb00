//! The dependency direction of the workspace (ARCHITECTURE.md), asserted from `cargo metadata`.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// Which workspace crates each crate may use, tests included.
const ALLOWED: [(&str, &[&str]); 9] = [
    ("nhn-model", &[]),
    ("testbed", &[]),
    ("mock-servicebus", &["testbed"]),
    ("mock-buypass", &["testbed"]),
    ("mock-ar", &["testbed"]),
    ("mock-helseid", &["testbed"]),
    ("mock-helsenorge", &["nhn-model", "testbed"]),
    ("reference-epj", &["nhn-model"]),
    (
        "conformance",
        &[
            "nhn-model",
            "testbed",
            "mock-servicebus",
            "mock-buypass",
            "mock-ar",
            "mock-helseid",
            "mock-helsenorge",
            "reference-epj",
        ],
    ),
];

/// Dependencies that exist for tests alone and are therefore no part of the product's graph.
const FOR_TESTS: [(&str, &str); 1] = [("mock-helsenorge", "mock-servicebus")];

#[test]
fn the_crates_depend_on_each_other_as_the_architecture_says() {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--no-deps",
            "--format-version",
            "1",
            "--offline",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let allowed: BTreeMap<&str, BTreeSet<&str>> = ALLOWED
        .iter()
        .map(|(name, uses)| (*name, uses.iter().copied().collect()))
        .collect();
    let packages = metadata["packages"].as_array().unwrap();
    let names: BTreeSet<&str> = packages
        .iter()
        .map(|package| package["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        allowed.keys().copied().collect(),
        "every crate has its place in the graph"
    );
    for package in packages {
        let name = package["name"].as_str().unwrap();
        for dependency in package["dependencies"].as_array().unwrap() {
            let uses = dependency["name"].as_str().unwrap();
            let for_tests = dependency["kind"] == "dev" && FOR_TESTS.contains(&(name, uses));
            if names.contains(uses) && !for_tests {
                assert!(
                    allowed[name].contains(uses),
                    "{name} must not depend on {uses}"
                );
            }
        }
    }
}
