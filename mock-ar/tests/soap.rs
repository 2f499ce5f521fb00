//! The SOAP services on the wire, held against the example messages of the contract.
#![expect(clippy::unwrap_used, reason = "a test ends where it goes wrong")]

mod common;

use common::{BASIC, HELSENORGE, LIMIT, Register, Reply, UNIT, request};
use roxmltree::{Document, Node};
use testbed::evidence::{Event, Part};
use testbed::fault::{Fault, FaultAction, FaultPoint};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const PARTY: &str = "http://register.nhn.no/CommunicationParty";
const INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";
const DETAILS: &str = "http://register.nhn.no/CommunicationParty/ICommunicationPartyService/GetCommunicationPartyDetails";

fn example(name: &str) -> String {
    let path = format!("{}/tests/data/examples/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

fn child<'doc, 'input>(node: Node<'doc, 'input>, name: &str) -> Node<'doc, 'input> {
    let found = node
        .descendants()
        .find(|node| node.tag_name().name() == name);
    found.unwrap_or_else(|| panic!("no {name} in {:?}", node.tag_name()))
}

/// Names of the element children with their namespaces, in order.
fn members(node: Node<'_, '_>) -> Vec<String> {
    node.children()
        .filter(Node::is_element)
        .map(|node| format!("{:?}", node.tag_name()))
        .collect()
}

fn text(node: Node<'_, '_>, name: &str) -> String {
    child(node, name).text().unwrap_or_default().to_owned()
}

/// All elements with namespaces, attributes and trimmed texts: equal for documents that mean the same.
fn meaning(xml: &str) -> Vec<String> {
    let document = Document::parse(xml).unwrap();
    document
        .descendants()
        .filter(Node::is_element)
        .map(|node| {
            let text = node.text().unwrap_or_default().trim();
            let attributes: Vec<_> = node.attributes().map(|a| (a.name(), a.value())).collect();
            format!("{:?} {attributes:?} {text}", node.tag_name())
        })
        .collect()
}

fn same_members(ours: &str, examples: &str, elements: &[&str]) {
    let (ours, examples) = (
        Document::parse(ours).unwrap(),
        Document::parse(examples).unwrap(),
    );
    for element in elements {
        let of = |document: &Document<'_>| members(child(document.root(), element));
        assert_eq!(of(&ours), of(&examples), "{element}");
    }
}

#[tokio::test]
async fn whoever_brings_no_credentials_is_challenged() {
    let register = Register::plain().await;
    let wrong = "Basic T3JnVXNyMzEwOTAwMTA5OnBlZWs=";
    for headers in [
        vec![],
        vec![("Authorization", wrong)],
        vec![("Authorization", "Bearer x")],
    ] {
        let reply = register
            .exchange(&request("POST", "/v1/AR/Basic", &headers, b"<x/>"))
            .await;
        assert_eq!(reply.status, 401);
        assert!(
            reply
                .header("www-authenticate")
                .unwrap()
                .starts_with("Basic realm=")
        );
        assert_eq!(reply.body, "");
    }
    let called = |event: &Event| matches!(event, Event::RegisterOperation { .. });
    let entries = register.context.journal.entries();
    assert!(
        !entries.iter().any(|entry| called(&entry.event)),
        "a challenge is no call"
    );
    register.stop().await;
}

#[tokio::test]
async fn a_client_that_waits_is_told_to_go_on_at_once() {
    let register = Register::plain().await;
    let body = example("GetCommunicationPartyDetails.request.soap12.xml");
    let head = format!(
        "POST /v1/AR HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nAuthorization: {BASIC}\r\n\
         Content-Type: application/soap+xml; charset=utf-8\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let talk = async {
        let mut stream = TcpStream::connect(register.address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        // The body is sent only when the answer has come.
        let mut interim = [0; 25];
        stream.read_exact(&mut interim).await.unwrap();
        assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
        stream.write_all(body.as_bytes()).await.unwrap();
        Reply::read(&mut stream).await
    };
    let reply = register.context.clock.timeout(LIMIT, talk).await.unwrap();
    assert_eq!(reply.status, 200);
    register.stop().await;
}

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
async fn paths_are_compared_without_regard_to_case() {
    let register = Register::plain().await;
    let body = format!(
        "<GetCommunicationPartyDetails xmlns=\"{PARTY}\"><herId>{UNIT}</herId></GetCommunicationPartyDetails>"
    );
    for path in ["/v1/Ar/basic", "/V1/AR/BASIC/"] {
        assert_eq!(
            register.soap(path, DETAILS, &body).await.status,
            200,
            "{path}"
        );
    }
    assert_eq!(
        register.soap("/v1/AR/Other", DETAILS, &body).await.status,
        404
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
async fn hostile_bodies_are_answered_and_harm_nobody() {
    let register = Register::plain().await;
    let headers = [("Content-Type", "text/xml"), ("Authorization", BASIC)];
    let soap = "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\">";
    let bomb = format!(
        "<!DOCTYPE b [<!ENTITY a \"{}\"><!ENTITY b \"{}\">]>{soap}<s:Body>&b;</s:Body></s:Envelope>",
        "x".repeat(1000),
        "&a;".repeat(1000)
    );
    let outside = format!("<!DOCTYPE b SYSTEM \"file:///etc/passwd\">{soap}<s:Body/></s:Envelope>");
    let deep = format!("{soap}<s:Body>{}", "<a>".repeat(15_000));
    let names: String = (0..6_000).map(|n| format!(" a{n}=\"\"")).collect();
    let wide = format!("{soap}<s:Body><a{names}/></s:Body></s:Envelope>");
    let long = format!(
        "{soap}<s:Body><{}/></s:Body></s:Envelope>",
        "n".repeat(60_000)
    );
    let bodies: [(&[u8], &[u16]); 10] = [
        (b"", &[400]),
        (b"<", &[400]),
        (b"\x00\xff\xfe<garbage>", &[400]),
        (b"\xff\xfe<\x00s\x00", &[400]),
        (bomb.as_bytes(), &[400]),
        (outside.as_bytes(), &[400]),
        (deep.as_bytes(), &[400]),
        (wide.as_bytes(), &[400, 500]),
        (long.as_bytes(), &[500]),
        (b"<html/>", &[500]),
    ];
    for (body, statuses) in bodies {
        let reply = register
            .exchange(&request("POST", "/v1/AR/Basic", &headers, body))
            .await;
        let shown = String::from_utf8_lossy(&body[..body.len().min(40)]).into_owned();
        assert!(
            statuses.contains(&reply.status),
            "{} for {shown}",
            reply.status
        );
        let fault = Document::parse(&reply.body).unwrap();
        child(fault.root(), "Fault");
        assert!(!reply.body.contains("root:"));
    }
    let large = vec![b'x'; 70_000];
    let reply = register
        .exchange(&request("POST", "/v1/AR/Basic", &headers, &large))
        .await;
    assert_eq!(reply.status, 413);
    let alive = register.register("Ping", "x", "").await;
    assert!(alive.body.contains("<PingResult>pong</PingResult>"));
    register.stop().await;
}

#[tokio::test]
async fn what_is_not_served_is_said_so() {
    let register = Register::plain().await;
    let fault = register.register("GetChangeLog", "herId", "1").await;
    assert_eq!(fault.status, 500);
    assert!(fault.body.contains("operation not simulated"));
    let body = format!("<Ping xmlns=\"{PARTY}\"/>");
    let crossed = register.soap("/v1/AR/Basic", DETAILS, &body).await;
    assert!(crossed.body.contains("does not go with the operation"));
    let unread = register
        .register("GetCommunicationPartyDetails", "herId", "many")
        .await;
    assert!(unread.body.contains("herId is not of the type int"));
    let media = [
        ("Content-Type", "application/json"),
        ("Authorization", BASIC),
    ];
    let reply = register
        .exchange(&request("POST", "/v1/AR/Basic", &media, b"{}"))
        .await;
    assert_eq!(reply.status, 415);
    let reply = register
        .exchange(&request("DELETE", "/v1/AR/Basic", &[], b""))
        .await;
    assert_eq!(reply.status, 405);
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

#[tokio::test]
async fn a_fault_can_ask_for_a_wrong_answer() {
    let register = Register::plain().await;
    let wrong = async |name: &str| {
        register.context.faults.clear();
        register.context.faults.install(Fault {
            name: name.into(),
            at: FaultPoint {
                part: Part::Ar,
                operation: "http".into(),
                subject: "/v1/AR/*".into(),
            },
            skip: 0,
            count: Some(1),
            action: FaultAction::Artefact(name.into()),
        });
        register
            .register("GetCommunicationPartyDetails", "herId", &UNIT.to_string())
            .await
    };
    let empty = wrong("empty-result").await;
    let document = Document::parse(&empty.body).unwrap();
    let result = child(document.root(), "GetCommunicationPartyDetailsResult");
    assert_eq!(result.attribute((INSTANCE, "nil")), Some("true"));
    assert!(
        wrong("generic-fault")
            .await
            .body
            .contains("<ErrorCode>MockFault</ErrorCode>")
    );
    let untyped = wrong("soap-fault").await;
    assert!(untyped.body.contains("s:Server") && !untyped.body.contains("GenericFault"));
    assert!(Document::parse(&wrong("truncated").await.body).is_err());
    let unauthorized = wrong("unauthorized").await;
    assert_eq!(unauthorized.status, 401);
    assert!(unauthorized.header("www-authenticate").is_some());
    assert_eq!(wrong("no such thing").await.status, 500);
    register.stop().await;
}

#[tokio::test]
async fn the_description_names_the_address_it_was_asked_at() {
    let register = Register::plain().await;
    for query in ["wsdl", "singleWsdl", "WSDL"] {
        let path = format!("/v1/AR/Basic?{query}");
        let reply = register.exchange(&request("GET", &path, &[], b"")).await;
        assert_eq!(reply.status, 200);
        assert!(
            reply
                .body
                .contains("location=\"http://localhost:8443/v1/AR/Basic\"")
        );
    }
    let reply = register
        .exchange(&request("GET", "/v1/AR/Basic", &[], b""))
        .await;
    assert_eq!(reply.status, 405);
    register.stop().await;
}
