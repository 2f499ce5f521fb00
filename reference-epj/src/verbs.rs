//! The driver: questions as JSON lines, answers likewise (docs/driver.md).

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::clock;
use crate::epj::Epj;
use crate::komtest::{self, Outcome};

/// A question.
#[derive(Debug, Deserialize)]
pub(crate) struct Question {
    call: u64,
    verb: String,
    #[serde(default)]
    msg_id: Option<String>,
}

/// Reads a line; lines that are no question have no answer.
pub(crate) fn question(line: &str) -> Option<Question> {
    serde_json::from_str(line).ok()
}

/// Answers a question.
pub(crate) async fn answer(epj: &Arc<Epj>, question: &Question) -> Value {
    let mut answer = match question.verb.as_str() {
        "run-komtest" => run_komtest(epj).await,
        "status" => status(epj, question.msg_id.as_deref()),
        "show-errors" => json!({ "errors": epj.book.errors() }),
        "send" => refused("this EPJ sends no other message than the communication test"),
        _ => error("this EPJ does not know the verb"),
    };
    answer["call"] = question.call.into();
    answer
}

/// The answer to a question for which there is no room.
pub(crate) fn busy(question: &Question) -> Value {
    let mut answer = error("too many questions are open");
    answer["call"] = question.call.into();
    answer
}

async fn run_komtest(epj: &Arc<Epj>) -> Value {
    let started = clock::instant();
    let told = komtest::run(epj).await;
    let duration = started.elapsed();
    let (outcome, text) = match told.outcome {
        Outcome::Success => (
            "success",
            format!("a valid reply after {:.1} s", duration.as_secs_f64()),
        ),
        Outcome::Timeout => ("timeout", "no reply in time".to_owned()),
        Outcome::Refused(text) => ("refused", text),
        Outcome::Error(text) => ("error", text),
    };
    json!({
        "outcome": outcome,
        "text": text,
        "msg_id": told.msg_id,
        "message_id": told.message_id,
        "duration_ms": u64::try_from(duration.as_millis()).unwrap_or(u64::MAX),
    })
}

fn status(epj: &Epj, msg_id: Option<&str>) -> Value {
    let Some(msg_id) = msg_id else {
        return error("the question lacks msg_id");
    };
    let (state, text) = epj.book.state(msg_id);
    json!({ "state": state, "text": text, "acknowledged": "none" })
}

fn refused(text: &str) -> Value {
    json!({ "outcome": "refused", "text": text })
}

fn error(text: &str) -> Value {
    json!({ "outcome": "error", "text": text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_needs_a_number_and_a_verb() {
        let asked = question(r#"{"call":7,"verb":"status","msg_id":"m","more":1}"#).unwrap();
        assert_eq!((asked.call, asked.verb.as_str()), (7, "status"));
        for line in [
            "",
            "hello",
            "{}",
            r#"{"call":-1,"verb":"x"}"#,
            r#"{"call":1}"#,
        ] {
            assert!(question(line).is_none(), "{line}");
        }
        assert_eq!(busy(&asked)["call"], 7);
    }
}
