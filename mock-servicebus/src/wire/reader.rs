//! A reader of AMQP 1.0 encodings (part 1 section 1.6) that trusts nothing: it borrows, never allocates by a peer's
//! counts, and goes no deeper than its caller asks.

use super::Malformed;

/// Bytes that hold encoded values one after the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

/// One value. Compound values are read further by readers of their own.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Raw<'a> {
    Null,
    Bool(bool),
    /// Any unsigned integer; `u8` to `u64`.
    Unsigned(u64),
    /// Any signed integer.
    Signed(i64),
    Float(f64),
    /// A decimal; nothing here looks inside.
    Decimal,
    Char(char),
    /// Milliseconds since 1970.
    Timestamp(i64),
    Uuid([u8; 16]),
    Binary(&'a [u8]),
    String(&'a str),
    Symbol(&'a str),
    List(Items<'a>),
    Map(Items<'a>),
    /// An array; nothing here looks inside.
    Array,
    Described(Descriptor<'a>, &'a [u8]),
}

/// What a described value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Descriptor<'a> {
    Code(u64),
    Name(&'a str),
}

/// The values of a list, or keys and values of a map.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Items<'a> {
    reader: Reader<'a>,
    left: u32,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// How many bytes have not been read.
    pub(crate) fn left(&self) -> usize {
        self.rest.len()
    }

    /// Reads one value.
    pub(crate) fn value(&mut self) -> Result<Raw<'a>, Malformed> {
        let code = self.byte()?;
        if code == 0x00 {
            let descriptor = match self.plain_value()? {
                Raw::Unsigned(code) => Descriptor::Code(code),
                Raw::Symbol(name) => Descriptor::Name(name),
                _ => return Err(Malformed::FieldType("descriptor")),
            };
            return Ok(Raw::Described(descriptor, self.encoded()?));
        }
        self.coded(code)
    }

    /// Passes over one value and returns its encoding.
    pub(crate) fn encoded(&mut self) -> Result<&'a [u8], Malformed> {
        const DEEPEST: usize = 8;
        let start = self.rest;
        // A described value is a descriptor and a value, which may be described again.
        for _ in 0..DEEPEST {
            let code = self.byte()?;
            if code != 0x00 {
                self.coded(code)?;
                return Ok(&start[..start.len() - self.rest.len()]);
            }
            self.plain_value()?;
        }
        Err(Malformed::Depth)
    }

    fn plain_value(&mut self) -> Result<Raw<'a>, Malformed> {
        match self.byte()? {
            0x00 => Err(Malformed::Depth),
            code => self.coded(code),
        }
    }

    fn coded(&mut self, code: u8) -> Result<Raw<'a>, Malformed> {
        Ok(match code {
            0x40 => Raw::Null,
            0x41 => Raw::Bool(true),
            0x42 => Raw::Bool(false),
            0x43 | 0x44 => Raw::Unsigned(0),
            0x45 => Raw::List(Items {
                reader: Self::new(&[]),
                left: 0,
            }),
            0x50 | 0x52 | 0x53 => Raw::Unsigned(self.byte()?.into()),
            0x51 | 0x54 | 0x55 => Raw::Signed(i8::from_be_bytes(self.fixed()?).into()),
            0x56 => match self.byte()? {
                0 => Raw::Bool(false),
                1 => Raw::Bool(true),
                _ => return Err(Malformed::FieldType("boolean")),
            },
            0x60 => Raw::Unsigned(u16::from_be_bytes(self.fixed()?).into()),
            0x61 => Raw::Signed(i16::from_be_bytes(self.fixed()?).into()),
            0x70 => Raw::Unsigned(u32::from_be_bytes(self.fixed()?).into()),
            0x71 => Raw::Signed(i32::from_be_bytes(self.fixed()?).into()),
            0x72 => Raw::Float(f32::from_be_bytes(self.fixed()?).into()),
            0x73 => {
                let code = u32::from_be_bytes(self.fixed()?);
                Raw::Char(char::from_u32(code).ok_or(Malformed::Text)?)
            }
            0x74 => self.bytes(4).map(|_| Raw::Decimal)?,
            0x80 => Raw::Unsigned(u64::from_be_bytes(self.fixed()?)),
            0x81 => Raw::Signed(i64::from_be_bytes(self.fixed()?)),
            0x82 => Raw::Float(f64::from_be_bytes(self.fixed()?)),
            0x83 => Raw::Timestamp(i64::from_be_bytes(self.fixed()?)),
            0x84 => self.bytes(8).map(|_| Raw::Decimal)?,
            0x94 => self.bytes(16).map(|_| Raw::Decimal)?,
            0x98 => Raw::Uuid(self.fixed()?),
            0xa0 | 0xb0 => Raw::Binary(self.sized(code)?),
            0xa1 | 0xb1 => Raw::String(utf8(self.sized(code)?)?),
            0xa3 | 0xb3 => match utf8(self.sized(code)?)? {
                text if text.is_ascii() => Raw::Symbol(text),
                _ => return Err(Malformed::Text),
            },
            0xc0 | 0xd0 => Raw::List(self.items(code)?),
            0xc1 | 0xd1 => match self.items(code)? {
                items if items.left % 2 == 0 => Raw::Map(items),
                _ => return Err(Malformed::CutOff),
            },
            0xe0 | 0xf0 => self.items(code).map(|_| Raw::Array)?,
            code => return Err(Malformed::UnknownType(code)),
        })
    }

    fn items(&mut self, code: u8) -> Result<Items<'a>, Malformed> {
        let mut reader = Self::new(self.sized(code)?);
        let left = match code & 0x10 == 0 {
            true => reader.byte()?.into(),
            false => u32::from_be_bytes(reader.fixed()?),
        };
        Ok(Items { reader, left })
    }

    /// Reads a size, of one byte or four by the type's code, and that many bytes.
    fn sized(&mut self, code: u8) -> Result<&'a [u8], Malformed> {
        let size = match code & 0x10 == 0 {
            true => usize::from(self.byte()?),
            false => {
                usize::try_from(u32::from_be_bytes(self.fixed()?)).map_err(|_| Malformed::CutOff)?
            }
        };
        self.bytes(size)
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (head, rest) = self.rest.split_first_chunk().ok_or(Malformed::CutOff)?;
        self.rest = rest;
        Ok(*head)
    }

    fn byte(&mut self) -> Result<u8, Malformed> {
        self.fixed::<1>().map(|[byte]| byte)
    }

    fn bytes(&mut self, size: usize) -> Result<&'a [u8], Malformed> {
        let (head, rest) = self.rest.split_at_checked(size).ok_or(Malformed::CutOff)?;
        self.rest = rest;
        Ok(head)
    }
}

impl<'a> Items<'a> {
    /// The next value; nothing at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Raw<'a>>, Malformed> {
        match self.step() {
            true => self.reader.value().map(Some),
            false => Ok(None),
        }
    }

    /// The encoding of the next value; nothing at the end.
    pub(crate) fn next_encoded(&mut self) -> Result<Option<&'a [u8]>, Malformed> {
        match self.step() {
            true => self.reader.encoded().map(Some),
            false => Ok(None),
        }
    }

    fn step(&mut self) -> bool {
        let more = self.left > 0;
        self.left = self.left.saturating_sub(1);
        more
    }
}

impl<'a> Raw<'a> {
    /// The value as one line of text, as evidence shows it; nothing for null and for compound values.
    pub(crate) fn text(&self) -> Option<String> {
        Some(match *self {
            Self::Bool(value) => value.to_string(),
            Self::Unsigned(value) => value.to_string(),
            Self::Signed(value) | Self::Timestamp(value) => value.to_string(),
            Self::Float(value) => value.to_string(),
            Self::Char(value) => value.to_string(),
            Self::Uuid(bytes) => uuid::Uuid::from_bytes(bytes).to_string(),
            Self::Binary(bytes) => bytes
                .iter()
                .take(256)
                .map(|byte| format!("{byte:02x}"))
                .collect(),
            Self::String(text) | Self::Symbol(text) => text.to_owned(),
            Self::Null
            | Self::Decimal
            | Self::List(_)
            | Self::Map(_)
            | Self::Array
            | Self::Described(..) => {
                return None;
            }
        })
    }
}

fn utf8(bytes: &[u8]) -> Result<&str, Malformed> {
    std::str::from_utf8(bytes).map_err(|_| Malformed::Text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_amqp::Value;

    use super::*;

    #[test]
    fn what_serde_amqp_writes_is_read() {
        let text = |value: Value| {
            let bytes = serde_amqp::to_vec(&value).unwrap();
            let mut reader = Reader::new(&bytes);
            let text = reader.value().unwrap().text();
            assert!(reader.is_empty());
            text
        };
        assert_eq!(text(Value::Ulong(u64::MAX)), Some(u64::MAX.to_string()));
        assert_eq!(text(Value::Uint(300)), Some("300".into()));
        assert_eq!(text(Value::Int(-2)), Some("-2".into()));
        assert_eq!(text(Value::Long(i64::MIN)), Some(i64::MIN.to_string()));
        assert_eq!(text(Value::Bool(true)), Some("true".into()));
        assert_eq!(text(Value::String("æ".repeat(200))), Some("æ".repeat(200)));
        assert_eq!(text(Value::Symbol("s".into())), Some("s".into()));
        assert_eq!(text(Value::Null), None);
    }

    #[test]
    fn counts_and_sizes_that_lie_are_noticed() {
        // A list of 4 billion values in 4 bytes, a string longer than what is there, a map with an odd count.
        let mut list = Reader::new(&[0xd0, 0, 0, 0, 4, 0xff, 0xff, 0xff, 0xff]);
        let Raw::List(mut items) = list.value().unwrap() else {
            panic!()
        };
        assert_eq!(items.next().unwrap_err(), Malformed::CutOff);
        assert_eq!(
            Reader::new(&[0xb1, 0xff, 0xff, 0xff, 0xff])
                .value()
                .unwrap_err(),
            Malformed::CutOff
        );
        assert_eq!(
            Reader::new(&[0xc1, 2, 1, 0x40]).value().unwrap_err(),
            Malformed::CutOff
        );
    }

    #[test]
    fn nesting_is_bounded() {
        assert_eq!(
            Reader::new(&[0; 100_000]).encoded().unwrap_err(),
            Malformed::Depth
        );
        let nested = [0x00, 0x44].repeat(100);
        assert_eq!(
            Reader::new(&nested).encoded().unwrap_err(),
            Malformed::Depth
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut reader = Reader::new(&bytes);
            while let Ok(value) = reader.value() {
                let _ = value.text();
                if let Raw::List(mut items) | Raw::Map(mut items) = value {
                    while let Ok(Some(_)) = items.next_encoded() {}
                }
            }
        }
    }
}
