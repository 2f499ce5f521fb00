//! SignedData: who has signed, and whether the signatures are right (contract 04 section 10.4).

use openssl::cms::{CMSOptions, CmsContentInfo};
use openssl::stack::Stack;

use super::MAX_SIZE;
use super::algorithm::Digest;
use super::enveloped::names;
use super::error::OpenError;
use super::open::Acceptance;
use crate::asn1::{self, Element, Reader, oid};
use crate::certificate::Certificate;

/// Most certificates and most signatures in a message.
const CERTIFICATES: usize = 64;
const SIGNERS: usize = 8;

/// Who has signed a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// The certificate whose key has signed. It is the message's own claim: whether it is the expected one, trusted, valid
    /// and for signing is to be found out.
    pub certificate: Certificate,
    /// All certificates in the message, the signer's among them, in their order.
    pub embedded: Vec<Certificate>,
    /// The certificates of further signatures, which are right as well. Usually there are none.
    pub others: Vec<Certificate>,
}

/// Signed content whose signatures are right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The content.
    pub content: Vec<u8>,
    /// Who has signed it.
    pub signer: Signer,
    /// Digest of the first signature.
    pub digest: Digest,
    /// Whether the first signature is over signed attributes.
    pub signed_attributes: bool,
}

/// Checks every signature of SignedData with the certificates in it, and hands out its content.
///
/// # Errors
/// [`OpenError`], of which [`OpenError::SignedUnreadable`] also stands for bytes that are no SignedData at all.
pub fn verify(bytes: &[u8], acceptance: Acceptance) -> Result<Verified, OpenError> {
    let unreadable = OpenError::SignedUnreadable;
    if bytes.len() > MAX_SIZE {
        return Err(OpenError::TooLarge);
    }
    if asn1::content_type(bytes) != Some(oid::SIGNED_DATA) {
        return Err(unreadable);
    }
    let extent = asn1::extent(bytes).ok_or(OpenError::SignedUnreadable)?;
    if extent < bytes.len() {
        return Err(OpenError::TrailingBytes);
    }
    let mut cms = CmsContentInfo::from_der(bytes).map_err(|_| OpenError::SignedUnreadable)?;
    // The message's own bytes tell the order of certificates and signatures; OpenSSL sorts them when it writes.
    let normalised = cms.to_der().map_err(|_| OpenError::SignedUnreadable)?;
    let signed = SignedData::read(bytes)
        .or_else(|| SignedData::read(&normalised))
        .ok_or(OpenError::SignedUnreadable)?;
    if !signed.has_content {
        return Err(OpenError::Detached);
    }
    let first = signed.signers.first().ok_or(OpenError::NoSigner)?;
    let digest = first.digest(acceptance)?;
    let mut certificates = Vec::new();
    for signer in &signed.signers {
        signer.digest(acceptance)?;
        let certificate = signer.certificate(&signed.certificates)?;
        if !certificates.contains(certificate) {
            certificates.push(certificate.clone());
        }
    }
    let content = content(&mut cms, &certificates)?;
    let certificate = certificates.remove(0);
    Ok(Verified {
        content,
        digest,
        signed_attributes: first.attributes,
        signer: Signer {
            certificate,
            embedded: signed.certificates,
            others: certificates,
        },
    })
}

/// The content, when every signature is right. OpenSSL may use these certificates and no others, so that the certificate
/// that is reported is the one that was used.
fn content(cms: &mut CmsContentInfo, certificates: &[Certificate]) -> Result<Vec<u8>, OpenError> {
    let mut verified = || {
        let mut stack = Stack::new()?;
        for certificate in certificates {
            stack.push(certificate.owned_x509().clone())?;
        }
        let flags = CMSOptions::NOINTERN | CMSOptions::NO_SIGNER_CERT_VERIFY | CMSOptions::BINARY;
        let mut content = Vec::new();
        cms.verify(Some(&stack), None, None, Some(&mut content), flags)?;
        Ok::<_, openssl::error::ErrorStack>(content)
    };
    verified().map_err(|_| OpenError::SignatureInvalid)
}

/// The parts of SignedData that say who has signed.
struct SignedData<'a> {
    has_content: bool,
    certificates: Vec<Certificate>,
    signers: Vec<SignerInfo<'a>>,
}

struct SignerInfo<'a> {
    id: Element<'a>,
    digest: &'a [u8],
    attributes: bool,
}

impl<'a> SignedData<'a> {
    /// Reads a ContentInfo in DER.
    fn read(der: &'a [u8]) -> Option<Self> {
        let mut info = Reader::new(der).enter(asn1::SEQUENCE)?;
        info.expect(asn1::OBJECT_IDENTIFIER)?;
        let mut signed = info
            .enter(asn1::CONTEXT_0_CONSTRUCTED)?
            .enter(asn1::SEQUENCE)?;
        signed.expect(asn1::INTEGER)?;
        signed.expect(asn1::SET)?;
        let mut encapsulated = signed.enter(asn1::SEQUENCE)?;
        encapsulated.expect(asn1::OBJECT_IDENTIFIER)?;
        let has_content = !encapsulated.is_empty();
        let certificates = match signed.enter(asn1::CONTEXT_0_CONSTRUCTED) {
            None => Vec::new(),
            Some(certificates) => certificates.all(CERTIFICATES)?,
        };
        let _lists = signed.optional(asn1::CONTEXT_1_CONSTRUCTED);
        let signers = signed.enter(asn1::SET)?.all(SIGNERS)?;
        let signers = signers.iter().map(SignerInfo::read);
        // Attribute certificates and the like have other tags; nobody signs a message with them.
        let certificates = certificates
            .iter()
            .filter(|certificate| certificate.tag == asn1::SEQUENCE)
            .map(|certificate| Certificate::from_der(certificate.whole).ok());
        Some(Self {
            has_content,
            certificates: certificates.collect::<Option<Vec<_>>>()?,
            signers: signers.collect::<Option<Vec<_>>>()?,
        })
    }
}

impl<'a> SignerInfo<'a> {
    fn read(element: &Element<'a>) -> Option<Self> {
        let mut info = Reader::new(element.content);
        info.expect(asn1::INTEGER)?;
        let id = info.next()?;
        let digest = info
            .enter(asn1::SEQUENCE)?
            .expect(asn1::OBJECT_IDENTIFIER)?;
        let attributes = info.optional(asn1::CONTEXT_0_CONSTRUCTED).is_some();
        Some(Self {
            id,
            digest: digest.content,
            attributes,
        })
    }

    fn digest(&self, acceptance: Acceptance) -> Result<Digest, OpenError> {
        let digest = Digest::of_oid(self.digest)
            .ok_or_else(|| OpenError::UnsupportedSignature(asn1::dotted(self.digest)))?;
        if digest.is_weak() && !acceptance.weak_algorithms {
            return Err(OpenError::WeakDigest(digest.name().to_owned()));
        }
        Ok(digest)
    }

    /// The one certificate that the signer's name fits.
    fn certificate<'c>(&self, embedded: &'c [Certificate]) -> Result<&'c Certificate, OpenError> {
        let mut fitting = embedded
            .iter()
            .filter(|certificate| names(&self.id, certificate));
        let certificate = fitting.next().ok_or(OpenError::SignerNotEmbedded)?;
        if fitting.any(|other| other != certificate) {
            return Err(OpenError::AmbiguousSigner);
        }
        Ok(certificate)
    }
}
