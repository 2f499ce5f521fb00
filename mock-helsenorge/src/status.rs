//! Whether a signer's certificate is trusted and not revoked (contract 03 section 1.6, V10; contract 04 section 3).
//!
//! Lists are fetched anew for each message, so that a revocation counts as soon as it is published; a list that was
//! fetched before is used until its `nextUpdate` while the CA cannot be asked.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use nhn_model::certificate::{Certificate, ChainError, Trust, build_chain};
use nhn_model::revocation::{Crl, Status};
use time::OffsetDateTime;

use crate::web::Web;

/// Most lists that are kept.
const MOST_LISTS: usize = 32;
/// Most addresses of issuing CAs that are tried.
const MOST_ISSUERS: usize = 2;

/// What is known of a certificate's standing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Trusted, and not revoked.
    Good,
    /// Revoked, or its CA is.
    Revoked(String),
    /// No chain to a trusted root.
    Untrusted(String),
    /// No list could be had.
    Unknown(String),
}

/// Asks CAs.
#[derive(Debug)]
pub(crate) struct StatusDesk {
    web: Web,
    trust: Trust,
    lists: Mutex<BTreeMap<String, Vec<u8>>>,
}

impl StatusDesk {
    pub(crate) fn new(web: Web, trust: Trust) -> Self {
        Self {
            web,
            trust,
            lists: Mutex::default(),
        }
    }

    /// Forgets every list.
    pub(crate) fn forget(&self) {
        self.lists().clear();
    }

    /// The standing of a signer; `embedded` are the certificates that came with it.
    pub(crate) async fn standing(
        &self,
        signer: &Certificate,
        embedded: &[Certificate],
        at: OffsetDateTime,
    ) -> Standing {
        let chain = match self.chain(signer, embedded, at).await {
            Ok(chain) => chain,
            Err(problem) => return Standing::Untrusted(problem),
        };
        for pair in chain.windows(2) {
            let [certificate, issuer] = pair else {
                continue;
            };
            match self.listed(certificate, issuer, at).await {
                Standing::Good => {}
                other => return other,
            }
        }
        Standing::Good
    }

    async fn chain(
        &self,
        signer: &Certificate,
        embedded: &[Certificate],
        at: OffsetDateTime,
    ) -> Result<Vec<Certificate>, String> {
        let addresses = match build_chain(signer, embedded, &self.trust, at) {
            Ok(chain) => return Ok(chain),
            Err(ChainError::NoIssuer { aia }) => aia,
            Err(problem) => return Err(problem.to_string()),
        };
        let mut extra = embedded.to_vec();
        let mut problem = "the certificate names no address of its issuer".to_owned();
        for address in addresses.iter().take(MOST_ISSUERS) {
            match self.web.fetch(address).await {
                Ok(bytes) => match read_certificate(&bytes) {
                    Some(issuer) => extra.push(issuer),
                    None => problem = format!("{address} gives no certificate"),
                },
                Err(reason) => problem = format!("{address}: {reason}"),
            }
        }
        build_chain(signer, &extra, &self.trust, at).map_err(|last| match last {
            ChainError::NoIssuer { .. } => problem,
            other => other.to_string(),
        })
    }

    async fn listed(
        &self,
        certificate: &Certificate,
        issuer: &Certificate,
        at: OffsetDateTime,
    ) -> Standing {
        let subject = certificate.subject();
        let Some(address) = certificate
            .crl_urls()
            .into_iter()
            .find(|url| url.to_ascii_lowercase().starts_with("http://"))
        else {
            return Standing::Unknown(format!("{subject} names no list over HTTP"));
        };
        let fresh = self.web.fetch(&address).await;
        let read = |bytes: &[u8]| Crl::read(bytes, issuer, at).map_err(|why| why.to_string());
        let list = match fresh.and_then(|bytes| Ok((read(&bytes)?, bytes))) {
            Ok((list, bytes)) => {
                self.keep(&address, bytes);
                list
            }
            Err(problem) => {
                let kept = self.lists().get(&address).cloned();
                match kept.map(|bytes| read(&bytes)) {
                    Some(Ok(list)) => list,
                    _ => return Standing::Unknown(format!("{address}: {problem}")),
                }
            }
        };
        match list.status_of(certificate) {
            Status::Good => Standing::Good,
            Status::Revoked { .. } => Standing::Revoked(format!("{subject} is revoked")),
            Status::Unknown => Standing::Unknown(format!("{address} says nothing of {subject}")),
        }
    }

    fn keep(&self, address: &str, bytes: Vec<u8>) {
        let mut lists = self.lists();
        if lists.len() >= MOST_LISTS {
            lists.clear();
        }
        lists.insert(address.to_owned(), bytes);
    }

    fn lists(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Vec<u8>>> {
        self.lists.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// DER as RFC 5280 asks for, or PEM.
fn read_certificate(bytes: &[u8]) -> Option<Certificate> {
    Certificate::from_der(bytes).ok().or_else(|| {
        let text = std::str::from_utf8(bytes).ok()?;
        Certificate::from_pem(text).ok()
    })
}
