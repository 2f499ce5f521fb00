//! The JSON forms of profiles, agreements and the catalogue. Members of agreements and messages are inferred, not published
//! (contract 02 section 13, item 2).

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::registry::State;
use crate::registry::agreement::{Agreement, Profile};
use crate::registry::catalogue::{Message, ProcessRole};

pub(super) fn profile(profile: &Profile) -> Value {
    json!({
        "herId": profile.her_id,
        "name": profile.name,
        "signatureCertificate": profile.certificates.signing.base64,
        "encryptionCertificate": profile.certificates.encryption.base64,
        "amqpSyncChannelAddress": profile.sync_address,
        "amqpAsyncChannelAddress": profile.async_address,
        "ediAddress": null,
        "ediHttpSyncAddress": null,
        "ediHttpAsyncAddress": null,
        "processes": roles(&profile.roles),
        "updated": timestamp(profile.updated),
    })
}

pub(super) fn agreement(agreement: &Agreement) -> Value {
    let [first, second] = &agreement.parties;
    json!({
        "cpaId": agreement.id,
        "version": "2_0b",
        "validFrom": timestamp(agreement.start),
        "validTo": timestamp(agreement.end),
        "partyA": profile(first),
        "partyB": profile(second),
    })
}

/// The agreements in force of a party.
pub(super) fn summaries(state: &State, her_id: u32) -> Value {
    let agreements: Vec<Value> = state
        .current
        .iter()
        .filter(|((a, b), _)| *a == her_id || *b == her_id)
        .filter_map(|((a, b), id)| {
            let found = state.agreements.get(id)?;
            Some(json!({
                "cpaId": id,
                "counterpartyHerId": if *a == her_id { b } else { a },
                "validFrom": timestamp(found.start),
                "validTo": timestamp(found.end),
            }))
        })
        .collect();
    json!({ "herId": her_id, "agreements": agreements })
}

pub(super) fn catalogue() -> Value {
    ProcessRole::all().map(|entry| role(&entry)).collect()
}

pub(super) fn roles(roles: &[ProcessRole]) -> Value {
    roles.iter().map(role).collect()
}

fn role(entry: &ProcessRole) -> Value {
    let message = |message: &Message| {
        json!({
            "name": message.action,
            "channel": message.channel.name(),
            "package": message.package,
        })
    };
    json!({
        "name": entry.process.name,
        "description": null,
        "service": entry.process.service,
        "canSend": entry.sends().iter().map(message).collect::<Value>(),
        "canReceive": entry.receives().iter().map(message).collect::<Value>(),
        "uuid": entry.process.uuid,
        "version": entry.process.version,
        "role": entry.role,
    })
}

fn timestamp(moment: OffsetDateTime) -> Value {
    moment.format(&Rfc3339).map_or(Value::Null, Value::from)
}
