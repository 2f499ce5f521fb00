//! Requests of others: answered when in order, refused with an error message when not.
#![expect(clippy::unwrap_used, reason = "a test ends where it goes wrong")]

mod support;

use std::time::Duration;

use mock_helsenorge::{Behaviour, ReleaseError};
use nhn_model::message::{Content, KomtestRequest, read, write_komtest_request};
use support::{Bed, Draft, OWN, OWN_SIGNING, PEER, Peer, Use};
use testbed::evidence::{BusOutcome, CheckOutcome, Event};

const ALL: [&str; 20] = [
    "V01", "V02", "V03", "V04", "V05", "V06", "V07", "V08", "V09", "V10", "V11", "V12", "V13",
    "V14", "V15", "V16", "V17", "V20", "V18", "V19",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_request_in_order_is_checked_answered_and_settled() {
    let bed = Bed::start().await;
    let mut peer = bed.peer().await;
    peer.send(peer.request("q1")).await;
    let reply = peer.reply_received().await;

    assert_eq!(reply.correlation().as_deref(), Some("corr-q1"));
    let properties = reply.properties();
    assert_eq!(properties.subject.as_deref(), Some("DIALOG_INNBYGGER_TEST"));
    assert_eq!(properties.reply_to, None);
    assert_eq!(properties.to.as_deref(), Some("8900011_syncreply"));
    assert_eq!(reply.property("fromHerId"), Some(OWN.to_string()));
    assert_eq!(reply.property("toHerId"), Some(PEER.to_string()));
    assert_eq!(
        reply.property("X-MessageInfo-RefToParent").as_deref(),
        Some("msg-q1")
    );
    assert!(reply.property("enqueuedTimeUtc").is_some());
    assert_eq!(reply.message.header.as_ref().unwrap().ttl, Some(15_000));
    let content = read(&peer.opened(&reply)).unwrap();
    assert!(matches!(content.content, Content::KomtestReply { .. }));
    let conversation = content.head.conversation.unwrap();
    assert_eq!(conversation.ref_to_parent, "msg-q1");
    assert_eq!(
        (content.head.sender.her_id, content.head.receiver.her_id),
        (OWN, PEER)
    );

    bed.state("settled").await;
    assert_eq!(bed.checks("q1", CheckOutcome::Passed), ALL);
    let states: Vec<String> = bed
        .events()
        .into_iter()
        .filter_map(|event| match event {
            Event::HnState { state, .. } => Some(state),
            _ => None,
        })
        .collect();
    let wanted = [
        "received",
        "header-ok",
        "decrypted",
        "verified",
        "parsed",
        "checked",
        "replied",
        "settled",
    ];
    assert_eq!(states, wanted);
    let sent = bed
        .event("the reply", |event| matches!(event, Event::HnSent { .. }))
        .await;
    let Event::HnSent {
        purpose,
        message_id,
        signer,
        msg_id,
        ..
    } = &sent.event
    else {
        panic!()
    };
    assert_eq!((purpose.as_str(), message_id), ("reply", &reply.id()));
    assert_eq!(signer.as_deref(), Some(format!("{OWN_SIGNING:x}").as_str()));
    assert_eq!(msg_id.as_deref(), Some(content.head.msg_id.as_str()));
    reply_is_taken_before_the_request_is_settled(&bed, &reply.id()).await;
    let agents = bed.facts.lock().unwrap().agents.clone();
    assert!(
        agents
            .iter()
            .all(|agent| agent.starts_with("mock-helsenorge"))
    );
    bed.stop().await;
}

async fn reply_is_taken_before_the_request_is_settled(bed: &Bed, reply: &str) {
    let taken = bed
        .event("the reply on the bus", |event| {
            matches!(event, Event::BusReceived { facts, .. } if facts.message_id.as_deref() == Some(reply))
        })
        .await;
    let settled = bed
        .event("the settlement", |event| {
            matches!(event, Event::BusSettled { queue, outcome: BusOutcome::Accepted, .. } if queue == "109989_sync")
        })
        .await;
    assert!(taken.n < settled.n);
}

/// Sends a spoilt request; the error message about it, and the check that failed.
async fn refused(bed: &Bed, peer: &mut Peer, draft: Draft) -> (String, Vec<String>) {
    let id = draft.message_id.clone();
    peer.send(draft).await;
    let error = peer.error_received().await;
    assert_eq!(error.property("originalMessageId"), Some(id.clone()));
    assert_eq!(error.property("fromHerId"), Some(OWN.to_string()));
    assert_eq!(error.property("toHerId"), Some(PEER.to_string()));
    assert!(error.property("errorDescription").is_some());
    assert!(error.property("receiverTimeStamp").is_some());
    let properties = error.properties();
    assert!(properties.content_type.is_some(), "or others answer it");
    assert_eq!(
        (&properties.correlation_id, &properties.reply_to),
        (&None, &None)
    );
    assert_eq!(error.body(), b"");
    assert!(!error.id().contains('-'));
    let condition = error.property("errorCondition").unwrap();
    (condition, bed.checks(&id, CheckOutcome::Failed))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_reported_to_the_error_queue() {
    let bed = Bed::start().await;
    let mut peer = bed.peer().await;

    let mut draft = peer.request("no-subject");
    draft.subject = None;
    draft.content_type = None;
    let (condition, failed) = refused(&bed, &mut peer, draft).await;
    assert_eq!(
        (condition.as_str(), failed),
        ("transport:invalid-field-value", vec!["V01".into()])
    );

    let mut draft = peer.request("other-receiver");
    draft.properties[1].1 = "8900103".into();
    let (condition, failed) = refused(&bed, &mut peer, draft).await;
    assert_eq!(
        (condition.as_str(), failed),
        ("transport:invalid-field-value", vec!["V03".into()])
    );

    let mut draft = peer.request("plain");
    draft.content_type = Some("text/plain".into());
    let (condition, failed) = refused(&bed, &mut peer, draft).await;
    assert_eq!(
        (condition.as_str(), failed),
        ("transport:unsupported-message", vec!["V05".into()])
    );

    let mut draft = peer.request("rubbish");
    draft.body = b"no CMS".to_vec();
    let (condition, failed) = refused(&bed, &mut peer, draft).await;
    assert_eq!(
        (condition.as_str(), failed),
        ("transport:invalid-certificate", vec!["V06".into()])
    );

    let mut draft = peer.request("unsigned");
    draft.body = peer.unsigned(b"<a/>");
    let (condition, failed) = refused(&bed, &mut peer, draft).await;
    assert_eq!(
        (condition.as_str(), failed),
        ("transport:invalid-certificate", vec!["V08".into()])
    );

    let mut draft = peer.request("broken");
    draft.body = peer.protected(b"<MsgHead");
    let (condition, failed) = refused(&bed, &mut peer, draft).await;
    assert_eq!(
        (condition.as_str(), failed),
        ("transport:not-well-formed-xml", vec!["V11".into()])
    );

    let mut draft = peer.request("spoofed");
    let mut sender = Peer::party();
    sender.her_id = 8_900_103;
    draft.body = peer.protected(&write_komtest_request(&KomtestRequest {
        msg_id: "m".into(),
        gen_date: peer.now(),
        sender,
        receiver: Peer::other(),
    }));
    let (condition, failed) = refused(&bed, &mut peer, draft).await;
    assert_eq!(
        (condition.as_str(), failed),
        ("abuse:spoofing-attack", vec!["V14".into()])
    );

    let mut draft = peer.request("no-way-back");
    draft.reply_to = None;
    let (condition, failed) = refused(&bed, &mut peer, draft).await;
    assert_eq!(
        (condition.as_str(), failed),
        ("transport:invalid-field-value", vec!["V19".into()])
    );

    let mut draft = peer.request("wrong-way-back");
    draft.reply_to = Some("8900011_nowhere".into());
    let (condition, failed) = refused(&bed, &mut peer, draft).await;
    assert_eq!(
        (condition.as_str(), failed.len()),
        ("transport:invalid-field-value", 0)
    );
    bed.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signer_that_is_not_listed_expired_or_revoked_is_refused() {
    let bed = Bed::start().await;
    let mut peer = bed.peer().await;

    peer.signing = bed.pki().issue(Use::PeerSigning, 0x31, 100);
    let draft = peer.request("unlisted");
    let (condition, failed) = refused(&bed, &mut peer, draft).await;
    assert_eq!(
        (condition.as_str(), failed),
        ("transport:invalid-certificate", vec!["V09".into()])
    );

    // The list of revoked certificates is asked for each message.
    let encryption = bed.pki().issue(Use::PeerEncryption, 0x22, 100);
    bed.facts.lock().unwrap().list(&peer.signing, &encryption);
    peer.send(peer.request("listed-now")).await;
    peer.reply_received().await;
    bed.facts.lock().unwrap().revoked = vec![0x31];
    let draft = peer.request("revoked");
    let (condition, failed) = refused(&bed, &mut peer, draft).await;
    assert_eq!(
        (condition.as_str(), failed),
        ("transport:revoked-certificate", vec!["V10".into()])
    );

    peer.signing = bed.pki().issue(Use::PeerSigning, 0x32, -1);
    bed.facts.lock().unwrap().list(&peer.signing, &encryption);
    let draft = peer.request("expired");
    let (condition, failed) = refused(&bed, &mut peer, draft).await;
    assert_eq!(
        (condition.as_str(), failed),
        ("transport:expired-certificate", vec!["V10".into()])
    );
    bed.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_sender_the_message_is_dropped() {
    let bed = Bed::start().await;
    let mut peer = bed.peer().await;
    let mut draft = peer.request("nobody");
    draft.properties.remove(0);
    peer.send(draft).await;
    bed.state("dropped").await;
    bed.state("settled").await;
    assert_eq!(bed.checks("nobody", CheckOutcome::Failed), ["V01", "V02"]);

    // Nor is an error message answered that came to the wrong queue.
    let mut astray = peer.error_about("none", "astray");
    astray.queue = format!("{OWN}_sync");
    peer.send(astray).await;
    bed.event("the error message", |event| {
        matches!(event, Event::BusSettled { outcome: BusOutcome::Accepted, message, queue, .. } if queue == "109989_sync" && *message > 1)
    })
    .await;
    let told = |event: &Event| matches!(event, Event::HnSent { .. });
    assert!(!bed.events().iter().any(told));
    bed.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_read_before_helps_while_register_and_ca_are_down() {
    let bed = Bed::start().await;
    let mut peer = bed.peer().await;
    peer.send(peer.request("before")).await;
    peer.reply_received().await;
    bed.register.refuse();
    bed.lists.refuse();
    peer.send(peer.request("during")).await;
    let reply = peer.reply_received().await;
    assert_eq!(reply.correlation().as_deref(), Some("corr-during"));

    // After a reset no list is remembered, and without one the signer's status is unknown.
    bed.helsenorge.reset();
    let draft = peer.request("unknown");
    let (condition, failed) = refused(&bed, &mut peer, draft).await;
    let wanted = "transport:revoked-certificate-offline";
    assert_eq!((condition.as_str(), failed), (wanted, vec!["V10".into()]));
    bed.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replies_are_held_doubled_spoilt_or_left_out() {
    let bed = Bed::start().await;
    let mut peer = bed.peer().await;
    let hold = Behaviour::HoldFirst {
        ttl: Duration::from_secs(60),
    };
    bed.helsenorge.set_behaviour(hold);
    assert_eq!(
        bed.helsenorge.release_reply().await,
        Err(ReleaseError::NothingHeld)
    );
    peer.send(peer.request("held")).await;
    bed.state("held").await;
    peer.send(peer.request("second")).await;
    let reply = peer.reply_received().await;
    assert_eq!(reply.correlation().as_deref(), Some("corr-second"));
    bed.helsenorge.release_reply().await.unwrap();
    let reply = peer.reply_received().await;
    assert_eq!(reply.correlation().as_deref(), Some("corr-held"));
    assert_eq!(reply.message.header.as_ref().unwrap().ttl, Some(60_000));

    bed.helsenorge
        .set_behaviour(Behaviour::Duplicate { copies: 2 });
    peer.send(peer.request("twice")).await;
    let (one, two) = (peer.reply_received().await, peer.reply_received().await);
    assert_eq!(one.correlation(), two.correlation());
    assert_ne!(one.id(), two.id());

    bed.helsenorge.set_behaviour(Behaviour::WrongCorrelation);
    peer.send(peer.request("wrong")).await;
    let reply = peer.reply_received().await;
    assert_ne!(reply.correlation().as_deref(), Some("corr-wrong"));

    bed.helsenorge.set_behaviour(Behaviour::NoReply);
    peer.send(peer.request("silence")).await;
    bed.event("the end of it", |event| {
        matches!(event, Event::BusSettled { queue, message, .. } if queue == "109989_sync" && *message > 0)
    })
    .await;

    bed.helsenorge.reset();
    peer.send(peer.request("usual")).await;
    let reply = peer.reply_received().await;
    assert_eq!(reply.correlation().as_deref(), Some("corr-usual"));
    bed.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_reply_comes_when_its_time_has_come() {
    let bed = Bed::start().await;
    let mut peer = bed.peer().await;
    bed.helsenorge.set_behaviour(Behaviour::ReplyAfter {
        delay: Duration::from_secs(20),
        ttl: Some(Duration::from_secs(30)),
    });
    peer.send(peer.request("late")).await;
    bed.state("checked").await;
    bed.context.clock.advance(Duration::from_secs(20));
    let reply = peer.reply_received().await;
    assert_eq!(reply.message.header.as_ref().unwrap().ttl, Some(30_000));
    bed.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn helsenorge_comes_back_after_the_bus_was_lost() {
    let bed = Bed::start().await;
    bed.bus.close_connections();
    let closed = bed
        .event("the cut", |event| matches!(event, Event::BusClosed { .. }))
        .await;
    let mut again = closed.n;
    for _ in 0..4 {
        let attached = bed.context.journal.wait_for(again, support::LIMIT, |entry| {
            matches!(&entry.event, Event::BusAttached { queue: Some(queue), .. } if queue.starts_with("109989"))
        });
        again = attached.await.unwrap().n;
    }
    bed.helsenorge.ready(support::LIMIT).await.unwrap();
    let mut peer = bed.peer().await;
    peer.send(peer.request("after")).await;
    let reply = peer.reply_received().await;
    assert_eq!(reply.correlation().as_deref(), Some("corr-after"));
    bed.stop().await;
}
