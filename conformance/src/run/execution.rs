//! One execution, in the order that [`Execution`] gives.

use std::collections::BTreeMap;
use std::time::Duration;

use mock_helsenorge::TestRequest;
use serde_json::Value;
use testbed::clock::Moment;
use testbed::evidence::{Event, FORMAT_VERSION, Part};
use tokio::sync::watch as channel;

use super::progress::{Progress, follow};
use super::{Plan, act, fault, watch};
use crate::environment::{Environment, HELSENORGE_USER, SUT_USER};
use crate::scenario::{
    After, BASELINE_STEP, Cache, Execution, Parameter, RECOVERY_STEP, Recovery, Step,
};
use crate::sut::{Sut, Verb};

/// How long helsenorge may take to attach its links.
const HELSENORGE_LIMIT: Duration = Duration::from_secs(30);
/// How long the outcome of one communication test may take (contract 03 section 0.3: 15 s, and what judging it takes).
const TEST_LIMIT: Duration = Duration::from_secs(20);
/// When the wait for the driver's communication test of the baseline ends.
const DRIVER_LIMIT: Duration = Duration::from_secs(60);
/// The bus tells of a message a little after it has it; a watch that ends to the letter would be too short.
const WATCH_MARGIN: Duration = Duration::from_millis(50);
/// From one communication test of the recovery probe to the next.
const RECOVERY_PAUSE: Duration = Duration::from_secs(1);

/// What an execution is carried out with.
pub(super) struct Carrying<'a> {
    pub(super) environment: &'a Environment,
    pub(super) execution: &'a Execution,
    pub(super) plan: &'a Plan,
    pub(super) progress: &'a dyn Progress,
    pub(super) stop: channel::Receiver<bool>,
}

impl Carrying<'_> {
    /// Carries the execution out and closes its journal, whatever happens.
    pub(super) async fn out(&self, sut: &mut Sut, fresh_start: bool) {
        self.announce(sut);
        let mut stop = self.stop.clone();
        let ended = tokio::select! {
            ended = self.carry_out(sut, fresh_start) => ended,
            () = follow(&self.environment.journal, self.progress) => Ok(()),
            _ = stop.wait_for(|stop| *stop) => Err("interrupted by the user".to_owned()),
        };
        self.environment.journal.set_step(None);
        let ended = Event::ScenarioEnded {
            complete: ended.is_ok(),
            reason: ended.err(),
        };
        self.environment.journal.record(Part::Runner, ended);
        // What the reset sets free belongs to the scenario no more.
        self.environment.reset();
    }

    /// Tells the journal all that a later judgement has to know of the run.
    fn announce(&self, sut: &Sut) {
        let environment = self.environment;
        for scenario in &self.execution.judged {
            let event = Event::ScenarioStarted {
                format: FORMAT_VERSION,
                scenario: scenario.id.clone(),
                scenario_sha256: scenario.sha256.clone(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                seed: environment.seed.value(),
                adapter: self.plan.adapter.name().to_owned(),
                sut_faults: self.plan.adapter.seeded_faults().to_vec(),
                parameters: self.parameters(sut),
            };
            environment.journal.record(Part::Runner, event);
        }
        environment.bus.record_links();
    }

    fn parameters(&self, sut: &Sut) -> BTreeMap<String, String> {
        let party = &self.environment.document().sut;
        let [asynchronous, synchronous, error] = act::own_queues(self.environment)
            .try_into()
            .unwrap_or_default();
        let driver = if sut.can_be_asked() { "yes" } else { "no" };
        let known = [
            (Parameter::HelsenorgeUser, HELSENORGE_USER.to_owned()),
            (Parameter::SutHerId, party.her_id.to_string()),
            (Parameter::SutAsyncQueue, asynchronous),
            (Parameter::SutSyncQueue, synchronous),
            (Parameter::SutErrorQueue, error),
            (Parameter::Driver, driver.to_owned()),
        ];
        known
            .into_iter()
            .chain(
                self.execution
                    .variant
                    .clone()
                    .map(|variant| (Parameter::Variant, variant)),
            )
            .map(|(parameter, value)| (parameter.key().to_owned(), value))
            .chain([("sut-user".to_owned(), SUT_USER.to_owned())])
            .collect()
    }

    async fn carry_out(&self, sut: &mut Sut, fresh_start: bool) -> Result<(), String> {
        self.environment.reset();
        self.certificates_before().await?;
        self.system_there(sut, fresh_start).await?;
        // The system may take long to start; that is no part of the scenario's own time.
        let limit = self.execution.limits.runtime;
        let run = self.environment.clock.timeout(limit, self.scenario(sut));
        run.await.map_err(|_| {
            format!(
                "it took longer than the {} s that it may take",
                limit.as_secs()
            )
        })?
    }

    /// One new CA for each execution: before the baseline where the cache may be warm, behind it where it must be cold.
    async fn certificates_before(&self) -> Result<(), String> {
        let environment = self.environment;
        let renewed = if self.execution.baseline && self.execution.cache == Cache::Cold {
            environment.renew_from_base().await
        } else {
            environment.renew_ca().await
        };
        renewed.map_err(|error| format!("new certificates for helsenorge: {error}"))
    }

    async fn system_there(&self, sut: &mut Sut, fresh_start: bool) -> Result<(), String> {
        let environment = self.environment;
        let helsenorge = environment.helsenorge.ready(HELSENORGE_LIMIT).await;
        helsenorge.map_err(|error| format!("helsenorge: {error}"))?;
        if fresh_start || !sut.is_running() {
            self.waiting("starting the system under test", self.plan.ready_limit);
            sut.stop().await;
            let started = sut.start().await;
            started.map_err(|error| error.to_string())?;
        }
        act::ready(environment, sut, self.plan.ready_limit).await
    }

    async fn scenario(&self, sut: &mut Sut) -> Result<(), String> {
        let environment = self.environment;
        if self.execution.baseline {
            self.baseline(sut).await?;
            if self.execution.cache == Cache::Cold {
                let renewed = environment.renew_ca().await;
                renewed.map_err(|error| format!("new certificates for helsenorge: {error}"))?;
            }
        }
        for given in &self.execution.given {
            let installed = fault::install(environment, *given);
            installed.map_err(|error| format!("{}: {error}", given.name().1))?;
        }
        for step in &self.execution.steps {
            self.step(step, sut).await;
        }
        let stimulus = watch::last_stimulus(&environment.journal.entries());
        self.put_right().await?;
        if let Some(recovery) = self.execution.recovery {
            self.recovery(recovery).await?;
        }
        self.watch_on(stimulus).await;
        Ok(())
    }

    async fn baseline(&self, sut: &Sut) -> Result<(), String> {
        let journal = &self.environment.journal;
        self.begin(BASELINE_STEP, "runner.baseline");
        let asked = async {
            if sut.can_be_asked() {
                sut.ask(Verb::RunKomtest, Value::Null, DRIVER_LIMIT).await;
            }
        };
        // One after the other: a system that handles one thing at a time is no worse for it.
        let problem = self.communication_test(TEST_LIMIT).await.err();
        asked.await;
        self.end(BASELINE_STEP, problem.clone());
        journal.set_step(None);
        problem.map_or(Ok(()), |problem| {
            Err(format!("baseline: helsenorge could not ask: {problem}"))
        })
    }

    async fn step(&self, step: &Step, sut: &mut Sut) {
        let environment = self.environment;
        match step.after {
            Some(After::Pause(pause)) => {
                self.waiting("pause", pause);
                environment.clock.sleep(pause).await;
            }
            Some(After::NoOpenDownload) => {
                let limit = self.execution.download_limit();
                self.waiting("waiting until no download is open", limit);
                watch::no_open_download(environment, environment.issuing_ca().id(), limit).await;
            }
            None => {}
        }
        let (service, name) = step.act.name();
        self.begin(&step.name, &format!("{service}.{name}"));
        let done = act::carry_out(&step.act, environment, sut, self.plan.ready_limit).await;
        self.end(&step.name, done.err());
    }

    /// Takes every fault away that the scenario has put in place.
    async fn put_right(&self) -> Result<(), String> {
        for given in &self.execution.given {
            let removed = fault::remove(self.environment, *given).await;
            removed.map_err(|error| format!("{}: {error}", given.name().1))?;
        }
        self.environment.ar.come_back();
        Ok(())
    }

    /// Communication tests until one is answered or the time is over.
    async fn recovery(&self, recovery: Recovery) -> Result<(), String> {
        let environment = self.environment;
        self.begin(RECOVERY_STEP, "runner.recovery");
        let end = environment.clock.now().plus(recovery.within);
        let mut problem = None;
        loop {
            let left = end.since(environment.clock.now());
            match self.communication_test(left.min(TEST_LIMIT)).await {
                Ok(true) => break,
                Ok(false) => {}
                Err(reason) => problem = Some(reason),
            }
            if end.since(environment.clock.now()) <= RECOVERY_PAUSE {
                break;
            }
            environment.clock.sleep(RECOVERY_PAUSE).await;
        }
        // A request that could not be sent at one time and was sent at another is no problem.
        let sent = environment.journal.entries().iter().any(|entry| {
            entry.step.as_deref() == Some(RECOVERY_STEP)
                && matches!(entry.event, Event::HnSent { .. })
        });
        self.end(RECOVERY_STEP, problem.filter(|_| !sent));
        Ok(())
    }

    /// A communication test from helsenorge; tells whether it was answered well.
    async fn communication_test(&self, limit: Duration) -> Result<bool, String> {
        let environment = self.environment;
        let request = TestRequest::new(environment.document().sut.her_id);
        let started = environment.helsenorge.start_test(request).await;
        let exchange = started.map_err(|error| error.to_string())?;
        let exchanges = [exchange];
        watch::exchanges(environment, &exchanges, limit).await;
        let [exchange] = exchanges;
        Ok(environment.journal.entries().iter().any(|entry| {
            matches!(
                &entry.event,
                Event::HnOutcome { exchange: of, outcome: testbed::evidence::ExchangeOutcome::RepliedOk, .. } if *of == exchange
            )
        }))
    }

    /// What is forbidden is watched for until `limits.watch` has passed since the last stimulus.
    async fn watch_on(&self, stimulus: Duration) {
        let clock = &self.environment.clock;
        let length = self.execution.limits.watch + WATCH_MARGIN;
        let end = Moment::default().plus(stimulus + length);
        let left = end.since(clock.now());
        if !left.is_zero() {
            self.waiting("watching for what must not happen", left);
            clock.sleep(left).await;
        }
    }

    fn waiting(&self, what: &str, at_most: Duration) {
        let seconds = at_most.as_secs_f64().ceil();
        self.progress
            .line(&format!("  … {what} (at most {seconds} s)"));
    }

    fn begin(&self, step: &str, act: &str) {
        let journal = &self.environment.journal;
        journal.set_step(Some(step));
        journal.record(
            Part::Runner,
            Event::StepStarted {
                step: step.to_owned(),
                act: act.to_owned(),
            },
        );
    }

    fn end(&self, step: &str, problem: Option<String>) {
        let journal = &self.environment.journal;
        journal.record(
            Part::Runner,
            Event::StepEnded {
                step: step.to_owned(),
                problem,
            },
        );
        journal.set_step(None);
    }
}
