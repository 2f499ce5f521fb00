//! Foreign programs: found by an environment variable, and loudly absent without it.

use std::ffi::OsString;
use std::process::Output;
use std::time::Duration;

use tokio::process::Command;

/// How long a peer may take.
const LIMIT: Duration = Duration::from_secs(120);

/// The peer that `variable` names. Without it the test is not run, and says so; with `PROVENETT_REQUIRE_PEERS=1` it fails.
pub(crate) fn find(variable: &str) -> Option<OsString> {
    let found = std::env::var_os(variable);
    if found.is_none() {
        assert!(
            std::env::var_os("PROVENETT_REQUIRE_PEERS").is_none_or(|value| value != "1"),
            "{variable} is not set, and PROVENETT_REQUIRE_PEERS=1 demands the peer"
        );
        eprintln!("NOT RUN: this test needs a foreign program; set {variable}");
    }
    found
}

/// Runs a peer to its end.
pub(crate) async fn run(mut command: Command) -> Output {
    let running = command.kill_on_drop(true).output();
    tokio::time::timeout(LIMIT, running).await.unwrap().unwrap()
}

/// The `openssl` of this machine. Without it the test is not run, as with [`find`].
pub(crate) async fn openssl() -> Option<OsString> {
    let asked = Command::new("openssl").arg("version").output().await;
    if asked.is_ok_and(|output| output.status.success()) {
        return Some("openssl".into());
    }
    assert!(
        std::env::var_os("PROVENETT_REQUIRE_PEERS").is_none_or(|value| value != "1"),
        "there is no openssl command, and PROVENETT_REQUIRE_PEERS=1 demands it"
    );
    eprintln!("NOT RUN: this test needs the openssl command");
    None
}
