//! The address register over SOAP 1.1 with HTTP Basic (contract 02 sections 2.1 to 2.8).

use std::time::Duration;

use nhn_model::certificate::Certificate;
use nhn_model::register::{
    self, CONTENT_TYPE, CertificatePurpose, PartyDetails, RegisterError, SoapRequest,
};
use reqwest::{Client, StatusCode};

use super::LookupError;
use crate::environment::Account;
use crate::http;

/// Most bytes of an answer.
const LONGEST_ANSWER: usize = 4 * 1024 * 1024;
/// Longest wait for one answer.
const LIMIT: Duration = Duration::from_secs(10);

/// The register's client.
pub(super) struct SoapClient {
    http: Client,
    account: Account,
}

impl SoapClient {
    pub(super) fn new(http: Client, account: &Account) -> Self {
        Self {
            http,
            account: account.clone(),
        }
    }

    /// A party that is in use.
    pub(super) async fn party(&self, her_id: u32) -> Result<PartyDetails, LookupError> {
        let answer = self.call(&register::get_party_request(her_id)).await?;
        let details = register::read_party(&answer).map_err(|error| meaning(&error, her_id))?;
        if details.her_id != her_id {
            return Err(LookupError::Unusable(
                "the answer is about another party".into(),
            ));
        }
        if !details.active || !details.takes_messages {
            return Err(LookupError::Unknown(format!(
                "HER-id {her_id} as a party in use"
            )));
        }
        Ok(details)
    }

    /// The certificate that a party's messages are encrypted with.
    pub(super) async fn encryption(&self, her_id: u32) -> Result<Certificate, LookupError> {
        self.certificate(her_id, CertificatePurpose::Encryption)
            .await
    }

    /// The certificate that a party signs with.
    pub(super) async fn signing(&self, her_id: u32) -> Result<Certificate, LookupError> {
        self.certificate(her_id, CertificatePurpose::Signature)
            .await
    }

    async fn certificate(
        &self,
        her_id: u32,
        purpose: CertificatePurpose,
    ) -> Result<Certificate, LookupError> {
        let request = register::get_certificate_request(her_id, purpose);
        let answer = self.call(&request).await?;
        let der = register::read_certificate(&answer).map_err(|error| meaning(&error, her_id))?;
        Certificate::from_der(&der).map_err(|error| {
            LookupError::Unusable(format!("certificate of HER-id {her_id}: {error}"))
        })
    }

    /// The body of the answer; faults come with status 500.
    async fn call(&self, call: &SoapRequest) -> Result<Vec<u8>, LookupError> {
        let request = self
            .http
            .post(&self.account.url)
            .basic_auth(&self.account.username, Some(self.account.password.reveal()))
            .header("content-type", CONTENT_TYPE)
            .header("SOAPAction", call.soap_action())
            .body(call.body.clone());
        let unavailable = |reason: String| LookupError::Unavailable(format!("AR: {reason}"));
        let answer = http::send(request, LONGEST_ANSWER, LIMIT)
            .await
            .map_err(|error| unavailable(error.to_string()))?;
        match answer.status {
            StatusCode::OK | StatusCode::INTERNAL_SERVER_ERROR => Ok(answer.body),
            other => Err(unavailable(format!("HTTP {}", other.as_u16()))),
        }
    }
}

/// A fault that names the party is an answer; everything else may be better next time.
fn meaning(error: &RegisterError, her_id: u32) -> LookupError {
    match error {
        RegisterError::Fault { code, .. }
            if error.is_unknown_her_id() || code == "CertificateNotFound" =>
        {
            LookupError::Unknown(format!("HER-id {her_id} ({code})"))
        }
        other => LookupError::Unavailable(format!("AR: {other}")),
    }
}
