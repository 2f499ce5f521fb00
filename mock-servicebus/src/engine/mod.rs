//! The protocol engine: connection, sessions and links as plain values. Frames go in, bytes and orders come out; it opens no
//! socket and waits for nothing (contract 06 section 7). Queues are called directly, because they do no I/O either.

mod attach;
mod disposition;
mod ending;
mod fault;
mod incoming;
mod link;
mod open;
mod outgoing;
mod serial;
mod session;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use fe2o3_amqp_types::definitions::{Error, ErrorCondition};
use fe2o3_amqp_types::performatives::{Close, End, Performative};
use serde_amqp::primitives::Symbol;
use testbed::evidence::{ClosedBy, Direction, Event};

use crate::queue::{Mailbox, Post};
use crate::refusal::{Refusal, condition};
use crate::shared::Shared;
use crate::wire::frame::{self, FrameError, FrameKind, RawFrame};
use crate::wire::{Malformed, performative};
use fault::Deferred;
use session::Session;

/// Most frames that wait behind a delayed answer.
const MOST_HELD: usize = 256;

/// One connection, from the end of SASL on.
#[derive(Debug)]
pub(crate) struct Engine {
    shared: Arc<Shared>,
    mailbox: Arc<Mailbox>,
    connection: u64,
    user: String,
    phase: Phase,
    /// Largest frame the peer takes, and we send.
    frame_size: usize,
    channel_max: u16,
    heartbeat: Option<Duration>,
    channels: BTreeMap<u16, Channel>,
    /// Where each link of this connection is: channel and the peer's handle.
    links: BTreeMap<u64, (u16, u32)>,
    /// Bytes of messages that have come in part.
    partial_bytes: usize,
    out: BytesMut,
    /// Whether messages waited for room in `out`.
    is_blocked: bool,
    orders: VecDeque<Order>,
    deferred: BTreeMap<u64, Deferred>,
    next_token: u64,
}

/// Where the connection stands.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Phase {
    /// The peer's `open` has not come.
    Fresh,
    /// A fault holds the answer to `open` back; frames wait.
    Held(VecDeque<HeldFrame>),
    Open,
    /// We have sent `close`; `again` tells whether the peer's is answered by a second one, as RabbitMQ's operator does.
    Closing {
        again: bool,
    },
    Over,
}

/// A frame that waits behind a delayed answer.
type HeldFrame = (u16, Performative, Bytes);

/// A channel that has been begun.
#[derive(Debug)]
enum Channel {
    Active(Box<Session>),
    /// We ended it with an error; what the peer sent before it knew is ignored.
    Ended,
}

/// What the one who moves the bytes has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Call [`Engine::on_timer`] with the token after this time.
    Timer { after: Duration, token: u64 },
    /// Send what is left, then end the connection.
    Finish,
    /// Send what is left, then wait this long for the peer's close.
    FinishAfter(Duration),
    /// End the connection at once with a reset.
    Reset,
}

impl Engine {
    pub(crate) fn new(
        shared: Arc<Shared>,
        mailbox: Arc<Mailbox>,
        connection: u64,
        user: String,
    ) -> Self {
        Self {
            shared,
            mailbox,
            connection,
            user,
            phase: Phase::Fresh,
            frame_size: 512,
            channel_max: 0,
            heartbeat: None,
            channels: BTreeMap::new(),
            links: BTreeMap::new(),
            partial_bytes: 0,
            out: BytesMut::new(),
            is_blocked: false,
            orders: VecDeque::new(),
            deferred: BTreeMap::new(),
            next_token: 1,
        }
    }

    /// Bytes on their way to the peer; whoever sends them takes them from the front and then calls [`Self::on_written`].
    pub(crate) fn output(&mut self) -> &mut BytesMut {
        &mut self.out
    }

    /// The next order, in their order.
    pub(crate) fn order(&mut self) -> Option<Order> {
        self.orders.pop_front()
    }

    /// How often the peer wants to hear from us, once it has said so.
    pub(crate) fn heartbeat(&self) -> Option<Duration> {
        self.heartbeat
    }

    /// Whether `open` frames have been exchanged and nobody has closed.
    pub(crate) fn is_open(&self) -> bool {
        self.phase == Phase::Open
    }

    /// Whether the connection has ended in an orderly way, so that nothing more is read.
    pub(crate) fn is_over(&self) -> bool {
        self.phase == Phase::Over
    }

    /// Whether the peer has let more bytes pile up than is bearable.
    pub(crate) fn is_overfull(&self) -> bool {
        self.out.len() > self.shared.config.limits.write_buffer
    }

    /// Largest frame that is taken now. Until `open` it is the announced limit as well: clients send large ones.
    pub(crate) fn frame_limit(&self) -> usize {
        self.shared.config.limits.frame_size as usize
    }

    /// Takes a frame in.
    pub(crate) fn on_frame(&mut self, frame: &RawFrame) {
        if frame.kind != FrameKind::Amqp {
            self.close(Refusal::new(
                condition::FRAMING_ERROR,
                "a SASL frame where AMQP frames belong",
            ));
            return;
        }
        if frame.body.is_empty() {
            // A heartbeat.
            return;
        }
        match performative::decode(&frame.body) {
            Ok((performative, payload)) => {
                self.record_frame(Direction::In, frame.channel, &performative, &frame.raw);
                self.dispatch(frame.channel, performative, payload);
            }
            Err(malformed) => self.on_malformed(&malformed),
        }
    }

    /// The peer has broken the framing.
    pub(crate) fn on_frame_error(&mut self, error: FrameError) {
        self.close(Refusal::new(condition::FRAMING_ERROR, error.to_string()));
    }

    fn on_malformed(&mut self, malformed: &Malformed) {
        self.close(Refusal::new(condition::DECODE_ERROR, malformed.to_string()));
    }

    /// Looks through what queues and operator have put into the mailbox.
    pub(crate) fn on_post(&mut self, post: Post) {
        for link in post.deleted {
            self.queue_deleted(link);
        }
        for link in post.woken {
            if let Some((channel, handle)) = self.links.get(&link).copied() {
                self.pump(channel, handle);
            }
        }
        if let Some(explanation) = post.close {
            self.close_by_operator(&explanation);
        }
    }

    /// Bytes were sent; messages that waited for room go on.
    pub(crate) fn on_written(&mut self) {
        if self.is_blocked && self.has_room() {
            self.is_blocked = false;
            self.pump_all();
        }
    }

    fn has_room(&self) -> bool {
        self.out.len() < self.shared.config.limits.write_buffer / 2
    }

    fn dispatch(&mut self, channel: u16, performative: Performative, payload: Bytes) {
        match (&mut self.phase, performative) {
            (Phase::Over, _) => {}
            (Phase::Closing { again }, Performative::Close(_)) => {
                let again = *again;
                self.close_answered(again);
            }
            (Phase::Closing { .. }, _) => {}
            (Phase::Held(frames), performative) => {
                frames.push_back((channel, performative, payload));
                if frames.len() > MOST_HELD {
                    self.orders.push_back(Order::Reset);
                }
            }
            (Phase::Fresh, Performative::Open(open)) => self.on_open(open),
            (Phase::Fresh, _) => self.close(Refusal::new(
                condition::NOT_ALLOWED,
                "the first frame must be open",
            )),
            (Phase::Open, Performative::Open(_)) => {
                self.close(Refusal::new(
                    condition::NOT_ALLOWED,
                    "the connection is open already",
                ));
            }
            (Phase::Open, Performative::Close(close)) => self.on_close(close),
            (Phase::Open, Performative::Begin(begin)) => self.on_begin(channel, &begin),
            (Phase::Open, performative) => self.in_session(channel, performative, payload),
        }
    }

    fn in_session(&mut self, channel: u16, performative: Performative, payload: Bytes) {
        let session = match self.channels.get_mut(&channel) {
            Some(Channel::Active(session)) => session,
            Some(Channel::Ended) => {
                if matches!(performative, Performative::End(_)) {
                    self.channels.remove(&channel);
                }
                return;
            }
            None => {
                let what = format!("frame on channel {channel}, where no session has begun");
                self.close(Refusal::new(condition::NOT_ALLOWED, what));
                return;
            }
        };
        if let Some(held) = &mut session.held {
            held.push_back((channel, performative, payload));
            if held.len() > MOST_HELD {
                self.orders.push_back(Order::Reset);
            }
            return;
        }
        match performative {
            Performative::Attach(attach) => self.on_attach(channel, attach),
            Performative::Flow(flow) => self.on_flow(channel, &flow),
            Performative::Transfer(transfer) => self.on_transfer(channel, transfer, &payload),
            Performative::Disposition(disposition) => self.on_disposition(channel, disposition),
            Performative::Detach(detach) => self.on_detach(channel, &detach),
            Performative::End(end) => self.on_end(channel, end),
            // The dispatch above has taken these.
            Performative::Open(_) | Performative::Begin(_) | Performative::Close(_) => {}
        }
    }

    fn session(&mut self, channel: u16) -> Option<&mut Session> {
        match self.channels.get_mut(&channel) {
            Some(Channel::Active(session)) => Some(session),
            _ => None,
        }
    }

    /// Sends a frame.
    fn send(&mut self, channel: u16, performative: &Performative, payload: &[u8]) {
        let bytes = frame::encode(channel, performative, payload);
        self.record_frame(Direction::Out, channel, performative, &bytes);
        self.out.extend_from_slice(&bytes);
    }

    fn record_frame(
        &self,
        direction: Direction,
        channel: u16,
        performative: &Performative,
        raw: &[u8],
    ) {
        if self.shared.config.record_frames {
            self.shared.record(Event::BusFrame {
                connection: self.connection,
                direction,
                channel,
                performative: frame::name(performative).to_owned(),
                raw: self.shared.journal.blob(raw),
            });
        }
    }

    /// Ends a session with an error: RabbitMQ's way to refuse.
    fn end(&mut self, channel: u16, refusal: &Refusal) {
        self.drop_session(channel, ClosedBy::Mock, Some(&refusal.condition));
        self.channels.insert(channel, Channel::Ended);
        let end = End {
            error: Some(error(refusal)),
        };
        self.send(channel, &Performative::End(end), &[]);
    }

    /// Closes the connection with an error.
    fn close(&mut self, refusal: Refusal) {
        const FOR_THE_ANSWER: Duration = Duration::from_secs(3);
        if matches!(self.phase, Phase::Closing { .. } | Phase::Over) {
            return;
        }
        let is_fresh = matches!(self.phase, Phase::Fresh | Phase::Held(_));
        self.drop_all(ClosedBy::Mock, Some(&refusal.condition));
        if is_fresh {
            self.send_open();
        }
        let close = Close {
            error: Some(error(&refusal)),
        };
        self.send(0, &Performative::Close(close), &[]);
        self.record_closed(ClosedBy::Mock, Some(refusal));
        self.phase = Phase::Closing { again: false };
        self.orders.push_back(Order::FinishAfter(FOR_THE_ANSWER));
    }

    fn defer(&mut self, after: Duration, deferred: Deferred) {
        let token = self.next_token;
        self.next_token += 1;
        self.deferred.insert(token, deferred);
        self.orders.push_back(Order::Timer { after, token });
    }
}

/// The error as it stands in `close`, `end`, `detach` and `rejected`.
fn error(refusal: &Refusal) -> Error {
    let condition = ErrorCondition::Custom(Symbol::from(refusal.condition.as_str()));
    Error::new(condition, Some(refusal.description.clone()), None)
}
