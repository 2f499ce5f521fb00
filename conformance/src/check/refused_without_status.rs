//! `refused-without-status`: with no status to be had, the message is given back or reported (contract 03 section 5.3).

use std::time::Duration;

use testbed::evidence::BusOutcome;

use super::finding::{Seen, both, text, watched_too_short};
use super::inbound::Request;
use super::refused::{WATCH, held, other_condition, silently_dropped};
use super::view::View;
use crate::Text;

/// Conditions that say that the status could not be determined.
const OFFLINE: [&str; 3] = [
    "transport:invalid-certificate",
    "transport:revoked-certificate",
    "transport:revoked-certificate-offline",
];

pub(super) fn expected(within: Duration) -> Text {
    let (nb, en) = both(within);
    text!(
        "Ingen gyldige svar uten status. Meldingen gis tilbake (modified eller released) eller meldes med revoked-certificate-offline, revoked-certificate eller invalid-certificate, senest {nb} etter levering.",
        "No valid reply without a status. The message is given back (modified or released) or reported with revoked-certificate-offline, revoked-certificate or invalid-certificate, at the latest {en} after its delivery."
    )
}

pub(super) fn judge(view: &View<'_>, step: &str, within: Duration) -> Seen {
    match view.sent(step) {
        Ok(requests) => {
            let all: Vec<Seen> = requests
                .iter()
                .map(|request| one(view, request, within))
                .collect();
            Seen::worst(all).unwrap_or_else(watched_too_short)
        }
        Err(seen) => seen,
    }
}

fn one<'a>(view: &View<'a>, request: &Request<'a>, within: Duration) -> Seen {
    let start = request.bus.entry;
    let signer = match view.signer(request) {
        Ok(signer) => signer,
        Err(seen) => return seen,
    };
    if let Some(reply) = view.effect(request) {
        let known = view
            .delivered(&signer)
            .into_iter()
            .any(|status| status.n < reply.bus.entry.n);
        if !known {
            return Seen::fail(
                "answered-without-status",
                text!(
                    "Systemet svarte, enda ingen status kunne hentes.",
                    "The system replied, although no status could be fetched."
                ),
            )
            .with([start.n, reply.bus.entry.n]);
        }
    }
    let Some((delivered, ..)) = view.deliveries(request.bus.message).first().copied() else {
        return Seen::inconclusive(
            "not-delivered",
            text!(
                "Systemet leste aldri meldingen.",
                "The system never read the message."
            ),
        )
        .with([start.n]);
    };
    let refusal = refusal(view, request, delivered.at(), within);
    if refusal.is_fail() || view.watched(start.at() + WATCH) {
        return refusal.with([start.n]);
    }
    watched_too_short().with([start.n])
}

fn refusal<'a>(
    view: &View<'a>,
    request: &Request<'a>,
    delivered: Duration,
    within: Duration,
) -> Seen {
    let limit = delivered + within;
    let reports = view.reports(request);
    let ends = view.settlements(request.bus.message);
    let given_back = ends
        .iter()
        .find(|end| end.gives_back() && end.outcome != BusOutcome::Rejected);
    let told = reports.iter().find(|report| {
        report
            .condition
            .is_some_and(|condition| OFFLINE.contains(&condition))
    });
    let first = [
        given_back.map(|end| {
            (
                end.entry.at(),
                end.entry.n,
                super::words::outcome(end.outcome),
            )
        }),
        told.map(|report| (report.at, report.entry.n, report.condition.unwrap_or("-"))),
    ];
    if let Some((at, n, how)) = first.into_iter().flatten().min_by_key(|(at, ..)| *at) {
        let (nb, en) = both(at.saturating_sub(delivered));
        return if at <= limit {
            Seen::pass(text!("Etter {nb}: {how}.", "After {en}: {how}."))
        } else {
            Seen::fail(
                "too-late",
                text!("Først etter {nb}: {how}.", "Only after {en}: {how}."),
            )
        }
        .with([n]);
    }
    if let Some(report) = reports.first() {
        return other_condition(report);
    }
    if let Some(end) = ends.iter().find(|end| end.outcome == BusOutcome::Rejected) {
        return Seen::fail(
            "rejected",
            text!(
                "Meldingen ble forkastet (rejected) og havnet i dead letter-køen, enda mangelen på status er forbigående.",
                "The message was thrown away (rejected) and went to the dead-letter queue, although the want of a status is passing."
            ),
        )
        .with([end.entry.n]);
    }
    if !view.watched(limit) {
        return watched_too_short();
    }
    match ends.iter().find(|end| end.is_terminal()) {
        Some(end) => silently_dropped().with([end.entry.n]),
        None => held(),
    }
}
