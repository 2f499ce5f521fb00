//! Norwegian wall time, in the forms in which the register writes it (contract 02 section 2.3, rule 6).

use time::{Date, Month, OffsetDateTime, UtcOffset, Weekday};

/// The moment in Norway's time zone: UTC+1, and UTC+2 from the last Sunday of March to the last of October, 01:00 UTC each.
pub(crate) fn norwegian(moment: OffsetDateTime) -> OffsetDateTime {
    let utc = moment.to_offset(UtcOffset::UTC);
    let switch = |month| {
        let day = last_sunday(utc.year(), month);
        day.midnight().assume_utc() + time::Duration::HOUR
    };
    let summer = (switch(Month::March)..switch(Month::October)).contains(&utc);
    let hours = if summer { 2 } else { 1 };
    utc.to_offset(UtcOffset::from_hms(hours, 0, 0).unwrap_or(UtcOffset::UTC))
}

fn last_sunday(year: i32, month: Month) -> Date {
    let mut day = Date::from_calendar_date(year, month, month.length(year)).unwrap_or(Date::MAX);
    while day.weekday() != Weekday::Sunday {
        day = day.previous_day().unwrap_or(Date::MIN);
    }
    day
}

/// With seven decimals and offset, `2016-06-10T13:02:02.0834387+02:00`.
pub(crate) fn with_offset(moment: OffsetDateTime) -> String {
    let local = norwegian(moment);
    format!(
        "{}.{:07}+{:02}:00",
        seconds(local),
        local.nanosecond() / 100,
        local.offset().whole_hours()
    )
}

/// Without time zone, `2015-05-12T15:19:55.133`.
pub(crate) fn without_zone(moment: OffsetDateTime) -> String {
    let local = norwegian(moment);
    format!("{}.{:03}", seconds(local), local.millisecond())
}

fn seconds(local: OffsetDateTime) -> String {
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
        local.year(),
        u8::from(local.month()),
        local.day(),
        local.hour(),
        local.minute(),
        local.second()
    )
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn summer_and_winter() {
        assert_eq!(
            with_offset(datetime!(2016-06-10 11:02:02.0834387 UTC)),
            "2016-06-10T13:02:02.0834387+02:00"
        );
        assert_eq!(
            without_zone(datetime!(2026-02-01 11:00:00.13 UTC)),
            "2026-02-01T12:00:00.130"
        );
        assert_eq!(
            with_offset(datetime!(2026-03-29 00:59:59 UTC)),
            "2026-03-29T01:59:59.0000000+01:00"
        );
        assert_eq!(
            with_offset(datetime!(2026-03-29 01:00:00 UTC)),
            "2026-03-29T03:00:00.0000000+02:00"
        );
        assert_eq!(
            with_offset(datetime!(2026-10-25 01:00:00 UTC)),
            "2026-10-25T02:00:00.0000000+01:00"
        );
    }
}
