//! Whether a certificate may be relied on: dates, chain, and revocation of every link of the chain.
//!
//! For each certificate below the root the EPJ asks OCSP first and the list when OCSP gives no usable answer, one
//! second each. Late answers arrive in the background and are kept; all are kept until their nextUpdate (contract 03
//! section 7.11, notes). What nobody can tell is not good.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use nhn_model::certificate::{Certificate, ChainError, Trust, build_chain};
use nhn_model::error_message::ErrorCondition;
use nhn_model::revocation::{self, Crl, Status};
use reqwest::{Client, RequestBuilder, StatusCode};
use tokio::task::JoinSet;

use crate::cache::{Cache, Fetched, Habits, Missed};
use crate::clock;
use crate::environment::Environment;
use crate::fault::{Fault, Faults};
use crate::http::{self, SetupError};

/// Most bytes of an answer of each kind.
const LONGEST_OCSP: usize = 64 * 1024;
const LONGEST_CRL: usize = 16 * 1024 * 1024;
const LONGEST_CERTIFICATE: usize = 64 * 1024;
/// How long a message waits for one answer (contract 03 section 7.11, notes).
const LIMIT: Duration = Duration::from_secs(1);
/// Longest life of a download in the background.
const DOWNLOAD_LIMIT: Duration = Duration::from_secs(60);
/// How long a CA's certificate from its own address is used.
const ISSUER_KEPT: time::Duration = time::Duration::HOUR;
/// Most certificates that are fetched to complete one chain.
const MOST_ISSUERS: usize = 4;

const OCSP_REQUEST: &str = "application/ocsp-request";

/// Why a certificate may not be relied on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CertificateProblem {
    /// Its time has not begun.
    #[error("Sertifikatet er ikke gyldig ennå. The certificate is not yet valid.")]
    NotYetValid,
    /// Its time is over.
    #[error("Sertifikatet er utløpt. The certificate has expired.")]
    Expired,
    /// It leads to no trusted root.
    #[error("Sertifikatet er ikke klarert. The certificate is not trusted: {0}")]
    Untrusted(String),
    /// It, or a CA above it, has been revoked.
    #[error("Sertifikatet er tilbakekalt. The certificate has been revoked (serial {serial}).")]
    Revoked { serial: String },
    /// Nobody could tell in time whether it has been revoked.
    #[error("Tilbakekallingsstatus er ukjent. The revocation status is unknown: {0}")]
    RevocationUnknown(String),
}

impl CertificateProblem {
    /// The condition that the sender is told (contract 03 section 5.2).
    pub(crate) fn condition(&self) -> ErrorCondition {
        match self {
            Self::NotYetValid | Self::Expired => ErrorCondition::ExpiredCertificate,
            Self::Untrusted(_) => ErrorCondition::InvalidCertificate,
            Self::Revoked { .. } => ErrorCondition::RevokedCertificate,
            Self::RevocationUnknown(_) => ErrorCondition::RevokedCertificateOffline,
        }
    }
}

/// The checks with all that they remember; clones share it.
#[derive(Clone)]
pub(crate) struct Validator(Arc<Inner>);

struct Inner {
    http: Client,
    trust: Trust,
    rules: Rules,
    answers: Cache<(String, String), Status, String>,
    lists: Cache<(String, String), Arc<Crl>, String>,
    issuers: Cache<String, Certificate, String>,
}

/// What the seeded faults change.
struct Rules {
    limit: Duration,
    ignores_dates: bool,
    asks_for_status: bool,
    unknown_is_good: bool,
}

impl Rules {
    fn new(faults: &Faults) -> Self {
        let limit = if faults.has(Fault::CrlTimeout30s) {
            Duration::from_secs(30)
        } else if faults.has(Fault::CrlTimeout15s) {
            Duration::from_secs(15)
        } else {
            LIMIT
        };
        Self {
            limit,
            ignores_dates: faults.has(Fault::AcceptsExpired),
            asks_for_status: !faults.has(Fault::NoRevocationCheck),
            unknown_is_good: faults.has(Fault::SoftFailRevocation),
        }
    }
}

impl Validator {
    pub(crate) fn new(environment: &Environment, faults: &Faults) -> Result<Self, SetupError> {
        let bundle: &Path = &environment.trust.bundle;
        let unusable = |reason: String| SetupError::Content {
            path: bundle.to_owned(),
            reason,
        };
        let text = String::from_utf8(http::read_file(bundle)?)
            .map_err(|error| unusable(error.to_string()))?;
        let habits = |capacity| Habits {
            keeps: !faults.has(Fault::NoCrlCache),
            finishes_late: !faults.has(Fault::DropsLateCrl),
            capacity,
        };
        Ok(Self(Arc::new(Inner {
            http: http::client(bundle)?,
            trust: Trust::from_pem(&text).map_err(|error| unusable(error.to_string()))?,
            rules: Rules::new(faults),
            answers: Cache::new(habits(4096)),
            lists: Cache::new(habits(32)),
            issuers: Cache::new(Habits {
                keeps: true,
                finishes_late: true,
                capacity: 256,
            }),
        })))
    }

    /// Whether the certificate may be relied on now. `embedded` are certificates that may lead to its root, in any order.
    pub(crate) async fn check(
        &self,
        certificate: &Certificate,
        embedded: &[Certificate],
    ) -> Result<(), CertificateProblem> {
        let rules = &self.0.rules;
        let chain = self.chain(certificate, embedded).await?;
        if !rules.asks_for_status {
            return Ok(());
        }
        match self.revocation(&chain).await {
            Err(CertificateProblem::RevocationUnknown(_)) if rules.unknown_is_good => Ok(()),
            outcome => outcome,
        }
    }

    /// The chain; CA certificates that the message does not bring are fetched from their addresses.
    async fn chain(
        &self,
        leaf: &Certificate,
        embedded: &[Certificate],
    ) -> Result<Vec<Certificate>, CertificateProblem> {
        let mut known = embedded.to_vec();
        for _ in 0..=MOST_ISSUERS {
            let addresses = match self.build(leaf, &known) {
                Ok(chain) => return Ok(chain),
                Err(ChainError::NotYetValid) => return Err(CertificateProblem::NotYetValid),
                Err(ChainError::Expired) => return Err(CertificateProblem::Expired),
                Err(ChainError::NoIssuer { aia }) => aia,
                Err(other) => return Err(CertificateProblem::Untrusted(other.to_string())),
            };
            known.push(self.issuer(&addresses).await?);
        }
        let text = "too many certificates are missing in the chain".to_owned();
        Err(CertificateProblem::Untrusted(text))
    }

    fn build(
        &self,
        leaf: &Certificate,
        known: &[Certificate],
    ) -> Result<Vec<Certificate>, ChainError> {
        let Inner { trust, rules, .. } = &*self.0;
        if !rules.ignores_dates {
            return build_chain(leaf, known, trust, clock::now());
        }
        // The leaf's dates are passed over by beginning with its issuer.
        let mut candidates = known.iter().chain(trust.roots());
        let Some(issuer) = candidates.find(|candidate| leaf.is_issued_by(candidate)) else {
            return Err(match leaf.ca_issuer_urls() {
                none if none.is_empty() => ChainError::Untrusted,
                aia => ChainError::NoIssuer { aia },
            });
        };
        let above = build_chain(issuer, known, trust, clock::now())?;
        Ok([vec![leaf.clone()], above].concat())
    }

    async fn issuer(&self, addresses: &[String]) -> Result<Certificate, CertificateProblem> {
        let Some(url) = http_address(addresses) else {
            let text = "its issuer's certificate has no address that can be asked".to_owned();
            return Err(CertificateProblem::Untrusted(text));
        };
        let request = self.0.http.get(url);
        let fetch = async move {
            let body = download(request, LONGEST_CERTIFICATE).await?;
            let value = read_certificate(&body)?;
            Ok(Fetched {
                value,
                keep_until: Some(clock::now() + ISSUER_KEPT),
            })
        };
        let found = self.0.issuers.get(url.to_owned(), LIMIT, fetch);
        found.await.map_err(|missed| {
            CertificateProblem::Untrusted(format!("its issuer's certificate: {}", reason(missed)))
        })
    }

    /// The status of every certificate below the root, all asked for at the same time. Revoked goes before unknown.
    async fn revocation(&self, chain: &[Certificate]) -> Result<(), CertificateProblem> {
        let mut checks = JoinSet::new();
        for link in chain.windows(2) {
            let (validator, certificate, issuer) = (self.clone(), link[0].clone(), link[1].clone());
            checks.spawn(async move { validator.status(&certificate, &issuer).await });
        }
        let mut outcome = Ok(());
        while let Some(check) = checks.join_next().await {
            match check {
                Ok(Ok(())) => {}
                Ok(Err(revoked @ CertificateProblem::Revoked { .. })) => return Err(revoked),
                Ok(Err(unknown)) => outcome = Err(unknown),
                Err(broken) => {
                    outcome = Err(CertificateProblem::RevocationUnknown(broken.to_string()));
                }
            }
        }
        outcome
    }

    async fn status(
        &self,
        certificate: &Certificate,
        issuer: &Certificate,
    ) -> Result<(), CertificateProblem> {
        let mut reasons = Vec::new();
        let by_ocsp = self.ask_responder(certificate, issuer).await;
        match by_ocsp.map(|status| judge(&status, certificate)) {
            Ok(Some(verdict)) => return verdict,
            Ok(None) => reasons.push("OCSP: unknown".to_owned()),
            Err(reason) => reasons.push(format!("OCSP: {reason}")),
        }
        let by_list = self.ask_list(certificate, issuer).await;
        match by_list.map(|list| judge(&list.status_of(certificate), certificate)) {
            Ok(Some(verdict)) => return verdict,
            Ok(None) => reasons.push("CRL: unknown".to_owned()),
            Err(reason) => reasons.push(format!("CRL: {reason}")),
        }
        let text = format!("serial {}, {}", certificate.serial(), reasons.join(", "));
        Err(CertificateProblem::RevocationUnknown(text))
    }

    async fn ask_responder(
        &self,
        certificate: &Certificate,
        issuer: &Certificate,
    ) -> Result<Status, String> {
        let addresses = certificate.ocsp_urls();
        let url = http_address(&addresses).ok_or("no address")?;
        let request = self
            .0
            .http
            .post(url)
            .header("content-type", OCSP_REQUEST)
            .body(revocation::ocsp_request(certificate, issuer));
        let key = (url.to_owned(), certificate.thumbprint());
        let (certificate, issuer) = (certificate.clone(), issuer.clone());
        let fetch = async move {
            let body = download(request, LONGEST_OCSP).await?;
            let answer = revocation::read_ocsp(&body, &certificate, &issuer, clock::now())
                .map_err(|error| error.to_string())?;
            let known = !matches!(answer.status, Status::Unknown);
            Ok(Fetched {
                value: answer.status,
                keep_until: answer.next_update.filter(|_| known),
            })
        };
        let answer = self.0.answers.get(key, self.0.rules.limit, fetch);
        answer.await.map_err(reason)
    }

    async fn ask_list(
        &self,
        certificate: &Certificate,
        issuer: &Certificate,
    ) -> Result<Arc<Crl>, String> {
        let addresses = certificate.crl_urls();
        let url = http_address(&addresses).ok_or("no address")?;
        let request = self.0.http.get(url);
        let key = (url.to_owned(), issuer.thumbprint());
        let issuer = issuer.clone();
        let fetch = async move {
            let body = download(request, LONGEST_CRL).await?;
            let list =
                Crl::read(&body, &issuer, clock::now()).map_err(|error| error.to_string())?;
            Ok(Fetched {
                keep_until: Some(list.next_update()),
                value: Arc::new(list),
            })
        };
        let list = self.0.lists.get(key, self.0.rules.limit, fetch);
        list.await.map_err(reason)
    }
}

/// What a status means; nothing when it is none.
fn judge(status: &Status, certificate: &Certificate) -> Option<Result<(), CertificateProblem>> {
    match status {
        Status::Good => Some(Ok(())),
        Status::Revoked { .. } => Some(Err(CertificateProblem::Revoked {
            serial: certificate.serial(),
        })),
        Status::Unknown => None,
    }
}

/// The first address that HTTP can ask; LDAP is passed over.
fn http_address(addresses: &[String]) -> Option<&str> {
    let mut addresses = addresses.iter().map(String::as_str);
    addresses.find(|address| address.starts_with("http://") || address.starts_with("https://"))
}

async fn download(request: RequestBuilder, longest: usize) -> Result<Vec<u8>, String> {
    let answer = http::send(request, longest, DOWNLOAD_LIMIT)
        .await
        .map_err(|error| error.to_string())?;
    match answer.status {
        StatusCode::OK => Ok(answer.body),
        other => Err(format!("HTTP {}", other.as_u16())),
    }
}

fn read_certificate(body: &[u8]) -> Result<Certificate, String> {
    let pem = std::str::from_utf8(body).ok();
    let read = match pem.filter(|text| text.contains("-----BEGIN")) {
        Some(pem) => Certificate::from_pem(pem),
        None => Certificate::from_der(body),
    };
    read.map_err(|error| error.to_string())
}

fn reason(missed: Missed<String>) -> String {
    match missed {
        Missed::Late => "not in time".to_owned(),
        Missed::Failed(reason) => reason,
    }
}

#[cfg(test)]
mod tests;
