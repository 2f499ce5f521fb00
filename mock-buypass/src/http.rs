//! The addresses of the CA: trust, CA certificates, lists and OCSP, with the headers of contract 04 sections 3.2 and 4.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use testbed::Context;
use testbed::evidence::{Event, Part, RevocationSource, RevocationStatus};
use testbed::http::{Answer, Exchange, HttpConfig, Method, StatusCode, header};
use time::macros::format_description;
use time::{Duration, OffsetDateTime, UtcOffset};

use crate::artefact::{CrlArtefact, OcspArtefact};
use crate::authority::Authority;
use crate::crl::{self, PublishedCrl};
use crate::error::CaError;
use crate::ocsp;

/// Largest request body: an OCSP request with many certificates is a few kilobytes.
const BODY_LIMIT: usize = 64 * 1024;
/// How long a fetched CA certificate may be kept.
const CERTIFICATE_KEPT: Duration = Duration::hours(1);

const CRL_TYPE: &str = "application/pkix-crl";
const OCSP_TYPE: &str = "application/ocsp-response";

pub(crate) fn config() -> HttpConfig {
    HttpConfig {
        part: Part::Buypass,
        tls: None,
        body_limit: BODY_LIMIT,
        record_bodies: true,
    }
}

/// Answers below `/<id>/`: the list and the responder of one CA.
pub(crate) fn status_service(
    authority: &Authority,
    below: &str,
    exchange: &Exchange,
    context: &Context,
) -> Answer {
    let answer = match below.split_once('/').unwrap_or((below, "")) {
        ("crl", _) => crl_service(authority, exchange, context),
        ("ocspbs", encoded) => ocsp_service(authority, encoded, exchange, context),
        _ => Ok(Answer::empty(StatusCode::NOT_FOUND)),
    };
    answer.unwrap_or_else(|error| broken(&error, context))
}

/// Answers at the address of a CA's list.
pub(crate) fn crl_service(
    authority: &Authority,
    exchange: &Exchange,
    context: &Context,
) -> Result<Answer, CaError> {
    if exchange.method != Method::GET && exchange.method != Method::HEAD {
        return Ok(not_allowed("GET, HEAD"));
    }
    let now = context.clock.wall();
    let delivered = |status| Event::RevocationDelivered {
        request: exchange.request,
        ca: authority.id.clone(),
        source: RevocationSource::Crl,
        serial: None,
        status,
    };
    if exchange.method == Method::GET {
        let ca = authority.id.clone();
        let asked = Event::RevocationAsked {
            request: exchange.request,
            ca,
            source: RevocationSource::Crl,
            serial: None,
        };
        context.journal.record(Part::Buypass, asked);
    }
    if let Some(name) = &exchange.artefact {
        let Some(artefact) = CrlArtefact::named(name) else {
            return Ok(unknown_artefact(name, context));
        };
        let content_type = if artefact == CrlArtefact::Html {
            "text/html; charset=utf-8"
        } else {
            CRL_TYPE
        };
        let answer = Answer::new(
            StatusCode::OK,
            content_type,
            crl::wrong(authority, artefact, now)?,
        );
        return Ok(dated(answer, now).when_served(delivered(RevocationStatus::Unusable)));
    }
    let list = authority.crl(now)?;
    if unchanged(&list, exchange) {
        let answer = list_headers(Answer::empty(StatusCode::NOT_MODIFIED), &list, now);
        return Ok(answer.when_served(delivered(RevocationStatus::List)));
    }
    if exchange.method == Method::HEAD {
        let answer = Answer::new(StatusCode::OK, CRL_TYPE, Vec::new());
        let answer = answer.with_header(header::CONTENT_LENGTH, &list.der.len().to_string());
        return Ok(list_headers(answer, &list, now));
    }
    let answer = list_headers(
        Answer::new(StatusCode::OK, CRL_TYPE, list.der.clone()),
        &list,
        now,
    );
    Ok(answer.when_served(delivered(RevocationStatus::List)))
}

/// If-None-Match goes before If-Modified-Since (RFC 9110 section 13.2.2); Java sends the latter only.
fn unchanged(list: &PublishedCrl, exchange: &Exchange) -> bool {
    match exchange.header("if-none-match") {
        Some(tags) => tags
            .split(',')
            .any(|tag| tag.trim() == "*" || tag.trim() == tag_of(list)),
        None => exchange
            .header("if-modified-since")
            .and_then(parse_http_date)
            .is_some_and(|since| list.this_update <= since),
    }
}

fn tag_of(list: &PublishedCrl) -> String {
    format!("\"{}\"", list.number)
}

fn list_headers(answer: Answer, list: &PublishedCrl, now: OffsetDateTime) -> Answer {
    // To the next half hour, but never beyond the list's own life.
    let half_hour = 1800 - now.unix_timestamp().rem_euclid(1800);
    let left = (list.next_update - now).whole_seconds().max(0);
    dated(answer, now)
        .with_header(header::ETAG, &tag_of(list))
        .with_header(header::LAST_MODIFIED, &http_date(list.this_update))
        .with_header(
            header::CACHE_CONTROL,
            &format!("max-age={}", half_hour.min(left)),
        )
}

fn ocsp_service(
    authority: &Authority,
    encoded: &str,
    exchange: &Exchange,
    context: &Context,
) -> Result<Answer, CaError> {
    let request = match exchange.method {
        Method::GET => decode(encoded).unwrap_or_default(),
        Method::POST => exchange.body.to_vec(),
        _ => return Ok(not_allowed("GET, POST")),
    };
    let artefact = match exchange
        .artefact
        .as_deref()
        .map(|name| (name, OcspArtefact::named(name)))
    {
        None => None,
        Some((_, Some(artefact))) => Some(artefact),
        Some((name, None)) => return Ok(unknown_artefact(name, context)),
    };
    let now = context.clock.wall();
    let answered = ocsp::answer(authority, &request, artefact, now)?;
    let status =
        StatusCode::from_u16(answered.http_status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut answer = dated(Answer::new(status, OCSP_TYPE, answered.der), now);
    if let Some(keep) = answered.keep.filter(|_| exchange.method == Method::GET) {
        answer = answer.with_header(
            header::CACHE_CONTROL,
            &format!("max-age={}", keep.whole_seconds()),
        );
    }
    for (serial, status) in answered.asked {
        let (request, ca, source) = (
            exchange.request,
            authority.id.clone(),
            RevocationSource::Ocsp,
        );
        let asked = Event::RevocationAsked {
            request,
            ca: ca.clone(),
            source,
            serial: Some(serial.clone()),
        };
        context.journal.record(Part::Buypass, asked);
        answer = answer.when_served(Event::RevocationDelivered {
            request,
            ca,
            source,
            serial: Some(serial),
            status,
        });
    }
    Ok(answer)
}

/// The request in the path of a GET: base64, percent-encoded or not (contract 04 section 4.1).
fn decode(encoded: &str) -> Option<Vec<u8>> {
    let lenient =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(&STANDARD, lenient)
        .decode(percent_decoded(encoded)?)
        .ok()
}

fn percent_decoded(text: &str) -> Option<Vec<u8>> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let mut digit = || char::from(bytes.next()?).to_digit(16);
            decoded.push(u8::try_from(digit()? * 16 + digit()?).ok()?);
        } else {
            decoded.push(byte);
        }
    }
    Some(decoded)
}

/// A certificate of a CA.
pub(crate) fn certificate(authority: &Authority, context: &Context) -> Answer {
    let answer = Answer::new(
        StatusCode::OK,
        "application/pkix-cert",
        authority.certificate_der.clone(),
    );
    dated(answer, context.clock.wall()).with_header(
        header::CACHE_CONTROL,
        &format!("max-age={}", CERTIFICATE_KEPT.whole_seconds()),
    )
}

/// The roots to be trusted.
pub(crate) fn trust(pem: String, context: &Context) -> Answer {
    dated(
        Answer::new(StatusCode::OK, "application/x-pem-file", pem),
        context.clock.wall(),
    )
}

pub(crate) fn not_allowed(methods: &str) -> Answer {
    Answer::empty(StatusCode::METHOD_NOT_ALLOWED).with_header(header::ALLOW, methods)
}

pub(crate) fn broken(error: &CaError, context: &Context) -> Answer {
    context.journal.record(
        Part::Buypass,
        Event::Note {
            text: format!("the CA could not answer: {error}"),
        },
    );
    Answer::empty(StatusCode::INTERNAL_SERVER_ERROR)
}

fn unknown_artefact(name: &str, context: &Context) -> Answer {
    let text = format!("a fault asks for the artefact {name:?}, which this address does not have");
    context.journal.record(Part::Buypass, Event::Note { text });
    Answer::empty(StatusCode::INTERNAL_SERVER_ERROR)
}

/// The date comes from the clock of the run, which may have been moved; the server would take the machine's.
fn dated(answer: Answer, now: OffsetDateTime) -> Answer {
    answer.with_header(header::DATE, &http_date(now))
}

fn http_date(moment: OffsetDateTime) -> String {
    let form = format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    moment
        .to_offset(UtcOffset::UTC)
        .format(&form)
        .unwrap_or_default()
}

fn parse_http_date(text: &str) -> Option<OffsetDateTime> {
    let form = format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    time::PrimitiveDateTime::parse(text, &form)
        .ok()
        .map(time::PrimitiveDateTime::assume_utc)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_dates_are_read_as_they_are_written() {
        let moment = time::macros::datetime!(2026-11-20 17:00:00 UTC);
        assert_eq!(http_date(moment), "Fri, 20 Nov 2026 17:00:00 GMT");
        assert_eq!(
            parse_http_date("Fri, 20 Nov 2026 17:00:00 GMT"),
            Some(moment)
        );
        assert_eq!(parse_http_date("yesterday"), None);
    }

    #[test]
    fn requests_in_paths_are_decoded_with_and_without_percent_signs() {
        let bytes = vec![0xfb, 0xef, 0xff, 0x00];
        for path in ["++//AA==", "%2B%2B%2F%2fAA%3D%3D", "++//AA"] {
            assert_eq!(decode(path).map(|decoded| decoded.len()), Some(4), "{path}");
        }
        assert_eq!(decode("%2B%2B//AA=="), Some(vec![0xfb, 0xef, 0xff, 0x00]));
        assert_eq!(decode("++//AA"), Some(bytes));
        assert_eq!(decode("%2"), None);
        assert_eq!(decode("%zz"), None);
    }
}
