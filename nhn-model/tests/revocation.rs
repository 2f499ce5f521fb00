//! Lists and OCSP answers, good ones and those that contract 04 sections 3.2 and 4.4 let go wrong.
#![expect(clippy::unwrap_used, reason = "a test ends where it goes wrong")]

mod common;

use std::sync::LazyLock;

use common::NOW;
use common::ca::{Made, Party, Wanted, issue, issue_for, party};
use nhn_model::certificate::Certificate;
use nhn_model::revocation::{
    Answer, Crl, Reason, RevocationError, Status, ocsp_request, ocsp_request_with_nonce, read_ocsp,
    read_ocsp_with_nonce,
};
use openssl::hash::MessageDigest;
use openssl::ocsp::{OcspCertId, OcspRequest};
use openssl::sha::sha1;
use openssl::sign::Signer;
use proptest::prelude::*;
use proptest::sample::Index;
use time::{Duration, OffsetDateTime};

static PARTY: LazyLock<Party> = LazyLock::new(party);

const HOUR: Duration = Duration::hours(1);

fn leaf() -> Certificate {
    PARTY.signing.certificate()
}

fn issuer() -> Certificate {
    PARTY.issuing.certificate()
}

/// A list of a CA that names these certificates as revoked an hour ago for compromise of the key.
fn list(ca: &Made, revoked: &[&Made], dates: (OffsetDateTime, Option<OffsetDateTime>)) -> Vec<u8> {
    list_with(ca, revoked, dates, &[])
}

/// A list with extensions.
fn list_with(
    ca: &Made,
    revoked: &[&Made],
    (from, to): (OffsetDateTime, Option<OffsetDateTime>),
    extensions: &[u8],
) -> Vec<u8> {
    let utc = |at| der(0x17, &[&generalized(at)[4..]]);
    let sha256_with_rsa = [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 0x0b];
    let algorithm = der(0x30, &[&sha256_with_rsa, &[5, 0]]);
    let reason = der(
        0x30,
        &[&[6, 3, 0x55, 0x1d, 0x15], &der(4, &[&[0x0a, 1, 1]])],
    );
    let entries: Vec<u8> = revoked
        .iter()
        .flat_map(|made| {
            let extensions = der(0x30, &[&reason]);
            der(0x30, &[&serial(made), &utc(NOW - HOUR), &extensions])
        })
        .collect();
    let entries = match entries.is_empty() {
        true => Vec::new(),
        false => der(0x30, &[&entries]),
    };
    let extensions = match extensions.is_empty() {
        true => Vec::new(),
        false => der(0xa0, &[&der(0x30, &[extensions])]),
    };
    let tbs = der(
        0x30,
        &[
            &[2, 1, 1],
            &algorithm,
            &ca.x509.subject_name().to_der().unwrap(),
            &utc(from),
            &to.map(utc).unwrap_or_default(),
            &entries,
            &extensions,
        ],
    );
    let mut signer = Signer::new(MessageDigest::sha256(), &ca.key).unwrap();
    let signature = signer.sign_oneshot_to_vec(&tbs).unwrap();
    der(0x30, &[&tbs, &algorithm, &der(3, &[&[0], &signature])])
}

/// A certificate's serial number as an element.
fn serial(made: &Made) -> Vec<u8> {
    let serial = made.x509.serial_number().to_bn().unwrap().to_vec();
    let sign: &[u8] = if serial[0] > 0x7f { &[0] } else { &[] };
    der(2, &[sign, &serial])
}

fn current(revoked: &[&Made]) -> Vec<u8> {
    list(&PARTY.issuing, revoked, (NOW - HOUR, Some(NOW + HOUR)))
}

fn refusal(bytes: &[u8]) -> RevocationError {
    Crl::read(bytes, &issuer(), NOW).unwrap_err()
}

#[test]
fn a_list_tells_the_revoked_from_the_others() {
    let list = Crl::read(&current(&[&PARTY.signing]), &issuer(), NOW).unwrap();
    let since = NOW - HOUR;
    let revoked = Status::Revoked {
        since,
        reason: Some(Reason::KeyCompromise),
    };
    assert_eq!(list.status_of(&leaf()), revoked);
    assert_eq!(
        list.status_of(&PARTY.encryption.certificate()),
        Status::Good
    );
    assert_eq!(list.status_of(&issuer()), Status::Unknown, "of another CA");
    assert_eq!(
        (list.this_update(), list.next_update()),
        (NOW - HOUR, NOW + HOUR)
    );
    assert_eq!((list.len(), list.is_empty()), (1, false));
    assert!(list.is_valid_at(NOW) && !list.is_valid_at(NOW + HOUR * 2));
    let empty = Crl::read(&current(&[]), &issuer(), NOW).unwrap();
    assert!(empty.is_empty());
    assert_eq!(empty.status_of(&leaf()), Status::Good);
}

#[test]
fn a_list_in_pem_is_read() {
    let der = current(&[&PARTY.signing]);
    let pem = openssl::x509::X509Crl::from_der(&der)
        .unwrap()
        .to_pem()
        .unwrap();
    let list = Crl::read(&pem, &issuer(), NOW).unwrap();
    assert_ne!(list.status_of(&leaf()), Status::Good);
}

#[test]
fn a_recorded_list_is_read() {
    let issuing = common::certificate("issuing");
    let body = |path: &str| common::bytes(path);
    let good = Crl::read(&body("crl/issuing.crl"), &issuing, NOW).unwrap();
    assert_eq!(
        good.status_of(&common::certificate("8900011.sign")),
        Status::Good
    );
    let revoked = Crl::read(&body("crl/issuing-revoked.crl"), &issuing, NOW).unwrap();
    let status = revoked.status_of(&common::certificate("8900011.sign"));
    assert!(matches!(status, Status::Revoked { .. }), "{status:?}");
}

#[test]
fn lists_that_cannot_be_relied_on_are_refused() {
    let over = list(&PARTY.issuing, &[], (NOW - HOUR * 2, Some(NOW - HOUR)));
    assert_eq!(refusal(&over), RevocationError::Expired);
    let future = list(&PARTY.issuing, &[], (NOW + HOUR, Some(NOW + HOUR * 2)));
    assert_eq!(refusal(&future), RevocationError::NotYetValid);
    let endless = list(&PARTY.issuing, &[], (NOW - HOUR, None));
    assert_eq!(refusal(&endless), RevocationError::NoNextUpdate);
    let another = list(&PARTY.root, &[], (NOW - HOUR, Some(NOW + HOUR)));
    assert_eq!(refusal(&another), RevocationError::WrongIssuer);
    let stranger = issue(&Wanted::new("Test Issuing", 2, "ca"), None);
    let forged = list(&stranger, &[], (NOW - HOUR, Some(NOW + HOUR)));
    assert_eq!(refusal(&forged), RevocationError::SignatureInvalid);

    let good = current(&[]);
    let mut spoiled = good.clone();
    *spoiled.last_mut().unwrap() ^= 1;
    assert_eq!(refusal(&spoiled), RevocationError::SignatureInvalid);
    for rubbish in [
        &b"This is not a certificate revocation list."[..],
        b"<!DOCTYPE html><title>Oops</title>",
        b"",
        b"-----BEGIN X509 CRL-----\nMII=\n-----END X509 CRL-----\n",
        &good[..good.len() / 2],
        &[good.as_slice(), b"x"].concat(),
        issuer().der(),
    ] {
        assert_eq!(refusal(rubbish), RevocationError::Unreadable);
    }
    assert_eq!(refusal(&vec![0; 33 << 20]), RevocationError::TooLarge);
}

#[test]
fn a_list_of_changes_is_no_list() {
    let dates = (NOW - HOUR, Some(NOW + HOUR));
    // Number; base of a list of changes, critical.
    let number = der(0x30, &[&[6, 3, 0x55, 0x1d, 0x14], &der(4, &[&[2, 1, 7]])]);
    let base = der(
        0x30,
        &[
            &[6, 3, 0x55, 0x1d, 0x1b],
            &[1, 1, 0xff],
            &der(4, &[&[2, 1, 6]]),
        ],
    );
    let numbered = list_with(&PARTY.issuing, &[], dates, &number);
    assert!(Crl::read(&numbered, &issuer(), NOW).is_ok());
    let changes = list_with(&PARTY.issuing, &[], dates, &[number, base].concat());
    let refused = RevocationError::Unsupported("2.5.29.27".to_owned());
    assert_eq!(refusal(&changes), refused);
}

#[test]
fn only_a_ca_makes_lists() {
    let party = list(&PARTY.signing, &[], (NOW - HOUR, Some(NOW + HOUR)));
    let refused = Crl::read(&party, &leaf(), NOW).unwrap_err();
    assert_eq!(refused, RevocationError::WrongIssuer);
}

#[test]
fn a_request_is_openssl_s_own() {
    let mut theirs = OcspRequest::new().unwrap();
    let id = OcspCertId::from_cert(
        MessageDigest::sha1(),
        &PARTY.signing.x509,
        &PARTY.issuing.x509,
    );
    theirs.add_id(id.unwrap()).unwrap();
    assert_eq!(ocsp_request(&leaf(), &issuer()), theirs.to_der().unwrap());
    let with_nonce = ocsp_request_with_nonce(&leaf(), &issuer(), b"12345678");
    let read = OcspRequest::from_der(&with_nonce).unwrap();
    assert_eq!(read.to_der().unwrap(), with_nonce);
}

/// An element of DER.
fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    let header = match content.len() {
        0..=127 => vec![tag, length[1]],
        _ => vec![tag, 0x82, length[0], length[1]],
    };
    [header, content].concat()
}

fn generalized(at: OffsetDateTime) -> Vec<u8> {
    let text = format!(
        "{:04}{:02}{:02}{:02}{:02}{:02}Z",
        at.year(),
        u8::from(at.month()),
        at.day(),
        at.hour(),
        at.minute(),
        at.second()
    );
    der(0x18, &[text.as_bytes()])
}

/// An answer to be made.
#[derive(Clone)]
struct Say<'a> {
    of: &'a Made,
    status: Vec<u8>,
    this_update: OffsetDateTime,
    next_update: Option<OffsetDateTime>,
    nonce: Option<&'a [u8]>,
    by_key: bool,
    responder: &'a Made,
    embedded: Vec<&'a Made>,
}

const GOOD: &[u8] = &[0x80, 0];

impl Say<'_> {
    /// Good, until in eight hours, by the issuing CA itself.
    fn good() -> Self {
        Self {
            of: &PARTY.signing,
            status: GOOD.to_vec(),
            this_update: NOW,
            next_update: Some(NOW + HOUR * 8),
            nonce: None,
            by_key: false,
            responder: &PARTY.issuing,
            embedded: Vec::new(),
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let issuing = &PARTY.issuing.x509;
        let sha1_algorithm = der(0x30, &[&[6, 5, 0x2b, 0x0e, 3, 2, 0x1a], &[5, 0]]);
        let name = sha1(&issuing.subject_name().to_der().unwrap());
        let key = sha1(&key_bits(&PARTY.issuing));
        let id = der(
            0x30,
            &[
                &sha1_algorithm,
                &der(4, &[&name]),
                &der(4, &[&key]),
                &serial(self.of),
            ],
        );
        let next = self
            .next_update
            .map(|next| der(0xa0, &[&generalized(next)]));
        let single = der(
            0x30,
            &[
                &id,
                &self.status,
                &generalized(self.this_update),
                &next.unwrap_or_default(),
            ],
        );
        let responder = if self.by_key {
            der(0xa2, &[&der(4, &[&sha1(&key_bits(self.responder))])])
        } else {
            let name = self.responder.x509.subject_name().to_der().unwrap();
            der(0xa1, &[&name])
        };
        let extensions = self.nonce.map(|nonce| {
            let oid = [6, 9, 0x2b, 6, 1, 5, 5, 7, 0x30, 1, 2];
            let extension = der(0x30, &[&oid, &der(4, &[&der(4, &[nonce])])]);
            der(0xa1, &[&der(0x30, &[&extension])])
        });
        let data = der(
            0x30,
            &[
                &responder,
                &generalized(NOW),
                &der(0x30, &[&single]),
                &extensions.unwrap_or_default(),
            ],
        );
        let mut signer = Signer::new(MessageDigest::sha256(), &self.responder.key).unwrap();
        let signature = signer.sign_oneshot_to_vec(&data).unwrap();
        let sha256_with_rsa = [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 0x0b];
        let embedded: Vec<u8> = self
            .embedded
            .iter()
            .flat_map(|made| made.x509.to_der().unwrap())
            .collect();
        let certificates = match embedded.is_empty() {
            true => Vec::new(),
            false => der(0xa0, &[&der(0x30, &[&embedded])]),
        };
        let basic = der(
            0x30,
            &[
                &data,
                &der(0x30, &[&sha256_with_rsa, &[5, 0]]),
                &der(3, &[&[0], &signature]),
                &certificates,
            ],
        );
        let kind = [6, 9, 0x2b, 6, 1, 5, 5, 7, 0x30, 1, 1];
        let bytes = der(0x30, &[&kind, &der(4, &[&basic])]);
        der(0x30, &[&[0x0a, 1, 0], &der(0xa0, &[&bytes])])
    }

    fn read(&self) -> Result<Answer, RevocationError> {
        read_ocsp(&self.bytes(), &leaf(), &issuer(), NOW)
    }
}

/// The bits of a public key: what follows the unused-bits octet in its BIT STRING.
fn key_bits(made: &Made) -> Vec<u8> {
    made.key.rsa().unwrap().public_key_to_der_pkcs1().unwrap()
}

fn delegate(issuer: &Made, usage: &str) -> Made {
    issue(&Wanted::new("Responder", 77, usage), Some(issuer))
}

#[test]
fn statuses_are_read() {
    let good = Say::good().read().unwrap();
    assert_eq!(good.status, Status::Good);
    assert_eq!(
        (good.this_update, good.next_update),
        (NOW, Some(NOW + HOUR * 8))
    );
    let since = generalized(NOW - HOUR);
    let reason = der(0xa0, &[&[0x0a, 1, 1]]);
    let revoked = |reason: &[u8]| Say {
        status: der(0xa1, &[&since, reason]),
        ..Say::good()
    };
    let expected = |reason| Status::Revoked {
        since: NOW - HOUR,
        reason,
    };
    let status = |say: Say<'_>| say.read().unwrap().status;
    assert_eq!(
        status(revoked(&reason)),
        expected(Some(Reason::KeyCompromise))
    );
    assert_eq!(status(revoked(&[])), expected(None));
    let unknown = Say {
        status: vec![0x82, 0],
        ..Say::good()
    };
    assert_eq!(status(unknown), Status::Unknown);
    let by_key = Say {
        by_key: true,
        ..Say::good()
    };
    assert_eq!(status(by_key), Status::Good);
}

#[test]
fn a_delegate_of_the_ca_may_answer() {
    let answer = |responder: &Made, embed: bool| {
        let say = Say {
            responder,
            embedded: if embed { vec![responder] } else { Vec::new() },
            ..Say::good()
        };
        say.read()
    };
    let responder = delegate(&PARTY.issuing, "ocsp");
    assert_eq!(answer(&responder, true).unwrap().status, Status::Good);
    assert_eq!(answer(&responder, false), Err(RevocationError::WrongIssuer));
    // Without the purpose, of another CA, of a CA of the same name, out of date.
    let party = delegate(&PARTY.issuing, "signing");
    assert_eq!(answer(&party, true), Err(RevocationError::WrongIssuer));
    let of_root = delegate(&PARTY.root, "ocsp");
    assert_eq!(answer(&of_root, true), Err(RevocationError::WrongIssuer));
    let twin = issue(&Wanted::new("Test Issuing", 2, "ca"), None);
    let of_twin = delegate(&twin, "ocsp");
    assert_eq!(answer(&of_twin, true), Err(RevocationError::WrongIssuer));
    assert_eq!(answer(&twin, true), Err(RevocationError::SignatureInvalid));
    let old = Wanted {
        dates: (NOW - HOUR * 2, NOW - HOUR),
        ..Wanted::new("Responder", 78, "ocsp")
    };
    let old = issue_for(&old, Some(&PARTY.issuing), responder.key.clone());
    assert_eq!(answer(&old, true), Err(RevocationError::WrongIssuer));
}

#[test]
fn dates_of_answers_count() {
    let dated = |this_update, next_update| {
        let say = Say {
            this_update,
            next_update,
            ..Say::good()
        };
        say.read().map(|answer| answer.status)
    };
    let minutes = Duration::minutes;
    assert_eq!(
        dated(NOW - HOUR * 2, Some(NOW - HOUR)),
        Err(RevocationError::Expired)
    );
    assert_eq!(
        dated(NOW + HOUR, Some(NOW + HOUR * 2)),
        Err(RevocationError::NotYetValid)
    );
    assert_eq!(dated(NOW + minutes(4), None), Ok(Status::Good));
    assert_eq!(dated(NOW - minutes(14), None), Ok(Status::Good));
    assert_eq!(
        dated(NOW - minutes(16), None),
        Err(RevocationError::Expired)
    );
    assert_eq!(dated(NOW - HOUR * 120, Some(NOW + HOUR)), Ok(Status::Good));
}

#[test]
fn an_answer_must_be_to_the_question() {
    let other = Say {
        of: &PARTY.encryption,
        ..Say::good()
    };
    assert_eq!(other.read(), Err(RevocationError::OtherCertificate));
    let with_nonce = Say {
        nonce: Some(b"nobody sent this"),
        ..Say::good()
    };
    assert_eq!(with_nonce.read(), Err(RevocationError::WrongNonce));
    let read = |say: &Say<'_>, nonce: &[u8]| {
        read_ocsp_with_nonce(&say.bytes(), &leaf(), &issuer(), NOW, Some(nonce))
    };
    assert!(read(&with_nonce, b"nobody sent this").is_ok());
    assert_eq!(
        read(&with_nonce, b"other"),
        Err(RevocationError::WrongNonce)
    );
    assert_eq!(
        read(&Say::good(), b"other"),
        Err(RevocationError::WrongNonce)
    );
}

#[test]
fn an_answer_that_is_none_says_why() {
    let read = |bytes: &[u8]| read_ocsp(bytes, &leaf(), &issuer(), NOW).unwrap_err();
    for (status, error) in [
        (1, RevocationError::MalformedRequest),
        (2, RevocationError::InternalError),
        (3, RevocationError::TryLater),
        (4, RevocationError::Unreadable),
        (5, RevocationError::SigRequired),
        (6, RevocationError::Unauthorized),
        (0, RevocationError::Unreadable),
    ] {
        assert_eq!(read(&[0x30, 3, 0x0a, 1, status]), error);
    }
    assert_eq!(
        read(b"This is not an OCSP answer."),
        RevocationError::Unreadable
    );
    assert_eq!(read(&vec![0; 300_000]), RevocationError::TooLarge);
    let good = Say::good().bytes();
    assert_eq!(
        read(&[good.as_slice(), b"x"].concat()),
        RevocationError::Unreadable
    );
    let mut spoiled = good.clone();
    *spoiled.last_mut().unwrap() ^= 1;
    assert_eq!(read(&spoiled), RevocationError::SignatureInvalid);
}

proptest! {
    #[test]
    fn a_changed_answer_never_says_something_else(changes in prop::collection::vec((any::<Index>(), any::<u8>()), 1..4), cut in any::<Option<Index>>()) {
        static REVOKED: LazyLock<Vec<u8>> = LazyLock::new(|| {
            let status = der(0xa1, &[&generalized(NOW - HOUR)]);
            Say { status, ..Say::good() }.bytes()
        });
        let mut bytes = REVOKED.clone();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok(answer) = read_ocsp(&bytes, &leaf(), &issuer(), NOW) {
            let status = Status::Revoked { since: NOW - HOUR, reason: None };
            prop_assert_eq!(answer.status, status);
        }
    }
}
