//! A client of Python, with `requests` for HTTPS and `cryptography` for keys and signatures, goes the whole way from discovery to
//! a token, and checks the token with the key set.
#![expect(clippy::unwrap_used, reason = "a test ends where it goes wrong")]

mod common;

use common::key::TestKey;
use common::{CLIENT, SCOPE, Service, peer};
use mock_helseid::{Client, new_client_key};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
};
use serde_json::Value;
use testbed::tls::TlsIdentity;
use tokio::process::Command;

const SCRIPT: &str = include_str!("data/client.py");

#[tokio::test(flavor = "multi_thread")]
async fn a_client_of_another_language_is_served() {
    let Some(python) = peer::find("PROVENETT_PYTHON") else {
        return;
    };
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params
        .distinguished_name
        .push(DnType::CommonName, "Throw-away test CA");
    let root = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let mut params = CertificateParams::new(vec!["localhost".into()]).unwrap();
    params.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, &root).unwrap().pem();
    let client_key = new_client_key().unwrap();
    let service = Service::with(TestKey::es256("unused"), |config| {
        config.tls = Some(TlsIdentity {
            chain_pem: certificate,
            key_pem: key.serialize_pem(),
        });
        config.clients = vec![Client::new(CLIENT, client_key.public_jwk_json.clone())];
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let trust = folder.path().join("trust.pem");
    let jwk = folder.path().join("client.jwk");
    std::fs::write(&trust, root.pem()).unwrap();
    std::fs::write(&jwk, &client_key.private_jwk_json).unwrap();
    let mut command = Command::new(python);
    command
        .args(["-c", SCRIPT, service.handle.issuer(), CLIENT, SCOPE])
        .arg(&jwk)
        .arg(&trust);
    let output = peer::run(command).await;
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(said["statuses"], serde_json::json!([400, 200]));
    assert_eq!(said["claims"]["client_id"], CLIENT);
    assert_eq!(said["claims"]["cnf"]["jkt"], said["thumbprint"]);
    let token = said["token"].as_str().unwrap();
    let url = said["resource"].as_str().unwrap();
    let proof = said["proof"].as_str().unwrap();
    let tokens = service.handle.access_tokens();
    let judged = tokens.verify(&format!("DPoP {token}"), Some(proof), "GET", url);
    assert_eq!(judged.unwrap().client_id, CLIENT);
    let (error, noted) = service.last_asked();
    assert_eq!(
        (error, noted.as_str()),
        (None, ""),
        "nothing is frowned upon"
    );
    service.stop().await;
}
