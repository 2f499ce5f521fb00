//! The chain engine of .NET, as EPJ systems use it, accepts what is good and sees what is revoked, by list and by OCSP.
#![expect(clippy::unwrap_used, reason = "a test ends where it goes wrong")]

mod common;

use std::ffi::OsString;

use common::{Ca, issue, peer};
use mock_buypass::{Issued, IssuingCa, RevocationReason};
use serde_json::Value;
use testbed::evidence::{Event, RevocationSource, RevocationStatus};
use testbed::fault::FaultAction;
use tokio::process::Command;

/// Builds the chain of a certificate with a cold cache. The issuing CA is found by the address in the certificate.
async fn chain(program: &OsString, ca: &Ca, issued: &Issued) -> Value {
    let cache = tempfile::tempdir().unwrap();
    let mut command = Command::new(program);
    command
        .arg("chain")
        .arg("--cert")
        .arg(ca.file("leaf.pem", &issued.certificate_pem))
        .arg("--root")
        .arg(ca.file("root.pem", ca.handle.trust_bundle_pem()))
        .arg("--cache-dir")
        .arg(cache.path())
        .args(["--usage", "non-repudiation", "--timeout", "20"]);
    let output = peer::run(command).await;
    let errors = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{errors}"))
}

fn statuses(answer: &Value) -> Vec<&str> {
    let statuses = answer["statuses"].as_array().unwrap().iter();
    statuses.map(|status| status.as_str().unwrap()).collect()
}

/// What was handed out for the certificates of a CA, in order.
fn delivered(ca: &Ca, issuing: &IssuingCa) -> Vec<(RevocationSource, RevocationStatus)> {
    let entries = ca.context.journal.entries();
    let events = entries.iter().filter_map(|entry| match &entry.event {
        Event::RevocationDelivered {
            ca, source, status, ..
        } if ca == issuing.id() => Some((*source, *status)),
        _ => None,
    });
    events.collect()
}

#[tokio::test]
async fn a_good_certificate_is_good_and_a_revoked_one_is_not() {
    let Some(program) = peer::find("PROVENETT_DOTNET_PEER") else {
        return;
    };
    let ca = Ca::start().await;
    let scenario = ca.scenario().await;
    let issued = issue(scenario.ca()).await;
    let answer = chain(&program, &ca, &issued).await;
    assert_eq!(answer["ok"], true, "{answer}");
    assert_eq!(answer["elements"].as_array().unwrap().len(), 3);
    assert_eq!(
        delivered(&ca, scenario.ca()),
        [(RevocationSource::Crl, RevocationStatus::List)]
    );
    scenario
        .ca()
        .revoke(&issued.serial, RevocationReason::KeyCompromise)
        .unwrap();
    let answer = chain(&program, &ca, &issued).await;
    assert_eq!(answer["ok"], false);
    assert_eq!(statuses(&answer), ["Revoked"], "{answer}");
    drop(scenario);
    ca.stop().await;
}

#[tokio::test]
async fn without_a_list_the_responder_decides() {
    let Some(program) = peer::find("PROVENETT_DOTNET_PEER") else {
        return;
    };
    let ca = Ca::start().await;
    let scenario = ca.scenario().await;
    let issued = issue(scenario.ca()).await;
    ca.fault(scenario.ca(), "crl/*", FaultAction::Status(500));
    let answer = chain(&program, &ca, &issued).await;
    assert_eq!(answer["ok"], true, "{answer}");
    let ocsp = |status| (RevocationSource::Ocsp, status);
    assert!(delivered(&ca, scenario.ca()).contains(&ocsp(RevocationStatus::Good)));
    scenario
        .ca()
        .revoke(&issued.serial, RevocationReason::KeyCompromise)
        .unwrap();
    let answer = chain(&program, &ca, &issued).await;
    assert_eq!(statuses(&answer), ["Revoked"], "{answer}");
    assert!(delivered(&ca, scenario.ca()).contains(&ocsp(RevocationStatus::Revoked)));
    ca.fault(scenario.ca(), "ocspbs*", FaultAction::Status(500));
    let answer = chain(&program, &ca, &issued).await;
    assert_eq!(answer["ok"], false);
    assert!(
        statuses(&answer).contains(&"RevocationStatusUnknown"),
        "{answer}"
    );
    drop(scenario);
    ca.stop().await;
}

#[tokio::test]
async fn a_revoked_issuing_ca_breaks_the_chain() {
    let Some(program) = peer::find("PROVENETT_DOTNET_PEER") else {
        return;
    };
    let ca = Ca::start().await;
    let scenario = ca.scenario().await;
    let issued = issue(scenario.ca()).await;
    ca.handle
        .revoke_issuing_ca(scenario.ca(), RevocationReason::KeyCompromise)
        .unwrap();
    let answer = chain(&program, &ca, &issued).await;
    assert_eq!(answer["ok"], false);
    assert!(statuses(&answer).contains(&"Revoked"), "{answer}");
    drop(scenario);
    ca.stop().await;
}
