//! Chains from a party's certificate to a trusted root.

use openssl::error::ErrorStack;
use openssl::stack::Stack;
use openssl::x509::store::{X509Store, X509StoreBuilder};
use openssl::x509::verify::X509VerifyParam;
use openssl::x509::{X509, X509StoreContext, X509StoreContextRef};
use time::OffsetDateTime;

use super::{Certificate, CertificateError};

/// Most certificates beside the leaf that are considered.
const EXTRA: usize = 64;

/// The roots that a party trusts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trust {
    roots: Vec<Certificate>,
}

impl Trust {
    /// Reads the roots from a PEM bundle.
    ///
    /// # Errors
    /// [`CertificateError`] when a block is no certificate, or there is none.
    pub fn from_pem(bundle: &str) -> Result<Self, CertificateError> {
        let roots = Certificate::all_from_pem(bundle)?;
        if roots.is_empty() {
            return Err(CertificateError::Unreadable);
        }
        Ok(Self { roots })
    }

    /// Trusts these roots.
    #[must_use]
    pub fn new(roots: Vec<Certificate>) -> Self {
        Self { roots }
    }

    /// The roots.
    #[must_use]
    pub fn roots(&self) -> &[Certificate] {
        &self.roots
    }
}

/// Why there is no chain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// The leaf is not yet valid.
    #[error("the certificate is not yet valid")]
    NotYetValid,
    /// The leaf is no longer valid.
    #[error("the certificate has expired")]
    Expired,
    /// The chain ends in a root that is not trusted, or a signature in it is wrong.
    #[error("the certificate's chain does not end in a trusted root")]
    Untrusted,
    /// A certificate on the way up is absent. A caller that cannot fetch it from one of the addresses takes the leaf as untrusted.
    #[error("a CA certificate above is not known")]
    NoIssuer {
        /// Where the absent certificate can be had.
        aia: Vec<String>,
    },
    /// A CA certificate above the leaf is outside its dates.
    #[error("a CA certificate above is outside its dates")]
    IssuerOutsideDates,
    /// Some other rule of RFC 5280 is broken, for example the basic constraints of a CA.
    #[error("the chain breaks a rule: {0}")]
    Invalid(String),
}

/// Builds the chain: leaf, issuing CA or CAs, trusted root. Of `extra` no order is expected; what does not belong is passed over.
///
/// Revocation is not looked at, nor key usage of the leaf.
///
/// # Errors
/// [`ChainError`]; the dates of the leaf come before everything else, so that an expired certificate is told from an untrusted one.
pub fn build_chain(
    leaf: &Certificate,
    extra: &[Certificate],
    trust: &Trust,
    at: OffsetDateTime,
) -> Result<Vec<Certificate>, ChainError> {
    if at < leaf.not_before() {
        return Err(ChainError::NotYetValid);
    }
    if leaf.not_after() < at {
        return Err(ChainError::Expired);
    }
    let library = |error: ErrorStack| ChainError::Invalid(error.to_string());
    let store = store(trust, at).map_err(library)?;
    let extra = stack(extra).map_err(library)?;
    let mut context = X509StoreContext::new().map_err(library)?;
    context
        .init(&store, leaf.x509(), &extra, |context| Ok(verdict(context)))
        .map_err(library)?
}

fn store(trust: &Trust, at: OffsetDateTime) -> Result<X509Store, ErrorStack> {
    let mut builder = X509StoreBuilder::new()?;
    for root in trust.roots() {
        builder.add_cert(root.owned_x509().clone())?;
    }
    let mut parameters = X509VerifyParam::new()?;
    parameters.set_time(at.unix_timestamp());
    builder.set_param(&parameters)?;
    Ok(builder.build())
}

fn stack(certificates: &[Certificate]) -> Result<Stack<X509>, ErrorStack> {
    let mut stack = Stack::new()?;
    for certificate in certificates.iter().take(EXTRA) {
        stack.push(certificate.owned_x509().clone())?;
    }
    Ok(stack)
}

fn verdict(context: &mut X509StoreContextRef) -> Result<Vec<Certificate>, ChainError> {
    // Numbers of x509_vfy.h.
    const UNABLE_TO_GET_ISSUER_CERT: i32 = 2;
    const CERT_SIGNATURE_FAILURE: i32 = 7;
    const CERT_NOT_YET_VALID: i32 = 9;
    const CERT_HAS_EXPIRED: i32 = 10;
    const DEPTH_ZERO_SELF_SIGNED_CERT: i32 = 18;
    const SELF_SIGNED_CERT_IN_CHAIN: i32 = 19;
    const UNABLE_TO_GET_ISSUER_CERT_LOCALLY: i32 = 20;
    const UNABLE_TO_VERIFY_LEAF_SIGNATURE: i32 = 21;

    let verified = context.verify_cert();
    if verified.as_ref().is_ok_and(|verified| *verified) {
        let chain = context.chain().into_iter().flatten();
        let chain: Result<Vec<Certificate>, CertificateError> = chain
            .map(|x509| Certificate::from_x509(x509.to_owned()))
            .collect();
        return chain.map_err(|error| ChainError::Invalid(error.to_string()));
    }
    Err(match context.error().as_raw() {
        UNABLE_TO_GET_ISSUER_CERT
        | UNABLE_TO_GET_ISSUER_CERT_LOCALLY
        | UNABLE_TO_VERIFY_LEAF_SIGNATURE => no_issuer(context),
        CERT_SIGNATURE_FAILURE | DEPTH_ZERO_SELF_SIGNED_CERT | SELF_SIGNED_CERT_IN_CHAIN => {
            ChainError::Untrusted
        }
        CERT_NOT_YET_VALID | CERT_HAS_EXPIRED => ChainError::IssuerOutsideDates,
        _ => ChainError::Invalid(context.error().error_string().to_owned()),
    })
}

/// The addresses in the certificate whose issuer is absent; without any the chain cannot be completed.
fn no_issuer(context: &X509StoreContextRef) -> ChainError {
    let aia = context
        .current_cert()
        .and_then(|x509| Certificate::from_x509(x509.to_owned()).ok())
        .map(|certificate| certificate.ca_issuer_urls())
        .unwrap_or_default();
    if aia.is_empty() {
        ChainError::Untrusted
    } else {
        ChainError::NoIssuer { aia }
    }
}
