//! Qpid Proton, the engine of most AMQP clients outside .NET, over TLS against the bus.
#![expect(clippy::unwrap_used, reason = "a test ends where it goes wrong")]

mod support;

use serde_json::{Value, json};
use support::authority::Authority;
use support::{Bed, EPJ, peer};
use tokio::process::Command;

#[tokio::test(flavor = "multi_thread")]
async fn proton_talks_to_the_bus() {
    let Some(python) = peer::find("PROVENETT_PYTHON") else {
        return;
    };
    let authority = Authority::new();
    let bed = Bed::with(|config| config.tls = Some(authority.tls())).await;
    let folder = tempfile::tempdir().unwrap();
    let trust = folder.path().join("root.pem");
    std::fs::write(&trust, authority.pem()).unwrap();
    let port = bed.bus.tls_address().unwrap().port();
    let mut process = Command::new(python);
    process
        .arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/peers/proton_talks.py"
        ))
        .arg(format!(
            "amqps://{}:{}@localhost:{port}",
            EPJ.0,
            support::encoded(EPJ.1)
        ))
        .arg(&trust)
        .args(["8900011_async", "8900011_dl"]);
    let output = peer::run(process).await;
    let text = String::from_utf8(output.stdout).unwrap();
    let seen: Value = serde_json::from_str(&text).unwrap_or_else(|_| {
        panic!(
            "{text}{}\n{:#?}",
            String::from_utf8_lossy(&output.stderr),
            bed.events()
        )
    });
    assert_eq!(
        seen["one_name"],
        json!(["hello", "S", "109989", "8900011_async"])
    );
    let attempts = json!([[0, true], [0, false], [0, false]]);
    assert_eq!(
        seen["outcomes"],
        json!([attempts, 1, "rejected", 1, "8900011_async", "rejected"])
    );
    assert_eq!(seen["drain"], json!([0, 1, 2, "drained"]));
    assert_eq!(seen["large"], true);
    assert!(
        seen["wrong_password"]
            .to_string()
            .contains("amqp:unauthorized-access"),
        "{seen:#}"
    );
}
