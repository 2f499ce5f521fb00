//! The EPJ: everything that its tasks share, and the messages that it sends.

use std::collections::BTreeMap;
use std::time::Duration;

use nhn_model::amqp;
use nhn_model::certificate::Certificate;
use nhn_model::error_message::ErrorMessage;
use nhn_model::message::{ElementOrder, Party};
use uuid::Uuid;

use crate::answered::Answered;
use crate::book::Book;
use crate::bus::{Bus, Incoming, Outgoing, SendProblem};
use crate::decision::{self, Report};
use crate::environment;
use crate::fault::{Fault, Faults};
use crate::own::Keys;
use crate::register::Lookup;
use crate::validation::{CertificateProblem, Validator};
use crate::{clock, ids, log};

/// Time to live of synchronous messages, request and reply (contract 03 section 0.3).
pub(crate) const SYNC_TTL: Duration = Duration::from_secs(15);
/// What the EPJ calls itself on the bus.
const SYSTEM: &str = "Provenett reference EPJ";

/// The EPJ.
pub(crate) struct Epj {
    pub(crate) own: environment::Own,
    pub(crate) helsenorge: environment::Party,
    pub(crate) faults: Faults,
    pub(crate) keys: Keys,
    pub(crate) lookup: Lookup,
    pub(crate) validator: Validator,
    pub(crate) bus: Bus,
    pub(crate) book: Book,
    pub(crate) answered: Answered,
}

impl Epj {
    /// The own party, for message heads.
    pub(crate) fn party(&self) -> Party {
        Party {
            name: self.own.name.clone(),
            her_id: self.own.her_id,
            organization_name: self.own.organization_name.clone(),
            organization_her_id: self.own.organization_her_id,
        }
    }

    /// helsenorge, for message heads.
    pub(crate) fn helsenorge_party(&self) -> Party {
        Party {
            name: self.helsenorge.name.clone(),
            her_id: self.helsenorge.her_id,
            organization_name: self.helsenorge.organization_name.clone(),
            organization_her_id: self.helsenorge.organization_her_id,
        }
    }

    /// In which order `MsgInfo` is written.
    pub(crate) fn element_order(&self) -> ElementOrder {
        if self.faults.has(Fault::SendsInvalidXml) {
            ElementOrder::GenDateAfterMsgId
        } else {
            ElementOrder::Schema
        }
    }

    /// Whether messages to this certificate's holder may be signed and encrypted: the own signing certificate, and theirs.
    pub(crate) async fn may_protect_for(
        &self,
        recipient: &Certificate,
    ) -> (
        Result<(), CertificateProblem>,
        Result<(), CertificateProblem>,
    ) {
        tokio::join!(
            self.validator
                .check(self.keys.signing_certificate(), self.keys.signing_issuers()),
            self.validator.check(recipient, &[]),
        )
    }

    /// The application properties of an ordinary message (contract 01 section 2.1).
    pub(crate) fn properties(&self, to: u32, cpa_id: Option<Uuid>) -> BTreeMap<String, String> {
        let now = clock::now();
        let mut properties = BTreeMap::from(
            [
                (amqp::FROM_HER_ID, self.own.her_id.to_string()),
                (amqp::TO_HER_ID, to.to_string()),
                (
                    amqp::APPLICATION_TIME_STAMP,
                    amqp::application_time_stamp(now),
                ),
                (amqp::ENQUEUED_TIME_UTC, amqp::enqueued_time_utc(now)),
                (amqp::SYSTEM_IDENTIFIER, SYSTEM.to_owned()),
            ]
            .map(|(name, value)| (name.to_owned(), value)),
        );
        if let Some(cpa_id) = cpa_id {
            properties.insert(amqp::CPA_ID.to_owned(), cpa_id.to_string());
        }
        properties
    }

    /// Tells the sender of a message what is wrong with it, on its error queue (contract 03 section 5.1).
    ///
    /// # Errors
    /// [`SendProblem::Lost`] when it can be tried again. What the bus refuses or nobody has a queue for is logged.
    pub(crate) async fn report(
        &self,
        incoming: &Incoming,
        report: &Report,
    ) -> Result<(), SendProblem> {
        let Some(sender) = decision::sender(incoming) else {
            return Ok(());
        };
        let party = match self.lookup.party(sender).await {
            Ok(party) => party,
            Err(error) => {
                log::warning(format_args!("{sender} cannot be told of an error: {error}"));
                return Ok(());
            }
        };
        let Some(queue) = party.error_queue.clone() else {
            log::warning(format_args!("{sender} has no error queue"));
            return Ok(());
        };
        match self
            .bus
            .send(&queue, self.error_message(incoming, report, sender, &queue))
            .await
        {
            Err(problem @ SendProblem::Refused { .. }) => {
                log::warning(problem);
                Ok(())
            }
            other => other,
        }
    }

    fn error_message(
        &self,
        incoming: &Incoming,
        report: &Report,
        sender: u32,
        queue: &str,
    ) -> Outgoing {
        let (now, id) = (clock::now(), incoming.id().unwrap_or_default());
        let error = ErrorMessage::about(
            sender,
            self.own.her_id,
            &id,
            report.condition.clone(),
            report.description.clone(),
            now,
        )
        .with_data(report.data.clone());
        let mut application = self.properties(sender, None);
        application.extend(error.to_properties());
        Outgoing {
            message_id: ids::fresh().simple().to_string(),
            to: queue.to_owned(),
            subject: incoming.subject.clone().unwrap_or_default(),
            reply_to: None,
            correlation_id: None,
            // Without one, a receiver that checks headers answers with another error message (contract 03 section 5.1).
            content_type: amqp::SIGNED_AND_ENVELOPED,
            ttl: None,
            application,
            body: Vec::new(),
        }
    }
}
