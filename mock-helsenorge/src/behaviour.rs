//! What helsenorge does with a request that is in order.

use std::time::Duration;

/// How requests for a communication test are answered. Only valid requests are concerned: what is wrong is reported all
/// the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Behaviour {
    /// One reply, at once; the request is settled after the bus has accepted it.
    #[default]
    Reply,
    /// The request is settled and never answered (SYN-01).
    NoReply,
    /// One reply after a while (SYN-02, late replies).
    ReplyAfter {
        /// How long after the request was taken off the bus.
        delay: Duration,
        /// Time to live of the reply; 15 s when absent.
        ttl: Option<Duration>,
    },
    /// The reply to the first request is kept until [`crate::Handle::release_reply`]; later requests are answered as
    /// usual (SYN-03).
    HoldFirst {
        /// Time to live of the held reply once it is sent.
        ttl: Duration,
    },
    /// One reply with a random correlation-id (SYN-04).
    WrongCorrelation,
    /// The same reply several times, each with a message-id of its own (SYN-06).
    Duplicate {
        /// How often, at most [`Behaviour::MOST_COPIES`].
        copies: u32,
    },
}

impl Behaviour {
    /// Most copies of one reply.
    pub const MOST_COPIES: u32 = 10;
}
