//! What can happen: the typed catalogue of evidence events.
//!
//! Names follow the contracts. Times are not part of an event (the entry carries them). Passwords, tokens and
//! private keys never stand in an event; HTTP credentials are replaced before the event is made.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::journal::BlobRef;

/// Which way bytes went, seen from the mock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// From the peer to the mock.
    In,
    /// From the mock to the peer.
    Out,
}

/// Who ended a connection, session or link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClosedBy {
    /// The mock, by its own rules or on command.
    Mock,
    /// The peer, in an orderly way.
    Peer,
    /// The socket ended without a close.
    Transport,
}

/// What a peer does on a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkRole {
    /// The peer receives from a queue.
    Receiver,
    /// The peer sends to an address.
    Sender,
}

/// Terminal state of a delivery (AMQP 1.0 part 3 section 3.4), and the ways a delivery can end without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BusOutcome {
    /// Done with.
    Accepted,
    /// Refused; dead-lettered.
    Rejected,
    /// Given back untouched.
    Released,
    /// Given back; this attempt counts as failed.
    ModifiedFailed,
    /// Given back without counting as failed.
    Modified,
    /// Not deliverable here; dead-lettered (RabbitMQ dialect).
    ModifiedUndeliverable,
    /// The link, session or connection ended first.
    Lost,
}

/// How a check of V01-V20 or VR1-VR5 ended (contract 03 section 1.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckOutcome {
    /// In order.
    Passed,
    /// Wrong: the message is refused.
    Failed,
    /// Odd, recorded, and without influence on the message.
    Finding,
}

/// How a communication test that helsenorge started has ended (contract 03 section 1.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExchangeOutcome {
    /// A valid reply came.
    RepliedOk,
    /// A reply came that fails a check.
    RepliedInvalid,
    /// An error message for the request came.
    ErrorReceived,
    /// Nothing came in time.
    TimedOut,
}

/// Where a revocation status comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RevocationSource {
    /// Certificate revocation list (RFC 5280).
    Crl,
    /// Online status (RFC 6960).
    Ocsp,
    /// Directory.
    Ldap,
}

/// The status that an answer states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RevocationStatus {
    /// Not revoked.
    Good,
    /// Revoked.
    Revoked,
    /// The answer says that it does not know.
    Unknown,
    /// A list: it names the revoked serials and so speaks of every certificate of its CA.
    List,
    /// The answer is unusable on purpose (error status, expired, malformed).
    Unusable,
}

/// How an HTTP exchange ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HttpEnd {
    /// The whole answer was handed to the socket.
    Served,
    /// The peer went away first.
    ClosedByPeer,
    /// A fault or the stop of the mock cut it off.
    CutOff,
}

/// The parts of a bus message that checks look at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BusMessage {
    /// `properties.message-id` as text, if present.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// `properties.correlation-id` as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    /// `properties.subject`: the message function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// `properties.to`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// `properties.reply-to`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<String>,
    /// `properties.content-type`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// `header.ttl` in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_ms: Option<u32>,
    /// `application-properties`, values as text.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub application: BTreeMap<String, String>,
    /// Length of all data sections, in bytes.
    #[serde(default)]
    pub body_size: u64,
}

/// One thing that happened. `kind` is the name in the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case",
    deny_unknown_fields
)]
#[non_exhaustive]
#[expect(
    missing_docs,
    reason = "fields are named after the contracts' terms; the variants say what they mean"
)]
pub enum Event {
    // --- any part ---
    /// A remark for the reader; no check may rest on it.
    Note { text: String },
    /// An installed fault was met; `fault` is its name, `target` what met it.
    FaultMet {
        fault: String,
        target: String,
        action: String,
    },

    // --- the bus (contract 01) ---
    /// A TCP connection was accepted.
    BusAccepted {
        connection: u64,
        peer: String,
        tls: bool,
    },
    /// The TLS handshake is done.
    BusSecured {
        connection: u64,
        version: String,
        sni: Option<String>,
    },
    /// SASL has ended; `outcome` is the code of `sasl-outcome`.
    BusAuthenticated {
        connection: u64,
        mechanism: String,
        user: String,
        outcome: u8,
    },
    /// The `open` frames have been exchanged.
    BusOpened {
        connection: u64,
        user: String,
        container: String,
        hostname: Option<String>,
        properties: BTreeMap<String, String>,
    },
    /// A connection has ended.
    BusClosed {
        connection: u64,
        user: Option<String>,
        by: ClosedBy,
        condition: Option<String>,
        description: Option<String>,
    },
    /// A link is attached. `queue` is the queue that a receiver reads, or that a sender's fixed address leads to.
    BusAttached {
        connection: u64,
        session: u16,
        link: u64,
        name: String,
        role: LinkRole,
        address: Option<String>,
        queue: Option<String>,
        user: String,
    },
    /// A link was refused.
    BusRefused {
        connection: u64,
        session: u16,
        name: String,
        role: LinkRole,
        address: Option<String>,
        user: String,
        condition: String,
        description: String,
    },
    /// A link has ended, for whatever reason.
    BusDetached {
        connection: u64,
        link: u64,
        queue: Option<String>,
        by: ClosedBy,
        condition: Option<String>,
    },
    /// A peer's message arrived whole. `message` is the bus's own number of it; `outcome` is what the sender was told.
    BusReceived {
        connection: u64,
        link: u64,
        user: String,
        exchange: Option<String>,
        queue: Option<String>,
        message: u64,
        facts: BusMessage,
        outcome: BusOutcome,
        condition: Option<String>,
        raw: BlobRef,
    },
    /// A message was handed out.
    BusDelivered {
        connection: u64,
        link: u64,
        user: String,
        queue: String,
        message: u64,
        delivery: u32,
        delivery_count: u32,
    },
    /// A delivery has ended.
    BusSettled {
        connection: u64,
        link: u64,
        user: String,
        queue: String,
        message: u64,
        delivery: u32,
        outcome: BusOutcome,
        condition: Option<String>,
    },
    /// A message went to the dead-letter queue; `reason` is RabbitMQ's word (rejected, expired, delivery_limit).
    BusDeadLettered {
        queue: String,
        to: String,
        message: u64,
        reason: String,
    },
    /// One AMQP frame; `raw` holds its bytes, header included.
    BusFrame {
        connection: u64,
        direction: Direction,
        channel: u16,
        performative: String,
        raw: BlobRef,
    },
    /// A queue was created or removed, or its messages were thrown away (`action`: created, removed, purged).
    BusQueue {
        queue: String,
        action: String,
        messages: u64,
    },

    // --- HTTP, any part ---
    /// A request has arrived whole. Credentials in `headers` are replaced by their scheme.
    HttpRequest {
        request: u64,
        peer: String,
        method: String,
        path: String,
        headers: Vec<(String, String)>,
        body: Option<BlobRef>,
    },
    /// The first byte of the answer goes out.
    HttpAnswer {
        request: u64,
        status: u16,
        headers: Vec<(String, String)>,
        body: Option<BlobRef>,
    },
    /// The exchange has ended after `bytes` bytes of answer body.
    HttpEnded {
        request: u64,
        end: HttpEnd,
        bytes: u64,
    },

    // --- the certificate authority (contract 04) ---
    /// A question for the status of certificates of `ca` was understood; it belongs to HTTP request `request`.
    RevocationAsked {
        request: u64,
        ca: String,
        source: RevocationSource,
        serial: Option<String>,
    },
    /// The answer to it was delivered whole.
    RevocationDelivered {
        request: u64,
        ca: String,
        source: RevocationSource,
        serial: Option<String>,
        status: RevocationStatus,
    },
    /// A CA was made; `addresses` are those in its certificates.
    CaCreated {
        ca: String,
        crl: String,
        ocsp: String,
        aia: String,
    },
    /// A certificate was issued or its status was changed (`action`: issued, revoked, held, released).
    CertificateState {
        ca: String,
        serial: String,
        subject: String,
        purpose: String,
        action: String,
    },

    // --- the register and the token service (contracts 02 and 05) ---
    /// An operation of the register was carried out or refused (`fault`: error code of the SOAP fault or HTTP problem).
    RegisterOperation {
        request: u64,
        operation: String,
        user: String,
        her_ids: Vec<u32>,
        id: Option<String>,
        fault: Option<String>,
    },
    /// A token was asked for. `error` is the OAuth error code, absent when a token was issued.
    TokenAsked {
        request: u64,
        client: Option<String>,
        scopes: Vec<String>,
        dpop: bool,
        nonce: bool,
        error: Option<String>,
        description: Option<String>,
    },
    /// The register's data changed on command.
    RegisterChanged { her_id: Option<u32>, what: String },

    // --- helsenorge (contract 03) ---
    /// helsenorge put a message on the bus. `exchange` numbers the conversation; `purpose` tells why (request, reply, error-report, bait).
    HnSent {
        exchange: String,
        purpose: String,
        to: u32,
        queue: String,
        message_id: String,
        correlation_id: Option<String>,
        msg_id: Option<String>,
        cpa_id: Option<String>,
        variant: String,
        /// Serial number of the certificate that signed it, written as `CertificateState` writes it; absent when unsigned.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signer: Option<String>,
        payload: Option<BlobRef>,
    },
    /// helsenorge took a message off the bus (`queue` is one of its own).
    HnReceived {
        exchange: Option<String>,
        queue: String,
        message_id: Option<String>,
        correlation_id: Option<String>,
        from: Option<u32>,
        subject: Option<String>,
        payload: Option<BlobRef>,
        msg_id: Option<String>,
    },
    /// One of the ordered checks was made on the message named by `message_id`.
    HnCheck {
        exchange: Option<String>,
        message_id: Option<String>,
        check: String,
        outcome: CheckOutcome,
        detail: String,
    },
    /// The state machine of contract 03 section 1.9 moved.
    HnState { exchange: String, state: String },
    /// An error message arrived on helsenorge's error queue.
    HnErrorReceived {
        exchange: Option<String>,
        message_id: Option<String>,
        original_message_id: Option<String>,
        condition: Option<String>,
        description: Option<String>,
        data: Option<String>,
        from: Option<u32>,
        to: Option<u32>,
        properties: BTreeMap<String, String>,
        content_type: Option<String>,
    },
    /// A conversation that helsenorge started has its outcome.
    HnOutcome {
        exchange: String,
        outcome: ExchangeOutcome,
        detail: String,
    },

    // --- the system under test, as its adapter sees it ---
    /// The process was started.
    SutStarted {
        adapter: String,
        pid: Option<u32>,
        command: String,
    },
    /// The process wrote a line (`stream`: stdout or stderr).
    SutOutput { stream: String, line: String },
    /// A verb was handed to the driver.
    SutAsked {
        verb: String,
        call: u64,
        arguments: serde_json::Value,
    },
    /// The driver answered.
    SutAnswered {
        verb: String,
        call: u64,
        answer: serde_json::Value,
    },
    /// The driver cannot carry the verb out, or gave no answer in time.
    SutUnanswered {
        verb: String,
        call: u64,
        reason: String,
    },
    /// The process has ended.
    SutExited {
        pid: Option<u32>,
        status: String,
        expected: bool,
    },

    // --- the examiner ---
    /// A scenario begins; everything that a later judgement needs to know of the run.
    ScenarioStarted {
        format: u32,
        scenario: String,
        scenario_sha256: String,
        version: String,
        seed: u64,
        adapter: String,
        sut_faults: Vec<String>,
        parameters: BTreeMap<String, String>,
    },
    /// A step of the scenario begins.
    StepStarted { step: String, act: String },
    /// A step has ended; `problem` tells why it could not be carried out.
    StepEnded {
        step: String,
        problem: Option<String>,
    },
    /// A fault is in place.
    FaultInstalled { fault: String, detail: String },
    /// A fault was taken away.
    FaultRemoved { fault: String },
    /// The scenario has been carried out to its end, or was cut off (`reason`).
    ScenarioEnded {
        complete: bool,
        reason: Option<String>,
    },
}
