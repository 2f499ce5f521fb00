//! Just enough of BER and DER (X.690) to take structures apart by hand and to put them together; whatever needs a key is OpenSSL's.

use time::OffsetDateTime;

use crate::date_time;

/// Universal tags and the context tags in use.
pub(crate) const BOOLEAN: u8 = 0x01;
pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(crate) const ENUMERATED: u8 = 0x0a;
pub(crate) const UTC_TIME: u8 = 0x17;
pub(crate) const GENERALIZED_TIME: u8 = 0x18;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;
pub(crate) const CONTEXT_0: u8 = 0x80;
pub(crate) const CONTEXT_0_CONSTRUCTED: u8 = 0xa0;
pub(crate) const CONTEXT_1_CONSTRUCTED: u8 = 0xa1;
pub(crate) const CONTEXT_2_CONSTRUCTED: u8 = 0xa2;

/// Deepest nesting of indefinite lengths that is followed.
const DEPTH: usize = 32;

/// One element of DER.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Element<'a> {
    pub(crate) tag: u8,
    pub(crate) content: &'a [u8],
    /// Tag, length and content.
    pub(crate) whole: &'a [u8],
}

/// Reads the elements of DER one after the other. Lengths are definite; tags are of one byte.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next element, nothing at the end or when it is not well-formed.
    pub(crate) fn next(&mut self) -> Option<Element<'a>> {
        let (tag, header, length) = header(self.0)?;
        let end = header.checked_add(length?)?;
        let whole = self.0.get(..end)?;
        self.0 = &self.0[end..];
        Some(Element {
            tag,
            content: &whole[header..],
            whole,
        })
    }

    /// The next element, which must have this tag.
    pub(crate) fn expect(&mut self, tag: u8) -> Option<Element<'a>> {
        self.optional(tag)
    }

    /// The next element if it has this tag; otherwise nothing is read.
    pub(crate) fn optional(&mut self, tag: u8) -> Option<Element<'a>> {
        let mut ahead = *self;
        let element = ahead.next().filter(|element| element.tag == tag)?;
        *self = ahead;
        Some(element)
    }

    /// Into the next element, which must have this tag.
    pub(crate) fn enter(&mut self, tag: u8) -> Option<Self> {
        self.expect(tag).map(|element| Self(element.content))
    }

    /// The remaining elements, at most `limit`; nothing when there are more or one is not well-formed.
    pub(crate) fn all(mut self, limit: usize) -> Option<Vec<Element<'a>>> {
        let mut elements = Vec::new();
        while !self.is_empty() {
            if elements.len() == limit {
                return None;
            }
            elements.push(self.next()?);
        }
        Some(elements)
    }
}

/// Tag, size of the header, and length of the content (nothing: indefinite).
fn header(bytes: &[u8]) -> Option<(u8, usize, Option<usize>)> {
    let (&tag, &first) = (bytes.first()?, bytes.get(1)?);
    if tag & 0x1f == 0x1f {
        return None;
    }
    match first {
        0x80 => Some((tag, 2, None)),
        0x00..0x80 => Some((tag, 2, Some(usize::from(first)))),
        _ => {
            let octets = usize::from(first & 0x7f);
            if octets > 4 {
                return None;
            }
            let length = bytes
                .get(2..2 + octets)?
                .iter()
                .fold(0_usize, |length, byte| length << 8 | usize::from(*byte));
            Some((tag, 2 + octets, Some(length)))
        }
    }
}

/// How many bytes the first element of BER takes, indefinite lengths included; nothing when it is not well-formed or cut off.
pub(crate) fn extent(bytes: &[u8]) -> Option<usize> {
    let mut open = 0_usize;
    let mut at = 0_usize;
    loop {
        let rest = bytes.get(at..)?;
        if open > 0 && rest.starts_with(&[0, 0]) {
            at += 2;
            open -= 1;
        } else {
            let (_, header, length) = header(rest)?;
            match length {
                Some(length) => at = at.checked_add(header)?.checked_add(length)?,
                None if open == DEPTH => return None,
                None => {
                    at += header;
                    open += 1;
                }
            }
        }
        if at > bytes.len() {
            return None;
        }
        if open == 0 {
            return Some(at);
        }
    }
}

/// The object identifier at the start of a `ContentInfo` in BER (RFC 5652 section 3), nothing when the bytes do not begin like one.
pub(crate) fn content_type(bytes: &[u8]) -> Option<&[u8]> {
    let (tag, header, _) = header(bytes).filter(|(tag, ..)| *tag == SEQUENCE)?;
    debug_assert_eq!(tag, SEQUENCE);
    let oid = Reader(bytes.get(header..)?).expect(OBJECT_IDENTIFIER)?;
    Some(oid.content)
}

/// Identifier, criticality and value of an extension (RFC 5280 section 4.1).
pub(crate) fn extension<'a>(extension: &Element<'a>) -> Option<(&'a [u8], bool, &'a [u8])> {
    let mut fields = Reader(extension.content);
    let oid = fields.expect(OBJECT_IDENTIFIER)?;
    let critical = fields
        .optional(BOOLEAN)
        .is_some_and(|critical| critical.content != [0]);
    let value = fields.expect(OCTET_STRING)?;
    Some((oid.content, critical, value.content))
}

/// A `GeneralizedTime` of whole seconds in UTC.
pub(crate) fn generalized_time(element: &Element<'_>) -> Option<OffsetDateTime> {
    let text = std::str::from_utf8(element.content).ok()?;
    let digits = text.strip_suffix('Z')?;
    if element.tag != GENERALIZED_TIME || digits.len() != 14 || !digits.is_ascii() {
        return None;
    }
    let (date, clock) = digits.split_at(8);
    let text = format!(
        "{}-{}-{}T{}:{}:{}Z",
        &date[..4],
        &date[4..6],
        &date[6..],
        &clock[..2],
        &clock[2..4],
        &clock[4..]
    );
    date_time::parse(&text)
}

/// An element of DER.
pub(crate) fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    let length = content.len();
    if length < 0x80 {
        out.push(length as u8);
    } else {
        let octets = length.to_be_bytes();
        let significant = &octets[octets.iter().take_while(|octet| **octet == 0).count()..];
        out.push(0x80 | significant.len() as u8);
        out.extend_from_slice(significant);
    }
    out.extend_from_slice(content);
    out
}

/// An element of DER that is made of others.
pub(crate) fn of(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    element(tag, &parts.concat())
}

/// The content of a SET OF: its elements in ascending order of their encodings (X.690 section 11.6).
pub(crate) fn sorted(mut elements: Vec<Vec<u8>>) -> Vec<u8> {
    elements.sort();
    elements.concat()
}

/// An object identifier in dotted form.
pub(crate) fn dotted(content: &[u8]) -> String {
    let mut arcs: Vec<u64> = Vec::new();
    let mut arc = 0_u64;
    for byte in content {
        arc = arc.wrapping_shl(7) | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            if arcs.is_empty() {
                let first = (arc / 40).min(2);
                arcs.extend([first, arc - 40 * first]);
            } else {
                arcs.push(arc);
            }
            arc = 0;
        }
    }
    let texts: Vec<String> = arcs.iter().map(u64::to_string).collect();
    texts.join(".")
}

/// Object identifiers, as the contents of their encodings.
pub(crate) mod oid {
    pub(crate) const DATA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01";
    pub(crate) const SIGNED_DATA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02";
    pub(crate) const ENVELOPED_DATA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03";

    pub(crate) const RSA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01";
    pub(crate) const OAEP: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x07";
    pub(crate) const MGF1: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08";

    pub(crate) const CONTENT_TYPE: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x03";
    pub(crate) const MESSAGE_DIGEST: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x04";
    pub(crate) const SIGNING_TIME: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x05";

    pub(crate) const SHA1: &[u8] = b"\x2b\x0e\x03\x02\x1a";
    pub(crate) const SHA256: &[u8] = b"\x60\x86\x48\x01\x65\x03\x04\x02\x01";
    pub(crate) const SHA384: &[u8] = b"\x60\x86\x48\x01\x65\x03\x04\x02\x02";
    pub(crate) const SHA512: &[u8] = b"\x60\x86\x48\x01\x65\x03\x04\x02\x03";

    pub(crate) const SHA256_WITH_RSA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b";
    pub(crate) const SHA384_WITH_RSA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c";
    pub(crate) const SHA512_WITH_RSA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d";
    pub(crate) const SHA256_WITH_ECDSA: &[u8] = b"\x2a\x86\x48\xce\x3d\x04\x03\x02";
    pub(crate) const SHA384_WITH_ECDSA: &[u8] = b"\x2a\x86\x48\xce\x3d\x04\x03\x03";

    pub(crate) const OCSP_BASIC: &[u8] = b"\x2b\x06\x01\x05\x05\x07\x30\x01\x01";
    pub(crate) const OCSP_NONCE: &[u8] = b"\x2b\x06\x01\x05\x05\x07\x30\x01\x02";

    pub(crate) const AES_128_CBC: &[u8] = b"\x60\x86\x48\x01\x65\x03\x04\x01\x02";
    pub(crate) const AES_192_CBC: &[u8] = b"\x60\x86\x48\x01\x65\x03\x04\x01\x16";
    pub(crate) const AES_256_CBC: &[u8] = b"\x60\x86\x48\x01\x65\x03\x04\x01\x2a";
    pub(crate) const TRIPLE_DES_CBC: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x03\x07";
    pub(crate) const DES_CBC: &[u8] = b"\x2b\x0e\x03\x02\x07";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn object_identifiers_are_what_their_names_say() {
        for (oid, text) in [
            (oid::SIGNED_DATA, "1.2.840.113549.1.7.2"),
            (oid::ENVELOPED_DATA, "1.2.840.113549.1.7.3"),
            (oid::OAEP, "1.2.840.113549.1.1.7"),
            (oid::MGF1, "1.2.840.113549.1.1.8"),
            (oid::SHA1, "1.3.14.3.2.26"),
            (oid::SHA256, "2.16.840.1.101.3.4.2.1"),
            (oid::AES_128_CBC, "2.16.840.1.101.3.4.1.2"),
            (oid::AES_192_CBC, "2.16.840.1.101.3.4.1.22"),
            (oid::AES_256_CBC, "2.16.840.1.101.3.4.1.42"),
            (oid::TRIPLE_DES_CBC, "1.2.840.113549.3.7"),
            (oid::DES_CBC, "1.3.14.3.2.7"),
            (oid::SHA256_WITH_RSA, "1.2.840.113549.1.1.11"),
            (oid::SHA256_WITH_ECDSA, "1.2.840.10045.4.3.2"),
            (oid::OCSP_BASIC, "1.3.6.1.5.5.7.48.1.1"),
            (oid::OCSP_NONCE, "1.3.6.1.5.5.7.48.1.2"),
        ] {
            assert_eq!(dotted(oid), text);
        }
    }

    #[test]
    fn what_is_written_is_read() {
        for size in [0, 1, 127, 128, 255, 256, 70_000] {
            let bytes = element(OCTET_STRING, &vec![7; size]);
            let read = Reader::new(&bytes).expect(OCTET_STRING).unwrap();
            assert_eq!((read.content.len(), read.whole.len()), (size, bytes.len()));
            assert_eq!(extent(&bytes), Some(bytes.len()));
        }
    }

    #[test]
    fn an_extent_ends_with_the_outermost_element() {
        assert_eq!(
            extent(b"\x30\x80\x24\x80\x04\x01a\x00\x00\x00\x00rest"),
            Some(11)
        );
        assert_eq!(extent(b"\x30\x80\x04\x01a\x00"), None);
        assert_eq!(extent(&[0x30, 0x80].repeat(100)), None);
        assert_eq!(extent(b""), None);
    }
}
