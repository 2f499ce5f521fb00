//! Frames: cut out of the stream, and made for it (AMQP 1.0 part 2 section 2.3).

use bytes::{Buf, BufMut, Bytes, BytesMut};
use fe2o3_amqp_types::performatives::Performative;

/// Bytes before a frame's body when there is no extended header.
pub(crate) const HEADER: usize = 8;
/// The eight bytes that offer or accept SASL.
pub(crate) const SASL_HEADER: [u8; 8] = *b"AMQP\x03\x01\x00\x00";
/// The eight bytes that offer or accept AMQP 1.0.
pub(crate) const AMQP_HEADER: [u8; 8] = *b"AMQP\x00\x01\x00\x00";

/// What a frame's type byte says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FrameKind {
    Amqp,
    Sasl,
}

/// A frame as it came.
#[derive(Clone, Debug)]
pub(crate) struct RawFrame {
    pub(crate) kind: FrameKind,
    pub(crate) channel: u16,
    /// What follows the header; empty for a heartbeat.
    pub(crate) body: Bytes,
    /// The whole frame.
    pub(crate) raw: Bytes,
}

/// A peer broke the framing; the stream cannot be followed any further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FrameError {
    #[error("frame of {size} bytes is above the limit of {limit}")]
    TooLarge { size: usize, limit: usize },
    #[error("frame with an impossible size or data offset")]
    Header,
    #[error("frame of the unknown type {0}")]
    Kind(u8),
}

/// Cuts the next frame off the buffer; nothing when it has not come whole.
pub(crate) fn split(buffer: &mut BytesMut, limit: usize) -> Result<Option<RawFrame>, FrameError> {
    let Some((size, rest)) = buffer.split_first_chunk::<4>() else {
        return Ok(None);
    };
    let size = usize::try_from(u32::from_be_bytes(*size)).unwrap_or(usize::MAX);
    if size > limit {
        return Err(FrameError::TooLarge { size, limit });
    }
    if size < HEADER {
        return Err(FrameError::Header);
    }
    let Some([offset, kind, high, low]) = rest.first_chunk::<4>().copied() else {
        return Ok(None);
    };
    let offset = usize::from(offset) * 4;
    if offset < HEADER || offset > size {
        return Err(FrameError::Header);
    }
    let kind = match kind {
        0 => FrameKind::Amqp,
        1 => FrameKind::Sasl,
        other => return Err(FrameError::Kind(other)),
    };
    if buffer.len() < size {
        return Ok(None);
    }
    let raw = buffer.split_to(size).freeze();
    let mut body = raw.clone();
    body.advance(offset);
    Ok(Some(RawFrame {
        kind,
        channel: u16::from_be_bytes([high, low]),
        body,
        raw,
    }))
}

/// Makes an AMQP frame from a performative and its payload.
pub(crate) fn encode(channel: u16, performative: &Performative, payload: &[u8]) -> Bytes {
    let body =
        serde_amqp::to_vec(performative).expect("performatives of our own making have an encoding");
    framed(0, channel, &body, payload)
}

/// Makes a SASL frame from an encoded body.
pub(crate) fn encode_sasl(body: &[u8]) -> Bytes {
    framed(1, 0, body, &[])
}

/// A frame without a body: the heartbeat.
pub(crate) fn empty() -> Bytes {
    framed(0, 0, &[], &[])
}

fn framed(kind: u8, channel: u16, body: &[u8], payload: &[u8]) -> Bytes {
    let size = HEADER + body.len() + payload.len();
    let mut frame = BytesMut::with_capacity(size);
    frame.put_u32(u32::try_from(size).expect("frames of our own making are below the limit"));
    frame.put_slice(&[2, kind]);
    frame.put_u16(channel);
    frame.put_slice(body);
    frame.put_slice(payload);
    frame.freeze()
}

/// The name of a performative as contract 01 writes it.
pub(crate) fn name(performative: &Performative) -> &'static str {
    match performative {
        Performative::Open(_) => "open",
        Performative::Begin(_) => "begin",
        Performative::Attach(_) => "attach",
        Performative::Flow(_) => "flow",
        Performative::Transfer(_) => "transfer",
        Performative::Disposition(_) => "disposition",
        Performative::Detach(_) => "detach",
        Performative::End(_) => "end",
        Performative::Close(_) => "close",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_frame_waits_until_it_is_whole() {
        let whole = empty();
        for cut in 0..whole.len() {
            let mut buffer = BytesMut::from(&whole[..cut]);
            assert!(split(&mut buffer, 512).unwrap().is_none(), "{cut}");
        }
        let mut buffer = BytesMut::from(&whole[..]);
        let frame = split(&mut buffer, 512).unwrap().unwrap();
        assert!(frame.body.is_empty() && buffer.is_empty());
    }

    #[test]
    fn a_broken_header_is_noticed_at_once() {
        let of = |bytes: &[u8]| split(&mut BytesMut::from(bytes), 512).unwrap_err();
        assert_eq!(
            of(&[0, 0, 2, 1]),
            FrameError::TooLarge {
                size: 513,
                limit: 512
            }
        );
        assert_eq!(of(&[0, 0, 0, 7, 2, 0, 0, 0]), FrameError::Header);
        assert_eq!(of(&[0, 0, 0, 8, 1, 0, 0, 0]), FrameError::Header);
        assert_eq!(of(&[0, 0, 0, 8, 3, 0, 0, 0]), FrameError::Header);
        assert_eq!(of(&[0, 0, 0, 8, 2, 7, 0, 0]), FrameError::Kind(7));
    }

    proptest! {
        #[test]
        fn any_bytes_are_cut_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let mut buffer = BytesMut::from(&bytes[..]);
            while let Ok(Some(frame)) = split(&mut buffer, 64) {
                let _ = super::super::performative::decode(&frame.body);
            }
        }
    }
}
