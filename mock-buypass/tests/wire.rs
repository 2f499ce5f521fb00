//! Lists and responders over plain sockets: what faults do to them, and that issuing CAs do not touch each other.
#![expect(clippy::unwrap_used, reason = "a test ends where it goes wrong")]

mod common;

use std::time::Duration;

use common::{Ca, LIMIT, Reply, get, issue, parts, send};
use mock_buypass::{RevocationReason, artefact_names};
use openssl::x509::{CrlStatus, X509, X509Crl};
use testbed::evidence::{Event, HttpEnd, RevocationSource, RevocationStatus};
use testbed::fault::FaultAction;
use tokio::net::TcpStream;

fn list(reply: &Reply) -> X509Crl {
    assert_eq!(reply.status, 200);
    assert_eq!(reply.content_type.as_deref(), Some("application/pkix-crl"));
    X509Crl::from_der(&reply.body).unwrap()
}

fn names(list: &X509Crl, certificate_pem: &str) -> bool {
    let certificate = X509::from_pem(certificate_pem.as_bytes()).unwrap();
    matches!(
        list.get_by_cert(&certificate),
        CrlStatus::Revoked(_) | CrlStatus::RemoveFromCrl(_)
    )
}

#[tokio::test]
async fn a_revocation_is_in_the_next_list_and_in_evidence() {
    let ca = Ca::start().await;
    let base = ca.handle.base_ca();
    let issued = issue(base).await;
    let before = list(&get(base.crl_url()).await.unwrap());
    assert!(!names(&before, &issued.certificate_pem));
    base.revoke(&issued.serial, RevocationReason::KeyCompromise)
        .unwrap();
    let after = list(&get(base.crl_url()).await.unwrap());
    assert!(names(&after, &issued.certificate_pem));
    let issuer = X509::from_pem(base.certificate_pem().as_bytes()).unwrap();
    assert!(after.verify(&issuer.public_key().unwrap()).unwrap());
    let delivered = ca
        .context
        .journal
        .wait_for(0, LIMIT, |entry| {
            matches!(&entry.event, Event::RevocationDelivered { ca, source, status, .. }
                if ca == base.id() && *source == RevocationSource::Crl && *status == RevocationStatus::List)
        })
        .await;
    assert!(delivered.is_ok());
    ca.stop().await;
}

#[tokio::test]
async fn a_delayed_answer_waits_for_the_clock_of_the_run() {
    let ca = Ca::start().await;
    let scenario = ca.scenario().await;
    let url = scenario.ca().crl_url().to_owned();
    ca.fault(
        scenario.ca(),
        "crl/*",
        FaultAction::Delay(Duration::from_secs(3600)),
    );
    let asked = tokio::spawn(async move { get(&url).await });
    let journal = ca.context.journal.clone();
    journal
        .wait_for(0, LIMIT, |entry| {
            matches!(entry.event, Event::FaultMet { .. })
        })
        .await
        .unwrap();
    assert!(!asked.is_finished());
    ca.context.clock.advance(Duration::from_secs(3600));
    let reply = tokio::time::timeout(LIMIT, asked).await.unwrap().unwrap();
    list(&reply.unwrap());
    drop(scenario);
    ca.stop().await;
}

#[tokio::test]
async fn faults_are_what_their_names_say() {
    let ca = Ca::start().await;
    let scenario = ca.scenario().await;
    let url = scenario.ca().crl_url();
    let right = get(url).await.unwrap();
    ca.fault(scenario.ca(), "crl/*", FaultAction::Status(503));
    let reply = get(url).await.unwrap();
    assert_eq!((reply.status, reply.body.len()), (503, 0));
    ca.context.faults.clear();
    ca.fault(scenario.ca(), "crl/*", FaultAction::Reset);
    assert_eq!(get(url).await, None);
    ca.context.faults.clear();
    ca.fault(scenario.ca(), "crl/*", FaultAction::Corrupt);
    let reply = get(url).await.unwrap();
    assert_eq!(reply.body.len(), right.body.len());
    assert_ne!(reply.body, right.body);
    ca.context.faults.clear();
    assert_eq!(get(url).await.unwrap().body, right.body);
    let ends: Vec<HttpEnd> = ca
        .context
        .journal
        .entries()
        .iter()
        .filter_map(|entry| match entry.event {
            Event::HttpEnded { end, .. } => Some(end),
            _ => None,
        })
        .collect();
    let cut_off = ends.iter().filter(|end| **end == HttpEnd::CutOff).count();
    assert_eq!(cut_off, 1, "{ends:?}");
    drop(scenario);
    ca.stop().await;
}

#[tokio::test]
async fn wrong_lists_are_wrong_in_the_way_they_should() {
    let ca = Ca::start().await;
    let scenario = ca.scenario().await;
    let url = scenario.ca().crl_url();
    let issuer = X509::from_pem(scenario.ca().certificate_pem().as_bytes()).unwrap();
    let key = issuer.public_key().unwrap();
    let now = openssl::asn1::Asn1Time::days_from_now(0).unwrap();
    for name in artefact_names().filter(|name| name.starts_with("crl-")) {
        ca.context.faults.clear();
        ca.fault(
            scenario.ca(),
            "crl/*",
            FaultAction::Artefact(name.to_owned()),
        );
        let reply = get(url).await.unwrap();
        assert_eq!(reply.status, 200);
        let read = X509Crl::from_der(&reply.body);
        match name {
            "crl-bad-signature" => assert!(!read.unwrap().verify(&key).unwrap_or(false)),
            "crl-expired" => {
                let list = read.unwrap();
                assert!(list.verify(&key).unwrap());
                assert!(list.next_update().unwrap() < now);
            }
            "crl-future" => assert!(read.unwrap().last_update() > now),
            "crl-html" => {
                assert_eq!(
                    reply.content_type.as_deref(),
                    Some("text/html; charset=utf-8")
                );
            }
            _ => assert!(read.is_err(), "{name}"),
        }
    }
    drop(scenario);
    ca.stop().await;
}

#[tokio::test]
async fn issuing_cas_do_not_touch_each_other() {
    let ca = Ca::start().await;
    let (one, two) = (ca.scenario().await, ca.scenario().await);
    let (first, second) = (one.ca().crl_url(), two.ca().crl_url());
    let base = ca.handle.base_ca().crl_url();
    let hosts = [first, second, base].map(|url| parts(url).0);
    assert!(hosts[0] != hosts[1] && hosts[0] != hosts[2] && hosts[1] != hosts[2]);
    assert_ne!(one.ca().id(), two.ca().id());
    assert_ne!(one.ca().certificate_der(), two.ca().certificate_der());
    assert_eq!(parts(one.ca().ocsp_url()).0, hosts[0]);
    assert_eq!(
        parts(one.ca().aia_url()).0,
        hosts[2],
        "CA certificates stay within reach"
    );
    one.refuse();
    let clock = ca.context.clock.clone();
    let refused = async {
        while TcpStream::connect(hosts[0]).await.is_ok() {
            clock.sleep(Duration::from_millis(5)).await;
        }
    };
    clock.timeout(LIMIT, refused).await.unwrap();
    assert_eq!(get(first).await, None);
    for url in [second, base, one.ca().aia_url(), &ca.root_crl_url()] {
        assert_eq!(get(url).await.unwrap().status, 200, "{url}");
    }
    one.resume();
    let resumed = async {
        while get(first).await.is_none() {
            clock.sleep(Duration::from_millis(5)).await;
        }
    };
    clock.timeout(LIMIT, resumed).await.unwrap();
    list(&get(first).await.unwrap());
    ca.fault(one.ca(), "*", FaultAction::Status(500));
    assert_eq!(get(first).await.unwrap().status, 500);
    assert_eq!(get(second).await.unwrap().status, 200);
    let (issued_one, issued_two) = (issue(one.ca()).await, issue(two.ca()).await);
    two.ca()
        .revoke(&issued_two.serial, RevocationReason::Superseded)
        .unwrap();
    assert!(
        two.ca()
            .revoke(&issued_one.serial, RevocationReason::Superseded)
            .is_err(),
        "a CA knows only what it has issued"
    );
    let aia = one.ca().aia_url().to_owned();
    let gone = first.to_owned();
    drop(one);
    assert_eq!(get(&aia).await.unwrap().status, 404);
    let closed = async {
        while get(&gone).await.is_some() {
            clock.sleep(Duration::from_millis(5)).await;
        }
    };
    clock.timeout(LIMIT, closed).await.unwrap();
    drop(two);
    ca.stop().await;
}

#[tokio::test]
async fn a_revoked_issuing_ca_is_in_the_list_of_the_root() {
    let ca = Ca::start().await;
    let scenario = ca.scenario().await;
    let before = list(&get(&ca.root_crl_url()).await.unwrap());
    assert!(!names(&before, scenario.ca().certificate_pem()));
    ca.handle
        .revoke_issuing_ca(scenario.ca(), RevocationReason::KeyCompromise)
        .unwrap();
    let after = list(&get(&ca.root_crl_url()).await.unwrap());
    assert!(names(&after, scenario.ca().certificate_pem()));
    drop(scenario);
    ca.stop().await;
}

#[tokio::test]
async fn hostile_requests_are_answered_and_leave_the_ca_well() {
    let ca = Ca::start().await;
    let base = ca.handle.base_ca();
    let (ocsp, crl) = (base.ocsp_url(), base.crl_url());
    let (host, ocsp_path) = parts(ocsp);
    let crl_path = parts(crl).1;
    let post = |length: usize, body: &str| {
        format!(
            "POST {ocsp_path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Type: application/ocsp-request\r\nContent-Length: {length}\r\n\r\n{body}"
        )
    };
    let garbage = send(ocsp, &post(7, "garbage")).await.unwrap();
    assert_eq!(
        garbage.content_type.as_deref(),
        Some("application/ocsp-response")
    );
    let large = "A".repeat(64 * 1024 + 1);
    assert_eq!(
        send(ocsp, &post(large.len(), &large)).await.unwrap().status,
        413
    );
    for path in ["%", "%zz", "====", "MA==", "..%2f..%2fetc"] {
        let reply = get(&format!("{ocsp}/{path}")).await.unwrap();
        assert!(
            reply.status == 200 || reply.status == 400,
            "{path} {reply:?}"
        );
    }
    let wrong_method =
        format!("DELETE {crl_path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    assert_eq!(send(crl, &wrong_method).await.unwrap().status, 405);
    for path in [
        "/",
        "/crt/none.cer",
        "/crt/../trust",
        "/ca-00000000/crl/x.crl",
    ] {
        let url = format!("{}{path}", ca.handle.base_url());
        assert_eq!(get(&url).await.unwrap().status, 404, "{path}");
    }
    list(&get(crl).await.unwrap());
    ca.stop().await;
}
