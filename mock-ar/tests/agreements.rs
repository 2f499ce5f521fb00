//! Profiles and agreements over both interfaces, and the commands that change them.
#![expect(clippy::unwrap_used, reason = "a test ends where it goes wrong")]

mod common;

use std::time::Duration;

use common::client::{self, Counterparty, Message};
use common::xml::example;
use common::{HELSENORGE, LIMIT, Register, UNIT};
use mock_ar::{
    Account, ChangeError, NoAgreement, Party, ProcessRole, QueueKind, Queues, fixture_parties,
};
use roxmltree::Document;
use testbed::evidence::Event;
use tokio::net::TcpStream;

const XML: &str = "application/xml";

/// The agreement as the unit reads it over REST.
async fn agreement(register: &Register) -> Counterparty {
    let reply = register.get("/Agreements/HerIds/8900011/109989", XML).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    client::read(&reply.body, "8900011")
}

async fn agreement_by_id(register: &Register, id: &str) -> Counterparty {
    let reply = register.get(&format!("/Agreements/{id}"), XML).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    client::read(&reply.body, "8900011")
}

/// All elements with their attributes and texts, but for what differs from one making to the next; parts are sorted.
fn facts(xml: &str) -> Vec<String> {
    let document = Document::parse(xml).unwrap();
    let mut facts: Vec<String> = document
        .descendants()
        .filter(|node| node.is_element())
        .filter(|node| {
            !["X509Certificate", "PartyRef", "Start", "End"].contains(&node.tag_name().name())
        })
        .map(|node| {
            let mut attributes: Vec<_> = node
                .attributes()
                .filter(|attribute| !["cppid", "cpaid"].contains(&attribute.name()))
                .map(|attribute| {
                    format!(
                        "{:?}{}={}",
                        attribute.namespace(),
                        attribute.name(),
                        attribute.value()
                    )
                })
                .collect();
            attributes.sort();
            format!(
                "{:?} {attributes:?} {}",
                node.tag_name(),
                node.text().unwrap_or_default().trim()
            )
        })
        .collect();
    facts.sort();
    facts
}

#[tokio::test]
async fn documents_state_what_the_examples_state() {
    let register = Register::plain().await;
    let profile = register.get("/Profiles/8900011", XML).await;
    assert_eq!(
        profile.header("content-type"),
        Some("application/xml; charset=utf-8")
    );
    assert_eq!(facts(&profile.body), facts(&example("CPP_8900011.xml")));
    let agreement = register.get("/Agreements/HerIds/109989/8900011", XML).await;
    assert_eq!(
        facts(&agreement.body),
        facts(&example("CPA_109989_8900011.xml"))
    );
    let ours = client::read(&agreement.body, "8900011");
    let theirs = client::read(&example("CPA_109989_8900011.xml"), "8900011");
    let sorted = |mut messages: Vec<Message>| {
        messages.sort();
        messages
    };
    assert_eq!(sorted(ours.messages), sorted(theirs.messages));
    register.stop().await;
}

#[tokio::test]
async fn soap_and_rest_hand_out_the_same_documents() {
    let register = Register::plain().await;
    let text = |xml: &str, name: &str| {
        let document = Document::parse(xml).unwrap();
        let mut nodes = document.descendants();
        let found = nodes.find(|node| node.tag_name().name() == name).unwrap();
        found.text().unwrap().to_owned()
    };
    let soap = register
        .cppa("GetCppXmlForCommunicationParty", &[("herId", "8900011")])
        .await;
    let rest = register.get("/Profiles/8900011", XML).await;
    assert_eq!(
        text(&soap.body, "GetCppXmlForCommunicationPartyResult"),
        rest.body
    );
    let parties = [
        ("communicationPartAHerId", "8900011"),
        ("communicationPartBHerId", "109989"),
    ];
    let soap = register
        .cppa("GetCpaForCommunicationPartiesXml", &parties)
        .await;
    let rest = register.get("/Agreements/HerIds/8900011/109989", XML).await;
    assert_eq!(
        text(&soap.body, "CollaborationProtocolAgreementXml"),
        rest.body
    );
    let id = register
        .handle
        .agreement_in_force(UNIT, HELSENORGE)
        .unwrap()
        .to_string();
    for id in [id.to_uppercase(), id] {
        let by_id = register.cppa("GetCpaXml", &[("cpaId", &id)]).await;
        assert_eq!(
            text(&by_id.body, "CollaborationProtocolAgreementXml"),
            rest.body
        );
    }
    let order = register.get("/Agreements/HerIds/109989/8900011", XML).await;
    assert_eq!(
        order.body, rest.body,
        "the order in which parties are named does not matter"
    );
    register.stop().await;
}

#[tokio::test]
async fn the_newest_agreement_counts_and_old_ones_keep_their_certificates() {
    let register = Register::plain().await;
    let first = agreement(&register).await;
    let pair = register.authority.pair("rollover");
    register
        .handle
        .set_certificates(HELSENORGE, &pair.signing, &pair.encryption)
        .unwrap();
    let id = register
        .handle
        .new_agreement(HELSENORGE, UNIT)
        .unwrap()
        .to_string();
    let second = agreement(&register).await;
    assert_eq!(second.cpa_id.as_deref(), Some(id.as_str()));
    assert_eq!(
        (second.signing, second.encryption),
        (pair.signing, pair.encryption)
    );
    let old = agreement_by_id(&register, first.cpa_id.as_deref().unwrap()).await;
    assert_eq!(old, first);
    let third = register
        .handle
        .new_agreement(UNIT, HELSENORGE)
        .unwrap()
        .to_string();
    assert_ne!(
        third, id,
        "a new one on command, although nothing has changed"
    );
    register.handle.reset();
    let gone = register.get(&format!("/Agreements/{id}"), XML).await;
    assert_eq!(gone.status, 404);
    assert!(gone.body.contains("\"GF-9\""));
    assert_eq!(
        agreement(&register).await.name,
        first.name,
        "certificates survive a reset"
    );
    register.stop().await;
}

#[tokio::test]
async fn a_change_of_data_makes_a_new_agreement_by_itself() {
    let register = Register::plain().await;
    let id = async || agreement(&register).await.cpa_id;
    let first = id().await;
    assert_eq!(id().await, first, "nothing has changed");
    let pair = register.authority.pair("next");
    let unit = (&pair.signing, &pair.encryption);
    register
        .handle
        .set_certificates(UNIT, unit.0, unit.1)
        .unwrap();
    let second = id().await;
    assert_ne!(second, first);
    let test = ProcessRole::find("Dialog_Innbygger_Test", "1.2", "Helsepersonell").unwrap();
    register.handle.set_processes(UNIT, vec![test]).unwrap();
    let third = agreement(&register).await;
    assert_ne!(third.cpa_id, second);
    assert!(
        third
            .messages
            .iter()
            .all(|message| message.process == "Dialog_Innbygger_Test")
    );
    // What the organisation has, its parties may inherit.
    let summaries = register
        .get("/AgreementSummaries/8900011", "application/json")
        .await;
    assert!(summaries.body.contains(third.cpa_id.as_deref().unwrap()));
    let pair = register.authority.pair("organisation");
    register
        .handle
        .set_certificates(8_900_001, &pair.signing, &pair.encryption)
        .unwrap();
    assert_ne!(id().await, third.cpa_id);
    register.stop().await;
}

#[tokio::test]
async fn an_agreement_ends_with_its_certificates_and_is_not_made_anew_for_ever() {
    let register = Register::plain().await;
    let first = agreement(&register).await;
    // Certificates of the tests end in the year 4096.
    register
        .context
        .clock
        .advance(Duration::from_secs(3_000 * 365 * 86_400));
    let second = agreement(&register).await;
    assert_ne!(first.cpa_id, second.cpa_id, "the one before has ended");
    assert_eq!(agreement(&register).await.cpa_id, second.cpa_id);
    register.stop().await;
}

#[tokio::test]
async fn a_party_without_profile_has_no_agreements() {
    let register = Register::plain().await;
    agreement(&register).await;
    register.handle.remove_processes(UNIT).unwrap();
    let reply = register.get("/Agreements/HerIds/8900011/109989", XML).await;
    assert_eq!((reply.status, reply.body.contains("\"GF-8\"")), (404, true));
    assert_eq!(
        register.handle.new_agreement(UNIT, HELSENORGE),
        Err(ChangeError::Agreement(NoAgreement::NoProfile {
            her_id: UNIT
        }))
    );
    register.handle.reset();
    agreement(&register).await;
    register.handle.remove_certificates(UNIT).unwrap();
    let reply = register.get("/Profiles/8900011", XML).await;
    assert_eq!((reply.status, reply.body.contains("\"GF-6\"")), (400, true));
    register.stop().await;
}

#[tokio::test]
async fn a_profile_needs_the_queues_that_its_messages_take() {
    let register = Register::plain().await;
    // Asynchronous messages only, and an asynchronous queue.
    let profile = register.get("/Profiles/8900103", XML).await;
    assert!(!client::read(&profile.body, "109989").messages.is_empty());
    assert!(!profile.body.contains("syncAMQPChannelC2"));
    let unit = fixture_parties()
        .into_iter()
        .find(|party| party.her_id == UNIT)
        .unwrap();
    let without_sync = Party {
        queues: Queues::Own(vec![QueueKind::Async, QueueKind::Error]),
        ..unit
    };
    register.handle.register_party(without_sync).unwrap();
    let reply = register.get("/Profiles/8900011", XML).await;
    assert_eq!((reply.status, reply.body.contains("\"GF-7\"")), (400, true));
    register.stop().await;
}

#[tokio::test]
async fn queues_come_and_go_with_the_party() {
    let register = Register::plain().await;
    let queues = || register.queues.0.lock().unwrap().clone();
    let of = |her_id: u32| queues().into_iter().find(|(owner, _)| *owner == her_id);
    let names = of(UNIT).unwrap().1;
    assert_eq!(
        names,
        [
            "8900011_error",
            "8900011_sync",
            "8900011_async",
            "8900011_syncreply"
        ]
    );
    assert_eq!(of(8_900_104), None, "an inactive party has none");
    register.handle.deactivate(UNIT).unwrap();
    assert_eq!(of(UNIT), None);
    let shown = register
        .register("GetCommunicationPartyDetails", "herId", "8900011")
        .await;
    assert!(shown.body.contains("<Active>false</Active>"));
    let party = fixture_parties()
        .into_iter()
        .find(|party| party.her_id == UNIT)
        .unwrap();
    register.handle.register_party(party.clone()).unwrap();
    assert_eq!(of(UNIT).unwrap().1, names);
    let guest = Party {
        her_id: 8_900_019,
        queues: Queues::Own(vec![QueueKind::Async]),
        ..party
    };
    register.handle.register_party(guest).unwrap();
    assert_eq!(of(8_900_019).unwrap().1, ["8900019_async"]);
    register.handle.reset();
    assert_eq!(of(8_900_019), None, "who came later is gone after a reset");
    assert!(of(UNIT).is_some());
    register.stop().await;
}

#[tokio::test]
async fn what_cannot_be_is_refused_and_changes_nothing() {
    let register = Register::plain().await;
    let handle = &register.handle;
    let mut party = fixture_parties().remove(1);
    for her_id in [0, 1 << 31] {
        party.her_id = her_id;
        let refused = handle.register_party(party.clone());
        assert_eq!(refused, Err(ChangeError::HerIdOutOfRange(her_id)));
    }
    party.her_id = 5;
    if let mock_ar::PartyKind::Service { parent, .. } = &mut party.kind {
        *parent = UNIT;
    }
    let orphan = ChangeError::NoParent {
        her_id: 5,
        parent: UNIT,
    };
    assert_eq!(handle.register_party(party), Err(orphan));
    assert_eq!(handle.deactivate(7), Err(ChangeError::UnknownParty(7)));
    let unreadable = handle.set_certificates(UNIT, b"no", b"certificate");
    assert!(matches!(unreadable, Err(ChangeError::Certificate(_))));
    assert_eq!(
        agreement(&register).await.name,
        "Digitale innbyggertjenester (mock)"
    );
    register.stop().await;
}

#[tokio::test]
async fn accounts_can_change_while_it_runs() {
    let register = Register::plain().await;
    let ping = async || register.register("Ping", "x", "").await.status;
    assert_eq!(ping().await, 200);
    register.handle.set_account(Account {
        user: common::USER.into(),
        password: "changed".into(),
    });
    assert_eq!(ping().await, 401);
    assert!(register.handle.remove_account(common::USER));
    register.stop().await;
}

#[tokio::test]
async fn it_goes_down_and_comes_back_at_the_same_address() {
    let register = Register::plain().await;
    let clock = register.context.clock.clone();
    register.handle.go_down();
    // The listener closes soon after the command; until then a connection may still be accepted and dropped.
    let refused = async {
        while TcpStream::connect(register.address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    clock.timeout(LIMIT, refused).await.unwrap();
    register.handle.come_back();
    let accepted = async {
        while TcpStream::connect(register.address).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    clock.timeout(LIMIT, accepted).await.unwrap();
    assert_eq!(register.register("Ping", "x", "").await.status, 200);
    let entries = register.context.journal.entries();
    let changes: Vec<_> = entries
        .iter()
        .filter_map(|entry| match &entry.event {
            Event::RegisterChanged { what, .. } => Some(what.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(changes[changes.len() - 2..], ["down", "up"]);
    register.stop().await;
}
