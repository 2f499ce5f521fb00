//! The baseline: before the disturbance, a communication test has to succeed (contract 03 section 7).

use std::time::Duration;

use testbed::evidence::Event;

use super::finding::{Finding, Seen, seconds};
use super::view::View;
use crate::Text;
use crate::scenario::BASELINE_STEP;

/// `SYNC_CALL_TIMEOUT` of contract 03 section 0.3.
const LIMIT: Duration = Duration::from_secs(15);

pub(super) fn judge(view: &View<'_>) -> Finding {
    let limit = seconds(LIMIT);
    seen(view).expecting(Text::new(
        format!(
            "Før forstyrrelsen: gyldig svar på en kommunikasjonstest innen {}.",
            limit.nb
        ),
        format!(
            "Before the disturbance: a valid reply to a communication test within {}.",
            limit.en
        ),
    ))
}

fn seen(view: &View<'_>) -> Seen {
    let inbound = view
        .requests(BASELINE_STEP)
        .into_iter()
        .find_map(|request| {
            let reply = view.valid_reply(&request)?;
            let sent = request.bus.entry;
            Some((
                sent.n,
                reply.bus.entry.n,
                reply.bus.entry.at().saturating_sub(sent.at()),
            ))
        });
    let Some((sent, replied, length)) = inbound.filter(|(.., length)| *length <= LIMIT) else {
        let tried = view
            .requests(BASELINE_STEP)
            .into_iter()
            .map(|request| request.sent.n);
        return Seen::inconclusive(
            "baseline",
            Text::new(
                "inconclusive: baseline. Systemet svarte ikke gyldig på en kommunikasjonstest før noe var galt. Kjør COM-02 først.",
                "inconclusive: baseline. The system did not validly answer a communication test before anything was wrong. Run COM-02 first.",
            ),
        )
        .with(tried);
    };
    if let Some((asked, outcome)) = outbound_not_successful(view) {
        return Seen::inconclusive(
            "baseline",
            Text::new(
                format!("inconclusive: baseline. Systemets egen kommunikasjonstest ga «{outcome}» før noe var galt. Kjør COM-01 først."),
                format!("inconclusive: baseline. The system's own communication test gave `{outcome}` before anything was wrong. Run COM-01 first."),
            ),
        )
        .with([asked]);
    }
    let length = seconds(length);
    Seen::pass(Text::new(
        format!("Gyldig svar etter {}.", length.nb),
        format!("Valid reply after {}.", length.en),
    ))
    .with([sent, replied])
}

/// A communication test that a driver was asked for and that did not succeed; a missing driver takes nothing away.
fn outbound_not_successful(view: &View<'_>) -> Option<(u64, String)> {
    let (asked, number) = view
        .in_step(BASELINE_STEP)
        .find_map(|entry| match &entry.event {
            Event::SutAsked { verb, call, .. } if verb == "run-komtest" => Some((entry, *call)),
            _ => None,
        })?;
    let outcome = view
        .entries
        .iter()
        .skip_while(|entry| entry.n <= asked.n)
        .find_map(|entry| match &entry.event {
            Event::SutAnswered { call, answer, .. } if *call == number => Some(
                answer
                    .get("outcome")
                    .and_then(|outcome| outcome.as_str())
                    .unwrap_or("?")
                    .to_owned(),
            ),
            Event::SutUnanswered { call, reason, .. } if *call == number => Some(reason.clone()),
            _ => None,
        });
    let outcome = outcome.unwrap_or_else(|| "?".to_owned());
    let fine = outcome == "success" || outcome.starts_with(crate::scenario::NEEDS_DRIVER);
    (!fine).then_some((asked.n, outcome))
}
