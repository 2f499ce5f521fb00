//! No bytes make a reader panic, and no change to a message goes unnoticed.
#![expect(clippy::unwrap_used, reason = "a test ends where it goes wrong")]

mod common;

use std::sync::LazyLock;

use common::{NOW, bytes, certificate, decryption, signing};
use nhn_model::certificate::Certificate;
use nhn_model::cppa::{read_agreement, read_profile};
use nhn_model::protection::{
    Acceptance, DecryptionIdentity, SignOptions, encrypt, open, sign_with, verify,
};
use nhn_model::revocation::{Crl, read_ocsp};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

static IDENTITIES: LazyLock<[DecryptionIdentity; 1]> = LazyLock::new(|| [decryption(109_989)]);
static RECORDED: LazyLock<Vec<u8>> = LazyLock::new(|| bytes("komtest/bodies/1-109989_sync.der"));
static PAYLOAD: LazyLock<Vec<u8>> =
    LazyLock::new(|| open(&RECORDED, &*IDENTITIES).unwrap().content);
static ISSUING: LazyLock<Certificate> = LazyLock::new(|| certificate("issuing"));
static SENDER: LazyLock<Certificate> = LazyLock::new(|| certificate("8900011.sign"));

/// A change to a message.
#[derive(Clone, Debug)]
enum Change {
    Set(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    Truncate(Index),
    Repeat(Index, usize),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        6 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        2 => (any::<Index>(), vec(any::<u8>(), 1..9)).prop_map(|(at, more)| Change::Insert(at, more)),
        2 => (any::<Index>(), 1_usize..9).prop_map(|(at, count)| Change::Remove(at, count)),
        1 => any::<Index>().prop_map(Change::Truncate),
        1 => (any::<Index>(), 1_usize..400).prop_map(|(at, count)| Change::Repeat(at, count)),
    ]
}

/// Changes, most of them where structure is dense: among the first or last bytes.
fn changed(original: &[u8], changes: &[(Change, bool)]) -> Vec<u8> {
    let mut bytes = original.to_vec();
    for (change, anywhere) in changes {
        if bytes.is_empty() {
            break;
        }
        let place = |at: &Index, bytes: &[u8]| {
            let range = if *anywhere {
                bytes.len()
            } else {
                bytes.len().min(160)
            };
            at.index(range)
        };
        match change {
            Change::Set(at, byte) => {
                let at = place(at, &bytes);
                bytes[at] = *byte;
            }
            Change::Insert(at, more) => {
                let at = place(at, &bytes);
                bytes.splice(at..at, more.iter().copied());
            }
            Change::Remove(at, count) => {
                let at = place(at, &bytes);
                bytes.drain(at..(at + count).min(bytes.len()));
            }
            Change::Truncate(at) => bytes.truncate(place(at, &bytes)),
            Change::Repeat(at, count) => {
                let at = place(at, &bytes);
                let piece = bytes[at..(at + count).min(bytes.len())].to_vec();
                bytes.splice(at..at, piece);
            }
        }
    }
    bytes
}

fn changes() -> impl Strategy<Value = Vec<(Change, bool)>> {
    vec((change(), any::<bool>()), 1..4)
}

/// A change within a certificate in the message, but not in its key, leaves the message's signature right; the certificate is
/// then not the listed one any more, and its CA has not signed it.
fn is_sender_or_no_certificate(certificate: &Certificate) -> bool {
    *certificate == *SENDER || !certificate.is_issued_by(&ISSUING)
}

proptest! {
    #[test]
    fn no_bytes_make_a_reader_panic(bytes in vec(any::<u8>(), 0..300)) {
        let _ = Certificate::from_der(&bytes);
        let _ = open(&bytes, &*IDENTITIES);
        let _ = verify(&bytes, Acceptance::default());
        let _ = Crl::read(&bytes, &ISSUING, NOW);
        let _ = read_ocsp(&bytes, &SENDER, &ISSUING, NOW);
        let _ = read_profile(&bytes);
        let _ = read_agreement(&bytes);
    }

    #[test]
    fn a_changed_envelope_never_opens_to_other_signed_content(changes in changes()) {
        if let Ok(opened) = open(&changed(&RECORDED, &changes), &*IDENTITIES)
            && let Some(signer) = opened.signer
        {
            prop_assert_eq!(&opened.content, &*PAYLOAD);
            prop_assert!(is_sender_or_no_certificate(&signer.certificate));
        }
    }

    #[test]
    fn changed_signed_data_never_verifies_to_other_content(changes in changes(), attributes in any::<bool>()) {
        let options = SignOptions { signing_time: attributes.then_some(NOW), ..SignOptions::default() };
        let signed = sign_with(b"<MsgHead/>", &signing(8_900_011), &options).unwrap();
        if let Ok(verified) = verify(&changed(&signed, &changes), Acceptance::default()) {
            prop_assert_eq!(verified.content, b"<MsgHead/>");
            prop_assert!(is_sender_or_no_certificate(&verified.signer.certificate));
        }
    }

    #[test]
    fn whatever_is_enveloped_comes_out(content in vec(any::<u8>(), 0..200)) {
        let message = encrypt(&content, IDENTITIES[0].certificate()).unwrap();
        let opened = open(&message, &*IDENTITIES).unwrap();
        prop_assert_eq!(opened.content, content);
    }

    #[test]
    fn a_changed_certificate_or_list_is_no_danger(changes in changes()) {
        if let Ok(certificate) = Certificate::from_der(&changed(SENDER.der(), &changes)) {
            let _ = (certificate.serial(), certificate.subject(), certificate.organization_number());
            let _ = (certificate.crl_urls(), certificate.ocsp_urls(), certificate.ca_issuer_urls());
            let _ = (certificate.key_usage(), certificate.pem());
            prop_assert!(is_sender_or_no_certificate(&certificate));
        }
        let list = changed(&bytes("crl/issuing-revoked.crl"), &changes);
        if let Ok(list) = Crl::read(&list, &ISSUING, NOW) {
            prop_assert_eq!(list.len(), 1);
        }
    }

    #[test]
    fn a_changed_document_is_no_danger(changes in changes()) {
        let document = |name: &str| {
            let path = format!("{}/tests/data/cppa/{name}.xml", env!("CARGO_MANIFEST_DIR"));
            std::fs::read(path).unwrap()
        };
        let _ = read_profile(&changed(&document("CPP_8900011"), &changes));
        let _ = read_agreement(&changed(&document("CPA_109989_8900011"), &changes));
    }
}
