//! zeep, a Python SOAP client, builds itself from the served description and reads a party, documents and certificates.
#![expect(clippy::unwrap_used, reason = "a test ends where it goes wrong")]

mod common;

use std::path::Path;

use common::{HELSENORGE, PASSWORD, Register, UNIT, USER, client, peer};
use serde_json::Value;
use tokio::process::Command;

#[tokio::test(flavor = "multi_thread")]
async fn it_reads_from_the_served_description() {
    let Some(python) = peer::find("PROVENETT_PYTHON") else {
        return;
    };
    let register = Register::secure().await;
    let id = register
        .handle
        .new_agreement(UNIT, HELSENORGE)
        .unwrap()
        .to_string();
    let folder = tempfile::tempdir().unwrap();
    let trust = folder.path().join("root.pem");
    std::fs::write(&trust, register.authority.pem()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/zeep_reads.py");
    let mut process = Command::new(python);
    process
        .arg(script)
        .arg(format!("https://localhost:{}", register.address.port()))
        .args([USER, PASSWORD])
        .arg(&trust)
        .arg(&id);
    let output = peer::run(process).await;
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let read: Value = serde_json::from_slice(&output.stdout).unwrap();
    for binding in ["Basic", "WS"] {
        let read = &read[binding];
        assert_eq!(read["name"], "Hjemmetjenesten Liksomvik", "{binding}");
        assert_eq!(read["type"], "Service");
        assert_eq!(read["fault"], "InvalidHerIdSupplied");
        assert_eq!(read["organization"], 310_900_109);
        assert_eq!(read["found"], 1);
    }
    assert_eq!(read["queues"].as_array().unwrap().len(), 4);
    let profile = client::read(read["cpp"].as_str().unwrap(), "8900011");
    assert_eq!(read["encryption"], encode(&profile.encryption));
    assert_eq!(read["signing"], encode(&profile.signing));
    let agreement = client::read(read["cpa"].as_str().unwrap(), "8900011");
    assert_eq!(agreement.cpa_id.as_deref(), Some(id.as_str()));
    assert_eq!(read["cpa"], read["cpa_by_id"]);
    register.stop().await;
}

fn encode(der: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(der)
}
