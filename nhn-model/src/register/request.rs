//! What is asked.

use std::fmt::Display;

use uuid::Uuid;

use super::{CPPA, REGISTER};
use crate::xml::Xml;

/// Content type of every question, and of every answer.
pub const CONTENT_TYPE: &str = "text/xml; charset=utf-8";
const ENVELOPE: &str = "http://schemas.xmlsoap.org/soap/envelope/";

/// Which service takes a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Service {
    /// The address register.
    Register,
    /// Profiles and agreements.
    Cppa,
}

impl Service {
    const fn namespace(self) -> &'static str {
        match self {
            Self::Register => REGISTER,
            Self::Cppa => CPPA,
        }
    }
}

/// A question as it goes over the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SoapRequest {
    /// Which service takes it.
    pub service: Service,
    /// The action; in the header `SOAPAction` it stands in quotes.
    pub action: &'static str,
    /// The body, UTF-8.
    pub body: String,
}

impl SoapRequest {
    /// The value of the header `SOAPAction`.
    #[must_use]
    pub fn soap_action(&self) -> String {
        format!("\"{}\"", self.action)
    }

    /// The name of the operation.
    #[must_use]
    pub fn operation(&self) -> &'static str {
        self.action.rsplit('/').next().unwrap_or_default()
    }
}

/// Which of a party's two certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CertificatePurpose {
    /// For encrypting to the party.
    Encryption,
    /// For verifying its signatures.
    Signature,
}

macro_rules! register_action {
    ($operation:literal) => {
        concat!(
            "http://register.nhn.no/CommunicationParty/ICommunicationPartyService/",
            $operation
        )
    };
}

macro_rules! cppa_action {
    ($operation:literal) => {
        concat!(
            "http://schemas.nhn.no/reg/CollaborationProtocolProfile/ICPPAService/",
            $operation
        )
    };
}

/// `Ping`.
#[must_use]
pub fn ping_request() -> SoapRequest {
    request(Service::Register, register_action!("Ping"), &[])
}

/// `SearchById`: parties with this HER-id or organisation number.
#[must_use]
pub fn search_by_id_request(id: &str) -> SoapRequest {
    request(
        Service::Register,
        register_action!("SearchById"),
        &[("id", &id)],
    )
}

/// `GetCommunicationPartyDetails`.
#[must_use]
pub fn get_party_request(her_id: u32) -> SoapRequest {
    let action = register_action!("GetCommunicationPartyDetails");
    request(Service::Register, action, &[("herId", &her_id)])
}

/// `GetOrganizationDetails`; a HER-id that is no organisation's gives a fault.
#[must_use]
pub fn get_organization_request(her_id: u32) -> SoapRequest {
    let action = register_action!("GetOrganizationDetails");
    request(Service::Register, action, &[("herId", &her_id)])
}

/// `GetCertificateDetailsForEncryption` or `GetCertificateDetailsForValidatingSignature`.
#[must_use]
pub fn get_certificate_request(her_id: u32, purpose: CertificatePurpose) -> SoapRequest {
    let action = match purpose {
        CertificatePurpose::Encryption => register_action!("GetCertificateDetailsForEncryption"),
        CertificatePurpose::Signature => {
            register_action!("GetCertificateDetailsForValidatingSignature")
        }
    };
    request(Service::Register, action, &[("herId", &her_id)])
}

/// `GetCppXmlForCommunicationParty`: a party's profile.
#[must_use]
pub fn get_cpp_request(her_id: u32) -> SoapRequest {
    let action = cppa_action!("GetCppXmlForCommunicationParty");
    request(Service::Cppa, action, &[("herId", &her_id)])
}

/// `GetCpaForCommunicationPartiesXml`: the agreement between the caller and another party.
#[must_use]
pub fn get_cpa_by_parties_request(own: u32, other: u32) -> SoapRequest {
    let action = cppa_action!("GetCpaForCommunicationPartiesXml");
    let parameters: [(&str, &dyn Display); 2] = [
        ("communicationPartAHerId", &own),
        ("communicationPartBHerId", &other),
    ];
    request(Service::Cppa, action, &parameters)
}

/// `GetCpaXml`: an agreement by its id.
#[must_use]
pub fn get_cpa_by_id_request(id: Uuid) -> SoapRequest {
    let id = id.hyphenated();
    request(Service::Cppa, cppa_action!("GetCpaXml"), &[("cpaId", &id)])
}

/// An envelope as WCF writes it, without declaration and white space; parameters in wire order.
fn request(
    service: Service,
    action: &'static str,
    parameters: &[(&str, &dyn Display)],
) -> SoapRequest {
    let mut request = SoapRequest {
        service,
        action,
        body: String::new(),
    };
    let operation = request.operation();
    let mut xml = Xml::default();
    xml.within("s:Envelope", &[("xmlns:s", ENVELOPE)], |xml| {
        xml.within("s:Body", &[], |xml| {
            xml.within(operation, &[("xmlns", service.namespace())], |xml| {
                for (name, value) in parameters {
                    xml.element(name, value);
                }
            });
        });
    });
    request.body = xml.into_string();
    request
}
