//! `outcome-below`: a call with a slow revocation service has an outcome in time (contract 03 section 7.10).

use std::time::Duration;

use super::finding::{Seen, both, text, watched_too_short};
use super::inbound::{Outcome, Request};
use super::status::Asked;
use super::view::View;
use crate::Text;
use crate::scenario::{Given, RECOVERY_STEP};

/// By how much an answer may come before the delay is over without that meaning that there was no delay.
const TOLERANCE: Duration = Duration::from_millis(100);

pub(super) fn expected(limit: Duration) -> Text {
    let (nb, en) = both(limit);
    text!(
        "Kallet har et utfall på mindre enn {nb}: gyldig svar, feilmelding eller gitt tilbake til bussen.",
        "The call has an outcome in less than {en}: a valid reply, an error message, or given back to the bus."
    )
}

pub(super) fn judge(view: &View<'_>, step: &str, limit: Duration) -> Seen {
    match view.sent(step) {
        Ok(requests) => {
            let all: Vec<Seen> = requests
                .iter()
                .map(|request| one(view, request, limit))
                .collect();
            Seen::worst(all).unwrap_or_else(watched_too_short)
        }
        Err(seen) => seen,
    }
}

fn one<'a>(view: &View<'a>, request: &Request<'a>, limit: Duration) -> Seen {
    let asked = match view.signer(request) {
        Ok(signer) => while_delayed(view, view.asked(&signer)),
        Err(seen) => return seen,
    };
    if asked.is_empty() {
        return cache_state_unknown().with([request.bus.entry.n]);
    }
    if let Some(early) = answered_early(view, &asked) {
        return early;
    }
    let start = request.bus.entry;
    let mut seen = call(view, request, limit)
        .with([start.n])
        .with(asked.first().map(|question| question.entry.n));
    for fact in view.fetches(&asked, start.at()) {
        seen = seen.recording(fact);
    }
    seen
}

/// The questions that came before everything was put right again.
fn while_delayed<'a>(view: &View<'a>, mut asked: Vec<Asked<'a>>) -> Vec<Asked<'a>> {
    let removed = view
        .fault_removed("delay-status")
        .or_else(|| view.step_started(RECOVERY_STEP));
    let until = removed.map_or(u64::MAX, |entry| entry.n);
    asked.retain(|question| question.entry.n < until);
    asked
}

/// The signer was not asked about: the fault was never reached.
pub(super) fn cache_state_unknown() -> Seen {
    Seen::inconclusive(
        "cache-state-unknown",
        text!(
            "inconclusive: cache state unknown. Systemet spurte verken CRL eller OCSP om signatursertifikatet, så forstyrrelsen ble aldri møtt. Kjør REV-01 og REV-02.",
            "inconclusive: cache state unknown. The system asked neither CRL nor OCSP about the signing certificate, so the disturbance was never met. Run REV-01 and REV-02."
        ),
    )
}

/// A question that was answered before the delay was over: the disturbance was not in place.
fn answered_early(view: &View<'_>, asked: &[Asked<'_>]) -> Option<Seen> {
    let delay = view.given().find_map(|given| match given {
        Given::DelayStatus { delay } => Some(delay),
        _ => None,
    })?;
    asked.iter().find_map(|question| {
        let (arrival, _) = view.arrival(question.request)?;
        let (answer, _) = view.answered(question.request)?;
        let waited = answer.at().saturating_sub(arrival.at());
        (waited + TOLERANCE < delay).then(|| {
            Seen::error(
                "fault-not-in-place",
                text!(
                    "Statussvaret kom for tidlig: forsinkelsen var ikke på plass.",
                    "The status answer came too early: the delay was not in place."
                ),
            )
            .with([arrival.n, answer.n])
        })
    })
}

fn call<'a>(view: &View<'a>, request: &Request<'a>, limit: Duration) -> Seen {
    let start = request.bus.entry.at();
    let Some(outcome) = view.outcome(request) else {
        return none(view, request, limit);
    };
    let (nb, en) = both(outcome.at().saturating_sub(start));
    let what = match &outcome {
        Outcome::Reply(_) => text!("gyldig svar", "valid reply"),
        Outcome::Report(report) => {
            let condition = report.condition.unwrap_or("?");
            text!("feilmelding {condition}", "error message {condition}")
        }
        Outcome::GivenBack(_) => text!("gitt tilbake til bussen", "given back to the bus"),
    };
    let (what_nb, what_en) = (what.nb, what.en);
    if outcome.at().saturating_sub(start) >= limit {
        return Seen::fail(
            "stalled",
            text!(
                "Kallet sto i {nb} før det fikk et utfall ({what_nb}). Til sammenligning: 1 s er anbefalt, 15 s er standarden i Windows, 30 s klientbibliotekets.",
                "The call stalled for {en} before it had an outcome ({what_en}). For comparison: 1 s is recommended, 15 s is the default of Windows, 30 s the client library's."
            ),
        )
        .with([outcome.entry()]);
    }
    let seen = Seen::pass(text!(
        "Utfall etter {nb}: {what_nb}.",
        "Outcome after {en}: {what_en}."
    ))
    .with([outcome.entry()]);
    if matches!(outcome, Outcome::Reply(_)) {
        return seen;
    }
    seen.recording(text!(
        "Det første kallet ble avvist (refused-first-call); det er i orden.",
        "The first call was refused (refused-first-call); that is in order."
    ))
}

fn none<'a>(view: &View<'a>, request: &Request<'a>, limit: Duration) -> Seen {
    if let Some((entry, check, detail)) = view
        .replies(request)
        .into_iter()
        .find_map(|reply| reply.flaw)
    {
        return Seen::fail(
            "invalid-reply",
            text!(
                "Svaret er ikke gyldig: kontroll {check}: {detail}",
                "The reply is not valid: check {check}: {detail}"
            ),
        )
        .with([entry.n]);
    }
    if !view.watched(request.bus.entry.at() + limit) {
        return watched_too_short();
    }
    if let Some(reply) = view.effect(request) {
        let (nb, en) = both(reply.bus.entry.at().saturating_sub(request.bus.entry.at()));
        return Seen::fail(
            "stalled",
            text!(
                "Svaret kom etter {nb}, da helsenorge hadde sluttet å vente.",
                "The reply came after {en}, when helsenorge had ceased to wait."
            ),
        )
        .with([reply.bus.entry.n]);
    }
    let (nb, en) = both(view.watched_until().saturating_sub(request.bus.entry.at()));
    Seen::fail(
        "stalled",
        text!(
            "Kallet hadde ikke noe utfall i løpet av {nb}.",
            "The call had no outcome in {en}."
        ),
    )
}
