//! `up` and `serve`: the network, or a part of it, for as long as somebody wants it.

use std::path::Path;

use testbed::{Clock, Journal};

use super::options::{EnvironmentOptions, ServedPart};
use super::{Failure, output, runtime, signal};
use crate::environment::{
    FileError, Part, Ports, Settings, StartError, serve as serve_part, start,
};
use crate::verdict::ExitCode;

/// Start of the random numbers of `up` and `serve`: ids differ from one start to the next for no one's good.
const SEED: u64 = 1;

pub(super) fn up(json: bool, options: &EnvironmentOptions) -> Result<ExitCode, Failure> {
    runtime()?.block_on(async {
        let clock = Clock::start();
        let journal = Journal::of_latest(clock.clone());
        let environment = start(&settings(options), clock, journal)
            .await
            .map_err(|error| not_started(&error))?;
        let mut end = signal::asked_to_end();
        let document = environment.document();
        output::show(&if json {
            document.to_json() + "\n"
        } else {
            let control = environment.control().map_or_else(String::new, |address| {
                format!("{:22} http://{address}/\n", "Control plane")
            });
            document.for_people(environment.document_path()) + &control
        })?;
        // The sender lives as long as the process.
        let _ = end.wait_for(|end| *end).await;
        environment.stop().await;
        Ok(ExitCode::Passed)
    })
}

pub(super) fn serve(part: ServedPart, options: &EnvironmentOptions) -> Result<ExitCode, Failure> {
    let part = match part {
        ServedPart::Bus => Part::Bus,
        ServedPart::Ar => Part::Ar,
        ServedPart::Buypass => Part::Buypass,
        ServedPart::Helseid => Part::Helseid,
    };
    runtime()?.block_on(async {
        let served = serve_part(part, &settings(options))
            .await
            .map_err(|error| not_started(&error))?;
        let mut end = signal::asked_to_end();
        let facts = served.facts.iter();
        let lines: Vec<String> = facts
            .map(|(name, value)| format!("{name:22} {value}\n"))
            .collect();
        output::show(&(lines.concat() + "Ctrl-C ends it.\n"))?;
        let _ = end.wait_for(|end| *end).await;
        served.stop().await;
        Ok(ExitCode::Passed)
    })
}

fn settings(options: &EnvironmentOptions) -> Settings {
    Settings {
        data: options.data_dir.clone(),
        files: options.data_dir.join("environment"),
        ports: options.ports(Ports::USUAL),
        seed: SEED,
        record_frames: false,
    }
}

/// A port in use and a folder that cannot be written are the user's to mend; everything else is ours.
pub(super) fn not_started(error: &StartError) -> Failure {
    let code = match error {
        StartError::Bind(_) | StartError::File(FileError::Write { .. }) => ExitCode::Usage,
        _ => ExitCode::OwnError,
    };
    Failure::new(code, error)
}

/// The folder for a run's own files.
pub(super) fn run_settings(
    options: &EnvironmentOptions,
    files: &Path,
    seed: u64,
    usual: Ports,
) -> Settings {
    Settings {
        data: options.data_dir.clone(),
        files: files.to_owned(),
        ports: options.ports(usual),
        seed,
        record_frames: true,
    }
}
