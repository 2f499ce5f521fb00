//! `status-asked`: the signer's status was asked for before the reply (REV-01).

use super::finding::{Seen, text, watched_too_short};
use super::inbound::Request;
use super::view::View;
use crate::Text;

pub(super) fn expected() -> Text {
    text!(
        "Minst ett spørsmål til CRL eller OCSP om signatursertifikatet før svaret.",
        "At least one question to CRL or OCSP about the signing certificate before the reply."
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
    let reply = view.effect(request);
    let asked = view.asked(&signer);
    let before = asked.iter().find(|question| {
        reply
            .as_ref()
            .is_none_or(|reply| question.entry.n < reply.bus.entry.n)
    });
    match (before, reply) {
        (Some(question), _) => Seen::pass(text!("Spurt før svaret.", "Asked before the reply."))
            .with([question.entry.n]),
        (None, Some(reply)) => Seen::fail(
            "answered-without-asking",
            text!(
                "Svaret kom uten at CRL eller OCSP var spurt. Kommer det aldri noe spørsmål, se først om roten står i systemets klareringslager.",
                "The reply came without CRL or OCSP having been asked. If no question ever comes, first see whether the root stands in the system's trust store."
            ),
        )
        .with([request.bus.entry.n, reply.bus.entry.n]),
        (None, None) => Seen::inconclusive(
            "no-reply",
            text!(
                "Det kom verken spørsmål eller svar.",
                "There was neither a question nor a reply."
            ),
        )
        .with([request.bus.entry.n]),
    }
}
