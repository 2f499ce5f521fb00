//! .NET's SignedCms and EnvelopedCms open what we protect, and we open what they protect.
#![expect(clippy::unwrap_used, reason = "a test ends where it goes wrong")]

mod common;

use std::ffi::OsString;
use std::path::Path;

use common::{NOW, certificate, decryption, peer, signing, trace};
use nhn_model::protection::{
    ContentCipher, Digest, EncryptOptions, KeyTransport, Opened, SignOptions, encrypt_with, open,
    open_with, protect, sign_with,
};
use tempfile::TempDir;

const PAYLOAD: &[u8] = b"<MsgHead>\r\nbl\xc3\xa5b\xc3\xa6r\n</MsgHead>";
const SUT: u32 = 8_900_011;
const HELSENORGE: u32 = 109_989;

fn dotnet() -> Option<OsString> {
    peer::find("PROVENETT_DOTNET_PEER")
}

fn pki(file: &str) -> String {
    trace(&format!("pki/{file}")).to_str().unwrap().to_owned()
}

fn path(folder: &TempDir, file: &str) -> String {
    folder.path().join(file).to_str().unwrap().to_owned()
}

/// What .NET makes of a message of 8900011 to 109989.
fn they_open(dotnet: &OsString, message: &[u8]) -> Result<Vec<u8>, String> {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (path(&folder, "in"), path(&folder, "out"));
    std::fs::write(&from, message).unwrap();
    let (key, signer) = (pki("109989.enc.p12"), pki("8900011.sign.pem"));
    let output = peer::run(
        dotnet,
        &[
            "cms",
            "open",
            "--in",
            &from,
            "--decrypt-p12",
            &key,
            "--password",
            "pw",
            "--expect-signer",
            &signer,
            "--out",
            &to,
        ],
    );
    if output.status.success() {
        Ok(std::fs::read(Path::new(&to)).unwrap())
    } else {
        Err(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

/// A message of 109989 to 8900011 that .NET has made.
fn they_protect(dotnet: &OsString, more: &[&str]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (path(&folder, "in"), path(&folder, "out"));
    std::fs::write(&from, PAYLOAD).unwrap();
    let (key, recipient) = (pki("109989.sign.p12"), pki("8900011.enc.pem"));
    let arguments = [
        "cms",
        "protect",
        "--in",
        &from,
        "--sign-p12",
        &key,
        "--password",
        "pw",
        "--add-p12-certs",
        "--out",
        &to,
    ];
    let arguments = [&arguments, more, &["--encrypt-to", &recipient]].concat();
    let output = peer::run(dotnet, &arguments);
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{told}");
    std::fs::read(Path::new(&to)).unwrap()
}

fn we_open(message: &[u8]) -> Opened {
    let opened = open(message, &[decryption(SUT)]).unwrap();
    assert_eq!(opened.content, PAYLOAD);
    let signer = opened.signer.as_ref().unwrap();
    assert_eq!(signer.certificate, certificate("109989.sign"));
    opened
}

#[test]
fn dotnet_opens_what_we_protect() {
    let Some(dotnet) = dotnet() else { return };
    let to = certificate("109989.enc");
    let usual = protect(PAYLOAD, &signing(SUT), &to, NOW).unwrap();
    assert_eq!(they_open(&dotnet, &usual).unwrap(), PAYLOAD);
    let official = sign_with(PAYLOAD, &signing(SUT), &SignOptions::default()).unwrap();
    for cipher in [
        ContentCipher::Aes128,
        ContentCipher::Aes192,
        ContentCipher::Aes256,
        ContentCipher::TripleDes,
    ] {
        for key_transport in [
            KeyTransport::Pkcs1,
            KeyTransport::OaepSha1,
            KeyTransport::OaepSha256,
        ] {
            let options = EncryptOptions {
                cipher,
                key_transport,
                ..EncryptOptions::default()
            };
            let message = encrypt_with(&official, &[&to], options).unwrap();
            assert_eq!(
                they_open(&dotnet, &message).unwrap(),
                PAYLOAD,
                "{options:?}"
            );
        }
    }
    for digest in [Digest::Sha1, Digest::Sha384, Digest::Sha512] {
        let options = SignOptions {
            digest,
            signing_time: Some(NOW),
            ..SignOptions::default()
        };
        let signed = sign_with(PAYLOAD, &signing(SUT), &options).unwrap();
        let message = encrypt_with(&signed, &[&to], EncryptOptions::default()).unwrap();
        assert_eq!(
            they_open(&dotnet, &message).unwrap(),
            PAYLOAD,
            "{options:?}"
        );
    }
}

#[test]
fn dotnet_refuses_what_is_spoilt() {
    let Some(dotnet) = dotnet() else { return };
    let to = certificate("109989.enc");
    let mut signed = sign_with(PAYLOAD, &signing(SUT), &SignOptions::default()).unwrap();
    *signed.last_mut().unwrap() ^= 1;
    let message = encrypt_with(&signed, &[&to], EncryptOptions::default()).unwrap();
    let refused = they_open(&dotnet, &message).unwrap_err();
    assert!(refused.contains("\"ok\":false"), "{refused}");
    let to_another = protect(PAYLOAD, &signing(SUT), &certificate("8900011.enc"), NOW).unwrap();
    assert!(they_open(&dotnet, &to_another).is_err());
}

#[test]
fn we_open_what_dotnet_protects() {
    let Some(dotnet) = dotnet() else { return };
    let usual = we_open(&they_protect(&dotnet, &[]));
    let form = usual.form;
    assert!(form.definite && !form.oaep && !form.signed_attributes);
    assert_eq!(form.cipher, ContentCipher::Aes256);
    assert_eq!(form.digest, Some(Digest::Sha256));
    for (arguments, cipher) in [
        (&["--cipher", "aes128-cbc"][..], ContentCipher::Aes128),
        (&["--cipher", "aes192-cbc", "--oaep"], ContentCipher::Aes192),
        (
            &["--signing-time", "--digest", "sha512"],
            ContentCipher::Aes256,
        ),
        (&["--include", "end-cert"], ContentCipher::Aes256),
    ] {
        let opened = we_open(&they_protect(&dotnet, arguments));
        assert_eq!(opened.form.cipher, cipher, "{arguments:?}");
    }
    let first = pki("109989.enc.pem");
    let to_two = we_open(&they_protect(&dotnet, &["--encrypt-to", &first]));
    assert_eq!(to_two.form.recipients, 2);
}

#[test]
fn what_dotnet_protects_weakly_must_be_asked_for() {
    let Some(dotnet) = dotnet() else { return };
    let weak = nhn_model::protection::Acceptance {
        weak_algorithms: true,
    };
    for arguments in [&["--cipher", "3des"], &["--digest", "sha1"]] {
        let message = they_protect(&dotnet, arguments);
        assert!(open(&message, &[decryption(SUT)]).is_err());
        let opened = open_with(&message, &[decryption(HELSENORGE), decryption(SUT)], weak).unwrap();
        assert_eq!(opened.content, PAYLOAD);
    }
}
