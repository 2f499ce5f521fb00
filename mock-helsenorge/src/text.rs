//! The messages that helsenorge writes (contract 03 section 1.4).

use std::collections::BTreeMap;

use nhn_model::certificate::Certificate;
use nhn_model::cppa::Profile;
use nhn_model::message::{
    self, KomtestReply, KomtestRequest, Message, Party, write_komtest_reply, write_komtest_request,
};
use nhn_model::register::PartyDetails;
use time::OffsetDateTime;

use crate::config;
use crate::request::Variant;

/// A level-2 HER-id that is in no register, and stands where a sender pretends (contract 03 section 0.3).
const STRANGER: u32 = 8_990_099;
/// Bytes that a message lacks at its end when it breaks off: more than the end tag of the root.
const BROKEN_OFF: usize = 40;

/// A party as a message head has it.
pub(crate) fn own_party(party: &config::Party) -> Party {
    Party {
        name: party.name.clone(),
        her_id: party.her_id,
        organization_name: party.organization_name.clone(),
        organization_her_id: party.organization_her_id,
    }
}

fn other_party(party: &PartyDetails) -> Party {
    Party {
        name: party.name.clone(),
        her_id: party.her_id,
        organization_name: party.parent_name.clone().unwrap_or_default(),
        organization_her_id: party.parent_her_id.unwrap_or_default(),
    }
}

/// A request, with the flaw that is wanted.
pub(crate) fn request(
    own: &config::Party,
    to: &PartyDetails,
    msg_id: &str,
    now: OffsetDateTime,
    variant: Variant,
) -> Vec<u8> {
    let mut sender = own_party(own);
    if variant == Variant::SenderMismatch {
        sender.her_id = STRANGER;
    }
    let mut text = write_komtest_request(&KomtestRequest {
        msg_id: msg_id.to_owned(),
        gen_date: now,
        sender,
        receiver: other_party(to),
    });
    if variant == Variant::NotWellFormed {
        text.truncate(text.len().saturating_sub(BROKEN_OFF));
    }
    text
}

/// The reply to a request.
pub(crate) fn reply(
    own: &config::Party,
    msg_id: &str,
    request: &Message,
    now: OffsetDateTime,
) -> Vec<u8> {
    write_komtest_reply(&KomtestReply {
        sender: own_party(own),
        ..KomtestReply::to(&request.head, msg_id, now)
    })
}

/// What the envelope says of a payload (contract 01 section 2.4); nothing of one that cannot be read.
pub(crate) fn metadata(content: &[u8]) -> BTreeMap<String, String> {
    message::read(content)
        .map(|message| message::metadata(&message))
        .unwrap_or_default()
}

/// The certificate to encrypt to.
pub(crate) fn recipient(profile: &Profile) -> Result<Certificate, String> {
    profile
        .encryption_certificate()
        .ok_or_else(|| "the profile has no usable encryption certificate".to_owned())
}
