//! One CA: its key and certificate, what it has issued, and the list that it has published. No sockets.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use der::Decode;
use rcgen::{CertificateParams, Issuer, KeyPair};
use time::OffsetDateTime;
use x509_cert::Certificate;

use crate::crl::{self, PublishedCrl};
use crate::error::CaError;
use crate::profile::{self, Addresses};
use crate::request::{Cause, Publication};

/// How long a list of an issuing CA lives by default; a new one comes after half of it (contract 04 section 3.1).
pub(crate) const CRL_LIFETIME: Duration = Duration::from_secs(24 * 3600);
/// How long the root's list lives.
pub(crate) const ROOT_CRL_LIFETIME: Duration = Duration::from_secs(180 * 24 * 3600);

/// A CA.
#[derive(Debug)]
pub(crate) struct Authority {
    /// Unique among the CAs of all runs with one data directory.
    pub(crate) id: String,
    pub(crate) certificate_der: Vec<u8>,
    pub(crate) certificate_pem: String,
    pub(crate) certificate: Certificate,
    /// The addresses that stand in what it issues.
    pub(crate) addresses: Addresses,
    pub(crate) responder: Option<Responder>,
    params: CertificateParams,
    key: KeyPair,
    state: Mutex<State>,
}

/// Who signs the OCSP answers of a CA.
#[derive(Debug)]
pub(crate) struct Responder {
    pub(crate) certificate: Certificate,
    pub(crate) key: Arc<KeyPair>,
}

/// A certificate as its CA remembers it.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) subject: String,
    pub(crate) purpose: String,
    pub(crate) revocation: Option<Revocation>,
}

/// Since when and why a certificate is not good.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Revocation {
    pub(crate) since: OffsetDateTime,
    pub(crate) cause: Cause,
}

#[derive(Debug)]
struct State {
    issued: BTreeMap<String, (Vec<u8>, Record)>,
    published: Option<Arc<PublishedCrl>>,
    number: u64,
    lifetime: Duration,
    publication: Publication,
}

/// A freshly signed certificate.
#[derive(Debug)]
pub(crate) struct Signed {
    pub(crate) serial: String,
    pub(crate) der: Vec<u8>,
    pub(crate) pem: String,
}

impl Authority {
    /// A CA with the certificate `certificate_der`, made from `params` and `key`.
    pub(crate) fn new(
        id: String,
        (params, key): (CertificateParams, KeyPair),
        (certificate_der, certificate_pem): (Vec<u8>, String),
        addresses: Addresses,
        now: OffsetDateTime,
    ) -> Result<Self, CaError> {
        let lifetime = if addresses.ocsp.is_some() {
            CRL_LIFETIME
        } else {
            ROOT_CRL_LIFETIME
        };
        let state = State {
            issued: BTreeMap::new(),
            published: None,
            // Grows from one start to the next, too, as clients expect of the number of a list.
            number: u64::try_from(now.unix_timestamp()).unwrap_or_default(),
            lifetime,
            publication: Publication::AtOnce,
        };
        let certificate = Certificate::from_der(&certificate_der)?;
        Ok(Self {
            id,
            certificate_der,
            certificate_pem,
            certificate,
            addresses,
            responder: None,
            params,
            key,
            state: Mutex::new(state),
        })
    }

    /// The same with a delegated responder.
    pub(crate) fn with_responder(
        mut self,
        key: Arc<KeyPair>,
        now: OffsetDateTime,
    ) -> Result<Self, CaError> {
        let params = profile::responder(&self.id, &key, now)?;
        let certificate = params.signed_by(&*key, &self.issuer())?;
        self.responder = Some(Responder {
            certificate: Certificate::from_der(certificate.der())?,
            key,
        });
        Ok(self)
    }

    /// Signs a certificate and remembers it.
    pub(crate) fn sign(
        &self,
        params: &CertificateParams,
        key: &KeyPair,
        subject: String,
        purpose: &str,
    ) -> Result<Signed, CaError> {
        let certificate = params.signed_by(key, &self.issuer())?;
        let bytes = params
            .serial_number
            .as_ref()
            .map(rcgen::SerialNumber::to_bytes)
            .unwrap_or_default();
        let serial = profile::serial_text(&bytes);
        let record = Record {
            subject,
            purpose: purpose.to_owned(),
            revocation: None,
        };
        self.lock().issued.insert(serial.clone(), (bytes, record));
        Ok(Signed {
            serial,
            der: certificate.der().to_vec(),
            pem: certificate.pem(),
        })
    }

    /// Changes the status of a certificate and tells what is known of it. A revocation is final; a hold is not.
    pub(crate) fn set_status(
        &self,
        serial: &str,
        revocation: Option<Revocation>,
    ) -> Result<Record, CaError> {
        let mut state = self.lock();
        let (_, record) = state
            .issued
            .get_mut(serial)
            .ok_or_else(|| CaError::UnknownSerial(serial.to_owned()))?;
        if !matches!(
            record.revocation,
            Some(Revocation {
                cause: Cause::Revoked(_),
                ..
            })
        ) {
            record.revocation = revocation;
        }
        let record = record.clone();
        if state.publication == Publication::AtOnce {
            state.published = None;
        }
        Ok(record)
    }

    /// What is known of a serial number, if this CA has issued it.
    pub(crate) fn record(&self, serial: &str) -> Option<Record> {
        self.lock()
            .issued
            .get(serial)
            .map(|(_, record)| record.clone())
    }

    pub(crate) fn set_publication(&self, publication: Publication) {
        self.lock().publication = publication;
    }

    /// Sets how long lists live, and has a new one made for the next client.
    pub(crate) fn set_crl_lifetime(&self, lifetime: Duration) {
        let mut state = self.lock();
        state.lifetime = lifetime.max(Duration::from_secs(1));
        state.published = None;
    }

    /// Has a new list made for the next client.
    pub(crate) fn publish(&self) {
        self.lock().published = None;
    }

    /// The list in force at `now`; a new one once half the lifetime has passed.
    pub(crate) fn crl(&self, now: OffsetDateTime) -> Result<Arc<PublishedCrl>, CaError> {
        let mut state = self.lock();
        if let Some(published) = state
            .published
            .as_ref()
            .filter(|published| now < published.renewal())
        {
            return Ok(Arc::clone(published));
        }
        state.number += 1;
        let until = now + state.lifetime;
        let published = Arc::new(crl::build(
            &self.issuer(),
            &self.params,
            &state.listed(),
            state.number,
            (now, until),
        )?);
        state.published = Some(Arc::clone(&published));
        Ok(published)
    }

    /// A list with other dates than the one in force, not kept.
    pub(crate) fn crl_between(
        &self,
        from: OffsetDateTime,
        until: OffsetDateTime,
    ) -> Result<PublishedCrl, CaError> {
        let state = self.lock();
        crl::build(
            &self.issuer(),
            &self.params,
            &state.listed(),
            state.number,
            (from, until),
        )
    }

    fn issuer(&self) -> Issuer<'_, &KeyPair> {
        Issuer::from_params(&self.params, &self.key)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn listed(&self) -> Vec<(Vec<u8>, Revocation)> {
        self.issued
            .values()
            .filter_map(|(bytes, record)| {
                record
                    .revocation
                    .map(|revocation| (bytes.clone(), revocation))
            })
            .collect()
    }
}
