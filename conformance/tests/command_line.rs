//! What a user gets who mistypes something, whose program does not work, or who loses patience.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::Stdio;

use conformance::verdict::{ExitCode, Verdict};

use support::{data, provenett, run};

fn code(code: ExitCode) -> i32 {
    i32::from(code.number())
}

#[test]
fn wrong_words_are_answered_with_the_nearest_right_one_and_nothing_starts() {
    for (words, said, expected) in [
        (
            &["scenario", "revocation-slo"][..],
            "revocation-slow",
            ExitCode::Usage,
        ),
        (&["scenario", "COM-2"], "COM-02", ExitCode::Usage),
        (&["run", "--profile", "smok"], "smoke", ExitCode::Usage),
        (
            &["scenario", "COM-02", "--sut-fault", "never-setles"],
            "never-settles",
            ExitCode::Usage,
        ),
        (
            &["scenario", "COM-02", "--sut", "comand"],
            "command",
            ExitCode::Usage,
        ),
        (
            &["scenario", "COM-02", "--", "./no-such-program"],
            "./no-such-program",
            ExitCode::Usage,
        ),
        (&["explain", "REV-5"], "REV-05", ExitCode::Usage),
    ] {
        let output = provenett().args(words).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(
            output.status.code(),
            Some(code(expected)),
            "{words:?}: {error}"
        );
        assert!(error.contains(said), "{words:?}: {error}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn a_broken_scenario_file_is_named_with_line_and_key() {
    let folder = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../scenarios/COM-02.toml"
    ))
    .unwrap();
    std::fs::write(
        folder.path().join("COM-02.toml"),
        text.replace("[proof]", "[prof]"),
    )
    .unwrap();
    let output = provenett()
        .args(["scenario", "COM-02", "--scenarios"])
        .arg(folder.path())
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(
        output.status.code(),
        Some(code(ExitCode::InvalidScenario)),
        "{error}"
    );
    assert!(
        error.contains("COM-02.toml:") && error.contains("prof"),
        "{error}"
    );
}

#[test]
fn a_port_in_use_is_said_with_the_port() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let ran = run(&["scenario", "COM-02", "--amqps-port", &port]);
    assert_eq!(ran.code(), code(ExitCode::Usage), "{}", ran.said());
    assert!(ran.said().contains(&port), "{}", ran.said());
}

#[test]
fn a_program_that_never_connects_is_inconclusive_with_the_reason() {
    let ran = run(&[
        "scenario",
        "COM-02",
        "--sut-ready",
        "2",
        "--",
        "sleep",
        "600",
    ]);
    assert_eq!(ran.code(), code(ExitCode::Inconclusive), "{}", ran.said());
    let result = ran.result();
    assert_eq!(result.scenarios[0].verdict, Verdict::Inconclusive);
    assert!(
        ran.said()
            .contains("attached no receiver to its queue 8900011_sync"),
        "{}",
        ran.said()
    );
}

#[test]
fn a_program_that_ends_is_inconclusive_with_its_last_words() {
    let ran = run(&[
        "scenario",
        "COM-02",
        "--",
        "sh",
        "-c",
        "echo no licence file; exit 3",
    ]);
    assert_eq!(ran.code(), code(ExitCode::Inconclusive), "{}", ran.said());
    assert!(ran.said().contains("no licence file"), "{}", ran.said());
}

#[test]
fn the_environment_document_is_one_json_object() {
    let mut child = provenett()
        .args(["up", "--json", "--data-dir"])
        .arg(data())
        .args(["--amqps-port", "0", "--amqp-port", "0", "--ar-port", "0"])
        .args(["--helseid-port", "0", "--ca-port", "0"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    let mut text = String::new();
    let document: serde_json::Value = loop {
        assert_ne!(reader.read_line(&mut text).unwrap(), 0, "{text}");
        if let Ok(document) = serde_json::from_str(&text) {
            break document;
        }
    };
    assert_eq!(document["format"], 1);
    assert_eq!(document["helsenorge"]["her_id"], 109_989);
    for file in [
        &document["stores"]["signing"]["p12"],
        &document["stores"]["encryption"]["key_pem"],
        &document["trust"]["bundle"],
        &document["helseid"]["jwk_file"],
    ] {
        assert!(std::path::Path::new(file.as_str().unwrap()).is_file());
    }
    terminate(&child);
    assert!(child.wait().unwrap().success());
}

#[test]
fn an_interrupted_run_leaves_a_readable_journal_and_a_report() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = provenett()
        .args(["scenario", "ERQ-04", "--run-dir"])
        .arg(folder.path())
        .arg("--data-dir")
        .arg(data())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let reached = lines.any(|line| line.unwrap().contains("helsenorge.bait"));
    assert!(reached);
    terminate(&child);
    // The pipe has to be read to its end, or the program could block on it.
    for line in lines {
        line.unwrap();
    }
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(code(ExitCode::Inconclusive)));
    let result = conformance::replay::run(folder.path()).unwrap();
    assert_eq!(result.scenarios[0].verdict, Verdict::Inconclusive);
    assert!(folder.path().join("report.html").is_file());
}

#[test]
fn a_replay_says_what_the_run_said() {
    let ran = run(&["scenario", "COM-02", "--sut-fault", "wrong-correlation"]);
    assert_eq!(ran.code(), code(ExitCode::Failed), "{}", ran.said());
    let reports = tempfile::tempdir().unwrap();
    let output = provenett()
        .arg("replay")
        .arg(ran.folder.path())
        .arg("--report-dir")
        .arg(reports.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(code(ExitCode::Failed)));
    let read = |folder: &std::path::Path| std::fs::read_to_string(folder.join("report.jsonl"));
    assert_eq!(
        read(ran.folder.path()).unwrap(),
        read(reports.path()).unwrap()
    );
}

fn terminate(child: &std::process::Child) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
}
