//! The evidence of an execution, as reports need it: its entries, and where its file lies.

use std::path::{Path, PathBuf};

use testbed::evidence::{Entry, Event, ReadError, read_entries};

use crate::replay::EVIDENCE;
use crate::scenario::Parameter;
use crate::verdict::ScenarioResult;

/// The journal of one execution.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// The execution's folder, which holds `evidence.jsonl`.
    pub folder: PathBuf,
    /// SHA-256 of `evidence.jsonl`, lower-case hexadecimal digits; absent when the file could not be read.
    pub sha256: Option<String>,
    /// The entries, in order.
    pub entries: Vec<Entry>,
}

impl Evidence {
    /// Reads the journal of an execution's folder.
    ///
    /// # Errors
    /// [`ReadError`] when it cannot be read.
    pub fn read(folder: &Path) -> Result<Self, ReadError> {
        let path = folder.join(EVIDENCE);
        Ok(Self {
            folder: folder.to_owned(),
            sha256: super::agreement::sha256(&path).ok(),
            entries: read_entries(&path)?,
        })
    }

    /// The journal among `all` that a result was judged from.
    #[must_use]
    pub fn of<'a>(all: &'a [Self], result: &ScenarioResult) -> Option<&'a Self> {
        all.iter().find(|evidence| evidence.is_of(result))
    }

    /// The journal's file.
    #[must_use]
    pub fn file(&self) -> PathBuf {
        self.folder.join(EVIDENCE)
    }

    /// The last part of the folder's name and the file: short enough for a line.
    #[must_use]
    pub fn short_name(&self) -> String {
        let name = self.folder.file_name().unwrap_or_default();
        Path::new(name).join(EVIDENCE).display().to_string()
    }

    fn is_of(&self, result: &ScenarioResult) -> bool {
        self.entries.iter().any(|entry| match &entry.event {
            Event::ScenarioStarted {
                scenario,
                parameters,
                ..
            } => {
                *scenario == result.id
                    && parameters.get(Parameter::Variant.key()) == result.variant.as_ref()
                    && Some(entry.wall) == result.started
            }
            _ => false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn a_result_finds_its_own_journal() {
        let (run, evidence) = sample::mixed();
        for result in &run.scenarios {
            let found = Evidence::of(&evidence, result).unwrap();
            let name = found.short_name();
            assert!(name.contains(&result.id), "{name}");
            if let Some(variant) = &result.variant {
                assert!(name.contains(variant), "{name}");
            }
        }
        assert_eq!(Evidence::of(&[], &run.scenarios[0]), None);
    }

    #[test]
    fn a_folder_is_read_with_its_hash() {
        let folder = tempfile::tempdir().unwrap();
        let (_, evidence) = sample::mixed();
        let lines: Vec<String> = evidence[0]
            .entries
            .iter()
            .map(|entry| serde_json::to_string(entry).unwrap() + "\n")
            .collect();
        std::fs::write(folder.path().join(EVIDENCE), lines.concat()).unwrap();
        let read = Evidence::read(folder.path()).unwrap();
        assert_eq!(read.entries, evidence[0].entries);
        assert_eq!(read.sha256.unwrap().len(), 64);
        assert!(Evidence::read(&folder.path().join("x")).is_err());
    }
}
