//! Where the evidence of a run lies.

use std::io::Write;
use std::path::{Path, PathBuf};

use testbed::Clock;
use time::macros::format_description;

use crate::replay::executions_of;

/// Folder below which runs lie when no other one is given.
const RUNS: &str = "provenett-runs";
/// Most runs that begin within one second.
const SAME_SECOND: u32 = 1000;

/// Mark of a folder that a run has taken; only one of two runs that begin at the same time can make it.
const MARK: &str = "run.txt";

/// Makes the folder of a run: the given one, which must not hold a run yet, or a new one below `provenett-runs`, named by the time (UTC).
///
/// # Errors
/// The path and what the operating system said.
pub fn new_run_folder(
    given: Option<&Path>,
    clock: &Clock,
) -> Result<PathBuf, (PathBuf, std::io::Error)> {
    if let Some(folder) = given {
        return taken(folder)
            .map(|()| folder.to_owned())
            .map_err(|error| (folder.to_owned(), error));
    }
    let runs = PathBuf::from(RUNS);
    std::fs::create_dir_all(&runs).map_err(|error| (runs.clone(), error))?;
    let form = format_description!("[year][month][day]-[hour][minute][second]");
    let time = clock.wall().format(&form).unwrap_or_default();
    let mut last = (runs.clone(), std::io::Error::other("no free name"));
    for number in 0..SAME_SECOND {
        let name = match number {
            0 => time.clone(),
            _ => format!("{time}-{number}"),
        };
        let folder = runs.join(name);
        match std::fs::create_dir(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                last = (folder, error);
            }
            Err(error) => return Err((folder, error)),
        }
    }
    Err(last)
}

/// Takes a folder for one run. Evidence of two runs in one folder would be mixed, or overwritten.
fn taken(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let holds_a_run = || std::io::Error::other("it holds an earlier run");
    if executions_of(folder).is_ok() {
        return Err(holds_a_run());
    }
    let text = format!("Prøvenett {}\n", env!("CARGO_PKG_VERSION"));
    match std::fs::File::create_new(folder.join(MARK)) {
        Ok(mut mark) => mark.write_all(text.as_bytes()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Err(holds_a_run()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_taken_by_one_run_only() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("run");
        let clock = Clock::start();
        assert_eq!(
            new_run_folder(Some(&folder), &clock).unwrap(),
            folder.clone()
        );
        let (path, error) = new_run_folder(Some(&folder), &clock).unwrap_err();
        assert_eq!(path, folder);
        assert!(error.to_string().contains("earlier run"), "{error}");
        let older = parent.path().join("older");
        std::fs::create_dir_all(older.join("COM-02")).unwrap();
        std::fs::write(older.join("COM-02/evidence.jsonl"), "").unwrap();
        new_run_folder(Some(&older), &clock).unwrap_err();
    }
}
