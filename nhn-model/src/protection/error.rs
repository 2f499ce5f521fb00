//! Why a message cannot be protected or opened.

use openssl::error::ErrorStack;

use crate::certificate::CertificateError;

/// Why a message cannot be protected, or an identity not be read.
#[derive(Debug, thiserror::Error)]
pub enum ProtectionError {
    /// A certificate cannot be read, or there is none.
    #[error("certificate: {0}")]
    Certificate(#[from] CertificateError),
    /// The private key cannot be read.
    #[error("the private key cannot be read")]
    Key,
    /// The private key belongs to another certificate.
    #[error("the private key does not belong to the certificate")]
    KeyMismatch,
    /// The store cannot be read, for example for want of the right password.
    #[error("the PKCS#12 store cannot be read")]
    Store,
    /// The key is not one of RSA (contract 04 section 10 knows no other).
    #[error("the key is not an RSA key")]
    NotRsa,
    /// The recipient has no key identifier to be named by.
    #[error("the recipient's certificate has no subject key identifier")]
    NoKeyIdentifier,
    /// OpenSSL refuses.
    #[error("OpenSSL: {0}")]
    OpenSsl(#[from] ErrorStack),
}

/// Why a message cannot be opened. Nothing of its content has been handed out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// No bytes at all.
    #[error("the message is empty")]
    Empty,
    /// More than [`super::MAX_SIZE`] bytes.
    #[error("the message is too large")]
    TooLarge,
    /// No EnvelopedData: plain text, SignedData without envelope, AuthEnvelopedData, rubbish.
    #[error("the message is not enveloped")]
    NotEnveloped,
    /// It begins as EnvelopedData and goes on as something else.
    #[error("the envelope cannot be read")]
    Unreadable,
    /// Bytes follow the message, outside or inside of the envelope.
    #[error("bytes follow the message")]
    TrailingBytes,
    /// The envelope names no recipient at all.
    #[error("the envelope has no recipient")]
    NoRecipients,
    /// The envelope is for others.
    #[error("the message is encrypted to another certificate")]
    NoRecipient,
    /// The content is encrypted with a broken cipher: DES or 3DES.
    #[error("the message is encrypted with {0}")]
    WeakCipher(String),
    /// The content is encrypted with a cipher that is not known here; its object identifier.
    #[error("the message is encrypted with the unknown cipher {0}")]
    UnsupportedCipher(String),
    /// The envelope is for us and does not open.
    #[error("the message cannot be decrypted")]
    Decryption,
    /// The decrypted content begins as SignedData and goes on as something else.
    #[error("the signed data in the envelope cannot be read")]
    SignedUnreadable,
    /// The SignedData holds no content.
    #[error("the signed data holds no content")]
    Detached,
    /// The SignedData holds no signature.
    #[error("the signed data holds no signature")]
    NoSigner,
    /// The certificate of a signer is not in the message (contract 04 section 10.4 rule 2).
    #[error("the signer's certificate is not in the message")]
    SignerNotEmbedded,
    /// Several different certificates in the message answer to the name of a signer.
    #[error("several certificates in the message fit the signer")]
    AmbiguousSigner,
    /// A signature is made over a broken digest: SHA-1.
    #[error("the signature is made with {0}")]
    WeakDigest(String),
    /// A signature is made with an algorithm that is not known here; its object identifier.
    #[error("the signature is made with the unknown algorithm {0}")]
    UnsupportedSignature(String),
    /// A signature does not fit content and certificate.
    #[error("the signature is wrong")]
    SignatureInvalid,
}
