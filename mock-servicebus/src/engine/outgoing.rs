//! Messages on their way to receivers: a message is fetched from its queue only when link credit, session window and write
//! buffer have room for it (contract 06 sections 7.1 and 7.3).

use bytes::{Buf, Bytes, BytesMut};
use fe2o3_amqp_types::definitions::{DeliveryTag, Handle};
use fe2o3_amqp_types::performatives::{Performative, Transfer};
use testbed::evidence::Event;

use super::link::{Link, Outgoing, Outlet, Unsettled};
use super::{Channel, Engine};
use crate::queue::{Entry, Settlement, Take};
use crate::refusal::{Refusal, condition};
use crate::wire::message;

/// Room for the frame header and the transfer in front of the payload.
const BESIDE_PAYLOAD: usize = 96;

/// Why no more is handed out on a link now.
enum Stop {
    /// The queue has nothing for it.
    Empty,
    /// The link has no credit.
    Credit,
    /// Window or write buffer are full, or the link or session is gone.
    Blocked,
}

impl Engine {
    /// Hands out on all links of the connection.
    pub(super) fn pump_all(&mut self) {
        let channels: Vec<u16> = self.channels.keys().copied().collect();
        for channel in channels {
            self.pump_session(channel);
        }
    }

    /// Hands out on all links of a session.
    pub(super) fn pump_session(&mut self, channel: u16) {
        let Some(session) = self.session(channel) else {
            return;
        };
        let outlets = session
            .links
            .iter()
            .filter(|(_, link)| matches!(link, Link::Outlet(_)));
        let handles: Vec<u32> = outlets.map(|(handle, _)| *handle).collect();
        if handles.is_empty() {
            return;
        }
        self.send_frames(channel);
        for handle in handles {
            self.pump(channel, handle);
        }
    }

    /// Hands out messages on a link while there are messages and room, and answers a drain that is done.
    pub(super) fn pump(&mut self, channel: u16, handle: u32) {
        let stop = loop {
            match self.fetch(channel, handle) {
                Ok(entry) => {
                    if !self.deliver(channel, handle, entry) {
                        return;
                    }
                }
                Err(stop) => break stop,
            }
        };
        if !matches!(stop, Stop::Empty) {
            self.pass(channel, handle);
        }
        if !matches!(stop, Stop::Blocked) {
            self.finish_drain(channel, handle);
        }
    }

    fn fetch(&mut self, channel: u16, handle: u32) -> Result<Entry, Stop> {
        self.send_frames(channel);
        let has_room = self.has_room();
        let shared = std::sync::Arc::clone(&self.shared);
        let Some(session) = self.session(channel) else {
            return Err(Stop::Blocked);
        };
        let (window, is_busy) = (session.outgoing_left, session.outgoing.is_some());
        let Some(Link::Outlet(outlet)) = session.links.get(&handle) else {
            return Err(Stop::Blocked);
        };
        if outlet.credit == 0 {
            return Err(Stop::Credit);
        }
        if !has_room {
            self.is_blocked = true;
            return Err(Stop::Blocked);
        }
        if window == 0 || is_busy || session.held.is_some() {
            return Err(Stop::Blocked);
        }
        match shared.broker.take(&outlet.queue, outlet.number) {
            Take::Entry(entry) => Ok(entry),
            Take::Wait => Err(Stop::Empty),
        }
    }

    /// Lets another reader of the queue have what this link may have been woken for.
    fn pass(&mut self, channel: u16, handle: u32) {
        if let Some(Channel::Active(session)) = self.channels.get(&channel)
            && let Some(Link::Outlet(outlet)) = session.links.get(&handle)
        {
            self.shared.broker.pass(&outlet.queue, outlet.number);
        }
    }

    /// Starts a delivery; tells whether the session lives on.
    fn deliver(&mut self, channel: u16, handle: u32, entry: Entry) -> bool {
        let Some(session) = self.session(channel) else {
            return false;
        };
        let delivery = session.next_delivery;
        let Some(Link::Outlet(outlet)) = session.links.get_mut(&handle) else {
            return false;
        };
        let front = message::front(&entry);
        let size = front.len() + entry.message.bare.len();
        let unsettled = Unsettled {
            link: outlet.number,
            queue: outlet.queue.clone(),
            position: entry.position,
        };
        let limit = outlet.message_size.unwrap_or(u64::MAX);
        if size as u64 > limit {
            session.unsettled.insert(delivery, unsettled);
            let what =
                format!("a message of {size} bytes is above the link's max-message-size {limit}");
            self.end(
                channel,
                &Refusal::new(condition::MESSAGE_SIZE_EXCEEDED, what),
            );
            return false;
        }
        let outgoing = outlet.begin(delivery, joined(front, &entry.message.bare));
        let is_settled = outlet.is_settled;
        session.next_delivery = delivery.wrapping_add(1);
        session.outgoing = Some(outgoing);
        self.record_delivered(&unsettled, delivery, &entry);
        if is_settled {
            self.settle(delivery, &unsettled, Settlement::Accepted, None);
        } else if let Some(session) = self.session(channel) {
            session.unsettled.insert(delivery, unsettled);
        }
        self.send_frames(channel);
        true
    }

    fn record_delivered(&self, to: &Unsettled, delivery: u32, entry: &Entry) {
        self.shared.record(Event::BusDelivered {
            connection: self.connection,
            link: to.link,
            user: self.user.clone(),
            queue: to.queue.clone(),
            message: entry.message.number,
            delivery,
            delivery_count: entry.failures,
        });
    }

    /// Sends as many frames of the session's current delivery as window and write buffer take.
    fn send_frames(&mut self, channel: u16) {
        let most = self.frame_size.saturating_sub(BESIDE_PAYLOAD).max(1);
        loop {
            let has_room = self.has_room();
            let Some(session) = self.session(channel) else {
                return;
            };
            let Some(outgoing) = &mut session.outgoing else {
                return;
            };
            if !has_room {
                self.is_blocked = true;
                return;
            }
            if session.outgoing_left == 0 {
                return;
            }
            let piece = outgoing.payload.split_to(most.min(outgoing.payload.len()));
            let more = outgoing.payload.has_remaining();
            let transfer = outgoing.transfer(more);
            if !more {
                session.outgoing = None;
            }
            session.outgoing_left -= 1;
            session.next_outgoing = session.next_outgoing.wrapping_add(1);
            self.send(channel, &Performative::Transfer(transfer), &piece);
        }
    }

    /// A link that drains and has nothing more to send gives its credit back.
    fn finish_drain(&mut self, channel: u16, handle: u32) {
        let Some(session) = self.session(channel) else {
            return;
        };
        let is_busy = session.outgoing.is_some();
        let Some(Link::Outlet(outlet)) = session.links.get_mut(&handle) else {
            return;
        };
        if !outlet.drain || is_busy {
            return;
        }
        outlet.delivery_count = outlet.delivery_count.wrapping_add(outlet.credit);
        outlet.credit = 0;
        self.send_link_flow(channel, handle);
        if let Some(session) = self.session(channel)
            && let Some(Link::Outlet(outlet)) = session.links.get_mut(&handle)
        {
            outlet.drain = false;
        }
        // The queue must not wake a link without credit.
        self.pass(channel, handle);
    }
}

impl Outlet {
    /// Uses a credit up for a delivery.
    fn begin(&mut self, delivery: u32, payload: Bytes) -> Outgoing {
        let tag = self.tag;
        self.tag = tag.wrapping_add(1);
        self.delivery_count = self.delivery_count.wrapping_add(1);
        self.credit = self.credit.saturating_sub(1);
        Outgoing {
            link: self.number,
            handle: self.handle,
            delivery,
            tag,
            is_settled: self.is_settled,
            payload,
        }
    }
}

impl Outgoing {
    /// RabbitMQ repeats id and tag on every frame.
    fn transfer(&self, more: bool) -> Transfer {
        Transfer {
            handle: Handle(self.handle),
            delivery_id: Some(self.delivery),
            delivery_tag: Some(DeliveryTag::from(self.tag.to_be_bytes().to_vec())),
            message_format: Some(0),
            settled: Some(self.is_settled),
            more,
            rcv_settle_mode: None,
            state: None,
            resume: false,
            aborted: false,
            batchable: false,
        }
    }
}

fn joined(front: Bytes, bare: &Bytes) -> Bytes {
    let mut whole = BytesMut::with_capacity(front.len() + bare.len());
    whole.extend_from_slice(&front);
    whole.extend_from_slice(bare);
    whole.freeze()
}
