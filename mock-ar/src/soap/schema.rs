//! The types of the served schema. Order of members is the order on the wire (contract 02 section 2.3).

/// A namespace and its types.
#[derive(Debug)]
pub(super) struct Schema {
    /// Prefix that the type names of this module use for it.
    pub(super) prefix: &'static str,
    pub(super) namespace: &'static str,
    pub(super) types: &'static [Type],
}

/// A type.
#[derive(Debug)]
pub(super) enum Type {
    /// Members in order, behind those of the base type.
    Record {
        name: &'static str,
        base: Option<&'static str>,
        members: &'static [(&'static str, &'static str)],
    },
    /// `ArrayOf<item>`: items named as their type, which is of the same namespace.
    Array { item: &'static str },
    /// Words of which one is written.
    Words {
        name: &'static str,
        values: &'static [&'static str],
    },
    /// Text of a pattern.
    Pattern {
        name: &'static str,
        pattern: &'static str,
    },
}

/// Whether a type is a value in .NET, which cannot be null.
pub(super) fn is_value(name: &str) -> bool {
    const VALUES: [&str; 6] = [
        "xs:int",
        "xs:boolean",
        "xs:dateTime",
        "g:guid",
        "p:CommunicationPartyType",
        "a:CitizenIdType",
    ];
    VALUES.contains(&name)
}

const fn record(name: &'static str, members: &'static [(&'static str, &'static str)]) -> Type {
    Type::Record {
        name,
        base: None,
        members,
    }
}

const fn kind_of_party(
    name: &'static str,
    members: &'static [(&'static str, &'static str)],
) -> Type {
    Type::Record {
        name,
        base: Some("p:CommunicationParty"),
        members,
    }
}

/// Every schema that the described services use.
pub(super) static SCHEMAS: [Schema; 6] = [
    Schema {
        prefix: "g",
        namespace: "http://schemas.microsoft.com/2003/10/Serialization/",
        types: &[Type::Pattern {
            name: "guid",
            pattern: "[\\da-fA-F]{8}-[\\da-fA-F]{4}-[\\da-fA-F]{4}-[\\da-fA-F]{4}-[\\da-fA-F]{12}",
        }],
    },
    Schema {
        prefix: "a",
        namespace: super::envelope::COMMON,
        types: COMMON_TYPES,
    },
    Schema {
        prefix: "h",
        namespace: "http://register.nhn.no/HPR",
        types: PERSON_TYPES,
    },
    Schema {
        prefix: "d",
        namespace: super::register::CERTIFICATE,
        types: &[record(
            "CertificateDetails",
            &[("Certificate", "xs:base64Binary"), ("LdapUrl", "xs:string")],
        )],
    },
    Schema {
        prefix: "p",
        namespace: super::contract::PARTY,
        types: PARTY_TYPES,
    },
    Schema {
        prefix: "c",
        namespace: super::description::CPPA,
        types: &[record(
            "CpaXmlDetails",
            &[
                ("CollaborationProtocolAgreementXml", "xs:string"),
                ("Status", "a:Code"),
            ],
        )],
    },
];

const COMMON_TYPES: &[Type] = &[
    record(
        "Code",
        &[
            ("Active", "xs:boolean"),
            ("CodeText", "xs:string"),
            ("CodeValue", "xs:string"),
            ("LongDescription", "xs:string"),
            ("OID", "xs:int"),
            ("SimpleType", "xs:string"),
        ],
    ),
    record("Period", &[("From", "xs:dateTime"), ("To", "xs:dateTime")]),
    record(
        "ElectronicAddress",
        &[
            ("Address", "xs:string"),
            ("Inherited", "xs:boolean"),
            ("LastChanged", "xs:dateTime"),
            ("Type", "a:Code"),
            ("TypeCodeValue", "xs:string"),
        ],
    ),
    Type::Record {
        name: "FutureElectronicAddress",
        base: Some("a:ElectronicAddress"),
        members: &[("ValidFrom", "xs:dateTime")],
    },
    record(
        "PhysicalAddress",
        &[
            ("City", "xs:string"),
            ("Country", "a:Code"),
            ("Description", "xs:string"),
            ("Inherited", "xs:boolean"),
            ("LastChanged", "xs:dateTime"),
            ("PostalCode", "xs:int"),
            ("Postbox", "xs:string"),
            ("StreetAddress", "xs:string"),
            ("Type", "a:Code"),
            ("TypeCodeValue", "xs:string"),
        ],
    ),
    Type::Words {
        name: "CitizenIdType",
        values: &["SSN", "DN", "HN", "FHN", "Invalid"],
    },
    record(
        "CitizenId",
        &[
            ("CitizenIdType", "a:CitizenIdType"),
            ("Id", "xs:string"),
            ("Sex", "a:Code"),
        ],
    ),
    record(
        "GenericFault",
        &[("ErrorCode", "xs:string"), ("Message", "xs:string")],
    ),
    Type::Array { item: "Code" },
    Type::Array {
        item: "ElectronicAddress",
    },
    Type::Array {
        item: "FutureElectronicAddress",
    },
    Type::Array {
        item: "PhysicalAddress",
    },
];

/// Authorizations and competences of a person are left open: the register always writes nil there.
const PERSON_TYPES: &[Type] = &[
    record(
        "HPRInformation",
        &[
            ("Authorizations", "xs:anyType"),
            ("HPRNo", "xs:string"),
            ("HPRNumber", "xs:int"),
            ("LastChanged", "xs:dateTime"),
            ("SpecialCompetences", "xs:anyType"),
        ],
    ),
    record(
        "Person",
        &[
            ("BirthDate", "xs:dateTime"),
            ("CitizenId", "a:CitizenId"),
            ("FirstName", "xs:string"),
            ("HPRInformation", "h:HPRInformation"),
            ("LastChanged", "xs:dateTime"),
            ("LastName", "xs:string"),
            ("MiddleName", "xs:string"),
            ("Sex", "a:Code"),
        ],
    ),
];

const PARTY_TYPES: &[Type] = &[
    Type::Words {
        name: "CommunicationPartyType",
        values: &["None", "Person", "Organization", "Service", "All"],
    },
    record(
        "CommunicationParty",
        &[
            ("Active", "xs:boolean"),
            ("CoverageAreaType", "a:Code"),
            ("DisplayName", "xs:string"),
            ("ElectronicAddresses", "a:ArrayOfElectronicAddress"),
            (
                "FutureElectronicAddresses",
                "a:ArrayOfFutureElectronicAddress",
            ),
            ("HerId", "xs:int"),
            ("IsValidCommunicationParty", "xs:boolean"),
            ("LastChanged", "xs:dateTime"),
            ("Municipality", "a:Code"),
            ("Name", "xs:string"),
            ("ParentBusinessType", "a:Code"),
            ("ParentHerId", "xs:int"),
            ("ParentName", "xs:string"),
            ("ParentOrganizationNumber", "xs:int"),
            ("PhysicalAddresses", "a:ArrayOfPhysicalAddress"),
            ("ServerTime", "xs:dateTime"),
            ("Type", "p:CommunicationPartyType"),
            ("Valid", "a:Period"),
        ],
    ),
    kind_of_party(
        "Organization",
        &[
            ("BusinessType", "a:Code"),
            ("IndustryCodes", "a:ArrayOfCode"),
            ("OrganizationNumber", "xs:int"),
            ("People", "p:ArrayOfOrganizationPerson"),
            ("Properties", "a:ArrayOfCode"),
            ("Services", "p:ArrayOfService"),
        ],
    ),
    kind_of_party(
        "OrganizationPerson",
        &[
            ("Organizations", "p:ArrayOfOrganization"),
            ("Person", "h:Person"),
            ("Properties", "a:ArrayOfCode"),
            ("Title", "xs:string"),
        ],
    ),
    record(
        "CoverageInfo",
        &[
            ("DisplayName", "xs:string"),
            ("HerId", "xs:int"),
            ("Name", "xs:string"),
            ("OrganizationNumber", "xs:int"),
        ],
    ),
    kind_of_party(
        "Service",
        &[
            ("Code", "a:Code"),
            ("CoverageAreas", "p:ArrayOfCoverageInfo"),
            ("Description", "xs:string"),
            ("LocationDescription", "xs:string"),
            ("Properties", "a:ArrayOfCode"),
        ],
    ),
    Type::Array {
        item: "CommunicationParty",
    },
    Type::Array {
        item: "CoverageInfo",
    },
    Type::Array {
        item: "Organization",
    },
    Type::Array {
        item: "OrganizationPerson",
    },
    Type::Array { item: "Service" },
];
