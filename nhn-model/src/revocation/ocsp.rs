//! OCSP requests and answers (RFC 6960; contract 04 sections 4.1 to 4.3).

use openssl::sha::{sha1, sha256};
use time::{Duration, OffsetDateTime};

use super::error::RevocationError;
use super::responder;
use super::{Answer, Reason, SKEW, Status};
use crate::asn1::{self, Element, Reader, oid};
use crate::certificate::Certificate;

/// Largest answer, most statuses, certificates and extensions in it.
const ANSWER_SIZE: usize = 256 * 1024;
const STATUSES: usize = 64;
const CERTIFICATES: usize = 8;
const EXTENSIONS: usize = 16;
/// How long an answer holds that does not say so; Java's rule (contract 04 section 4.3).
const UNDATED: Duration = Duration::minutes(15);

/// A request for one certificate, with SHA-1 hashes and without a nonce, as .NET sends it (contract 04 section 4.1).
#[must_use]
pub fn ocsp_request(certificate: &Certificate, issuer: &Certificate) -> Vec<u8> {
    request(certificate, issuer, &[])
}

/// A request with a nonce of 1 to 32 bytes, which the answer must hold.
#[must_use]
pub fn ocsp_request_with_nonce(
    certificate: &Certificate,
    issuer: &Certificate,
    nonce: &[u8],
) -> Vec<u8> {
    let value = asn1::element(asn1::OCTET_STRING, nonce);
    let extension = asn1::of(
        asn1::SEQUENCE,
        &[
            &asn1::element(asn1::OBJECT_IDENTIFIER, oid::OCSP_NONCE),
            &asn1::element(asn1::OCTET_STRING, &value),
        ],
    );
    let extensions = asn1::element(asn1::SEQUENCE, &extension);
    let extensions = asn1::element(asn1::CONTEXT_2_CONSTRUCTED, &extensions);
    request(certificate, issuer, &extensions)
}

fn request(certificate: &Certificate, issuer: &Certificate, extensions: &[u8]) -> Vec<u8> {
    let (name, key) = issuer.subject_and_key().unwrap_or_default();
    let (_, serial) = certificate.issuer_and_serial().unwrap_or_default();
    let algorithm = asn1::of(
        asn1::SEQUENCE,
        &[
            &asn1::element(asn1::OBJECT_IDENTIFIER, oid::SHA1),
            &[0x05, 0x00],
        ],
    );
    let id = asn1::of(
        asn1::SEQUENCE,
        &[
            &algorithm,
            &asn1::element(asn1::OCTET_STRING, &sha1(name)),
            &asn1::element(asn1::OCTET_STRING, &sha1(key)),
            serial,
        ],
    );
    let list = asn1::element(asn1::SEQUENCE, &asn1::element(asn1::SEQUENCE, &id));
    let tbs = asn1::of(asn1::SEQUENCE, &[&list, extensions]);
    asn1::element(asn1::SEQUENCE, &tbs)
}

/// Reads the answer to [`ocsp_request`]: the bytes of the HTTP body, whatever the HTTP status.
///
/// # Errors
/// [`RevocationError`] when the answer cannot be relied on or is none.
pub fn read_ocsp(
    bytes: &[u8],
    certificate: &Certificate,
    issuer: &Certificate,
    at: OffsetDateTime,
) -> Result<Answer, RevocationError> {
    read_ocsp_with_nonce(bytes, certificate, issuer, at, None)
}

/// Reads the answer to [`ocsp_request_with_nonce`]. Without a nonce none may be in the answer: it is to somebody else's request.
///
/// # Errors
/// [`RevocationError`] when the answer cannot be relied on or is none.
pub fn read_ocsp_with_nonce(
    bytes: &[u8],
    certificate: &Certificate,
    issuer: &Certificate,
    at: OffsetDateTime,
    nonce: Option<&[u8]>,
) -> Result<Answer, RevocationError> {
    if bytes.len() > ANSWER_SIZE {
        return Err(RevocationError::TooLarge);
    }
    let basic = basic_response(bytes)?;
    let response = Response::read(basic).ok_or(RevocationError::Unreadable)?;
    responder::check(&response, issuer, at)?;
    let statuses = response.statuses.iter();
    let single = statuses
        .map(|status| Single::read(status).ok_or(RevocationError::Unreadable))
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .find(|single| single.is_of(certificate, issuer))
        .ok_or(RevocationError::OtherCertificate)?;
    let found = check_extensions(&response.extensions)?;
    check_extensions(&single.extensions)?;
    if found.as_deref() != nonce {
        return Err(RevocationError::WrongNonce);
    }
    let answer = single.answer;
    if at + SKEW < answer.this_update {
        return Err(RevocationError::NotYetValid);
    }
    if answer.next_update.unwrap_or(answer.this_update + UNDATED) < at {
        return Err(RevocationError::Expired);
    }
    Ok(answer)
}

/// The signed part of a successful response, or what the responder says instead.
fn basic_response(bytes: &[u8]) -> Result<&[u8], RevocationError> {
    let unreadable = || RevocationError::Unreadable;
    let mut outer = Reader::new(bytes);
    let mut response = outer.enter(asn1::SEQUENCE).ok_or_else(unreadable)?;
    if !outer.is_empty() {
        return Err(RevocationError::Unreadable);
    }
    let status = response.expect(asn1::ENUMERATED).ok_or_else(unreadable)?;
    match status.content {
        [0] => {}
        [1] => return Err(RevocationError::MalformedRequest),
        [2] => return Err(RevocationError::InternalError),
        [3] => return Err(RevocationError::TryLater),
        [5] => return Err(RevocationError::SigRequired),
        [6] => return Err(RevocationError::Unauthorized),
        _ => return Err(RevocationError::Unreadable),
    }
    let basic = || {
        let mut bytes = response
            .enter(asn1::CONTEXT_0_CONSTRUCTED)?
            .enter(asn1::SEQUENCE)?;
        let kind = bytes.expect(asn1::OBJECT_IDENTIFIER)?;
        let basic = bytes.expect(asn1::OCTET_STRING)?;
        (kind.content == oid::OCSP_BASIC).then_some(basic.content)
    };
    let mut basic = basic;
    basic().ok_or_else(unreadable)
}

/// `BasicOCSPResponse`, taken apart.
pub(super) struct Response<'a> {
    /// What is signed.
    pub(super) signed: &'a [u8],
    /// The responder's name, or the hash of its key.
    pub(super) responder: Element<'a>,
    statuses: Vec<Element<'a>>,
    extensions: Vec<Element<'a>>,
    /// Object identifier of the signature's algorithm.
    pub(super) algorithm: &'a [u8],
    pub(super) signature: &'a [u8],
    pub(super) certificates: Vec<Element<'a>>,
}

impl<'a> Response<'a> {
    fn read(basic: &'a [u8]) -> Option<Self> {
        let mut response = Reader::new(basic).enter(asn1::SEQUENCE)?;
        let signed = response.expect(asn1::SEQUENCE)?;
        let algorithm = response
            .enter(asn1::SEQUENCE)?
            .expect(asn1::OBJECT_IDENTIFIER)?;
        let signature = response.expect(asn1::BIT_STRING)?;
        let certificates = match response.enter(asn1::CONTEXT_0_CONSTRUCTED) {
            None => Vec::new(),
            Some(mut list) => list.enter(asn1::SEQUENCE)?.all(CERTIFICATES)?,
        };
        let mut data = Reader::new(signed.content);
        let _version = data.optional(asn1::CONTEXT_0_CONSTRUCTED);
        let responder = data.next()?;
        data.expect(asn1::GENERALIZED_TIME)?;
        let statuses = data.enter(asn1::SEQUENCE)?.all(STATUSES)?;
        Some(Self {
            signed: signed.whole,
            responder,
            statuses,
            extensions: extensions(&mut data)?,
            algorithm: algorithm.content,
            // The first octet counts unused bits.
            signature: signature.content.get(1..)?,
            certificates,
        })
    }
}

/// `SingleResponse`: what the answer says of one certificate.
struct Single<'a> {
    algorithm: &'a [u8],
    name_hash: &'a [u8],
    key_hash: &'a [u8],
    serial: &'a [u8],
    extensions: Vec<Element<'a>>,
    answer: Answer,
}

impl<'a> Single<'a> {
    fn read(element: &Element<'a>) -> Option<Self> {
        let mut single = Reader::new(element.content);
        let mut id = single.enter(asn1::SEQUENCE)?;
        let algorithm = id.enter(asn1::SEQUENCE)?.expect(asn1::OBJECT_IDENTIFIER)?;
        let name_hash = id.expect(asn1::OCTET_STRING)?;
        let key_hash = id.expect(asn1::OCTET_STRING)?;
        let serial = id.expect(asn1::INTEGER)?;
        let status = status(&single.next()?)?;
        let this_update = asn1::generalized_time(&single.next()?)?;
        let next_update = match single.enter(asn1::CONTEXT_0_CONSTRUCTED) {
            None => None,
            Some(mut next) => Some(asn1::generalized_time(&next.next()?)?),
        };
        Some(Self {
            algorithm: algorithm.content,
            name_hash: name_hash.content,
            key_hash: key_hash.content,
            serial: serial.whole,
            extensions: extensions(&mut single)?,
            answer: Answer {
                status,
                this_update,
                next_update,
            },
        })
    }

    fn is_of(&self, certificate: &Certificate, issuer: &Certificate) -> bool {
        let (name, key) = issuer.subject_and_key().unwrap_or_default();
        let hashes = match self.algorithm {
            oid::SHA1 => [sha1(name).to_vec(), sha1(key).to_vec()],
            oid::SHA256 => [sha256(name).to_vec(), sha256(key).to_vec()],
            _ => return false,
        };
        let serial = certificate.issuer_and_serial().map(|(_, serial)| serial);
        hashes == [self.name_hash, self.key_hash] && serial == Some(self.serial)
    }
}

fn status(element: &Element<'_>) -> Option<Status> {
    const GOOD: u8 = 0x80;
    const REVOKED: u8 = asn1::CONTEXT_1_CONSTRUCTED;
    const UNKNOWN: u8 = 0x82;
    match element.tag {
        GOOD => Some(Status::Good),
        UNKNOWN => Some(Status::Unknown),
        REVOKED => {
            let mut info = Reader::new(element.content);
            let since = asn1::generalized_time(&info.next()?)?;
            let reason = match info.enter(asn1::CONTEXT_0_CONSTRUCTED) {
                None => None,
                Some(mut reason) => match reason.expect(asn1::ENUMERATED)?.content {
                    [number] => Reason::of_number(i64::from(*number)),
                    _ => None,
                },
            };
            Some(Status::Revoked { since, reason })
        }
        _ => None,
    }
}

fn extensions<'a>(reader: &mut Reader<'a>) -> Option<Vec<Element<'a>>> {
    match reader.enter(asn1::CONTEXT_1_CONSTRUCTED) {
        None => Some(Vec::new()),
        Some(mut list) => list.enter(asn1::SEQUENCE)?.all(EXTENSIONS),
    }
}

/// The nonce among the extensions; critical ones of other kinds are refused.
fn check_extensions(extensions: &[Element<'_>]) -> Result<Option<Vec<u8>>, RevocationError> {
    let mut nonce = None;
    for extension in extensions {
        let (oid, critical, value) =
            asn1::extension(extension).ok_or(RevocationError::Unreadable)?;
        if oid == oid::OCSP_NONCE {
            let octets = Reader::new(value).expect(asn1::OCTET_STRING);
            nonce = Some(octets.ok_or(RevocationError::Unreadable)?.content.to_vec());
        } else if critical {
            return Err(RevocationError::Unsupported(asn1::dotted(oid)));
        }
    }
    Ok(nonce)
}
