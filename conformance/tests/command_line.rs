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
    // The screen breaks lines.
    let said = ran.said();
    let words: Vec<&str> = said.split_whitespace().collect();
    let said = words.join(" ");
    for part in [
        "attached no receiver to its queue 8900011_sync",
        "PROVENETT_ENVIRONMENT",
        "Its last words: none",
    ] {
        assert!(said.contains(part), "{said}");
    }
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
    let ran = run(&["scenario", "CRT-08", "--sut-fault", "accepts-unsigned"]);
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

/// Runs without a network and returns exit code and standard error; whatever hangs is an error.
fn refused(words: &[&str]) -> (Option<i32>, String) {
    let output = provenett().args(words).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), error)
}

#[test]
fn what_cannot_work_is_refused_before_anything_starts_with_how_to_mend_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plain.txt");
    std::fs::write(&file, "no program").unwrap();
    let file = file.to_str().unwrap();
    let runs = folder.path().join("run");
    let runs = runs.to_str().unwrap();
    for (words, said) in [
        (
            &["--sut", "http", "--sut-hook", "nonsense"][..],
            "--sut-hook",
        ),
        (&["--sut-verbs", "stdin"], "--sut-verbs"),
        (&["--", file], "chmod +x"),
        (&["--run-dir", file], "--run-dir"),
        (&["--run-dir", runs, "--report-dir", file], "--report-dir"),
        (&["--run-dir", runs, "--data-dir", file], "--data-dir"),
    ] {
        let words = [&["scenario", "COM-02"][..], words].concat();
        let (code, error) = refused(&words);
        assert_eq!(code, Some(2), "{words:?}: {error}");
        assert!(error.contains(said), "{words:?}: {error}");
        let _ = std::fs::remove_dir_all(runs);
    }
    let (code, error) = refused(&["up", "--data-dir", file]);
    assert_eq!(code, Some(2), "{error}");
    assert!(error.contains("--data-dir"), "{error}");
    let (code, error) = refused(&["run", "--profile", "nope"]);
    assert_eq!(code, Some(2), "{error}");
    assert!(error.contains("list profiles"), "{error}");
}

#[test]
fn a_pipe_among_the_scenario_files_does_not_hang() {
    let folder = tempfile::tempdir().unwrap();
    let made = std::process::Command::new("mkfifo")
        .arg(folder.path().join("X.toml"))
        .status();
    assert!(made.unwrap().success());
    let (status, error) = refused(&["list", "--scenarios", folder.path().to_str().unwrap()]);
    assert_eq!(status, Some(code(ExitCode::InvalidScenario)), "{error}");
    assert!(error.contains("regular file"), "{error}");
}

#[test]
fn a_reader_that_goes_away_and_a_full_disk_are_no_panic() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let status = provenett().arg("list").stdout(writer).status().unwrap();
    assert_eq!(status.code(), Some(0));
    let full = std::fs::File::options()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let output = provenett().arg("list").stdout(full).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code(ExitCode::OwnError)));
    assert!(error.contains("standard output"), "{error}");
}

#[test]
fn a_folder_with_a_run_is_not_used_for_a_second_one() {
    let first = run(&[
        "scenario",
        "COM-02",
        "--sut-ready",
        "1",
        "--",
        "sleep",
        "600",
    ]);
    assert_eq!(
        first.code(),
        code(ExitCode::Inconclusive),
        "{}",
        first.said()
    );
    let evidence = || std::fs::read(first.folder.path().join("COM-02/evidence.jsonl")).unwrap();
    let before = evidence();
    let folder = first.folder.path().to_str().unwrap();
    let (status, error) = refused(&["scenario", "COM-02", "--run-dir", folder]);
    assert_eq!(status, Some(2), "{error}");
    assert!(error.contains("earlier run"), "{error}");
    assert_eq!(evidence(), before);
}

#[test]
fn a_dead_hook_is_inconclusive() {
    let ran = run(&[
        "scenario",
        "COM-02",
        "--sut",
        "http",
        "--sut-hook",
        "http://127.0.0.1:1/x",
        "--sut-ready",
        "1",
        "--amqps-port",
        "0",
        "--amqp-port",
        "0",
        "--ar-port",
        "0",
        "--helseid-port",
        "0",
        "--ca-port",
        "0",
    ]);
    assert_eq!(ran.code(), code(ExitCode::Inconclusive), "{}", ran.said());
}

#[test]
fn a_program_that_floods_both_streams_and_leaves_children_is_examined_all_the_same() {
    let script = "yes hello & (while :; do head -c 4000 /dev/urandom; echo; done) >&2 & \
        (head -c 5000000 /dev/zero | tr '\\0' x) & exec \"$0\" reference-epj";
    let own = env!("CARGO_BIN_EXE_provenett");
    let ran = run(&["scenario", "COM-02", "--", "sh", "-c", script, own]);
    assert_eq!(ran.code(), code(ExitCode::Passed), "{}", ran.said());
}

#[test]
fn a_run_that_is_killed_leaves_a_journal_that_can_be_judged_and_is_no_pass() {
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
    assert!(lines.any(|line| line.unwrap().contains("helsenorge.bait")));
    child.kill().unwrap();
    child.wait().unwrap();
    let output = provenett()
        .arg("replay")
        .arg(folder.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(code(ExitCode::Inconclusive)));
}

#[test]
fn a_replay_tells_what_was_changed_after_the_run_and_leaves_the_report_alone() {
    let ran = run(&["scenario", "COM-02"]);
    assert_eq!(ran.code(), code(ExitCode::Passed), "{}", ran.said());
    let folder = ran.folder.path();
    let report = std::fs::read(folder.join("report.jsonl")).unwrap();
    let replayed = |changed: &str, from: &str, to: &str| {
        let path = folder.join("COM-02").join(changed);
        let before = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, before.replacen(from, to, 1)).unwrap();
        let output = provenett().arg("replay").arg(folder).output().unwrap();
        std::fs::write(&path, before).unwrap();
        assert_eq!(std::fs::read(folder.join("report.jsonl")).unwrap(), report);
        let said = String::from_utf8(output.stderr).unwrap();
        (output.status.code(), said)
    };
    let (exit, said) = replayed("evidence.jsonl", "\"wall\":\"20", "\"wall\":\"21");
    assert_eq!(exit, Some(code(ExitCode::VerificationFailed)), "{said}");
    assert!(
        said.contains("COM-02: the journal has the SHA-256"),
        "{said}"
    );
    let (exit, said) = replayed("scenarios/COM-02.toml", "# ", "# Changed. ");
    assert_eq!(exit, Some(code(ExitCode::VerificationFailed)), "{said}");
    assert!(said.contains("COM-02: the scenario file"), "{said}");
    let (exit, said) = replayed("evidence.jsonl", "", "");
    assert_eq!(exit, Some(code(ExitCode::Passed)), "{said}");
}

fn terminate(child: &std::process::Child) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
}
