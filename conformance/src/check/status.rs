//! Revocation status: who asked for the status of a signer, how long it took, and what was delivered.
//!
//! A question counts for a signer when it was put to the signer's CA and, with OCSP, for the signer's serial number: a
//! system that asks only about the certificate it encrypts to has not checked who signed.

use std::time::Duration;

use testbed::evidence::{Entry, Event, HttpEnd, RevocationSource, RevocationStatus};

use super::finding::{Seen, both, text};
use super::inbound::Request;
use super::view::{View, same_serial};
use crate::Text;

/// A question for the status of a signer.
pub(super) struct Asked<'a> {
    pub(super) entry: &'a Entry,
    pub(super) request: u64,
    pub(super) source: RevocationSource,
}

/// The certificate that signed a request.
pub(super) struct Signer<'a> {
    ca: &'a str,
    serial: &'a str,
}

impl<'a> View<'a> {
    /// The signer of a request and its CA.
    pub(super) fn signer(&self, request: &Request<'a>) -> Result<Signer<'a>, Seen> {
        let found = request.signer.and_then(|serial| {
            self.entries.iter().find_map(|entry| match &entry.event {
                Event::CertificateState {
                    ca,
                    serial: issued,
                    action,
                    ..
                } if action == "issued" && same_serial(issued, serial) => {
                    Some(Signer { ca, serial })
                }
                _ => None,
            })
        });
        found.ok_or_else(|| {
            Seen::error(
                "signer-unknown",
                text!(
                    "Journalen sier ikke hvilket sertifikat som signerte forespørselen.",
                    "The journal does not say which certificate signed the request."
                ),
            )
            .with([request.sent.n])
        })
    }

    /// Questions for the status of a signer, in order.
    pub(super) fn asked(&self, signer: &Signer<'_>) -> Vec<Asked<'a>> {
        self.entries
            .iter()
            .filter_map(|entry| match &entry.event {
                Event::RevocationAsked {
                    request,
                    ca,
                    source,
                    serial,
                } if signer.fits(ca, *source, serial.as_deref()) => Some(Asked {
                    entry,
                    request: *request,
                    source: *source,
                }),
                _ => None,
            })
            .collect()
    }

    /// Status answers about a signer that were delivered whole and say something, in order.
    pub(super) fn delivered(&self, signer: &Signer<'_>) -> Vec<&'a Entry> {
        let says_something = |status| {
            matches!(
                status,
                RevocationStatus::Good | RevocationStatus::Revoked | RevocationStatus::List
            )
        };
        self.entries
            .iter()
            .filter(|entry| match &entry.event {
                Event::RevocationDelivered {
                    ca,
                    source,
                    serial,
                    status,
                    ..
                } => signer.fits(ca, *source, serial.as_deref()) && says_something(*status),
                _ => false,
            })
            .collect()
    }

    /// The status code with which an HTTP request was answered, and when.
    pub(super) fn answered(&self, number: u64) -> Option<(&'a Entry, u16)> {
        self.entries.iter().find_map(|entry| match &entry.event {
            Event::HttpAnswer {
                request, status, ..
            } if *request == number => Some((entry, *status)),
            _ => None,
        })
    }

    /// The arrival of an HTTP request, and whether it asked for changes only.
    pub(super) fn arrival(&self, number: u64) -> Option<(&'a Entry, bool)> {
        self.entries.iter().find_map(|entry| match &entry.event {
            Event::HttpRequest {
                request, headers, ..
            } if *request == number => {
                let conditional = |name: &str| {
                    name.eq_ignore_ascii_case("if-none-match")
                        || name.eq_ignore_ascii_case("if-modified-since")
                };
                Some((entry, headers.iter().any(|(name, _)| conditional(name))))
            }
            _ => None,
        })
    }

    fn ended(&self, number: u64) -> Option<(&'a Entry, HttpEnd)> {
        self.entries.iter().find_map(|entry| match &entry.event {
            Event::HttpEnded { request, end, .. } if *request == number => Some((entry, *end)),
            _ => None,
        })
    }

    /// How each question went, as facts for the reader; closing times are read as contract 03 section 7.10 item 7 says.
    pub(super) fn fetches(&self, asked: &[Asked<'a>], since: Duration) -> Vec<Text> {
        asked
            .iter()
            .map(|question| self.fetch(question, since))
            .collect()
    }

    fn fetch(&self, question: &Asked<'a>, since: Duration) -> Text {
        let source = match question.source {
            RevocationSource::Crl => "CRL",
            RevocationSource::Ocsp => "OCSP",
            RevocationSource::Ldap => "LDAP",
        };
        let begun = self
            .arrival(question.request)
            .map_or(question.entry, |(entry, _)| entry)
            .at();
        let (after_nb, after_en) = both(begun.saturating_sub(since));
        match self.ended(question.request) {
            None => text!(
                "{source} etter {after_nb}: fortsatt åpen ved slutten.",
                "{source} after {after_en}: still open at the end."
            ),
            Some((entry, end)) => {
                let length = entry.at().saturating_sub(begun);
                let (nb, en) = both(length);
                match end {
                    HttpEnd::Served => text!(
                        "{source} etter {after_nb}: besvart, ferdig etter {nb}.",
                        "{source} after {after_en}: answered, done after {en}."
                    ),
                    HttpEnd::CutOff => text!(
                        "{source} etter {after_nb}: avbrutt av tjenesten etter {nb}.",
                        "{source} after {after_en}: cut off by the service after {en}."
                    ),
                    HttpEnd::ClosedByPeer => {
                        let setting = setting(length);
                        let (setting_nb, setting_en) = (setting.nb, setting.en);
                        text!(
                            "{source} etter {after_nb}: lukket av systemet etter {nb}{setting_nb}.",
                            "{source} after {after_en}: closed by the system after {en}{setting_en}."
                        )
                    }
                }
            }
        }
    }
}

impl Signer<'_> {
    fn fits(&self, ca: &str, source: RevocationSource, serial: Option<&str>) -> bool {
        ca == self.ca
            && (source != RevocationSource::Ocsp
                || serial.is_some_and(|serial| same_serial(serial, self.serial)))
    }
}

fn setting(length: Duration) -> Text {
    match length.as_millis() {
        0..1200 => text!(" (som med 1 s grense)", " (as with a limit of 1 s)"),
        14_000..=16_000 => text!(
            " (som med standarden på 15 s)",
            " (as with the default of 15 s)"
        ),
        29_000..=31_000 => text!(
            " (som med klientbibliotekets 30 s)",
            " (as with the client library's 30 s)"
        ),
        _ => Text::default(),
    }
}
