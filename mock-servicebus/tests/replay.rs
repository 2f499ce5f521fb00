//! The official client's side of recorded connections, played against the bus: it has to give RabbitMQ 4.0.5's answers wherever
//! contract 01 does not say otherwise. The recordings were made with `Helsenorge.Messaging` 7.0.2.
#![expect(clippy::unwrap_used, reason = "a test ends where it goes wrong")]

mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use fe2o3_amqp::frames::amqp::FrameBody;
use fe2o3_amqp::types::definitions::Error;
use fe2o3_amqp::types::performatives::{Attach, Disposition, Transfer};
use serde_amqp::Value;
use support::Bed;
use support::pcap::{self, From, Unit};
use support::raw::{Raw, decoded};
use testbed::provision::QueueProvisioner;

/// RabbitMQ's default for the largest message.
const RABBIT_MESSAGE_SIZE: u64 = 16 * 1024 * 1024;

/// What the broker said on one connection, by channel; SASL and headers stand on a channel of their own.
type Said = BTreeMap<String, Vec<String>>;

async fn bed() -> Bed {
    let bed = Bed::with(|config| {
        config.limits.message_size = RABBIT_MESSAGE_SIZE;
        config.rules.strict_session_window = true;
        config.rules.login_refusal_delay = Duration::ZERO;
    })
    .await;
    bed.bus.add_account("epj", "pw", &[8_900_011]);
    bed.bus.add_account("hn", "pw", &[109_989]);
    bed
}

/// Plays a recording and compares what the two brokers said.
async fn replay(name: &str, bed: &Bed) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name)
        .with_extension("pcapng");
    let recorded = pcap::read(&path);
    let mut lines: BTreeMap<usize, Line> = BTreeMap::new();
    let mut is_closed_by_operator = false;
    for unit in &recorded {
        let line = match lines.entry(unit.connection) {
            std::collections::btree_map::Entry::Occupied(line) => line.into_mut(),
            std::collections::btree_map::Entry::Vacant(free) => free.insert(Line::open(bed).await),
        };
        match unit.from {
            // The client reacts to what it has heard, so the bus has to have said as much.
            From::Client => {
                line.hear(unit).await;
                line.raw.write(&unit.bytes).await;
            }
            From::Broker => {
                if forces(unit) && !is_closed_by_operator {
                    is_closed_by_operator = true;
                    bed.bus.close_connections_of("hn");
                }
                note(&mut line.expected, &unit.bytes);
            }
        }
    }
    for (number, line) in &mut lines {
        let until = line.expected.clone();
        line.listen(&until, &format!("{name}, the end of connection {number}"))
            .await;
        for (channel, expected) in &line.expected {
            let heard = line.heard.get(channel).cloned().unwrap_or_default();
            for (index, (heard, expected)) in heard.iter().zip(expected).enumerate() {
                assert_eq!(
                    heard, expected,
                    "{name}, connection {number}, channel {channel}, frame {index}"
                );
            }
            assert_eq!(
                heard.len(),
                expected.len(),
                "{name}, connection {number}, channel {channel}: {heard:#?}"
            );
        }
    }
}

/// One connection of a recording, and its counterpart.
struct Line {
    raw: Raw,
    /// What RabbitMQ has said so far.
    expected: Said,
    /// What the bus has said so far.
    heard: Said,
}

impl Line {
    async fn open(bed: &Bed) -> Self {
        Self {
            raw: Raw::connect(bed.plain()).await,
            expected: Said::new(),
            heard: Said::new(),
        }
    }

    async fn hear(&mut self, before: &Unit) {
        let until = self.expected.clone();
        self.listen(&until, &format!("before {:?}", before)).await;
    }

    /// Reads until the bus has said as much on each channel.
    async fn listen(&mut self, until: &Said, place: &str) {
        loop {
            let count = |said: &Said, channel: &str| said.get(channel).map_or(0, Vec::len);
            let missing = until
                .keys()
                .find(|channel| count(&self.heard, channel) < count(until, channel));
            let Some(channel) = missing else { return };
            match self.raw.unit().await {
                Some(unit) => note(&mut self.heard, &unit),
                None => panic!(
                    "{place}: the bus ended the connection, channel {channel}\nexpected {:#?}\nheard {:#?}",
                    until.get(channel),
                    self.heard.get(channel)
                ),
            }
        }
    }
}

/// Whether this is the close with which an operator ended the connection.
fn forces(unit: &Unit) -> bool {
    unit.bytes
        .windows(17)
        .any(|part| part == b"Connection forced")
}

/// Writes down what a unit says, as far as the contract compares it.
fn note(said: &mut Said, unit: &[u8]) {
    if unit.starts_with(b"AMQP") {
        let text = format!("header {}", unit[4]);
        said.entry("start".into()).or_default().push(text);
    } else if unit[5] == 1 {
        // Of the offered mechanisms PLAIN counts; the code of the outcome is the last byte but for trailing nulls.
        let text = match unit[10] {
            0x40 => format!(
                "mechanisms, PLAIN: {}",
                unit.windows(5).any(|part| part == b"PLAIN")
            ),
            _ => format!(
                "outcome {}",
                unit.iter().rev().find(|byte| **byte != 0x40).unwrap()
            ),
        };
        said.entry("start".into()).or_default().push(text);
    } else if unit.len() > 8 {
        let (channel, body) = decoded(unit);
        said.entry(channel.to_string())
            .or_default()
            .extend(facts(body));
    }
}

fn facts(body: FrameBody) -> Vec<String> {
    let text = match body {
        FrameBody::Open(open) => {
            format!(
                "open {:?} {:?} {:?}",
                open.max_frame_size, open.channel_max, open.idle_time_out
            )
        }
        FrameBody::Begin(begin) => format!("{begin:?}"),
        FrameBody::Attach(attach) => attach_facts(attach),
        FrameBody::Flow(mut flow) => {
            flow.available = None;
            format!("{flow:?}")
        }
        FrameBody::Transfer {
            performative,
            payload,
        } => transfer_facts(&performative, &payload),
        FrameBody::Disposition(disposition) => return disposition_facts(&disposition),
        FrameBody::Detach(detach) => format!(
            "detach {:?} {} {:?}",
            detach.handle,
            detach.closed,
            error(detach.error)
        ),
        FrameBody::End(end) => format!("end {:?}", error(end.error)),
        FrameBody::Close(close) => format!("close {:?}", error(close.error)),
        FrameBody::Empty => return Vec::new(),
    };
    vec![text]
}

/// The initial delivery-count is the bus's own choice.
fn attach_facts(mut attach: Attach) -> String {
    attach.initial_delivery_count = None;
    format!("{attach:?}")
}

/// Header, annotations, and the bare message byte for byte.
fn transfer_facts(transfer: &Transfer, payload: &[u8]) -> String {
    let mut rest = payload;
    let mut sections = Vec::new();
    while let [0x00, 0x53, 0x70..=0x72, ..] = rest {
        let size = encoded_length(rest);
        let section: Value = serde_amqp::from_slice(&rest[..size]).unwrap();
        sections.push(format!("{section:?}"));
        rest = &rest[size..];
    }
    let hex: String = rest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{transfer:?} {sections:?} {hex}")
}

/// Length of a section whose value is a list or a map.
fn encoded_length(section: &[u8]) -> usize {
    match section[3] {
        0x45 => 4,
        0xc0 | 0xc1 => 5 + usize::from(section[4]),
        0xd0 | 0xd1 => 8 + u32::from_be_bytes(section[4..8].try_into().unwrap()) as usize,
        other => panic!("{other:02x}"),
    }
}

/// One line for each delivery: RabbitMQ joins neighbours, which says the same.
fn disposition_facts(disposition: &Disposition) -> Vec<String> {
    let last = disposition.last.unwrap_or(disposition.first);
    let of = |delivery: u32| {
        format!(
            "disposition {:?} {delivery} {} {:?}",
            disposition.role, disposition.settled, disposition.state
        )
    };
    (disposition.first..=last).map(of).collect()
}

/// Condition and description; the bus may add what was probably meant.
fn error(error: Option<Error>) -> Option<(String, Option<String>)> {
    let error = error?;
    let plain = |text: String| {
        text.split("; did you mean")
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    Some((
        format!("{:?}", error.condition),
        error.description.map(plain),
    ))
}

#[tokio::test(flavor = "multi_thread")]
async fn communication_test_and_its_reply() {
    replay("komtest", &bed().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hand_made_messages_and_what_the_client_does_with_them() {
    replay("crafted", &bed().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_does_not_exist() {
    let bed = bed().await;
    bed.bus.remove_queues(109_989);
    replay("unknown-queue", &bed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password() {
    replay("wrong-password", &bed().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_closed_by_the_operator() {
    replay("forced-close", &bed().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_party_without_queues() {
    replay("own-queues-missing", &bed().await).await;
}
