//! `xs:dateTime` as messages and registers write it.

use time::{Date, Month, OffsetDateTime, Time, UtcOffset};

/// Reads `2026-03-02T10:15:30[.fraction][Z|+01:00]`. Without a zone it is UTC. White space is the caller's to remove.
///
/// Years have four digits; `24:00:00` and leap seconds, which XML Schema 1.0 allows in theory, are not taken. Digits of a
/// second beyond the ninth are dropped.
#[must_use]
pub fn parse(text: &str) -> Option<OffsetDateTime> {
    let bytes = text.as_bytes();
    if bytes.len() < 19 || bytes.len() > 64 || !text.is_ascii() {
        return None;
    }
    let separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if separators
        .iter()
        .any(|(place, separator)| bytes[*place] != *separator)
    {
        return None;
    }
    let number = |from: usize, to: usize| digits(&text[from..to]);
    let year = i32::try_from(number(0, 4)?).ok()?;
    let month = Month::try_from(small(number(5, 7)?)?).ok()?;
    let date = Date::from_calendar_date(year, month, small(number(8, 10)?)?).ok()?;
    let (nanoseconds, zone) = fraction(&text[19..])?;
    let [hour, minute, second] = [number(11, 13)?, number(14, 16)?, number(17, 19)?];
    let time =
        Time::from_hms_nano(small(hour)?, small(minute)?, small(second)?, nanoseconds).ok()?;
    if year == 0 {
        return None;
    }
    let local = time::PrimitiveDateTime::new(date, time).assume_offset(offset(zone)?);
    // In UTC the year must still be one of four digits, so that it can be written again.
    local.checked_to_offset(UtcOffset::UTC).map(|_| local)
}

/// Whether a text is an `xs:date`: `2026-03-02`, with or without a zone.
#[must_use]
pub fn is_date(text: &str) -> bool {
    let (Some(date), Some(zone)) = (text.get(..10), text.get(10..)) else {
        return false;
    };
    parse(&format!("{date}T12:00:00")).is_some() && offset(zone).is_some()
}

fn digits(text: &str) -> Option<u32> {
    let all = text.bytes().all(|byte| byte.is_ascii_digit());
    all.then(|| text.parse().ok()).flatten()
}

fn small(number: u32) -> Option<u8> {
    u8::try_from(number).ok()
}

/// Nanoseconds, and what follows the fraction.
fn fraction(text: &str) -> Option<(u32, &str)> {
    let Some(rest) = text.strip_prefix('.') else {
        return Some((0, text));
    };
    let length = rest.bytes().take_while(u8::is_ascii_digit).count();
    if length == 0 {
        return None;
    }
    let (fraction, zone) = rest.split_at(length);
    let first_nine: String = fraction
        .chars()
        .chain("000000000".chars())
        .take(9)
        .collect();
    Some((digits(&first_nine)?, zone))
}

fn offset(zone: &str) -> Option<UtcOffset> {
    if zone.is_empty() || zone == "Z" {
        return Some(UtcOffset::UTC);
    }
    let bytes = zone.as_bytes();
    if bytes.len() != 6 || bytes[3] != b':' {
        return None;
    }
    let [hours, minutes] = [digits(&zone[1..3])?, digits(&zone[4..6])?];
    // XML Schema allows offsets up to 14 hours.
    if minutes > 59 || hours * 60 + minutes > 14 * 60 {
        return None;
    }
    let seconds = i32::try_from((hours * 60 + minutes) * 60).ok()?;
    match bytes[0] {
        b'+' => UtcOffset::from_whole_seconds(seconds).ok(),
        b'-' => UtcOffset::from_whole_seconds(-seconds).ok(),
        _ => None,
    }
}

/// Writes a time with its offset, whole seconds: `2026-03-02T10:15:30+01:00`, `Z` for UTC.
#[must_use]
pub fn write(time: OffsetDateTime) -> String {
    let (date, clock, offset) = (time.date(), time.time(), time.offset());
    let zone = if offset.is_utc() {
        "Z".to_owned()
    } else {
        let sign = if offset.is_negative() { '-' } else { '+' };
        let minutes = offset.whole_minutes().unsigned_abs();
        format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    };
    let (hour, minute, second) = (clock.hour(), clock.minute(), clock.second());
    let (year, month, day) = (date.year(), u8::from(date.month()), date.day());
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{zone}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::datetime;

    use super::*;

    #[test]
    fn what_is_read() {
        let time = datetime!(2026-03-02 10:15:30 +01:00);
        assert_eq!(parse("2026-03-02T10:15:30+01:00"), Some(time));
        assert_eq!(parse("2026-03-02T09:15:30Z"), Some(time));
        assert_eq!(parse("2026-03-02T09:15:30"), Some(time));
        assert_eq!(
            parse("2026-11-24T08:57:01.636Z"),
            Some(datetime!(2026-11-24 08:57:01.636 UTC))
        );
        assert_eq!(
            parse("2026-11-24T08:57:01.1234567899Z"),
            Some(datetime!(2026-11-24 08:57:01.123456789 UTC))
        );
        assert_eq!(
            parse("9999-12-31T00:00:00"),
            Some(datetime!(9999-12-31 00:00 UTC))
        );
    }

    #[test]
    fn what_is_not() {
        for text in [
            "",
            "02.03.2026 10:15",
            "2026-03-02",
            "2026-03-02 10:15:30",
            "2026-02-30T10:15:30",
            "2026-03-02T24:00:00",
            "2026-03-02T10:15:30.",
            "2026-03-02T10:15:30+1",
            "2026-03-02T10:15:30+15:00",
            "2026-03-02T10:15:30z",
            "0000-03-02T10:15:30",
            "+026-03-02T10:15:30",
            "2026-03-02T10:15:30æ",
            "2026-03-02T10:15:30 01:00",
            "9999-12-31T23:59:59-01:00",
            "2026-03-02T10:15:30+00:60",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn dates() {
        assert!(is_date("2026-03-02") && is_date("2026-03-02Z") && is_date("2026-03-02+01:00"));
        assert!(
            !is_date("")
                && !is_date("2026-02-30")
                && !is_date("2026-03-02T00:00:00")
                && !is_date("2026-03-0ø")
        );
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(seconds in -62_135_510_400_i64..253_402_214_400, quarters in -56_i32..=56) {
            let offset = UtcOffset::from_whole_seconds(quarters * 900).unwrap();
            let time = OffsetDateTime::from_unix_timestamp(seconds).unwrap().to_offset(offset);
            prop_assert_eq!(parse(&write(time)), Some(time));
            prop_assert_eq!(parse(&write(time)).unwrap().offset(), offset);
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,40}", digits in "[0-9T:.Z+-]{19,30}") {
            let _ = parse(&text);
            let _ = parse(&digits);
        }
    }
}
