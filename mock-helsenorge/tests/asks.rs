//! Tests that helsenorge starts, and what becomes of them.
#![expect(clippy::unwrap_used, reason = "a test ends where it goes wrong")]

mod support;

use std::time::Duration;

use mock_helsenorge::{BaitRequest, TestError, TestRequest, Variant};
use nhn_model::message::{Content, read};
use support::{Bed, OWN, OWN_SIGNING, PEER, Use};
use testbed::evidence::{CheckOutcome, Event, ExchangeOutcome};
use testbed::provision::QueueProvisioner;

/// Waits for the outcome of an exchange.
async fn outcome(bed: &Bed, id: &str) -> ExchangeOutcome {
    let entry = bed
        .event(
            "the outcome",
            |event| matches!(event, Event::HnOutcome { exchange, .. } if exchange == id),
        )
        .await;
    let Event::HnOutcome { outcome, .. } = entry.event else {
        panic!()
    };
    outcome
}

#[tokio::test(flavor = "multi_thread")]
async fn a_valid_reply_is_found_valid() {
    let bed = Bed::start().await;
    let mut peer = bed.peer().await;
    let id = bed
        .helsenorge
        .start_test(TestRequest::new(PEER))
        .await
        .unwrap();
    let request = peer.request_received().await;
    assert_eq!(
        request.properties().reply_to.as_deref(),
        Some("109989_syncreply_provenett")
    );
    assert_eq!(request.message.header.as_ref().unwrap().ttl, Some(15_000));
    assert_eq!(request.property("fromHerId"), Some(OWN.to_string()));
    assert_eq!(request.property("X-Sender-Lvl2Id"), Some(OWN.to_string()));
    let content = read(&peer.opened(&request)).unwrap();
    assert!(matches!(content.content, Content::KomtestRequest { .. }));
    assert_eq!(content.head.receiver.organization_her_id, 8_900_001);
    peer.send(peer.answer(&request, "a1")).await;
    assert_eq!(outcome(&bed, &id).await, ExchangeOutcome::RepliedOk);
    let failed = bed.checks("a1", CheckOutcome::Failed);
    assert!(failed.is_empty(), "{failed:?}");
    let passed = bed.checks("a1", CheckOutcome::Passed);
    for check in [
        "VR1", "VR2", "VR3", "VR4", "VR5", "V01", "V09", "V10", "V15",
    ] {
        assert!(passed.iter().any(|made| made == check), "{check}");
    }
    let sent = bed
        .event("the request", |event| matches!(event, Event::HnSent { .. }))
        .await;
    let Event::HnSent {
        exchange,
        message_id,
        correlation_id,
        msg_id,
        signer,
        purpose,
        ..
    } = &sent.event
    else {
        panic!()
    };
    assert_eq!((exchange, purpose.as_str()), (&id, "request"));
    assert_eq!(
        (message_id, correlation_id),
        (&request.id(), &request.correlation())
    );
    assert_eq!(msg_id.as_deref(), Some(content.head.msg_id.as_str()));
    assert_eq!(signer.as_deref(), Some(format!("{OWN_SIGNING:x}").as_str()));

    // A second reply is checked as well and changes nothing.
    peer.send(peer.answer(&request, "a2")).await;
    bed.event("the second reply", |event| {
        matches!(event, Event::HnCheck { message_id: Some(id), check, .. } if id == "a2" && check == "VR5")
    })
    .await;
    let outcomes = bed.events().into_iter();
    assert_eq!(
        outcomes
            .filter(|event| matches!(event, Event::HnOutcome { .. }))
            .count(),
        1
    );
    bed.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_is_a_timeout_and_a_late_reply_is_recorded() {
    let bed = Bed::start().await;
    let mut peer = bed.peer().await;
    let id = bed
        .helsenorge
        .start_test(TestRequest::new(PEER))
        .await
        .unwrap();
    let request = peer.request_received().await;
    bed.context.clock.advance(Duration::from_secs(16));
    assert_eq!(outcome(&bed, &id).await, ExchangeOutcome::TimedOut);
    bed.state("late-watch").await;
    peer.send(peer.answer(&request, "late")).await;
    bed.event("the check", |event| {
        matches!(event, Event::HnCheck { message_id: Some(id), check, .. } if id == "late" && check == "VR5")
    })
    .await;
    assert_eq!(bed.checks("late", CheckOutcome::Failed), ["VR3"]);
    bed.context.clock.advance(Duration::from_secs(26));
    bed.state("closed").await;
    bed.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_message_ends_the_test() {
    let bed = Bed::start().await;
    let mut peer = bed.peer().await;
    let id = bed
        .helsenorge
        .start_test(TestRequest::new(PEER))
        .await
        .unwrap();
    let request = peer.request_received().await;
    peer.send(peer.error_about(&request.id(), "e1")).await;
    assert_eq!(outcome(&bed, &id).await, ExchangeOutcome::ErrorReceived);
    let told = bed
        .event("the error", |event| {
            matches!(event, Event::HnErrorReceived { .. })
        })
        .await;
    let Event::HnErrorReceived {
        exchange,
        message_id,
        original_message_id,
        condition,
        from,
        ..
    } = &told.event
    else {
        panic!()
    };
    assert_eq!(exchange.as_ref(), Some(&id));
    assert_eq!(message_id.as_deref(), Some("e1"));
    assert_eq!(original_message_id, &Some(request.id()));
    assert_eq!(condition.as_deref(), Some("transport:invalid-certificate"));
    assert_eq!(*from, Some(PEER));
    bed.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_reply_and_one_for_nobody_are_told_apart() {
    let bed = Bed::start().await;
    let mut peer = bed.peer().await;
    let id = bed
        .helsenorge
        .start_test(TestRequest::new(PEER))
        .await
        .unwrap();
    let request = peer.request_received().await;
    let mut orphan = peer.answer(&request, "orphan");
    orphan.correlation_id = Some("nobody's".into());
    peer.send(orphan).await;
    bed.event(
        "the orphan",
        |event| matches!(event, Event::HnCheck { message_id: Some(id), .. } if id == "orphan"),
    )
    .await;
    assert_eq!(bed.checks("orphan", CheckOutcome::Failed), ["VR1"]);

    let mut astray = peer.answer(&request, "astray");
    astray.queue = format!("{OWN}_async");
    peer.send(astray).await;
    bed.event("the reply that went astray", |event| {
        matches!(event, Event::HnCheck { message_id: Some(id), check, .. } if id == "astray" && check == "VR2")
    })
    .await;

    let mut invalid = peer.answer(&request, "invalid");
    invalid.body = peer.protected(b"<DummyResponse/>");
    peer.send(invalid).await;
    assert_eq!(outcome(&bed, &id).await, ExchangeOutcome::RepliedInvalid);
    assert_eq!(bed.checks("invalid", CheckOutcome::Failed), ["V12"]);
    let error = peer.error_received().await;
    assert_eq!(
        error.property("originalMessageId").as_deref(),
        Some("invalid")
    );
    bed.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_with_flaws_are_sent_as_such() {
    let bed = Bed::start().await;
    let mut peer = bed.peer().await;
    let of = |variant| TestRequest {
        variant,
        ..TestRequest::new(PEER)
    };
    bed.helsenorge
        .start_test(of(Variant::Unsigned))
        .await
        .unwrap();
    let got = peer.request_received().await;
    assert!(peer.open(&got).signer.is_none());
    bed.helsenorge
        .start_test(of(Variant::NotWellFormed))
        .await
        .unwrap();
    let got = peer.request_received().await;
    assert!(!read(&peer.opened(&got)).unwrap_err().is_schema_error());
    bed.helsenorge
        .start_test(of(Variant::SenderMismatch))
        .await
        .unwrap();
    let got = peer.request_received().await;
    let sender = read(&peer.opened(&got)).unwrap().head.sender;
    assert_ne!(sender.her_id, OWN);
    assert_eq!(got.property("fromHerId"), Some(OWN.to_string()));
    let other = TestRequest {
        signer: Some(bed.pki().issue(Use::HelsenorgeSigning, 0x99, 100)),
        ttl: Duration::from_secs(60),
        ..TestRequest::new(PEER)
    };
    bed.helsenorge.start_test(other).await.unwrap();
    let got = peer.request_received().await;
    assert_eq!(peer.open(&got).signer.unwrap().certificate.serial(), "99");
    assert_eq!(got.message.header.as_ref().unwrap().ttl, Some(60_000));
    let signers: Vec<Option<String>> = bed
        .events()
        .into_iter()
        .filter_map(|event| match event {
            Event::HnSent { signer, .. } => Some(signer),
            _ => None,
        })
        .collect();
    let own = Some(format!("{OWN_SIGNING:x}"));
    assert_eq!(signers, [None, own.clone(), own, Some("99".into())]);
    bed.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_is_many_tests_of_their_own() {
    let bed = Bed::start().await;
    let mut peer = bed.peer().await;
    let ids = bed
        .helsenorge
        .start_burst(TestRequest::new(PEER), 10)
        .await
        .unwrap();
    let distinct: std::collections::BTreeSet<_> = ids.iter().collect();
    assert_eq!(distinct.len(), 10);
    for number in 0..10 {
        let request = peer.request_received().await;
        peer.send(peer.answer(&request, &format!("a{number}")))
            .await;
    }
    for id in &ids {
        assert_eq!(outcome(&bed, id).await, ExchangeOutcome::RepliedOk);
    }
    let too_many = bed
        .helsenorge
        .start_burst(TestRequest::new(PEER), 1_000_000);
    assert!(matches!(too_many.await, Err(TestError::TooMany(_))));
    bed.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_sent_is_no_test() {
    let bed = Bed::start().await;
    let unknown = bed.helsenorge.start_test(TestRequest::new(8_900_099)).await;
    assert_eq!(unknown, Err(TestError::UnknownParty(8_900_099)));
    bed.facts.lock().unwrap().no_profile = true;
    let bare = bed.helsenorge.start_test(TestRequest::new(PEER)).await;
    assert_eq!(bare, Err(TestError::NoProfile(PEER)));
    bed.facts.lock().unwrap().no_profile = false;
    bed.facts.lock().unwrap().inactive = true;
    let inactive = bed.helsenorge.start_test(TestRequest::new(PEER)).await;
    assert_eq!(inactive, Err(TestError::UnknownParty(PEER)));
    bed.facts.lock().unwrap().inactive = false;
    bed.bus.remove_queues(PEER);
    let refused = bed.helsenorge.start_test(TestRequest::new(PEER)).await;
    assert!(matches!(refused, Err(TestError::Bus(_))), "{refused:?}");
    assert!(
        !bed.events()
            .iter()
            .any(|event| matches!(event, Event::HnSent { .. }))
    );
    bed.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_answer_to_the_bait_gets_one_more() {
    let bed = Bed::start().await;
    let mut peer = bed.peer().await;
    let lasting = Duration::from_secs(60);
    let request = BaitRequest {
        to: PEER,
        lasting,
        at_most: 2,
    };
    let clock = bed.context.clock.clone();
    let script = async {
        for number in 0..2 {
            let bait = peer.error_received().await;
            assert_eq!(bait.properties().content_type, None);
            assert!(bait.property("originalMessageId").is_some());
            peer.send(peer.error_about(&bait.id(), &format!("e{number}")))
                .await;
        }
        // Settled means handled.
        let mut after = 0;
        for _ in 0..2 {
            let settled = bed.context.journal.wait_for(after, support::LIMIT, |entry| {
                matches!(&entry.event, Event::BusSettled { queue, .. } if queue == "109989_error")
            });
            after = settled.await.unwrap().n;
        }
        clock.advance(lasting);
    };
    let (result, ()) = tokio::join!(bed.helsenorge.bait(request), script);
    let result = result.unwrap();
    assert_eq!((result.sent, result.came_back), (2, 2));
    bed.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_forgets_what_is_under_way() {
    let bed = Bed::start().await;
    let mut peer = bed.peer().await;
    bed.helsenorge
        .start_test(TestRequest::new(PEER))
        .await
        .unwrap();
    let request = peer.request_received().await;
    bed.helsenorge.reset();
    bed.context.clock.advance(Duration::from_secs(60));
    peer.send(peer.answer(&request, "after")).await;
    bed.event(
        "the orphan",
        |event| matches!(event, Event::HnCheck { message_id: Some(id), .. } if id == "after"),
    )
    .await;
    assert_eq!(bed.checks("after", CheckOutcome::Failed), ["VR1"]);
    assert!(
        !bed.events()
            .iter()
            .any(|event| matches!(event, Event::HnOutcome { .. }))
    );
    bed.stop().await;
}
