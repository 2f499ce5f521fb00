//! helsenorge's keys, ready for use.

use nhn_model::protection::{DecryptionIdentity, SigningIdentity};

use crate::config::{Identities, KeyPair, StartError};

/// Keys that belong together; a message keeps those that it was begun with.
#[derive(Debug)]
pub(crate) struct Keys {
    pub(crate) signing: SigningIdentity,
    /// The current one first, then those of former certificates.
    pub(crate) decryption: Vec<DecryptionIdentity>,
}

impl Keys {
    pub(crate) fn read(identities: &Identities) -> Result<Self, StartError> {
        let decryption = std::iter::once(&identities.encryption)
            .chain(&identities.legacy_decryption)
            .map(|pair| {
                DecryptionIdentity::from_pem(&pair.chain_pem, &pair.key_pem)
                    .map_err(|problem| StartError::Identity(problem.to_string()))
            })
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            signing: signer(&identities.signing)?,
            decryption,
        })
    }
}

/// A key pair to sign with.
pub(crate) fn signer(pair: &KeyPair) -> Result<SigningIdentity, StartError> {
    SigningIdentity::from_pem(&pair.chain_pem, &pair.key_pem)
        .map_err(|problem| StartError::Identity(problem.to_string()))
}
