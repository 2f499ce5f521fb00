//! The verbs of the optional driver (contract 03 section 6.1, OP-DRV).

use serde_json::{Map, Value};

/// What a driver can be asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Run the communication test against helsenorge.
    RunKomtest,
    /// Send a business message.
    Send,
    /// Tell the state of a business message.
    Status,
    /// List the errors that an operator would see.
    ShowErrors,
    /// Stop and start.
    Restart,
}

impl Verb {
    /// The verb on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::RunKomtest => "run-komtest",
            Self::Send => "send",
            Self::Status => "status",
            Self::ShowErrors => "show-errors",
            Self::Restart => "restart",
        }
    }

    /// The question as one JSON object: `call`, `verb` and the arguments beside them.
    #[must_use]
    pub fn question(self, call: u64, arguments: &Value) -> Value {
        let mut question = Map::new();
        if let Value::Object(fields) = arguments {
            question.extend(fields.clone());
        }
        question.insert("call".to_owned(), call.into());
        question.insert("verb".to_owned(), self.name().into());
        Value::Object(question)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_stand_beside_the_verb_and_cannot_replace_it() {
        let question =
            Verb::Status.question(3, &serde_json::json!({ "msg_id": "a", "verb": "restart" }));
        assert_eq!(
            question,
            serde_json::json!({ "call": 3, "verb": "status", "msg_id": "a" })
        );
    }
}
