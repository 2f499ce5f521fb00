//! The command line, as data.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::environment::Ports;
use crate::sut::{Adapter, VerbChannel};

/// Prøvenett: the health network on one machine, and an examiner for systems that use it.
#[derive(Debug, Parser)]
#[command(name = "provenett", version, after_help = EXAMPLES, disable_help_subcommand = true)]
pub struct Options {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "\
Examples:
  provenett scenario revocation-slow                          judge the built-in reference EPJ
  provenett scenario revocation-slow -- ./my-epj --port 0     judge your own program
  provenett scenario COM-02 REV-02 --sut command --sut-verbs stdin -- python3 my_epj.py
  provenett scenario revocation-slow --sut-fault crl-timeout-15s   see what a failure looks like
  provenett up                                                keep the network running and print its addresses
  provenett list                                              what there is to run

Exit codes: 0 all passed, 2 usage, 3 scenario file invalid, 4 nothing selected, 10 a check failed, 11 inconclusive,
            12 only known failures, 13 a known failure did not occur, 1 our own error.";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run scenarios by id or alias.
    Scenario {
        /// Ids (COM-02) or aliases (revocation-slow).
        #[arg(required = true, value_name = "ID|ALIAS")]
        names: Vec<String>,
        /// How to run them.
        #[command(flatten)]
        run: RunOptions,
    },
    /// Run the scenarios of a profile.
    Run {
        /// Name of the profile; `list profiles` shows them.
        #[arg(long)]
        profile: String,
        /// How to run them.
        #[command(flatten)]
        run: RunOptions,
    },
    /// List scenarios, profiles, requirements or the seeded faults of the reference EPJ.
    List {
        /// What to list.
        #[arg(value_enum, default_value_t = Listed::Scenarios)]
        what: Listed,
        /// One JSON document instead of a table.
        #[arg(long)]
        json: bool,
        /// Folder with scenario files instead of the built-in ones.
        #[arg(long, value_name = "FOLDER")]
        scenarios: Option<PathBuf>,
    },
    /// Tell what a scenario does, why it matters, how it judges and how to mend what it finds.
    Explain {
        /// Id or alias.
        #[arg(value_name = "ID|ALIAS")]
        name: String,
        /// Folder with scenario files instead of the built-in ones.
        #[arg(long, value_name = "FOLDER")]
        scenarios: Option<PathBuf>,
    },
    /// Judge a recorded run again, from its evidence alone.
    Replay {
        /// Folder of the run, or of one of its scenarios.
        #[arg(value_name = "RUN-FOLDER")]
        folder: PathBuf,
        /// Where to write reports.
        #[command(flatten)]
        report: ReportOptions,
    },
    /// Keep the whole network running and print addresses, accounts and files for a vendor's system.
    Up {
        /// The environment document as JSON on standard output.
        #[arg(long)]
        json: bool,
        /// Ports and data.
        #[command(flatten)]
        environment: EnvironmentOptions,
    },
    /// Run one part of the network alone.
    Serve {
        /// Which part.
        #[arg(value_enum)]
        part: ServedPart,
        /// Ports and data.
        #[command(flatten)]
        environment: EnvironmentOptions,
    },
    /// Run the reference EPJ against an environment (the examiner starts it this way).
    #[command(disable_help_flag = true)]
    ReferenceEpj {
        /// Options of the reference EPJ; `provenett reference-epj --help` shows them.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Write the generated tables of the documentation (scenarios, faults, exit codes, requirements).
    Docs {
        /// Write the files; without it they are compared, and a difference is an error.
        #[arg(long)]
        write: bool,
        /// Folder of the repository.
        #[arg(long, default_value = ".")]
        root: PathBuf,
    },
}

/// What `list` shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Listed {
    /// Scenarios.
    Scenarios,
    /// Profiles.
    Profiles,
    /// Requirements and the scenarios that cover them.
    Requirements,
    /// Seeded faults of the reference EPJ and the scenarios that they turn red.
    Faults,
}

/// What `serve` runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ServedPart {
    /// The message bus.
    Bus,
    /// The address register and CPPA.
    Ar,
    /// The certificate authority.
    Buypass,
    /// The token service.
    Helseid,
}

/// Which adapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SutKind {
    /// The reference EPJ of this project.
    Reference,
    /// A program of yours, given after `--`.
    Command,
    /// A running system of yours, asked by HTTP.
    Http,
}

/// How scenarios are run.
#[derive(Args, Debug)]
pub struct RunOptions {
    /// The system under test; `command` when a program is given after `--`.
    #[arg(long, value_enum)]
    pub sut: Option<SutKind>,
    /// Seeded fault of the reference EPJ; may be given several times.
    #[arg(long, value_name = "NAME")]
    pub sut_fault: Vec<String>,
    /// How your program is asked: `none`, `stdin` (JSON lines), or a command line that is run as `<command> <verb>`.
    #[arg(long, value_name = "none|stdin|COMMAND", default_value = "none")]
    pub sut_verbs: String,
    /// Where verbs are posted with `--sut http`.
    #[arg(long, value_name = "URL")]
    pub sut_hook: Option<String>,
    /// How long the system may take from its start until its links are attached.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub sut_ready: u64,
    /// Folder with scenario files instead of the built-in ones.
    #[arg(long, value_name = "FOLDER")]
    pub scenarios: Option<PathBuf>,
    /// Where to keep the evidence of the run.
    #[arg(long, value_name = "FOLDER")]
    pub run_dir: Option<PathBuf>,
    /// Start of the random numbers, to repeat a run.
    #[arg(long, value_name = "NUMBER")]
    pub seed: Option<u64>,
    /// No progress on standard error.
    #[arg(long, short)]
    pub quiet: bool,
    /// Ports and data.
    #[command(flatten)]
    pub environment: EnvironmentOptions,
    /// Reports.
    #[command(flatten)]
    pub report: ReportOptions,
    /// Your program and its arguments, after `--`.
    #[arg(last = true, value_name = "PROGRAM")]
    pub program: Vec<String>,
}

/// Where reports go. Without options they lie in the run's folder.
#[derive(Args, Clone, Debug)]
pub struct ReportOptions {
    /// Folder for report.html, report.xml (JUnit) and report.jsonl.
    #[arg(long, value_name = "FOLDER")]
    pub report_dir: Option<PathBuf>,
    /// JSON Lines on standard output instead of the screen report.
    #[arg(long)]
    pub json: bool,
}

/// Where the network listens and keeps its keys.
#[derive(Args, Clone, Debug)]
pub struct EnvironmentOptions {
    /// Folder for the CA's keys and the SUT's stores; made on first use.
    #[arg(long, value_name = "FOLDER", default_value = "provenett-data")]
    pub data_dir: PathBuf,
    /// Port of the bus with TLS (`up`: 5671; runs: any free one).
    #[arg(long, value_name = "PORT")]
    pub amqps_port: Option<u16>,
    /// Port of the bus without TLS (`up`: 5672; runs: any free one).
    #[arg(long, value_name = "PORT")]
    pub amqp_port: Option<u16>,
    /// Port of the address register and CPPA (`up`: 8443; runs: any free one).
    #[arg(long, value_name = "PORT")]
    pub ar_port: Option<u16>,
    /// Port of HelseID (`up`: 8444; runs: any free one).
    #[arg(long, value_name = "PORT")]
    pub helseid_port: Option<u16>,
    /// Port of the CA: trust, AIA and the root's list (`up`: 8080; runs: any free one).
    #[arg(long, value_name = "PORT")]
    pub ca_port: Option<u16>,
    /// Port of the control plane: faults and evidence over HTTP, for tests of your own. Off unless given; 0 for any free one.
    #[arg(long, value_name = "PORT")]
    pub control_port: Option<u16>,
}

impl EnvironmentOptions {
    /// The ports that are asked for; `usual` where nothing is said.
    #[must_use]
    pub fn ports(&self, usual: Ports) -> Ports {
        Ports {
            amqps: self.amqps_port.unwrap_or(usual.amqps),
            amqp: self.amqp_port.unwrap_or(usual.amqp),
            ar: self.ar_port.unwrap_or(usual.ar),
            helseid: self.helseid_port.unwrap_or(usual.helseid),
            ca: self.ca_port.unwrap_or(usual.ca),
            control: self.control_port.or(usual.control),
        }
    }
}

/// The options contradict each other.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum OptionError {
    /// `--sut command` without a program.
    #[error(
        "--sut command needs your program after `--`, for example: provenett scenario COM-02 -- ./my-epj"
    )]
    NoProgram,
    /// A program with another adapter.
    #[error("a program after `--` goes with --sut command, not with --sut {0}")]
    UnwantedProgram(&'static str),
    /// `--sut http` without an address.
    #[error(
        "--sut http needs the address of your hook: --sut-hook http://localhost:9000/provenett"
    )]
    NoHook,
    /// A hook with another adapter.
    #[error("--sut-hook goes with --sut http")]
    UnwantedHook,
    /// A hook that is no address.
    #[error(
        "--sut-hook: `{0}` is no address for HTTP. Give a whole one, for example http://localhost:9000/provenett"
    )]
    BadHook(String),
    /// Verbs for a system that is asked in another way.
    #[error("--sut-verbs tells how a program after `--` is asked; it does not go with --sut {0}")]
    UnwantedVerbs(&'static str),
    /// A seeded fault with a vendor's system.
    #[error("--sut-fault changes the reference EPJ only; it does not go with --sut {0}")]
    UnwantedFault(&'static str),
    /// A fault that the reference EPJ does not have.
    #[error("the reference EPJ has no seeded fault `{name}`{}. `provenett list faults` shows them all", nearest.as_ref().map(|near| format!(" (did you mean `{near}`?)")).unwrap_or_default())]
    UnknownFault {
        /// As given.
        name: String,
        /// The nearest known name.
        nearest: Option<String>,
    },
}

impl RunOptions {
    /// The adapter that the options ask for.
    ///
    /// # Errors
    /// [`OptionError`] when they contradict each other.
    pub fn adapter(&self) -> Result<Adapter, OptionError> {
        let kind = self.sut.unwrap_or(if self.program.is_empty() {
            SutKind::Reference
        } else {
            SutKind::Command
        });
        if kind != SutKind::Http && self.sut_hook.is_some() {
            return Err(OptionError::UnwantedHook);
        }
        let name = match kind {
            SutKind::Reference => "reference",
            SutKind::Command => "command",
            SutKind::Http => "http",
        };
        if kind != SutKind::Command && !self.program.is_empty() {
            return Err(OptionError::UnwantedProgram(name));
        }
        if kind != SutKind::Reference && !self.sut_fault.is_empty() {
            return Err(OptionError::UnwantedFault(name));
        }
        if kind != SutKind::Command && self.sut_verbs != "none" {
            return Err(OptionError::UnwantedVerbs(name));
        }
        match kind {
            SutKind::Reference => Ok(Adapter::Reference {
                faults: self.sut_fault.clone(),
            }),
            SutKind::Command if self.program.is_empty() => Err(OptionError::NoProgram),
            SutKind::Command => {
                let verbs = match self.sut_verbs.as_str() {
                    "none" => VerbChannel::None,
                    "stdin" => VerbChannel::StandardInput,
                    command => VerbChannel::Command(command.to_owned()),
                };
                Ok(Adapter::Command {
                    argv: self.program.clone(),
                    verbs,
                })
            }
            SutKind::Http => match &self.sut_hook {
                Some(hook) if is_address(hook) => Ok(Adapter::Http { hook: hook.clone() }),
                Some(hook) => Err(OptionError::BadHook(hook.clone())),
                None => Err(OptionError::NoHook),
            },
        }
    }

    /// How long the system may take until its links are attached.
    #[must_use]
    pub fn ready_limit(&self) -> Duration {
        Duration::from_secs(self.sut_ready)
    }
}

/// Whether a hook can be posted to.
fn is_address(hook: &str) -> bool {
    reqwest::Url::parse(hook)
        .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn adapter(arguments: &[&str]) -> Result<Adapter, OptionError> {
        let words = ["provenett", "scenario", "COM-02"].iter().chain(arguments);
        match Options::try_parse_from(words).unwrap().command {
            Command::Scenario { run, .. } => run.adapter(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_definition_is_sound() {
        use clap::CommandFactory;
        Options::command().debug_assert();
    }

    #[test]
    fn a_program_means_the_command_adapter() {
        assert_eq!(adapter(&[]), Ok(Adapter::Reference { faults: vec![] }));
        let command = Adapter::Command {
            argv: vec!["./my-epj".into(), "--x".into()],
            verbs: VerbChannel::None,
        };
        assert_eq!(adapter(&["--", "./my-epj", "--x"]), Ok(command.clone()));
        assert_eq!(
            adapter(&["--sut", "command", "--", "./my-epj", "--x"]),
            Ok(command)
        );
    }

    #[test]
    fn contradictions_are_refused() {
        assert_eq!(adapter(&["--sut", "command"]), Err(OptionError::NoProgram));
        assert_eq!(adapter(&["--sut", "http"]), Err(OptionError::NoHook));
        assert_eq!(
            adapter(&["--sut-hook", "http://localhost/"]),
            Err(OptionError::UnwantedHook)
        );
        for wrong in ["", "nonsense", "localhost:9000/x", "file:///etc/passwd"] {
            assert_eq!(
                adapter(&["--sut", "http", "--sut-hook", wrong]),
                Err(OptionError::BadHook(wrong.to_owned()))
            );
        }
        assert_eq!(
            adapter(&["--sut-verbs", "stdin"]),
            Err(OptionError::UnwantedVerbs("reference"))
        );
        assert_eq!(
            adapter(&["--sut-fault", "x", "--", "a"]),
            Err(OptionError::UnwantedFault("command"))
        );
        assert_eq!(
            adapter(&["--sut", "reference", "--", "a"]),
            Err(OptionError::UnwantedProgram("reference"))
        );
    }

    #[test]
    fn the_reference_epj_gets_its_own_options() {
        let words = [
            "provenett",
            "reference-epj",
            "--environment",
            "x",
            "--fault",
            "y",
        ];
        match Options::try_parse_from(words).unwrap().command {
            Command::ReferenceEpj { arguments } => assert_eq!(arguments, words[2..]),
            other => panic!("{other:?}"),
        }
    }
}
