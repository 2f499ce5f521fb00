//! `no-reply-without-status`: no valid reply before a status answer about the signer was delivered whole.

use super::finding::{Seen, text, watched_too_short};
use super::inbound::Request;
use super::outcome_below::cache_state_unknown;
use super::view::View;
use crate::Text;

pub(super) fn expected() -> Text {
    text!(
        "Ingen gyldige svar før en status for signatursertifikatet er levert.",
        "No valid reply before a status of the signing certificate was delivered."
    )
}

pub(super) fn judge(view: &View<'_>, step: &str) -> Seen {
    match view.sent(step) {
        Ok(requests) => {
            let all: Vec<Seen> = requests.iter().map(|request| one(view, request)).collect();
            Seen::worst(all).unwrap_or_else(watched_too_short)
        }
        Err(seen) => seen,
    }
}

fn one<'a>(view: &View<'a>, request: &Request<'a>) -> Seen {
    let signer = match view.signer(request) {
        Ok(signer) => signer,
        Err(seen) => return seen,
    };
    if view.asked(&signer).is_empty() {
        return cache_state_unknown().with([request.bus.entry.n]);
    }
    let Some(reply) = view.effect(request) else {
        return if view.conclusion(request).is_some() {
            Seen::pass(text!("Ingen gyldige svar kom.", "No valid reply came."))
                .with([request.bus.entry.n])
        } else {
            watched_too_short().with([request.bus.entry.n])
        };
    };
    match view
        .delivered(&signer)
        .into_iter()
        .find(|status| status.n < reply.bus.entry.n)
    {
        Some(status) => Seen::pass(text!(
            "Statusen var levert før svaret kom.",
            "The status had been delivered before the reply came."
        ))
        .with([status.n, reply.bus.entry.n]),
        None => Seen::fail(
            "answered-without-status",
            text!(
                "Svaret kom før noen status var levert.",
                "The reply came before any status had been delivered."
            ),
        )
        .with([request.bus.entry.n, reply.bus.entry.n]),
    }
}
