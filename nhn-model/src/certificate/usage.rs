//! What a key may be used for.

use openssl::x509::X509KeyUsage;

/// The key usage extension.
#[derive(Clone, Copy, Debug)]
pub struct KeyUsage(pub(super) X509KeyUsage);

impl KeyUsage {
    /// Signing of messages: bit `nonRepudiation` (contentCommitment).
    #[must_use]
    pub fn has_non_repudiation(self) -> bool {
        self.0.contains(X509KeyUsage::NON_REPUDIATION)
    }

    /// Encryption of messages to the owner: bit `keyEncipherment`.
    #[must_use]
    pub fn has_key_encipherment(self) -> bool {
        self.0.contains(X509KeyUsage::KEY_ENCIPHERMENT)
    }

    /// Bit `digitalSignature`.
    #[must_use]
    pub fn has_digital_signature(self) -> bool {
        self.0.contains(X509KeyUsage::DIGITAL_SIGNATURE)
    }
}
