//! RFC 3339 by hand: a calendar crate would be larger than the rest of the engine.

use alloc::format;
use core::fmt;

use super::Timestamp;
use crate::error::{Code, Error, Result};
use crate::limits::TIMESTAMP_MAX;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;
/// Days in 400 years, after which the calendar repeats.
const ERA_DAYS: i64 = 146_097;
/// Days from 0000-03-01, where the eras start, to 1970-01-01.
const EPOCH_DAYS: i64 = 719_468;

/// Reads a time with its offset, or a date alone.
pub(super) fn parse(text: &str) -> Result<Timestamp> {
    let mut reader = Reader {
        rest: text.as_bytes(),
    };
    let parts = reader
        .date()
        .and_then(|date| Some((date, reader.time_and_offset()?)));
    let Some(((year, month, day), (time, offset))) = parts else {
        let hint = "write it as 2026-01-31T12:00:00Z, or with an offset: 2026-01-31T13:00:00+01:00";
        return Err(Error::new(Code::InvalidValue, format!("`{text}` is not a time")).hint(hint));
    };
    if !(1..=12).contains(&month) || day < 1 || day > days_in(year, month) {
        let message = format!("`{text}` is not a day of the calendar");
        return Err(Error::new(Code::OutOfRange, message));
    }
    let total = days_from_epoch(year, month, day) * DAY_MS + time - offset;
    match u64::try_from(total) {
        Ok(unix_ms) if unix_ms <= TIMESTAMP_MAX => Ok(Timestamp(unix_ms)),
        _ => {
            let message = format!("`{text}` is outside the years 1970 to 9999 in UTC");
            Err(Error::new(Code::OutOfRange, message))
        }
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    /// Takes a number of exactly `count` digits.
    fn digits(&mut self, count: usize) -> Option<i64> {
        let (digits, rest) = self.rest.split_at_checked(count)?;
        let mut number = 0;
        for digit in digits {
            number = number * 10 + i64::from(digit.checked_sub(b'0').filter(|digit| *digit < 10)?);
        }
        self.rest = rest;
        Some(number)
    }

    fn byte(&mut self, wanted: u8) -> Option<()> {
        self.rest = self.rest.strip_prefix(&[wanted])?;
        Some(())
    }

    fn date(&mut self) -> Option<(i64, i64, i64)> {
        let year = self.digits(4)?;
        self.byte(b'-')?;
        let month = self.digits(2)?;
        self.byte(b'-')?;
        Some((year, month, self.digits(2)?))
    }

    /// The time of day and the offset from UTC, both in milliseconds; both 0 if the text ends here.
    fn time_and_offset(&mut self) -> Option<(i64, i64)> {
        let Some((mark, rest)) = self.rest.split_first() else {
            return Some((0, 0));
        };
        if !matches!(mark, b'T' | b't' | b' ') {
            return None;
        }
        self.rest = rest;
        let time = self.clock()?;
        let offset = self.offset()?;
        self.rest.is_empty().then_some((time, offset))
    }

    /// Hours, minutes, seconds and a fraction. A leap second, `:60`, is taken as the second before it.
    fn clock(&mut self) -> Option<i64> {
        let hours_and_minutes = self.hours_and_minutes()?;
        self.byte(b':')?;
        let seconds = self.digits(2).filter(|seconds| *seconds <= 60)?.min(59);
        let mut fraction_ms = 0;
        if self.byte(b'.').is_some() {
            fraction_ms = self.fraction()?;
        }
        Some(hours_and_minutes + seconds * 1000 + fraction_ms)
    }

    fn hours_and_minutes(&mut self) -> Option<i64> {
        let hours = self.digits(2).filter(|hours| *hours < 24)?;
        self.byte(b':')?;
        let minutes = self.digits(2).filter(|minutes| *minutes < 60)?;
        Some(hours * HOUR_MS + minutes * MINUTE_MS)
    }

    /// One digit or more; those beyond the third are cut off.
    fn fraction(&mut self) -> Option<i64> {
        let mut fraction_ms = self.digits(1)? * 100;
        for unit in [10, 1] {
            match self.digits(1) {
                Some(digit) => fraction_ms += digit * unit,
                None => return Some(fraction_ms),
            }
        }
        while self.digits(1).is_some() {}
        Some(fraction_ms)
    }

    fn offset(&mut self) -> Option<i64> {
        let (sign, rest) = self.rest.split_first()?;
        self.rest = rest;
        match sign {
            b'Z' | b'z' => Some(0),
            b'+' => self.hours_and_minutes(),
            b'-' => Some(-self.hours_and_minutes()?),
            _ => None,
        }
    }
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01. Years are counted from March, so that a leap day is the last of its year.
fn days_from_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year * 365 + year / 4 - year / 100 + day_of_year;
    era * ERA_DAYS + day_of_era - EPOCH_DAYS
}

/// Year, month and day of a day counted from 1970-01-01.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + EPOCH_DAYS;
    let (era, day) = (days.div_euclid(ERA_DAYS), days.rem_euclid(ERA_DAYS));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    (era * 400 + year + next, month, day)
}

/// Writes `2026-01-01T00:00:00.000Z`. A time beyond the year 9999, which is never stored, gets the digits its year needs.
pub(super) fn format(time: Timestamp, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let unix_ms = i64::try_from(time.0).unwrap_or(i64::MAX);
    let (year, month, day) = civil(unix_ms / DAY_MS);
    let ms = unix_ms % DAY_MS;
    let (hour, minute) = (ms / HOUR_MS, ms / MINUTE_MS % 60);
    let (second, ms) = (ms / 1000 % 60, ms % 1000);
    let mut text = *b"0000-00-00T00:00:00.000Z";
    if let 0..=9_999 = year {
        let fields = [
            (year, 0..4),
            (month, 5..7),
            (day, 8..10),
            (hour, 11..13),
            (minute, 14..16),
            (second, 17..19),
            (ms, 20..23),
        ];
        for (mut number, places) in fields {
            for digit in text.get_mut(places).into_iter().flatten().rev() {
                *digit += u8::try_from(number % 10).unwrap_or_default();
                number /= 10;
            }
        }
        return f.write_str(core::str::from_utf8(&text).unwrap_or_default());
    }
    write!(
        f,
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z"
    )
}
