//! The command line: options in, exit code out.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Parser, ValueEnum};

use crate::environment::Environment;
use crate::fault::Fault;
use crate::process;

/// Name of the variable in which every system under test finds the environment document.
const ENVIRONMENT_VARIABLE: &str = "PROVENETT_ENVIRONMENT";
/// Exit code for wrong options and unusable documents.
const USAGE: u8 = 2;

/// A small but correct EPJ. It takes verbs as JSON lines on standard input and logs to standard error.
#[derive(Debug, Parser)]
#[command(name = "provenett reference-epj")]
struct Options {
    /// The environment document [default: the file that PROVENETT_ENVIRONMENT names].
    #[arg(long, value_name = "FILE")]
    environment: Option<PathBuf>,
    /// Behave wrongly in this one way; can be repeated.
    #[arg(long = "fault", value_name = "NAME", value_parser = fault_parser())]
    faults: Vec<Fault>,
    /// Version of the CPPA REST interface.
    #[arg(long, value_enum, default_value_t = CppaVersion::V2)]
    cppa: CppaVersion,
}

/// Which CPPA REST interface the EPJ asks (contract 02 section 4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CppaVersion {
    /// With a Bearer token.
    V1,
    /// With a token that is bound to a key, and a DPoP proof.
    V2,
}

fn fault_parser() -> impl TypedValueParser<Value = Fault> {
    PossibleValuesParser::new(Fault::all().map(Fault::name)).map(|name| {
        Fault::all()
            .find(|fault| fault.name() == name)
            .expect("the parser lets only the names of faults through")
    })
}

/// Runs the EPJ until its standard input ends or it is told to stop.
///
/// `arguments` are the words after `reference-epj`. The exit code is 0 after an orderly stop and 2 when options or
/// environment document cannot be used; an unknown fault is answered with the nearest known name.
pub fn cli<I>(arguments: I) -> ExitCode
where
    I: IntoIterator,
    I::Item: Into<OsString>,
{
    let words = std::iter::once(OsString::from("provenett reference-epj"))
        .chain(arguments.into_iter().map(Into::into));
    let options = match Options::try_parse_from(words) {
        Ok(options) => options,
        Err(error) => {
            // Help goes to standard output and is no failure; clap knows the difference.
            let _ = error.print();
            return u8::try_from(error.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from);
        }
    };
    let path = options
        .environment
        .clone()
        .or_else(|| std::env::var_os(ENVIRONMENT_VARIABLE).map(PathBuf::from));
    let Some(path) = path else {
        eprintln!(
            "error: no environment document: give --environment FILE or set {ENVIRONMENT_VARIABLE}"
        );
        return ExitCode::from(USAGE);
    };
    match Environment::read(&path) {
        Ok(environment) => {
            let faults = options.faults.into_iter().collect();
            match process::run(environment, options.cppa, faults) {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => {
                    eprintln!("error: {error}");
                    ExitCode::from(USAGE)
                }
            }
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(USAGE)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Options, clap::Error> {
        Options::try_parse_from(std::iter::once("reference-epj").chain(words.iter().copied()))
    }

    #[test]
    fn faults_are_named_and_can_be_several() {
        let options = parse(&[
            "--environment",
            "x",
            "--fault",
            "never-settles",
            "--fault",
            "no-ar-cache",
        ])
        .unwrap();
        assert_eq!(options.faults, [Fault::NeverSettles, Fault::NoArCache]);
        assert_eq!(options.cppa, CppaVersion::V2);
    }

    #[test]
    fn an_unknown_fault_is_a_usage_error_that_names_the_nearest() {
        let error = parse(&["--fault", "never-setles"]).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("'never-settles'"), "{error}");
    }

    #[test]
    fn without_a_readable_document_nothing_starts() {
        assert_eq!(
            cli(["--environment", "/no/such/file"]),
            ExitCode::from(USAGE)
        );
    }
}
