//! Messages from senders: joined from their frames, routed, answered (contract 01 sections 1.8, 1.9, 2.2, 3.5).

use bytes::{Bytes, BytesMut};
use fe2o3_amqp_types::definitions::Role;
use fe2o3_amqp_types::messaging::{Accepted, DeliveryState, Modified, Rejected, Released};
use fe2o3_amqp_types::performatives::{Disposition, Performative, Transfer};
use testbed::evidence::{BlobRef, BusOutcome, Event};

use super::fault::{Deferred, TransferFault};
use super::link::{Inlet, Link, Partial};
use super::{Engine, error};
use crate::address::{self, Route, Target};
use crate::queue::{Publication, Published};
use crate::refusal::{Refusal, condition};
use crate::wire::message::{self, MessageFault, Sent};

/// Most answers of a connection that a fault may hold back at once.
const MOST_DEFERRED: usize = 10_000;

/// A message that has come whole.
#[derive(Debug)]
pub(super) struct Arrival {
    pub(super) link: u64,
    pub(super) handle: u32,
    pub(super) delivery: u32,
    pub(super) is_settled: bool,
    pub(super) sent: Sent,
    /// The bytes as evidence.
    pub(super) raw: BlobRef,
}

/// What a sender is told about a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Accepted,
    Modified,
    Rejected(Refusal),
    /// No queue takes it; the text is for evidence.
    Released(String),
    /// Released, and the exchange is gone: the link goes with it.
    ReleasedAndDetached(Refusal),
}

impl Engine {
    pub(super) fn on_transfer(&mut self, channel: u16, transfer: Transfer, payload: &Bytes) {
        if !self.count_incoming(channel) {
            return;
        }
        let handle = transfer.handle.0;
        if self.meets_attached_inlet(channel, handle) {
            match self.take_in(channel, &transfer, payload) {
                Ok(Some((delivery, is_settled, whole))) => {
                    self.arrived(channel, handle, delivery, is_settled, whole);
                    self.refill(channel, handle);
                }
                Ok(None) => self.refill(channel, handle),
                Err(refusal) if refusal.condition == condition::TRANSFER_LIMIT_EXCEEDED => {
                    self.detach(channel, handle, Some(&refusal));
                }
                Err(refusal) => self.end(channel, &refusal),
            }
        }
    }

    fn meets_attached_inlet(&mut self, channel: u16, handle: u32) -> bool {
        let Some(session) = self.session(channel) else {
            return false;
        };
        let refusal = match session.links.get(&handle) {
            Some(Link::Inlet(_)) => return true,
            Some(Link::Outlet(_)) => Refusal::new(
                condition::NOT_ALLOWED,
                "a transfer on a link whose sender is the bus",
            ),
            None => {
                let what = format!("transfer on the handle {handle}, which has no link");
                Refusal::new(condition::UNATTACHED_HANDLE, what)
            }
        };
        self.end(channel, &refusal);
        false
    }

    /// Joins a frame to what came before it, and returns the message when this was its last one.
    fn take_in(
        &mut self,
        channel: u16,
        transfer: &Transfer,
        payload: &Bytes,
    ) -> Result<Option<(u32, bool, Bytes)>, Refusal> {
        let limits = &self.shared.config.limits;
        let (most, most_partial) = (limits.message_size, limits.partial_bytes);
        let held = self.partial_bytes;
        let Some(inlet) = self.inlet(channel, transfer.handle.0) else {
            return Ok(None);
        };
        let mut partial = match inlet.partial.take() {
            Some(partial) => partial.go_on(transfer)?,
            None => inlet.begin(transfer)?,
        };
        let before = partial.bytes.len();
        if transfer.aborted {
            self.partial_bytes -= before;
            return Ok(None);
        }
        let size = before + payload.len();
        if size as u64 > most {
            self.partial_bytes -= before;
            let what = format!("a message of more than {most} bytes");
            return Err(Refusal::new(condition::MESSAGE_SIZE_EXCEEDED, what));
        }
        if !transfer.more && before == 0 {
            // A copy of its own, so that a small message does not keep a large read buffer alive.
            return Ok(Some((
                partial.delivery,
                partial.is_settled,
                Bytes::copy_from_slice(payload),
            )));
        }
        if held + payload.len() > most_partial {
            self.partial_bytes -= before;
            let what = format!("more than {most_partial} bytes of unfinished messages");
            return Err(Refusal::new(condition::RESOURCE_LIMIT_EXCEEDED, what));
        }
        partial.bytes.extend_from_slice(payload);
        if transfer.more {
            inlet.partial = Some(partial);
            self.partial_bytes += payload.len();
            return Ok(None);
        }
        self.partial_bytes -= before;
        Ok(Some((
            partial.delivery,
            partial.is_settled,
            partial.bytes.freeze(),
        )))
    }

    pub(super) fn inlet(&mut self, channel: u16, handle: u32) -> Option<&mut Inlet> {
        match self.session(channel)?.links.get_mut(&handle)? {
            Link::Inlet(inlet) => Some(inlet),
            Link::Outlet(_) => None,
        }
    }

    /// Fills the credit up again when half of it has been used.
    fn refill(&mut self, channel: u16, handle: u32) {
        let full = self.shared.config.limits.credit;
        if let Some(inlet) = self.inlet(channel, handle)
            && inlet.credit <= full / 2
        {
            inlet.credit = full;
            self.send_link_flow(channel, handle);
        }
    }

    fn arrived(
        &mut self,
        channel: u16,
        handle: u32,
        delivery: u32,
        is_settled: bool,
        whole: Bytes,
    ) {
        let sent = match message::read(&whole) {
            Ok(sent) => sent,
            Err(fault) => return self.end(channel, &unusable(&fault)),
        };
        if let Some(claimed) = &sent.user_id
            && claimed != self.user.as_bytes()
        {
            let what = "user_id property set to another name than the authenticated user's";
            return self.end(channel, &Refusal::unauthorized(what));
        }
        let raw = self.shared.journal.blob(&whole);
        let Some(inlet) = self.inlet(channel, handle) else {
            return;
        };
        let route = route(&inlet.target, &sent);
        let subject = match &route {
            Ok(route) => route.key.clone(),
            Err(_) => inlet.address.clone().unwrap_or_default(),
        };
        let arrival = Arrival {
            link: inlet.number,
            handle,
            delivery,
            is_settled,
            sent,
            raw,
        };
        match self.meet("transfer", &subject).map(TransferFault::from) {
            None => self.take_over(
                channel,
                arrival,
                route,
                |engine, channel, arrival, answer| {
                    engine.answer(channel, &arrival, answer);
                },
            ),
            Some(TransferFault::Late(after)) if self.deferred.len() < MOST_DEFERRED => {
                self.take_over(
                    channel,
                    arrival,
                    route,
                    move |engine, channel, arrival, answer| {
                        let Arrival {
                            link,
                            handle,
                            delivery,
                            is_settled,
                            ..
                        } = arrival;
                        engine.defer(
                            after,
                            Deferred::Answer {
                                channel,
                                link,
                                handle,
                                delivery,
                                is_settled,
                                answer,
                            },
                        );
                    },
                );
            }
            // So many late answers that nobody waits for them one by one.
            Some(TransferFault::Late(_) | TransferFault::Silent) => {
                self.take_over(channel, arrival, route, |_, _, _, _| {});
            }
            Some(TransferFault::Reset) => self.reset(),
            Some(TransferFault::Error(refusal)) => {
                self.refuse_transfer(channel, &arrival, &route, refusal)
            }
        }
    }

    /// Publishes the message and hands the answer to `then`.
    fn take_over(
        &mut self,
        channel: u16,
        arrival: Arrival,
        route: Result<Route, Refusal>,
        then: impl FnOnce(&mut Self, u16, Arrival, Answer),
    ) {
        let answer = match &route {
            Ok(found) => self.publish(channel, &arrival, found),
            Err(refusal) => {
                let answer = Answer::Rejected(refusal.clone());
                let event = self.received(&arrival, None, 0, &answer);
                self.shared.record(event);
                answer
            }
        };
        then(self, channel, arrival, answer);
    }

    fn publish(&mut self, channel: u16, arrival: &Arrival, route: &Route) -> Answer {
        let is_anonymous = self
            .inlet(channel, arrival.handle)
            .is_some_and(|inlet| inlet.target == Target::Anonymous);
        let publication = Publication {
            header: arrival.sent.header,
            annotations: arrival.sent.annotations.clone(),
            bare: arrival.sent.bare.clone(),
            exchange: route.exchange.clone(),
            routing_key: route.key.clone(),
        };
        let answer_of = |published: &Published| match published {
            Published::Enqueued => Answer::Accepted,
            Published::Unroutable(why) => Answer::Released(why.clone()),
            Published::NoExchange(refusal) if is_anonymous => Answer::Rejected(refusal.clone()),
            Published::NoExchange(refusal) => Answer::ReleasedAndDetached(refusal.clone()),
            Published::Full(why) => {
                Answer::Rejected(Refusal::new(condition::RESOURCE_LIMIT_EXCEEDED, why))
            }
        };
        let this = &*self;
        let published = self
            .shared
            .broker
            .publish(publication, |number, published| {
                this.received(arrival, Some(route), number, &answer_of(published))
            });
        answer_of(&published)
    }

    /// The evidence of a message that came whole.
    fn received(
        &self,
        arrival: &Arrival,
        route: Option<&Route>,
        message: u64,
        answer: &Answer,
    ) -> Event {
        let (outcome, condition) = answer.evidence();
        Event::BusReceived {
            connection: self.connection,
            link: arrival.link,
            user: self.user.clone(),
            exchange: route
                .map(|route| route.exchange.clone())
                .filter(|name| !name.is_empty()),
            queue: route.map(|route| route.key.clone()),
            message,
            facts: arrival.sent.facts.clone(),
            outcome,
            condition,
            raw: arrival.raw.clone(),
        }
    }

    /// A fault's error, by the means that fits its condition.
    fn refuse_transfer(
        &mut self,
        channel: u16,
        arrival: &Arrival,
        route: &Result<Route, Refusal>,
        refusal: Refusal,
    ) {
        let kind = refusal.condition.as_str();
        let answer = match kind {
            "amqp:message:released" => Answer::Released(refusal.description.clone()),
            "amqp:message:modified" => Answer::Modified,
            _ => Answer::Rejected(refusal.clone()),
        };
        let event = self.received(arrival, route.as_ref().ok(), 0, &answer);
        self.shared.record(event);
        match kind.split(':').nth(1) {
            Some("link") => self.detach(channel, arrival.handle, Some(&refusal)),
            Some("session") => self.end(channel, &refusal),
            Some("connection") => self.close(refusal),
            _ => self.answer(channel, arrival, answer),
        }
    }

    fn answer(&mut self, channel: u16, arrival: &Arrival, answer: Answer) {
        self.settle_incoming(
            channel,
            arrival.handle,
            arrival.delivery,
            arrival.is_settled,
            answer,
        );
    }

    /// Tells the sender; settled deliveries get no answer.
    pub(super) fn settle_incoming(
        &mut self,
        channel: u16,
        handle: u32,
        delivery: u32,
        is_settled: bool,
        answer: Answer,
    ) {
        let gone = match &answer {
            Answer::ReleasedAndDetached(refusal) => Some(refusal.clone()),
            _ => None,
        };
        if !is_settled {
            let disposition = Disposition {
                role: Role::Receiver,
                first: delivery,
                last: None,
                settled: true,
                state: Some(answer.state()),
                batchable: false,
            };
            self.send(channel, &Performative::Disposition(disposition), &[]);
        }
        if let Some(refusal) = gone {
            self.detach(channel, handle, Some(&refusal));
        }
    }
}

impl Answer {
    fn state(self) -> DeliveryState {
        match self {
            Self::Accepted => DeliveryState::Accepted(Accepted {}),
            Self::Released(_) | Self::ReleasedAndDetached(_) => {
                DeliveryState::Released(Released {})
            }
            // Without an error the official client's send would never return (contract 01 section 3.2).
            Self::Rejected(refusal) => DeliveryState::Rejected(Rejected {
                error: Some(error(&refusal)),
            }),
            Self::Modified => DeliveryState::Modified(Modified {
                delivery_failed: Some(true),
                undeliverable_here: Some(false),
                message_annotations: None,
            }),
        }
    }

    fn evidence(&self) -> (BusOutcome, Option<String>) {
        match self {
            Self::Accepted => (BusOutcome::Accepted, None),
            Self::Modified => (BusOutcome::ModifiedFailed, None),
            Self::Released(why) => (BusOutcome::Released, Some(why.clone())),
            Self::ReleasedAndDetached(refusal) => (BusOutcome::Released, Some(refusal.to_string())),
            Self::Rejected(refusal) => (BusOutcome::Rejected, Some(refusal.condition.clone())),
        }
    }
}

impl Inlet {
    /// The first frame of a delivery.
    fn begin(&mut self, transfer: &Transfer) -> Result<Partial, Refusal> {
        self.credit = self.credit.checked_sub(1).ok_or_else(|| {
            Refusal::new(
                condition::TRANSFER_LIMIT_EXCEEDED,
                "a message beyond the link's credit",
            )
        })?;
        self.delivery_count = self.delivery_count.wrapping_add(1);
        let delivery = transfer.delivery_id.ok_or_else(|| {
            Refusal::invalid("the first transfer of a delivery needs a delivery-id")
        })?;
        if transfer.delivery_tag.is_none() {
            return Err(Refusal::invalid(
                "the first transfer of a delivery needs a delivery-tag",
            ));
        }
        match transfer.message_format {
            None | Some(0) => {}
            Some(format) => {
                let what = format!("the message-format {format:#x} is not supported");
                return Err(Refusal::not_implemented(what));
            }
        }
        Ok(Partial {
            delivery,
            is_settled: transfer.settled.unwrap_or(false),
            bytes: BytesMut::new(),
        })
    }
}

impl Partial {
    /// A further frame of the delivery.
    fn go_on(mut self, transfer: &Transfer) -> Result<Self, Refusal> {
        if transfer.delivery_id.is_some_and(|id| id != self.delivery) {
            let what = format!(
                "a new delivery before the delivery {} has ended",
                self.delivery
            );
            return Err(Refusal::invalid(what));
        }
        self.is_settled |= transfer.settled.unwrap_or(false);
        Ok(self)
    }
}

fn route(target: &Target, sent: &Sent) -> Result<Route, Refusal> {
    let subject = || sent.facts.subject.clone().unwrap_or_default();
    match target {
        Target::Fixed(route) => Ok(route.clone()),
        Target::ExchangeBySubject(exchange) => Ok(Route {
            exchange: exchange.clone(),
            key: subject(),
        }),
        Target::QueueBySubject => Ok(Route {
            exchange: String::new(),
            key: subject(),
        }),
        Target::Anonymous => {
            let to = sent.facts.to.as_deref().unwrap_or_default();
            address::parse_to(to).map_err(|why| Refusal::new(condition::PRECONDITION_FAILED, why))
        }
    }
}

fn unusable(fault: &MessageFault) -> Refusal {
    let condition = match fault {
        MessageFault::Malformed(_) => condition::DECODE_ERROR,
        // RabbitMQ's condition for it; the official client retries on this one (contract 01 section 2.2).
        MessageFault::NoBody => condition::INTERNAL_ERROR,
        MessageFault::AnnotationKey(_) => condition::INVALID_FIELD,
    };
    Refusal::new(condition, fault.to_string())
}
