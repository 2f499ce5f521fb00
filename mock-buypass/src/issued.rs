//! An issued certificate with its key, in the forms that others read.

use std::fmt;

use openssl::pkcs12::Pkcs12;
use openssl::pkey::PKey;
use openssl::stack::Stack;
use openssl::x509::X509;
use testbed::tls::TlsIdentity;

use crate::error::CaError;

/// A certificate, its key and the CA above it. The root is not part of it; see [`crate::Handle::trust_bundle_pem`].
#[derive(Clone, PartialEq, Eq)]
pub struct Issued {
    /// Id of the CA.
    pub ca: String,
    /// Serial number in lower-case hexadecimal digits, without leading zeros.
    pub serial: String,
    /// The certificate, DER.
    pub certificate_der: Vec<u8>,
    /// The certificate, PEM.
    pub certificate_pem: String,
    /// The issuing CA's certificate, PEM.
    pub issuer_pem: String,
    /// The private key, PKCS#8 PEM. It never goes into evidence.
    pub key_pem: String,
}

impl fmt::Debug for Issued {
    /// Leaves the private key out.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Issued")
            .field("ca", &self.ca)
            .field("serial", &self.serial)
            .finish_non_exhaustive()
    }
}

impl Issued {
    /// Certificate and issuing CA, PEM, in this order.
    #[must_use]
    pub fn chain_pem(&self) -> String {
        format!("{}{}", self.certificate_pem, self.issuer_pem)
    }

    /// What a TLS listener needs.
    #[must_use]
    pub fn tls_identity(&self) -> TlsIdentity {
        TlsIdentity {
            chain_pem: self.chain_pem(),
            key_pem: self.key_pem.clone(),
        }
    }

    /// A PKCS#12 store with key, certificate and issuing CA.
    ///
    /// # Errors
    /// [`CaError::Store`] when OpenSSL refuses, for example for want of memory.
    pub fn pkcs12(&self, password: &str) -> Result<Vec<u8>, CaError> {
        let mut above = Stack::new()?;
        above.push(X509::from_pem(self.issuer_pem.as_bytes())?)?;
        let store = Pkcs12::builder()
            .name(&self.serial)
            .pkey(PKey::private_key_from_pem(self.key_pem.as_bytes())?.as_ref())
            .cert(X509::from_pem(self.certificate_pem.as_bytes())?.as_ref())
            .ca(above)
            .build2(password)?;
        Ok(store.to_der()?)
    }
}
