//! helsenorge's certificates: issued anew for each scenario, told to the register, and wrong on purpose where a scenario asks for it.

use std::sync::PoisonError;

use mock_ar::ChangeError;
use mock_buypass::{
    CaError, IssueRequest, Issued, IssuingCa, Purpose, RevocationReason, ScenarioCa, Validity,
};
use mock_helsenorge::{Identities, KeyPair};
use testbed::listener::{BindError, loopback};
use uuid::Uuid;

use super::Environment;
use super::fixture::{PORTAL, SUT};

/// What is in use at the moment.
#[derive(Debug)]
pub(super) struct Present {
    /// The scenario's CA; before the first one the base CA issues.
    pub(super) ca: Option<ScenarioCa>,
    /// helsenorge's certificates.
    pub(super) identity: Identity,
    /// CAs of former scenarios: a system may keep what the register has told it for hours, and must then still be able to
    /// ask for the status of a certificate.
    pub(super) former_cas: Vec<ScenarioCa>,
    /// Former certificates for encryption, with which such a system still encrypts.
    pub(super) former_encryption: Vec<KeyPair>,
}

/// helsenorge's certificates for signing and encryption.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    pub(super) signing: Issued,
    pub(super) encryption: Issued,
}

/// Who signs a request that helsenorge sends.
#[derive(Clone, Debug)]
pub struct Signer {
    /// Certificate and key; helsenorge's present one when absent.
    pub keys: Option<KeyPair>,
    /// The agreement to name in the message; looked up when absent.
    pub agreement: Option<Uuid>,
}

/// Certificates could not be changed.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// The CA.
    #[error("the certificate authority: {0}")]
    Ca(#[from] CaError),
    /// The register.
    #[error("the address register: {0}")]
    Register(#[from] ChangeError),
    /// helsenorge.
    #[error("helsenorge: {0}")]
    Helsenorge(#[from] mock_helsenorge::StartError),
    /// No listener for a new CA.
    #[error(transparent)]
    Bind(#[from] BindError),
}

fn signing_request() -> IssueRequest {
    IssueRequest::new(PORTAL.subject(), Purpose::Signing).with_kept_key("hn-sign")
}

impl Identity {
    pub(super) async fn issue(ca: &IssuingCa) -> Result<Self, CaError> {
        let encryption =
            IssueRequest::new(PORTAL.subject(), Purpose::Encryption).with_kept_key("hn-enc");
        Ok(Self {
            signing: ca.issue(&signing_request()).await?,
            encryption: ca.issue(&encryption).await?,
        })
    }

    pub(super) fn identities(&self, former: &[KeyPair]) -> Identities {
        Identities {
            signing: key_pair(&self.signing),
            encryption: key_pair(&self.encryption),
            legacy_decryption: former.to_vec(),
        }
    }
}

pub(super) fn key_pair(issued: &Issued) -> KeyPair {
    KeyPair {
        chain_pem: issued.chain_pem(),
        key_pem: issued.key_pem.clone(),
    }
}

impl Environment {
    /// Gives helsenorge certificates of a fresh issuing CA, whose list and responder nobody has asked before, and the pair
    /// of parties a new agreement.
    ///
    /// # Errors
    /// [`CertificateError`] when a part refuses.
    pub async fn renew_ca(&self) -> Result<(), CertificateError> {
        let ca = self.buypass.new_issuing_ca(loopback(0).await?).await?;
        let identity = Identity::issue(ca.ca()).await?;
        self.publish(identity)?;
        let former = self.present().ca.replace(ca);
        self.present().former_cas.extend(former);
        Ok(())
    }

    /// Gives helsenorge new certificates of the base CA, which stays healthy in every scenario.
    ///
    /// # Errors
    /// As [`Self::renew_ca`].
    pub async fn renew_from_base(&self) -> Result<(), CertificateError> {
        let ca = self.buypass.base_ca();
        ca.announce();
        let identity = Identity::issue(ca).await?;
        self.publish(identity)?;
        let former = self.present().ca.take();
        self.present().former_cas.extend(former);
        Ok(())
    }

    /// Gives helsenorge new certificates of the CA in use.
    ///
    /// # Errors
    /// As [`Self::renew_ca`].
    pub async fn renew_certificates(&self) -> Result<(), CertificateError> {
        let identity = Identity::issue(&self.issuing_ca()).await?;
        self.publish(identity)
    }

    /// Revokes the certificate that helsenorge signs with; list and responder say so at once.
    ///
    /// # Errors
    /// As [`Self::renew_ca`].
    pub fn revoke_signer(&self) -> Result<(), CertificateError> {
        let serial = self.present().identity.signing.serial.clone();
        self.issuing_ca()
            .revoke(&serial, RevocationReason::default())?;
        Ok(())
    }

    /// An expired certificate that register and agreement give for helsenorge until [`Self::renew_certificates`] (CRT-01).
    ///
    /// # Errors
    /// As [`Self::renew_ca`].
    pub async fn expired_signer(&self) -> Result<Signer, CertificateError> {
        let request = signing_request().with_validity(Validity::Expired);
        let signing = self.issuing_ca().issue(&request).await?;
        let keys = key_pair(&signing);
        let encryption = self.present().identity.encryption.clone();
        let agreement = self.tell_register(&Identity {
            signing,
            encryption,
        })?;
        Ok(Signer {
            keys: Some(keys),
            agreement: Some(agreement),
        })
    }

    /// A good certificate of the same organisation and CA that neither agreement nor register gives (CRT-05).
    ///
    /// # Errors
    /// As [`Self::renew_ca`].
    pub async fn unlisted_signer(&self) -> Result<Signer, CertificateError> {
        let request =
            IssueRequest::new(PORTAL.subject(), Purpose::Signing).with_kept_key("hn-other");
        let issued = self.issuing_ca().issue(&request).await?;
        Ok(Signer {
            keys: Some(key_pair(&issued)),
            agreement: None,
        })
    }

    /// Does something with the scenario's CA, if there is one.
    pub fn with_scenario_ca<T>(&self, task: impl FnOnce(&ScenarioCa) -> T) -> Option<T> {
        self.present().ca.as_ref().map(task)
    }

    /// The CA that issued helsenorge's present certificates.
    #[must_use]
    pub fn issuing_ca(&self) -> IssuingCa {
        let present = self.present();
        present
            .ca
            .as_ref()
            .map_or_else(|| self.buypass.base_ca(), ScenarioCa::ca)
            .clone()
    }

    fn publish(&self, identity: Identity) -> Result<(), CertificateError> {
        let former = {
            let mut present = self.present();
            let before = std::mem::replace(&mut present.identity, identity.clone());
            present.former_encryption.push(key_pair(&before.encryption));
            present.former_encryption.clone()
        };
        self.helsenorge.set_identity(identity.identities(&former))?;
        self.tell_register(&identity)?;
        Ok(())
    }

    fn tell_register(&self, identity: &Identity) -> Result<Uuid, CertificateError> {
        self.ar.set_certificates(
            PORTAL.her_id,
            &identity.signing.certificate_der,
            &identity.encryption.certificate_der,
        )?;
        Ok(self.ar.new_agreement(SUT.her_id, PORTAL.her_id)?)
    }

    fn present(&self) -> std::sync::MutexGuard<'_, Present> {
        self.present.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
