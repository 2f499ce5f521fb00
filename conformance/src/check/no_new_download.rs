//! `no-new-download`: the CRL is not downloaded anew during a call (REV-06). OCSP questions are recorded only.

use testbed::evidence::RevocationSource;

use super::finding::{Seen, text, watched_too_short};
use super::inbound::Request;
use super::status::Asked;
use super::view::View;
use crate::Text;

pub(super) fn expected() -> Text {
    text!(
        "Tilbakekallingslisten blir ikke lastet ned på nytt i løpet av kallet.",
        "The revocation list is not downloaded again during the call."
    )
}

pub(super) fn judge(view: &View<'_>, step: &str) -> Seen {
    match view.sent(step) {
        Ok(requests) => {
            let all: Vec<Seen> = requests
                .iter()
                .map(|request| one(view, request, step))
                .collect();
            Seen::worst(all).unwrap_or_else(watched_too_short)
        }
        Err(seen) => seen,
    }
}

fn one<'a>(view: &View<'a>, request: &Request<'a>, step: &str) -> Seen {
    let signer = match view.signer(request) {
        Ok(signer) => signer,
        Err(seen) => return seen,
    };
    let start = request.bus.entry;
    let end = view
        .valid_reply(request)
        .map(|reply| reply.bus.entry)
        .or_else(|| view.step_ended(step));
    let Some(end) = end else {
        return watched_too_short().with([start.n]);
    };
    let (lists, others): (Vec<Asked<'_>>, Vec<Asked<'_>>) = view
        .asked(&signer)
        .into_iter()
        .filter(|question| question.entry.n > start.n && question.entry.n < end.n)
        .partition(|question| question.source == RevocationSource::Crl);
    let full = lists.iter().find(|question| is_download(view, question));
    let seen = match full {
        Some(question) => Seen::fail(
            "crl-not-cached",
            text!(
                "Systemet begynte på en ny nedlasting av hele listen.",
                "The system began a new download of the whole list."
            ),
        )
        .with([start.n, question.entry.n]),
        None => {
            Seen::pass(text!("Ingen ny nedlasting.", "No new download.")).with([start.n, end.n])
        }
    };
    let number = others.len();
    if number == 0 {
        return seen;
    }
    seen.recording(text!(
        "{number} OCSP-spørsmål i løpet av kallet.",
        "{number} OCSP questions during the call."
    ))
}

/// An answer 304 is no download, and neither is a question for changes that has no answer yet.
fn is_download(view: &View<'_>, question: &Asked<'_>) -> bool {
    match view.answered(question.request) {
        Some((_, status)) => status == 200,
        None => view
            .arrival(question.request)
            .is_none_or(|(_, conditional)| !conditional),
    }
}
