//! The wrong artefacts that a fault can put in place of the right one ([`testbed::fault::FaultAction::Artefact`]).

/// A wrong list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CrlArtefact {
    /// The signature does not verify. The list lives five seconds: some clients keep it until then (contract 04 section 3.3).
    BadSignature,
    /// nextUpdate lies a day back.
    Expired,
    /// thisUpdate lies an hour ahead.
    Future,
    /// Bytes that are no list.
    Garbage,
    /// A page for people, with status 200.
    Html,
    /// Half the list.
    Truncated,
}

/// A wrong OCSP answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OcspArtefact {
    /// The signature does not verify.
    BadSignature,
    /// nextUpdate lies a day back.
    Expired,
    /// Bytes that are no answer.
    Garbage,
    /// Says good, whatever is true.
    Good,
    /// Status internalError.
    InternalError,
    /// Status malformedRequest.
    Malformed,
    /// Says revoked, whatever is true.
    Revoked,
    /// Status sigRequired.
    SigRequired,
    /// Status tryLater.
    TryLater,
    /// Status unauthorized.
    Unauthorized,
    /// Says unknown, whatever is true.
    Unknown,
    /// A nonce that nobody sent.
    WrongNonce,
    /// Speaks of another certificate.
    WrongSerial,
}

const CRL: [(&str, CrlArtefact); 6] = [
    ("crl-bad-signature", CrlArtefact::BadSignature),
    ("crl-expired", CrlArtefact::Expired),
    ("crl-future", CrlArtefact::Future),
    ("crl-garbage", CrlArtefact::Garbage),
    ("crl-html", CrlArtefact::Html),
    ("crl-truncated", CrlArtefact::Truncated),
];

const OCSP: [(&str, OcspArtefact); 13] = [
    ("ocsp-bad-signature", OcspArtefact::BadSignature),
    ("ocsp-expired", OcspArtefact::Expired),
    ("ocsp-garbage", OcspArtefact::Garbage),
    ("ocsp-good", OcspArtefact::Good),
    ("ocsp-internal-error", OcspArtefact::InternalError),
    ("ocsp-malformed", OcspArtefact::Malformed),
    ("ocsp-revoked", OcspArtefact::Revoked),
    ("ocsp-sig-required", OcspArtefact::SigRequired),
    ("ocsp-try-later", OcspArtefact::TryLater),
    ("ocsp-unauthorized", OcspArtefact::Unauthorized),
    ("ocsp-unknown", OcspArtefact::Unknown),
    ("ocsp-wrong-nonce", OcspArtefact::WrongNonce),
    ("ocsp-wrong-serial", OcspArtefact::WrongSerial),
];

/// The names of all wrong artefacts that this CA can serve, for readers of scenario files. Those that begin with `crl-` are for the
/// address of a list, those that begin with `ocsp-` for that of a responder.
pub fn artefact_names() -> impl Iterator<Item = &'static str> {
    CRL.iter()
        .map(|(name, _)| *name)
        .chain(OCSP.iter().map(|(name, _)| *name))
}

impl CrlArtefact {
    pub(crate) fn named(name: &str) -> Option<Self> {
        CRL.iter()
            .find(|(known, _)| *known == name)
            .map(|(_, artefact)| *artefact)
    }
}

impl OcspArtefact {
    pub(crate) fn named(name: &str) -> Option<Self> {
        OCSP.iter()
            .find(|(known, _)| *known == name)
            .map(|(_, artefact)| *artefact)
    }
}
