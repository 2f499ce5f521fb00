//! Judging a recorded run again, from its evidence alone.
//!
//! A run's folder holds one folder per execution: `evidence.jsonl`, `blobs/` and `scenarios/` with the files that were
//! run, so that a later version of the program judges what was run and not what it would run today.

use std::path::{Path, PathBuf};

use testbed::evidence::{Entry, Event, ReadError, read_entries};

use crate::check::judge;
use crate::scenario::{Catalogue, Execution, Problems};
use crate::verdict::{RunResult, ScenarioResult};

/// Name of the journal in an execution's folder.
pub const EVIDENCE: &str = "evidence.jsonl";
/// Name of the folder with the scenario files that were run.
pub const SCENARIOS: &str = "scenarios";
/// Most executions of one run that are read.
const EXECUTIONS: usize = 10_000;

/// A recorded run cannot be judged again.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The folder holds no journal.
    #[error(
        "{0} holds no evidence: neither {EVIDENCE} nor a folder with one. Give the folder of a run, as a report names it"
    )]
    NoEvidence(PathBuf),
    /// A journal cannot be read.
    #[error("{0}. The evidence is damaged; take an untouched copy of the run's folder")]
    Read(#[from] ReadError),
    /// The scenario files beside the evidence are invalid.
    #[error(transparent)]
    Scenarios(#[from] Problems),
    /// The journal is of a scenario that neither the folder nor this program knows.
    #[error("{path}: neither the run's folder nor this version knows the scenario {id}")]
    UnknownScenario {
        /// The journal.
        path: PathBuf,
        /// The scenario's id.
        id: String,
    },
    /// The journal does not say what it is a journal of.
    #[error("{0} does not say which scenario was run")]
    NoScenario(PathBuf),
    /// A file or folder cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
}

/// Puts the scenario files of an execution beside its evidence. The runner calls it when the execution begins.
///
/// # Errors
/// [`ReplayError::Io`] when a file cannot be written.
pub fn keep_scenarios(folder: &Path, execution: &Execution) -> Result<(), ReplayError> {
    let folder = folder.join(SCENARIOS);
    std::fs::create_dir_all(&folder).map_err(io(&folder))?;
    for scenario in std::iter::once(&execution.leader).chain(&execution.judged) {
        let path = folder.join(format!("{}.toml", scenario.id));
        std::fs::write(&path, &scenario.source).map_err(io(&path))?;
    }
    Ok(())
}

/// Judges a run's folder, or the folder of one execution. Known failures are not applied.
///
/// # Errors
/// [`ReplayError`] when there is nothing to judge or it cannot be read.
pub fn run(folder: &Path) -> Result<RunResult, ReplayError> {
    let mut executions = Vec::new();
    for folder in executions_of(folder)? {
        let entries = read_entries(&folder.join(EVIDENCE))?;
        executions.push((entries.first().map(|entry| entry.wall), folder, entries));
    }
    executions.sort_by(|one, other| (one.0, &one.1).cmp(&(other.0, &other.1)));
    let mut scenarios = Vec::new();
    for (_, folder, entries) in &executions {
        scenarios.extend(execution(folder, entries)?);
    }
    Ok(RunResult::conclude(scenarios, Vec::new()))
}

/// The folders with a journal: the folder itself, or those directly below it.
pub(crate) fn executions_of(folder: &Path) -> Result<Vec<PathBuf>, ReplayError> {
    if folder.join(EVIDENCE).is_file() {
        return Ok(vec![folder.to_owned()]);
    }
    let found: Vec<PathBuf> = std::fs::read_dir(folder)
        .map_err(io(folder))?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.join(EVIDENCE).is_file())
        .take(EXECUTIONS)
        .collect();
    if found.is_empty() {
        return Err(ReplayError::NoEvidence(folder.to_owned()));
    }
    Ok(found)
}

fn execution(folder: &Path, entries: &[Entry]) -> Result<Vec<ScenarioResult>, ReplayError> {
    let kept = folder.join(SCENARIOS);
    let catalogue = if kept.is_dir() {
        Catalogue::load(&kept)?
    } else {
        Catalogue::embedded()?
    };
    let mut results = Vec::new();
    for entry in entries {
        let Event::ScenarioStarted { scenario: id, .. } = &entry.event else {
            continue;
        };
        let scenario = catalogue
            .scenario(id)
            .ok_or_else(|| ReplayError::UnknownScenario {
                path: folder.join(EVIDENCE),
                id: id.clone(),
            })?;
        results.push(judge(scenario, entries));
    }
    if results.is_empty() {
        return Err(ReplayError::NoScenario(folder.join(EVIDENCE)));
    }
    Ok(results)
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> ReplayError {
    let path = path.to_owned();
    move |source| ReplayError::Io { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::tape::Tape;
    use crate::verdict::{ExitCode, Verdict};

    fn written(folder: &Path, tape: &Tape) {
        let lines: Vec<String> = tape
            .entries
            .iter()
            .map(|entry| serde_json::to_string(entry).unwrap() + "\n")
            .collect();
        std::fs::create_dir_all(folder).unwrap();
        std::fs::write(folder.join(EVIDENCE), lines.concat()).unwrap();
    }

    #[test]
    fn a_run_is_judged_again_with_the_files_it_was_run_with() {
        let folder = tempfile::tempdir().unwrap();
        let catalogue = Catalogue::embedded().unwrap();
        let execution = catalogue.select(&["REV-06".to_owned()]).unwrap().remove(0);
        let one = folder.path().join(execution.name());
        written(&one, &Tape::slow_revocation("3s"));
        keep_scenarios(&one, &execution).unwrap();
        let result = run(folder.path()).unwrap();
        let ids: Vec<&str> = result
            .scenarios
            .iter()
            .map(|scenario| scenario.id.as_str())
            .collect();
        assert_eq!(ids, ["REV-05", "REV-06"]);
        assert_eq!(result.exit_code, ExitCode::Passed, "{result:#?}");
        assert_eq!(run(&one).unwrap(), result);
    }

    #[test]
    fn a_killed_run_is_readable_and_no_pass() {
        let folder = tempfile::tempdir().unwrap();
        let mut tape = Tape::slow_revocation("3s");
        tape.entries.truncate(20);
        written(folder.path(), &tape);
        let result = run(folder.path()).unwrap();
        assert!(
            result
                .scenarios
                .iter()
                .all(|scenario| scenario.verdict == Verdict::Inconclusive),
            "{result:#?}"
        );
    }

    #[test]
    fn what_is_not_there_is_said() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(
            run(folder.path()),
            Err(ReplayError::NoEvidence(_))
        ));
        assert!(matches!(
            run(&folder.path().join("x")),
            Err(ReplayError::Io { .. })
        ));
        std::fs::write(folder.path().join(EVIDENCE), "").unwrap();
        assert!(matches!(
            run(folder.path()),
            Err(ReplayError::NoScenario(_))
        ));
        let mut tape = Tape::slow_revocation("3s");
        if let Event::ScenarioStarted { scenario, .. } = &mut tape.entries[0].event {
            "REV-99".clone_into(scenario);
        }
        written(folder.path(), &tape);
        assert!(
            matches!(run(folder.path()), Err(ReplayError::UnknownScenario { id, .. }) if id == "REV-99")
        );
    }
}
