//! What stands in an envelope before it is opened.

use super::identity::DecryptionIdentity;
use crate::asn1::{self, Element, Reader};

/// Most recipients that an envelope may have.
const RECIPIENTS: usize = 64;

/// The visible parts of EnvelopedData.
pub(super) struct Enveloped<'a> {
    pub(super) recipients: Vec<Recipient<'a>>,
    /// Object identifier of the content's cipher.
    pub(super) cipher: &'a [u8],
}

/// A recipient to whom the key is transported by RSA. Recipients of other kinds have neither name nor algorithm.
pub(super) struct Recipient<'a> {
    id: Option<Element<'a>>,
    /// Object identifier of the key transport.
    pub(super) algorithm: Option<&'a [u8]>,
}

impl<'a> Enveloped<'a> {
    /// Reads a ContentInfo in DER.
    pub(super) fn read(der: &'a [u8]) -> Option<Self> {
        let mut info = Reader::new(der).enter(asn1::SEQUENCE)?;
        info.expect(asn1::OBJECT_IDENTIFIER)?;
        let mut enveloped = info
            .enter(asn1::CONTEXT_0_CONSTRUCTED)?
            .enter(asn1::SEQUENCE)?;
        enveloped.expect(asn1::INTEGER)?;
        let _originator = enveloped.optional(asn1::CONTEXT_0_CONSTRUCTED);
        let recipients = enveloped.enter(asn1::SET)?.all(RECIPIENTS)?;
        let recipients = recipients.iter().map(Recipient::read);
        let mut content = enveloped.enter(asn1::SEQUENCE)?;
        content.expect(asn1::OBJECT_IDENTIFIER)?;
        let cipher = content
            .enter(asn1::SEQUENCE)?
            .expect(asn1::OBJECT_IDENTIFIER)?;
        // Without content there is nothing to open.
        content.next()?;
        Some(Self {
            recipients: recipients.collect::<Option<Vec<_>>>()?,
            cipher: cipher.content,
        })
    }
}

impl<'a> Recipient<'a> {
    fn read(element: &Element<'a>) -> Option<Self> {
        if element.tag != asn1::SEQUENCE {
            return Some(Self {
                id: None,
                algorithm: None,
            });
        }
        let mut info = Reader::new(element.content);
        info.expect(asn1::INTEGER)?;
        let id = info.next()?;
        let algorithm = info
            .enter(asn1::SEQUENCE)?
            .expect(asn1::OBJECT_IDENTIFIER)?;
        Some(Self {
            id: Some(id),
            algorithm: Some(algorithm.content),
        })
    }

    /// Whether the recipient is named by key identifier.
    pub(super) fn is_by_key_identifier(&self) -> bool {
        self.id.is_some_and(|id| id.tag == asn1::CONTEXT_0)
    }

    /// Whether this is the owner of the identity.
    pub(super) fn is(&self, identity: &DecryptionIdentity) -> bool {
        self.id.is_some_and(|id| names(&id, identity.certificate()))
    }
}

/// Whether the name of a signer or recipient, an issuer with serial number or a key identifier, is that of the certificate.
pub(super) fn names(id: &Element<'_>, certificate: &crate::certificate::Certificate) -> bool {
    match id.tag {
        asn1::SEQUENCE => certificate
            .issuer_and_serial()
            .is_some_and(|(issuer, serial)| id.content == [issuer, serial].concat()),
        asn1::CONTEXT_0 => certificate.subject_key_identifier() == Some(id.content),
        _ => false,
    }
}
