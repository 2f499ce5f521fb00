//! Sessions: beginning, windows and flow (AMQP 1.0 part 2 section 2.5, contract 01 section 1.8).

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use fe2o3_amqp_types::definitions::Handle;
use fe2o3_amqp_types::performatives::{Begin, Flow, Performative};

use super::link::{Link, Outgoing, Unsettled};
use super::{Channel, Engine, HeldFrame, serial};
use crate::refusal::{Refusal, condition};

/// Where the transfer numbers begin when the window is strict: RabbitMQ 4's number.
const STRICT_START: u32 = 4_294_967_292;

/// A session.
#[derive(Debug)]
pub(super) struct Session {
    /// Number of the next transfer from the peer.
    pub(super) next_incoming: u32,
    /// Frames that the peer may still send.
    pub(super) incoming_left: u32,
    pub(super) next_outgoing: u32,
    /// Frames that we may still send.
    pub(super) outgoing_left: u32,
    pub(super) next_delivery: u32,
    pub(super) peer_handle_max: u32,
    /// By the peer's handle.
    pub(super) links: BTreeMap<u32, Link>,
    /// Handles of links that we have detached; the peer may not know yet.
    pub(super) detached: BTreeSet<u32>,
    pub(super) unsettled: BTreeMap<u32, Unsettled>,
    /// The delivery whose frames are going out; the next begins after it.
    pub(super) outgoing: Option<Outgoing>,
    /// Frames that wait behind a delayed answer to an attach.
    pub(super) held: Option<VecDeque<HeldFrame>>,
}

impl Session {
    /// The lowest handle that is free on our side.
    pub(super) fn free_handle(&self) -> Option<u32> {
        let used: BTreeSet<u32> = self.links.values().map(Link::handle).collect();
        (0..=self.peer_handle_max).find(|handle| !used.contains(handle))
    }

    /// The session's part of a flow frame.
    pub(super) fn flow(&self) -> Flow {
        Flow {
            next_incoming_id: Some(self.next_incoming),
            incoming_window: self.incoming_left,
            next_outgoing_id: self.next_outgoing,
            outgoing_window: u32::MAX,
            handle: None,
            delivery_count: None,
            link_credit: None,
            available: None,
            drain: false,
            echo: false,
            properties: None,
        }
    }
}

impl Engine {
    pub(super) fn on_begin(&mut self, channel: u16, begin: &Begin) {
        if channel > self.channel_max {
            let what = format!(
                "channel {channel} is above channel-max {}",
                self.channel_max
            );
            return self.close(Refusal::new(condition::FRAMING_ERROR, what));
        }
        if matches!(self.channels.get(&channel), Some(Channel::Active(_))) {
            let what = format!("channel {channel} has a session already");
            return self.close(Refusal::new(condition::NOT_ALLOWED, what));
        }
        if begin.remote_channel.is_some() {
            let what = "the bus has begun no session that this could answer";
            return self.close(Refusal::new(condition::NOT_ALLOWED, what));
        }
        let config = &self.shared.config;
        let window = config.limits.incoming_window;
        let start = if config.rules.strict_session_window {
            STRICT_START
        } else {
            0
        };
        let handle_max = Handle(config.limits.links.saturating_sub(1));
        let session = Session {
            next_incoming: begin.next_outgoing_id,
            incoming_left: window,
            next_outgoing: start,
            outgoing_left: begin.incoming_window,
            next_delivery: 0,
            peer_handle_max: begin.handle_max.0,
            links: BTreeMap::new(),
            detached: BTreeSet::new(),
            unsettled: BTreeMap::new(),
            outgoing: None,
            held: None,
        };
        self.channels
            .insert(channel, Channel::Active(Box::new(session)));
        let answer = Begin {
            remote_channel: Some(channel),
            next_outgoing_id: start,
            incoming_window: window,
            outgoing_window: u32::MAX,
            handle_max,
            offered_capabilities: None,
            desired_capabilities: None,
            properties: None,
        };
        self.send(channel, &Performative::Begin(answer), &[]);
    }

    pub(super) fn on_flow(&mut self, channel: u16, flow: &Flow) {
        let is_strict = self.shared.config.rules.strict_session_window;
        let Some(session) = self.session(channel) else {
            return;
        };
        let next = session.next_outgoing;
        // Before it has seen our begin the peer cannot know where we begin, and leaves the number out.
        let seen = flow
            .next_incoming_id
            .unwrap_or(if is_strict { STRICT_START } else { 0 });
        if is_strict && serial::is_after(seen, next) {
            let what =
                format!("next-incoming-id from FLOW ({seen}) leads next-outgoing-id ({next})");
            return self.end(channel, &Refusal::new(condition::WINDOW_VIOLATION, what));
        }
        session.outgoing_left = serial::room(seen, flow.incoming_window, next);
        match &flow.handle {
            None if flow.echo => self.send_session_flow(channel),
            None => {}
            Some(handle) => self.on_link_flow(channel, handle.0, flow),
        }
        self.pump_session(channel);
    }

    /// Takes a link's flow in.
    fn on_link_flow(&mut self, channel: u16, handle: u32, flow: &Flow) {
        let Some(session) = self.session(channel) else {
            return;
        };
        match session.links.get_mut(&handle) {
            Some(Link::Outlet(outlet)) => {
                let seen = flow.delivery_count.unwrap_or(0);
                if let Some(credit) = flow.link_credit {
                    outlet.credit = serial::room(seen, credit, outlet.delivery_count);
                }
                outlet.drain = flow.drain;
            }
            Some(Link::Inlet(_)) => {}
            None if session.detached.contains(&handle) => return,
            None => {
                let what = format!("flow for the handle {handle}, which has no link");
                return self.end(channel, &Refusal::new(condition::UNATTACHED_HANDLE, what));
            }
        }
        // A drain is answered when it is done.
        if flow.echo && !flow.drain {
            self.send_link_flow(channel, handle);
        }
    }

    pub(super) fn send_session_flow(&mut self, channel: u16) {
        let Some(session) = self.session(channel) else {
            return;
        };
        let flow = session.flow();
        self.send(channel, &Performative::Flow(flow), &[]);
    }

    /// Tells the peer how a link stands.
    pub(super) fn send_link_flow(&mut self, channel: u16, handle: u32) {
        let broker = &self.shared.broker;
        let Some(Channel::Active(session)) = self.channels.get(&channel) else {
            return;
        };
        let mut flow = session.flow();
        match session.links.get(&handle) {
            Some(Link::Outlet(outlet)) => {
                flow.handle = Some(Handle(outlet.handle));
                flow.delivery_count = Some(outlet.delivery_count);
                flow.link_credit = Some(outlet.credit);
                flow.available =
                    Some(u32::try_from(broker.ready(&outlet.queue)).unwrap_or(u32::MAX));
                flow.drain = outlet.drain;
            }
            Some(Link::Inlet(inlet)) => {
                flow.handle = Some(Handle(inlet.handle));
                flow.delivery_count = Some(inlet.delivery_count);
                flow.link_credit = Some(inlet.credit);
            }
            None => return,
        }
        self.send(channel, &Performative::Flow(flow), &[]);
    }

    /// Counts a frame of a transfer against the session's window; tells whether the session lives on.
    pub(super) fn count_incoming(&mut self, channel: u16) -> bool {
        let window = self.shared.config.limits.incoming_window;
        let Some(session) = self.session(channel) else {
            return false;
        };
        session.next_incoming = session.next_incoming.wrapping_add(1);
        let Some(left) = session.incoming_left.checked_sub(1) else {
            let what = "more transfers than the incoming-window allows";
            self.end(channel, &Refusal::new(condition::WINDOW_VIOLATION, what));
            return false;
        };
        session.incoming_left = left;
        if left <= window / 2 {
            session.incoming_left = window;
            self.send_session_flow(channel);
        }
        true
    }
}
