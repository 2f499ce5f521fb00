//! Why bytes are no certificate.

/// What is wrong with bytes that should be a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// More bytes than any certificate has.
    #[error("too many bytes for a certificate")]
    TooLarge,
    /// No certificate, or none at all in a text that should hold one.
    #[error("this is no certificate")]
    Unreadable,
    /// A certificate, but in another encoding than DER, or with bytes after it.
    #[error("this certificate is not plain DER")]
    NotDer,
}
