//! Acts: what the runner does in a step, with typed parameters.
//!
//! A step's `StepEnded::problem` tells that the *runner* could not carry the act out (it then makes the checks of this
//! and later steps inconclusive). What the system under test does or leaves undone is never a problem of a step; the
//! one exception is a missing driver, whose problem text begins with [`NEEDS_DRIVER`].

use std::time::Duration;

/// How the problem of a step begins that no driver could carry out.
pub const NEEDS_DRIVER: &str = "needs a driver";

/// A step: one act, and what is waited for before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Name, unique in the execution; evidence carries it.
    pub name: String,
    /// What is waited for first.
    pub after: Option<After>,
    /// What is done.
    pub act: Act,
}

/// What a step waits for before its act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// Until no status request of the scenario's CA has been open for 2 s; at most twice the longest delay of the
    /// execution's faults and 10 s (contract 03 section 7.10 item 5).
    NoOpenDownload,
    /// This long after the end of the step before.
    Pause(Duration),
}

/// What is done. The comment of each begins with its service and name in scenario files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// `helsenorge`, `communication-test`: helsenorge sends requests to the system under test.
    CommunicationTest(CommunicationTest),
    /// `helsenorge`, `release-reply`: the held reply goes out.
    ReleaseReply,
    /// `helsenorge`, `bait`: an error message without content-type for a message that never was; one more for each error
    /// message that comes back (contract 03 ERQ-04).
    Bait {
        /// How long error messages are waited for, counted from the first bait.
        lasting: Duration,
        /// Most messages that are sent, at most 20.
        at_most: u32,
    },
    /// `sut`, `run-komtest`: the driver starts a communication test. Ends with the driver's answer or at the deadline.
    RunKomtest {
        /// When waiting for the driver's answer ends.
        deadline: Duration,
    },
    /// `sut`, `status`: the driver is asked for the state of the request that the system under test sent in a former
    /// step. The MsgId is the one that helsenorge received in that step, else the driver's own.
    Status {
        /// The former step, one of `run-komtest`.
        of: String,
        /// When waiting for the driver's answer ends.
        deadline: Duration,
    },
    /// `sut`, `restart`: stopped and started; ends when a receiver is attached to the synchronous queue.
    Restart,
    /// `bus`, `outage`: connections are cut and the listeners closed for this long. The runner records `FaultInstalled`
    /// and `FaultRemoved` with the fault name [`Act::OUTAGE`].
    BusOutage {
        /// How long.
        lasting: Duration,
    },
    /// `ar`, `down`: register and CPPA refuse connections until `up` or the end of the steps. The runner records
    /// `FaultInstalled` and `FaultRemoved` with the fault name [`Act::REGISTER_DOWN`].
    RegisterDown,
    /// `ar`, `up`.
    RegisterUp,
    /// `buypass`, `refuse`: the status addresses refuse connections until `restore` or the end of the steps. The runner
    /// records `FaultInstalled` and `FaultRemoved` with the fault name [`Act::STATUS_REFUSED`], as for the given fault.
    RefuseStatus,
    /// `buypass`, `restore`.
    RestoreStatus,
    /// `runner`, `await-links`: waits until the asynchronous, the synchronous and the error queue of the party each have
    /// a receiver.
    AwaitLinks {
        /// When waiting ends; links that are missing then are for the checks to judge.
        at_most: Duration,
    },
    /// `runner`, `observe`: nothing is done.
    Observe {
        /// How long.
        lasting: Duration,
    },
}

impl Act {
    /// Fault name of a bus outage in evidence.
    pub const OUTAGE: &'static str = "bus-outage";
    /// Fault name of an absent register in evidence.
    pub const REGISTER_DOWN: &'static str = "register-down";
    /// Fault name of refused status connections in evidence.
    pub const STATUS_REFUSED: &'static str = "refuse-status";

    /// The service and the act's name in scenario files; evidence says `<service>.<name>` in `StepStarted::act`.
    #[must_use]
    pub fn name(&self) -> (&'static str, &'static str) {
        match self {
            Self::CommunicationTest(_) => ("helsenorge", "communication-test"),
            Self::ReleaseReply => ("helsenorge", "release-reply"),
            Self::Bait { .. } => ("helsenorge", "bait"),
            Self::RunKomtest { .. } => ("sut", "run-komtest"),
            Self::Status { .. } => ("sut", "status"),
            Self::Restart => ("sut", "restart"),
            Self::BusOutage { .. } => ("bus", "outage"),
            Self::RegisterDown => ("ar", "down"),
            Self::RegisterUp => ("ar", "up"),
            Self::RefuseStatus => ("buypass", "refuse"),
            Self::RestoreStatus => ("buypass", "restore"),
            Self::AwaitLinks { .. } => ("runner", "await-links"),
            Self::Observe { .. } => ("runner", "observe"),
        }
    }

    /// Whether it can only be carried out by a driver.
    #[must_use]
    pub fn needs_driver(&self) -> bool {
        matches!(self, Self::RunKomtest { .. } | Self::Status { .. })
    }
}

/// Requests for communication tests from helsenorge to the system under test.
///
/// Each request is an exchange of its own with its own message-id, correlation-id and MsgId. The step ends when every
/// exchange has its outcome and every request has been settled once, or at the deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommunicationTest {
    /// What is wrong with the message.
    pub variant: RequestVariant,
    /// Which certificate signs it.
    pub signer: SignerChoice,
    /// How many requests.
    pub count: u32,
    /// From one request to the next, whether or not the former has been answered; zero means back to back.
    pub interval: Duration,
    /// When waiting ends, counted from the last request.
    pub deadline: Duration,
}

/// What is wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestVariant {
    /// `valid`: nothing.
    Valid,
    /// `unsigned`: encrypted, but not signed (CRT-08).
    Unsigned,
    /// `not-well-formed`: the XML breaks off (XML-01).
    NotWellFormed,
    /// `sender-mismatch`: header says 109989, the MsgHead another sender (XML-05).
    SenderMismatch,
}

/// Which of helsenorge's certificates signs a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignerChoice {
    /// `listed`: the one that CPA and AR give.
    Listed,
    /// `expired`: one that ended yesterday; CPA and AR give it for this request (CRT-01).
    Expired,
    /// `unlisted`: a valid one of the same organisation and CA that neither CPA nor AR gives (CRT-05).
    Unlisted,
}
