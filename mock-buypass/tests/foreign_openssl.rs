//! The command line of OpenSSL accepts lists and answers, sees revocations, and refuses what is wrong.
#![expect(clippy::unwrap_used, reason = "a test ends where it goes wrong")]

mod common;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use common::{Ca, get, issue, peer};
use mock_buypass::{Issued, IssuingCa, RevocationReason};
use testbed::evidence::{Event, RevocationSource, RevocationStatus};
use testbed::fault::FaultAction;
use tokio::process::Command;

/// Files that every command needs.
struct Files {
    leaf: PathBuf,
    issuer: PathBuf,
    root: PathBuf,
    /// Root and issuing CA.
    both: PathBuf,
}

fn files(ca: &Ca, issued: &Issued) -> Files {
    let root = ca.handle.trust_bundle_pem();
    Files {
        leaf: ca.file("leaf.pem", &issued.certificate_pem),
        issuer: ca.file("issuer.pem", &issued.issuer_pem),
        both: ca.file("both.pem", format!("{root}{}", issued.issuer_pem)),
        root: ca.file("root.pem", root),
    }
}

/// Runs a command and gives whether it succeeded, and all that it said.
async fn said(openssl: &OsString, arguments: &[&str], files: &[&Path]) -> (bool, String) {
    let mut command = Command::new(openssl);
    let mut files = files.iter();
    for argument in arguments {
        match *argument {
            "FILE" => command.arg(files.next().unwrap()),
            other => command.arg(other),
        };
    }
    let output = peer::run(command).await;
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&text).into_owned(),
    )
}

/// Asks the responder of a CA.
async fn ocsp(openssl: &OsString, ca: &IssuingCa, files: &Files) -> String {
    let arguments = [
        "ocsp",
        "-issuer",
        "FILE",
        "-cert",
        "FILE",
        "-CAfile",
        "FILE",
        "-url",
        ca.ocsp_url(),
    ];
    let paths: [&Path; 3] = [&files.issuer, &files.leaf, &files.both];
    said(openssl, &arguments, &paths).await.1
}

/// Verifies the chain with the lists of issuing CA and root.
async fn verify(openssl: &OsString, ca: &Ca, issuing: &IssuingCa, files: &Files) -> (bool, String) {
    let mut lists = Vec::new();
    for url in [issuing.crl_url(), &ca.root_crl_url()] {
        let list = get(url).await.unwrap().body;
        let list = openssl::x509::X509Crl::from_der(&list).unwrap();
        lists.extend(list.to_pem().unwrap());
    }
    let lists = ca.file("lists.pem", lists);
    let arguments = [
        "verify",
        "-crl_check_all",
        "-purpose",
        "any",
        "-x509_strict",
        "-CAfile",
        "FILE",
        "-untrusted",
        "FILE",
        "-CRLfile",
        "FILE",
        "FILE",
    ];
    let paths: [&Path; 4] = [&files.root, &files.issuer, &lists, &files.leaf];
    said(openssl, &arguments, &paths).await
}

#[tokio::test]
async fn openssl_ocsp_sees_good_and_revoked() {
    let Some(openssl) = peer::openssl().await else {
        return;
    };
    let ca = Ca::start().await;
    let base = ca.handle.base_ca();
    let issued = issue(base).await;
    let files = files(&ca, &issued);
    let text = ocsp(&openssl, base, &files).await;
    assert!(text.contains("Response verify OK"), "{text}");
    assert!(text.contains("leaf.pem: good"), "{text}");
    assert!(!text.contains("WARNING"), "the nonce came back: {text}");
    base.revoke(&issued.serial, RevocationReason::KeyCompromise)
        .unwrap();
    let text = ocsp(&openssl, base, &files).await;
    assert!(text.contains("Response verify OK"), "{text}");
    assert!(text.contains("leaf.pem: revoked"), "{text}");
    assert!(text.contains("Reason: keyCompromise"), "{text}");
    let statuses: Vec<RevocationStatus> = ca
        .context
        .journal
        .entries()
        .iter()
        .filter_map(|entry| match &entry.event {
            Event::RevocationDelivered {
                source: RevocationSource::Ocsp,
                serial,
                status,
                ..
            } if serial.as_deref() == Some(issued.serial.as_str()) => Some(*status),
            _ => None,
        })
        .collect();
    assert_eq!(
        statuses,
        [RevocationStatus::Good, RevocationStatus::Revoked]
    );
    ca.stop().await;
}

#[tokio::test]
async fn openssl_ocsp_refuses_wrong_answers() {
    let Some(openssl) = peer::openssl().await else {
        return;
    };
    let ca = Ca::start().await;
    let scenario = ca.scenario().await;
    let issued = issue(scenario.ca()).await;
    let files = files(&ca, &issued);
    for (name, says) in [
        ("ocsp-bad-signature", "Response Verify Failure"),
        ("ocsp-expired", "Status times invalid"),
        ("ocsp-garbage", "Error querying OCSP responder"),
        ("ocsp-good", "leaf.pem: good"),
        ("ocsp-internal-error", "internalerror"),
        ("ocsp-malformed", "malformedrequest"),
        ("ocsp-revoked", "leaf.pem: revoked"),
        ("ocsp-sig-required", "sigrequired"),
        ("ocsp-try-later", "trylater"),
        ("ocsp-unauthorized", "unauthorized"),
        ("ocsp-unknown", "leaf.pem: unknown"),
        ("ocsp-wrong-nonce", "Nonce Verify error"),
        ("ocsp-wrong-serial", "No Status found"),
    ] {
        ca.context.faults.clear();
        let wrong = FaultAction::Artefact(name.to_owned());
        ca.fault(scenario.ca(), "ocspbs*", wrong);
        let text = ocsp(&openssl, scenario.ca(), &files).await;
        assert!(text.contains(says), "{name}: {text}");
    }
    drop(scenario);
    ca.stop().await;
}

#[tokio::test]
async fn openssl_verify_sees_good_revoked_and_stale() {
    let Some(openssl) = peer::openssl().await else {
        return;
    };
    let ca = Ca::start().await;
    let scenario = ca.scenario().await;
    let issued = issue(scenario.ca()).await;
    let files = files(&ca, &issued);
    let (success, text) = verify(&openssl, &ca, scenario.ca(), &files).await;
    assert!(success, "{text}");
    for (name, says) in [
        ("crl-expired", "CRL has expired"),
        ("crl-future", "CRL is not yet valid"),
        ("crl-bad-signature", "CRL signature failure"),
    ] {
        let wrong = FaultAction::Artefact(name.to_owned());
        ca.fault(scenario.ca(), "crl/*", wrong);
        let (success, text) = verify(&openssl, &ca, scenario.ca(), &files).await;
        assert!(!success && text.contains(says), "{name}: {text}");
        ca.context.faults.clear();
    }
    scenario
        .ca()
        .revoke(&issued.serial, RevocationReason::CessationOfOperation)
        .unwrap();
    let (success, text) = verify(&openssl, &ca, scenario.ca(), &files).await;
    assert!(!success && text.contains("certificate revoked"), "{text}");
    let other = issue(scenario.ca()).await;
    ca.handle
        .revoke_issuing_ca(scenario.ca(), RevocationReason::KeyCompromise)
        .unwrap();
    let files = self::files(&ca, &other);
    let (success, text) = verify(&openssl, &ca, scenario.ca(), &files).await;
    assert!(
        !success && text.contains("error 23 at 1 depth lookup: certificate revoked"),
        "{text}"
    );
    drop(scenario);
    ca.stop().await;
}
