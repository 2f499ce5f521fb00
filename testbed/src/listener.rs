//! Listening sockets: bound before a mock starts, on port 0 in tests and runs.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use tokio::net::TcpListener;

/// A listener could not be had.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {source}")]
pub struct BindError {
    /// The address asked for.
    pub address: SocketAddr,
    /// What the operating system said.
    #[source]
    pub source: io::Error,
}

/// Binds a loopback listener; port 0 lets the operating system choose.
///
/// # Errors
/// [`BindError`] with the address, for example when the port is in use.
pub async fn loopback(port: u16) -> Result<TcpListener, BindError> {
    bind(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)).await
}

/// Binds a listener to `address`.
///
/// # Errors
/// [`BindError`] with the address, for example when the port is in use.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, BindError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| BindError { address, source })
}
