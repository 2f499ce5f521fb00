//! Questions to the address register and to CPPA over SOAP 1.1, and their answers (contract 02 section 2).
//!
//! Everything is text: the caller sends [`SoapRequest::body`] with its own HTTP client (HTTP Basic authentication, path
//! `<service>/Basic`) and hands the answer's body to the reader, whatever the HTTP status: a fault comes with 500, but one with
//! 200 is a fault as well. An answer that is not SOAP, such as that of a 401, is [`RegisterError::Unreadable`].

mod answer;
mod party;
mod request;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use roxmltree::Node;

use crate::xml::elements;

pub use answer::RegisterError;
pub use party::{ElectronicAddress, PartyDetails, read_party, read_search};
pub use request::{
    CONTENT_TYPE, CertificatePurpose, Service, SoapRequest, get_certificate_request,
    get_cpa_by_id_request, get_cpa_by_parties_request, get_cpp_request, get_organization_request,
    get_party_request, ping_request, search_by_id_request,
};

/// Namespace of the register's operations and parties.
pub const REGISTER: &str = "http://register.nhn.no/CommunicationParty";
/// Namespace of CPPA's operations.
pub const CPPA: &str = "http://schemas.nhn.no/reg/CollaborationProtocolProfile";
/// Namespace of `CertificateDetails`.
const CERTIFICATE: &str = "http://register.nhn.no/CertificateDetails";
/// Largest certificate that is taken, in bytes of base64.
const LARGEST_CERTIFICATE: usize = 64 * 1024;

/// A certificate as the register hands it out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateDetails {
    /// The certificate, DER.
    pub der: Vec<u8>,
    /// Where the register found it.
    pub ldap_url: Option<String>,
}

/// Reads the answer to [`ping_request`]. The text is any.
///
/// # Errors
/// If it is a fault or cannot be read.
pub fn read_ping(xml: &[u8]) -> Result<String, RegisterError> {
    answer::with_result(xml, |result| required(result).map(crate::xml::text))
}

/// Reads the answer to [`get_certificate_request`]: the certificate, DER.
///
/// # Errors
/// If it is a fault or cannot be read. Whether the bytes are a certificate is not looked at.
pub fn read_certificate(xml: &[u8]) -> Result<Vec<u8>, RegisterError> {
    read_certificate_details(xml).map(|details| details.der)
}

/// Reads the answer to [`get_certificate_request`].
///
/// # Errors
/// If it is a fault or cannot be read.
pub fn read_certificate_details(xml: &[u8]) -> Result<CertificateDetails, RegisterError> {
    answer::with_result(xml, |result| {
        let result = required(result)?;
        let base64 = answer::member(result, CERTIFICATE, "Certificate").unwrap_or_default();
        Ok(CertificateDetails {
            der: read_base64(&base64)?,
            ldap_url: answer::member(result, CERTIFICATE, "LdapUrl").filter(|url| !url.is_empty()),
        })
    })
}

fn read_base64(text: &str) -> Result<Vec<u8>, RegisterError> {
    let packed: Vec<u8> = text
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    if packed.is_empty() {
        return Err(RegisterError::unreadable("the answer has no certificate"));
    }
    let small = packed.len() <= LARGEST_CERTIFICATE;
    let der = small.then(|| STANDARD.decode(&packed).ok()).flatten();
    der.ok_or_else(|| RegisterError::unreadable("the certificate is no base64, or too large"))
}

/// Reads the answer to [`get_cpp_request`], [`get_cpa_by_parties_request`] or [`get_cpa_by_id_request`]: the CPP or CPA document.
///
/// None if there is no such document: a nil or empty result, or one of the faults that say so (contract 02 sections 2.5 and 2.8).
///
/// # Errors
/// If it is another fault or cannot be read.
pub fn read_document(xml: &[u8]) -> Result<Option<String>, RegisterError> {
    let text = answer::with_result(xml, |result| {
        let Some(result) = result else {
            return Ok(String::new());
        };
        Ok(match elements(result).next() {
            None => crate::xml::text(result),
            Some(_) => answer::member(result, CPPA, "CollaborationProtocolAgreementXml")
                .unwrap_or_default(),
        })
    });
    match text {
        Err(error) if error.is_no_document() => Ok(None),
        Err(error) => Err(error),
        // Documents in the wild begin with a byte order mark, even inside a SOAP string.
        Ok(text) => Ok(Some(text.trim().trim_start_matches('\u{feff}').to_owned())
            .filter(|text| !text.is_empty())),
    }
}

fn required<'a, 'input>(
    result: Option<Node<'a, 'input>>,
) -> Result<Node<'a, 'input>, RegisterError> {
    result.ok_or_else(|| RegisterError::unreadable("the result is nil"))
}
