//! Adapters to the system under test: how it is started, stopped and asked, and how what it says becomes evidence.
//!
//! A verb is asked with a call number and is answered, or it is not: both are recorded. Checks that need an
//! answer which never came end `inconclusive`, so an adapter never has to pretend.

mod hook;
mod process;
mod verb;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::Value;
use testbed::evidence::{Event, Part};
use testbed::{Clock, Journal};

pub use verb::Verb;

/// Ends every program that was started here, at once and by force; for an end of this process that waits for nothing.
pub fn kill_all() {
    process::kill_all();
}

use hook::Hook;
use process::{Launch, Process};

/// Variable that tells a started program where the environment document is.
pub const ENVIRONMENT_VARIABLE: &str = "PROVENETT_ENVIRONMENT";

/// How verbs reach a vendor's program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VerbChannel {
    /// Not at all: the program is judged by what the wire shows.
    None,
    /// JSON lines on the program's standard input, answers on its standard output.
    StandardInput,
    /// A command line, run for each verb: `<command> <verb>`, arguments as JSON on its standard input.
    Command(String),
}

/// Which system is examined and how it is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Adapter {
    /// The reference EPJ of this project, as a process of its own, with seeded faults.
    Reference {
        /// Names for `--fault`.
        faults: Vec<String>,
    },
    /// A vendor's program, started and stopped here.
    Command {
        /// Program and arguments.
        argv: Vec<String>,
        /// How it is asked.
        verbs: VerbChannel,
    },
    /// A vendor's running system, asked by HTTP POST.
    Http {
        /// Where verbs are posted.
        hook: String,
    },
}

impl Adapter {
    /// The adapter's name on the command line and in evidence.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Reference { .. } => "reference",
            Self::Command { .. } => "command",
            Self::Http { .. } => "http",
        }
    }

    /// The seeded faults of the reference EPJ; none for a vendor's system.
    #[must_use]
    pub fn seeded_faults(&self) -> &[String] {
        match self {
            Self::Reference { faults } => faults,
            _ => &[],
        }
    }
}

/// The system under test cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum SutError {
    /// The program is not there or may not be run.
    #[error(
        "cannot start the system under test `{program}`: {source}. Give the program after `--`, with a path that exists from {folder}"
    )]
    Start {
        /// Program as given.
        program: String,
        /// Working folder.
        folder: PathBuf,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
    /// This program's own path is unknown, so the reference EPJ cannot be started.
    #[error("cannot find this program's own file to start the reference EPJ: {0}")]
    OwnProgram(#[source] std::io::Error),
}

/// The examined system: started or not, always ready to be asked.
#[derive(Debug)]
pub struct Sut {
    adapter: Adapter,
    document: PathBuf,
    trust_bundle: PathBuf,
    clock: Clock,
    journal: Journal,
    calls: AtomicU64,
    process: Option<Arc<Process>>,
}

impl Sut {
    /// A system that is not started yet. `document` is the environment document, `trust_bundle` the roots as PEM.
    #[must_use]
    pub fn new(
        adapter: Adapter,
        document: &Path,
        trust_bundle: &Path,
        clock: Clock,
        journal: Journal,
    ) -> Self {
        Self {
            adapter,
            document: document.to_owned(),
            trust_bundle: trust_bundle.to_owned(),
            clock,
            journal,
            calls: AtomicU64::new(1),
            process: None,
        }
    }

    /// Starts the program; a system reached by hook is told to start and otherwise taken as running.
    ///
    /// # Errors
    /// [`SutError`] when the program cannot be started.
    pub async fn start(&mut self) -> Result<(), SutError> {
        match &self.adapter {
            Adapter::Http { hook } => {
                let started = Event::SutStarted {
                    adapter: self.adapter.name().into(),
                    pid: None,
                    command: hook.clone(),
                };
                self.journal.record(Part::Sut, started);
            }
            Adapter::Reference { .. } | Adapter::Command { .. } => {
                let launch = self.launch()?;
                self.process = Some(Arc::new(Process::start(
                    launch,
                    self.clock.clone(),
                    self.journal.clone(),
                )?));
            }
        }
        Ok(())
    }

    /// Stops the program: end of its standard input, then a request to terminate, then force.
    pub async fn stop(&mut self) {
        if let Some(process) = self.process.take() {
            process.stop().await;
        }
    }

    /// Stops and starts. A system reached by hook is asked with the verb `restart`.
    ///
    /// # Errors
    /// [`SutError`] when the program cannot be started again.
    pub async fn restart(&mut self) -> Result<(), SutError> {
        if let Adapter::Http { .. } = self.adapter {
            self.ask(Verb::Restart, Value::Null, Duration::from_secs(120))
                .await;
            return Ok(());
        }
        self.stop().await;
        self.start().await
    }

    /// Whether the program is running, as far as an adapter can know; a system reached by hook counts as running.
    #[must_use]
    pub fn is_running(&self) -> bool {
        match (&self.adapter, &self.process) {
            (Adapter::Http { .. }, _) => true,
            (_, Some(process)) => process.is_running(),
            (_, None) => false,
        }
    }

    /// Whether a program was started here and can be stopped and started again.
    #[must_use]
    pub fn can_restart(&self) -> bool {
        !matches!(self.adapter, Adapter::Http { .. }) || self.can_be_asked()
    }

    /// Whether verbs can reach the system.
    #[must_use]
    pub fn can_be_asked(&self) -> bool {
        !matches!(
            self.adapter,
            Adapter::Command {
                verbs: VerbChannel::None,
                ..
            }
        )
    }

    /// Asks a verb and waits for its answer, at most `limit`. Question and answer are evidence.
    pub async fn ask(&self, verb: Verb, arguments: Value, limit: Duration) -> Option<Value> {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        let name = verb.name().to_owned();
        self.journal.record(
            Part::Sut,
            Event::SutAsked {
                verb: name.clone(),
                call,
                arguments: arguments.clone(),
            },
        );
        let outcome = match self
            .clock
            .timeout(limit, self.pass_on(verb, call, &arguments))
            .await
        {
            Ok(outcome) => outcome,
            Err(_) => Err(format!("no answer within {} s", limit.as_secs())),
        };
        match outcome {
            Ok(answer) => {
                self.journal.record(
                    Part::Sut,
                    Event::SutAnswered {
                        verb: name,
                        call,
                        answer: answer.clone(),
                    },
                );
                Some(answer)
            }
            Err(reason) => {
                self.journal.record(
                    Part::Sut,
                    Event::SutUnanswered {
                        verb: name,
                        call,
                        reason,
                    },
                );
                None
            }
        }
    }

    async fn pass_on(&self, verb: Verb, call: u64, arguments: &Value) -> Result<Value, String> {
        let question = verb.question(call, arguments);
        match &self.adapter {
            Adapter::Http { hook } => Hook::new(hook).ask(&question).await,
            Adapter::Command {
                verbs: VerbChannel::None,
                ..
            } => Err("needs a driver: the program takes no verbs (see --sut-verbs)".to_owned()),
            Adapter::Command {
                verbs: VerbChannel::Command(command),
                ..
            } => process::run_driver(command, verb, &question, &self.document).await,
            Adapter::Reference { .. }
            | Adapter::Command {
                verbs: VerbChannel::StandardInput,
                ..
            } => {
                let process = self
                    .process
                    .clone()
                    .ok_or_else(|| "the program is not running".to_owned())?;
                process.ask(call, &question).await
            }
        }
    }

    fn launch(&self) -> Result<Launch, SutError> {
        let (program, arguments) = match &self.adapter {
            Adapter::Reference { faults } => {
                let own = std::env::current_exe().map_err(SutError::OwnProgram)?;
                let mut arguments = vec!["reference-epj".to_owned()];
                for fault in faults {
                    arguments.extend(["--fault".to_owned(), fault.clone()]);
                }
                (own.display().to_string(), arguments)
            }
            Adapter::Command { argv, .. } => {
                let (program, arguments) = argv
                    .split_first()
                    .map_or((String::new(), Vec::new()), |(first, rest)| {
                        (first.clone(), rest.to_vec())
                    });
                (program, arguments)
            }
            Adapter::Http { .. } => (String::new(), Vec::new()),
        };
        Ok(Launch {
            adapter: self.adapter.name(),
            program,
            arguments,
            document: self.document.clone(),
            trust_bundle: self.trust_bundle.clone(),
        })
    }
}
