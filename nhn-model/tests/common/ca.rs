//! Certificates of every kind, made on the spot.

use openssl::asn1::{Asn1Integer, Asn1Time};
use openssl::bn::BigNum;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::x509::extension::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectKeyIdentifier,
};
use openssl::x509::{X509, X509Extension, X509Name};
use time::{Duration, OffsetDateTime};

use super::NOW;

/// A certificate with its key.
#[derive(Clone)]
pub(crate) struct Made {
    pub(crate) x509: X509,
    pub(crate) key: PKey<Private>,
}

/// What a certificate should be.
#[derive(Clone)]
pub(crate) struct Wanted<'a> {
    pub(crate) name: &'a str,
    pub(crate) serial: u32,
    pub(crate) usage: &'a str,
    pub(crate) dates: (OffsetDateTime, OffsetDateTime),
    pub(crate) access: Option<&'a str>,
    pub(crate) crl: Option<&'a str>,
    pub(crate) organization_identifier: Option<&'a str>,
}

impl<'a> Wanted<'a> {
    /// A certificate for "ca", "signing", "encryption" or "ocsp".
    pub(crate) fn new(name: &'a str, serial: u32, usage: &'a str) -> Self {
        Self {
            name,
            serial,
            usage,
            dates: (NOW - Duration::days(1), NOW + Duration::days(365)),
            access: None,
            crl: None,
            organization_identifier: None,
        }
    }
}

impl Made {
    pub(crate) fn certificate(&self) -> nhn_model::certificate::Certificate {
        nhn_model::certificate::Certificate::from_der(&self.x509.to_der().unwrap()).unwrap()
    }

    pub(crate) fn pem(&self) -> String {
        String::from_utf8(self.x509.to_pem().unwrap()).unwrap()
    }

    pub(crate) fn key_pem(&self) -> String {
        String::from_utf8(self.key.private_key_to_pem_pkcs8().unwrap()).unwrap()
    }
}

pub(crate) fn key() -> PKey<Private> {
    PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap()
}

/// Issues a certificate; without an issuer it signs itself.
pub(crate) fn issue(wanted: &Wanted<'_>, issuer: Option<&Made>) -> Made {
    issue_for(wanted, issuer, key())
}

/// Issues a certificate for a key.
pub(crate) fn issue_for(wanted: &Wanted<'_>, issuer: Option<&Made>, key: PKey<Private>) -> Made {
    let time = |at: OffsetDateTime| Asn1Time::from_unix(at.unix_timestamp()).unwrap();
    let serial = BigNum::from_u32(wanted.serial).unwrap();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder
        .set_serial_number(&Asn1Integer::from_bn(&serial).unwrap())
        .unwrap();
    builder.set_not_before(&time(wanted.dates.0)).unwrap();
    builder.set_not_after(&time(wanted.dates.1)).unwrap();
    let name = name(wanted);
    builder.set_subject_name(&name).unwrap();
    let issuer_name = issuer.map_or(&*name, |issuer| issuer.x509.subject_name());
    builder.set_issuer_name(issuer_name).unwrap();
    builder.set_pubkey(&key).unwrap();
    let authority = issuer.map(|issuer| &*issuer.x509);
    let mut basic = BasicConstraints::new();
    if wanted.usage == "ca" {
        basic.critical().ca();
    }
    let mut extensions = vec![basic.build().unwrap(), usage(wanted.usage)];
    if wanted.usage == "ocsp" {
        extensions.push(
            ExtendedKeyUsage::new()
                .other("OCSPSigning")
                .build()
                .unwrap(),
        );
    }
    {
        let context = builder.x509v3_context(authority, None);
        extensions.push(SubjectKeyIdentifier::new().build(&context).unwrap());
        if authority.is_some() {
            let mut identifier = AuthorityKeyIdentifier::new();
            extensions.push(identifier.keyid(true).build(&context).unwrap());
        }
        let more = [
            (Nid::INFO_ACCESS, wanted.access),
            (Nid::CRL_DISTRIBUTION_POINTS, wanted.crl),
        ];
        for (nid, value) in more {
            #[allow(deprecated, reason = "the other constructors take DER")]
            extensions
                .extend(value.map(|value| {
                    X509Extension::new_nid(None, Some(&context), nid, value).unwrap()
                }));
        }
    }
    for extension in extensions {
        builder.append_extension(extension).unwrap();
    }
    let signing_key = issuer.map_or(&key, |issuer| &issuer.key);
    builder.sign(signing_key, MessageDigest::sha256()).unwrap();
    Made {
        x509: builder.build(),
        key,
    }
}

fn name(wanted: &Wanted<'_>) -> X509Name {
    let mut name = X509Name::builder().unwrap();
    name.append_entry_by_text("C", "NO").unwrap();
    name.append_entry_by_text("CN", wanted.name).unwrap();
    if let Some(identifier) = wanted.organization_identifier {
        name.append_entry_by_text("organizationIdentifier", identifier)
            .unwrap();
    }
    name.build()
}

fn usage(usage: &str) -> X509Extension {
    let mut extension = KeyUsage::new();
    extension.critical();
    match usage {
        "ca" => extension.key_cert_sign().crl_sign(),
        "signing" => extension.non_repudiation(),
        "encryption" => extension.digital_signature().key_encipherment(),
        _ => extension.digital_signature(),
    };
    extension.build().unwrap()
}

/// Root, issuing CA, and what a party has.
pub(crate) struct Party {
    pub(crate) root: Made,
    pub(crate) issuing: Made,
    pub(crate) signing: Made,
    pub(crate) encryption: Made,
}

/// A party with a CA of its own.
pub(crate) fn party() -> Party {
    let root = issue(&Wanted::new("Test Root", 1, "ca"), None);
    let above = Wanted {
        access: Some("caIssuers;URI:http://localhost/root.cer"),
        ..Wanted::new("Test Issuing", 2, "ca")
    };
    let issuing = issue(&above, Some(&root));
    let signing = Wanted {
        access: Some("OCSP;URI:http://localhost/ocsp,caIssuers;URI:http://localhost/issuing.cer"),
        crl: Some("URI:http://localhost/a.crl,URI:ldap://localhost/cn=a?certificateRevocationList"),
        organization_identifier: Some("NTRNO-310900109"),
        ..Wanted::new("Party", 0x00ab_cdef, "signing")
    };
    let signing = issue(&signing, Some(&issuing));
    let encryption = issue(&Wanted::new("Party", 4, "encryption"), Some(&issuing));
    Party {
        root,
        issuing,
        signing,
        encryption,
    }
}
