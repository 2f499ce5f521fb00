//! Reads the body of a frame into a performative.
//!
//! Fields that the bus does not act upon (capabilities, link properties, filters, `error.info`) are passed over unread, because
//! real clients fill some of them with what the standard forbids (contract 06 section 4, G8).

use bytes::Bytes;
use fe2o3_amqp_types::definitions::{
    DeliveryTag, Error, ErrorCondition, Fields, Handle, ReceiverSettleMode, Role, SenderSettleMode,
};
use fe2o3_amqp_types::messaging::{
    Accepted, DeliveryState, Modified, Received, Rejected, Released, Source, Target,
    TargetArchetype,
};
use fe2o3_amqp_types::performatives::{
    Attach, Begin, Close, Detach, Disposition, End, Flow, Open, Performative, Transfer,
};
use serde_amqp::Value;
use serde_amqp::primitives::{Symbol, Timestamp, Uuid};

use super::Malformed;
use super::reader::{Descriptor, Items, Raw, Reader};

/// Most entries of a map that are kept.
const MOST_ENTRIES: usize = 64;
/// Longest text that is kept from a field that only evidence shows.
const LONGEST_TEXT: usize = 1024;

/// Reads a performative; what follows it in the frame is its payload.
pub(crate) fn decode(body: &Bytes) -> Result<(Performative, Bytes), Malformed> {
    let mut reader = Reader::new(body);
    let (code, mut fields) = composite(reader.value()?)?;
    let performative = match code {
        0x10 => Performative::Open(open(&mut fields)?),
        0x11 => Performative::Begin(begin(&mut fields)?),
        0x12 => Performative::Attach(attach(&mut fields)?),
        0x13 => Performative::Flow(flow(&mut fields)?),
        0x14 => Performative::Transfer(transfer(&mut fields)?),
        0x15 => Performative::Disposition(disposition(&mut fields)?),
        0x16 => Performative::Detach(detach(&mut fields)?),
        0x17 => Performative::End(End {
            error: fields.error()?,
        }),
        0x18 => Performative::Close(Close {
            error: fields.error()?,
        }),
        other => return Err(Malformed::Descriptor(other)),
    };
    Ok((performative, body.slice(body.len() - reader.left()..)))
}

/// The descriptor and the fields of a composite value (AMQP 1.0 part 1 section 1.4).
pub(crate) fn composite(value: Raw<'_>) -> Result<(u64, FieldReader<'_>), Malformed> {
    let Raw::Described(descriptor, inner) = value else {
        return Err(Malformed::FieldType("composite"));
    };
    let code = match descriptor {
        Descriptor::Code(code) => code,
        Descriptor::Name(name) => code_of(name).ok_or(Malformed::Descriptor(0))?,
    };
    match Reader::new(inner).value()? {
        Raw::List(items) => Ok((code, FieldReader { items })),
        _ => Err(Malformed::FieldType("list")),
    }
}

fn code_of(name: &str) -> Option<u64> {
    const NAMES: [(&str, u64); 19] = [
        ("amqp:open:list", 0x10),
        ("amqp:begin:list", 0x11),
        ("amqp:attach:list", 0x12),
        ("amqp:flow:list", 0x13),
        ("amqp:transfer:list", 0x14),
        ("amqp:disposition:list", 0x15),
        ("amqp:detach:list", 0x16),
        ("amqp:end:list", 0x17),
        ("amqp:close:list", 0x18),
        ("amqp:error:list", 0x1d),
        ("amqp:received:list", 0x23),
        ("amqp:accepted:list", 0x24),
        ("amqp:rejected:list", 0x25),
        ("amqp:released:list", 0x26),
        ("amqp:modified:list", 0x27),
        ("amqp:source:list", 0x28),
        ("amqp:target:list", 0x29),
        ("amqp:sasl-init:list", 0x41),
        ("amqp:sasl-response:list", 0x43),
    ];
    NAMES
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, code)| *code)
}

/// Reads the fields of a composite in their order; absent ones at the end read as null.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FieldReader<'a> {
    items: Items<'a>,
}

impl<'a> FieldReader<'a> {
    /// The next field; null and absent are the same.
    pub(crate) fn next(&mut self) -> Result<Raw<'a>, Malformed> {
        Ok(self.items.next()?.unwrap_or(Raw::Null))
    }

    /// Passes over fields.
    fn skip(&mut self, fields: usize) -> Result<(), Malformed> {
        for _ in 0..fields {
            self.items.next_encoded()?;
        }
        Ok(())
    }

    pub(crate) fn u32(&mut self, name: &'static str) -> Result<Option<u32>, Malformed> {
        self.unsigned(name)
    }

    /// An unsigned integer that fits its type.
    fn unsigned<T: TryFrom<u64>>(&mut self, name: &'static str) -> Result<Option<T>, Malformed> {
        match self.next()? {
            Raw::Null => Ok(None),
            Raw::Unsigned(value) => T::try_from(value)
                .map(Some)
                .map_err(|_| Malformed::FieldType(name)),
            _ => Err(Malformed::FieldType(name)),
        }
    }

    fn mandatory_u32(&mut self, name: &'static str) -> Result<u32, Malformed> {
        self.u32(name)?.ok_or(Malformed::FieldMissing(name))
    }

    pub(crate) fn bool(&mut self, name: &'static str) -> Result<Option<bool>, Malformed> {
        match self.next()? {
            Raw::Null => Ok(None),
            Raw::Bool(value) => Ok(Some(value)),
            _ => Err(Malformed::FieldType(name)),
        }
    }

    pub(crate) fn string(&mut self, name: &'static str) -> Result<Option<&'a str>, Malformed> {
        match self.next()? {
            Raw::Null => Ok(None),
            Raw::String(text) => Ok(Some(text)),
            _ => Err(Malformed::FieldType(name)),
        }
    }

    pub(crate) fn symbol(&mut self, name: &'static str) -> Result<Option<&'a str>, Malformed> {
        match self.next()? {
            Raw::Null => Ok(None),
            Raw::Symbol(text) => Ok(Some(text)),
            _ => Err(Malformed::FieldType(name)),
        }
    }

    pub(crate) fn binary(&mut self, name: &'static str) -> Result<Option<&'a [u8]>, Malformed> {
        match self.next()? {
            Raw::Null => Ok(None),
            Raw::Binary(bytes) => Ok(Some(bytes)),
            _ => Err(Malformed::FieldType(name)),
        }
    }

    fn error(&mut self) -> Result<Option<Error>, Malformed> {
        let value = self.next()?;
        if matches!(value, Raw::Null) {
            return Ok(None);
        }
        let (0x1d, mut fields) = composite(value)? else {
            return Err(Malformed::FieldType("error"));
        };
        let condition = fields
            .symbol("condition")?
            .ok_or(Malformed::FieldMissing("condition"))?;
        // Some clients send other things than a string; the text is for the reader only.
        let description = fields.next()?.text().map(|text| shortened(&text));
        Ok(Some(Error::new(
            condition_of(&shortened(condition)),
            description,
            None,
        )))
    }
}

fn open(fields: &mut FieldReader<'_>) -> Result<Open, Malformed> {
    let container = fields
        .string("container-id")?
        .ok_or(Malformed::FieldMissing("container-id"))?;
    let hostname = fields.string("hostname")?.map(shortened);
    let max_frame_size = fields.u32("max-frame-size")?.unwrap_or(u32::MAX);
    let channel_max = fields.unsigned::<u16>("channel-max")?.unwrap_or(u16::MAX);
    let idle_time_out = fields.u32("idle-time-out")?;
    fields.skip(4)?;
    Ok(Open {
        container_id: shortened(container),
        hostname,
        max_frame_size: max_frame_size.into(),
        channel_max: channel_max.into(),
        idle_time_out,
        outgoing_locales: None,
        incoming_locales: None,
        offered_capabilities: None,
        desired_capabilities: None,
        properties: scalars(fields.next()?),
    })
}

fn begin(fields: &mut FieldReader<'_>) -> Result<Begin, Malformed> {
    Ok(Begin {
        remote_channel: fields.unsigned("remote-channel")?,
        next_outgoing_id: fields.mandatory_u32("next-outgoing-id")?,
        incoming_window: fields.mandatory_u32("incoming-window")?,
        outgoing_window: fields.mandatory_u32("outgoing-window")?,
        handle_max: Handle(fields.u32("handle-max")?.unwrap_or(u32::MAX)),
        offered_capabilities: None,
        desired_capabilities: None,
        properties: None,
    })
}

fn attach(fields: &mut FieldReader<'_>) -> Result<Attach, Malformed> {
    let name = fields
        .string("name")?
        .ok_or(Malformed::FieldMissing("name"))?
        .to_owned();
    let handle = Handle(fields.mandatory_u32("handle")?);
    let role = role(fields)?;
    let snd_settle_mode = match fields.unsigned::<u8>("snd-settle-mode")? {
        None | Some(2) => SenderSettleMode::Mixed,
        Some(0) => SenderSettleMode::Unsettled,
        Some(1) => SenderSettleMode::Settled,
        Some(_) => return Err(Malformed::FieldType("snd-settle-mode")),
    };
    let rcv_settle_mode = match fields.unsigned::<u8>("rcv-settle-mode")? {
        None | Some(0) => ReceiverSettleMode::First,
        Some(1) => ReceiverSettleMode::Second,
        Some(_) => return Err(Malformed::FieldType("rcv-settle-mode")),
    };
    let source = terminus(fields.next()?)?.map(|end| Box::new(end.into_source()));
    let target =
        terminus(fields.next()?)?.map(|end| Box::new(TargetArchetype::Target(end.into_target())));
    fields.skip(2)?;
    Ok(Attach {
        name,
        handle,
        role,
        snd_settle_mode,
        rcv_settle_mode,
        source,
        target,
        unsettled: None,
        incomplete_unsettled: false,
        initial_delivery_count: fields.u32("initial-delivery-count")?,
        max_message_size: fields.unsigned("max-message-size")?,
        offered_capabilities: None,
        desired_capabilities: None,
        properties: None,
    })
}

/// What the bus looks at in a source or target: both begin alike (AMQP 1.0 part 3 sections 3.5.3 and 3.5.4).
struct Terminus {
    address: Option<String>,
    dynamic: bool,
}

impl Terminus {
    fn into_source(self) -> Source {
        Source {
            address: self.address,
            dynamic: self.dynamic,
            ..Source::default()
        }
    }

    fn into_target(self) -> Target {
        Target {
            address: self.address,
            dynamic: self.dynamic,
            ..Target::default()
        }
    }
}

fn terminus(value: Raw<'_>) -> Result<Option<Terminus>, Malformed> {
    if matches!(value, Raw::Null) {
        return Ok(None);
    }
    let (code, mut fields) = composite(value)?;
    if !matches!(code, 0x28 | 0x29) {
        // A transaction coordinator, for example.
        return Err(Malformed::Descriptor(code));
    }
    let address = fields.string("address")?.map(str::to_owned);
    fields.skip(3)?;
    let dynamic = fields.bool("dynamic")?.unwrap_or(false);
    Ok(Some(Terminus { address, dynamic }))
}

fn flow(fields: &mut FieldReader<'_>) -> Result<Flow, Malformed> {
    Ok(Flow {
        next_incoming_id: fields.u32("next-incoming-id")?,
        incoming_window: fields.mandatory_u32("incoming-window")?,
        next_outgoing_id: fields.mandatory_u32("next-outgoing-id")?,
        outgoing_window: fields.mandatory_u32("outgoing-window")?,
        handle: fields.u32("handle")?.map(Handle),
        delivery_count: fields.u32("delivery-count")?,
        link_credit: fields.u32("link-credit")?,
        available: fields.u32("available")?,
        drain: fields.bool("drain")?.unwrap_or(false),
        echo: fields.bool("echo")?.unwrap_or(false),
        properties: None,
    })
}

fn transfer(fields: &mut FieldReader<'_>) -> Result<Transfer, Malformed> {
    let handle = Handle(fields.mandatory_u32("handle")?);
    let delivery_id = fields.u32("delivery-id")?;
    let delivery_tag = fields
        .binary("delivery-tag")?
        .map(|tag| DeliveryTag::from(tag.to_vec()));
    if delivery_tag.as_ref().is_some_and(|tag| tag.len() > 32) {
        return Err(Malformed::FieldType("delivery-tag"));
    }
    let message_format = fields.u32("message-format")?;
    let settled = fields.bool("settled")?;
    let more = fields.bool("more")?.unwrap_or(false);
    fields.skip(3)?;
    let aborted = fields.bool("aborted")?.unwrap_or(false);
    Ok(Transfer {
        handle,
        delivery_id,
        delivery_tag,
        message_format,
        settled,
        more,
        rcv_settle_mode: None,
        state: None,
        resume: false,
        aborted,
        batchable: false,
    })
}

fn disposition(fields: &mut FieldReader<'_>) -> Result<Disposition, Malformed> {
    Ok(Disposition {
        role: role(fields)?,
        first: fields.mandatory_u32("first")?,
        last: fields.u32("last")?,
        settled: fields.bool("settled")?.unwrap_or(false),
        state: state(fields.next()?)?,
        batchable: false,
    })
}

fn detach(fields: &mut FieldReader<'_>) -> Result<Detach, Malformed> {
    Ok(Detach {
        handle: Handle(fields.mandatory_u32("handle")?),
        closed: fields.bool("closed")?.unwrap_or(false),
        error: fields.error()?,
    })
}

fn role(fields: &mut FieldReader<'_>) -> Result<Role, Malformed> {
    match fields.bool("role")? {
        Some(true) => Ok(Role::Receiver),
        Some(false) => Ok(Role::Sender),
        None => Err(Malformed::FieldMissing("role")),
    }
}

fn state(value: Raw<'_>) -> Result<Option<DeliveryState>, Malformed> {
    if matches!(value, Raw::Null) {
        return Ok(None);
    }
    let (code, mut fields) = composite(value)?;
    Ok(Some(match code {
        0x23 => DeliveryState::Received(Received {
            section_number: fields.u32("section-number")?.unwrap_or_default(),
            section_offset: fields.unsigned("section-offset")?.unwrap_or_default(),
        }),
        0x24 => DeliveryState::Accepted(Accepted {}),
        0x25 => DeliveryState::Rejected(Rejected {
            error: fields.error()?,
        }),
        0x26 => DeliveryState::Released(Released {}),
        0x27 => DeliveryState::Modified(Modified {
            delivery_failed: fields.bool("delivery-failed")?,
            undeliverable_here: fields.bool("undeliverable-here")?,
            message_annotations: scalars(fields.next()?),
        }),
        other => return Err(Malformed::Descriptor(other)),
    }))
}

/// The entries of a map whose keys are text and whose values are single values; others are left out.
fn scalars(value: Raw<'_>) -> Option<Fields> {
    let Raw::Map(mut items) = value else {
        return None;
    };
    let mut fields = Fields::new();
    while let (Ok(Some(key)), Ok(Some(value))) = (items.next(), items.next()) {
        if let (Raw::Symbol(key) | Raw::String(key), Some(value)) = (key, scalar(value)) {
            fields.insert(Symbol::new(shortened(key)), value);
        }
        if fields.len() >= MOST_ENTRIES {
            break;
        }
    }
    Some(fields)
}

fn scalar(value: Raw<'_>) -> Option<Value> {
    Some(match value {
        Raw::Bool(value) => Value::Bool(value),
        Raw::Unsigned(value) => u32::try_from(value).map_or(Value::Ulong(value), Value::Uint),
        Raw::Signed(value) => i32::try_from(value).map_or(Value::Long(value), Value::Int),
        Raw::Char(value) => Value::Char(value),
        Raw::Timestamp(value) => Value::Timestamp(Timestamp::from_milliseconds(value)),
        Raw::Uuid(value) => Value::Uuid(Uuid::from(value)),
        Raw::String(text) => Value::String(shortened(text)),
        Raw::Symbol(text) => Value::Symbol(Symbol::new(shortened(text))),
        _ => return None,
    })
}

fn condition_of(symbol: &str) -> ErrorCondition {
    ErrorCondition::Custom(Symbol::from(symbol))
}

fn shortened(text: &str) -> String {
    text.chars().take(LONGEST_TEXT).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wire::frame;

    fn round(performative: Performative) {
        let encoded = frame::encode(0, &performative, b"rest");
        let (read, payload) = decode(&encoded.slice(frame::HEADER..)).unwrap();
        assert_eq!(read, performative);
        assert_eq!(&payload[..], b"rest");
    }

    #[test]
    fn what_we_write_we_read() {
        round(Performative::Begin(Begin {
            remote_channel: Some(3),
            next_outgoing_id: 4_294_967_293,
            incoming_window: 400,
            outgoing_window: u32::MAX,
            handle_max: Handle(255),
            offered_capabilities: None,
            desired_capabilities: None,
            properties: None,
        }));
        round(Performative::Disposition(Disposition {
            role: Role::Receiver,
            first: 7,
            last: Some(9),
            settled: true,
            state: Some(DeliveryState::Modified(Modified {
                delivery_failed: Some(true),
                undeliverable_here: Some(false),
                message_annotations: None,
            })),
            batchable: false,
        }));
        let error = Error::new(condition_of("com.example:odd"), Some("æ".to_owned()), None);
        round(Performative::Detach(Detach {
            handle: Handle(0),
            closed: true,
            error: Some(error),
        }));
    }

    #[test]
    fn a_bare_minimum_is_enough() {
        // flow of the official client before it has seen the begin: the first field is null.
        let body =
            Bytes::from_static(&[0x00, 0x53, 0x13, 0xc0, 7, 4, 0x40, 0x52, 25, 0x43, 0x52, 9]);
        let (Performative::Flow(flow), _) = decode(&body).unwrap() else {
            panic!()
        };
        assert_eq!(
            (
                flow.next_incoming_id,
                flow.incoming_window,
                flow.outgoing_window
            ),
            (None, 25, 9)
        );
        let empty = Bytes::from_static(&[0x00, 0x53, 0x11, 0x45]);
        assert_eq!(
            decode(&empty).unwrap_err(),
            Malformed::FieldMissing("next-outgoing-id")
        );
    }

    #[test]
    fn string_keys_where_symbols_belong_do_no_harm() {
        // end(error) whose info map has a string as key, as the Azure SDK for Node sends it.
        let info = [0xc1, 5, 2, 0xa1, 1, b'k', 0x41];
        let mut error = vec![0xa3, 1, b'c', 0x40];
        error.extend(info);
        let mut body = vec![0x00, 0x53, 0x17, 0xc0, 1 + 5 + 1 + error.len() as u8, 1];
        body.extend([0x00, 0x53, 0x1d, 0xc0, 1 + error.len() as u8, 3]);
        body.extend(error);
        let (Performative::End(end), _) = decode(&Bytes::from(body)).unwrap() else {
            panic!()
        };
        assert_eq!(end.error.unwrap().condition, condition_of("c"));
    }

    proptest! {
        #[test]
        fn damaged_frames_are_judged_without_panic(at in 0usize..80, byte: u8, cut in 0usize..80) {
            let attach = Performative::Attach(Attach {
                name: "n".into(),
                handle: Handle(0),
                role: Role::Receiver,
                snd_settle_mode: SenderSettleMode::Unsettled,
                rcv_settle_mode: ReceiverSettleMode::First,
                source: Some(Box::new(Source::from("/amq/queue/q"))),
                target: Some(Box::new(TargetArchetype::from("/exchange/x/k"))),
                unsettled: None,
                incomplete_unsettled: false,
                initial_delivery_count: Some(1),
                max_message_size: Some(2),
                offered_capabilities: None,
                desired_capabilities: None,
                properties: None,
            });
            let mut bytes = frame::encode(0, &attach, &[]).slice(frame::HEADER..).to_vec();
            let at = at % bytes.len();
            bytes[at] = byte;
            bytes.truncate(bytes.len() - cut % bytes.len());
            let _ = decode(&Bytes::from(bytes));
        }
    }
}
