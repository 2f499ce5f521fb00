//! The ends of links, sessions and connections, and what they mean for deliveries that are not settled: a detach gives them
//! back, everything else counts as a failed attempt (contract 01 section 3.3).

use std::time::Duration;

use fe2o3_amqp_types::definitions::Handle;
use fe2o3_amqp_types::performatives::{Close, Detach, End, Performative};
use testbed::evidence::{ClosedBy, Event};

use super::disposition::text;
use super::link::Link;
use super::session::Session;
use super::{Channel, Engine, Order, Phase, error};
use crate::queue::Settlement;
use crate::refusal::{Refusal, condition};

/// How long the peer may take to answer a close.
const CLOSE_LIMIT: Duration = Duration::from_secs(3);

impl Engine {
    // --- links ---

    pub(super) fn on_detach(&mut self, channel: u16, detach: &Detach) {
        let Some(session) = self.session(channel) else {
            return;
        };
        let handle = detach.handle.0;
        let Some(link) = session.links.remove(&handle) else {
            if !session.detached.remove(&handle) {
                let what = format!("detach of the handle {handle}, which has no link");
                self.end(channel, &Refusal::new(condition::UNATTACHED_HANDLE, what));
            }
            return;
        };
        let reason = detach.error.as_ref().map(|error| text(&error.condition));
        self.drop_link(channel, &link, ClosedBy::Peer, reason.as_deref());
        let answer = Detach {
            handle: Handle(link.handle()),
            closed: detach.closed,
            error: None,
        };
        self.send(channel, &Performative::Detach(answer), &[]);
        self.pump_session(channel);
    }

    /// Detaches a link from our side, for good.
    pub(super) fn detach(&mut self, channel: u16, handle: u32, refusal: Option<&Refusal>) {
        let Some(session) = self.session(channel) else {
            return;
        };
        let Some(link) = session.links.remove(&handle) else {
            return;
        };
        session.detached.insert(handle);
        let reason = refusal.map(|refusal| refusal.condition.as_str());
        self.drop_link(channel, &link, ClosedBy::Mock, reason);
        let detach = Detach {
            handle: Handle(link.handle()),
            closed: true,
            error: refusal.map(error),
        };
        self.send(channel, &Performative::Detach(detach), &[]);
        self.pump_session(channel);
    }

    pub(super) fn queue_deleted(&mut self, link: u64) {
        if let Some((channel, handle)) = self.links.get(&link).copied() {
            let refusal = Refusal::new(condition::RESOURCE_DELETED, "the queue was removed");
            self.detach(channel, handle, Some(&refusal));
        }
    }

    /// Forgets a link that was taken out of its session.
    fn drop_link(&mut self, channel: u16, link: &Link, by: ClosedBy, reason: Option<&str>) {
        let number = link.number();
        if let Some(session) = self.session(channel) {
            if session
                .outgoing
                .as_ref()
                .is_some_and(|outgoing| outgoing.link == number)
            {
                session.outgoing = None;
            }
            let (gone, kept) = std::mem::take(&mut session.unsettled)
                .into_iter()
                .partition(|(_, unsettled)| unsettled.link == number);
            session.unsettled = kept;
            let gone: std::collections::BTreeMap<_, _> = gone;
            for (delivery, unsettled) in gone.iter().rev() {
                self.settle(*delivery, unsettled, Settlement::Detached, None);
            }
        }
        self.leave(link, by, reason);
    }

    /// The end of a link for queue and evidence.
    fn leave(&mut self, link: &Link, by: ClosedBy, reason: Option<&str>) {
        let number = link.number();
        match link {
            Link::Outlet(outlet) => self.shared.broker.unsubscribe(&outlet.queue, number),
            Link::Inlet(inlet) => {
                let partial = inlet
                    .partial
                    .as_ref()
                    .map_or(0, |partial| partial.bytes.len());
                self.partial_bytes = self.partial_bytes.saturating_sub(partial);
            }
        }
        self.links.remove(&number);
        let event = Event::BusDetached {
            connection: self.connection,
            link: number,
            queue: link.queue().map(str::to_owned),
            by,
            condition: reason.map(str::to_owned),
        };
        self.shared.link_detached(number, event);
    }

    // --- sessions ---

    pub(super) fn on_end(&mut self, channel: u16, end: End) {
        let reason = end.error.as_ref().map(|error| text(&error.condition));
        self.drop_session(channel, ClosedBy::Peer, reason.as_deref());
        self.send(channel, &Performative::End(End { error: None }), &[]);
    }

    /// Takes a session out of the connection; its unsettled deliveries are failed attempts.
    pub(super) fn drop_session(&mut self, channel: u16, by: ClosedBy, reason: Option<&str>) {
        if let Some(Channel::Active(session)) = self.channels.remove(&channel) {
            self.forget_session(&session, by, reason);
        }
    }

    fn forget_session(&mut self, session: &Session, by: ClosedBy, reason: Option<&str>) {
        // The readers first, so that none of them is woken for what comes back.
        for link in session.links.values() {
            if let Link::Outlet(outlet) = link {
                self.shared.broker.unsubscribe(&outlet.queue, outlet.number);
            }
        }
        for (delivery, unsettled) in &session.unsettled {
            self.settle(*delivery, unsettled, Settlement::Lost, None);
        }
        for link in session.links.values() {
            self.leave(link, by, reason);
        }
    }

    // --- the connection ---

    pub(super) fn on_close(&mut self, close: Close) {
        let refusal = close.error.map(|error| {
            let description = error.description.unwrap_or_default();
            Refusal::new(text(&error.condition), description)
        });
        let reason = refusal.as_ref().map(|refusal| refusal.condition.clone());
        self.drop_all(ClosedBy::Peer, reason.as_deref());
        self.send(0, &Performative::Close(Close { error: None }), &[]);
        self.record_closed(ClosedBy::Peer, refusal);
        self.phase = Phase::Over;
        self.orders.push_back(Order::Finish);
    }

    /// Closes as RabbitMQ's operator does (contract 01 section 14).
    pub(crate) fn close_by_operator(&mut self, explanation: &str) {
        match self.phase {
            Phase::Open => {
                let what = format!("Connection forced: <<\"{explanation}\">>");
                self.close(Refusal::new(condition::INTERNAL_ERROR, what));
                self.phase = Phase::Closing { again: true };
            }
            Phase::Fresh | Phase::Held(_) => self.orders.push_back(Order::Reset),
            Phase::Closing { .. } | Phase::Over => {}
        }
    }

    /// The peer was silent for too long.
    pub(crate) fn on_silence(&mut self) {
        let what = "no frame received from the peer within the idle time-out";
        self.close(Refusal::new(condition::RESOURCE_LIMIT_EXCEEDED, what));
    }

    /// The peer's answer to our close; RabbitMQ's operator answers that once more.
    pub(super) fn close_answered(&mut self, again: bool) {
        if again {
            self.send(0, &Performative::Close(Close { error: None }), &[]);
        }
        self.phase = Phase::Over;
        self.orders.push_back(Order::Finish);
    }

    /// The socket has ended, or is about to.
    pub(crate) fn on_lost(&mut self, by: ClosedBy, refusal: Option<Refusal>) {
        if matches!(self.phase, Phase::Closing { .. } | Phase::Over) {
            return;
        }
        let reason = refusal.as_ref().map(|refusal| refusal.condition.clone());
        self.drop_all(by, reason.as_deref());
        self.record_closed(by, refusal);
        self.phase = Phase::Over;
    }

    pub(super) fn drop_all(&mut self, by: ClosedBy, reason: Option<&str>) {
        let channels: Vec<u16> = self.channels.keys().copied().collect();
        for channel in channels {
            self.drop_session(channel, by, reason);
        }
        self.deferred.clear();
    }

    pub(super) fn record_closed(&self, by: ClosedBy, refusal: Option<Refusal>) {
        let (condition, description) = refusal
            .map(|refusal| (refusal.condition, refusal.description))
            .unzip();
        self.shared.record(Event::BusClosed {
            connection: self.connection,
            user: Some(self.user.clone()),
            by,
            condition,
            description: description.filter(|text| !text.is_empty()),
        });
    }

    /// How long the bytes may wait for the peer when the connection ends.
    pub(crate) const fn close_limit() -> Duration {
        CLOSE_LIMIT
    }
}
