//! A certificate authority for tests: a root, an issuing CA, certificates, lists and OCSP answers.

use std::path::{Path, PathBuf};

use nhn_model::certificate::Certificate;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use openssl::x509::X509;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CrlDistributionPoint,
    CustomExtension, DnType, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose,
    RevokedCertParams, SerialNumber,
};
use time::macros::format_description;
use time::{Duration, OffsetDateTime};

use crate::clock;

/// A CA with its key.
pub(crate) struct Authority {
    pub(crate) certificate: Certificate,
    issuer: Issuer<'static, KeyPair>,
    key: Vec<u8>,
}

/// What stands in a certificate.
#[derive(Clone)]
pub(crate) struct Leaf {
    pub(crate) serial: u64,
    pub(crate) from: OffsetDateTime,
    pub(crate) to: OffsetDateTime,
    pub(crate) ocsp: Option<String>,
    pub(crate) crl: Option<String>,
    pub(crate) issuer: Option<String>,
}

impl Leaf {
    /// Valid now, with no addresses.
    pub(crate) fn current(serial: u64) -> Self {
        let now = clock::now();
        Self {
            serial,
            from: now - Duration::HOUR,
            to: now + Duration::DAY,
            ocsp: None,
            crl: None,
            issuer: None,
        }
    }
}

/// What an OCSP answer says.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Says {
    Good,
    Revoked,
    Unknown,
}

fn key() -> KeyPair {
    KeyPair::generate().unwrap()
}

fn params(name: &str, leaf: &Leaf) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.serial_number = Some(SerialNumber::from(leaf.serial));
    params.not_before = leaf.from;
    params.not_after = leaf.to;
    params.use_authority_key_identifier_extension = true;
    if let Some(url) = &leaf.crl {
        params.crl_distribution_points = vec![CrlDistributionPoint {
            uris: vec![url.clone()],
        }];
    }
    let mut access = Vec::new();
    for (method, url) in [(0x01, &leaf.ocsp), (0x02, &leaf.issuer)] {
        if let Some(url) = url {
            let method = tlv(0x06, &[0x2b, 6, 1, 5, 5, 7, 0x30, method]);
            access.extend(sequence(&[method, tlv(0x86, url.as_bytes())]));
        }
    }
    if !access.is_empty() {
        let extension =
            CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], tlv(0x30, &access));
        params.custom_extensions.push(extension);
    }
    params
}

impl Authority {
    pub(crate) fn root() -> Self {
        Self::made("Test root", &Leaf::current(1), None)
    }

    /// A CA below this one.
    pub(crate) fn issuing(&self, leaf: &Leaf) -> Self {
        Self::made("Test CA", leaf, Some(&self.issuer))
    }

    fn made(name: &str, leaf: &Leaf, above: Option<&Issuer<'static, KeyPair>>) -> Self {
        let key = key();
        let mut params = params(name, leaf);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = match above {
            Some(above) => params.signed_by(&key, above),
            None => params.self_signed(&key),
        };
        Self {
            certificate: Certificate::from_der(certificate.unwrap().der()).unwrap(),
            key: key.serialize_der(),
            issuer: Issuer::new(params, key),
        }
    }

    /// A certificate of a party that may sign and be encrypted to.
    pub(crate) fn leaf(&self, leaf: &Leaf) -> Certificate {
        let mut params = params("Test party", leaf);
        params.key_usages = vec![
            KeyUsagePurpose::ContentCommitment,
            KeyUsagePurpose::KeyEncipherment,
        ];
        let certificate = params.signed_by(&key(), &self.issuer).unwrap();
        Certificate::from_der(certificate.der()).unwrap()
    }

    /// A file with this root.
    pub(crate) fn bundle(&self, folder: &Path) -> PathBuf {
        let path = folder.join("trust.pem");
        std::fs::write(&path, self.certificate.pem()).unwrap();
        path
    }

    /// A list that is good for an hour.
    pub(crate) fn list(&self, revoked: &[u64]) -> Vec<u8> {
        self.list_until(revoked, clock::now() + Duration::HOUR)
    }

    pub(crate) fn list_until(&self, revoked: &[u64], next_update: OffsetDateTime) -> Vec<u8> {
        let revoked = revoked.iter().map(|serial| RevokedCertParams {
            serial_number: SerialNumber::from(*serial),
            revocation_time: clock::now() - Duration::MINUTE,
            reason_code: None,
            invalidity_date: None,
        });
        let list = CertificateRevocationListParams {
            this_update: clock::now() - Duration::days(2),
            next_update,
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: revoked.collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        list.signed_by(&self.issuer).unwrap().der().to_vec()
    }

    /// The answer to an OCSP request, signed by the CA itself and good for an hour.
    pub(crate) fn ocsp(&self, request: &[u8], says: Says) -> Vec<u8> {
        let now = clock::now();
        let status = match says {
            Says::Good => tlv(0x80, &[]),
            Says::Revoked => tlv(0xa1, &generalized(now - Duration::MINUTE)),
            Says::Unknown => tlv(0x82, &[]),
        };
        let single = sequence(&[
            certificate_id(request),
            status,
            generalized(now - Duration::MINUTE),
            tlv(0xa0, &generalized(now + Duration::HOUR)),
        ]);
        let x509 = X509::from_der(self.certificate.der()).unwrap();
        let name = x509.subject_name().to_der().unwrap();
        let data = sequence(&[tlv(0xa1, &name), generalized(now), sequence(&[single])]);
        let key = PKey::private_key_from_der(&self.key).unwrap();
        let mut signer = Signer::new(MessageDigest::sha256(), &key).unwrap();
        let mut signature = vec![0];
        signature.extend(signer.sign_oneshot_to_vec(&data).unwrap());
        let ecdsa_with_sha256 = tlv(0x06, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2]);
        let basic = sequence(&[data, sequence(&[ecdsa_with_sha256]), tlv(0x03, &signature)]);
        let basic_type = tlv(0x06, &[0x2b, 6, 1, 5, 5, 7, 0x30, 1, 1]);
        let bytes = sequence(&[basic_type, tlv(0x04, &basic)]);
        sequence(&[tlv(0x0a, &[0]), tlv(0xa0, &bytes)])
    }
}

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap();
    let mut out = vec![tag];
    match length {
        0..=127 => out.push(length as u8),
        128..=255 => out.extend([0x81, length as u8]),
        _ => out.extend([0x82, (length >> 8) as u8, length as u8]),
    }
    out.extend(content);
    out
}

fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

fn generalized(moment: OffsetDateTime) -> Vec<u8> {
    let form = format_description!("[year][month][day][hour][minute][second]Z");
    tlv(0x18, moment.format(&form).unwrap().as_bytes())
}

/// The first element and what follows it: content, whole element, rest.
fn element(bytes: &[u8]) -> (&[u8], &[u8], &[u8]) {
    let (length, start) = match bytes[1] {
        short @ 0..=127 => (usize::from(short), 2),
        0x81 => (usize::from(bytes[2]), 3),
        _ => (usize::from(bytes[2]) << 8 | usize::from(bytes[3]), 4),
    };
    let end = start + length;
    (&bytes[start..end], &bytes[..end], &bytes[end..])
}

/// CertID of the first question of a request.
fn certificate_id(request: &[u8]) -> Vec<u8> {
    let (whole, ..) = element(request);
    let (mut rest, ..) = element(whole);
    // Before the list of questions there may be a version and a name.
    while rest[0] != 0x30 {
        rest = element(rest).2;
    }
    let (questions, ..) = element(rest);
    let (question, ..) = element(questions);
    element(question).1.to_vec()
}
