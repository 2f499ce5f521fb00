//! Sending and receiving with the client of fe2o3-amqp, another implementation of the protocol.
#![expect(clippy::unwrap_used, reason = "a test ends where it goes wrong")]

mod support;

use std::time::Duration;

use fe2o3_amqp::link::delivery::Delivery;
use fe2o3_amqp::sasl_profile::SaslProfile;
use fe2o3_amqp::session::SessionHandle;
use fe2o3_amqp::types::messaging::{Body, Header, Message, Modified, Outcome, Properties};
use fe2o3_amqp::types::primitives::{Binary, Value};
use fe2o3_amqp::{Connection, Receiver, Sender, Session};
use support::{Bed, EPJ, HELSENORGE};
use testbed::evidence::{BusOutcome, Event};
use testbed::provision::QueueProvisioner;

const TO_EPJ: &str = "/exchange/NHNTESTServiceBus/8900011_async";
const EPJ_ASYNC: &str = "/amq/queue/8900011_async";

struct Party {
    connection: fe2o3_amqp::connection::ConnectionHandle<()>,
    session: SessionHandle<()>,
}

impl Party {
    async fn connect(bed: &Bed, account: (&str, &str)) -> Self {
        let (username, password) = (account.0.to_owned(), account.1.to_owned());
        let opening = Connection::builder()
            .container_id("party")
            .sasl_profile(SaslProfile::Plain { username, password });
        let url = format!("amqp://{}", bed.plain());
        let mut connection = opening.open(url.as_str()).await.unwrap();
        let session = Session::begin(&mut connection).await.unwrap();
        Self {
            connection,
            session,
        }
    }

    async fn sender(&mut self, target: &str) -> Sender {
        Sender::attach(&mut self.session, format!("s-{target}"), target)
            .await
            .unwrap()
    }

    async fn receiver(&mut self, source: &str) -> Receiver {
        Receiver::attach(&mut self.session, format!("r-{source}"), source)
            .await
            .unwrap()
    }
}

fn message(id: &str, body: &[u8]) -> Message<fe2o3_amqp::types::messaging::Data> {
    Message::builder()
        .properties(
            Properties::builder()
                .message_id(id.to_owned())
                .subject("DIALOG")
                .build(),
        )
        .data(Binary::from(body.to_vec()))
        .build()
}

fn with_ttl(id: &str, ttl: u32) -> Message<fe2o3_amqp::types::messaging::Data> {
    let mut message = message(id, b"x");
    message.header = Some(Header {
        ttl: Some(ttl),
        ..Header::default()
    });
    message
}

type Got = Delivery<Body<Value>>;

fn id(delivery: &Got) -> String {
    let properties = delivery.message().properties.clone().unwrap();
    match properties.message_id.unwrap() {
        fe2o3_amqp::types::messaging::MessageId::String(id) => id,
        other => panic!("{other:?}"),
    }
}

fn counters(delivery: &Got) -> (u32, bool) {
    let header = delivery.message().header.clone().unwrap();
    (header.delivery_count, header.first_acquirer)
}

fn annotation(delivery: &Got, key: &str) -> Option<Value> {
    let annotations = delivery.message().message_annotations.clone()?;
    annotations
        .iter()
        .find(|(name, _)| format!("{name:?}").contains(&format!("\"{key}\"")))
        .map(|(_, value)| value.clone())
}

#[tokio::test]
async fn a_message_goes_through_and_is_recorded() {
    let bed = Bed::start().await;
    let mut helsenorge = Party::connect(&bed, HELSENORGE).await;
    let mut epj = Party::connect(&bed, EPJ).await;
    let mut sender = helsenorge.sender(TO_EPJ).await;
    let mut receiver = epj.receiver(EPJ_ASYNC).await;
    let outcome = sender.send(message("m1", b"hello")).await.unwrap();
    assert!(matches!(outcome, Outcome::Accepted(_)));
    let got: Got = receiver.recv().await.unwrap();
    assert_eq!((id(&got).as_str(), counters(&got)), ("m1", (0, true)));
    assert_eq!(
        annotation(&got, "x-exchange"),
        Some(Value::String("NHNTESTServiceBus".into()))
    );
    assert_eq!(
        annotation(&got, "x-routing-key"),
        Some(Value::String("8900011_async".into()))
    );
    receiver.accept(&got).await.unwrap();
    let settled = bed
        .event("the settlement", |event| {
            matches!(event, Event::BusSettled { .. })
        })
        .await;
    let Event::BusSettled {
        outcome: BusOutcome::Accepted,
        message,
        user,
        ..
    } = &settled.event
    else {
        panic!()
    };
    assert_eq!(user, EPJ.0);
    let received = bed
        .event("the arrival", |event| {
            matches!(event, Event::BusReceived { .. })
        })
        .await;
    let Event::BusReceived {
        message: number,
        facts,
        queue,
        ..
    } = &received.event
    else {
        panic!()
    };
    assert_eq!((number, queue.as_deref()), (message, Some("8900011_async")));
    assert_eq!(facts.subject.as_deref(), Some("DIALOG"));
    assert_eq!(facts.body_size, 5);
    assert!(received.n < settled.n);
    epj.connection.close().await.unwrap();
    helsenorge.connection.close().await.unwrap();
    bed.stop().await;
}

#[tokio::test]
async fn large_messages_are_split_and_joined_both_ways() {
    let bed = Bed::start().await;
    let mut epj = Party::connect(&bed, EPJ).await;
    let mut sender = epj.sender(TO_EPJ).await;
    let mut receiver = epj.receiver(EPJ_ASYNC).await;
    let body: Vec<u8> = (0..3_000_000u32).map(|n| n as u8).collect();
    for round in 0..3 {
        sender
            .send(message(&format!("m{round}"), &body))
            .await
            .unwrap();
        let got: Got = receiver.recv().await.unwrap();
        let Body::Data(data) = got.body() else {
            panic!()
        };
        assert!(data.iter().flat_map(|part| part.0.iter()).eq(body.iter()));
        receiver.accept(&got).await.unwrap();
    }
}

#[tokio::test]
async fn ten_failed_attempts_and_then_the_dead_letter_queue() {
    let bed = Bed::start().await;
    let mut epj = Party::connect(&bed, EPJ).await;
    let mut sender = epj.sender(TO_EPJ).await;
    let mut receiver = epj.receiver(EPJ_ASYNC).await;
    sender.send(message("bad", b"x")).await.unwrap();
    for attempt in 0..10 {
        let got: Got = receiver.recv().await.unwrap();
        assert_eq!(counters(&got), (attempt, attempt == 0));
        let count = (attempt > 0).then(|| Value::Long(attempt.into()));
        assert_eq!(annotation(&got, "x-delivery-count"), count);
        let modified = Modified {
            delivery_failed: Some(true),
            undeliverable_here: None,
            message_annotations: None,
        };
        receiver.modify(&got, modified).await.unwrap();
    }
    let dead = bed
        .event("the death", |event| {
            matches!(event, Event::BusDeadLettered { .. })
        })
        .await;
    let Event::BusDeadLettered { reason, to, .. } = &dead.event else {
        panic!()
    };
    assert_eq!(
        (reason.as_str(), to.as_str()),
        ("delivery_limit", "8900011_dl")
    );
    assert_eq!(bed.bus.queue_depths()["8900011_dl"].ready, 1);
    assert_eq!(bed.bus.queue_depths()["8900011_async"].ready, 0);
}

#[tokio::test]
async fn what_comes_back_keeps_its_place() {
    let bed = Bed::start().await;
    let mut epj = Party::connect(&bed, EPJ).await;
    let mut sender = epj.sender(TO_EPJ).await;
    for name in ["1", "2", "3"] {
        sender.send(message(name, b"x")).await.unwrap();
    }
    let mut receiver = epj.receiver(EPJ_ASYNC).await;
    let first: Got = receiver.recv().await.unwrap();
    receiver.release(&first).await.unwrap();
    receiver.close().await.unwrap();
    let mut again = epj.receiver(EPJ_ASYNC).await;
    for (name, fresh) in [("1", false), ("2", false), ("3", false)] {
        let got: Got = again.recv().await.unwrap();
        // Detach and release are no failures; 2 and 3 were handed out to the first receiver's credit.
        assert_eq!((id(&got).as_str(), counters(&got)), (name, (0, fresh)));
        again.accept(&got).await.unwrap();
    }
}

#[tokio::test]
async fn a_lost_connection_gives_its_messages_back_as_failed() {
    let bed = Bed::start().await;
    let mut helsenorge = Party::connect(&bed, HELSENORGE).await;
    let mut sender = helsenorge.sender(TO_EPJ).await;
    sender.send(message("m", b"x")).await.unwrap();
    let mut epj = Party::connect(&bed, EPJ).await;
    let mut receiver = epj.receiver(EPJ_ASYNC).await;
    let _: Got = receiver.recv().await.unwrap();
    bed.bus.close_connections();
    bed.event("the loss", |event| {
        matches!(
            event,
            Event::BusSettled {
                outcome: BusOutcome::Lost,
                ..
            }
        )
    })
    .await;
    let mut epj = Party::connect(&bed, EPJ).await;
    let mut receiver = epj.receiver(EPJ_ASYNC).await;
    let got: Got = receiver.recv().await.unwrap();
    assert_eq!(counters(&got), (1, false));
}

#[tokio::test]
async fn an_expired_message_is_dead_lettered_and_never_delivered() {
    let bed = Bed::start().await;
    let mut epj = Party::connect(&bed, EPJ).await;
    let mut sender = epj.sender(TO_EPJ).await;
    sender.send(with_ttl("short", 60_000)).await.unwrap();
    sender.send(message("long", b"x")).await.unwrap();
    bed.context.clock.advance(Duration::from_secs(61));
    let dead = bed
        .event("the expiry", |event| {
            matches!(event, Event::BusDeadLettered { .. })
        })
        .await;
    let Event::BusDeadLettered { reason, to, .. } = &dead.event else {
        panic!()
    };
    assert_eq!((reason.as_str(), to.as_str()), ("expired", "8900011_dl"));
    let mut receiver = epj.receiver(EPJ_ASYNC).await;
    let got: Got = receiver.recv().await.unwrap();
    assert_eq!(id(&got), "long");
    assert_eq!(bed.bus.queue_depths()["8900011_dl"].ready, 1);
}

#[tokio::test]
async fn an_unknown_queue_is_released_and_an_unknown_exchange_refused() {
    let bed = Bed::start().await;
    let mut epj = Party::connect(&bed, EPJ).await;
    let mut sender = epj
        .sender("/exchange/NHNTESTServiceBus/8900011_asnyc")
        .await;
    let outcome = sender.send(message("m", b"x")).await.unwrap();
    assert!(matches!(outcome, Outcome::Released(_)), "{outcome:?}");
    let received = bed
        .event("the arrival", |event| {
            matches!(event, Event::BusReceived { .. })
        })
        .await;
    let Event::BusReceived {
        outcome: BusOutcome::Released,
        condition,
        ..
    } = &received.event
    else {
        panic!()
    };
    assert!(
        condition
            .as_deref()
            .unwrap()
            .ends_with("did you mean '8900011_async'?"),
        "{condition:?}"
    );
    let refused = Sender::attach(
        &mut epj.session,
        "s",
        "/exchange/NHNTestServiceBus/8900011_async",
    )
    .await;
    assert!(refused.is_err());
    let event = bed
        .event("the refusal", |event| {
            matches!(event, Event::BusRefused { .. })
        })
        .await;
    let Event::BusRefused {
        condition,
        description,
        ..
    } = &event.event
    else {
        panic!()
    };
    assert_eq!(condition, "amqp:not-found");
    assert_eq!(
        description,
        "no exchange 'NHNTestServiceBus' in vhost '/'; did you mean 'NHNTESTServiceBus'?"
    );
}

#[tokio::test]
async fn an_account_reads_its_own_queues_only() {
    let bed = Bed::start().await;
    let mut helsenorge = Party::connect(&bed, HELSENORGE).await;
    assert!(
        Receiver::attach(&mut helsenorge.session, "r", EPJ_ASYNC)
            .await
            .is_err()
    );
    let event = bed
        .event("the refusal", |event| {
            matches!(event, Event::BusRefused { .. })
        })
        .await;
    let Event::BusRefused {
        condition, user, ..
    } = &event.event
    else {
        panic!()
    };
    assert_eq!(
        (condition.as_str(), user.as_str()),
        ("amqp:unauthorized-access", HELSENORGE.0)
    );
}

#[tokio::test]
async fn a_removed_queue_takes_its_links_along() {
    let bed = Bed::start().await;
    let mut epj = Party::connect(&bed, EPJ).await;
    let mut receiver = epj.receiver(EPJ_ASYNC).await;
    bed.bus.remove_queues(8_900_011);
    let ended = receiver.recv::<Body<Value>>().await.unwrap_err();
    assert!(
        format!("{ended:?}").contains("ResourceDeleted"),
        "{ended:?}"
    );
    assert!(!bed.bus.queue_depths().contains_key("8900011_async"));
    assert!(bed.bus.queue_depths().contains_key("109989_async"));
}

#[tokio::test]
async fn a_reset_empties_queues_and_keeps_links() {
    let bed = Bed::start().await;
    let mut epj = Party::connect(&bed, EPJ).await;
    let mut sender = epj.sender(TO_EPJ).await;
    sender.send(message("old", b"x")).await.unwrap();
    let mut receiver = epj.receiver(EPJ_ASYNC).await;
    let old: Got = receiver.recv().await.unwrap();
    bed.bus.reset();
    let depth = bed.bus.queue_depths()["8900011_async"];
    assert_eq!((depth.ready, depth.unsettled), (0, 0));
    // A settlement that comes after the reset changes nothing.
    receiver.release(&old).await.unwrap();
    sender.send(message("new", b"x")).await.unwrap();
    let new: Got = receiver.recv().await.unwrap();
    assert_eq!(id(&new), "new");
    assert!(
        !bed.events()
            .iter()
            .any(|event| matches!(event, Event::BusSettled { .. }))
    );
}
