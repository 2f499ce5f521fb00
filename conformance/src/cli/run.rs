//! `scenario`, `run` and `replay`: from names to reports.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use testbed::{Clock, Journal};

use super::options::{OptionError, ReportOptions, RunOptions};
use super::{Failure, catalogue, output, runtime, signal, up};
use crate::environment::{Ports, start};
use crate::replay;
use crate::report::{self, Evidence, agreement, terminal};
use crate::run::{self as runner, Plan, Progress, Silent, Telling, new_run_folder};
use crate::scenario::{Catalogue, Execution, SelectError, nearest};
use crate::sut::Adapter;
use crate::verdict::{ExitCode, RunResult};

/// Runs what `select` chooses. With `every_check` the screen shows each check, otherwise those that did not pass.
pub(super) fn run(
    options: &RunOptions,
    every_check: bool,
    select: impl FnOnce(&Catalogue) -> Result<Vec<Execution>, SelectError>,
) -> Result<ExitCode, Failure> {
    // Everything that can be wrong with the request is looked at before anything is started.
    let adapter = options.adapter()?;
    known_faults(&adapter)?;
    program_there(&adapter)?;
    let catalogue = catalogue(options.scenarios.as_deref())?;
    let executions = select(&catalogue)?;
    if executions.is_empty() {
        return Err(Failure::new(
            ExitCode::NothingSelected,
            "nothing was selected",
        ));
    }
    runtime()?.block_on(carried_out(
        options,
        every_check,
        &catalogue,
        adapter,
        executions,
    ))
}

async fn carried_out(
    options: &RunOptions,
    every_check: bool,
    catalogue: &Catalogue,
    adapter: Adapter,
    executions: Vec<Execution>,
) -> Result<ExitCode, Failure> {
    let clock = Clock::start();
    let cannot = |(path, error): (PathBuf, std::io::Error)| {
        Failure::new(
            ExitCode::Usage,
            format!(
                "cannot make the run's folder {}: {error}. Give an empty or a new folder that you may write to with --run-dir",
                path.display()
            ),
        )
    };
    let folder = new_run_folder(options.run_dir.as_deref(), &clock).map_err(cannot)?;
    if let Some(folder) = &options.report.report_dir {
        writable(folder)?;
    }
    // Private keys must not lie beside the evidence that is sent to others.
    let files = tempfile::tempdir().map_err(|error| cannot((std::env::temp_dir(), error)))?;
    let seed = options.seed.unwrap_or_else(|| seed_of(&clock));
    let usual = match adapter {
        Adapter::Http { .. } => Ports::USUAL,
        Adapter::Reference { .. } | Adapter::Command { .. } => Ports::default(),
    };
    let settings = up::run_settings(&options.environment, files.path(), seed, usual);
    let progress: &dyn Progress = if options.quiet { &Silent } else { &Telling };
    progress.line(&report::progress::run_started(
        executions.len(),
        adapter.name(),
        seed,
    ));
    let journal = Journal::in_memory(clock.clone());
    let stop = signal::asked_to_end();
    let mut asked = stop.clone();
    let started = tokio::select! {
        started = start(&settings, clock, journal) => started,
        _ = asked.wait_for(|asked| *asked) => return Err(interrupted()),
    };
    let environment = started.map_err(|error| up::not_started(&error))?;
    let plan = Plan {
        executions,
        adapter,
        ready_limit: options.ready_limit(),
        folder: folder.clone(),
    };
    let outcome = runner::run(&plan, &environment, progress, stop).await;
    environment.stop().await;
    let result = outcome.map_err(|error| Failure::new(ExitCode::OwnError, error))?;
    if result.scenarios.is_empty() {
        return Err(interrupted());
    }
    conclude(&result, catalogue, &folder, &options.report, every_check)
}

/// The user ended the run before there was anything to judge.
fn interrupted() -> Failure {
    Failure::new(
        ExitCode::Inconclusive,
        "interrupted before the first scenario began: nothing was judged and there is no report",
    )
}

/// Judges a recorded run again.
pub(super) fn replay(folder: &Path, options: &ReportOptions) -> Result<ExitCode, Failure> {
    let result = replay::run(folder).map_err(|error| {
        let code = match error {
            replay::ReplayError::Scenarios(_) => ExitCode::InvalidScenario,
            _ => ExitCode::Usage,
        };
        Failure::new(code, error)
    })?;
    let catalogue = catalogue(None)?;
    let differences = differences(&result, folder, options)?;
    if differences.is_empty() {
        return conclude(&result, &catalogue, folder, options, true);
    }
    for difference in &differences {
        eprintln!("differs: {difference}");
    }
    // The report that does not agree is evidence itself: it is never written over.
    let target = options.report_dir.as_deref().unwrap_or(folder);
    if target != folder && !report::Paths::of(target).jsonl.exists() {
        conclude(&result, &catalogue, folder, options, true)?;
    }
    Err(Failure::new(
        ExitCode::VerificationFailed,
        "the report does not agree with its evidence: one of them was changed after the run, or another version of Prøvenett judges otherwise",
    ))
}

/// What in a run's folder does not agree: with the report in it, and with the one where reports are to be written.
fn differences(
    result: &RunResult,
    folder: &Path,
    options: &ReportOptions,
) -> Result<Vec<String>, Failure> {
    let own = |error: &dyn std::fmt::Display| Failure::new(ExitCode::OwnError, error);
    let evidence = journals(folder)?;
    let mut found = agreement::within(result, &evidence).map_err(|error| own(&error))?;
    let one = folder.join(replay::EVIDENCE).is_file();
    let above = one.then(|| folder.join(".."));
    let folders = [
        Some(folder),
        above.as_deref(),
        options.report_dir.as_deref(),
    ];
    for folder in folders.into_iter().flatten() {
        let path = report::Paths::of(folder).jsonl;
        if !path.is_file() {
            continue;
        }
        let report = std::fs::read_to_string(&path)
            .map_err(|error| own(&format!("{}: {error}", path.display())))?;
        found.extend(agreement::with_report(&report, result, &evidence, !one));
    }
    found.sort();
    found.dedup();
    Ok(found)
}

fn journals(folder: &Path) -> Result<Vec<Evidence>, Failure> {
    let own = |error: &dyn std::fmt::Display| Failure::new(ExitCode::OwnError, error);
    let folders = replay::executions_of(folder).map_err(|error| own(&error))?;
    let journals: Result<Vec<Evidence>, _> = folders
        .iter()
        .map(|folder| Evidence::read(folder))
        .collect();
    journals.map_err(|error| own(&error))
}

/// Writes the reports and shows the result.
fn conclude(
    result: &RunResult,
    catalogue: &Catalogue,
    folder: &Path,
    options: &ReportOptions,
    every_check: bool,
) -> Result<ExitCode, Failure> {
    let own = |error: &dyn std::fmt::Display| Failure::new(ExitCode::OwnError, error);
    let evidence = journals(folder)?;
    let target = options.report_dir.as_deref().unwrap_or(folder);
    let written = report::write_reports(target, result, catalogue, &evidence);
    let paths = written.map_err(|error| {
        own(&format!(
            "cannot write the reports to {}: {error}. Give a folder that you may write to with --report-dir",
            target.display()
        ))
    })?;
    if options.json {
        output::show(&report::jsonl::report(result, &evidence))?;
    } else {
        let shown = terminal::Options {
            colour: std::io::stdout().is_terminal(),
            width: 100,
            every_check,
            folder: Some(folder.to_owned()),
            report: Some(paths.html),
        };
        output::show(&terminal::screen(result, catalogue, &evidence, &shown))?;
    }
    Ok(result.exit_code)
}

/// Whether the vendor's program can be found: a mistyped path is a matter of usage.
fn program_there(adapter: &Adapter) -> Result<(), Failure> {
    let Adapter::Command { argv, .. } = adapter else {
        return Ok(());
    };
    let program = argv.first().map(String::as_str).unwrap_or_default();
    let is_path = program.contains('/');
    let there = if is_path {
        may_be_run(Path::new(program))
    } else {
        std::env::var_os("PATH").is_some_and(|path| {
            std::env::split_paths(&path).any(|folder| may_be_run(&folder.join(program)))
        })
    };
    if there {
        return Ok(());
    }
    if is_path && Path::new(program).is_file() {
        return Err(Failure::new(
            ExitCode::Usage,
            format!("`{program}` may not be run. Make it executable: chmod +x {program}"),
        ));
    }
    let folder = std::env::current_dir().unwrap_or_default();
    Err(Failure::new(
        ExitCode::Usage,
        format!(
            "there is no program `{program}`. Give a path that exists from {}, or a name that PATH leads to",
            folder.display()
        ),
    ))
}

/// Whether the path is a file that somebody may execute.
fn may_be_run(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata()
        .is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

/// Whether reports can be written: asked before the run, not after it.
fn writable(folder: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(folder)
        .and_then(|()| tempfile::tempfile_in(folder))
        .map(|_| ())
        .map_err(|error| {
            Failure::new(
                ExitCode::Usage,
                format!(
                    "cannot write the reports to {}: {error}. Give a folder that you may write to with --report-dir",
                    folder.display()
                ),
            )
        })
}

/// The seeded faults that the reference EPJ has.
fn known_faults(adapter: &Adapter) -> Result<(), OptionError> {
    let names: Vec<&str> = reference_epj::Fault::all()
        .map(reference_epj::Fault::name)
        .collect();
    let unknown = adapter
        .seeded_faults()
        .iter()
        .find(|fault| !names.contains(&fault.as_str()));
    match unknown {
        None => Ok(()),
        Some(name) => Err(OptionError::UnknownFault {
            name: name.clone(),
            nearest: nearest(name, names).map(str::to_owned),
        }),
    }
}

/// A start of the random numbers for whoever asks for none: the time, so that two runs differ.
fn seed_of(clock: &Clock) -> u64 {
    u64::try_from(clock.wall().unix_timestamp_nanos() / 1_000_000).unwrap_or_default()
}
