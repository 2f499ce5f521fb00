//! `refused`: the message had no effect, and its sender or the bus was told (contract 03 section 7, "refused").

use std::time::Duration;

use super::finding::{Seen, both, text, watched_too_short};
use super::inbound::{Report, Request};
use super::view::View;
use crate::Text;
use crate::scenario::CONDITIONS;

/// What is forbidden is watched for at least this long.
pub(super) const WATCH: Duration = Duration::from_secs(30);

pub(super) fn expected(condition: Option<&str>, within: Duration) -> Text {
    let (nb, en) = both(within);
    match condition {
        Some(condition) => text!(
            "Ingen svar, og feilmelding {condition} på helsenorges feilkø innen {nb}. Meldingen er kvittert.",
            "No reply, and the error message {condition} on helsenorge's error queue within {en}. The message is settled."
        ),
        None => text!(
            "Ingen svar, og meldingen er meldt, gitt tilbake, dead-letteret eller utløpt innen {nb}.",
            "No reply, and the message is reported, given back, dead-lettered or expired within {en}."
        ),
    }
}

pub(super) fn judge(
    view: &View<'_>,
    step: &str,
    condition: Option<&str>,
    within: Duration,
) -> Seen {
    match view.sent(step) {
        Ok(requests) => {
            let all: Vec<Seen> = requests
                .iter()
                .map(|request| one(view, request, condition, within))
                .collect();
            Seen::worst(all).unwrap_or_else(watched_too_short)
        }
        Err(seen) => seen,
    }
}

fn one<'a>(
    view: &View<'a>,
    request: &Request<'a>,
    condition: Option<&str>,
    within: Duration,
) -> Seen {
    let start = request.bus.entry;
    if let Some(reply) = view.effect(request) {
        return took_effect(view, request, reply.bus.entry.n);
    }
    if view.deliveries(request.bus.message).is_empty() {
        return Seen::inconclusive(
            "not-delivered",
            text!(
                "Systemet leste aldri meldingen, så den kunne ikke avvises.",
                "The system never read the message, so it could not be refused."
            ),
        )
        .with([start.n]);
    }
    let refusal = match condition {
        Some(condition) => reported(view, request, condition, within),
        None => any_refusal(view, request, within),
    };
    if refusal.is_fail() {
        return refusal;
    }
    if let Some(held) = left_unsettled(view, request, within) {
        return held;
    }
    if !view.watched(start.at() + WATCH) {
        return watched_too_short().with([start.n]);
    }
    refusal
}

fn took_effect<'a>(view: &View<'a>, request: &Request<'a>, reply: u64) -> Seen {
    let seen = Seen::fail(
        "took-effect",
        text!(
            "Systemet svarte på meldingen i stedet for å avvise den.",
            "The system replied to the message instead of refusing it."
        ),
    )
    .with([request.bus.entry.n, reply]);
    let never_asked = view
        .signer(request)
        .is_ok_and(|signer| view.asked(&signer).is_empty());
    if !never_asked {
        return seen;
    }
    seen.recording(text!(
        "Systemet spurte aldri CRL eller OCSP om dette sertifikatet. Handler scenarioet om tilbakekalling, se først om roten står i systemets klareringslager.",
        "The system never asked CRL or OCSP about this certificate. If the scenario is about revocation, first see whether the root stands in the system's trust store."
    ))
}

fn reported<'a>(view: &View<'a>, request: &Request<'a>, condition: &str, within: Duration) -> Seen {
    let start = request.bus.entry;
    let reports = view.reports(request);
    let in_time: Vec<&Report<'_>> = reports
        .iter()
        .filter(|report| report.at <= start.at() + within)
        .collect();
    if let Some(report) = in_time
        .iter()
        .find(|report| report.condition == Some(condition))
    {
        let (nb, en) = both(report.at.saturating_sub(start.at()));
        return Seen::pass(text!(
            "Feilmelding {condition} etter {nb}.",
            "Error message {condition} after {en}."
        ))
        .with([start.n, report.entry.n]);
    }
    if let Some(report) = in_time.first() {
        return other_condition(report).with([start.n]);
    }
    if !view.watched(start.at() + within) {
        return watched_too_short().with([start.n]);
    }
    let (nb, en) = both(within);
    let end = view
        .settlements(request.bus.message)
        .into_iter()
        .rfind(|end| end.is_terminal());
    let fate = end.map_or("-", |end| super::words::outcome(end.outcome));
    Seen::fail(
        "not-reported",
        text!(
            "Ingen feilmelding om meldingen innen {nb}. På bussen ble den kvittert: {fate}.",
            "No error message about the message within {en}. On the bus it was settled: {fate}."
        ),
    )
    .with([start.n])
    .with(end.map(|end| end.entry.n))
}

/// Another condition of contract 03 section 5.2 is a deviation; what is none of them is no error message.
pub(super) fn other_condition(report: &Report<'_>) -> Seen {
    let condition = report.condition.unwrap_or("-");
    let text = text!(
        "Feilmelding med {condition}.",
        "Error message with {condition}."
    );
    if CONDITIONS.contains(&condition) {
        Seen::warning("other-condition", text)
    } else {
        Seen::fail("unknown-condition", text)
    }
    .with([report.entry.n])
}

fn any_refusal<'a>(view: &View<'a>, request: &Request<'a>, within: Duration) -> Seen {
    let start = request.bus.entry;
    let limit = start.at() + within;
    let told = view
        .reports(request)
        .into_iter()
        .find(|report| report.at <= limit)
        .map(|report| {
            let condition = report.condition.unwrap_or("-");
            (
                report.at,
                report.entry,
                text!("feilmelding {condition}", "error message {condition}"),
            )
        });
    let given_back = view
        .settlements(request.bus.message)
        .into_iter()
        .find(|end| end.gives_back() && end.entry.at() <= limit)
        .map(|end| {
            let outcome = super::words::outcome(end.outcome);
            (
                end.entry.at(),
                end.entry,
                text!("kvittert med «{outcome}»", "settled as `{outcome}`"),
            )
        });
    let dead = view
        .dead_lettered(request.bus.message)
        .filter(|(entry, _)| entry.at() <= limit)
        .map(|(entry, reason)| {
            (
                entry.at(),
                entry,
                text!("dead-letteret ({reason})", "dead-lettered ({reason})"),
            )
        });
    if let Some((at, entry, how)) = [told, given_back, dead]
        .into_iter()
        .flatten()
        .min_by_key(|(at, ..)| *at)
    {
        let (nb, en) = both(at.saturating_sub(start.at()));
        let (how_nb, how_en) = (how.nb, how.en);
        return Seen::pass(text!(
            "Avvist etter {nb}: {how_nb}.",
            "Refused after {en}: {how_en}."
        ))
        .with([start.n, entry.n]);
    }
    if !view.watched(limit) {
        return watched_too_short().with([start.n]);
    }
    let silently = view
        .settlements(request.bus.message)
        .into_iter()
        .find(super::view::Settled::is_terminal);
    match silently {
        Some(end) => silently_dropped().with([start.n, end.entry.n]),
        None => held().with([start.n]),
    }
}

pub(super) fn silently_dropped() -> Seen {
    Seen::fail(
        "silently-dropped",
        text!(
            "Systemet kvitterte meldingen bort uten å si fra til noen.",
            "The system settled the message away without telling anybody."
        ),
    )
}

pub(super) fn held() -> Seen {
    Seen::fail(
        "left-unsettled",
        text!(
            "Systemet beholdt meldingen uten å kvittere den.",
            "The system kept the message without settling it."
        ),
    )
}

/// The message is in the hands of the system under test at the end: for the first time, or again and for too long.
fn left_unsettled<'a>(view: &View<'a>, request: &Request<'a>, within: Duration) -> Option<Seen> {
    let delivery = view.unsettled(request.bus.message)?;
    let first = !view
        .settlements(request.bus.message)
        .iter()
        .any(super::view::Settled::is_terminal);
    let long = view.watched(delivery.at() + within.max(WATCH));
    if !long && !first {
        return None;
    }
    Some(
        if view.end.is_some() && view.watched(request.bus.entry.at() + WATCH) {
            held().with([delivery.n])
        } else {
            watched_too_short().with([delivery.n])
        },
    )
}
