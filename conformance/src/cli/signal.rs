//! Ctrl-C and termination requests.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Becomes true when the process is asked to end. A second request ends it at once.
pub(super) fn asked_to_end() -> watch::Receiver<bool> {
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(async move {
        one().await;
        sender.send_replace(true);
        one().await;
        crate::sut::kill_all();
        std::process::exit(130);
    });
    receiver
}

async fn one() {
    let streams = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    );
    let (Ok(mut interrupt), Ok(mut terminate)) = streams else {
        // Without handlers the operating system's default ends the process.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
