//! The services as tables: what dispatch knows and what the served WSDL says.

use super::contract::PARTY;

/// Namespace of CPPA.
pub(crate) const CPPA: &str = "http://schemas.nhn.no/reg/CollaborationProtocolProfile";

/// Which service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Register,
    Cppa,
}

/// A service.
#[derive(Debug)]
pub(crate) struct Description {
    pub(crate) kind: Kind,
    /// Path in lower case; the Basic binding has `/basic` behind it.
    path: &'static str,
    pub(crate) name: &'static str,
    pub(crate) namespace: &'static str,
    pub(crate) interface: &'static str,
    pub(crate) operations: &'static [Operation],
}

/// An operation, with parameters and result as `prefix:type` of the served schema.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) name: &'static str,
    pub(crate) parameters: &'static [(&'static str, &'static str)],
    pub(crate) result: &'static str,
}

const HER_ID: &[(&str, &str)] = &[("herId", "xs:int")];

static SERVICES: [Description; 2] = [
    Description {
        kind: Kind::Register,
        path: "/v1/ar",
        name: "CommunicationPartyService",
        namespace: PARTY,
        interface: "ICommunicationPartyService",
        operations: &[
            operation("Ping", &[], "xs:string"),
            operation(
                "SearchById",
                &[("id", "xs:string")],
                "p:ArrayOfCommunicationParty",
            ),
            operation(
                "GetCommunicationPartyDetails",
                HER_ID,
                "p:CommunicationParty",
            ),
            operation("GetOrganizationDetails", HER_ID, "p:Organization"),
            operation("GetServiceDetails", HER_ID, "p:Service"),
            operation(
                "GetOrganizationPersonDetails",
                HER_ID,
                "p:OrganizationPerson",
            ),
            operation(
                "GetCertificateDetailsForEncryption",
                HER_ID,
                "d:CertificateDetails",
            ),
            operation(
                "GetCertificateDetailsForValidatingSignature",
                HER_ID,
                "d:CertificateDetails",
            ),
            operation("GetCertificateForEncryption", HER_ID, "xs:base64Binary"),
            operation(
                "GetCertificateForValidatingSignature",
                HER_ID,
                "xs:base64Binary",
            ),
        ],
    },
    Description {
        kind: Kind::Cppa,
        path: "/v1/cppa",
        name: "CPPAService",
        namespace: CPPA,
        interface: "ICPPAService",
        operations: &[
            operation("GetCppXmlForCommunicationParty", HER_ID, "xs:string"),
            operation("GetCpaXml", &[("cpaId", "g:guid")], "c:CpaXmlDetails"),
            operation(
                "GetCpaForCommunicationPartiesXml",
                &[
                    ("communicationPartAHerId", "xs:int"),
                    ("communicationPartBHerId", "xs:int"),
                ],
                "c:CpaXmlDetails",
            ),
        ],
    },
];

const fn operation(
    name: &'static str,
    parameters: &'static [(&'static str, &'static str)],
    result: &'static str,
) -> Operation {
    Operation {
        name,
        parameters,
        result,
    }
}

impl Description {
    /// The service at a path in lower case, without binding.
    pub(crate) fn at(path: &str) -> Option<&'static Self> {
        SERVICES.iter().find(|service| service.path == path)
    }

    /// `<service namespace>/<interface>/<operation>`.
    pub(crate) fn action(&self, operation: &str) -> String {
        format!("{}/{}/{operation}", self.namespace, self.interface)
    }

    pub(crate) fn knows(&self, name: &str) -> bool {
        self.operations
            .iter()
            .any(|operation| operation.name == name)
    }

    /// Path of the Basic binding as clients write it.
    pub(crate) fn basic_path(&self) -> String {
        format!("{}/Basic", self.ws_path())
    }

    /// Path of the WS binding as clients write it.
    pub(crate) fn ws_path(&self) -> &'static str {
        match self.kind {
            Kind::Register => "/v1/AR",
            Kind::Cppa => "/v1/CPPA",
        }
    }
}
