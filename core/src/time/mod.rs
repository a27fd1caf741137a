//! Sequence numbers, times and points: what AS OF takes.

mod point;
mod rfc3339;

pub use point::Point;

use core::fmt;

use crate::error::Result;
use crate::limits::TIMESTAMP_MAX;

/// A sequence number: one counter for the whole database. The first event has seq 1; 0 is before everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seq(pub u64);

/// A time in unix milliseconds, from 1970-01-01T00:00:00Z up to [`TIMESTAMP_MAX`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// The latest time there is: 9999-12-31T23:59:59.999Z.
    pub const MAX: Timestamp = Timestamp(TIMESTAMP_MAX);

    /// Reads an RFC 3339 time such as `2026-01-31T12:00:00.5+01:00`, or a date, which is midnight UTC. Digits beyond the
    /// milliseconds are cut off.
    ///
    /// # Errors
    /// [`Code::InvalidValue`](crate::Code::InvalidValue) for what is not a time; [`Code::OutOfRange`](crate::Code::OutOfRange) for a
    /// date that is not in the calendar, and for a time before 1970.
    pub fn parse(text: &str) -> Result<Timestamp> {
        rfc3339::parse(text)
    }
}

/// RFC 3339 in UTC with milliseconds: `2026-01-01T00:00:00.000Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        rfc3339::format(*self, f)
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use alloc::format;
    use alloc::string::ToString;

    use proptest::prelude::*;

    use super::*;
    use crate::error::Code;

    fn parsed(text: &str) -> u64 {
        Timestamp::parse(text).unwrap().0
    }

    fn code(text: &str) -> Code {
        Timestamp::parse(text).unwrap_err().code()
    }

    #[test]
    fn times_are_read_to_the_millisecond() {
        assert_eq!(parsed("1970-01-01T00:00:00Z"), 0);
        assert_eq!(parsed("1970-01-01"), 0);
        assert_eq!(parsed("2026-01-31"), 1_769_817_600_000);
        assert_eq!(parsed("2026-01-31T12:00:00.1239999Z"), 1_769_860_800_123);
        assert_eq!(parsed("2026-01-31t12:00:00.5z"), 1_769_860_800_500);
        assert_eq!(parsed("2026-01-31 13:30:00+01:30"), 1_769_860_800_000);
        assert_eq!(parsed("2026-01-31T11:00:00-01:00"), 1_769_860_800_000);
        assert_eq!(parsed("1970-01-01T01:00:00+01:00"), 0);
        assert_eq!(parsed("2000-02-29"), 951_782_400_000);
        assert_eq!(parsed("9999-12-31T23:59:59.999Z"), TIMESTAMP_MAX);
        assert_eq!(
            parsed("2016-12-31T23:59:60Z"),
            parsed("2016-12-31T23:59:59Z")
        );
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "2026",
            "2026-1-1",
            "2026-01-01T",
            "2026-01-01T00:00:00",
            "2026-01-01T00:00Z",
            "2026-01-01T00:00:00.Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:60:00Z",
            "2026-01-01T00:00:61Z",
            "2026-01-01T00:00:00+24:00",
            "2026-01-01T00:00:00Zx",
            "2026-01-01x",
            "+026-01-01",
            "2026-01-01T00:00:00+0100",
            "２026-01-01",
        ] {
            assert_eq!(code(text), Code::InvalidValue, "{text}");
        }
        for text in [
            "2026-02-29",
            "1900-02-29",
            "2026-13-01",
            "2026-00-01",
            "2026-04-31",
            "2026-01-00",
            "1969-12-31",
            "1970-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59-00:01",
            "0000-01-01",
        ] {
            assert_eq!(code(text), Code::OutOfRange, "{text}");
        }
    }

    #[test]
    fn any_time_can_be_shown() {
        assert_eq!(Timestamp(0).to_string(), "1970-01-01T00:00:00.000Z");
        assert_eq!(Timestamp::MAX.to_string(), "9999-12-31T23:59:59.999Z");
        assert!(Timestamp(u64::MAX).to_string().ends_with('Z'));
    }

    #[test]
    fn every_day_of_the_calendar_is_where_it_belongs() {
        let mut day = jiff::civil::date(1970, 1, 1);
        for number in 0..=TIMESTAMP_MAX / 86_400_000 {
            let unix_ms = number * 86_400_000;
            let text = day.to_string();
            assert_eq!(Timestamp::parse(&text).unwrap(), Timestamp(unix_ms));
            assert_eq!(
                Timestamp(unix_ms).to_string(),
                format!("{text}T00:00:00.000Z")
            );
            day = day.tomorrow().unwrap_or(day);
        }
    }

    proptest! {
        #[test]
        fn agrees_with_jiff(unix_ms in 0..=TIMESTAMP_MAX, offset in -1439i32..1440, digits in 0usize..10) {
            let oracle = jiff::Timestamp::from_millisecond(i64::try_from(unix_ms).unwrap()).unwrap();
            prop_assert_eq!(Timestamp(unix_ms).to_string(), format!("{oracle:.3}"));
            prop_assert_eq!(Timestamp::parse(&format!("{oracle:.3}")).unwrap(), Timestamp(unix_ms));
            let offset = jiff::tz::Offset::from_seconds(offset * 60).unwrap();
            let precision = Some(u8::try_from(digits).unwrap());
            let text = jiff::fmt::temporal::DateTimePrinter::new().precision(precision)
                .timestamp_with_offset_to_string(&oracle, offset);
            let cut = 10u64.pow(3 - u32::try_from(digits.min(3)).unwrap());
            match Timestamp::parse(&text) {
                Ok(read) => prop_assert_eq!(read, Timestamp(unix_ms / cut * cut), "{}", text),
                Err(_) => prop_assert!(text.starts_with('-') || text.starts_with("+01"), "{}", text),
            }
        }

        #[test]
        fn reads_nothing_that_jiff_refuses(text in "(19|20)[0-9]{2}-[01][0-9]-[0-3][0-9][Tt ][0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{1,9})?(Z|[+-][0-2][0-9]:[0-6][0-9])") {
            if let Ok(time) = Timestamp::parse(&text) {
                let oracle: jiff::Timestamp = text.parse().unwrap();
                prop_assert_eq!(i64::try_from(time.0).unwrap(), oracle.as_millisecond());
            }
        }

        #[test]
        fn no_text_panics(text in "[0-9TZ:.+\\-é]{0,30}") {
            let _ = Timestamp::parse(&text);
            let _ = Point::parse(&text);
        }
    }
}
