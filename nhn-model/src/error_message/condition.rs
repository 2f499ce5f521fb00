//! What an error message can say is wrong.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

/// An error condition (contract 03 section 5.2, contract 01 section 5.3).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ErrorCondition {
    /// A property is missing, does not match the payload, or names an unknown party.
    InvalidFieldValue,
    /// The payload is not well-formed or not valid.
    NotWellFormedXml,
    /// The function or the encryption algorithm is refused.
    UnsupportedMessage,
    /// The application notifies the sender of trouble of its own.
    InternalError,
    /// The signer's certificate is outside its validity, before or after.
    ExpiredCertificate,
    /// Wrong key usage, several faults at once, decryption impossible, or not the expected signer.
    InvalidCertificate,
    /// The signer's certificate is revoked, or its status unknown.
    RevokedCertificate,
    /// The revocation service cannot be reached.
    RevokedCertificateOffline,
    /// No signing certificate is registered for the sender.
    MissingCertificate,
    /// The registered certificate could not be verified.
    UnverifiedCertificate,
    /// The sender in the payload is not that of the envelope.
    SpoofingAttack,
    /// Another text, such as the code of a SOAP fault; empty if there is none.
    Other(String),
}

impl ErrorCondition {
    /// Every condition that is known by name.
    pub const KNOWN: [Self; 11] = [
        Self::InvalidFieldValue,
        Self::NotWellFormedXml,
        Self::UnsupportedMessage,
        Self::InternalError,
        Self::ExpiredCertificate,
        Self::InvalidCertificate,
        Self::RevokedCertificate,
        Self::RevokedCertificateOffline,
        Self::MissingCertificate,
        Self::UnverifiedCertificate,
        Self::SpoofingAttack,
    ];

    /// The text on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::InvalidFieldValue => "transport:invalid-field-value",
            Self::NotWellFormedXml => "transport:not-well-formed-xml",
            Self::UnsupportedMessage => "transport:unsupported-message",
            Self::InternalError => "transport:internal-error",
            Self::ExpiredCertificate => "transport:expired-certificate",
            Self::InvalidCertificate => "transport:invalid-certificate",
            Self::RevokedCertificate => "transport:revoked-certificate",
            Self::RevokedCertificateOffline => "transport:revoked-certificate-offline",
            Self::MissingCertificate => "transport:missing-certificate",
            Self::UnverifiedCertificate => "transport:unverified-certificate",
            Self::SpoofingAttack => "abuse:spoofing-attack",
            Self::Other(text) => text,
        }
    }

    /// Whether the condition is one of the documented ones.
    #[must_use]
    pub const fn is_known(&self) -> bool {
        !matches!(self, Self::Other(_))
    }
}

impl From<&str> for ErrorCondition {
    fn from(text: &str) -> Self {
        let text = text.trim();
        let known = Self::KNOWN
            .into_iter()
            .find(|condition| condition.as_str() == text);
        known.unwrap_or_else(|| Self::Other(text.to_owned()))
    }
}

impl FromStr for ErrorCondition {
    type Err = Infallible;

    /// Never fails: an unknown text is [`ErrorCondition::Other`].
    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self::from(text))
    }
}

impl fmt::Display for ErrorCondition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_condition_comes_back() {
        for condition in ErrorCondition::KNOWN {
            assert!(condition.is_known());
            assert_eq!(condition.as_str().parse(), Ok(condition));
        }
        let other = ErrorCondition::from("transport:new");
        assert_eq!((other.as_str(), other.is_known()), ("transport:new", false));
    }
}
