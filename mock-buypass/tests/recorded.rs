//! What .NET's chain engine below the official client was recorded to ask of a CA is answered as it needs it. The recordings
//! (`tests/data`) name the addresses of another CA; only those are replaced.
#![expect(clippy::unwrap_used, reason = "a test ends where it goes wrong")]

mod common;

use common::{Ca, Reply, parts, send};
use openssl::x509::{X509, X509Crl};

/// The recorded request for another address, with the end of the connection asked for so that a plain reader can use it.
async fn asked(recorded: &str, url: &str) -> Reply {
    let (host, path) = parts(url);
    let old = recorded.split(' ').nth(1).unwrap();
    let lines: Vec<String> = recorded
        .trim_end()
        .lines()
        .map(|line| line.replace(old, path).replace("localhost:8080", host))
        .collect();
    let request = format!("{}\r\nConnection: close\r\n\r\n", lines.join("\r\n"));
    let reply = send(url, &request).await.unwrap();
    assert_eq!(reply.status, 200, "{request}");
    reply
}

#[tokio::test]
async fn certificate_and_lists_are_given_to_the_recorded_client() {
    let ca = Ca::start().await;
    let base = ca.handle.base_ca();
    let certificate = asked(include_str!("data/komtest-aia.req"), base.aia_url()).await;
    let issuer = X509::from_der(&certificate.body).unwrap();
    assert_eq!(certificate.body, base.certificate_der());
    let list = asked(include_str!("data/komtest-issuing-crl.req"), base.crl_url()).await;
    assert_eq!(list.content_type.as_deref(), Some("application/pkix-crl"));
    let list = X509Crl::from_der(&list.body).unwrap();
    assert!(list.verify(&issuer.public_key().unwrap()).unwrap());
    let root = asked(
        include_str!("data/komtest-root-crl.req"),
        &ca.root_crl_url(),
    )
    .await;
    let trusted = X509::from_pem(ca.handle.trust_bundle_pem().as_bytes()).unwrap();
    let root = X509Crl::from_der(&root.body).unwrap();
    assert!(root.verify(&trusted.public_key().unwrap()).unwrap());
    ca.stop().await;
}
