//! Where the parts listen.

use testbed::listener::{BindError, loopback};
use tokio::net::TcpListener;

/// A port for each part; 0 lets the operating system choose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ports {
    /// The bus with TLS.
    pub amqps: u16,
    /// The bus without TLS.
    pub amqp: u16,
    /// The register and CPPA.
    pub ar: u16,
    /// The token service.
    pub helseid: u16,
    /// The CA's base listener.
    pub ca: u16,
    /// The control plane; none when absent.
    pub control: Option<u16>,
}

impl Ports {
    /// The ports that `up` uses: those of the real services where they have one (contract 01 section 1.4).
    pub const USUAL: Self = Self {
        amqps: 5671,
        amqp: 5672,
        ar: 8443,
        helseid: 8444,
        ca: 8080,
        control: None,
    };
}

/// The bound listeners: all of them or none, so that nothing starts when a port is in use.
#[derive(Debug)]
pub(super) struct Bound {
    pub(super) amqps: TcpListener,
    pub(super) amqp: TcpListener,
    pub(super) ar: TcpListener,
    pub(super) helseid: TcpListener,
    pub(super) ca: TcpListener,
    pub(super) control: Option<TcpListener>,
}

impl Bound {
    pub(super) async fn bind(ports: Ports) -> Result<Self, BindError> {
        Ok(Self {
            amqps: loopback(ports.amqps).await?,
            amqp: loopback(ports.amqp).await?,
            ar: loopback(ports.ar).await?,
            helseid: loopback(ports.helseid).await?,
            ca: loopback(ports.ca).await?,
            control: match ports.control {
                Some(port) => Some(loopback(port).await?),
                None => None,
            },
        })
    }
}
