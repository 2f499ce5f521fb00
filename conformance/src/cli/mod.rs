//! The command line: options in, exit code out.

pub mod describe;
pub mod docs;
pub mod explain;
pub mod listing;
mod options;
mod output;
mod run;
mod signal;
mod up;

use std::process;

use clap::Parser;

pub use options::{
    Command, EnvironmentOptions, Listed, OptionError, Options, ReportOptions, RunOptions,
    ServedPart, SutKind,
};

use crate::report::text::inert;
use crate::scenario::{Catalogue, Problems, SelectError};
use crate::verdict::ExitCode;

/// What ends a command before it has a result: the message for standard error and the exit code.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    code: ExitCode,
}

impl Failure {
    /// The message for a terminal, line by line: it may quote a recorded run or a file of others.
    fn shown(&self) -> String {
        let lines: Vec<String> = self.message.lines().map(inert).collect();
        lines.join("\n")
    }

    pub(crate) fn new(code: ExitCode, message: impl ToString) -> Self {
        Self {
            message: message.to_string(),
            code,
        }
    }
}

impl From<Problems> for Failure {
    fn from(problems: Problems) -> Self {
        Self::new(ExitCode::InvalidScenario, problems)
    }
}

impl From<SelectError> for Failure {
    fn from(error: SelectError) -> Self {
        Self::new(ExitCode::Usage, error)
    }
}

impl From<OptionError> for Failure {
    fn from(error: OptionError) -> Self {
        Self::new(ExitCode::Usage, error)
    }
}

/// Reads the process's arguments, does what they say, and returns the process's exit code.
#[must_use]
pub fn main() -> process::ExitCode {
    let options = match Options::try_parse() {
        Ok(options) => options,
        Err(error) => {
            // Help and version go to standard output and are no failure; clap knows the difference.
            let _ = error.print();
            return if error.use_stderr() {
                ExitCode::Usage.number().into()
            } else {
                process::ExitCode::SUCCESS
            };
        }
    };
    if let Command::ReferenceEpj { arguments } = options.command {
        return reference_epj::cli(arguments);
    }
    let code = carry_out(options.command).unwrap_or_else(|failure| {
        output::complain(&failure.shown());
        failure.code
    });
    code.number().into()
}

fn carry_out(command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Scenario { names, run } => {
            run::run(&run, true, |catalogue| catalogue.select(&names))
        }
        Command::Run { profile, run } => {
            run::run(&run, false, |catalogue| catalogue.select_profile(&profile))
        }
        Command::Replay { folder, report } => run::replay(&folder, &report),
        Command::Up { json, environment } => up::up(json, &environment),
        Command::Serve { part, environment } => up::serve(part, &environment),
        Command::List {
            what,
            json,
            scenarios,
        } => {
            let catalogue = catalogue(scenarios.as_deref())?;
            output::show(&listing::listing(&catalogue, what, json))?;
            Ok(ExitCode::Passed)
        }
        Command::Explain { name, scenarios } => {
            let catalogue = catalogue(scenarios.as_deref())?;
            let chosen = catalogue.find(&name)?;
            output::show(&explain::scenarios(&chosen, &catalogue))?;
            Ok(ExitCode::Passed)
        }
        Command::Docs { write, root } => documentation(&root, write),
        // Taken care of above; it has exit codes of its own.
        Command::ReferenceEpj { .. } => Ok(ExitCode::Passed),
    }
}

/// Writes or compares the generated documentation.
fn documentation(root: &std::path::Path, write: bool) -> Result<ExitCode, Failure> {
    let catalogue = Catalogue::embedded()?;
    let different = docs::bring_up_to_date(root, &catalogue, write)
        .map_err(|error| Failure::new(ExitCode::Usage, error))?;
    for path in &different {
        let what = if write { "written" } else { "differs" };
        output::show(&format!("{what}: {}\n", path.display()))?;
    }
    if write || different.is_empty() {
        return Ok(ExitCode::Passed);
    }
    Err(Failure::new(
        ExitCode::OwnError,
        "the documentation is not up to date; run `provenett docs --write`",
    ))
}

/// The built-in scenarios, or those of a folder.
fn catalogue(folder: Option<&std::path::Path>) -> Result<Catalogue, Problems> {
    folder.map_or_else(Catalogue::embedded, Catalogue::load)
}

/// A runtime for what is asynchronous.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(ExitCode::OwnError, format!("no runtime: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_error_quotes_does_nothing_to_the_terminal() {
        let failure = Failure::new(ExitCode::OwnError, "one \u{1b}[2J\ntwo\u{202e}");
        assert_eq!(failure.shown(), "one \\u{1b}[2J\ntwo\\u{202e}");
    }
}
