//! `attach`: what a link may be, and RabbitMQ's way to refuse one: `end(error)` without an attach (contract 01 section 1.9).

use fe2o3_amqp_types::definitions::{Handle, ReceiverSettleMode, Role, SenderSettleMode};
use fe2o3_amqp_types::messaging::{
    Outcome, Released, Source, Target as WireTarget, TargetArchetype,
};
use fe2o3_amqp_types::performatives::{Attach, Performative};
use serde_amqp::primitives::{Array, Symbol};
use testbed::evidence::{Event, LinkRole};

use super::Engine;
use super::link::{Inlet, Link, Outlet};
use crate::address::{self, Grammar, Target};
use crate::queue::Consumer;
use crate::refusal::{Refusal, condition};

/// Longest link name that is taken, in bytes.
const LONGEST_NAME: usize = 1024;

/// What an address was found to mean.
enum Found {
    Outlet(String),
    Inlet(Target),
}

impl Engine {
    pub(super) fn on_attach(&mut self, channel: u16, attach: Attach) {
        let subject = self.attach_subject(&attach);
        match self.meet("attach", &subject) {
            Some(hit) => self.attach_fault(channel, hit, attach),
            None => self.attach(channel, attach),
        }
    }

    /// Attaches the link or refuses it.
    pub(super) fn attach(&mut self, channel: u16, attach: Attach) {
        match self.admit(channel, &attach) {
            Ok((handle, found)) => self.attached(channel, &attach, handle, found),
            Err(refusal) => self.refuse_attach(channel, &attach, &refusal),
        }
    }

    pub(super) fn refuse_attach(&mut self, channel: u16, attach: &Attach, refusal: &Refusal) {
        self.shared.record(Event::BusRefused {
            connection: self.connection,
            session: channel,
            name: attach.name.clone(),
            role: role(attach),
            address: address_of(attach).map(str::to_owned),
            user: self.user.clone(),
            condition: refusal.condition.clone(),
            description: refusal.description.clone(),
        });
        self.end(channel, refusal);
    }

    fn admit(&mut self, channel: u16, attach: &Attach) -> Result<(u32, Found), Refusal> {
        let most = self.shared.config.limits.links;
        let handle = attach.handle.0;
        let session = self
            .session(channel)
            .ok_or_else(|| Refusal::new(condition::ILLEGAL_STATE, "the session has ended"))?;
        if handle >= most {
            let what = format!(
                "handle {handle} is above handle-max {}",
                most.saturating_sub(1)
            );
            return Err(Refusal::new(condition::FRAMING_ERROR, what));
        }
        if session.links.contains_key(&handle) {
            return Err(Refusal::new(
                condition::HANDLE_IN_USE,
                format!("handle {handle} is in use"),
            ));
        }
        let ours = session.free_handle().ok_or_else(|| {
            Refusal::new(
                condition::RESOURCE_LIMIT_EXCEEDED,
                "the peer's handle-max leaves no handle free",
            )
        })?;
        if attach.name.len() > LONGEST_NAME {
            return Err(Refusal::invalid(format!(
                "a link name has at most {LONGEST_NAME} bytes"
            )));
        }
        if attach.rcv_settle_mode == ReceiverSettleMode::Second {
            return Err(Refusal::not_implemented(
                "rcv-settle-mode second is not supported",
            ));
        }
        self.find(attach).map(|found| (ours, found))
    }

    fn find(&self, attach: &Attach) -> Result<Found, Refusal> {
        match attach.role {
            Role::Receiver => {
                let source = attach
                    .source
                    .as_ref()
                    .ok_or_else(|| Refusal::invalid("the source is null"))?;
                if source.dynamic {
                    return Err(Refusal::not_implemented(
                        "dynamic sources are not supported",
                    ));
                }
                let address = source.address.as_deref();
                let address =
                    address.ok_or_else(|| Refusal::invalid("the source has no address"))?;
                address::parse_source(address, self.grammar()).map(Found::Outlet)
            }
            Role::Sender => {
                let target =
                    target_of(attach).ok_or_else(|| Refusal::invalid("the target is null"))?;
                if target.dynamic {
                    return Err(Refusal::not_implemented(
                        "dynamic targets are not supported",
                    ));
                }
                if attach.initial_delivery_count.is_none() {
                    return Err(Refusal::invalid(
                        "a sender's attach needs an initial-delivery-count",
                    ));
                }
                let target = match &target.address {
                    None => Target::Anonymous,
                    Some(address) => address::parse_target(address, self.grammar())?,
                };
                self.check_target(&target)?;
                Ok(Found::Inlet(target))
            }
        }
    }

    /// An exchange must be there; whether a queue is bound to it shows with each message. A queue that is named itself must be there.
    fn check_target(&self, target: &Target) -> Result<(), Refusal> {
        let broker = &self.shared.broker;
        match target {
            Target::Fixed(route) if route.exchange.is_empty() => {
                broker.find_target(&route.key, &self.user)
            }
            Target::Fixed(route) => broker.find_exchange(&route.exchange),
            Target::ExchangeBySubject(exchange) => broker.find_exchange(exchange),
            Target::QueueBySubject | Target::Anonymous => Ok(()),
        }
    }

    fn attached(&mut self, channel: u16, attach: &Attach, handle: u32, found: Found) {
        let number = self.shared.link_number();
        match found {
            Found::Outlet(queue) => {
                let consumer = Consumer {
                    link: number,
                    mailbox: self.mailbox.clone(),
                };
                if let Err(refusal) = self.shared.broker.subscribe(&queue, &self.user, consumer) {
                    return self.refuse_attach(channel, attach, &refusal);
                }
                self.attach_outlet(channel, attach, handle, number, queue);
            }
            Found::Inlet(target) => self.attach_inlet(channel, attach, handle, number, target),
        }
    }

    fn attach_outlet(
        &mut self,
        channel: u16,
        attach: &Attach,
        handle: u32,
        number: u64,
        queue: String,
    ) {
        let is_settled = attach.snd_settle_mode == SenderSettleMode::Settled;
        let answer = Attach {
            role: Role::Sender,
            snd_settle_mode: if is_settled {
                SenderSettleMode::Settled
            } else {
                SenderSettleMode::Unsettled
            },
            source: attach
                .source
                .clone()
                .map(|source| Box::new(with_outcomes(*source))),
            // RabbitMQ leaves the target null, whatever the peer sent.
            target: None,
            initial_delivery_count: Some(0),
            max_message_size: attach.max_message_size,
            ..answer_to(attach, handle)
        };
        let outlet = Outlet {
            number,
            handle,
            queue,
            delivery_count: 0,
            credit: 0,
            drain: false,
            is_settled,
            message_size: attach.max_message_size.filter(|size| *size > 0),
            tag: 0,
        };
        self.enter_link(channel, attach, Link::Outlet(outlet));
        self.send(channel, &Performative::Attach(answer), &[]);
    }

    fn attach_inlet(
        &mut self,
        channel: u16,
        attach: &Attach,
        handle: u32,
        number: u64,
        target: Target,
    ) {
        let credit = self.shared.config.limits.credit;
        let answer = Attach {
            role: Role::Receiver,
            snd_settle_mode: attach.snd_settle_mode.clone(),
            source: attach.source.clone(),
            target: attach.target.clone(),
            initial_delivery_count: None,
            max_message_size: Some(self.shared.config.limits.message_size),
            ..answer_to(attach, handle)
        };
        let inlet = Inlet {
            number,
            handle,
            target,
            address: address_of(attach).map(str::to_owned),
            delivery_count: attach.initial_delivery_count.unwrap_or_default(),
            credit,
            partial: None,
        };
        self.enter_link(channel, attach, Link::Inlet(inlet));
        self.send(channel, &Performative::Attach(answer), &[]);
        self.send_link_flow(channel, attach.handle.0);
    }

    fn enter_link(&mut self, channel: u16, attach: &Attach, link: Link) {
        let event = Event::BusAttached {
            connection: self.connection,
            session: channel,
            link: link.number(),
            name: attach.name.clone(),
            role: role(attach),
            address: address_of(attach).map(str::to_owned),
            queue: link.queue().map(str::to_owned),
            user: self.user.clone(),
        };
        self.shared.link_attached(link.number(), event);
        self.links.insert(link.number(), (channel, attach.handle.0));
        if let Some(session) = self.session(channel) {
            session.detached.remove(&attach.handle.0);
            session.links.insert(attach.handle.0, link);
        }
    }

    fn grammar(&self) -> Grammar {
        match self.shared.config.rules.v1_addresses {
            true => Grammar::Both,
            false => Grammar::V2,
        }
    }

    /// What a fault's pattern is compared with: the queue where the address names one, else the address.
    fn attach_subject(&self, attach: &Attach) -> String {
        let address = address_of(attach).unwrap_or_default();
        let queue = match attach.role {
            Role::Receiver => address::parse_source(address, Grammar::Both).ok(),
            Role::Sender => match address::parse_target(address, Grammar::Both) {
                Ok(Target::Fixed(route)) => Some(route.key),
                _ => None,
            },
        };
        queue.unwrap_or_else(|| address.to_owned())
    }
}

/// The fields that both kinds of answer share.
fn answer_to(attach: &Attach, handle: u32) -> Attach {
    Attach {
        name: attach.name.clone(),
        handle: Handle(handle),
        role: Role::Sender,
        snd_settle_mode: SenderSettleMode::Mixed,
        rcv_settle_mode: ReceiverSettleMode::First,
        source: None,
        target: None,
        unsettled: None,
        incomplete_unsettled: false,
        initial_delivery_count: None,
        max_message_size: None,
        offered_capabilities: None,
        desired_capabilities: None,
        properties: None,
    }
}

fn with_outcomes(source: Source) -> Source {
    let outcomes = ["accepted", "rejected", "released", "modified"]
        .map(|outcome| Symbol::from(format!("amqp:{outcome}:list")));
    Source {
        default_outcome: Some(Outcome::Released(Released {})),
        outcomes: Some(Array::from(outcomes.to_vec())),
        ..source
    }
}

fn role(attach: &Attach) -> LinkRole {
    match attach.role {
        Role::Receiver => LinkRole::Receiver,
        Role::Sender => LinkRole::Sender,
    }
}

fn target_of(attach: &Attach) -> Option<&WireTarget> {
    attach
        .target
        .as_deref()
        .map(|TargetArchetype::Target(target)| target)
}

fn address_of(attach: &Attach) -> Option<&str> {
    match attach.role {
        Role::Receiver => attach.source.as_ref()?.address.as_deref(),
        Role::Sender => target_of(attach)?.address.as_deref(),
    }
}
