//! The OCSP responder without sockets: bytes of a request in, bytes of an answer out (RFC 6960, contract 04 section 4).

use der::asn1::{BitString, ObjectIdentifier, OctetString};
use der::{DateTime, Decode, Encode};
use rcgen::{KeyPair, SigningKey};
use sha1::{Digest, Sha1};
use sha2::Sha256;
use signature::Signer;
use spki::{AlgorithmIdentifierOwned, DynSignatureAlgorithmIdentifier, SignatureBitStringEncoding};
use testbed::evidence::RevocationStatus;
use time::{Duration, OffsetDateTime};
use x509_cert::Certificate;
use x509_cert::serial_number::SerialNumber;
use x509_ocsp::builder::OcspResponseBuilder;
use x509_ocsp::ext::Nonce;
use x509_ocsp::{
    BasicOcspResponse, CertId, CertStatus, OcspGeneralizedTime, OcspRequest, OcspResponse,
    RevokedInfo, SingleResponse,
};

use crate::artefact::OcspArtefact;
use crate::authority::{Authority, Responder, Revocation};
use crate::error::CaError;
use crate::profile::serial_text;
use crate::request::{Cause, RevocationReason};

/// Most certificates that one request may ask for.
const QUESTIONS: usize = 32;
/// How long an answer holds.
const LIFETIME: Duration = Duration::hours(8);

const ID_NONCE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.2");
const ID_SHA1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.14.3.2.26");
const ID_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
const SHA256_WITH_RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11");

/// What goes back to a client.
#[derive(Debug)]
pub(crate) struct OcspAnswer {
    pub(crate) http_status: u16,
    pub(crate) der: Vec<u8>,
    /// The certificates that were asked for, and what the answer says of each.
    pub(crate) asked: Vec<(String, RevocationStatus)>,
    /// How long a client may keep the answer; absent when it holds a nonce or no status.
    pub(crate) keep: Option<Duration>,
}

/// A request that has been understood.
struct Question {
    ids: Vec<CertId>,
    nonce: Option<Nonce>,
}

/// Answers the bytes of a request, or gives the artefact that a fault wants.
///
/// # Errors
/// [`CaError`] when an answer cannot be built or signed, which is a fault of the CA.
pub(crate) fn answer(
    authority: &Authority,
    request: &[u8],
    artefact: Option<OcspArtefact>,
    now: OffsetDateTime,
) -> Result<OcspAnswer, CaError> {
    let Some(question) = Question::read(request) else {
        return failure(400, &OcspResponse::malformed_request(), Vec::new());
    };
    let Some(responder) = authority.responder.as_ref() else {
        return failure(400, &OcspResponse::unauthorized(), Vec::new());
    };
    if !question
        .ids
        .iter()
        .all(|id| issued_by(&authority.certificate, id))
    {
        return failure(400, &OcspResponse::unauthorized(), Vec::new());
    }
    let asked = |status| {
        question
            .ids
            .iter()
            .map(|id| (serial_of(id), status))
            .collect::<Vec<_>>()
    };
    match artefact {
        Some(OcspArtefact::Garbage) => {
            let der = b"This is not an OCSP answer.".to_vec();
            Ok(OcspAnswer {
                http_status: 200,
                der,
                asked: asked(RevocationStatus::Unusable),
                keep: None,
            })
        }
        Some(OcspArtefact::InternalError) => failure(
            200,
            &OcspResponse::internal_error(),
            asked(RevocationStatus::Unusable),
        ),
        Some(OcspArtefact::Malformed) => failure(
            200,
            &OcspResponse::malformed_request(),
            asked(RevocationStatus::Unusable),
        ),
        Some(OcspArtefact::SigRequired) => failure(
            200,
            &OcspResponse::sig_required(),
            asked(RevocationStatus::Unusable),
        ),
        Some(OcspArtefact::TryLater) => failure(
            200,
            &OcspResponse::try_later(),
            asked(RevocationStatus::Unusable),
        ),
        Some(OcspArtefact::Unauthorized) => failure(
            200,
            &OcspResponse::unauthorized(),
            asked(RevocationStatus::Unusable),
        ),
        artefact => states(authority, responder, &question, artefact, now),
    }
}

fn failure(
    http_status: u16,
    response: &OcspResponse,
    asked: Vec<(String, RevocationStatus)>,
) -> Result<OcspAnswer, CaError> {
    Ok(OcspAnswer {
        http_status,
        der: response.to_der()?,
        asked,
        keep: None,
    })
}

/// A signed answer that states something of each certificate.
fn states(
    authority: &Authority,
    responder: &Responder,
    question: &Question,
    artefact: Option<OcspArtefact>,
    now: OffsetDateTime,
) -> Result<OcspAnswer, CaError> {
    let this_update = if artefact == Some(OcspArtefact::Expired) {
        now - Duration::days(2)
    } else {
        now
    };
    let next_update = if artefact == Some(OcspArtefact::Expired) {
        now - Duration::days(1)
    } else {
        now + LIFETIME
    };
    let mut builder =
        OcspResponseBuilder::new(responder.certificate.tbs_certificate.subject.clone());
    let mut asked = Vec::new();
    for id in &question.ids {
        let serial = serial_of(id);
        let (status, told) = status(authority, &serial, artefact, now)?;
        asked.push((serial, told));
        let mut id = id.clone();
        if artefact == Some(OcspArtefact::WrongSerial) {
            id.serial_number = SerialNumber::new(&[0x7f, 0x01])?;
        }
        let single = SingleResponse::new(id, status, generalized(this_update)?);
        builder = builder.with_single_response(single.with_next_update(generalized(next_update)?));
    }
    let nonce = match artefact {
        Some(OcspArtefact::WrongNonce) => Some(Nonce::new(*b"nobody sent this")?),
        _ => question.nonce.clone(),
    };
    let keep = (nonce.is_none() && artefact.is_none()).then_some(LIFETIME);
    if let Some(nonce) = nonce {
        builder = builder.with_extension(nonce).map_err(built)?;
    }
    let response = builder
        .sign::<_, RsaSignature>(
            &mut RsaSigner(&responder.key),
            Some(vec![responder.certificate.clone()]),
            generalized(now)?,
        )
        .map_err(built)?;
    let der = if artefact == Some(OcspArtefact::BadSignature) {
        spoiled(response)?
    } else {
        response.to_der()?
    };
    Ok(OcspAnswer {
        http_status: 200,
        der,
        asked,
        keep,
    })
}

/// What the answer says of one certificate, for the wire and for evidence.
fn status(
    authority: &Authority,
    serial: &str,
    artefact: Option<OcspArtefact>,
    now: OffsetDateTime,
) -> Result<(CertStatus, RevocationStatus), CaError> {
    let claimed = Revocation {
        since: now,
        cause: Cause::Revoked(RevocationReason::KeyCompromise),
    };
    let (status, told) = match artefact {
        Some(OcspArtefact::Good) => (CertStatus::good(), RevocationStatus::Good),
        Some(OcspArtefact::Revoked) => (revoked(claimed)?, RevocationStatus::Revoked),
        Some(OcspArtefact::Unknown) => (CertStatus::unknown(), RevocationStatus::Unknown),
        _ => match authority.record(serial) {
            None => (CertStatus::unknown(), RevocationStatus::Unknown),
            Some(record) => match record.revocation {
                None => (CertStatus::good(), RevocationStatus::Good),
                Some(revocation) => (revoked(revocation)?, RevocationStatus::Revoked),
            },
        },
    };
    let unusable = matches!(
        artefact,
        Some(
            OcspArtefact::BadSignature
                | OcspArtefact::Expired
                | OcspArtefact::WrongNonce
                | OcspArtefact::WrongSerial
        )
    );
    Ok((
        status,
        if unusable {
            RevocationStatus::Unusable
        } else {
            told
        },
    ))
}

fn revoked(revocation: Revocation) -> Result<CertStatus, CaError> {
    Ok(CertStatus::Revoked(RevokedInfo {
        revocation_time: generalized(revocation.since)?,
        revocation_reason: revocation.cause.for_answer(),
    }))
}

/// The answer with one bit of its signature turned.
fn spoiled(response: OcspResponse) -> Result<Vec<u8>, CaError> {
    let Some(bytes) = &response.response_bytes else {
        return Ok(response.to_der()?);
    };
    let mut basic = BasicOcspResponse::from_der(bytes.response.as_bytes())?;
    let mut signature = basic.signature.raw_bytes().to_vec();
    if let Some(last) = signature.last_mut() {
        *last ^= 0x01;
    }
    basic.signature = BitString::from_bytes(&signature)?;
    Ok(OcspResponse::successful(basic)?.to_der()?)
}

impl Question {
    /// Reads a request; nothing when it is not one, asks for nothing or for too much, or has a nonce of a wrong length.
    fn read(request: &[u8]) -> Option<Self> {
        let request = OcspRequest::from_der(request).ok()?.tbs_request;
        let ids: Vec<CertId> = request
            .request_list
            .into_iter()
            .map(|single| single.req_cert)
            .collect();
        if ids.is_empty() || ids.len() > QUESTIONS {
            return None;
        }
        let extension = request
            .request_extensions
            .iter()
            .flatten()
            .find(|extension| extension.extn_id == ID_NONCE);
        let nonce = match extension {
            None => None,
            Some(extension) => {
                let octets = OctetString::from_der(extension.extn_value.as_bytes()).ok()?;
                if !(1..=32).contains(&octets.as_bytes().len()) {
                    return None;
                }
                Some(Nonce(octets))
            }
        };
        Some(Self { ids, nonce })
    }
}

/// Whether the hashes of name and key in a question are those of this CA.
fn issued_by(ca: &Certificate, id: &CertId) -> bool {
    let tbs = &ca.tbs_certificate;
    let key = tbs.subject_public_key_info.subject_public_key.raw_bytes();
    let Ok(name) = tbs.subject.to_der() else {
        return false;
    };
    let (name, key) = match id.hash_algorithm.oid {
        ID_SHA1 => (Sha1::digest(&name).to_vec(), Sha1::digest(key).to_vec()),
        ID_SHA256 => (Sha256::digest(&name).to_vec(), Sha256::digest(key).to_vec()),
        _ => return false,
    };
    id.issuer_name_hash.as_bytes() == name && id.issuer_key_hash.as_bytes() == key
}

fn serial_of(id: &CertId) -> String {
    serial_text(id.serial_number.as_bytes())
}

fn generalized(moment: OffsetDateTime) -> Result<OcspGeneralizedTime, CaError> {
    let seconds = u64::try_from(moment.unix_timestamp()).unwrap_or_default();
    Ok(OcspGeneralizedTime::from(DateTime::from_unix_duration(
        std::time::Duration::from_secs(seconds),
    )?))
}

fn built(error: x509_ocsp::builder::Error) -> CaError {
    match error {
        x509_ocsp::builder::Error::Asn1(error) => CaError::Der(error),
        // The other cases are of signing and of public keys; the keys are the CA's own.
        _ => CaError::Build(rcgen::Error::RemoteKeyError),
    }
}

/// Signs with a key of rcgen where x509-ocsp wants a [`Signer`].
struct RsaSigner<'a>(&'a KeyPair);

/// A PKCS#1 v1.5 signature.
struct RsaSignature(Vec<u8>);

impl Signer<RsaSignature> for RsaSigner<'_> {
    fn try_sign(&self, message: &[u8]) -> Result<RsaSignature, signature::Error> {
        self.0
            .sign(message)
            .map(RsaSignature)
            .map_err(|_| signature::Error::new())
    }
}

impl DynSignatureAlgorithmIdentifier for RsaSigner<'_> {
    fn signature_algorithm_identifier(&self) -> spki::Result<AlgorithmIdentifierOwned> {
        Ok(AlgorithmIdentifierOwned {
            oid: SHA256_WITH_RSA,
            parameters: Some(der::asn1::Null.into()),
        })
    }
}

impl SignatureBitStringEncoding for RsaSignature {
    fn to_bitstring(&self) -> der::Result<BitString> {
        BitString::from_bytes(&self.0)
    }
}
