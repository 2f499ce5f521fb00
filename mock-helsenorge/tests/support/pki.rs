//! A throw-away root, an issuing CA below it, and what they issue.

use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock};

use mock_helsenorge::KeyPair;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer,
    CrlDistributionPoint, CustomExtension, DnType, IsCa, KeyIdMethod, KeyUsagePurpose,
    PKCS_RSA_SHA256, RevokedCertParams, RsaKeySize, SerialNumber,
};
use testbed::tls::TlsIdentity;
use time::{Duration, OffsetDateTime};

/// RSA keys take long to make; each test binary has four, for the two certificates of either party.
fn rsa_key(number: usize) -> &'static str {
    static KEYS: OnceLock<Vec<String>> = OnceLock::new();
    let keys = KEYS.get_or_init(|| {
        (0..4)
            .map(|_| {
                let key = rcgen::KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048);
                key.unwrap().serialize_pem()
            })
            .collect()
    });
    &keys[number]
}

/// What a certificate is for, and whose key it has.
#[derive(Clone, Copy)]
pub(crate) enum Use {
    HelsenorgeSigning,
    HelsenorgeEncryption,
    PeerSigning,
    PeerEncryption,
}

impl Use {
    fn usages(self) -> Vec<KeyUsagePurpose> {
        match self {
            Self::HelsenorgeSigning | Self::PeerSigning => {
                vec![KeyUsagePurpose::ContentCommitment]
            }
            Self::HelsenorgeEncryption | Self::PeerEncryption => {
                vec![KeyUsagePurpose::KeyEncipherment]
            }
        }
    }
}

pub(crate) struct Pki {
    root: CertifiedIssuer<'static, rcgen::KeyPair>,
    issuing: CertifiedIssuer<'static, rcgen::KeyPair>,
    crl: String,
    now: OffsetDateTime,
    issued: Mutex<BTreeMap<u64, KeyPair>>,
}

impl Pki {
    /// `crl` is where lists are served, `<crl>/root` and `<crl>/issuing`.
    pub(crate) fn new(crl: &str, now: OffsetDateTime) -> Self {
        let authority = |name: &str, list: Option<&str>| {
            let mut params = CertificateParams::default();
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
            params.distinguished_name.push(DnType::CommonName, name);
            params.not_before = now - Duration::days(30);
            params.not_after = now + Duration::days(3650);
            params.use_authority_key_identifier_extension = true;
            if let Some(list) = list {
                params.crl_distribution_points = vec![CrlDistributionPoint {
                    uris: vec![format!("{crl}/{list}")],
                }];
            }
            params
        };
        let key = || rcgen::KeyPair::generate().unwrap();
        let root = CertifiedIssuer::self_signed(authority("Test root", None), key()).unwrap();
        let issuing = authority("Test issuing CA", Some("root"));
        let issuing = CertifiedIssuer::signed_by(issuing, key(), &root).unwrap();
        Self {
            root,
            issuing,
            crl: crl.to_owned(),
            now,
            issued: Mutex::default(),
        }
    }

    pub(crate) fn root_pem(&self) -> String {
        self.root.pem()
    }

    pub(crate) fn tls(&self) -> TlsIdentity {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["localhost".into()]).unwrap();
        params.not_before = self.now - Duration::days(1);
        params.not_after = self.now + Duration::days(30);
        TlsIdentity {
            chain_pem: params.signed_by(&key, &self.root).unwrap().pem(),
            key_pem: key.serialize_pem(),
        }
    }

    /// The certificate with this serial number, with chain and key; when it is new, it ends `days` from now.
    pub(crate) fn issue(&self, purpose: Use, serial: u64, days: i64) -> KeyPair {
        let mut issued = self.issued.lock().unwrap();
        let made = issued.entry(serial);
        made.or_insert_with(|| self.make(purpose, serial, days))
            .clone()
    }

    fn make(&self, purpose: Use, serial: u64, days: i64) -> KeyPair {
        let key_pem = rsa_key(purpose as usize).to_owned();
        let key = rcgen::KeyPair::from_pem(&key_pem).unwrap();
        let mut params = CertificateParams::default();
        params.key_usages = purpose.usages();
        params.serial_number = Some(SerialNumber::from(serial));
        params
            .distinguished_name
            .push(DnType::CommonName, format!("Test certificate {serial}"));
        params.not_before = self.now - Duration::days(20);
        params.not_after = self.now + Duration::days(days);
        params.use_authority_key_identifier_extension = true;
        params.crl_distribution_points = vec![CrlDistributionPoint {
            uris: vec![format!("{}/issuing", self.crl)],
        }];
        params.custom_extensions = vec![issuer_address(&format!("{}/issuing.cer", self.crl))];
        let certificate = params.signed_by(&key, &self.issuing).unwrap();
        KeyPair {
            chain_pem: format!("{}{}", certificate.pem(), self.issuing.pem()),
            key_pem,
        }
    }

    /// The issuing CA's certificate.
    pub(crate) fn issuing_der(&self) -> Vec<u8> {
        self.issuing.der().to_vec()
    }

    /// The root's list, always empty, or that of the issuing CA.
    pub(crate) fn list(&self, of_root: bool, revoked: &[u64]) -> Vec<u8> {
        let params = CertificateRevocationListParams {
            this_update: self.now - Duration::hours(1),
            next_update: self.now + Duration::days(1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: revoked
                .iter()
                .map(|serial| RevokedCertParams {
                    serial_number: SerialNumber::from(*serial),
                    revocation_time: self.now - Duration::hours(2),
                    reason_code: None,
                    invalidity_date: None,
                })
                .collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let issuer = if of_root { &self.root } else { &self.issuing };
        params.signed_by(issuer).unwrap().der().to_vec()
    }
}

/// Where the issuer's certificate can be had: AuthorityInfoAccess with one caIssuers address (RFC 5280 section 4.2.2.1).
fn issuer_address(url: &str) -> CustomExtension {
    let element = |tag: u8, content: Vec<u8>| {
        assert!(content.len() < 128);
        [vec![tag, content.len() as u8], content].concat()
    };
    let method = element(0x06, vec![0x2b, 6, 1, 5, 5, 7, 0x30, 2]);
    let location = element(0x86, url.as_bytes().to_vec());
    let description = element(0x30, [method, location].concat());
    let oid = [1, 3, 6, 1, 5, 5, 7, 1, 1];
    CustomExtension::from_oid_content(&oid, element(0x30, description))
}

/// The certificate of a pair without those above it.
pub(crate) fn leaf_only(pair: &KeyPair) -> KeyPair {
    let end = pair.chain_pem.find("-----END CERTIFICATE-----").unwrap();
    let chain_pem = format!("{}-----END CERTIFICATE-----\n", &pair.chain_pem[..end]);
    KeyPair {
        chain_pem,
        key_pem: pair.key_pem.clone(),
    }
}

/// The first certificate of a PEM text, in base64 without line breaks.
pub(crate) fn base64_of(pair: &KeyPair) -> String {
    let end = pair.chain_pem.find("-----END").unwrap();
    let lines = pair.chain_pem[..end].lines().skip(1);
    lines.map(str::trim).collect()
}
