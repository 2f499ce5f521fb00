//! The listening sockets, and the clock work of the queues.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use testbed::evidence::Event;
use testbed::{Clock, ShutdownSignal};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use crate::connection::{self, Accepted};
use crate::shared::Shared;

/// What peers are told when the bus goes down.
pub(crate) const OUTAGE: &str = "node is shutting down";
/// Pause after a failed accept or bind: file descriptors may have run out, or the port may be held for a moment.
const PAUSE: Duration = Duration::from_millis(20);
/// How often a port is tried again after the bus was down.
const REBINDS: u32 = 250;

/// A listening socket.
pub(crate) struct Door {
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<TlsAcceptor>,
}

impl Door {
    pub(crate) fn new(listener: TcpListener, tls: Option<TlsAcceptor>) -> io::Result<Self> {
        let address = listener.local_addr()?;
        Ok(Self {
            listener,
            address,
            tls,
        })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Accepts connections while the bus is up, until the shutdown.
pub(crate) async fn serve(
    door: Door,
    mut open: watch::Receiver<bool>,
    shared: Arc<Shared>,
    mut shutdown: ShutdownSignal,
) {
    let Door {
        listener,
        address,
        tls,
    } = door;
    let mut listener = Some(listener);
    loop {
        let Some(bound) = &listener else {
            tokio::select! {
                () = shutdown.stopping() => return,
                () = until(&mut open, true) => listener = rebind(address, &shared).await,
            }
            continue;
        };
        tokio::select! {
            () = shutdown.stopping() => return,
            () = until(&mut open, false) => {
                listener = None;
                // One that came in at the last moment does not outlive the others.
                shared.close_all(OUTAGE);
            }
            accepted = bound.accept() => match accepted {
                Ok((stream, peer)) => {
                    let number = shared.connection_number();
                    let accepted = Accepted { number, stream, peer, tls: tls.clone() };
                    tokio::spawn(connection::serve(accepted, Arc::clone(&shared), shutdown.clone()));
                }
                Err(_) => shared.clock.sleep(PAUSE).await,
            }
        }
    }
}

/// Waits for the operator's word. Without an operator the bus stays as it is.
async fn until(open: &mut watch::Receiver<bool>, wanted: bool) {
    if open.wait_for(|open| *open == wanted).await.is_err() {
        std::future::pending::<()>().await;
    }
}

async fn rebind(address: SocketAddr, shared: &Shared) -> Option<TcpListener> {
    for _ in 0..REBINDS {
        match TcpListener::bind(address).await {
            Ok(listener) => return Some(listener),
            Err(_) => shared.clock.sleep(PAUSE).await,
        }
    }
    let text =
        format!("the bus cannot listen on {address} again: the port was taken by another program");
    shared.record(Event::Note { text });
    None
}

/// Dead-letters messages whose time has come, until the shutdown.
pub(crate) async fn expire(shared: Arc<Shared>, mut shutdown: ShutdownSignal) {
    let mut due = shared.broker.expiries();
    loop {
        let next = *due.borrow_and_update();
        tokio::select! {
            () = shutdown.stopping() => return,
            () = reached(&shared.clock, next) => shared.broker.sweep(),
            _ = due.changed() => {}
        }
    }
}

async fn reached(clock: &Clock, moment: Option<testbed::clock::Moment>) {
    match moment {
        Some(moment) => clock.sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
