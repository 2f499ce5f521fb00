//! What the official client has written is opened.
#![expect(clippy::unwrap_used, reason = "a test ends where it goes wrong")]

mod common;

use common::{certificate, decryption, signing, trace};
use nhn_model::protection::{ContentCipher, Digest, open, protect};

#[test]
fn every_recorded_body_opens() {
    let identities = [decryption(8_900_011), decryption(109_989)];
    let mut opened_bodies = 0;
    for folder in std::fs::read_dir(trace("")).unwrap() {
        let Ok(bodies) = std::fs::read_dir(folder.unwrap().path().join("bodies")) else {
            continue;
        };
        for body in bodies {
            let path = body.unwrap().path();
            let name = path.display();
            let opened = open(&std::fs::read(&path).unwrap(), &identities);
            let opened = opened.unwrap_or_else(|error| panic!("{name}: {error}"));
            let text = String::from_utf8(opened.content).unwrap();
            assert!(text.contains("<MsgHead"), "{name}: {text}");

            let to_helsenorge = !path.to_str().unwrap().contains("8900011_syncreply");
            let sender = if to_helsenorge {
                "8900011.sign"
            } else {
                "109989.sign"
            };
            let signer = opened.signer.unwrap();
            assert_eq!(signer.certificate, certificate(sender), "{name}");
            assert!(signer.embedded.contains(&certificate("issuing")), "{name}");
            assert!(signer.others.is_empty());

            let form = opened.form;
            assert!(
                form.definite && !form.oaep && !form.by_key_identifier && !form.signed_attributes
            );
            assert_eq!((form.recipients, form.recipient), (1, 0));
            assert_eq!(form.cipher, ContentCipher::Aes256);
            assert_eq!(form.digest, Some(Digest::Sha256));
            opened_bodies += 1;
        }
    }
    assert_eq!(opened_bodies, 8);
}

#[test]
fn what_is_written_has_the_official_client_s_form() {
    use nhn_model::protection::{SignOptions, encrypt, sign_with};
    let recorded = common::bytes("komtest/bodies/1-109989_sync.der");
    let payload = open(&recorded, &[decryption(109_989)]).unwrap().content;
    let signed = sign_with(&payload, &signing(8_900_011), &SignOptions::default()).unwrap();
    let ours = encrypt(&signed, &certificate("109989.enc")).unwrap();
    // Equal but for the keys: recipients end before the encrypted key, then comes the content's head up to the IV.
    assert_eq!(ours.len(), recorded.len());
    assert_eq!(ours[..121], recorded[..121]);
    assert_eq!(ours[377..407], recorded[377..407]);
}

#[test]
fn a_reply_goes_the_other_way() {
    let protected = protect(
        b"<reply/>",
        &signing(109_989),
        &certificate("8900011.enc"),
        common::NOW,
    )
    .unwrap();
    let opened = open(&protected, &[decryption(8_900_011)]).unwrap();
    assert_eq!(opened.content, b"<reply/>");
    assert!(opened.form.signed_attributes && opened.form.definite);
}

#[test]
fn streamed_messages_of_openssl_open() {
    // Made by `openssl cms -stream` with the recorded keys: indefinite lengths at both layers, content in pieces.
    let read = |name: &str| {
        let path = format!("{}/tests/data/openssl/{name}", env!("CARGO_MANIFEST_DIR"));
        std::fs::read(path).unwrap()
    };
    for (name, recipients, oaep) in [
        ("streamed.ber", 1, false),
        ("streamed-two-recipients-oaep.ber", 2, true),
    ] {
        let opened = open(&read(name), &[decryption(109_989)]).unwrap();
        assert_eq!(opened.content, b"<MsgHead>\r\nx</MsgHead>");
        let signer = opened.signer.unwrap();
        assert_eq!(signer.certificate, certificate("8900011.sign"));
        assert!(signer.embedded.contains(&certificate("issuing")));
        assert!(!opened.form.definite && opened.form.signed_attributes);
        assert_eq!(
            (opened.form.recipients, opened.form.oaep),
            (recipients, oaep)
        );
    }
}

#[test]
fn a_body_of_the_largest_size_opens() {
    let content = vec![b'x'; 20 << 20];
    let message = protect(
        &content,
        &signing(109_989),
        &certificate("8900011.enc"),
        common::NOW,
    );
    let opened = open(&message.unwrap(), &[decryption(8_900_011)]).unwrap();
    assert!(opened.content == content && opened.signer.is_some());
}
