//! SignedData with its content inside (contract 04 section 10.2).

use openssl::sign::Signer as OpenSslSigner;
use time::OffsetDateTime;

use super::algorithm::{Digest, NULL, algorithm};
use super::error::ProtectionError;
use super::identity::SigningIdentity;
use crate::asn1::{self, oid};
use crate::certificate::Certificate;

/// Which certificates are put into the message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Embed {
    /// The signer's and the CA certificates of the identity, without roots: as the official client.
    #[default]
    WithoutRoot,
    /// The signer's alone.
    Leaf,
    /// None; the official client refuses such a message (contract 04 section 10.4 rule 2).
    Nothing,
    /// These and no others, in this order, which need not be that of DER (contract 04 section 10.6).
    Exactly(Vec<Certificate>),
}

/// How a message is signed. The default is the official client's form: SHA-256, no signed attributes (contract 04 section 10.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SignOptions {
    /// With a time there are signed attributes: content type, signing time, message digest. Without, the signature is over the content.
    pub signing_time: Option<OffsetDateTime>,
    /// Digest of the signature.
    pub digest: Digest,
    /// Which certificates are put into the message.
    pub embed: Embed,
}

/// Signs: SHA-256, signed attributes with the signing time, certificates of the signer and of the CA above.
///
/// # Errors
/// [`ProtectionError`] when OpenSSL refuses.
pub fn sign(
    content: &[u8],
    signer: &SigningIdentity,
    at: OffsetDateTime,
) -> Result<Vec<u8>, ProtectionError> {
    let options = SignOptions {
        signing_time: Some(at),
        ..SignOptions::default()
    };
    sign_with(content, signer, &options)
}

/// Signs in another form than the usual.
///
/// # Errors
/// [`ProtectionError`] when OpenSSL refuses.
pub fn sign_with(
    content: &[u8],
    signer: &SigningIdentity,
    options: &SignOptions,
) -> Result<Vec<u8>, ProtectionError> {
    let digest = algorithm(options.digest.oid(), None);
    let version = [asn1::INTEGER, 1, 1];
    let encapsulated = asn1::of(
        asn1::SEQUENCE,
        &[
            &asn1::element(asn1::OBJECT_IDENTIFIER, oid::DATA),
            &asn1::element(
                asn1::CONTEXT_0_CONSTRUCTED,
                &asn1::element(asn1::OCTET_STRING, content),
            ),
        ],
    );
    let signed_data = asn1::of(
        asn1::SEQUENCE,
        &[
            &version,
            &asn1::element(asn1::SET, &digest),
            &encapsulated,
            &certificates(signer, &options.embed),
            &asn1::element(asn1::SET, &signer_info(content, signer, options)?),
        ],
    );
    Ok(content_info(oid::SIGNED_DATA, &signed_data))
}

/// A ContentInfo around an encoded content.
pub(super) fn content_info(content_type: &[u8], content: &[u8]) -> Vec<u8> {
    asn1::of(
        asn1::SEQUENCE,
        &[
            &asn1::element(asn1::OBJECT_IDENTIFIER, content_type),
            &asn1::element(asn1::CONTEXT_0_CONSTRUCTED, content),
        ],
    )
}

/// Issuer and serial number of a certificate, the name of a signer or recipient.
pub(super) fn issuer_and_serial(certificate: &Certificate) -> Vec<u8> {
    let (issuer, serial) = certificate.issuer_and_serial().unwrap_or_default();
    asn1::of(asn1::SEQUENCE, &[issuer, serial])
}

fn certificates(signer: &SigningIdentity, embed: &Embed) -> Vec<u8> {
    let der = |certificate: &Certificate| certificate.der().to_vec();
    let content = match embed {
        Embed::Nothing => return Vec::new(),
        Embed::Leaf => der(signer.certificate()),
        Embed::WithoutRoot => {
            let above = signer.issuers().iter();
            let above = above.filter(|issuer| !issuer.is_self_signed());
            asn1::sorted(
                std::iter::once(signer.certificate())
                    .chain(above)
                    .map(der)
                    .collect(),
            )
        }
        Embed::Exactly(certificates) => certificates.iter().flat_map(der).collect(),
    };
    asn1::element(asn1::CONTEXT_0_CONSTRUCTED, &content)
}

fn signer_info(
    content: &[u8],
    signer: &SigningIdentity,
    options: &SignOptions,
) -> Result<Vec<u8>, ProtectionError> {
    let digest = options.digest.message_digest();
    let attributes = match options.signing_time {
        None => None,
        Some(at) => Some(attributes(&openssl::hash::hash(digest, content)?, at)),
    };
    let mut signature = OpenSslSigner::new(digest, signer.key())?;
    let signature = match &attributes {
        None => signature.sign_oneshot_to_vec(content)?,
        // The signature is over the attributes as a SET, not as they stand in the message (RFC 5652 section 5.4).
        Some(attributes) => signature.sign_oneshot_to_vec(&asn1::element(asn1::SET, attributes))?,
    };
    let attributes = attributes
        .map(|attributes| asn1::element(asn1::CONTEXT_0_CONSTRUCTED, &attributes))
        .unwrap_or_default();
    Ok(asn1::of(
        asn1::SEQUENCE,
        &[
            &[asn1::INTEGER, 1, 1],
            &issuer_and_serial(signer.certificate()),
            &algorithm(options.digest.oid(), None),
            &attributes,
            &algorithm(oid::RSA, Some(NULL)),
            &asn1::element(asn1::OCTET_STRING, &signature),
        ],
    ))
}

/// The attributes that are signed, as the content of a SET.
fn attributes(digest: &[u8], at: OffsetDateTime) -> Vec<u8> {
    let attribute = |kind: &[u8], value: &[u8]| {
        let kind = asn1::element(asn1::OBJECT_IDENTIFIER, kind);
        asn1::of(asn1::SEQUENCE, &[&kind, &asn1::element(asn1::SET, value)])
    };
    let data = asn1::element(asn1::OBJECT_IDENTIFIER, oid::DATA);
    let digest = asn1::element(asn1::OCTET_STRING, digest);
    asn1::sorted(vec![
        attribute(oid::CONTENT_TYPE, &data),
        attribute(oid::SIGNING_TIME, &signing_time(at)),
        attribute(oid::MESSAGE_DIGEST, &digest),
    ])
}

/// Two digits of the year up to 2049, four after it (RFC 5652 section 11.3).
fn signing_time(at: OffsetDateTime) -> Vec<u8> {
    let at = at.to_offset(time::UtcOffset::UTC);
    let (year, month, day) = (at.year(), u8::from(at.month()), at.day());
    let (hour, minute, second) = at.to_hms();
    let rest = format!("{month:02}{day:02}{hour:02}{minute:02}{second:02}Z");
    if (1950..2050).contains(&year) {
        let text = format!("{:02}{rest}", year % 100);
        asn1::element(asn1::UTC_TIME, text.as_bytes())
    } else {
        asn1::element(
            asn1::GENERALIZED_TIME,
            format!("{year:04}{rest}").as_bytes(),
        )
    }
}
