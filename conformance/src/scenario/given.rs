//! Faults that are in place before the first step of a scenario.

use std::time::Duration;

/// A fault. The runner records `FaultInstalled` with its name ([`Given::name`], the second part) when it is in place, before
/// the first step begins, and `FaultRemoved` when it is taken away. "Status addresses" are CRL, OCSP and LDAP of the scenario's issuing CA; the root's list, AIA and the issuing
/// CA of the system under test stay healthy (contract 03 section 7.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Given {
    /// `buypass`, `delay-status`: the first byte of every status answer comes this late.
    DelayStatus {
        /// How late.
        delay: Duration,
    },
    /// `buypass`, `refuse-status`: the status addresses refuse connections.
    RefuseStatus,
    /// `buypass`, `revoke-signer`: list and responder name helsenorge's signing certificate as revoked.
    RevokeSigner,
    /// `helsenorge`, `no-reply`: takes requests off the bus, settles them and never replies.
    NoReply,
    /// `helsenorge`, `hold-reply`: keeps the reply to the first request until the act `release-reply`; it answers later
    /// requests as usual.
    HoldReply {
        /// Time to live of the held reply once it is sent.
        ttl: Duration,
    },
}

impl Given {
    /// The service and the fault's name in scenario files.
    #[must_use]
    pub fn name(self) -> (&'static str, &'static str) {
        match self {
            Self::DelayStatus { .. } => ("buypass", "delay-status"),
            Self::RefuseStatus => ("buypass", "refuse-status"),
            Self::RevokeSigner => ("buypass", "revoke-signer"),
            Self::NoReply => ("helsenorge", "no-reply"),
            Self::HoldReply { .. } => ("helsenorge", "hold-reply"),
        }
    }
}
