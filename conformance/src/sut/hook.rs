//! The `http` adapter: every verb is one POST of the question; the answer is the response's JSON object.

use serde_json::Value;

/// Longest answer that is read, in bytes.
const ANSWER_LIMIT: u64 = 1024 * 1024;

/// A vendor's hook.
#[derive(Debug)]
pub(super) struct Hook<'a> {
    url: &'a str,
}

impl<'a> Hook<'a> {
    pub(super) fn new(url: &'a str) -> Self {
        Self { url }
    }

    /// Posts the question.
    ///
    /// # Errors
    /// A sentence for the report: the hook is not there, or its answer is no JSON object.
    pub(super) async fn ask(&self, question: &Value) -> Result<Value, String> {
        let failed = |error: reqwest::Error| {
            format!("the hook {} did not answer: {}", self.url, in_full(&error))
        };
        let mut response = reqwest::Client::new()
            .post(self.url)
            .json(question)
            .send()
            .await
            .map_err(failed)?;
        if !response.status().is_success() {
            return Err(format!(
                "the hook {} answered with status {}",
                self.url,
                response.status().as_u16()
            ));
        }
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(failed)? {
            body.extend_from_slice(&piece);
            if body.len() as u64 > ANSWER_LIMIT {
                return Err(format!(
                    "the hook {} answered with more than {ANSWER_LIMIT} bytes",
                    self.url
                ));
            }
        }
        match serde_json::from_slice(&body) {
            Ok(answer @ Value::Object(_)) => Ok(answer),
            _ => Err(format!(
                "the hook {} did not answer with a JSON object",
                self.url
            )),
        }
    }
}

/// An error with what caused it: `error sending request` alone says nothing.
fn in_full(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let words: Vec<String> = causes.map(ToString::to_string).collect();
    words.join(": ")
}

#[cfg(test)]
mod tests {
    use testbed::evidence::Part;
    use testbed::http::{Answer, HttpConfig, StatusCode, serve};
    use testbed::{Clock, Context, FaultPlan, Journal, Seed, Shutdown};

    use super::*;

    /// A hook that gives back the question's verb, nonsense for `status`, and an error for everything else.
    async fn hook() -> (String, Shutdown) {
        let (shutdown, signal) = Shutdown::new();
        let clock = Clock::start();
        let context = Context {
            journal: Journal::in_memory(clock.clone()),
            clock,
            faults: FaultPlan::new(),
            seed: Seed::new(1),
            shutdown: signal,
        };
        let config = HttpConfig {
            part: Part::Sut,
            tls: None,
            body_limit: 1024,
            record_bodies: false,
        };
        let listener = testbed::listener::loopback(0).await.unwrap();
        let address = listener.local_addr().unwrap();
        serve(config, listener, context, |exchange| async move {
            let question: Value = serde_json::from_slice(&exchange.body).unwrap();
            let text = match question["verb"].as_str() {
                Some("run-komtest") => r#"{"outcome":"success"}"#,
                Some("status") => "[1, 2]",
                _ => return Answer::empty(StatusCode::INTERNAL_SERVER_ERROR),
            };
            Answer::new(StatusCode::OK, "application/json", text)
        })
        .unwrap();
        (format!("http://{address}/hook"), shutdown)
    }

    #[tokio::test]
    async fn an_answer_is_a_json_object_and_anything_else_is_said() {
        let (url, _shutdown) = hook().await;
        let ask = |verb: &str| {
            let question = serde_json::json!({ "call": 1, "verb": verb });
            let url = url.clone();
            async move { Hook::new(&url).ask(&question).await }
        };
        assert_eq!(ask("run-komtest").await.unwrap()["outcome"], "success");
        let error = ask("status").await.unwrap_err();
        assert!(error.contains("JSON object"), "{error}");
        let nobody = Hook::new("http://127.0.0.1:1/")
            .ask(&serde_json::json!({}))
            .await;
        let error = nobody.unwrap_err();
        assert!(error.to_lowercase().contains("refused"), "{error}");
        let error = ask("send").await.unwrap_err();
        assert!(error.contains("500"), "{error}");
    }
}
