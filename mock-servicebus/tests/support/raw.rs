//! A client that says exactly what it is told to: bytes out, frames in. Its decoder is that of fe2o3-amqp.

use std::net::SocketAddr;

use bytes::{Bytes, BytesMut};
use fe2o3_amqp::frames::amqp::{FrameBody, FrameDecoder};
use fe2o3_amqp::types::definitions::{Handle, ReceiverSettleMode, Role, SenderSettleMode};
use fe2o3_amqp::types::messaging::{DeliveryState, Source, Target, TargetArchetype};
use fe2o3_amqp::types::performatives::{
    Attach, Begin, Disposition, Flow, Open, Performative, Transfer,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::codec::Decoder;

use super::LIMIT;

pub(crate) const SASL: &[u8] = b"AMQP\x03\x01\x00\x00";
pub(crate) const AMQP: &[u8] = b"AMQP\x00\x01\x00\x00";

/// A connection at the level of bytes.
pub(crate) struct Raw {
    stream: TcpStream,
    input: BytesMut,
}

impl Raw {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            stream,
            input: BytesMut::new(),
        }
    }

    /// A connection whose `open` frames have been exchanged.
    pub(crate) async fn open(address: SocketAddr, account: (&str, &str)) -> Self {
        let mut raw = Self::logged_in(address, account).await;
        raw.send(0, &open(), &[]).await;
        let Some((0, FrameBody::Open(_))) = raw.frame().await else {
            panic!("no open")
        };
        raw
    }

    /// A connection at the point where `open` may come.
    pub(crate) async fn logged_in(address: SocketAddr, account: (&str, &str)) -> Self {
        let mut raw = Self::connect(address).await;
        raw.write(SASL).await;
        raw.write(&sasl_init(
            "PLAIN",
            format!("\0{}\0{}", account.0, account.1).as_bytes(),
        ))
        .await;
        raw.write(AMQP).await;
        assert_eq!(raw.unit().await.unwrap(), SASL);
        for _ in ["sasl-mechanisms", "sasl-outcome"] {
            assert_eq!(raw.unit().await.unwrap()[5], 1);
        }
        assert_eq!(raw.unit().await.unwrap(), AMQP);
        raw
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        // The bus may have gone already, which the next read shows.
        let _ = self.stream.write_all(bytes).await;
    }

    pub(crate) async fn send(&mut self, channel: u16, performative: &Performative, payload: &[u8]) {
        self.write(&frame(channel, performative, payload)).await;
    }

    /// The next protocol header or frame; nothing at the end of the stream.
    pub(crate) async fn unit(&mut self) -> Option<Bytes> {
        let reading = async {
            loop {
                if let Some(size) = self.input.first_chunk::<4>() {
                    let size = if size == b"AMQP" {
                        8
                    } else {
                        u32::from_be_bytes(*size) as usize
                    };
                    if self.input.len() >= size {
                        return Some(self.input.split_to(size).freeze());
                    }
                }
                match self.stream.read_buf(&mut self.input).await {
                    Ok(0) | Err(_) => return None,
                    Ok(_) => {}
                }
            }
        };
        tokio::time::timeout(LIMIT, reading)
            .await
            .expect("the bus says nothing")
    }

    /// The next frame that is no heartbeat.
    pub(crate) async fn frame(&mut self) -> Option<(u16, FrameBody)> {
        loop {
            let unit = self.unit().await?;
            if unit.len() > 8 {
                return Some(decoded(&unit));
            }
        }
    }

    pub(crate) fn into_stream(self) -> TcpStream {
        self.stream
    }
}

/// Decodes a whole AMQP frame.
pub(crate) fn decoded(unit: &[u8]) -> (u16, FrameBody) {
    let mut rest = BytesMut::from(&unit[4..]);
    let frame = FrameDecoder {}.decode(&mut rest).unwrap().unwrap();
    (frame.channel, frame.body)
}

pub(crate) fn frame(channel: u16, performative: &Performative, payload: &[u8]) -> Vec<u8> {
    let body = serde_amqp::to_vec(performative).unwrap();
    framed(0, channel, &[&body, payload].concat())
}

pub(crate) fn framed(kind: u8, channel: u16, body: &[u8]) -> Vec<u8> {
    let mut frame = (body.len() as u32 + 8).to_be_bytes().to_vec();
    frame.extend([2, kind]);
    frame.extend(channel.to_be_bytes());
    frame.extend(body);
    frame
}

pub(crate) fn sasl_init(mechanism: &str, response: &[u8]) -> Vec<u8> {
    let init = fe2o3_amqp::types::sasl::SaslInit {
        mechanism: mechanism.into(),
        initial_response: Some(response.to_vec().into()),
        hostname: Some("localhost".into()),
    };
    framed(1, 0, &serde_amqp::to_vec(&init).unwrap())
}

pub(crate) fn open() -> Performative {
    Performative::Open(Open {
        container_id: "raw".into(),
        hostname: Some("localhost".into()),
        max_frame_size: 262_144.into(),
        channel_max: 255.into(),
        idle_time_out: None,
        outgoing_locales: None,
        incoming_locales: None,
        offered_capabilities: None,
        desired_capabilities: None,
        properties: None,
    })
}

pub(crate) fn begin(incoming_window: u32) -> Performative {
    Performative::Begin(Begin {
        remote_channel: None,
        next_outgoing_id: 4_294_967_293,
        incoming_window,
        outgoing_window: 2048,
        handle_max: Handle(1023),
        offered_capabilities: None,
        desired_capabilities: None,
        properties: None,
    })
}

pub(crate) fn attach(handle: u32, role: Role, address: &str) -> Performative {
    let (source, target) = match role {
        Role::Receiver => (Source::from(address), Target::default()),
        Role::Sender => (Source::default(), Target::from(address)),
    };
    Performative::Attach(Attach {
        name: format!("link-{handle}"),
        handle: Handle(handle),
        initial_delivery_count: (role == Role::Sender).then_some(0),
        role,
        snd_settle_mode: SenderSettleMode::Mixed,
        rcv_settle_mode: ReceiverSettleMode::First,
        source: Some(Box::new(source)),
        target: Some(Box::new(TargetArchetype::Target(target))),
        unsettled: None,
        incomplete_unsettled: false,
        max_message_size: None,
        offered_capabilities: None,
        desired_capabilities: None,
        properties: None,
    })
}

pub(crate) fn credit(handle: u32, credit: u32) -> Performative {
    Performative::Flow(Flow {
        next_incoming_id: None,
        incoming_window: 2048,
        next_outgoing_id: 4_294_967_293,
        outgoing_window: 2048,
        handle: Some(Handle(handle)),
        delivery_count: None,
        link_credit: Some(credit),
        available: None,
        drain: false,
        echo: false,
        properties: None,
    })
}

pub(crate) fn transfer(handle: u32, delivery: u32, more: bool) -> Performative {
    Performative::Transfer(Transfer {
        handle: Handle(handle),
        delivery_id: Some(delivery),
        delivery_tag: Some(delivery.to_be_bytes().to_vec().into()),
        message_format: Some(0),
        settled: Some(false),
        more,
        rcv_settle_mode: None,
        state: None,
        resume: false,
        aborted: false,
        batchable: false,
    })
}

pub(crate) fn disposition(
    first: u32,
    last: Option<u32>,
    settled: bool,
    state: Option<DeliveryState>,
) -> Performative {
    Performative::Disposition(Disposition {
        role: Role::Receiver,
        first,
        last,
        settled,
        state,
        batchable: false,
    })
}

/// A message with one data section.
pub(crate) fn data(bytes: &[u8]) -> Vec<u8> {
    let mut section = vec![0x00, 0x53, 0x75, 0xb0];
    section.extend((bytes.len() as u32).to_be_bytes());
    section.extend(bytes);
    section
}
