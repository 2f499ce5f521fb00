//! The control plane of a running network, in its first form: faults and evidence over HTTP on the loopback interface.
//!
//! | Request | Does |
//! |---|---|
//! | `GET /health` | 204 while the network runs |
//! | `GET /faults` | the faults in place, a JSON array |
//! | `POST /faults` | puts one more in place: `{"name":"slow-list","at":{"part":"buypass","operation":"http","subject":"*/crl/*"},"action":{"delay-ms":3000}}`, with `skip` and `count` if wanted |
//! | `DELETE /faults/NAME` | takes those of that name away; 404 when there is none |
//! | `GET /evidence?after=N` | the entries numbered above N, JSON Lines, at most [`ENTRIES`] |
//!
//! Whoever can reach it can break the simulated network, so it listens on loopback only and is off unless asked for.

use axum::http::{Method, StatusCode};
use tokio::net::TcpListener;

use crate::Context;
use crate::evidence::Part;
use crate::fault::Fault;
use crate::http::{Answer, Exchange, HttpConfig, HttpServer, serve};
use crate::listener::BindError;

/// Most entries of one answer.
pub const ENTRIES: usize = 1000;
/// Most faults that can be in place.
const FAULTS: usize = 100;
/// Longest request body, in bytes.
const BODY: usize = 16 * 1024;

/// Serves the control plane until the context's shutdown fires.
///
/// # Errors
/// [`BindError`] when the listener has no address.
pub fn start(listener: TcpListener, context: Context) -> Result<HttpServer, BindError> {
    let config = HttpConfig {
        part: Part::Runner,
        tls: None,
        body_limit: BODY,
        record_bodies: true,
    };
    let served = context.clone();
    serve(config, listener, context, move |exchange| {
        let answer = answer(&exchange, &served);
        async move { answer }
    })
}

fn answer(exchange: &Exchange, context: &Context) -> Answer {
    // A page in a browser can reach loopback too; it cannot leave this header out, and tools do not send it.
    if exchange.header("origin").is_some() {
        return said(StatusCode::FORBIDDEN, "not for web pages");
    }
    match (&exchange.method, exchange.path()) {
        (&Method::GET, "/health") => Answer::empty(StatusCode::NO_CONTENT),
        (&Method::GET, "/faults") => json(&context.faults.installed()),
        (&Method::POST, "/faults") => install(exchange, context),
        (&Method::GET, "/evidence") => evidence(exchange, context),
        (&Method::DELETE, path) => match path.strip_prefix("/faults/") {
            Some(name) if context.faults.remove(name) => Answer::empty(StatusCode::NO_CONTENT),
            Some(name) => said(
                StatusCode::NOT_FOUND,
                &format!("no fault `{name}` is in place"),
            ),
            None => unknown(),
        },
        _ => unknown(),
    }
}

fn install(exchange: &Exchange, context: &Context) -> Answer {
    if context.faults.installed().len() >= FAULTS {
        return said(
            StatusCode::CONFLICT,
            &format!("{FAULTS} faults are in place already"),
        );
    }
    match serde_json::from_slice::<Fault>(&exchange.body) {
        Ok(fault) => {
            context.faults.install(fault);
            Answer::empty(StatusCode::NO_CONTENT)
        }
        Err(error) => said(
            StatusCode::UNPROCESSABLE_ENTITY,
            &format!("this is no fault: {error}"),
        ),
    }
}

fn evidence(exchange: &Exchange, context: &Context) -> Answer {
    let after = exchange
        .uri
        .query()
        .map_or(Ok(0), |query| match query.strip_prefix("after=") {
            Some(number) => number.parse::<u64>().map_err(|_| ()),
            None => Err(()),
        });
    let Ok(after) = after else {
        return said(
            StatusCode::BAD_REQUEST,
            "`after` must be the number of an entry: /evidence?after=12",
        );
    };
    let lines: String = context
        .journal
        .entries()
        .iter()
        .filter(|entry| entry.n > after)
        .take(ENTRIES)
        .filter_map(|entry| serde_json::to_string(entry.as_ref()).ok())
        .map(|line| line + "\n")
        .collect();
    Answer::new(StatusCode::OK, "application/x-ndjson", lines)
}

fn json(value: &impl serde::Serialize) -> Answer {
    match serde_json::to_vec(value) {
        Ok(text) => Answer::new(StatusCode::OK, "application/json", text),
        Err(error) => said(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

fn said(status: StatusCode, text: &str) -> Answer {
    Answer::new(status, "text/plain; charset=utf-8", format!("{text}\n"))
}

fn unknown() -> Answer {
    said(
        StatusCode::NOT_FOUND,
        "there is /health, /faults, /faults/NAME and /evidence?after=N",
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::http::{HeaderMap, HeaderValue};
    use bytes::Bytes;

    use super::*;
    use crate::evidence::Event;
    use crate::fault::FaultAction;
    use crate::{Clock, FaultPlan, Journal, Seed, Shutdown};

    fn context() -> (Context, Shutdown) {
        let (shutdown, signal) = Shutdown::new();
        let clock = Clock::start();
        let context = Context {
            journal: Journal::in_memory(clock.clone()),
            clock,
            faults: FaultPlan::new(),
            seed: Seed::new(1),
            shutdown: signal,
        };
        (context, shutdown)
    }

    fn asked(context: &Context, method: Method, target: &str, body: &str) -> (u16, String) {
        let exchange = Exchange {
            request: 1,
            peer: ([127, 0, 0, 1], 1).into(),
            method,
            uri: target.parse().unwrap(),
            headers: HeaderMap::new(),
            body: Bytes::from(body.to_owned()),
            artefact: None,
        };
        let response = answer(&exchange, context).response;
        let text = String::from_utf8(response.body().to_vec()).unwrap();
        (response.status().as_u16(), text)
    }

    #[test]
    fn a_fault_is_put_in_place_shown_and_taken_away() {
        let (context, _shutdown) = context();
        let fault = r#"{"name":"slow-list","at":{"part":"buypass","operation":"http","subject":"*/crl/*"},"action":{"delay-ms":3000}}"#;
        assert_eq!(asked(&context, Method::POST, "/faults", fault).0, 204);
        let hit = context
            .faults
            .arrive(Part::Buypass, "http", "/ca-1/crl/x.crl")
            .unwrap();
        assert_eq!(hit.action, FaultAction::Delay(Duration::from_secs(3)));
        let (_, shown) = asked(&context, Method::GET, "/faults", "");
        assert!(shown.contains(r#""delay-ms":3000"#), "{shown}");
        assert_eq!(
            asked(&context, Method::DELETE, "/faults/slow-list", "").0,
            204
        );
        assert_eq!(
            asked(&context, Method::DELETE, "/faults/slow-list", "").0,
            404
        );
    }

    #[test]
    fn what_is_wrong_is_said() {
        let (context, _shutdown) = context();
        let (status, text) = asked(&context, Method::POST, "/faults", r#"{"name":"x"}"#);
        assert!(status == 422 && text.contains("at"), "{text}");
        assert_eq!(asked(&context, Method::GET, "/evidence?after=x", "").0, 400);
        assert_eq!(asked(&context, Method::GET, "/", "").0, 404);
        let mut headers = HeaderMap::new();
        headers.insert("origin", HeaderValue::from_static("https://x.example"));
        let exchange = Exchange {
            request: 1,
            peer: ([127, 0, 0, 1], 1).into(),
            method: Method::GET,
            uri: "/faults".parse().unwrap(),
            headers,
            body: Bytes::new(),
            artefact: None,
        };
        assert_eq!(answer(&exchange, &context).response.status(), 403);
    }

    #[test]
    fn evidence_is_given_from_an_entry_on() {
        let (context, _shutdown) = context();
        for text in ["a", "b"] {
            context.journal.record(
                Part::Runner,
                Event::Note {
                    text: text.to_owned(),
                },
            );
        }
        let (status, lines) = asked(&context, Method::GET, "/evidence?after=1", "");
        assert_eq!(status, 200);
        assert_eq!(lines.lines().count(), 1);
        assert!(lines.contains(r#""n":2"#), "{lines}");
    }
}
