//! Starting the program as a user does, and reading what it left behind.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use conformance::replay;
use conformance::verdict::RunResult;

/// The program.
pub(crate) fn provenett() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_provenett"));
    command.stdin(Stdio::null());
    command
}

/// Keys that all tests share: making them is the slow part of a start.
pub(crate) fn data() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("provenett-data")
}

/// What a run left behind and said.
pub(crate) struct Ran {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) output: Output,
}

impl Ran {
    /// The exit code.
    pub(crate) fn code(&self) -> i32 {
        self.output.status.code().unwrap_or(-1)
    }

    /// The result, judged again from the evidence.
    pub(crate) fn result(&self) -> RunResult {
        replay::run(self.folder.path()).unwrap_or_else(|error| panic!("{error}\n{}", self.said()))
    }

    /// Standard output and standard error.
    pub(crate) fn said(&self) -> String {
        format!(
            "{}\n{}",
            String::from_utf8_lossy(&self.output.stdout),
            String::from_utf8_lossy(&self.output.stderr)
        )
    }
}

/// Runs `provenett` with these words and with a run folder of its own.
pub(crate) fn run(words: &[&str]) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let (before, program) = match words.iter().position(|word| *word == "--") {
        Some(at) => words.split_at(at),
        None => (words, &[][..]),
    };
    let output = provenett()
        .args(before)
        .arg("--run-dir")
        .arg(folder.path())
        .arg("--data-dir")
        .arg(data())
        .args(program)
        .output()
        .unwrap();
    Ran { folder, output }
}
