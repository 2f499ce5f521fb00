//! The SOAP services on the wire, held against the example messages of the contract.
#![expect(clippy::unwrap_used, reason = "a test ends where it goes wrong")]

mod common;

use common::xml::{INSTANCE, PARTY, child, example, meaning, same_members, text};
use common::{BASIC, HELSENORGE, Register, UNIT, request};
use roxmltree::{Document, Node};
use testbed::evidence::{Event, Part};

#[tokio::test]
async fn a_service_is_written_as_the_data_contract_says() {
    let register = Register::plain().await;
    let reply = register
        .register("GetCommunicationPartyDetails", "herId", &UNIT.to_string())
        .await;
    assert_eq!(
        (reply.status, reply.header("content-type")),
        (200, Some("text/xml; charset=utf-8"))
    );
    let elements = [
        "Body",
        "GetCommunicationPartyDetailsResponse",
        "GetCommunicationPartyDetailsResult",
        "ElectronicAddresses",
        "ElectronicAddress",
        "Type",
        "PhysicalAddress",
        "Valid",
        "ParentBusinessType",
        "Code",
    ];
    same_members(
        &reply.body,
        &example("GetCommunicationPartyDetails.response.soap11.xml"),
        &elements,
    );
    let document = Document::parse(&reply.body).unwrap();
    let result = child(document.root(), "GetCommunicationPartyDetailsResult");
    assert_eq!(result.attribute((INSTANCE, "type")), Some("Service"));
    assert_eq!(result.default_namespace(), Some(PARTY));
    assert_eq!(text(result, "Name"), "Hjemmetjenesten Liksomvik");
    assert_eq!(text(result, "ParentOrganizationNumber"), "310900109");
    assert_eq!(
        child(result, "DisplayName").attribute((INSTANCE, "nil")),
        Some("true")
    );
    let queues: Vec<_> = result
        .descendants()
        .filter(|node| node.tag_name().name() == "Address")
        .filter_map(|node| {
            node.text()?
                .strip_prefix("sb.mock.localhost/NHNTESTServiceBus/")
        })
        .collect();
    assert_eq!(
        queues,
        [
            "8900011_error",
            "8900011_sync",
            "8900011_async",
            "8900011_syncreply"
        ]
    );
    register.stop().await;
}

#[tokio::test]
async fn persons_and_organizations_have_their_own_members() {
    let register = Register::plain().await;
    let person = register
        .register("GetCommunicationPartyDetails", "herId", "8900201")
        .await;
    same_members(
        &person.body,
        &example("GetCommunicationPartyDetails.person.response.soap11.xml"),
        &[
            "GetCommunicationPartyDetailsResult",
            "Person",
            "HPRInformation",
        ],
    );
    let organization = register
        .register("GetOrganizationDetails", "herId", "8900001")
        .await;
    same_members(
        &organization.body,
        &example("GetOrganizationDetails.response.soap11.xml"),
        &["GetOrganizationDetailsResult", "BusinessType"],
    );
    let service = register
        .register("GetOrganizationDetails", "herId", &UNIT.to_string())
        .await;
    assert!(
        service
            .body
            .contains("<ErrorCode>InvalidHerIdSupplied</ErrorCode>")
    );
    register.stop().await;
}

#[tokio::test]
async fn a_party_that_is_no_more_is_shown_as_such() {
    let register = Register::plain().await;
    let reply = register
        .register("GetCommunicationPartyDetails", "herId", "8900104")
        .await;
    let document = Document::parse(&reply.body).unwrap();
    assert_eq!(text(document.root(), "Active"), "false");
    assert!(!text(document.root(), "To").starts_with("9999"));
    register.stop().await;
}

#[tokio::test]
async fn faults_are_those_of_the_examples() {
    let register = Register::plain().await;
    let unknown = register
        .register("GetCommunicationPartyDetails", "herId", "8900099")
        .await;
    assert_eq!(unknown.status, 500);
    assert_eq!(
        meaning(&unknown.body),
        meaning(&example("fault.InvalidHerIdSupplied.soap11.xml"))
    );
    let no_profile = register
        .cppa("GetCppXmlForCommunicationParty", &[("herId", "8900102")])
        .await;
    assert_eq!(
        meaning(&no_profile.body),
        meaning(&example("fault.EntityNotFound.soap11.xml"))
    );
    let parties = [
        ("communicationPartAHerId", "8900102"),
        ("communicationPartBHerId", "109989"),
    ];
    let no_agreement = register
        .cppa("GetCpaForCommunicationPartiesXml", &parties)
        .await;
    assert_eq!(
        meaning(&no_agreement.body),
        meaning(&example("fault.PartyAHasNoCpp.soap11.xml"))
    );
    let parties = [
        ("communicationPartAHerId", "109989"),
        ("communicationPartBHerId", "8900099"),
    ];
    let no_agreement = register
        .cppa("GetCpaForCommunicationPartiesXml", &parties)
        .await;
    assert!(no_agreement.body.contains("PartyB does not have a CPP"));
    let parties = [
        ("communicationPartAHerId", "109989"),
        ("communicationPartBHerId", "8900103"),
    ];
    let nothing_common = register
        .cppa("GetCpaForCommunicationPartiesXml", &parties)
        .await;
    assert!(
        nothing_common
            .body
            .contains("<ErrorCode>NoCommonProcess</ErrorCode>")
    );
    let id = [("cpaId", "00000000-0000-4000-8000-000000000000")];
    let no_id = register.cppa("GetCpaXml", &id).await;
    assert!(no_id.body.contains("Entitet ikke funnet"));
    register.stop().await;
}

#[tokio::test]
async fn the_ws_binding_addresses_its_answers() {
    let register = Register::plain().await;
    let call = example("GetCommunicationPartyDetails.request.soap12.xml");
    let headers = [
        ("Content-Type", "application/soap+xml; charset=utf-8"),
        ("Authorization", BASIC),
    ];
    let reply = register
        .exchange(&request("POST", "/v1/ar", &headers, call.as_bytes()))
        .await;
    assert_eq!(reply.status, 200);
    assert_eq!(
        reply.header("content-type"),
        Some("application/soap+xml; charset=utf-8")
    );
    same_members(
        &reply.body,
        &example("GetCommunicationPartyDetails.response.soap12.xml"),
        &["Envelope", "Header", "GetCommunicationPartyDetailsResult"],
    );
    let unknown = call.replace("8900011", "8900099");
    let fault = register
        .exchange(&request("POST", "/v1/AR", &headers, unknown.as_bytes()))
        .await;
    assert_eq!(fault.status, 500);
    assert_eq!(
        meaning(&fault.body),
        meaning(&example("fault.InvalidHerIdSupplied.soap12.xml"))
    );
    register.stop().await;
}

#[tokio::test]
async fn search_finds_by_her_id_and_by_organization_number() {
    let register = Register::plain().await;
    let found = async |id: &str| {
        let reply = register.register("SearchById", "id", id).await;
        assert_eq!(reply.status, 200);
        let document = Document::parse(&reply.body).unwrap();
        let result = child(document.root(), "SearchByIdResult");
        let kind = |node: Node<'_, '_>| node.attribute((INSTANCE, "type")).map(str::to_owned);
        result
            .children()
            .map(|node| (text(node, "HerId"), kind(node).unwrap()))
            .collect::<Vec<_>>()
    };
    let municipality = [("8900001".to_owned(), "Organization".to_owned())];
    assert_eq!(found("310900109").await, municipality);
    assert_eq!(found(" 8900001 ").await, municipality);
    assert_eq!(found("8900201").await[0].1, "OrganizationPerson");
    assert!(found("8900099").await.is_empty());
    assert!(found("kommune &amp; co").await.is_empty());
    register.stop().await;
}

#[tokio::test]
async fn certificates_are_handed_out_and_inherited() {
    let register = Register::plain().await;
    let details = register
        .register(
            "GetCertificateDetailsForEncryption",
            "herId",
            &UNIT.to_string(),
        )
        .await;
    same_members(
        &details.body,
        &example("GetCertificateDetailsForEncryption.response.soap11.xml"),
        &["GetCertificateDetailsForEncryptionResult"],
    );
    let document = Document::parse(&details.body).unwrap();
    assert!(text(document.root(), "LdapUrl").contains("(certificateSerialNumber="));
    let encryption = text(document.root(), "Certificate");
    let signing = register
        .register(
            "GetCertificateDetailsForValidatingSignature",
            "herId",
            &UNIT.to_string(),
        )
        .await;
    assert!(!signing.body.contains(&encryption));
    let plain = register
        .register("GetCertificateForEncryption", "herId", &UNIT.to_string())
        .await;
    assert!(plain.body.contains(&encryption));
    // 8900201 has none of its own, its organisation has.
    let inherited = register
        .register("GetCommunicationPartyDetails", "herId", "8900201")
        .await;
    let document = Document::parse(&inherited.body).unwrap();
    let address = child(document.root(), "ElectronicAddress");
    assert_eq!(text(address, "TypeCodeValue"), "E_DS");
    assert_eq!(text(address, "Inherited"), "true");
    let none = register
        .register("GetCertificateDetailsForEncryption", "herId", "8900102")
        .await;
    assert!(
        none.body
            .contains("<ErrorCode>CertificateNotFound</ErrorCode>")
    );
    register.stop().await;
}

#[tokio::test]
async fn every_call_is_evidence() {
    let register = Register::plain().await;
    let parties = [
        ("communicationPartAHerId", "8900011"),
        ("communicationPartBHerId", "109989"),
    ];
    register
        .cppa("GetCpaForCommunicationPartiesXml", &parties)
        .await;
    register
        .register("GetCommunicationPartyDetails", "herId", "8900099")
        .await;
    let entries = register.context.journal.entries();
    let calls: Vec<_> = entries
        .iter()
        .filter_map(|entry| match &entry.event {
            Event::RegisterOperation {
                operation,
                user,
                her_ids,
                id,
                fault,
                ..
            } => {
                assert_eq!((entry.part, user.as_str()), (Part::Ar, common::USER));
                Some((
                    operation.as_str(),
                    her_ids.as_slice(),
                    id.as_deref(),
                    fault.as_deref(),
                ))
            }
            _ => None,
        })
        .collect();
    let id = register
        .handle
        .agreement_in_force(UNIT, HELSENORGE)
        .unwrap()
        .to_string();
    assert_eq!(
        calls,
        [
            (
                "GetCpaForCommunicationPartiesXml",
                &[UNIT, HELSENORGE][..],
                Some(id.as_str()),
                None
            ),
            (
                "GetCommunicationPartyDetails",
                &[8_900_099][..],
                None,
                Some("InvalidHerIdSupplied")
            ),
        ]
    );
    register.stop().await;
}
