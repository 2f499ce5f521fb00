//! Checks: what is judged about a scenario, with typed parameters. The judging itself lies in [`crate::check`].

use std::time::Duration;

use crate::Text;

/// A check with the texts for the case that it fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// What is judged.
    pub check: Check,
    /// Reason code of a failure, where the contract has a word of its own for it (`calls-keep-failing`).
    pub reason: Option<String>,
    /// What went wrong, for a reader who knows nothing of the check.
    pub fail: Text,
    /// What the vendor should change.
    pub mend: Text,
}

/// What is judged. `step` names the step whose exchange is meant. The comment of each begins with its name in scenario
/// files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Check {
    /// `valid-reply`: every request of the step got exactly one valid reply with its own correlation-id, on the queue that
    /// it named (contract 03 section 1.6, VR1-VR5).
    ValidReply {
        /// Step with `communication-test`.
        step: String,
    },
    /// `valid-reply-below`: as `valid-reply`, and the reply was on the bus in less than the limit after the request.
    ValidReplyBelow {
        /// Step with `communication-test`.
        step: String,
        /// T_in has to be below it (contract 03 section 1.5).
        limit: Duration,
    },
    /// `request-settled`: the system under test settled every request of the step as accepted within 30 s of its delivery.
    RequestSettled {
        /// Step with `communication-test`.
        step: String,
    },
    /// `outcome-below`: the call has an outcome in less than the limit: a valid reply, an error message for the request,
    /// or the request given back (contract 03 section 7.10 items 3 and 4).
    OutcomeBelow {
        /// Step with `communication-test`.
        step: String,
        /// Longest time from request to outcome.
        limit: Duration,
    },
    /// `status-asked`: a status request for the signer's CA was seen before the reply (REV-01).
    StatusAsked {
        /// Step with `communication-test`.
        step: String,
    },
    /// `no-reply-without-status`: no valid reply before a status answer for the signer was delivered whole.
    NoReplyWithoutStatus {
        /// Step with `communication-test`.
        step: String,
    },
    /// `no-new-download`: no full download of the CRL began during the call (REV-06).
    NoNewDownload {
        /// Step with `communication-test`.
        step: String,
    },
    /// `refused`: no effect, and the message is reported, given back, dead-lettered or expired, and not left unsettled.
    /// With `condition` it has to be reported; another condition of contract 03 section 5.2 is a deviation.
    Refused {
        /// Step with `communication-test`.
        step: String,
        /// The error condition that is expected.
        condition: Option<String>,
        /// How long after the request the refusal may come.
        within: Duration,
    },
    /// `refused-without-status`: no valid reply without a status; given back or reported in time (contract 03 section 5.3).
    RefusedWithoutStatus {
        /// Step with `communication-test`.
        step: String,
        /// How long after the delivery the refusal may come.
        within: Duration,
    },
    /// `outbound-valid`: helsenorge's checks V01-V19 of the request that the system under test sent (V16 is recorded only).
    OutboundValid {
        /// Step with `run-komtest`.
        step: String,
    },
    /// `reply-settled`: the system under test settled helsenorge's reply as accepted within 30 s of its delivery.
    ReplySettled {
        /// Step with `run-komtest`.
        step: String,
    },
    /// `reports-success`: the driver reported success, after the reply to its own request had been delivered.
    ReportsSuccess {
        /// Step with `run-komtest`.
        step: String,
    },
    /// `times-out`: the driver reported a timeout in time, counted from the acceptance of the request (SYN-01).
    TimesOut {
        /// Step with `run-komtest`.
        step: String,
        /// In time.
        within: Duration,
        /// Later than `within` but not later than this is a deviation.
        deviation: Duration,
    },
    /// `not-shown-as-success`: neither the call's answer nor the later status shows success (SYN-03).
    NotShownAsSuccess {
        /// Step with `run-komtest`.
        step: String,
        /// Step with `status`.
        status: String,
    },
    /// `late-reply-settled`: the reply released for one call was settled before a later call had ended (SYN-03).
    LateReplySettled {
        /// Step with the call that timed out.
        step: String,
        /// Step with the later call.
        before: String,
    },
    /// `receivers-attached`: receivers on the asynchronous, synchronous and error queue that AR names (COM-18).
    ReceiversAttached {
        /// Step with `await-links` or `restart`.
        step: String,
        /// How long after the beginning of the step.
        within: Duration,
    },
    /// `no-foreign-queue`: no receiver on a queue of another party (COM-18).
    NoForeignQueue {},
    /// `links-back`: every receiver that was there before the outage is back in time (BUS-01).
    LinksBack {
        /// Step with `outage`.
        step: String,
        /// How long after the bus is back.
        within: Duration,
    },
    /// `no-error-for-error`: no error message came back for a bait; one or two are a deviation (ERQ-04).
    NoErrorForError {
        /// Step with `bait`.
        step: String,
    },
}

impl Check {
    /// The check's name in scenario files and reports.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::ValidReply { .. } => "valid-reply",
            Self::ValidReplyBelow { .. } => "valid-reply-below",
            Self::RequestSettled { .. } => "request-settled",
            Self::OutcomeBelow { .. } => "outcome-below",
            Self::StatusAsked { .. } => "status-asked",
            Self::NoReplyWithoutStatus { .. } => "no-reply-without-status",
            Self::NoNewDownload { .. } => "no-new-download",
            Self::Refused { .. } => "refused",
            Self::RefusedWithoutStatus { .. } => "refused-without-status",
            Self::OutboundValid { .. } => "outbound-valid",
            Self::ReplySettled { .. } => "reply-settled",
            Self::ReportsSuccess { .. } => "reports-success",
            Self::TimesOut { .. } => "times-out",
            Self::NotShownAsSuccess { .. } => "not-shown-as-success",
            Self::LateReplySettled { .. } => "late-reply-settled",
            Self::ReceiversAttached { .. } => "receivers-attached",
            Self::NoForeignQueue {} => "no-foreign-queue",
            Self::LinksBack { .. } => "links-back",
            Self::NoErrorForError { .. } => "no-error-for-error",
        }
    }

    /// The step whose exchange is judged, where there is one.
    #[must_use]
    pub fn step(&self) -> Option<&str> {
        match self {
            Self::ValidReply { step }
            | Self::ValidReplyBelow { step, .. }
            | Self::RequestSettled { step }
            | Self::OutcomeBelow { step, .. }
            | Self::StatusAsked { step }
            | Self::NoReplyWithoutStatus { step }
            | Self::NoNewDownload { step }
            | Self::Refused { step, .. }
            | Self::RefusedWithoutStatus { step, .. }
            | Self::OutboundValid { step }
            | Self::ReplySettled { step }
            | Self::ReportsSuccess { step }
            | Self::TimesOut { step, .. }
            | Self::NotShownAsSuccess { step, .. }
            | Self::LateReplySettled { step, .. }
            | Self::ReceiversAttached { step, .. }
            | Self::LinksBack { step, .. }
            | Self::NoErrorForError { step } => Some(step),
            Self::NoForeignQueue {} => None,
        }
    }

    /// Every step that it looks at.
    #[must_use]
    pub fn steps(&self) -> Vec<&str> {
        let other = match self {
            Self::NotShownAsSuccess { status, .. } => Some(status.as_str()),
            Self::LateReplySettled { before, .. } => Some(before.as_str()),
            _ => None,
        };
        self.step().into_iter().chain(other).collect()
    }
}
