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
        let failed =
            |error: reqwest::Error| format!("the hook {} did not answer: {error}", self.url);
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
