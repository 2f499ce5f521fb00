//! The recovery probe: after everything has been put right, the system under test must answer again.

use testbed::evidence::ExchangeOutcome;

use super::finding::{Finding, Seen, seconds};
use super::view::View;
use crate::Text;
use crate::scenario::{RECOVERY_STEP, Recovery, Scenario};
use crate::verdict::{CheckResult, Verdict};

pub(super) fn expected(limit: Recovery) -> Text {
    let limit = seconds(limit.within);
    Text::new(
        format!(
            "Gyldig svar på en kommunikasjonstest senest {} etter at alt er i orden igjen.",
            limit.nb
        ),
        format!(
            "A valid reply to a communication test at the latest {} after everything is well again.",
            limit.en
        ),
    )
}

pub(super) fn judge(view: &View<'_>, limit: Recovery) -> Finding {
    seen(view, limit).expecting(expected(limit))
}

fn seen(view: &View<'_>, limit: Recovery) -> Seen {
    let requests = view.requests(RECOVERY_STEP);
    let Some(started) = view
        .step_started(RECOVERY_STEP)
        .filter(|_| !requests.is_empty())
    else {
        return Seen::inconclusive(
            "no-recovery-probe",
            Text::new(
                "Kommunikasjonstesten etter forstyrrelsen ble ikke kjørt.",
                "The communication test after the disturbance was not run.",
            ),
        );
    };
    let replies = requests
        .iter()
        .filter_map(|request| view.valid_reply(request));
    if let Some(reply) = replies.min_by_key(|reply| reply.bus.entry.at()) {
        let after = reply.bus.entry.at().saturating_sub(started.at());
        let length = seconds(after);
        let text = Text::new(
            format!("Gyldig svar etter {}.", length.nb),
            format!("Valid reply after {}.", length.en),
        );
        return if after <= limit.within {
            Seen::pass(text)
        } else {
            Seen::fail("no-recovery", text)
        }
        .with([started.n, reply.bus.entry.n]);
    }
    let tried = requests.iter().map(|request| request.sent.n);
    let concluded = requests.iter().all(|request| {
        view.conclusion(request)
            .is_some_and(|(_, outcome, _)| outcome != ExchangeOutcome::RepliedOk)
    });
    if !view.watched(started.at() + limit.within) && !concluded {
        return Seen::inconclusive(
            "watched-too-short",
            Text::new(
                "Kjøringen sluttet før tiden var ute.",
                "The run ended before the time was over.",
            ),
        )
        .with(tried);
    }
    Seen::fail(
        "no-recovery",
        Text::new("Ingen gyldige svar.", "No valid reply."),
    )
    .with(tried)
    .with([started.n])
}

/// The result with the texts that every scenario shares.
pub(super) fn result(finding: Finding, scenario: &Scenario) -> CheckResult {
    let failed = finding.verdict == Verdict::Fail;
    CheckResult {
        check: "recovery".to_owned(),
        step: Some(RECOVERY_STEP.to_owned()),
        verdict: finding.verdict,
        reason_code: finding.reason.to_owned(),
        requirements: scenario.covers.clone(),
        expected: finding.expected,
        observed: finding.observed,
        recorded: finding.recorded,
        evidence: finding.evidence,
        fail: failed.then(|| {
            Text::new(
                "Systemet svarte ikke igjen da tjenestene var tilbake.",
                "The system did not answer again when the services were back.",
            )
        }),
        mend: failed.then(|| {
            Text::new(
                "Sørg for at systemet kommer i gang igjen av seg selv: prøv på nytt med korte mellomrom, og husk ikke en midlertidig feil lenger enn den varer.",
                "Let the system find its feet by itself: try again at short intervals, and do not remember a passing fault for longer than it lasts.",
            )
        }),
    }
}
