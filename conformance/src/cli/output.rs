//! Standard output and standard error of a program that nobody may be reading.

use std::io::{ErrorKind, Write};

use super::Failure;
use crate::verdict::ExitCode;

/// Writes to standard output. A reader that has gone away (`provenett list | head`) has seen what it wanted.
///
/// # Errors
/// [`Failure`] when the text cannot be written, for example because the disk is full.
pub(super) fn show(text: &str) -> Result<(), Failure> {
    let mut output = std::io::stdout().lock();
    match output
        .write_all(text.as_bytes())
        .and_then(|()| output.flush())
    {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::new(
            ExitCode::OwnError,
            format!("cannot write to standard output: {error}"),
        )),
        _ => Ok(()),
    }
}

/// Tells of an error on standard error. Where that is closed, the exit code has to do.
pub(super) fn complain(message: &str) {
    let _ = writeln!(std::io::stderr(), "error: {message}");
}
