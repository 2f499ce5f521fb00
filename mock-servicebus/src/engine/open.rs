//! `open`: what the peer says of itself, and what is refused there (contract 01 section 1.8).

use std::collections::BTreeMap;
use std::time::Duration;

use fe2o3_amqp_types::performatives::{Open, Performative};
use serde_amqp::Value;
use serde_amqp::primitives::Symbol;
use testbed::evidence::Event;

use super::fault::Deferred;
use super::{Engine, Order, Phase};
use crate::refusal::{Refusal, condition};

/// Smallest frame size and shortest idle time that RabbitMQ accepts of a client.
const SMALLEST_FRAME: u32 = 512;
const SHORTEST_IDLE: u32 = 1000;

impl Engine {
    pub(super) fn on_open(&mut self, open: Open) {
        let user = self.user.clone();
        match self.meet("open", &user) {
            Some(hit) => self.open_fault(hit, open),
            None => self.open(&open),
        }
    }

    /// Answers `open`.
    pub(super) fn open(&mut self, open: &Open) {
        let limits = &self.shared.config.limits;
        let peer_frame: u32 = open.max_frame_size.0;
        self.frame_size = usize::try_from(peer_frame.min(limits.frame_size)).unwrap_or(usize::MAX);
        self.channel_max = open.channel_max.0.min(limits.sessions.saturating_sub(1));
        // Half of what the peer bears, so that it never comes near its limit.
        self.heartbeat = open
            .idle_time_out
            .filter(|idle| *idle > 0)
            .map(|idle| Duration::from_millis(u64::from(idle / 2).max(1)));
        self.shared.record(Event::BusOpened {
            connection: self.connection,
            user: self.user.clone(),
            container: open.container_id.clone(),
            hostname: open.hostname.clone(),
            properties: texts(open),
        });
        if let Some(refusal) = refused(open) {
            self.frame_size = self.frame_size.max(SMALLEST_FRAME as usize);
            return self.refuse_open(refusal);
        }
        self.send_open();
        self.phase = Phase::Open;
    }

    fn refuse_open(&mut self, refusal: Refusal) {
        if self.shared.config.rules.silent_open_refusal {
            self.record_closed(testbed::evidence::ClosedBy::Mock, Some(refusal));
            self.phase = Phase::Over;
            self.defer(
                self.shared.config.rules.login_refusal_delay,
                Deferred::Reset,
            );
        } else {
            self.close(refusal);
        }
    }

    pub(super) fn send_open(&mut self) {
        let config = &self.shared.config;
        let mut properties = fe2o3_amqp_types::definitions::Fields::new();
        for (key, value) in [
            ("product", "mock-servicebus"),
            ("version", env!("CARGO_PKG_VERSION")),
        ] {
            properties.insert(Symbol::from(key), Value::String(value.to_owned()));
        }
        let open = Open {
            container_id: config.container_id.clone(),
            hostname: None,
            max_frame_size: config.limits.frame_size.into(),
            channel_max: self.channel_max.into(),
            idle_time_out: Some(
                u32::try_from(config.limits.idle_time_out.as_millis()).unwrap_or(u32::MAX),
            ),
            outgoing_locales: None,
            incoming_locales: None,
            offered_capabilities: None,
            desired_capabilities: None,
            properties: Some(properties),
        };
        self.send(0, &Performative::Open(open), &[]);
    }

    /// Goes on after the answer to `open` was held back.
    pub(super) fn open_now(&mut self, open: &Open) {
        let Phase::Held(frames) = std::mem::replace(&mut self.phase, Phase::Fresh) else {
            return;
        };
        self.open(open);
        for (channel, performative, payload) in frames {
            self.dispatch(channel, performative, payload);
        }
    }

    pub(super) fn hold_open(&mut self) {
        self.phase = Phase::Held(std::collections::VecDeque::new());
    }

    pub(super) fn reset(&mut self) {
        self.orders.push_back(Order::Reset);
    }
}

fn refused(open: &Open) -> Option<Refusal> {
    if open.max_frame_size.0 < SMALLEST_FRAME {
        let what = format!(
            "max-frame-size {} is below {SMALLEST_FRAME}",
            open.max_frame_size.0
        );
        return Some(Refusal::new(condition::FRAME_SIZE_TOO_SMALL, what));
    }
    if let Some(idle) = open
        .idle_time_out
        .filter(|idle| *idle > 0 && *idle < SHORTEST_IDLE)
    {
        let what = format!("idle-time-out {idle} is below {SHORTEST_IDLE} milliseconds");
        return Some(Refusal::new(condition::NOT_ALLOWED, what));
    }
    // A virtual host is asked for as `vhost:<name>`; any other host name means the default one.
    match open
        .hostname
        .as_deref()
        .and_then(|host| host.strip_prefix("vhost:"))
    {
        None | Some("/") => None,
        Some(name) => {
            let what = format!("there is no virtual host '{name}'");
            Some(Refusal::new(condition::UNAUTHORIZED_ACCESS, what))
        }
    }
}

fn texts(open: &Open) -> BTreeMap<String, String> {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Symbol(text) => text.as_str().to_owned(),
        other => format!("{other:?}"),
    };
    let entries = open
        .properties
        .iter()
        .flat_map(|properties| properties.iter());
    entries
        .map(|(key, value)| (key.as_str().to_owned(), text(value)))
        .collect()
}
