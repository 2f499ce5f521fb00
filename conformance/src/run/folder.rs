//! Where the evidence of a run lies.

use std::path::{Path, PathBuf};

use testbed::Clock;
use time::macros::format_description;

/// Folder below which runs lie when no other one is given.
const RUNS: &str = "provenett-runs";
/// Most runs that begin within one second.
const SAME_SECOND: u32 = 1000;

/// Makes the folder of a run: the given one, or a new one below `provenett-runs`, named by the time (UTC).
///
/// # Errors
/// The path and what the operating system said.
pub fn new_run_folder(
    given: Option<&Path>,
    clock: &Clock,
) -> Result<PathBuf, (PathBuf, std::io::Error)> {
    if let Some(folder) = given {
        return std::fs::create_dir_all(folder)
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
