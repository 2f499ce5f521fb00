//! Messages of every form that contract 04 section 10.5 lists.
#![expect(clippy::unwrap_used, reason = "a test ends where it goes wrong")]

mod common;

use std::sync::LazyLock;

use common::NOW;
use common::ca::{Party, Wanted, issue, issue_for, party};
use nhn_model::protection::{
    Acceptance, ContentCipher, DecryptionIdentity, Digest, Embed, EncryptOptions, KeyTransport,
    OpenError, ProtectionError, RecipientId, SignOptions, SigningIdentity, encrypt, encrypt_with,
    open, open_with, protect, sign, sign_with, verify,
};
use openssl::cms::{CMSOptions, CmsContentInfo};
use openssl::stack::Stack;
use openssl::symm::Cipher;

const CONTENT: &[u8] = b"<MsgHead>\r\n\xc3\xa6\xc3\xb8\xc3\xa5</MsgHead>\n";
const WEAK: Acceptance = Acceptance {
    weak_algorithms: true,
};

static PARTY: LazyLock<Party> = LazyLock::new(party);

fn signer() -> SigningIdentity {
    let chain = [&PARTY.signing, &PARTY.issuing, &PARTY.root].map(common::ca::Made::pem);
    SigningIdentity::from_pem(&chain.concat(), &PARTY.signing.key_pem()).unwrap()
}

fn recipient() -> DecryptionIdentity {
    DecryptionIdentity::from_pem(&PARTY.encryption.pem(), &PARTY.encryption.key_pem()).unwrap()
}

fn to_us(content: &[u8]) -> Vec<u8> {
    encrypt(content, recipient().certificate()).unwrap()
}

fn refusal(message: &[u8]) -> OpenError {
    open(message, &[recipient()]).unwrap_err()
}

fn signed(options: &SignOptions) -> Vec<u8> {
    sign_with(CONTENT, &signer(), options).unwrap()
}

#[test]
fn a_protected_message_opens() {
    for size in [0, 1, 15, 16, 17, 70_000] {
        let content = vec![b'x'; size];
        let message = protect(&content, &signer(), recipient().certificate(), NOW).unwrap();
        let opened = open(&message, &[recipient()]).unwrap();
        assert_eq!(opened.content, content);
        let found = opened.signer.unwrap();
        assert_eq!(&found.certificate, signer().certificate());
        let mut embedded = found.embedded;
        embedded.sort_by_key(|certificate| certificate.serial());
        let expected = [PARTY.issuing.certificate(), PARTY.signing.certificate()];
        assert_eq!(embedded, expected, "leaf and issuing CA, no root");
    }
}

#[test]
fn every_cipher_key_transport_and_recipient_name_opens() {
    let strong = [
        ContentCipher::Aes128,
        ContentCipher::Aes192,
        ContentCipher::Aes256,
    ];
    for cipher in strong {
        for key_transport in [
            KeyTransport::Pkcs1,
            KeyTransport::OaepSha1,
            KeyTransport::OaepSha256,
        ] {
            for recipient_id in [RecipientId::IssuerAndSerial, RecipientId::KeyIdentifier] {
                let options = EncryptOptions {
                    cipher,
                    key_transport,
                    recipient_id,
                };
                let message = encrypt_with(
                    &sign(CONTENT, &signer(), NOW).unwrap(),
                    &[recipient().certificate()],
                    options,
                );
                let opened = open(&message.unwrap(), &[recipient()]).unwrap();
                assert_eq!(opened.content, CONTENT, "{options:?}");
                assert_eq!(opened.form.cipher, cipher);
                assert_eq!(opened.form.oaep, key_transport != KeyTransport::Pkcs1);
                assert_eq!(
                    opened.form.by_key_identifier,
                    recipient_id == RecipientId::KeyIdentifier
                );
            }
        }
    }
}

#[test]
fn weak_ciphers_are_refused_unless_accepted() {
    for cipher in [ContentCipher::TripleDes, ContentCipher::Des] {
        let options = EncryptOptions {
            cipher,
            ..EncryptOptions::default()
        };
        let certificate = recipient().certificate().clone();
        let message = encrypt_with(CONTENT, &[&certificate], options).unwrap();
        let refusal = OpenError::WeakCipher(cipher.name().to_owned());
        assert_eq!(open(&message, &[recipient()]).unwrap_err(), refusal);
        let opened = open_with(&message, &[recipient()], WEAK).unwrap();
        assert_eq!(opened.content, CONTENT);
    }
}

#[test]
fn digests_from_sha_256_on_are_accepted() {
    for (digest, attributes) in [
        (Digest::Sha256, false),
        (Digest::Sha384, true),
        (Digest::Sha512, false),
    ] {
        let options = SignOptions {
            digest,
            signing_time: attributes.then_some(NOW),
            ..SignOptions::default()
        };
        let opened = open(&to_us(&signed(&options)), &[recipient()]).unwrap();
        assert_eq!(opened.content, CONTENT);
        assert_eq!(opened.form.digest, Some(digest));
        assert_eq!(opened.form.signed_attributes, attributes);
    }
    let options = SignOptions {
        digest: Digest::Sha1,
        ..SignOptions::default()
    };
    let message = to_us(&signed(&options));
    assert_eq!(refusal(&message), OpenError::WeakDigest("SHA-1".to_owned()));
    let opened = open_with(&message, &[recipient()], WEAK).unwrap();
    assert_eq!(opened.form.digest, Some(Digest::Sha1));
}

#[test]
fn what_is_not_signed_has_no_signer() {
    for content in [CONTENT, b"", b"\x30\x80\x00\x00", b"0"] {
        let opened = open(&to_us(content), &[recipient()]).unwrap();
        assert_eq!((opened.content.as_slice(), opened.signer), (content, None));
    }
}

#[test]
fn what_is_not_enveloped_is_refused() {
    assert_eq!(refusal(b""), OpenError::Empty);
    assert_eq!(refusal(CONTENT), OpenError::NotEnveloped);
    assert_eq!(
        refusal(&sign(CONTENT, &signer(), NOW).unwrap()),
        OpenError::NotEnveloped
    );
    assert_eq!(refusal(&vec![b' '; 33 << 20]), OpenError::TooLarge);
    let message = to_us(CONTENT);
    assert_eq!(
        refusal(&message[..message.len() - 1]),
        OpenError::Unreadable
    );
}

#[test]
fn bytes_after_the_message_are_refused() {
    let signed = sign(CONTENT, &signer(), NOW).unwrap();
    let more = |bytes: &[u8]| [bytes, b"\0"].concat();
    assert_eq!(refusal(&more(&to_us(&signed))), OpenError::TrailingBytes);
    assert_eq!(refusal(&to_us(&more(&signed))), OpenError::TrailingBytes);
}

#[test]
fn other_recipients_are_told_from_ourselves() {
    let other = issue(
        &Wanted::new("Other", 40, "encryption"),
        Some(&PARTY.issuing),
    );
    let (ours, others) = (recipient().certificate().clone(), other.certificate());
    let to = |recipients: &[&nhn_model::certificate::Certificate]| {
        encrypt_with(CONTENT, recipients, EncryptOptions::default()).unwrap()
    };
    assert_eq!(refusal(&to(&[&others])), OpenError::NoRecipient);
    assert_eq!(refusal(&to(&[])), OpenError::NoRecipients);
    let second = open(&to(&[&others, &ours]), &[recipient()]).unwrap();
    assert_eq!((second.form.recipients, second.form.recipient), (2, 1));
    // The old key beside the new one.
    let legacy = DecryptionIdentity::from_pem(&other.pem(), &other.key_pem()).unwrap();
    let opened = open(&to(&[&others]), &[recipient(), legacy]).unwrap();
    assert_eq!(opened.content, CONTENT);
}

#[test]
fn an_envelope_for_another_key_does_not_open() {
    // The same issuer and serial number with another key.
    let renewed = issue(&Wanted::new("Party", 4, "encryption"), Some(&PARTY.issuing));
    let message = to_us(&sign(CONTENT, &signer(), NOW).unwrap());
    let wrong = DecryptionIdentity::from_pem(&renewed.pem(), &renewed.key_pem()).unwrap();
    match open(&message, &[wrong]) {
        Err(error) => assert_eq!(error, OpenError::Decryption),
        // One time in 256 the rubbish ends like a padding; it is no message then.
        Ok(opened) => assert!(opened.signer.is_none() && opened.content != CONTENT),
    }
}

#[test]
fn a_changed_byte_spoils_the_signature() {
    for signing_time in [None, Some(NOW)] {
        let options = SignOptions {
            signing_time,
            ..SignOptions::default()
        };
        let signed = signed(&options);
        let at = signed.windows(9).position(|window| window == b"<MsgHead>");
        for position in [at.unwrap() + 3, signed.len() - 1] {
            let mut changed = signed.clone();
            changed[position] ^= 1;
            assert_eq!(refusal(&to_us(&changed)), OpenError::SignatureInvalid);
        }
    }
}

#[test]
fn a_digest_other_than_the_named_one_is_wrong() {
    let signed = signed(&SignOptions::default());
    // SHA-384 is named where SHA-256 was used.
    let (used, named) = (b"\x03\x04\x02\x01", b"\x03\x04\x02\x02");
    let mut changed = signed.clone();
    let mut places = 0;
    for at in 0..signed.len() - 4 {
        let is_algorithm =
            &signed[at..at + 4] == used && signed[at - 9..at - 5] == [0x30, 0x0b, 6, 9];
        if is_algorithm {
            changed[at..at + 4].copy_from_slice(named);
            places += 1;
        }
    }
    assert_eq!(places, 2);
    assert_eq!(refusal(&to_us(&changed)), OpenError::SignatureInvalid);
}

#[test]
fn the_signer_s_certificate_must_be_in_the_message() {
    let embed = |embed: Embed| {
        let options = SignOptions {
            embed,
            ..SignOptions::default()
        };
        to_us(&signed(&options))
    };
    assert_eq!(
        refusal(&embed(Embed::Nothing)),
        OpenError::SignerNotEmbedded
    );
    let only_ca = Embed::Exactly(vec![PARTY.issuing.certificate()]);
    assert_eq!(refusal(&embed(only_ca)), OpenError::SignerNotEmbedded);
    assert!(open(&embed(Embed::Leaf), &[recipient()]).is_ok());
    let whole = vec![
        PARTY.root.certificate(),
        PARTY.issuing.certificate(),
        PARTY.signing.certificate(),
    ];
    let opened = open(&embed(Embed::Exactly(whole)), &[recipient()]).unwrap();
    let found = opened.signer.unwrap();
    assert_eq!(found.certificate, PARTY.signing.certificate());
    let serials: Vec<_> = found.embedded.iter().map(|one| one.serial()).collect();
    assert_eq!(
        serials,
        ["01", "02", "abcdef"],
        "in the order of the message"
    );
}

#[test]
fn a_look_alike_signs_as_itself() {
    let stranger = issue(&Wanted::new("Stranger", 1, "ca"), None);
    let look_alike = issue(
        &Wanted::new("Party", 0x00ab_cdef, "signing"),
        Some(&stranger),
    );
    let identity = SigningIdentity::from_pem(&look_alike.pem(), &look_alike.key_pem()).unwrap();
    let message = protect(CONTENT, &identity, recipient().certificate(), NOW).unwrap();
    let found = open(&message, &[recipient()]).unwrap().signer.unwrap();
    assert_eq!(found.certificate.serial(), signer().certificate().serial());
    assert_ne!(&found.certificate, signer().certificate());
}

#[test]
fn two_certificates_of_one_name_are_ambiguous() {
    let twin = issue(
        &Wanted::new("Party", 0x00ab_cdef, "signing"),
        Some(&PARTY.issuing),
    );
    let options = SignOptions {
        embed: Embed::Exactly(vec![twin.certificate(), PARTY.signing.certificate()]),
        ..SignOptions::default()
    };
    assert_eq!(
        refusal(&to_us(&signed(&options))),
        OpenError::AmbiguousSigner
    );
}

/// SignedData whose second signature is of another party; `spoil` makes it wrong.
fn with_two_signers(spoil: bool) -> Vec<u8> {
    let other = issue(&Wanted::new("Other", 50, "signing"), Some(&PARTY.issuing));
    let identity = SigningIdentity::from_pem(&other.pem(), &other.key_pem()).unwrap();
    let both = vec![PARTY.signing.certificate(), other.certificate()];
    let options = SignOptions {
        embed: Embed::Exactly(both),
        ..SignOptions::default()
    };
    let first = sign_with(CONTENT, &signer(), &options).unwrap();
    let second = sign_with(CONTENT, &identity, &options).unwrap();
    // The last element of each is the SET of signatures; the certificates before it are the same.
    let signer_info = |message: &[u8], made: &common::ca::Made| {
        let name = made.x509.issuer_name().to_der().unwrap();
        let mut at = message.len() - 256;
        while !message[at..].starts_with(&name) {
            at -= 1;
        }
        // The SET, the SEQUENCE and the version stand before the name's own SEQUENCE.
        let sequence = (0..at)
            .rev()
            .find(|&i| message[i..].starts_with(&[0x30, 0x82]));
        message[sequence.unwrap()..].to_vec()
    };
    let mut added = signer_info(&second, &other);
    if spoil {
        *added.last_mut().unwrap() ^= 1;
    }
    let original = signer_info(&first, &PARTY.signing);
    let head = first.len() - original.len() - 4;
    let mut message = first[..head].to_vec();
    let length = u16::try_from(original.len() + added.len()).unwrap();
    message.extend([0x31, 0x82]);
    message.extend(length.to_be_bytes());
    message.extend(original);
    message.extend(&added);
    // The lengths of ContentInfo, its [0] and SignedData.
    for at in [2, 17, 21] {
        let old = u16::from_be_bytes([message[at], message[at + 1]]);
        let new = old + u16::try_from(added.len()).unwrap();
        message[at..at + 2].copy_from_slice(&new.to_be_bytes());
    }
    message
}

#[test]
fn every_signature_must_be_right() {
    let verified = verify(&with_two_signers(false), Acceptance::default()).unwrap();
    assert_eq!(verified.signer.others.len(), 1);
    let refused = verify(&with_two_signers(true), Acceptance::default());
    assert_eq!(refused.unwrap_err(), OpenError::SignatureInvalid);
}

#[test]
fn openssl_s_forms_are_read() {
    let mut above = Stack::new().unwrap();
    above.push(PARTY.issuing.x509.clone()).unwrap();
    let sign = |content: &[u8], flags| {
        let (certificate, key) = (&PARTY.signing.x509, &PARTY.signing.key);
        CmsContentInfo::sign(
            Some(certificate),
            Some(key),
            Some(&above),
            Some(content),
            flags,
        )
        .unwrap()
        .to_der()
        .unwrap()
    };
    let mut to = Stack::new().unwrap();
    to.push(PARTY.encryption.x509.clone()).unwrap();
    let signed = sign(CONTENT, CMSOptions::BINARY);
    for flags in [
        CMSOptions::BINARY,
        CMSOptions::BINARY | CMSOptions::USE_KEYID,
    ] {
        let message = CmsContentInfo::encrypt(&to, &signed, Cipher::aes_256_cbc(), flags);
        let opened = open(&message.unwrap().to_der().unwrap(), &[recipient()]).unwrap();
        assert_eq!(opened.content, CONTENT);
        assert!(opened.form.signed_attributes);
    }
    let by_key = sign(CONTENT, CMSOptions::BINARY | CMSOptions::USE_KEYID);
    assert!(open(&to_us(&by_key), &[recipient()]).is_ok());
    let detached = sign(CONTENT, CMSOptions::BINARY | CMSOptions::DETACHED);
    assert_eq!(refusal(&to_us(&detached)), OpenError::Detached);
    let no_certificates = sign(CONTENT, CMSOptions::BINARY | CMSOptions::CMS_NOCERTS);
    // The issuing CA is in it still.
    assert_eq!(
        refusal(&to_us(&no_certificates)),
        OpenError::SignerNotEmbedded
    );
}

#[test]
fn openssl_reads_ours() {
    let message = protect(CONTENT, &signer(), recipient().certificate(), NOW).unwrap();
    let message = CmsContentInfo::from_der(&message).unwrap();
    let decrypted = message
        .decrypt(&PARTY.encryption.key, &PARTY.encryption.x509)
        .unwrap();
    let mut roots = openssl::x509::store::X509StoreBuilder::new().unwrap();
    roots.add_cert(PARTY.root.x509.clone()).unwrap();
    let mut parameters = openssl::x509::verify::X509VerifyParam::new().unwrap();
    parameters.set_time(NOW.unix_timestamp());
    parameters
        .set_purpose(openssl::x509::X509PurposeId::ANY)
        .unwrap();
    roots.set_param(&parameters).unwrap();
    let mut content = Vec::new();
    CmsContentInfo::from_der(&decrypted)
        .unwrap()
        .verify(
            None,
            Some(&roots.build()),
            None,
            Some(&mut content),
            CMSOptions::BINARY,
        )
        .unwrap();
    assert_eq!(content, CONTENT);
}

/// The same element with indefinite length, as BouncyCastle writes it.
fn indefinite(der: &[u8], levels: usize) -> Vec<u8> {
    let header = if der[1] < 0x80 {
        2
    } else {
        2 + usize::from(der[1] & 0x7f)
    };
    let content = &der[header..];
    let inner = if levels == 0 {
        content.to_vec()
    } else {
        // The first element stays, the second is taken apart.
        let first = 2 + usize::from(content[1]);
        [
            &content[..first],
            &indefinite(&content[first..], levels - 1),
        ]
        .concat()
    };
    [&[der[0], 0x80], inner.as_slice(), &[0, 0]].concat()
}

#[test]
fn indefinite_lengths_are_read() {
    let signed = sign(CONTENT, &signer(), NOW).unwrap();
    let message = indefinite(&to_us(&indefinite(&signed, 1)), 1);
    assert!(message.starts_with(&[0x30, 0x80]));
    let opened = open(&message, &[recipient()]).unwrap();
    assert_eq!(opened.content, CONTENT);
    assert!(!opened.form.definite);
    assert_eq!(
        refusal(&[&message[..], b"x"].concat()),
        OpenError::TrailingBytes
    );
}

#[test]
fn an_unknown_cipher_is_named() {
    let mut message = to_us(CONTENT);
    let at = message
        .windows(9)
        .position(|window| window == b"\x60\x86\x48\x01\x65\x03\x04\x01\x2a")
        .unwrap();
    message[at + 8] = 0x2e;
    let name = "2.16.840.1.101.3.4.1.46".to_owned();
    let refused = refusal(&message);
    assert!(
        [OpenError::UnsupportedCipher(name), OpenError::Unreadable].contains(&refused),
        "{refused:?}"
    );
}

#[test]
fn identities_hold_together() {
    let (signing, encryption) = (&PARTY.signing, &PARTY.encryption);
    let mismatch = SigningIdentity::from_pem(&signing.pem(), &encryption.key_pem());
    assert!(matches!(mismatch, Err(ProtectionError::KeyMismatch)));
    let no_key = SigningIdentity::from_pem(&signing.pem(), "");
    assert!(matches!(no_key, Err(ProtectionError::Key)));
    let no_certificate = DecryptionIdentity::from_pem("", &encryption.key_pem());
    assert!(matches!(
        no_certificate,
        Err(ProtectionError::Certificate(_))
    ));
    let store = common::bytes("pki/8900011.sign.p12");
    let wrong = SigningIdentity::from_pkcs12(&store, "wrong");
    assert!(matches!(wrong, Err(ProtectionError::Store)));
    let shown = format!("{:?}", signer());
    assert!(
        shown.contains("abcdef") && !shown.contains("PRIVATE"),
        "{shown}"
    );
    let same_key = issue_for(&Wanted::new("X", 8, "signing"), None, signing.key.clone());
    assert!(SigningIdentity::from_pem(&same_key.pem(), &signing.key_pem()).is_ok());
}
