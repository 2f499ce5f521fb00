//! What of a message the official client repeats outside the encryption (contract 01 section 2.4, contract 03 section 2.9).

use std::collections::BTreeMap;

use super::{Conversation, Message};
use crate::amqp;

/// The `X-…` application properties of a message. Empty values are left out.
#[must_use]
pub fn metadata(message: &Message) -> BTreeMap<String, String> {
    let head = &message.head;
    let her_id = |her_id: u32| {
        if her_id == 0 {
            String::new()
        } else {
            her_id.to_string()
        }
    };
    let (parent, conversation) = match &head.conversation {
        Some(Conversation {
            ref_to_parent,
            ref_to_conversation,
        }) => (ref_to_parent.clone(), ref_to_conversation.clone()),
        None => (String::new(), String::new()),
    };
    let external = if message.attachments.external {
        "True"
    } else {
        "False"
    };
    let values = [
        (amqp::MESSAGE_TYPE, head.msg_type.clone()),
        (amqp::MESSAGE_MSG_ID, head.msg_id.clone()),
        (amqp::MESSAGE_REF_TO_PARENT, parent),
        (amqp::MESSAGE_REF_TO_CONVERSATION, conversation),
        (
            amqp::MESSAGE_SCHEMA_NAMESPACE,
            message.content_namespace().to_owned(),
        ),
        (
            amqp::SENDER_LEVEL_1,
            her_id(head.sender.organization_her_id),
        ),
        (amqp::SENDER_LEVEL_2, her_id(head.sender.her_id)),
        (
            amqp::RECEIVER_LEVEL_1,
            her_id(head.receiver.organization_her_id),
        ),
        (amqp::RECEIVER_LEVEL_2, her_id(head.receiver.her_id)),
        (
            amqp::ATTACHMENT_COUNT,
            message.attachments.count.to_string(),
        ),
        (amqp::ATTACHMENT_SIZE, message.attachments.size.to_string()),
        (amqp::ATTACHMENT_EXTERNAL, external.to_owned()),
    ];
    let given = values.into_iter().filter(|(_, value)| !value.is_empty());
    given
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}
