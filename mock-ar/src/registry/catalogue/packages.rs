//! What a message holds: parts by namespace, and packages of parts (contract 02 section 5.2).

/// A part: an identifier and the schemas of its namespaces.
#[derive(Debug)]
pub(crate) struct SimplePart {
    pub(crate) id: &'static str,
    /// Schema file, version, namespace.
    pub(crate) namespaces: &'static [[&'static str; 3]],
}

/// A package: the parts that a message holds.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) id: &'static str,
    pub(crate) composite: &'static str,
    /// Identifier of the part, and whether it may be left out.
    pub(crate) parts: &'static [(&'static str, bool)],
}

/// The package of signals between message handlers; every document names it.
pub(crate) const SIGNAL_PACKAGE: &str = "package_mshsignal";

/// Every part.
pub(crate) static SIMPLE_PARTS: &[SimplePart] = &[
    SimplePart {
        id: "message_dialogmld_v1p0",
        namespaces: &[
            [
                "MsgHead-v1_2.xsd",
                "1.2",
                "http://www.kith.no/xmlstds/msghead/2006-05-24",
            ],
            [
                "dialogmelding-v1.0.xsd",
                "1.0",
                "http://www.kith.no/xmlstds/dialog/2006-10-11",
            ],
        ],
    },
    SimplePart {
        id: "message_dialogmld_v1p1",
        namespaces: &[
            [
                "MsgHead-v1_2.xsd",
                "1.2",
                "http://www.kith.no/xmlstds/msghead/2006-05-24",
            ],
            [
                "dialogmelding-1.1.xsd",
                "1.1",
                "http://www.kith.no/xmlstds/dialog/2013-01-23",
            ],
        ],
    },
    SimplePart {
        id: "message_iCalendar_v2p0",
        namespaces: &[[
            "iCalendar.xsd",
            "2.0",
            "urn:ietf:params:xml:ns:icalendar-2.0",
        ]],
    },
    SimplePart {
        id: "message_pasientrelasjon_v1p0",
        namespaces: &[[
            "Pasientrelasjon-2014-03-28.xsd",
            "1.0",
            "http://www.kith.no/xmlstds/pasientrelasjon/2014-03-28",
        ]],
    },
    SimplePart {
        id: "message_personer_v1p0",
        namespaces: &[[
            "personer-2014-03-28.xsd",
            "1.0",
            "http://www.kith.no/xmlstds/person/2014-03-28",
        ]],
    },
    SimplePart {
        id: "message_helsepersonell_v1p0",
        namespaces: &[[
            "helsepersonell-2015-05-04.xsd",
            "1.0",
            "http://www.kith.no/xmlstds/helsepersonell/2015-05-04",
        ]],
    },
    SimplePart {
        id: "message_apprec_v1p0",
        namespaces: &[[
            "AppRec-v1-2004-11-21.xsd",
            "1.0",
            "http://www.kith.no/xmlstds/apprec/2004-11-21",
        ]],
    },
    SimplePart {
        id: "message_apprec_v1p1",
        namespaces: &[[
            "AppRec-v1_1.xsd",
            "1.1",
            "http://www.kith.no/xmlstds/apprec/2012-02-15",
        ]],
    },
    SimplePart {
        id: "message_tjenesteoversikt_v1p0",
        namespaces: &[
            [
                "MsgHead-v1_2.xsd",
                "1.2",
                "http://www.kith.no/xmlstds/msghead/2006-05-24",
            ],
            [
                "tjenesteoversiktv1.0.xsd",
                "1.0",
                "http://www.ehelse.no/xmlstds/tjenesteoversikt",
            ],
        ],
    },
    SimplePart {
        id: "message_notifikasjon_innbygger_v1p0",
        namespaces: &[
            [
                "MsgHead-v1_2.xsd",
                "1.2",
                "http://www.kith.no/xmlstds/msghead/2006-05-24",
            ],
            ["fhir-single.xsd", "3.0.1", "http://hl7.org/fhir"],
        ],
    },
    SimplePart {
        id: "message_map_v1p1",
        namespaces: &[["map.xsd", "1.0", "http://ehelse.no/xmlstds/Map/2016-10-28"]],
    },
    SimplePart {
        id: "message_fhir_v3.0.1",
        namespaces: &[["fhir-single.xsd", "3.0.1", "http://hl7.org/fhir"]],
    },
    SimplePart {
        id: "message_RecipientInformation_v1.0",
        namespaces: &[[
            "RecipientInformation.xsd",
            "1.0",
            "http://ehelse.no/xmlstds/RecipientInformation/2016-11-01",
        ]],
    },
    SimplePart {
        id: "message_m1_v2.5",
        namespaces: &[[
            "m1-v2.5.xsd",
            "1.0",
            "http://www.kith.no/xmlstds/eresept/m1/2013-10-08",
        ]],
    },
    SimplePart {
        id: "msg_header",
        namespaces: &[[
            "msg-header-2_0.xsd",
            "2.0",
            "http://www.oasis-open.org/committees/ebxml-msg/schema",
        ]],
    },
];

/// Every package.
pub(crate) static PACKAGES: &[Package] = &[
    Package {
        id: "package_dia_v1.1",
        composite: "request_msg_dialogmld_v1p1",
        parts: &[("message_dialogmld_v1p1", false)],
    },
    Package {
        id: "package_dia_v1.1_ical_hp",
        composite: "co_ical_hp_v1.0",
        parts: &[
            ("message_dialogmld_v1p1", false),
            ("message_iCalendar_v2p0", true),
            ("message_helsepersonell_v1p0", true),
        ],
    },
    Package {
        id: "package_dia_v1.1_ical_hp_pas",
        composite: "co_dia_ical_pas_hpv1.0",
        parts: &[
            ("message_dialogmld_v1p1", false),
            ("message_iCalendar_v2p0", true),
            ("message_pasientrelasjon_v1p0", true),
            ("message_helsepersonell_v1p0", true),
        ],
    },
    Package {
        id: "package_dia_v1.1_ical_pas",
        composite: "co_dia_ical_pas_v1.0",
        parts: &[
            ("message_dialogmld_v1p1", false),
            ("message_iCalendar_v2p0", true),
            ("message_pasientrelasjon_v1p0", true),
        ],
    },
    Package {
        id: "package_dia_v1.0_ical",
        composite: "co_dia_ical_v1.0",
        parts: &[
            ("message_dialogmld_v1p0", false),
            ("message_iCalendar_v2p0", true),
        ],
    },
    Package {
        id: "package_dia_v1.1_ical",
        composite: "co_dia_v1.1_ical",
        parts: &[
            ("message_dialogmld_v1p1", false),
            ("message_iCalendar_v2p0", true),
        ],
    },
    Package {
        id: "package_dia_v1.1_pas",
        composite: "co_dia_pas_v1.0",
        parts: &[
            ("message_dialogmld_v1p1", false),
            ("message_pasientrelasjon_v1p0", true),
        ],
    },
    Package {
        id: "package_dia_v1.1_m1",
        composite: "co_dia_v1.1_m1",
        parts: &[("message_dialogmld_v1p1", false), ("message_m1_v2.5", true)],
    },
    Package {
        id: "package_dia_v1.1_per",
        composite: "co_dia_v1.1_per",
        parts: &[
            ("message_dialogmld_v1p1", false),
            ("message_personer_v1p0", true),
        ],
    },
    Package {
        id: "package_dia_v1.0",
        composite: "co_dia_v1.0",
        parts: &[("message_dialogmld_v1p0", false)],
    },
    Package {
        id: "package_tjoversikt",
        composite: "co_tjoversikt",
        parts: &[("message_tjenesteoversikt_v1p0", false)],
    },
    Package {
        id: "package_FHIR_stu3",
        composite: "co_FHIR_stu3",
        parts: &[("message_notifikasjon_innbygger_v1p0", false)],
    },
    Package {
        id: "package_dia_v1.1_map_FHIR_rcp",
        composite: "co_dia_v1.1_map_FHIR_rcp",
        parts: &[
            ("message_dialogmld_v1p1", false),
            ("message_map_v1p1", false),
            ("message_fhir_v3.0.1", false),
            ("message_RecipientInformation_v1.0", false),
        ],
    },
    Package {
        id: "package_dia_v1.1_map",
        composite: "co_dia_v1.1_map",
        parts: &[
            ("message_dialogmld_v1p1", false),
            ("message_map_v1p1", false),
        ],
    },
    Package {
        id: "package_apprec_v1.0",
        composite: "msg_apprec_v1p0",
        parts: &[("message_apprec_v1p0", false)],
    },
    Package {
        id: "package_apprec_v1.1",
        composite: "msg_apprec_v1p1",
        parts: &[("message_apprec_v1p1", false)],
    },
    Package {
        id: "package_mshsignal",
        composite: "msh_signal",
        parts: &[("msg_header", false)],
    },
];
