//! Questions as the official client asks them, answers as in the examples of contract 02.

use std::path::Path;

use nhn_model::queue::{AddressError, QueueKind};
use nhn_model::register::{
    CertificatePurpose, PartyDetails, RegisterError, Service, get_certificate_request,
    get_cpa_by_id_request, get_cpa_by_parties_request, get_cpp_request, get_organization_request,
    get_party_request, ping_request, read_certificate, read_certificate_details, read_document,
    read_party, read_ping, read_search, search_by_id_request,
};
use proptest::prelude::*;
use time::macros::datetime;

fn file(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name);
    std::fs::read(path).expect("the example is there")
}

fn example(name: &str) -> Vec<u8> {
    file(&format!("register/{name}.soap11.xml"))
}

fn answer(content: &str) -> Vec<u8> {
    format!("<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>{content}</s:Body></s:Envelope>").into_bytes()
}

#[test]
fn a_question_is_what_the_official_client_sends() {
    let recorded = String::from_utf8(file("recorded/03-POST-v1_AR_Basic.req")).unwrap();
    let recorded = recorded.replace("\r\n", "\n");
    let (head, body) = recorded.split_once("\n\n").unwrap();
    let request = get_party_request(8_900_011);
    assert_eq!(request.body, body);
    assert!(head.contains(&format!("SOAPAction: {}\n", request.soap_action())));
    assert_eq!(
        (request.service, request.operation()),
        (Service::Register, "GetCommunicationPartyDetails")
    );
}

#[test]
fn every_question_is_well_formed_and_named_as_its_action() {
    let id = "9263d0ac-6ae2-5d50-983d-cf2b4f42bf25".parse().unwrap();
    let questions = [
        (ping_request(), "Ping"),
        (search_by_id_request("<&>"), "SearchById"),
        (get_party_request(1), "GetCommunicationPartyDetails"),
        (get_organization_request(1), "GetOrganizationDetails"),
        (
            get_certificate_request(1, CertificatePurpose::Encryption),
            "GetCertificateDetailsForEncryption",
        ),
        (
            get_certificate_request(1, CertificatePurpose::Signature),
            "GetCertificateDetailsForValidatingSignature",
        ),
        (get_cpp_request(1), "GetCppXmlForCommunicationParty"),
        (
            get_cpa_by_parties_request(1, 2),
            "GetCpaForCommunicationPartiesXml",
        ),
        (get_cpa_by_id_request(id), "GetCpaXml"),
    ];
    for (request, operation) in questions {
        let document = roxmltree::Document::parse(&request.body).unwrap();
        let element = document
            .root_element()
            .first_element_child()
            .unwrap()
            .first_element_child()
            .unwrap();
        assert_eq!(element.tag_name().name(), operation);
        let namespace = element.tag_name().namespace().unwrap();
        assert!(request.action.starts_with(namespace));
        assert!(request.action.ends_with(&format!("/{operation}")));
    }
    let example = String::from_utf8(example("GetCpaForCommunicationPartiesXml.request")).unwrap();
    let body = get_cpa_by_parties_request(8_900_011, 109_989).body;
    let operation = |text: &str| {
        let start = text.find("<GetCpa").unwrap();
        text[start..text.find("</s:Body>").unwrap()]
            .trim()
            .to_owned()
    };
    assert_eq!(operation(&body), operation(&example));
}

fn unit() -> PartyDetails {
    read_party(&example("GetCommunicationPartyDetails.response")).expect("the example is an answer")
}

#[test]
fn a_unit() {
    let party = unit();
    assert_eq!(
        (party.her_id, party.name.as_str(), party.kind.as_str()),
        (8_900_011, "Hjemmetjenesten Liksomvik", "Service")
    );
    assert_eq!(
        (party.parent_her_id, party.parent_name.as_deref()),
        (Some(8_900_001), Some("LIKSOMVIK KOMMUNE"))
    );
    assert_eq!(
        (party.parent_organization_number, party.organization_number),
        (Some(310_900_109), None)
    );
    assert!(party.active && party.takes_messages);
    for (kind, name) in [
        (QueueKind::Async, "8900011_async"),
        (QueueKind::Sync, "8900011_sync"),
        (QueueKind::Error, "8900011_error"),
        (QueueKind::SyncReply, "8900011_syncreply"),
    ] {
        assert_eq!(party.queue(kind).as_deref(), Ok(name));
        assert!(!party.address(kind).unwrap().inherited);
    }
    assert_eq!(party.addresses.len(), 5);
    assert!(party.addresses[0].inherited && party.addresses[0].code == "E_DS");
    assert!(
        party.is_valid_at(datetime!(2026-01-01 00:00))
            && !party.is_valid_at(datetime!(2025-12-31 23:59))
    );
    let person = read_party(&example("GetCommunicationPartyDetails.person.response")).unwrap();
    assert_eq!(
        (person.kind.as_str(), person.queue(QueueKind::SyncReply)),
        ("OrganizationPerson", Err(AddressError::Empty))
    );
}

#[test]
fn inherited_queues_and_odd_addresses() {
    let text = String::from_utf8(example("GetCommunicationPartyDetails.response")).unwrap();
    let read = |text: String| read_party(text.as_bytes()).unwrap();
    let inherited = read(text.replace(
        "/8900011_async</a:Address><a:Inherited>false",
        "/8900001_async</a:Address><a:Inherited>true",
    ));
    assert_eq!(
        inherited.queue(QueueKind::Async).as_deref(),
        Ok("8900001_async")
    );
    assert!(inherited.address(QueueKind::Async).unwrap().inherited);
    let empty = read(text.replace("/8900011_sync<", "/<"));
    assert_eq!(empty.queue(QueueKind::Sync), Err(AddressError::Empty));
    let without_code = read(text.replace("<a:TypeCodeValue>E_SB_ERROR</a:TypeCodeValue>", ""));
    assert_eq!(
        without_code.queue(QueueKind::Error).as_deref(),
        Ok("8900011_error")
    );
    let nil = read(
        text.replace("<ElectronicAddresses>", "<Other>")
            .replace("</ElectronicAddresses>", "</Other>"),
    );
    assert!(nil.addresses.is_empty());
}

#[test]
fn organisations_and_searches() {
    let organization = read_party(&example("GetOrganizationDetails.response")).unwrap();
    assert_eq!(
        (organization.organization_number, organization.parent_her_id),
        (Some(310_900_109), None)
    );
    assert_eq!(organization.kind, "Organization");
    let found = read_search(&example("SearchById.response")).unwrap();
    assert_eq!(
        found.iter().map(|party| party.her_id).collect::<Vec<_>>(),
        [8_900_001, 8_900_011]
    );
    assert!(!found[0].takes_messages);
    assert_eq!(found[1].addresses, unit().addresses);
    let none = answer(
        "<SearchByIdResponse xmlns=\"http://register.nhn.no/CommunicationParty\"><SearchByIdResult/></SearchByIdResponse>",
    );
    assert_eq!(read_search(&none), Ok(Vec::new()));
}

#[test]
fn certificates_and_ping() {
    assert_eq!(read_ping(&example("Ping.response")).as_deref(), Ok("pong"));
    let details =
        read_certificate_details(&example("GetCertificateDetailsForEncryption.response")).unwrap();
    assert_eq!(details.der[..2], [0x30, 0x82]);
    assert!(details.ldap_url.unwrap().starts_with("ldap://"));
    let with = |certificate: &str| {
        read_certificate(&answer(&format!(
            "<XResponse xmlns=\"urn:x\"><XResult xmlns:a=\"http://register.nhn.no/CertificateDetails\">{certificate}</XResult></XResponse>"
        )))
    };
    assert_eq!(
        with("<a:Certificate> MA\n== </a:Certificate>"),
        Ok(vec![0x30])
    );
    for text in [
        "",
        "<a:Certificate/>",
        "<a:Certificate>&amp;</a:Certificate>",
    ] {
        assert!(
            matches!(with(text), Err(RegisterError::Unreadable(_))),
            "{text}"
        );
    }
}

#[test]
fn documents() {
    let profile = read_document(&example("GetCppXmlForCommunicationParty.response"))
        .unwrap()
        .unwrap();
    assert!(profile.starts_with("<?xml ") && profile.ends_with("CollaborationProtocolProfile>"));
    let agreement = read_document(&example("GetCpaForCommunicationPartiesXml.response"))
        .unwrap()
        .unwrap();
    assert!(
        agreement.starts_with("<?xml ") && agreement.ends_with("CollaborationProtocolAgreement>")
    );
    assert_eq!(read_document(&example("fault.EntityNotFound")), Ok(None));
    assert_eq!(read_document(&example("fault.PartyAHasNoCpp")), Ok(None));
    assert!(read_document(&example("fault.InvalidHerIdSupplied")).is_err());
    let namespace = "http://schemas.nhn.no/reg/CollaborationProtocolProfile";
    for result in [
        "",
        "<XResult/>",
        "<XResult xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\" i:nil=\"true\"/>",
        "<XResult><Status/></XResult>",
    ] {
        assert_eq!(
            read_document(&answer(&format!(
                "<XResponse xmlns=\"{namespace}\">{result}</XResponse>"
            ))),
            Ok(None),
            "{result}"
        );
    }
}

#[test]
fn faults() {
    let expected = RegisterError::Fault {
        code: "InvalidHerIdSupplied".into(),
        reason: "Kommunikasjonspart med oppgitt HER-id eksisterer ikke.".into(),
        typed: true,
    };
    assert!(expected.is_unknown_her_id());
    assert_eq!(
        read_party(&example("fault.InvalidHerIdSupplied")).unwrap_err(),
        expected
    );
    assert!(
        read_party(&file("register/fault.InvalidHerIdSupplied.soap12.xml"))
            .unwrap_err()
            .is_unknown_her_id()
    );
    let untyped = answer(
        "<s:Fault><faultcode>s:Client</faultcode><faultstring>operation not simulated</faultstring></s:Fault>",
    );
    let error = read_ping(&untyped).unwrap_err();
    assert_eq!(
        error,
        RegisterError::Fault {
            code: "Client".into(),
            reason: "operation not simulated".into(),
            typed: false
        }
    );
}

#[test]
fn what_is_no_answer() {
    for bytes in [
        &b""[..],
        b"Unauthorized",
        b"<html/>",
        b"\xff\xff",
        b"<!DOCTYPE a><a/>",
    ] {
        assert!(matches!(
            read_party(bytes),
            Err(RegisterError::Unreadable(_))
        ));
    }
    for content in [
        "",
        "<a/>",
        "<XResponse/>",
        "<XResponse><XResult/></XResponse>",
    ] {
        assert!(
            matches!(
                read_party(&answer(content)),
                Err(RegisterError::Unreadable(_))
            ),
            "{content}"
        );
    }
    assert!(
        read_party(&file(
            "register/GetCommunicationPartyDetails.response.soap12.xml"
        ))
        .is_ok()
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = (read_party(&bytes), read_search(&bytes), read_certificate(&bytes), read_document(&bytes), read_ping(&bytes));
    }

    #[test]
    fn no_damage_makes_it_panic(
        from in 0_usize..5000, length in 0_usize..500, insert in "[<>/\"= a-zA-Z&;-]{0,20}",
        name in prop::sample::select(vec!["GetCommunicationPartyDetails.response", "SearchById.response", "fault.EntityNotFound", "GetCertificateDetailsForEncryption.response"]),
    ) {
        let mut bytes = example(name);
        let from = from.min(bytes.len());
        let end = (from + length).min(bytes.len());
        bytes.splice(from..end, insert.into_bytes());
        let _ = (read_party(&bytes), read_search(&bytes), read_certificate(&bytes), read_document(&bytes), read_ping(&bytes));
    }

    #[test]
    fn parameters_survive(id in "[^\\pC]{0,40}") {
        let request = search_by_id_request(&id);
        let document = roxmltree::Document::parse(&request.body).expect("a question is well-formed");
        let found = document.descendants().find(|node| node.has_tag_name(("http://register.nhn.no/CommunicationParty", "id")));
        prop_assert_eq!(found.and_then(|node| node.text()).unwrap_or_default(), id);
    }
}
