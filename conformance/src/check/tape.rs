//! Evidence made by hand, for the tests of checks: a journal in which the network behaves and the system under test does
//! what a test tells it to.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use testbed::evidence::{
    BlobRef, BusMessage, BusOutcome, CheckOutcome, ClosedBy, Entry, Event, ExchangeOutcome,
    FORMAT_VERSION, HttpEnd, LinkRole, Part, RevocationSource, RevocationStatus,
};
use time::OffsetDateTime;

use crate::scenario::{BASELINE_STEP, Given, Parameter, RECOVERY_STEP};

pub(crate) const HN: &str = "orgusr-310900206";
pub(crate) const SUT: &str = "orgusr-310900109";
pub(crate) const SIGNER: &str = "00AB01";
const REPLY_QUEUE: &str = "109989_syncreply_1";

/// A request, in either direction, as later events name it.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    pub(crate) exchange: String,
    pub(crate) message_id: String,
    pub(crate) correlation: String,
    pub(crate) msg_id: String,
    pub(crate) message: u64,
    pub(crate) call: u64,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Tape {
    pub(crate) entries: Vec<Entry>,
    now_ms: u64,
    step: Option<String>,
    ids: u64,
}

impl Tape {
    pub(crate) fn started(ids: &[&str], variant: Option<&str>) -> Self {
        let mut tape = Self::default();
        let known = [
            (Parameter::HelsenorgeUser, HN),
            (Parameter::SutHerId, "8900011"),
            (Parameter::SutAsyncQueue, "8900011_async"),
            (Parameter::SutSyncQueue, "8900011_sync"),
            (Parameter::SutErrorQueue, "8900011_error"),
            (Parameter::Driver, "yes"),
        ];
        let variant = variant.map(|variant| (Parameter::Variant, variant));
        let parameters: BTreeMap<String, String> = known
            .into_iter()
            .chain(variant)
            .map(|(key, value)| (key.key().to_owned(), value.to_owned()))
            .collect();
        for id in ids {
            tape.record(
                Part::Runner,
                Event::ScenarioStarted {
                    format: FORMAT_VERSION,
                    scenario: (*id).to_owned(),
                    scenario_sha256: String::new(),
                    version: "0.1.0".into(),
                    seed: 7,
                    adapter: "reference".into(),
                    sut_faults: vec![],
                    parameters: parameters.clone(),
                },
            );
        }
        for (ca, serial) in [("base", "aa01"), ("fresh", "ab01"), ("fresh", "ab02")] {
            tape.record(
                Part::Buypass,
                Event::CertificateState {
                    ca: ca.into(),
                    serial: serial.into(),
                    subject: "CN=test".into(),
                    purpose: "signing".into(),
                    action: "issued".into(),
                },
            );
        }
        tape
    }

    pub(crate) fn record(&mut self, part: Part, event: Event) -> u64 {
        let n = self.entries.len() as u64 + 1;
        let at = Duration::from_millis(self.now_ms);
        self.entries.push(Entry {
            n,
            at_us: self.now_ms * 1000,
            wall: OffsetDateTime::UNIX_EPOCH + at,
            part,
            step: self.step.clone(),
            event,
        });
        n
    }

    /// Time passes.
    pub(crate) fn pass(&mut self, ms: u64) -> &mut Self {
        self.now_ms += ms;
        self
    }

    fn id(&mut self, prefix: &str) -> String {
        self.ids += 1;
        format!("{prefix}{}", self.ids)
    }

    pub(crate) fn step(&mut self, name: &str, act: impl FnOnce(&mut Self)) -> &mut Self {
        self.step_with(name, None, act)
    }

    pub(crate) fn step_with(
        &mut self,
        name: &str,
        problem: Option<&str>,
        act: impl FnOnce(&mut Self),
    ) -> &mut Self {
        self.step = Some(name.to_owned());
        self.record(
            Part::Runner,
            Event::StepStarted {
                step: name.into(),
                act: "?".into(),
            },
        );
        act(self);
        self.record(
            Part::Runner,
            Event::StepEnded {
                step: name.into(),
                problem: problem.map(str::to_owned),
            },
        );
        self.step = None;
        self
    }

    pub(crate) fn install(&mut self, given: Given) -> &mut Self {
        self.installed(given.name().1)
    }

    pub(crate) fn installed(&mut self, fault: &str) -> &mut Self {
        self.record(
            Part::Runner,
            Event::FaultInstalled {
                fault: fault.into(),
                detail: String::new(),
            },
        );
        self
    }

    pub(crate) fn removed(&mut self, fault: &str) -> &mut Self {
        self.record(
            Part::Runner,
            Event::FaultRemoved {
                fault: fault.into(),
            },
        );
        self
    }

    pub(crate) fn baseline(&mut self) -> &mut Self {
        self.step(BASELINE_STEP, |tape| {
            let request = tape.request_signed("aa01");
            tape.pass(200).good_reply(&request);
            tape.settle(&request, BusOutcome::Accepted);
        })
    }

    pub(crate) fn recovery(&mut self) -> &mut Self {
        self.step(RECOVERY_STEP, |tape| {
            let request = tape.request();
            tape.pass(200).good_reply(&request);
            tape.settle(&request, BusOutcome::Accepted);
        })
    }

    pub(crate) fn end(&mut self) -> &mut Self {
        self.record(
            Part::Runner,
            Event::ScenarioEnded {
                complete: true,
                reason: None,
            },
        );
        self
    }

    /// The process starts.
    pub(crate) fn start_sut(&mut self) -> &mut Self {
        self.record(
            Part::Sut,
            Event::SutStarted {
                adapter: "reference".into(),
                pid: Some(1),
                command: "epj".into(),
            },
        );
        self
    }

    // --- the bus ---

    fn taken(&mut self, user: &str, queue: &str, facts: BusMessage) -> u64 {
        self.ids += 1;
        let message = self.ids;
        self.record(
            Part::Bus,
            Event::BusReceived {
                connection: 1,
                link: 1,
                user: user.into(),
                exchange: None,
                queue: Some(queue.into()),
                message,
                facts,
                outcome: BusOutcome::Accepted,
                condition: None,
                raw: BlobRef {
                    sha256: String::new(),
                    size: 0,
                },
            },
        );
        message
    }

    pub(crate) fn taken_from_sut(&mut self, queue: &str, facts: BusMessage) -> u64 {
        self.taken(SUT, queue, facts)
    }

    pub(crate) fn deliver(&mut self, message: u64, delivery: u32) -> &mut Self {
        self.record(
            Part::Bus,
            Event::BusDelivered {
                connection: 2,
                link: 5,
                user: SUT.into(),
                queue: "q".into(),
                message,
                delivery,
                delivery_count: delivery,
            },
        );
        self
    }

    pub(crate) fn settle_delivery(
        &mut self,
        message: u64,
        delivery: u32,
        outcome: BusOutcome,
    ) -> &mut Self {
        self.record(
            Part::Bus,
            Event::BusSettled {
                connection: 2,
                link: 5,
                user: SUT.into(),
                queue: "q".into(),
                message,
                delivery,
                outcome,
                condition: None,
            },
        );
        self
    }

    pub(crate) fn settle(&mut self, letter: &Letter, outcome: BusOutcome) -> &mut Self {
        self.settle_delivery(letter.message, 0, outcome)
    }

    pub(crate) fn dead_letter(&mut self, letter: &Letter, reason: &str) -> &mut Self {
        self.record(
            Part::Bus,
            Event::BusDeadLettered {
                queue: "8900011_sync".into(),
                to: "8900011_dl".into(),
                message: letter.message,
                reason: reason.into(),
            },
        );
        self
    }

    pub(crate) fn attach(&mut self, connection: u64, link: u64, queue: &str) -> &mut Self {
        self.record(
            Part::Bus,
            Event::BusAttached {
                connection,
                session: 0,
                link,
                name: format!("l{link}"),
                role: LinkRole::Receiver,
                address: Some(queue.into()),
                queue: Some(queue.into()),
                user: SUT.into(),
            },
        );
        self
    }

    pub(crate) fn close(&mut self, connection: u64) -> &mut Self {
        self.record(
            Part::Bus,
            Event::BusClosed {
                connection,
                user: Some(SUT.into()),
                by: ClosedBy::Mock,
                condition: None,
                description: None,
            },
        );
        self
    }

    // --- helsenorge asks ---

    pub(crate) fn request(&mut self) -> Letter {
        self.request_signed(SIGNER)
    }

    pub(crate) fn request_signed(&mut self, signer: &str) -> Letter {
        let letter = self.sent(
            "request",
            "8900011_sync",
            Some(signer),
            Some(REPLY_QUEUE.into()),
        );
        self.deliver(letter.message, 0);
        letter
    }

    pub(crate) fn sent(
        &mut self,
        purpose: &str,
        queue: &str,
        signer: Option<&str>,
        reply_to: Option<String>,
    ) -> Letter {
        let exchange = self.id("x");
        let (message_id, correlation, msg_id) = (self.id("m"), self.id("c"), self.id("b"));
        self.record(
            Part::Helsenorge,
            Event::HnSent {
                exchange: exchange.clone(),
                purpose: purpose.into(),
                to: 8_900_011,
                queue: queue.into(),
                message_id: message_id.clone(),
                correlation_id: Some(correlation.clone()),
                msg_id: Some(msg_id.clone()),
                cpa_id: None,
                variant: "valid".into(),
                signer: signer.map(str::to_owned),
                payload: None,
            },
        );
        let facts = BusMessage {
            message_id: Some(message_id.clone()),
            correlation_id: Some(correlation.clone()),
            reply_to,
            ..BusMessage::default()
        };
        let message = self.taken(HN, queue, facts);
        Letter {
            exchange,
            message_id,
            correlation,
            msg_id,
            message,
            call: 0,
        }
    }

    /// A message of the system under test that answers a request; returns its message-id.
    pub(crate) fn reply_on(&mut self, queue: &str, correlation: &str) -> String {
        let id = self.id("r");
        let facts = BusMessage {
            message_id: Some(id.clone()),
            correlation_id: Some(correlation.to_owned()),
            ..BusMessage::default()
        };
        self.taken(SUT, queue, facts);
        id
    }

    pub(crate) fn good_reply(&mut self, letter: &Letter) -> &mut Self {
        self.reply_on(REPLY_QUEUE, &letter.correlation);
        self.conclude(letter, ExchangeOutcome::RepliedOk)
    }

    pub(crate) fn reply_on_queue(&mut self, letter: &Letter) -> String {
        self.reply_on(REPLY_QUEUE, &letter.correlation)
    }

    pub(crate) fn conclude(&mut self, letter: &Letter, outcome: ExchangeOutcome) -> &mut Self {
        let event = Event::HnOutcome {
            exchange: letter.exchange.clone(),
            outcome,
            detail: "?".into(),
        };
        self.record(Part::Helsenorge, event);
        self
    }

    pub(crate) fn hn_check(
        &mut self,
        message_id: &str,
        check: &str,
        outcome: CheckOutcome,
    ) -> &mut Self {
        let event = Event::HnCheck {
            exchange: None,
            message_id: Some(message_id.into()),
            check: check.into(),
            outcome,
            detail: "detail".into(),
        };
        self.record(Part::Helsenorge, event);
        self
    }

    /// An error message of the system under test.
    pub(crate) fn error(&mut self, original: Option<&str>, condition: Option<&str>) -> &mut Self {
        let id = self.id("e");
        self.taken(
            SUT,
            "109989_error",
            BusMessage {
                message_id: Some(id.clone()),
                ..BusMessage::default()
            },
        );
        self.record(
            Part::Helsenorge,
            Event::HnErrorReceived {
                exchange: None,
                message_id: Some(id),
                original_message_id: original.map(str::to_owned),
                condition: condition.map(str::to_owned),
                description: None,
                data: None,
                from: Some(8_900_011),
                to: Some(109_989),
                properties: BTreeMap::new(),
                content_type: None,
            },
        );
        self
    }

    pub(crate) fn refuse(&mut self, letter: &Letter, condition: &str) -> &mut Self {
        self.error(Some(&letter.message_id), Some(condition))
            .conclude(letter, ExchangeOutcome::ErrorReceived)
    }

    // --- revocation ---

    pub(crate) fn ask(&mut self, ca: &str, source: RevocationSource, serial: Option<&str>) -> u64 {
        self.ids += 1;
        let request = self.ids;
        self.record(
            Part::Buypass,
            Event::HttpRequest {
                request,
                peer: "127.0.0.1:1".into(),
                method: "GET".into(),
                path: "/".into(),
                headers: vec![],
                body: None,
            },
        );
        let asked = Event::RevocationAsked {
            request,
            ca: ca.into(),
            source,
            serial: serial.map(str::to_owned),
        };
        self.record(Part::Buypass, asked);
        request
    }

    pub(crate) fn ask_crl(&mut self) -> u64 {
        self.ask("fresh", RevocationSource::Crl, None)
    }

    pub(crate) fn answer(
        &mut self,
        request: u64,
        source: RevocationSource,
        serial: Option<&str>,
    ) -> &mut Self {
        self.record(
            Part::Buypass,
            Event::HttpAnswer {
                request,
                status: 200,
                headers: vec![],
                body: None,
            },
        );
        self.record(
            Part::Buypass,
            Event::HttpEnded {
                request,
                end: HttpEnd::Served,
                bytes: 9,
            },
        );
        let status = if source == RevocationSource::Crl {
            RevocationStatus::List
        } else {
            RevocationStatus::Good
        };
        let delivered = Event::RevocationDelivered {
            request,
            ca: "fresh".into(),
            source,
            serial: serial.map(str::to_owned),
            status,
        };
        self.record(Part::Buypass, delivered);
        self
    }

    pub(crate) fn answer_crl(&mut self, request: u64) -> &mut Self {
        self.answer(request, RevocationSource::Crl, None)
    }

    pub(crate) fn hang_up(&mut self, request: u64) -> &mut Self {
        self.record(
            Part::Buypass,
            Event::HttpEnded {
                request,
                end: HttpEnd::ClosedByPeer,
                bytes: 0,
            },
        );
        self
    }

    /// A whole execution of REV-05 and REV-06 by a correct system: refused after 2 s, list downloaded in the background,
    /// answered at once the second time.
    pub(crate) fn slow_revocation(variant: &str) -> Self {
        let delay = if variant == "3s" { 3000 } else { 10_000 };
        let mut tape = Self::started(&["REV-05", "REV-06"], Some(variant));
        tape.baseline().install(Given::DelayStatus {
            delay: Duration::from_millis(delay),
        });
        tape.step("cold", |tape| {
            let request = tape.pass(500).request();
            let list = tape.pass(50).ask_crl();
            tape.pass(2000)
                .refuse(&request, "transport:revoked-certificate-offline");
            tape.settle(&request, BusOutcome::Accepted)
                .pass(delay)
                .answer_crl(list);
        });
        tape.pass(2000).step("warm", |tape| {
            let request = tape.request();
            tape.pass(100)
                .good_reply(&request)
                .settle(&request, BusOutcome::Accepted);
        });
        tape.removed("delay-status").recovery().end();
        tape
    }

    // --- the system under test asks ---

    pub(crate) fn asked(&mut self, verb: &str, arguments: serde_json::Value) -> u64 {
        self.ids += 1;
        let call = self.ids;
        self.record(
            Part::Sut,
            Event::SutAsked {
                verb: verb.into(),
                call,
                arguments,
            },
        );
        call
    }

    pub(crate) fn answered(
        &mut self,
        verb: &str,
        call: u64,
        answer: serde_json::Value,
    ) -> &mut Self {
        self.record(
            Part::Sut,
            Event::SutAnswered {
                verb: verb.into(),
                call,
                answer,
            },
        );
        self
    }

    pub(crate) fn unanswered(&mut self, verb: &str, call: u64, reason: &str) -> &mut Self {
        self.record(
            Part::Sut,
            Event::SutUnanswered {
                verb: verb.into(),
                call,
                reason: reason.into(),
            },
        );
        self
    }

    /// The driver is asked for a communication test, and its request reaches helsenorge.
    pub(crate) fn outbound(&mut self) -> Letter {
        let call = self.asked("run-komtest", json!({}));
        let exchange = self.id("o");
        let (message_id, msg_id) = (self.id("m"), self.id("b"));
        let facts = BusMessage {
            message_id: Some(message_id.clone()),
            correlation_id: Some(message_id.clone()),
            reply_to: Some("8900011_syncreply".into()),
            ..BusMessage::default()
        };
        let message = self.pass(100).taken(SUT, "109989_sync", facts);
        self.record(
            Part::Helsenorge,
            Event::HnReceived {
                exchange: Some(exchange.clone()),
                queue: "109989_sync".into(),
                message_id: Some(message_id.clone()),
                correlation_id: Some(message_id.clone()),
                from: Some(8_900_011),
                subject: Some("DIALOG_INNBYGGER_TEST".into()),
                payload: None,
                msg_id: Some(msg_id.clone()),
            },
        );
        Letter {
            exchange,
            correlation: message_id.clone(),
            message_id,
            msg_id,
            message,
            call,
        }
    }

    pub(crate) fn all_checks(&mut self, letter: &Letter) -> &mut Self {
        for number in 1..=20 {
            self.hn_check(
                &letter.message_id,
                &format!("V{number:02}"),
                CheckOutcome::Passed,
            );
        }
        self
    }

    /// helsenorge's reply to an outbound request; it is not delivered yet.
    pub(crate) fn hn_reply(&mut self, letter: &Letter) -> Letter {
        let message_id = self.id("h");
        self.record(
            Part::Helsenorge,
            Event::HnSent {
                exchange: letter.exchange.clone(),
                purpose: "reply".into(),
                to: 8_900_011,
                queue: "8900011_syncreply".into(),
                message_id: message_id.clone(),
                correlation_id: Some(letter.correlation.clone()),
                msg_id: None,
                cpa_id: None,
                variant: "valid".into(),
                signer: Some(SIGNER.into()),
                payload: None,
            },
        );
        let facts = BusMessage {
            message_id: Some(message_id.clone()),
            correlation_id: Some(letter.correlation.clone()),
            ..BusMessage::default()
        };
        let message = self.taken(HN, "8900011_syncreply", facts);
        Letter {
            message_id,
            message,
            ..letter.clone()
        }
    }

    pub(crate) fn komtest_ended(&mut self, letter: &Letter, outcome: &str) -> &mut Self {
        let answer =
            json!({ "outcome": outcome, "message_id": letter.message_id, "msg_id": letter.msg_id });
        self.answered("run-komtest", letter.call, answer)
    }

    /// A whole successful call of the system under test.
    pub(crate) fn good_call(&mut self) -> Letter {
        let letter = self.outbound();
        self.all_checks(&letter);
        let reply = self.pass(100).hn_reply(&letter);
        self.deliver(reply.message, 0)
            .pass(50)
            .settle(&reply, BusOutcome::Accepted)
            .komtest_ended(&letter, "success");
        letter
    }
}
