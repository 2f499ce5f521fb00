//! The own reply queue: what comes there belongs to a call, or to nobody (contract 01 section 4.1).

use std::sync::Arc;

use crate::book::{End, Known};
use crate::bus::{Arrival, Incoming, Settlement};
use crate::decision::Channel;
use crate::epj::Epj;
use crate::fault::Fault;
use crate::{inbound, log};

/// Handles a message of the reply queue. It is always settled, and never answered.
pub(crate) async fn handle(epj: Arc<Epj>, arrival: Arrival) {
    let correlation = arrival.incoming.correlation().unwrap_or_default();
    let known = epj.book.known(&correlation);
    if let Known::Waiting { msg_id } = &known {
        let end = match verify(&epj, &arrival.incoming, msg_id).await {
            Ok(()) => End::Success,
            Err(reason) => End::Error(format!("the reply is not valid: {reason}")),
        };
        // The bus is told first: when the call is over, nothing of it is left on the queue.
        arrival.settle(Settlement::Accept).await;
        epj.book.end(&correlation, end);
        return;
    }
    match known {
        Known::Over => log::warning(format_args!(
            "a reply to {correlation} has come, which is over"
        )),
        _ => log::warning(format_args!(
            "a reply to {correlation} has come, which nobody asked"
        )),
    }
    epj.book.late(&correlation);
    let settlement = if epj.faults.has(Fault::LeavesOrphans) {
        Settlement::Leave
    } else {
        Settlement::Accept
    };
    arrival.settle(settlement).await;
}

/// Checks a reply like any message, and that it is the answer to this request (contract 03 section 1.6, VR4 and VR5).
async fn verify(epj: &Epj, incoming: &Incoming, msg_id: &str) -> Result<(), String> {
    let valid = inbound::examine(epj, Channel::Reply, incoming)
        .await
        .map_err(|refusal| refusal.text())?;
    if valid.envelope.from != epj.helsenorge.her_id {
        return Err(format!("it comes from {}", valid.envelope.from));
    }
    let conversation = valid.message.head.conversation.as_ref();
    if conversation.is_some_and(|conversation| conversation.ref_to_parent != msg_id) {
        return Err("it refers to another message".to_owned());
    }
    Ok(())
}
