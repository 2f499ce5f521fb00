//! Protection of messages: signed, then encrypted (CMS, RFC 5652; contract 04 section 10).
//!
//! Only the mathematics is done here. Whether a certificate is the listed one, chains to a trusted root, is within its dates
//! or revoked, is the caller's question.

mod algorithm;
mod encrypt;
mod enveloped;
mod error;
mod identity;
mod open;
mod sign;
mod signed;

use time::OffsetDateTime;

use crate::certificate::Certificate;

pub use self::algorithm::{ContentCipher, Digest, KeyTransport};
pub use self::encrypt::{EncryptOptions, RecipientId, encrypt, encrypt_with};
pub use self::error::{OpenError, ProtectionError};
pub use self::identity::{DecryptionIdentity, SigningIdentity};
pub use self::open::{Acceptance, Form, Opened, open, open_with};
pub use self::sign::{Embed, SignOptions, sign, sign_with};
pub use self::signed::{Signer, Verified, verify};

/// Largest message that is opened: more than any bus lets through (contract 01 section 10).
pub const MAX_SIZE: usize = 32 * 1024 * 1024;

/// Signs the content, then encrypts the result to the recipient: the body of a protected AMQP message (contract 04 section 10.1).
///
/// # Errors
/// [`ProtectionError`] when the recipient's key is not one of RSA, or the library refuses.
pub fn protect(
    content: &[u8],
    signer: &SigningIdentity,
    recipient: &Certificate,
    at: OffsetDateTime,
) -> Result<Vec<u8>, ProtectionError> {
    encrypt(&sign(content, signer, at)?, recipient)
}
