//! `valid-reply` and `valid-reply-below`: did each request get one valid reply of its own, and how fast?

use std::time::Duration;

use testbed::evidence::ExchangeOutcome;

use super::finding::{Seen, both, text, watched_too_short};
use super::inbound::{Reply, Request};
use super::view::View;
use crate::Text;

/// How long after the request helsenorge must have concluded: its own 15 s and as much again.
const CONCLUDED: Duration = Duration::from_secs(30);

pub(super) fn expected(limit: Option<Duration>) -> Text {
    match limit {
        None => text!(
            "Ett gyldig svar på hver forespørsel, med dens correlation-id, på køen i dens reply-to.",
            "One valid reply to each request, with its correlation-id, on the queue in its reply-to."
        ),
        Some(limit) => {
            let (nb, en) = both(limit);
            text!(
                "Gyldig svar på bussen mindre enn {nb} etter forespørselen.",
                "A valid reply on the bus less than {en} after the request."
            )
        }
    }
}

pub(super) fn judge(view: &View<'_>, step: &str, limit: Option<Duration>) -> Seen {
    let requests = match view.sent(step) {
        Ok(requests) => requests,
        Err(seen) => return seen,
    };
    let total = requests.len();
    let mut longest = Duration::ZERO;
    let mut evidence = Vec::new();
    let mut open = None;
    for request in &requests {
        match one(view, request) {
            Ok(reply) => {
                longest = longest.max(reply.bus.entry.at().saturating_sub(request.bus.entry.at()));
                evidence.extend([request.bus.entry.n, reply.bus.entry.n]);
            }
            Err(seen) if seen.is_fail() => return count(view, &requests, seen),
            Err(seen) => open = open.or(Some(seen)),
        }
    }
    if let Some(seen) = open {
        return seen;
    }
    let reported: usize = requests
        .iter()
        .map(|request| view.reports(request).len())
        .sum();
    let (nb, en) = both(longest);
    match limit {
        Some(limit) if longest >= limit => Seen::fail(
            "too-slow",
            text!(
                "Gyldig svar, men først etter {nb}.",
                "A valid reply, but only after {en}."
            ),
        ),
        _ if total == 1 => Seen::pass(text!("Gyldig svar etter {nb}.", "Valid reply after {en}.")),
        _ => Seen::pass(text!(
            "{total} av {total} svar er gyldige; det tregeste etter {nb}.",
            "{total} of {total} replies are valid; the slowest after {en}."
        )),
    }
    .with(evidence)
    .recording_if(reported > 0, || {
        text!(
            "Systemet sendte også {reported} feilmeldinger om de samme forespørslene.",
            "The system also sent {reported} error messages about the same requests."
        )
    })
}

/// With several requests, how many of them are well.
fn count(view: &View<'_>, requests: &[Request<'_>], seen: Seen) -> Seen {
    let total = requests.len();
    if total == 1 {
        return seen;
    }
    let well = requests
        .iter()
        .filter(|request| one(view, request).is_ok())
        .count();
    seen.recording(text!(
        "{well} av {total} svar er gyldige.",
        "{well} of {total} replies are valid."
    ))
}

fn one<'a>(view: &View<'a>, request: &Request<'a>) -> Result<Reply<'a>, Seen> {
    let Some((entry, outcome, detail)) = view.conclusion(request) else {
        return Err(if view.watched(request.bus.entry.at() + CONCLUDED) {
            Seen::error(
                "no-conclusion",
                text!(
                    "helsenorge trakk ingen konklusjon.",
                    "helsenorge drew no conclusion."
                ),
            )
        } else {
            watched_too_short()
        }
        .with([request.sent.n]));
    };
    let seen = match outcome {
        ExchangeOutcome::RepliedOk => return replied(view, request, entry.n),
        // Without a flaw of its own the reply was only too late (VR3).
        ExchangeOutcome::RepliedInvalid if view.effect(request).is_some() => {
            timed_out(view, request)
        }
        ExchangeOutcome::RepliedInvalid => invalid(view, request, detail),
        ExchangeOutcome::ErrorReceived => {
            let condition = view
                .reports(request)
                .into_iter()
                .find_map(|report| report.condition);
            let condition = condition.unwrap_or("?");
            Seen::fail(
                "refused",
                text!(
                    "Systemet avviste forespørselen med feilmelding {condition}.",
                    "The system refused the request with the error message {condition}."
                ),
            )
        }
        ExchangeOutcome::TimedOut => timed_out(view, request),
    };
    Err(seen.with([request.bus.entry.n, entry.n]))
}

fn replied<'a>(view: &View<'a>, request: &Request<'a>, conclusion: u64) -> Result<Reply<'a>, Seen> {
    let replies = view.replies(request);
    let Some(reply) = replies.iter().find(|reply| reply.flaw.is_none()) else {
        return Err(Seen::error(
            "evidence-contradictory",
            text!(
                "helsenorge sier at svaret var gyldig, men bussen har ikke noe slikt svar.",
                "helsenorge says that the reply was valid, but the bus has no such reply."
            ),
        )
        .with([conclusion]));
    };
    // Delivered twice, answered twice: what that is worth is judged where a delivery is taken back, not here.
    let redelivered = view.deliveries(request.bus.message).len() > 1;
    if replies.len() > 1 && !redelivered {
        let number = replies.len();
        return Err(Seen::fail(
            "more-than-one-reply",
            text!(
                "{number} svar kom på én forespørsel.",
                "{number} replies came to one request."
            ),
        )
        .with(replies.iter().map(|reply| reply.bus.entry.n)));
    }
    Ok(*reply)
}

fn invalid<'a>(view: &View<'a>, request: &Request<'a>, detail: &str) -> Seen {
    let flaw = view
        .replies(request)
        .into_iter()
        .find_map(|reply| reply.flaw);
    let (check, detail) = flaw.map_or(("?", detail), |(_, check, detail)| (check, detail));
    Seen::fail(
        "invalid-reply",
        text!(
            "Svaret er ikke gyldig: kontroll {check}: {detail}",
            "The reply is not valid: check {check}: {detail}"
        ),
    )
    .with(flaw.map(|(entry, ..)| entry.n))
}

fn timed_out<'a>(view: &View<'a>, request: &Request<'a>) -> Seen {
    if let Some(reply) = view.effect(request) {
        let (nb, en) = both(reply.bus.entry.at().saturating_sub(request.bus.entry.at()));
        return Seen::fail(
            "too-late",
            text!(
                "Svaret kom etter {nb}, da helsenorge hadde sluttet å vente.",
                "The reply came after {en}, when helsenorge had ceased to wait."
            ),
        )
        .with([reply.bus.entry.n]);
    }
    if let Some(elsewhere) = view.correlated(request).next() {
        let queue = elsewhere.queue;
        let wanted = request.bus.facts.reply_to.as_deref().unwrap_or("?");
        return Seen::fail(
            "wrong-queue",
            text!(
                "Svaret ble sendt til køen {queue}; forespørselen ba om {wanted}.",
                "The reply was sent to the queue {queue}; the request asked for {wanted}."
            ),
        )
        .with([elsewhere.entry.n]);
    }
    let Some(orphan) = view.orphans(request).into_iter().next() else {
        return Seen::fail("no-reply", text!("Ingen svar kom.", "No reply came."));
    };
    let id = orphan.facts.correlation_id.as_deref().unwrap_or("-");
    let wanted = request.correlation_id.unwrap_or(request.message_id);
    Seen::fail(
        "wrong-correlation",
        text!(
            "Ingen svar med forespørselens correlation-id {wanted} kom. På svarkøen kom en melding med correlation-id {id}, som helsenorge ikke har brukt.",
            "No reply with the request's correlation-id {wanted} came. On the reply queue came a message with the correlation-id {id}, which helsenorge has not used."
        ),
    )
    .with([orphan.entry.n])
}
