//! The encoded parts of a certificate of which names and hashes are made.

use openssl::x509::{X509, X509Ref};

use super::Certificate;
use crate::asn1::{self, Reader};

impl Certificate {
    pub(crate) fn x509(&self) -> &X509Ref {
        &self.x509
    }

    pub(crate) fn owned_x509(&self) -> &X509 {
        &self.x509
    }

    /// The issuer's name and the serial number, both as encoded elements.
    pub(crate) fn issuer_and_serial(&self) -> Option<(&[u8], &[u8])> {
        let mut tbs = Reader::new(&self.der)
            .enter(asn1::SEQUENCE)?
            .enter(asn1::SEQUENCE)?;
        let _version = tbs.optional(asn1::CONTEXT_0_CONSTRUCTED);
        let serial = tbs.expect(asn1::INTEGER)?;
        let _algorithm = tbs.expect(asn1::SEQUENCE)?;
        let issuer = tbs.expect(asn1::SEQUENCE)?;
        Some((issuer.whole, serial.whole))
    }

    /// The subject's name as an encoded element, and the bits of the public key, of which hashes are made (RFC 6960 section 4.1.1).
    pub(crate) fn subject_and_key(&self) -> Option<(&[u8], &[u8])> {
        let mut tbs = Reader::new(&self.der)
            .enter(asn1::SEQUENCE)?
            .enter(asn1::SEQUENCE)?;
        let _version = tbs.optional(asn1::CONTEXT_0_CONSTRUCTED);
        tbs.expect(asn1::INTEGER)?;
        // Algorithm, issuer, validity.
        for _ in 0..3 {
            tbs.expect(asn1::SEQUENCE)?;
        }
        let subject = tbs.expect(asn1::SEQUENCE)?;
        let mut key = tbs.enter(asn1::SEQUENCE)?;
        key.expect(asn1::SEQUENCE)?;
        let bits = key.expect(asn1::BIT_STRING)?;
        // The first octet counts unused bits.
        Some((subject.whole, bits.content.get(1..)?))
    }

    /// The subject key identifier, if the certificate has one.
    pub(crate) fn subject_key_identifier(&self) -> Option<&[u8]> {
        self.x509
            .subject_key_id()
            .map(openssl::asn1::Asn1OctetStringRef::as_slice)
    }
}
