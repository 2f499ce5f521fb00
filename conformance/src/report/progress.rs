//! Progress: lines for standard error while a run is under way.

use testbed::evidence::Event;

use super::terminal::painted;
use super::text::{inert, seconds};
use super::words;
use crate::scenario::Execution;
use crate::verdict::ScenarioResult;

/// The first line: how many executions there are, against what, and the start of the random numbers.
#[must_use]
pub fn run_started(executions: usize, adapter: &str, seed: u64) -> String {
    format!(
        "Prøvenett {}: {executions} kjøring(er) / execution(s), SUT: {}, seed {seed}",
        env!("CARGO_PKG_VERSION"),
        inert(adapter)
    )
}

/// An execution begins; `number` counts from 1.
#[must_use]
pub fn execution_started(number: usize, of: usize, execution: &Execution) -> String {
    let titles: Vec<String> = execution
        .judged
        .iter()
        .map(|scenario| scenario.title.to_string())
        .collect();
    let limit = execution.limits.runtime.as_secs();
    format!(
        "[{number}/{of}] {}  {}  (høyst / at most {limit} s)",
        execution.name(),
        titles.join("; ")
    )
}

/// What an entry of the journal means for somebody who waits: steps, faults and problems; nothing for the rest.
#[must_use]
pub fn event(event: &Event) -> Option<String> {
    Some(match event {
        Event::StepStarted { step, act } => format!("  · {}  {}", inert(step), inert(act)),
        Event::StepEnded {
            step,
            problem: Some(problem),
        } => format!("  ? {}  {}", inert(step), inert(problem)),
        Event::FaultInstalled { fault, detail } => {
            format!("  + feil / fault: {} {}", inert(fault), inert(detail))
                .trim_end()
                .to_owned()
        }
        Event::FaultRemoved { fault } => format!("  - feil / fault: {}", inert(fault)),
        Event::SutExited {
            status,
            expected: false,
            ..
        } => format!("  ! SUT: {}", inert(status)),
        Event::SutUnanswered { verb, reason, .. } => {
            format!("  ? SUT: {} – {}", inert(verb), inert(reason))
        }
        Event::ScenarioEnded {
            complete: false,
            reason,
        } => format!(
            "  ‼ brutt av / cut off: {}",
            inert(reason.as_deref().unwrap_or("?"))
        ),
        _ => return None,
    })
}

/// A scenario has its verdict.
#[must_use]
pub fn verdict(result: &ScenarioResult, colour: bool) -> String {
    let word = words::verdict(result.verdict);
    let mark = format!("{} {word}", words::sign(result.verdict));
    format!(
        "  {}  {}  {} ({})",
        painted(colour, result.verdict, &mark),
        result.label(),
        inert(&result.reason_code),
        seconds(result.duration_ms)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn an_execution_is_announced() {
        let catalogue = sample::catalogue();
        let executions = catalogue.select(&["revocation-slow".to_owned()]).unwrap();
        let line = execution_started(1, executions.len(), &executions[0]);
        assert!(line.starts_with("[1/2] REV-05+REV-06.3s  Treg"), "{line}");
        assert!(run_started(2, "reference", 7).contains("SUT: reference, seed 7"));
    }

    #[test]
    fn steps_are_told_and_frames_are_not() {
        let started = Event::StepStarted {
            step: "cold\u{1b}[2J".into(),
            act: "helsenorge.communication-test".into(),
        };
        assert_eq!(
            event(&started).unwrap(),
            "  · cold\\u{1b}[2J  helsenorge.communication-test"
        );
        assert_eq!(event(&Event::Note { text: "x".into() }), None);
        let ended = Event::StepEnded {
            step: "cold".into(),
            problem: None,
        };
        assert_eq!(event(&ended), None);
    }

    #[test]
    fn a_verdict_is_one_line() {
        let (run, _) = sample::mixed();
        let line = verdict(&run.scenarios[2], false);
        assert!(
            line.starts_with("  ✗ ikke bestått / fail  REV-05 (10s)"),
            "{line}"
        );
    }
}
