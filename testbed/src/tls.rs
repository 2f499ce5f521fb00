//! TLS for listeners: rustls, versions 1.2 and 1.3 (contract 01 section 1.4), certificates from the mock CA.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

/// What a listener shows of itself: a certificate chain and its key, both PEM.
#[derive(Clone)]
pub struct TlsIdentity {
    /// End-entity certificate first, then the issuing CA; the root is left out.
    pub chain_pem: String,
    /// PKCS#8 private key.
    pub key_pem: String,
}

impl std::fmt::Debug for TlsIdentity {
    /// Leaves the private key out.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("TlsIdentity")
            .field("chain_pem", &self.chain_pem)
            .finish_non_exhaustive()
    }
}

/// A TLS identity cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// Chain or key is not PEM.
    #[error("the TLS identity is not readable PEM: {0}")]
    Pem(#[from] rustls::pki_types::pem::Error),
    /// Chain and key do not go together.
    #[error("the TLS identity is not usable: {0}")]
    Identity(#[from] rustls::Error),
}

/// Builds an acceptor for TLS 1.2 and 1.3 without client certificates.
///
/// # Errors
/// [`TlsError`] when the identity is not readable or chain and key do not match.
pub fn acceptor(identity: &TlsIdentity) -> Result<TlsAcceptor, TlsError> {
    Ok(TlsAcceptor::from(Arc::new(server_config(identity)?)))
}

/// Builds the rustls configuration behind [`acceptor`].
///
/// # Errors
/// As [`acceptor`].
pub fn server_config(identity: &TlsIdentity) -> Result<ServerConfig, TlsError> {
    let chain = CertificateDer::pem_slice_iter(identity.chain_pem.as_bytes())
        .collect::<Result<Vec<_>, _>>()?;
    let key = PrivateKeyDer::from_pem_slice(identity.key_pem.as_bytes())?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS12, &rustls::version::TLS13])?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    Ok(config)
}
