//! Problem documents with NHN's codes (contract 02 section 4.1).

use serde_json::json;
use testbed::http::{Answer, StatusCode};

use crate::registry::agreement::NoAgreement;

/// Why a question has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) code: &'static str,
    status: StatusCode,
    title: &'static str,
    detail: String,
}

impl Problem {
    pub(super) fn no_her_id() -> Self {
        Self {
            code: "GF-2",
            status: StatusCode::BAD_REQUEST,
            title: "HerId is not a service or person.",
            detail: "The path does not hold a HER-id where one is needed.".into(),
        }
    }

    pub(super) fn no_agreement(id: &str) -> Self {
        let id: String = id.chars().take(64).collect();
        Self {
            code: "GF-9",
            status: StatusCode::NOT_FOUND,
            title: "Collaboration protocol agreement does not exist.",
            detail: format!("No agreement has the id {id}."),
        }
    }

    /// What a fault asks for: a code that no client knows.
    pub(super) fn simulated() -> Self {
        Self {
            code: "GF-99",
            status: StatusCode::BAD_REQUEST,
            title: "Simulated problem.",
            detail: "A fault of the test environment asked for this answer.".into(),
        }
    }

    pub(super) fn answer(&self, public_url: &str, path: &str) -> Answer {
        let body = json!({
            "type": format!("{public_url}/problems/{}", self.code),
            "title": self.title,
            "status": self.status.as_u16(),
            "detail": self.detail,
            "instance": path,
            "code": self.code,
        });
        let media_type = "application/problem+json; charset=utf-8";
        Answer::new(self.status, media_type, body.to_string())
    }
}

impl From<NoAgreement> for Problem {
    fn from(reason: NoAgreement) -> Self {
        let (code, status, title) = match reason {
            NoAgreement::UnknownParty { .. } => (
                "GF-2",
                StatusCode::BAD_REQUEST,
                "HerId is not a service or person.",
            ),
            NoAgreement::NoCertificates { .. } => (
                "GF-6",
                StatusCode::BAD_REQUEST,
                "No enterprise certificate information found.",
            ),
            NoAgreement::NoQueue { .. } => (
                "GF-7",
                StatusCode::BAD_REQUEST,
                "No delivery channel details found.",
            ),
            NoAgreement::NoProfile { .. } => (
                "GF-8",
                StatusCode::NOT_FOUND,
                "HerId(s) do not have a profile.",
            ),
            NoAgreement::NoCommonProcess { .. } => (
                "GF-10",
                StatusCode::BAD_REQUEST,
                "Could not create a collaboration protocol agreement: No common processes exist.",
            ),
        };
        let detail = format!("{reason}.");
        Self {
            code,
            status,
            title,
            detail,
        }
    }
}
