//! Writes the message sections that belong to the bus. They are few and mix encoded bytes of a sender with our own, which is
//! why they are not made through `serde_amqp`.

use bytes::{BufMut, BytesMut};

/// Appends encoded values to a buffer.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    buffer: BytesMut,
    count: u32,
}

impl Writer {
    pub(crate) fn null(&mut self) {
        self.put(|buffer| buffer.put_u8(0x40));
    }

    pub(crate) fn bool(&mut self, value: bool) {
        self.put(|buffer| buffer.put_u8(if value { 0x41 } else { 0x42 }));
    }

    pub(crate) fn ubyte(&mut self, value: u8) {
        self.put(|buffer| buffer.put_slice(&[0x50, value]));
    }

    pub(crate) fn uint(&mut self, value: u32) {
        self.put(|buffer| match u8::try_from(value) {
            Ok(0) => buffer.put_u8(0x43),
            Ok(small) => buffer.put_slice(&[0x52, small]),
            Err(_) => {
                buffer.put_u8(0x70);
                buffer.put_u32(value);
            }
        });
    }

    pub(crate) fn ulong(&mut self, value: u64) {
        self.put(|buffer| {
            buffer.put_u8(0x80);
            buffer.put_u64(value);
        });
    }

    pub(crate) fn long(&mut self, value: i64) {
        self.put(|buffer| {
            buffer.put_u8(0x81);
            buffer.put_i64(value);
        });
    }

    pub(crate) fn timestamp(&mut self, at: time::OffsetDateTime) {
        let milliseconds = i64::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX);
        self.put(|buffer| {
            buffer.put_u8(0x83);
            buffer.put_i64(milliseconds);
        });
    }

    pub(crate) fn string(&mut self, text: &str) {
        self.sized(0xa1, text.as_bytes());
    }

    pub(crate) fn symbol(&mut self, text: &str) {
        self.sized(0xa3, text.as_bytes());
    }

    /// A value that is encoded already.
    pub(crate) fn encoded(&mut self, value: &[u8]) {
        self.put(|buffer| buffer.put_slice(value));
    }

    /// A section whose value is a list.
    pub(crate) fn list_section(&mut self, code: u8, fill: impl FnOnce(&mut Self)) {
        self.section(code, 0xd0, fill);
    }

    /// A section whose value is a map; `fill` writes keys and values in turn.
    pub(crate) fn map_section(&mut self, code: u8, fill: impl FnOnce(&mut Self)) {
        self.section(code, 0xd1, fill);
    }

    /// An array of maps; each of `fills` writes one map's keys and values in turn.
    pub(crate) fn array_of_maps<T>(&mut self, of: &[T], fill: impl Fn(&mut Self, &T)) {
        self.array(0xd1, of, |inner, one| {
            let body = filled(|writer| fill(writer, one));
            inner.compound(&body);
        });
    }

    /// An array of strings.
    pub(crate) fn array_of_strings(&mut self, of: &[&str]) {
        self.array(0xb1, of, |inner, text| {
            inner.buffer.put_u32(length(text.len()));
            inner.buffer.put_slice(text.as_bytes());
        });
    }

    pub(crate) fn finish(self) -> BytesMut {
        self.buffer
    }

    fn section(&mut self, code: u8, constructor: u8, fill: impl FnOnce(&mut Self)) {
        let body = filled(fill);
        self.buffer.put_slice(&[0x00, 0x53, code, constructor]);
        self.compound(&body);
    }

    fn array<T>(&mut self, constructor: u8, of: &[T], write: impl Fn(&mut Self, &T)) {
        let body = filled(|writer| of.iter().for_each(|one| write(writer, one)));
        self.put(|buffer| {
            buffer.put_u8(0xf0);
            buffer.put_u32(length(body.buffer.len() + 5));
            buffer.put_u32(length(of.len()));
            buffer.put_u8(constructor);
            buffer.put_slice(&body.buffer);
        });
    }

    /// Size, count and values of a list or map.
    fn compound(&mut self, body: &Self) {
        self.buffer.put_u32(length(body.buffer.len() + 4));
        self.buffer.put_u32(body.count);
        self.buffer.put_slice(&body.buffer);
    }

    fn sized(&mut self, small: u8, bytes: &[u8]) {
        self.put(|buffer| {
            match u8::try_from(bytes.len()) {
                Ok(size) => buffer.put_slice(&[small, size]),
                Err(_) => {
                    buffer.put_u8(small | 0x10);
                    buffer.put_u32(length(bytes.len()));
                }
            }
            buffer.put_slice(bytes);
        });
    }

    fn put(&mut self, write: impl FnOnce(&mut BytesMut)) {
        self.count += 1;
        write(&mut self.buffer);
    }
}

fn filled(fill: impl FnOnce(&mut Writer)) -> Writer {
    let mut writer = Writer::default();
    fill(&mut writer);
    writer
}

/// Sizes are bounded by the message size, far below what four bytes hold.
fn length(size: usize) -> u32 {
    u32::try_from(size).unwrap_or(u32::MAX)
}
