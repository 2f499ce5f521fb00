//! What helsenorge does with a register, a CA or keys that are not as usual.
#![expect(clippy::unwrap_used, reason = "a test ends where it goes wrong")]

mod support;

use mock_helsenorge::{Identities, Secret, StartError, TestError, TestRequest, start};
use support::{Bed, OWN_SIGNING, PEER, Use, leaf_only};
use testbed::evidence::{BusOutcome, CheckOutcome, Event};

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_judged_is_given_back_and_answered_later() {
    let bed = Bed::start().await;
    let mut peer = bed.peer().await;
    bed.register.refuse();
    let unknown = bed.helsenorge.start_test(TestRequest::new(PEER)).await;
    assert!(
        matches!(unknown, Err(TestError::Register(_))),
        "{unknown:?}"
    );
    peer.send(peer.request("later")).await;
    bed.state("released").await;
    bed.event("the release", |event| {
        matches!(event, Event::BusSettled { queue, outcome: BusOutcome::Released, .. } if queue == "109989_sync")
    })
    .await;
    bed.register.resume();
    let reply = peer.reply_received().await;
    assert_eq!(reply.correlation().as_deref(), Some("corr-later"));
    let failed = bed.checks("later", CheckOutcome::Failed);
    assert!(failed.is_empty(), "{failed:?}");
    bed.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issuing_ca_that_is_not_in_the_message_is_fetched() {
    let bed = Bed::start().await;
    let mut peer = bed.peer().await;
    peer.signing = leaf_only(&peer.signing);
    peer.send(peer.request("bare")).await;
    peer.reply_received().await;
    assert_eq!(
        bed.checks("bare", CheckOutcome::Failed),
        Vec::<String>::new()
    );
    let asked = bed.context.journal.entries();
    let fetched = asked.iter().any(
        |entry| matches!(&entry.event, Event::HttpRequest { path, .. } if path == "/issuing.cer"),
    );
    assert!(fetched);
    bed.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn new_keys_count_from_the_next_message_on() {
    let bed = Bed::start().await;
    let mut peer = bed.peer().await;
    let spoilt = Identities {
        signing: bed.pki().issue(Use::HelsenorgeSigning, 0x41, 100),
        encryption: mock_helsenorge::KeyPair {
            key_pem: "no key".into(),
            ..bed.config.identities.encryption.clone()
        },
        legacy_decryption: Vec::new(),
    };
    let refused = bed.helsenorge.set_identity(spoilt.clone());
    assert!(
        matches!(refused, Err(StartError::Identity(_))),
        "{refused:?}"
    );
    bed.helsenorge
        .start_test(TestRequest::new(PEER))
        .await
        .unwrap();
    let request = peer.request_received().await;
    let signer = |got| peer.open(got).signer.unwrap().certificate.serial();
    assert_eq!(signer(&request), format!("{OWN_SIGNING:x}"));

    // The former decryption key still opens.
    bed.helsenorge
        .set_identity(Identities {
            encryption: bed.pki().issue(Use::HelsenorgeEncryption, 0x42, 100),
            legacy_decryption: vec![bed.config.identities.encryption.clone()],
            ..spoilt
        })
        .unwrap();
    bed.helsenorge
        .start_test(TestRequest::new(PEER))
        .await
        .unwrap();
    let request = peer.request_received().await;
    assert_eq!(
        peer.open(&request).signer.unwrap().certificate.serial(),
        "41"
    );
    peer.send(peer.request("former")).await;
    let reply = peer.reply_received().await;
    assert_eq!(reply.correlation().as_deref(), Some("corr-former"));
    bed.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_used_is_told_at_the_start() {
    let bed = Bed::start().await;
    let mut config = bed.config.clone();
    config.bus = Secret::new("Endpoint=nonsense");
    let refused = start(config, bed.context.clone());
    assert!(
        matches!(refused, Err(StartError::Connection(_))),
        "{refused:?}"
    );
    let mut config = bed.config.clone();
    config.trust_pem = String::new();
    let refused = start(config, bed.context.clone());
    assert!(matches!(refused, Err(StartError::Trust(_))), "{refused:?}");
    let mut config = bed.config.clone();
    config.identities.signing.key_pem = config.identities.encryption.key_pem.clone();
    let refused = start(config, bed.context.clone());
    assert!(
        matches!(refused, Err(StartError::Identity(_))),
        "{refused:?}"
    );

    let mut config = bed.config.clone();
    config.queues.error = "109989_nowhere".into();
    let started = start(config, bed.context.clone()).unwrap();
    let not_ready = started
        .ready(std::time::Duration::from_secs(2))
        .await
        .unwrap_err();
    assert_eq!(not_ready.queues, ["109989_nowhere"]);
    bed.stop().await;
}
