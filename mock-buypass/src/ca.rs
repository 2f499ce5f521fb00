//! What the rest of the environment asks of an issuing CA.

use std::sync::Arc;
use std::time::Duration;

use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};
use testbed::Context;
use testbed::evidence::{Event, Part};

use crate::authority::{Authority, Record, Revocation};
use crate::error::CaError;
use crate::issued::Issued;
use crate::keys::{KeyStore, KeyUse};
use crate::profile;
use crate::request::{Cause, IssueRequest, KeySource, Publication, Purpose, RevocationReason};

/// A CA that issues certificates. Clones are the same CA.
#[derive(Clone, Debug)]
pub struct IssuingCa {
    pub(crate) authority: Arc<Authority>,
    pub(crate) keys: KeyStore,
    pub(crate) context: Context,
}

impl IssuingCa {
    /// Its id: field `ca` of the evidence events, and the first segment of the paths of its list and responder.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.authority.id
    }

    /// Its certificate, PEM.
    #[must_use]
    pub fn certificate_pem(&self) -> &str {
        &self.authority.certificate_pem
    }

    /// Its certificate, DER.
    #[must_use]
    pub fn certificate_der(&self) -> &[u8] {
        &self.authority.certificate_der
    }

    /// The address of its list.
    #[must_use]
    pub fn crl_url(&self) -> &str {
        &self.authority.addresses.crl
    }

    /// The address of its OCSP responder.
    #[must_use]
    pub fn ocsp_url(&self) -> &str {
        self.authority.addresses.ocsp.as_deref().unwrap_or_default()
    }

    /// The address of its certificate (caIssuers), on the base listener.
    #[must_use]
    pub fn aia_url(&self) -> &str {
        &self.authority.addresses.ca_certificate
    }

    /// The subject of a fault on HTTP that is meant for this CA alone: `crl/*` becomes `/<id>/crl/*`, `ocspbs*` all
    /// of its responder, `*` both.
    #[must_use]
    pub fn fault_subject(&self, below: &str) -> String {
        format!("/{}/{}", self.id(), below.trim_start_matches('/'))
    }

    /// Issues a certificate. Evidence: `certificate-state`.
    ///
    /// # Errors
    /// [`CaError`] when a key cannot be had, or a name in the request cannot stand in a certificate.
    pub async fn issue(&self, request: &IssueRequest) -> Result<Issued, CaError> {
        let number = &request.subject.organization_number;
        if number.len() != 9 || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(CaError::Text(number.clone()));
        }
        let key = match (&request.key, &request.purpose) {
            // No profile speaks of TLS servers; an elliptic key is made at once.
            (KeySource::Fresh, Purpose::TlsServer { .. }) => {
                KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?
            }
            (KeySource::Fresh, _) => self.keys.fresh().await?,
            (KeySource::Kept(name), _) => {
                self.keys
                    .named(&format!("party-{name}"), KeyUse::Party)
                    .await?
            }
        };
        let params = profile::end_entity(
            request,
            &key,
            &self.authority.addresses,
            self.context.clock.wall(),
        )?;
        let subject = format!("{} ({number})", request.subject.name);
        let signed = self
            .authority
            .sign(&params, &key, subject.clone(), request.purpose.name())?;
        let record = Record {
            subject,
            purpose: request.purpose.name().to_owned(),
            revocation: None,
        };
        self.tell(&signed.serial, record, "issued");
        Ok(Issued {
            ca: self.id().to_owned(),
            serial: signed.serial,
            certificate_der: signed.der,
            certificate_pem: signed.pem,
            issuer_pem: self.authority.certificate_pem.clone(),
            key_pem: key.serialize_pem(),
        })
    }

    /// Revokes a certificate for good, from now on. Evidence: `certificate-state`.
    ///
    /// # Errors
    /// [`CaError::UnknownSerial`] when this CA has not issued it.
    pub fn revoke(&self, serial: &str, reason: RevocationReason) -> Result<(), CaError> {
        self.change(serial, Some(Cause::Revoked(reason)), "revoked")
    }

    /// Suspends a certificate until [`Self::release`] (reason certificateHold).
    ///
    /// # Errors
    /// As [`Self::revoke`].
    pub fn hold(&self, serial: &str) -> Result<(), CaError> {
        self.change(serial, Some(Cause::Hold), "held")
    }

    /// Ends a suspension. A revocation stays.
    ///
    /// # Errors
    /// As [`Self::revoke`].
    pub fn release(&self, serial: &str) -> Result<(), CaError> {
        self.change(serial, None, "released")
    }

    /// Sets when a change of status shows in the list.
    pub fn set_publication(&self, publication: Publication) {
        self.authority.set_publication(publication);
    }

    /// Has a new list made for the next client.
    pub fn publish(&self) {
        self.authority.publish();
    }

    /// Sets how long lists live (nextUpdate - thisUpdate; at least a second) and has a new one made for the next client.
    pub fn set_crl_lifetime(&self, lifetime: Duration) {
        self.authority.set_crl_lifetime(lifetime);
    }

    /// Records which CA this is, once more: for a journal that was begun after the CA was made.
    pub fn announce(&self) {
        announce(&self.authority, &self.context);
    }

    fn change(&self, serial: &str, cause: Option<Cause>, action: &str) -> Result<(), CaError> {
        let revocation = cause.map(|cause| Revocation {
            since: self.context.clock.wall(),
            cause,
        });
        let record = self.authority.set_status(serial, revocation)?;
        self.tell(serial, record, action);
        Ok(())
    }

    fn tell(&self, serial: &str, record: Record, action: &str) {
        let event = Event::CertificateState {
            ca: self.id().to_owned(),
            serial: serial.to_owned(),
            subject: record.subject,
            purpose: record.purpose,
            action: action.to_owned(),
        };
        self.context.journal.record(Part::Buypass, event);
    }
}

pub(crate) fn announce(authority: &Authority, context: &Context) {
    let addresses = &authority.addresses;
    let event = Event::CaCreated {
        ca: authority.id.clone(),
        crl: addresses.crl.clone(),
        ocsp: addresses.ocsp.clone().unwrap_or_default(),
        aia: addresses.ca_certificate.clone(),
    };
    context.journal.record(Part::Buypass, event);
}
