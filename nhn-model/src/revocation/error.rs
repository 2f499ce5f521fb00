//! Why a list or an answer cannot be relied on.

/// What is wrong with a list or an OCSP answer. It says nothing of the certificate: another source must be asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RevocationError {
    /// More bytes than any list or answer has.
    #[error("too many bytes")]
    TooLarge,
    /// No list, or no answer: something else, cut off, or with bytes after it.
    #[error("the bytes are not what they should be")]
    Unreadable,
    /// The list is another CA's, or the answer is signed by nobody who may speak for the CA.
    #[error("it comes from somebody else than the CA")]
    WrongIssuer,
    /// The signature does not fit.
    #[error("its signature is wrong")]
    SignatureInvalid,
    /// It is signed in a way that is not known or not safe; the object identifier.
    #[error("it is signed with the algorithm {0}")]
    UnsupportedSignature(String),
    /// It begins to hold in the future.
    #[error("it does not hold yet")]
    NotYetValid,
    /// It no longer holds.
    #[error("it has expired")]
    Expired,
    /// A list that does not say until when it holds.
    #[error("the list does not say when the next one comes")]
    NoNextUpdate,
    /// A critical extension that is not known, for example of a list that holds only changes; the object identifier.
    #[error("it has the critical extension {0}")]
    Unsupported(String),
    /// The answer is of another certificate.
    #[error("the answer is of another certificate")]
    OtherCertificate,
    /// The answer has not the number that was sent, or one when none was (contract 04 section 4.3).
    #[error("the answer is not to this request")]
    WrongNonce,
    /// OCSP status 1: the responder has not understood the request.
    #[error("the responder has not understood the request")]
    MalformedRequest,
    /// OCSP status 2: the responder is out of order.
    #[error("the responder is out of order")]
    InternalError,
    /// OCSP status 3: the responder wants to be asked later.
    #[error("the responder wants to be asked later")]
    TryLater,
    /// OCSP status 5: the responder wants signed requests.
    #[error("the responder wants signed requests")]
    SigRequired,
    /// OCSP status 6: the responder does not speak for this CA.
    #[error("the responder does not speak for this CA")]
    Unauthorized,
}
