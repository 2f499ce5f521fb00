//! What stands in the certificates: the profile of Buypass's second generation, "SEID 2" (contract 04 sections 1.2, 1.4 and 2.1),
//! with names that nobody can mistake for Buypass's own.

use std::net::IpAddr;

use aws_lc_rs::rand;
use der::Encode;
use der::asn1::{Ia5String, ObjectIdentifier};
use rcgen::{
    BasicConstraints, CertificateParams, CrlDistributionPoint, CustomExtension, DistinguishedName,
    DnType, DnValue, ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose,
    PublicKeyData, SanType, SerialNumber,
};
use sha1::{Digest, Sha1};
use time::{Duration, OffsetDateTime};
use x509_cert::ext::pkix::certpolicy::{CertificatePolicies, PolicyInformation};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{AccessDescription, AuthorityInfoAccessSyntax};

use crate::error::CaError;
use crate::request::{IssueRequest, Purpose, Subject, Validity};

/// Organization identifier of every mock CA: a synthetic number.
const CA_ORGANIZATION: &str = "NTRNO-310900915";
/// Certificates are valid from an hour back, so that a machine whose clock is a little late accepts them.
const BACKDATED: Duration = Duration::hours(1);

const ID_AD_CA_ISSUERS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.2");
const ID_AD_OCSP: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1");
const ANY_POLICY: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.32.0");
const POLICY_SOFT: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.578.1.26.1.3.2");
const POLICY_NCP: ObjectIdentifier = ObjectIdentifier::new_unwrap("0.4.0.2042.1.1");

const AIA: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 1, 1];
const BASIC_CONSTRAINTS: &[u64] = &[2, 5, 29, 19];
const OCSP_NO_CHECK: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 48, 1, 5];
const POLICIES: &[u64] = &[2, 5, 29, 32];
const QC_STATEMENTS: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 1, 3];
const SUBJECT_KEY_IDENTIFIER: &[u64] = &[2, 5, 29, 14];

/// One statement, QCSyntax-v2 with semanticsId-Legal.
const LEGAL_PERSON: &[u8] = &[
    0x30, 0x17, 0x30, 0x15, 0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x0b, 0x02, 0x30, 0x09,
    0x06, 0x07, 0x04, 0x00, 0x8b, 0xec, 0x49, 0x01, 0x02,
];

/// The addresses that stand in the certificates which a CA issues.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Addresses {
    pub(crate) crl: String,
    /// The root has none (contract 04 section 1.2).
    pub(crate) ocsp: Option<String>,
    pub(crate) ca_certificate: String,
}

/// The root's own certificate: no addresses, 25 years.
pub(crate) fn root(key: &KeyPair, now: OffsetDateTime) -> Result<CertificateParams, CaError> {
    let mut params = authority("Mock Buypass Class 3 Root CA G2 ST", key, now, 25 * 365)?;
    params
        .custom_extensions
        .push(extension(QC_STATEMENTS, LEGAL_PERSON.to_vec()));
    Ok(params)
}

/// An issuing CA's certificate. Its name ends in the CA's id, so that no client takes one CA for another.
pub(crate) fn issuing(
    id: &str,
    key: &KeyPair,
    root: &Addresses,
    now: OffsetDateTime,
) -> Result<CertificateParams, CaError> {
    let name = format!("Mock Buypass Class 3 CA G2 ST Business {id}");
    let mut params = authority(&name, key, now, 20 * 365)?;
    params.use_authority_key_identifier_extension = true;
    params.crl_distribution_points = vec![CrlDistributionPoint {
        uris: vec![root.crl.clone()],
    }];
    params.custom_extensions.push(policies(&[ANY_POLICY])?);
    params.custom_extensions.push(access(root)?);
    params
        .custom_extensions
        .push(extension(QC_STATEMENTS, LEGAL_PERSON.to_vec()));
    Ok(params)
}

fn authority(
    name: &str,
    key: &KeyPair,
    now: OffsetDateTime,
    days: i64,
) -> Result<CertificateParams, CaError> {
    let mut params = CertificateParams::default();
    params.distinguished_name = ca_name(name)?;
    params.serial_number = Some(serial());
    params.not_before = now - BACKDATED;
    params.not_after = now + Duration::days(days);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.key_identifier_method = KeyIdMethod::PreSpecified(key_identifier(key));
    Ok(params)
}

/// A delegated responder's certificate: issued by the CA that it speaks for, short, not to be checked itself
/// (contract 04 section 4.3).
pub(crate) fn responder(
    id: &str,
    key: &KeyPair,
    now: OffsetDateTime,
) -> Result<CertificateParams, CaError> {
    let mut params = leaf(key);
    params.distinguished_name = ca_name(&format!("Mock Buypass OCSP Responder {id}"))?;
    params.not_before = now - BACKDATED;
    params.not_after = now + Duration::days(30);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::OcspSigning];
    params
        .custom_extensions
        .push(extension(OCSP_NO_CHECK, vec![0x05, 0x00]));
    Ok(params)
}

/// A certificate for a party or a server.
pub(crate) fn end_entity(
    request: &IssueRequest,
    key: &KeyPair,
    issuer: &Addresses,
    now: OffsetDateTime,
) -> Result<CertificateParams, CaError> {
    let mut params = leaf(key);
    params.distinguished_name = party_name(&request.subject)?;
    (params.not_before, params.not_after) = period(request.validity, now);
    params.key_usages = key_usages(&request.purpose);
    params.crl_distribution_points = vec![CrlDistributionPoint {
        uris: vec![issuer.crl.clone()],
    }];
    params.custom_extensions.push(access(issuer)?);
    match &request.purpose {
        Purpose::TlsServer { names } => {
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
            params.subject_alt_names = names
                .iter()
                .map(|name| alternative_name(name))
                .collect::<Result<_, _>>()?;
        }
        Purpose::Combined | Purpose::Encryption | Purpose::Signing | Purpose::WrongUsage => {
            params
                .custom_extensions
                .push(policies(&[POLICY_SOFT, POLICY_NCP])?);
            params
                .custom_extensions
                .push(extension(QC_STATEMENTS, LEGAL_PERSON.to_vec()));
        }
    }
    Ok(params)
}

/// What every certificate below a CA has: basic constraints that are not critical, and both key identifiers.
fn leaf(key: &KeyPair) -> CertificateParams {
    let mut identifier = vec![0x04, 0x14];
    identifier.extend(key_identifier(key));
    let mut params = CertificateParams::default();
    params.serial_number = Some(serial());
    params.use_authority_key_identifier_extension = true;
    params.is_ca = IsCa::NoCa;
    params.custom_extensions = vec![
        extension(BASIC_CONSTRAINTS, vec![0x30, 0x00]),
        extension(SUBJECT_KEY_IDENTIFIER, identifier),
    ];
    params
}

fn key_usages(purpose: &Purpose) -> Vec<KeyUsagePurpose> {
    use KeyUsagePurpose::{ContentCommitment, DigitalSignature, KeyEncipherment};
    match purpose {
        Purpose::Combined => vec![DigitalSignature, ContentCommitment, KeyEncipherment],
        Purpose::Encryption => vec![DigitalSignature, KeyEncipherment],
        Purpose::Signing => vec![ContentCommitment],
        Purpose::TlsServer { .. } | Purpose::WrongUsage => vec![DigitalSignature],
    }
}

/// Three years that end at 22:59 UTC, as Buypass lets them end, or a time that is over or has not begun.
fn period(validity: Validity, now: OffsetDateTime) -> (OffsetDateTime, OffsetDateTime) {
    let years = Duration::days(3 * 365);
    let (from, to) = match validity {
        Validity::Current => (now - BACKDATED, now + years),
        Validity::Expired => (now - years, now - Duration::days(1)),
        Validity::Future => (now + Duration::days(1), now + years),
    };
    // 22:59:00 is a time on every day.
    (
        from,
        to.replace_time(time::Time::from_hms(22, 59, 0).unwrap_or_else(|_| to.time())),
    )
}

fn ca_name(common_name: &str) -> Result<DistinguishedName, CaError> {
    let mut name = country()?;
    name.push(organization_identifier(), CA_ORGANIZATION);
    name.push(DnType::OrganizationName, "Mock Buypass AS");
    name.push(DnType::CommonName, common_name);
    Ok(name)
}

fn party_name(subject: &Subject) -> Result<DistinguishedName, CaError> {
    let mut name = country()?;
    name.push(DnType::OrganizationName, subject.organization.as_str());
    name.push(DnType::CommonName, subject.name.as_str());
    name.push(
        organization_identifier(),
        format!("NTRNO-{}", subject.organization_number),
    );
    Ok(name)
}

fn country() -> Result<DistinguishedName, CaError> {
    let mut name = DistinguishedName::new();
    name.push(
        DnType::CountryName,
        DnValue::PrintableString("NO".try_into()?),
    );
    Ok(name)
}

fn organization_identifier() -> DnType {
    DnType::CustomDnType(vec![2, 5, 4, 97])
}

fn alternative_name(name: &str) -> Result<SanType, CaError> {
    match name.parse::<IpAddr>() {
        Ok(address) => Ok(SanType::IpAddress(address)),
        Err(_) => Ok(SanType::DnsName(
            name.try_into()
                .map_err(|_| CaError::Text(name.to_owned()))?,
        )),
    }
}

fn policies(identifiers: &[ObjectIdentifier]) -> Result<CustomExtension, CaError> {
    let policy = |id: &ObjectIdentifier| PolicyInformation {
        policy_identifier: *id,
        policy_qualifiers: None,
    };
    Ok(extension(
        POLICIES,
        CertificatePolicies(identifiers.iter().map(policy).collect()).to_der()?,
    ))
}

fn access(addresses: &Addresses) -> Result<CustomExtension, CaError> {
    let mut descriptions = Vec::new();
    if let Some(ocsp) = &addresses.ocsp {
        descriptions.push(access_description(ID_AD_OCSP, ocsp)?);
    }
    descriptions.push(access_description(
        ID_AD_CA_ISSUERS,
        &addresses.ca_certificate,
    )?);
    Ok(extension(
        AIA,
        AuthorityInfoAccessSyntax(descriptions).to_der()?,
    ))
}

fn access_description(method: ObjectIdentifier, url: &str) -> Result<AccessDescription, CaError> {
    let location = GeneralName::UniformResourceIdentifier(Ia5String::new(url)?);
    Ok(AccessDescription {
        access_method: method,
        access_location: location,
    })
}

fn extension(identifier: &[u64], content: Vec<u8>) -> CustomExtension {
    CustomExtension::from_oid_content(identifier, content)
}

/// SHA-1 of the public key's bits, as in Buypass's certificates.
pub(crate) fn key_identifier(key: &KeyPair) -> Vec<u8> {
    Sha1::digest(key.der_bytes()).to_vec()
}

/// A positive serial number of ten bytes. It is key material in this sense: it must not come again in the
/// next run, whatever that run's seed, because clients keep lists by it.
fn serial() -> SerialNumber {
    let mut bytes = [0_u8; 10];
    // The operating system's generator does not fail after start-up; zeros would only make serials alike.
    let _ = rand::fill(&mut bytes);
    bytes[0] = bytes[0] & 0x3f | 0x40;
    SerialNumber::from_slice(&bytes)
}

/// Encoded form of a certificate's serial number for evidence and look-ups: lower-case hexadecimal digits.
pub(crate) fn serial_text(bytes: &[u8]) -> String {
    let significant = &bytes[bytes.iter().take_while(|byte| **byte == 0).count()..];
    significant
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expired_certificate_is_over_and_a_future_one_has_not_begun() {
        let now = time::macros::datetime!(2026-11-24 23:30 UTC);
        for (validity, begun, over) in [
            (Validity::Current, true, false),
            (Validity::Expired, true, true),
            (Validity::Future, false, false),
        ] {
            let (from, to) = period(validity, now);
            assert_eq!((from <= now, to <= now), (begun, over), "{validity:?}");
            assert!(from < to);
        }
    }

    #[test]
    fn serials_are_told_without_leading_zeros() {
        assert_eq!(serial_text(&[0, 0x80, 0x01]), "8001");
    }
}
