//! Carrying out: executions are taken through their steps in an environment, recorded, and then judged from the record.
//!
//! Nothing in here decides a verdict. What the runner could not do is written down as the problem of a step, and what the
//! system under test leaves undone is for the checks to see.

mod act;
mod execution;
mod fault;
mod folder;
mod progress;
mod watch;

use std::path::PathBuf;
use std::time::Duration;

use testbed::evidence::JournalError;
use tokio::sync::watch as channel;

use crate::check::judge;
use crate::environment::Environment;
use crate::replay::{ReplayError, keep_scenarios};
use crate::report::progress::{execution_started, verdict};
use crate::scenario::Execution;
use crate::sut::{Adapter, Sut};
use crate::verdict::{RunResult, ScenarioResult, Verdict};

pub use folder::new_run_folder;
pub use progress::{Progress, Silent, Telling};

/// How a run is done.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What is run, in order.
    pub executions: Vec<Execution>,
    /// The system under test.
    pub adapter: Adapter,
    /// How long it may take from its start until its links are attached.
    pub ready_limit: Duration,
    /// Folder of the run; each execution gets one below it.
    pub folder: PathBuf,
}

/// A run could not be recorded.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The scenario files beside it.
    #[error(transparent)]
    Scenarios(#[from] ReplayError),
}

/// Carries out every execution of the plan and judges each from its journal. When `stop` becomes true, the present one is
/// cut off, its journal is closed, and the rest is left out.
///
/// # Errors
/// [`RunError`] when evidence cannot be written.
pub async fn run(
    plan: &Plan,
    environment: &Environment,
    progress: &dyn Progress,
    stop: channel::Receiver<bool>,
) -> Result<RunResult, RunError> {
    let mut sut = Sut::new(
        plan.adapter.clone(),
        environment.document_path(),
        environment.trust_bundle(),
        environment.clock.clone(),
        environment.journal.clone(),
    );
    let mut results: Vec<ScenarioResult> = Vec::new();
    let mut fresh_start = true;
    for (index, execution) in plan.executions.iter().enumerate() {
        if *stop.borrow() {
            break;
        }
        let folder = plan.folder.join(execution.name());
        environment.journal.begin(&folder)?;
        keep_scenarios(&folder, execution)?;
        progress.line(&execution_started(
            index + 1,
            plan.executions.len(),
            execution,
        ));
        let context = execution::Carrying {
            environment,
            execution,
            plan,
            progress,
            stop: stop.clone(),
        };
        context.out(&mut sut, fresh_start).await;
        let judged = judged(environment, execution);
        // A system that did not pass may be in any state; the next scenario must not suffer from it.
        fresh_start = judged.iter().any(|result| result.verdict != Verdict::Pass);
        for result in &judged {
            progress.line(&verdict(result, false));
        }
        results.extend(judged);
    }
    sut.stop().await;
    Ok(RunResult::conclude(results, Vec::new()))
}

fn judged(environment: &Environment, execution: &Execution) -> Vec<ScenarioResult> {
    let entries: Vec<_> = environment
        .journal
        .entries()
        .iter()
        .map(|entry| entry.as_ref().clone())
        .collect();
    let mut results: Vec<ScenarioResult> = execution
        .judged
        .iter()
        .map(|scenario| judge(scenario, &entries))
        .collect();
    if let Some(failure) = environment.journal.failure() {
        for result in &mut results {
            result.verdict = Verdict::Error;
            result.reason_code = format!("evidence-incomplete: {failure}");
        }
    }
    results
}
