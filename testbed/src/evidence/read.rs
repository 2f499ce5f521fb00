//! Reading evidence back, for `replay` and for those who check a report.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::journal::Entry;

/// Longest line that is read, in bytes: far above what the journal writes.
const LINE_LIMIT: usize = 16 * 1024 * 1024;

/// A journal cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file cannot be opened or read.
    #[error("cannot read {path}: {source}")]
    Io {
        /// The journal.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
    /// A line is not an entry of this version.
    #[error("{path}, line {line}: {reason}")]
    Line {
        /// The journal.
        path: PathBuf,
        /// Number of the line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
}

/// Reads a journal. A last line that was cut off (a killed run) is left out; any other damage is an error.
///
/// # Errors
/// [`ReadError`] with path and line.
pub fn read_entries(path: &Path) -> Result<Vec<Entry>, ReadError> {
    let io = |source| ReadError::Io {
        path: path.to_owned(),
        source,
    };
    let mut reader = BufReader::new(std::fs::File::open(path).map_err(io)?);
    let mut entries: Vec<Entry> = Vec::new();
    for line in 1.. {
        let mut text = Vec::new();
        Read::by_ref(&mut reader)
            .take(LINE_LIMIT as u64)
            .read_until(b'\n', &mut text)
            .map_err(io)?;
        if text.is_empty() {
            break;
        }
        let at_line = |reason: String| ReadError::Line {
            path: path.to_owned(),
            line,
            reason,
        };
        let complete = text.last() == Some(&b'\n');
        match serde_json::from_slice::<Entry>(&text) {
            Ok(entry) if entry.n == entries.len() as u64 + 1 => entries.push(entry),
            Ok(entry) => {
                return Err(at_line(format!(
                    "entry {} where {} should stand",
                    entry.n,
                    entries.len() + 1
                )));
            }
            Err(_) if !complete && text.len() < LINE_LIMIT => break,
            Err(error) => return Err(at_line(error.to_string())),
        }
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("evidence.jsonl");
        std::fs::write(&path, text).unwrap();
        (folder, path)
    }

    const LINE: &str = r#"{"n":1,"at_us":5,"wall":"2026-11-24T10:00:00Z","part":"runner","event":{"kind":"note","text":"x"}}"#;

    #[test]
    fn a_cut_last_line_is_left_out() {
        let (_folder, path) = written(&format!("{LINE}\n{}", &LINE[..40]));
        assert_eq!(read_entries(&path).unwrap().len(), 1);
    }

    #[test]
    fn damage_in_the_middle_names_its_line() {
        let (_folder, path) = written(&format!("{LINE}\nnonsense\n{LINE}\n"));
        assert!(
            read_entries(&path)
                .unwrap_err()
                .to_string()
                .contains("line 2")
        );
    }

    #[test]
    fn a_missing_entry_is_noticed() {
        let (_folder, path) = written(&format!("{LINE}\n{}\n", LINE.replace("\"n\":1", "\"n\":3")));
        assert!(
            read_entries(&path)
                .unwrap_err()
                .to_string()
                .contains("entry 3 where 2 should stand")
        );
    }
}
