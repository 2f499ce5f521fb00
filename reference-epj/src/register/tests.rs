use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use wiremock::matchers::{basic_auth, body_string_contains, header, header_regex, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;
use crate::environment::tests::read_example;
use crate::test_pki::{Authority, Leaf};
use crate::token::tests::rsa_jwk;

const OTHER: u32 = 109_989;
const CPA: Uuid = Uuid::from_u128(0x9263_d0ac);

/// The register, CPPA and HelseID at one address.
struct World {
    server: MockServer,
    environment: Environment,
    certificate: Certificate,
    _folder: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        Self::with(Leaf::current(7)).await
    }

    async fn with(leaf: Leaf) -> Self {
        let (server, folder) = (MockServer::start().await, tempfile::tempdir().unwrap());
        let root = Authority::root();
        let jwk_file = folder.path().join("client.jwk");
        std::fs::write(&jwk_file, rsa_jwk().to_string()).unwrap();
        let mut environment = read_example();
        let at = |below: &str| format!("{}{below}", server.uri());
        environment.trust.bundle = root.bundle(folder.path());
        environment.address_register.url = at("/v1/AR/Basic");
        environment.cppa.v1 = at("/");
        // Without the final slash on purpose.
        environment.cppa.v2 = at("/v2");
        environment.helseid.issuer = server.uri();
        environment.helseid.jwk_file = jwk_file;
        let discovery = json!({ "issuer": server.uri(), "token_endpoint": at("/connect/token") });
        let token =
            json!({ "access_token": "at-1", "expires_in": 600, "token_type": "DPoP", "scope": "" });
        for (below, body) in [
            ("/.well-known/openid-configuration", discovery),
            ("/connect/token", token),
        ] {
            Mock::given(path(below))
                .respond_with(ResponseTemplate::new(200).set_body_json(body))
                .mount(&server)
                .await;
        }
        Self {
            certificate: root.leaf(&leaf),
            server,
            environment,
            _folder: folder,
        }
    }

    fn lookup(&self, version: CppaVersion, faults: &[Fault]) -> Lookup {
        Lookup::new(
            &self.environment,
            version,
            &faults.iter().copied().collect(),
        )
        .unwrap()
    }

    async fn soap(&self, operation: &str, answer: ResponseTemplate) {
        let account = &self.environment.address_register;
        Mock::given(method("POST"))
            .and(path("/v1/AR/Basic"))
            .and(basic_auth(&account.username, account.password.reveal()))
            .and(body_string_contains(operation))
            .and(header_regex("soapaction", &format!("/{operation}\"$")))
            .respond_with(answer)
            .mount(&self.server)
            .await;
    }

    async fn party_is(&self, her_id: u32, active: bool) {
        let address = |kind: &str, name: &str| {
            format!(
                "<a:ElectronicAddress><a:Address>sb/X/{name}</a:Address>\
                 <a:TypeCodeValue>E_SB_{kind}</a:TypeCodeValue></a:ElectronicAddress>"
            )
        };
        let addresses = [
            address("ASYNC", "their_async"),
            address("SYNC", "their_sync"),
            address("ERROR", "their_error"),
        ]
        .concat();
        let details = format!(
            "<Active>{active}</Active><ElectronicAddresses>{addresses}</ElectronicAddresses><HerId>{her_id}</HerId>\
             <IsValidCommunicationParty>{active}</IsValidCommunicationParty><Name>The other</Name>"
        );
        self.soap(
            "GetCommunicationPartyDetails",
            envelope("GetCommunicationPartyDetails", &details),
        )
        .await;
    }

    async fn certificates_in_register(&self) {
        for operation in [
            "GetCertificateDetailsForEncryption",
            "GetCertificateDetailsForValidatingSignature",
        ] {
            let base64 = STANDARD.encode(self.certificate.der());
            let details = format!(
                "<c:Certificate xmlns:c=\"http://register.nhn.no/CertificateDetails\">{base64}</c:Certificate>"
            );
            self.soap(operation, envelope(operation, &details)).await;
        }
    }

    async fn document(&self, below: &str, answer: ResponseTemplate) {
        Mock::given(method("GET"))
            .and(path(below))
            .and(header("accept", "application/xml"))
            .and(header("user-agent", "reference-epj"))
            .respond_with(answer)
            .mount(&self.server)
            .await;
    }

    /// One party of a document, with channels and the certificate, which may do both.
    fn side(&self, her_id: u32) -> String {
        let base64 = STANDARD.encode(self.certificate.der());
        let channel = |mode: &str| {
            format!(
                "<DeliveryChannel tns:channelId=\"{mode}\" tns:transportId=\"{mode}\">\
                 <MessagingCharacteristics tns:syncReplyMode=\"{mode}\"/></DeliveryChannel>\
                 <Transport tns:transportId=\"{mode}\"><TransportReceiver><TransportProtocol>AMQP</TransportProtocol>\
                 <Endpoint tns:uri=\"amqps://sb/X/{mode}_{her_id}\"/></TransportReceiver></Transport>"
            )
        };
        format!(
            "<PartyInfo tns:partyName=\"Party {her_id}\"><PartyId>{her_id}</PartyId>\
             <Certificate tns:certId=\"enc\"><KeyInfo xmlns=\"http://www.w3.org/2000/09/xmldsig#\"><X509Data>\
             <X509Certificate>{base64}</X509Certificate></X509Data></KeyInfo></Certificate>{}{}</PartyInfo>",
            channel("none"),
            channel("mshSignalsOnly")
        )
    }

    fn agreement(&self, other: u32) -> ResponseTemplate {
        self.agreement_with_id(other, CPA)
    }

    fn agreement_with_id(&self, other: u32, id: Uuid) -> ResponseTemplate {
        let own = self.environment.sut.her_id;
        xml(format!(
            "<CollaborationProtocolAgreement {NAMESPACES} tns:cpaid=\"{id}\"><Start>2026-01-01T00:00:00+01:00</Start>\
             <End>2036-01-01T00:00:00+01:00</End>{}{}</CollaborationProtocolAgreement>",
            self.side(other),
            self.side(own)
        ))
    }

    fn profile(&self) -> ResponseTemplate {
        xml(format!(
            "<CollaborationProtocolProfile {NAMESPACES} tns:cppid=\"{CPA}\">{}</CollaborationProtocolProfile>",
            self.side(OTHER)
        ))
    }

    async fn asked(&self, below: &str) -> usize {
        let requests = self.server.received_requests().await.unwrap();
        requests
            .iter()
            .filter(|request| request.url.path() == below)
            .count()
    }
}

const NAMESPACES: &str = "xmlns=\"http://www.oasis-open.org/committees/ebxml-cppa/schema/cpp-cpa-2_0.xsd\" \
    xmlns:tns=\"http://www.oasis-open.org/committees/ebxml-cppa/schema/cpp-cpa-2_0.xsd\"";
const PAIR: &str = "/v2/Agreements/HerIds/8900011/109989";

fn xml(body: String) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_raw(body, "application/xml; charset=utf-8")
}

fn envelope(operation: &str, content: &str) -> ResponseTemplate {
    xml(format!(
        "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>\
         <{operation}Response xmlns=\"http://register.nhn.no/CommunicationParty\">\
         <{operation}Result xmlns:a=\"http://register.nhn.no/Common\">{content}</{operation}Result>\
         </{operation}Response></s:Body></s:Envelope>"
    ))
}

fn fault(code: &str) -> ResponseTemplate {
    ResponseTemplate::new(500).set_body_string(format!(
        "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><s:Fault>\
         <faultcode>s:Client</faultcode><faultstring>no</faultstring><detail>\
         <GenericFault xmlns=\"http://register.nhn.no/Common\"><ErrorCode>{code}</ErrorCode></GenericFault>\
         </detail></s:Fault></s:Body></s:Envelope>"
    ))
}

#[tokio::test]
async fn the_agreement_comes_first_queues_come_from_the_register_and_all_is_kept() {
    let world = World::new().await;
    world.party_is(OTHER, true).await;
    world.document(PAIR, world.agreement(OTHER)).await;
    let lookup = world.lookup(CppaVersion::V2, &[]);
    let (party, same) = tokio::join!(lookup.party(OTHER), lookup.party(OTHER));
    let party = party.unwrap();
    assert!(Arc::ptr_eq(&party, &same.unwrap()));
    assert_eq!(
        (party.her_id, party.cpa_id, party.cpp_id),
        (OTHER, Some(CPA), None)
    );
    assert_eq!(party.sync_queue.as_deref(), Some("their_sync"));
    assert_eq!(party.async_queue.as_deref(), Some("their_async"));
    assert_eq!(party.error_queue.as_deref(), Some("their_error"));
    assert_eq!(party.encryption, world.certificate);
    // The register is gone; what is known serves.
    world.server.reset().await;
    assert!(Arc::ptr_eq(&party, &lookup.party(OTHER).await.unwrap()));
    assert!(world.server.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn requests_carry_a_proof_in_version_2_and_a_bearer_token_in_version_1() {
    let world = World::new().await;
    world.party_is(OTHER, true).await;
    world.document(PAIR, world.agreement(OTHER)).await;
    world
        .document("/Agreements/HerIds/8900011/109989", world.agreement(OTHER))
        .await;
    for version in [CppaVersion::V1, CppaVersion::V2] {
        world.lookup(version, &[]).party(OTHER).await.unwrap();
    }
    let requests = world.server.received_requests().await.unwrap();
    let gets: Vec<_> = requests
        .iter()
        .filter(|request| request.url.path().ends_with("/109989"))
        .collect();
    assert_eq!(gets[0].headers["authorization"], "Bearer at-1");
    assert!(!gets[0].headers.contains_key("dpop"));
    assert_eq!(gets[1].headers["authorization"], "DPoP at-1");
    let proof = gets[1].headers["dpop"].to_str().unwrap();
    let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(proof.split('.').nth(1).unwrap())
        .unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!(claims["htu"], format!("{}{PAIR}", world.server.uri()));
    assert_eq!(claims["htm"], "GET");
}

#[tokio::test]
async fn without_agreement_the_profile_counts_and_without_profile_the_register() {
    let world = World::new().await;
    world.party_is(OTHER, true).await;
    world.certificates_in_register().await;
    world.document("/v2/Profiles/109989", world.profile()).await;
    // GF-10 with status 400 means the same as 404.
    world.document(PAIR, ResponseTemplate::new(400)).await;
    let party = world
        .lookup(CppaVersion::V2, &[])
        .party(OTHER)
        .await
        .unwrap();
    assert_eq!((party.cpa_id, party.cpp_id), (None, Some(CPA)));

    let world = World::new().await;
    world.party_is(OTHER, true).await;
    world.certificates_in_register().await;
    let party = world
        .lookup(CppaVersion::V2, &[])
        .party(OTHER)
        .await
        .unwrap();
    assert_eq!((party.cpa_id, party.cpp_id), (None, None));
    assert_eq!(party.name, "The other");
    assert_eq!(party.signing, std::slice::from_ref(&world.certificate));
}

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    let world = World::new().await;
    world.party_is(OTHER, true).await;
    Mock::given(path(PAIR))
        .respond_with(ResponseTemplate::new(401))
        .up_to_n_times(1)
        .mount(&world.server)
        .await;
    world.document(PAIR, world.agreement(OTHER)).await;
    let lookup = world.lookup(CppaVersion::V2, &[]);
    assert_eq!(lookup.party(OTHER).await.unwrap().cpa_id, Some(CPA));
    assert_eq!(world.asked("/connect/token").await, 2);
    assert_eq!(world.asked(PAIR).await, 2);
}

#[tokio::test]
async fn cppa_in_trouble_leaves_the_register_and_the_register_in_trouble_leaves_cppa() {
    let world = World::new().await;
    world.party_is(OTHER, true).await;
    world.certificates_in_register().await;
    for broken in [
        ResponseTemplate::new(503),
        ResponseTemplate::new(401),
        xml("<html>sorry</html>".into()),
        xml("x".repeat(4 * 1024 * 1024 + 1)),
    ] {
        let mock = Mock::given(path(PAIR)).respond_with(broken);
        let guard = mock.mount_as_scoped(&world.server).await;
        let party = world
            .lookup(CppaVersion::V2, &[])
            .party(OTHER)
            .await
            .unwrap();
        assert_eq!((party.cpa_id, party.cpp_id), (None, None));
        drop(guard);
    }
    let world = World::new().await;
    world.document(PAIR, world.agreement(OTHER)).await;
    let party = world
        .lookup(CppaVersion::V2, &[])
        .party(OTHER)
        .await
        .unwrap();
    assert_eq!(party.sync_queue.as_deref(), Some("mshSignalsOnly_109989"));
    assert_eq!(party.async_queue.as_deref(), Some("none_109989"));
    assert_eq!(party.error_queue, None);
}

#[tokio::test]
async fn unknown_parties_and_those_out_of_use_are_not_talked_to() {
    let world = World::new().await;
    world
        .soap(
            "GetCommunicationPartyDetails",
            fault("InvalidHerIdSupplied"),
        )
        .await;
    world.document(PAIR, world.agreement(OTHER)).await;
    let lookup = world.lookup(CppaVersion::V2, &[]);
    let unknown = lookup.party(OTHER).await.unwrap_err();
    assert!(matches!(unknown, LookupError::Unknown(_)), "{unknown}");
    // Negative answers are not kept.
    assert!(lookup.party(OTHER).await.is_err());
    assert_eq!(world.asked("/v1/AR/Basic").await, 2);

    let world = World::new().await;
    world.party_is(OTHER, false).await;
    world.document(PAIR, world.agreement(OTHER)).await;
    let unknown = world.lookup(CppaVersion::V2, &[]).party(OTHER).await;
    assert!(matches!(unknown, Err(LookupError::Unknown(_))));
}

#[tokio::test]
async fn hostile_answers_of_the_register_are_errors() {
    for hostile in [
        ResponseTemplate::new(401),
        ResponseTemplate::new(200),
        xml("<html/>".into()),
        xml("<".repeat(1000)),
        xml("x".repeat(4 * 1024 * 1024 + 1)),
        fault("Unexpected"),
        envelope("GetCommunicationPartyDetails", "<HerId>many</HerId>"),
    ] {
        let world = World::new().await;
        world.soap("GetCommunicationPartyDetails", hostile).await;
        let outcome = world.lookup(CppaVersion::V2, &[]).own_queues().await;
        assert!(
            matches!(outcome, Err(LookupError::Unavailable(_))),
            "{outcome:?}"
        );
    }
    // An answer about another party.
    let world = World::new().await;
    world.party_is(OTHER, true).await;
    let outcome = world.lookup(CppaVersion::V2, &[]).own_queues().await;
    assert!(
        matches!(outcome, Err(LookupError::Unusable(_))),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn own_queues_are_those_of_the_register() {
    let world = World::new().await;
    world.party_is(8_900_011, true).await;
    let lookup = world.lookup(CppaVersion::V2, &[]);
    let queues = lookup.own_queues().await.unwrap();
    assert_eq!(
        (
            queues.async_queue.as_str(),
            queues.sync_queue.as_str(),
            queues.error_queue.as_str()
        ),
        ("their_async", "their_sync", "their_error")
    );
    lookup.own_queues().await.unwrap();
    assert_eq!(world.asked("/v1/AR/Basic").await, 1);
    // The fault asks each time.
    let forgetful = world.lookup(CppaVersion::V2, &[Fault::NoArCache]);
    for _ in 0..2 {
        forgetful.own_queues().await.unwrap();
    }
    assert_eq!(world.asked("/v1/AR/Basic").await, 3);
}

#[tokio::test]
async fn an_agreement_is_found_by_its_id_and_must_be_the_epjs_own() {
    let world = World::new().await;
    world.party_is(OTHER, true).await;
    let below = format!("/v2/Agreements/{CPA}");
    world.document(&below, world.agreement(OTHER)).await;
    let lookup = world.lookup(CppaVersion::V2, &[]);
    for _ in 0..2 {
        let party = lookup.agreement(CPA).await.unwrap();
        assert_eq!((party.her_id, party.cpa_id), (OTHER, Some(CPA)));
    }
    assert_eq!(world.asked(&below).await, 1);
    let unknown = lookup.agreement(Uuid::from_u128(1)).await;
    assert!(matches!(unknown, Err(LookupError::Unknown(_))));

    let mut world = World::new().await;
    world.document(&below, world.agreement(OTHER)).await;
    world.environment.sut.her_id = 1;
    let lookup = world.lookup(CppaVersion::V2, &[]);
    let foreign = lookup.agreement(CPA).await;
    assert!(
        matches!(foreign, Err(LookupError::Unusable(_))),
        "{foreign:?}"
    );
}

#[tokio::test]
async fn a_party_with_expired_certificates_is_asked_for_again() {
    let now = clock::now();
    let world = World::with(Leaf {
        from: now - time::Duration::days(2),
        to: now - time::Duration::DAY,
        ..Leaf::current(7)
    })
    .await;
    world.party_is(OTHER, true).await;
    world.document(PAIR, world.agreement(OTHER)).await;
    for (faults, count) in [(&[][..], 2), (&[Fault::AcceptsExpired][..], 3)] {
        let lookup = world.lookup(CppaVersion::V2, faults);
        for _ in 0..2 {
            lookup.party(OTHER).await.unwrap();
        }
        assert_eq!(world.asked(PAIR).await, count);
    }
}

#[tokio::test]
async fn what_is_known_serves_while_the_register_is_down() {
    let now = clock::now();
    // Outdated at once, for its certificates have expired.
    let world = World::with(Leaf {
        from: now - time::Duration::days(2),
        to: now - time::Duration::DAY,
        ..Leaf::current(7)
    })
    .await;
    world.party_is(OTHER, true).await;
    world.document(PAIR, world.agreement(OTHER)).await;
    let lookup = world.lookup(CppaVersion::V2, &[]);
    let known = lookup.party(OTHER).await.unwrap();
    world.server.reset().await;
    assert!(Arc::ptr_eq(&known, &lookup.party(OTHER).await.unwrap()));
    assert_ne!(world.asked(PAIR).await, 0);
}

#[tokio::test]
async fn another_agreement_in_a_message_makes_the_party_be_asked_for_anew() {
    let world = World::new().await;
    world.party_is(OTHER, true).await;
    let newer = Uuid::from_u128(2);
    world.document(PAIR, world.agreement(OTHER)).await;
    for id in [CPA, newer] {
        let below = format!("/v2/Agreements/{id}");
        world
            .document(&below, world.agreement_with_id(OTHER, id))
            .await;
    }
    let lookup = world.lookup(CppaVersion::V2, &[]);
    for (named, asked) in [(CPA, 1), (CPA, 1), (newer, 2), (newer, 2)] {
        lookup.agreement(named).await.unwrap();
        lookup.party(OTHER).await.unwrap();
        assert_eq!(world.asked(PAIR).await, asked);
        assert_eq!(world.asked("/v1/AR/Basic").await, asked);
    }
}
