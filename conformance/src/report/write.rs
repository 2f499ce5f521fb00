//! The only place where reports touch the disk.

use std::io;
use std::path::{Path, PathBuf};

use super::{Evidence, html, jsonl, junit};
use crate::scenario::Catalogue;
use crate::verdict::RunResult;

/// Where the reports lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// The HTML report.
    pub html: PathBuf,
    /// JUnit XML.
    pub junit: PathBuf,
    /// JSON Lines.
    pub jsonl: PathBuf,
}

impl Paths {
    /// The reports of a folder: `report.html`, `report.xml`, `report.jsonl`.
    #[must_use]
    pub fn of(folder: &Path) -> Self {
        Self {
            html: folder.join("report.html"),
            junit: folder.join("report.xml"),
            jsonl: folder.join("report.jsonl"),
        }
    }
}

/// Writes the three reports into `folder`, which is made if it is not there. Each file appears whole or not at all.
///
/// # Errors
/// What the operating system says when a file cannot be written.
pub fn write_reports(
    folder: &Path,
    run: &RunResult,
    catalogue: &Catalogue,
    evidence: &[Evidence],
) -> io::Result<Paths> {
    std::fs::create_dir_all(folder)?;
    let paths = Paths::of(folder);
    whole(&paths.jsonl, &jsonl::report(run, evidence))?;
    let junit = junit::report(run, catalogue, evidence).map_err(io::Error::other)?;
    whole(&paths.junit, &junit)?;
    whole(&paths.html, &html::page(run, catalogue, evidence, folder))?;
    Ok(paths)
}

/// Writes beside the file and renames, so that nobody reads half a report.
fn whole(path: &Path, text: &str) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let beside = path.with_file_name(name);
    std::fs::write(&beside, text)?;
    std::fs::rename(&beside, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn three_files_appear_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("new");
        let (run, evidence) = sample::mixed();
        let catalogue = sample::catalogue();
        for _ in 0..2 {
            let paths = write_reports(&target, &run, &catalogue, &evidence).unwrap();
            assert_eq!(paths, Paths::of(&target));
        }
        let mut names: Vec<_> = std::fs::read_dir(&target)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, ["report.html", "report.jsonl", "report.xml"]);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        let (run, evidence) = sample::passed();
        assert!(write_reports(&file, &run, &sample::catalogue(), &evidence).is_err());
    }
}
