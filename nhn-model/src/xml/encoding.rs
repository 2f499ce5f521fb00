//! Encodings that payloads come in (contract 03 section 5.5).

use std::borrow::Cow;

use super::XmlError;

/// Most bytes of an XML declaration that are looked at.
const DECLARATION: usize = 256;

/// The text of a document: UTF-8 with or without a byte order mark, UTF-16 with one, ISO-8859-1 when declared.
pub(crate) fn decode(bytes: &[u8], limit: usize) -> Result<Cow<'_, str>, XmlError> {
    if bytes.len() > limit {
        return Err(XmlError::TooLarge);
    }
    if let Some(rest) = bytes.strip_prefix(b"\xfe\xff") {
        return utf16(rest, u16::from_be_bytes);
    }
    if let Some(rest) = bytes.strip_prefix(b"\xff\xfe") {
        return utf16(rest, u16::from_le_bytes);
    }
    if let Some(rest) = bytes.strip_prefix(b"\xef\xbb\xbf") {
        return utf8(rest);
    }
    match declared(bytes).as_deref() {
        None | Some("utf-8" | "utf8" | "us-ascii" | "ascii") => utf8(bytes),
        Some("iso-8859-1" | "iso_8859-1" | "latin1") => Ok(Cow::Owned(
            bytes.iter().map(|byte| char::from(*byte)).collect(),
        )),
        Some(_) => Err(XmlError::Encoding),
    }
}

fn utf8(bytes: &[u8]) -> Result<Cow<'_, str>, XmlError> {
    let text = std::str::from_utf8(bytes).map_err(|_| XmlError::Encoding)?;
    Ok(Cow::Borrowed(text))
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<Cow<'static, str>, XmlError> {
    let pairs = bytes.chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return Err(XmlError::Encoding);
    }
    let units = pairs.map(|pair| unit([pair[0], pair[1]]));
    let text: Result<String, _> = char::decode_utf16(units).collect();
    text.map(Cow::Owned).map_err(|_| XmlError::Encoding)
}

/// The encoding that the XML declaration names, in lower case.
fn declared(bytes: &[u8]) -> Option<String> {
    let start = &bytes[..bytes.len().min(DECLARATION)];
    let start = start.strip_prefix(b"<?xml")?;
    let end = start.windows(2).position(|pair| pair == b"?>")?;
    let declaration = std::str::from_utf8(&start[..end]).ok()?;
    let (_, rest) = declaration.split_once("encoding")?;
    let value = rest.trim_start().strip_prefix('=')?.trim_start();
    let quote = value
        .chars()
        .next()
        .filter(|quote| "\"'".contains(*quote))?;
    let (name, _) = value[1..].split_once(quote)?;
    Some(name.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(bytes: &[u8]) -> Result<String, XmlError> {
        decode(bytes, 10_000).map(Cow::into_owned)
    }

    #[test]
    fn every_encoding_that_is_taken() {
        let utf16 = |order: fn(u16) -> [u8; 2], mark: &[u8]| {
            let units = "<a>ø😀</a>".encode_utf16().flat_map(order);
            mark.iter().copied().chain(units).collect::<Vec<u8>>()
        };
        assert_eq!(text("\u{feff}<a>ø</a>".as_bytes()).unwrap(), "<a>ø</a>");
        assert_eq!(text("<a>ø</a>".as_bytes()).unwrap(), "<a>ø</a>");
        assert_eq!(
            text(&utf16(u16::to_le_bytes, b"\xff\xfe")).unwrap(),
            "<a>ø😀</a>"
        );
        assert_eq!(
            text(&utf16(u16::to_be_bytes, b"\xfe\xff")).unwrap(),
            "<a>ø😀</a>"
        );
        let latin = b"<?xml version='1.0' encoding = 'ISO-8859-1'?><a>\xf8</a>";
        assert!(text(latin).unwrap().ends_with("<a>ø</a>"));
    }

    #[test]
    fn others_are_not() {
        assert_eq!(text(b"<a>\xf8</a>"), Err(XmlError::Encoding));
        assert_eq!(text(b"\xff\xfe<"), Err(XmlError::Encoding));
        assert_eq!(text(b"\xff\xfe\x00\xd8"), Err(XmlError::Encoding));
        assert_eq!(
            text(b"<?xml version='1.0' encoding='EBCDIC'?><a/>"),
            Err(XmlError::Encoding)
        );
        assert_eq!(text(&[b' '; 10_001]), Err(XmlError::TooLarge));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..100), start in prop::sample::select(vec!["", "<?xml encoding=", "<?xml encoding='ø"])) {
            let _ = text(&[start.as_bytes(), &bytes, b"?>"].concat());
        }
    }
}
