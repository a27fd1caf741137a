//! [`Point`]: a moment of the history as AS OF writes it: `@seq:N`, a time, a date.

use alloc::format;
use core::fmt;

use super::{Seq, Timestamp};
use crate::error::{Code, Error, Result};

/// A point of the history: everything with seq <= N, or with time <= T, both inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// Everything with seq <= this.
    Seq(Seq),
    /// Everything with time <= this.
    Time(Timestamp),
}

impl Point {
    /// Reads `@seq:N`, an RFC 3339 time, or a date, which is midnight UTC.
    ///
    /// # Errors
    /// [`Code::InvalidPoint`] for anything else, with a hint.
    pub fn parse(text: &str) -> Result<Point> {
        if let Some(digits) = text.strip_prefix("@seq:") {
            return seq(digits).ok_or_else(|| {
                refused(format!("`{text}` is not a seq")).hint("write \"@seq:100\"")
            });
        }
        Timestamp::parse(text)
            .map(Point::Time)
            .map_err(|error| match error.code() {
                Code::OutOfRange => refused(error.message().into()),
                _ => refused(format!("`{text}` is not a point in time"))
                    .hint("write \"@seq:100\", \"2026-01-31\" or \"2026-01-31T12:00:00Z\""),
            })
    }
}

/// Digits only: no sign and no space.
fn seq(digits: &str) -> Option<Point> {
    let all_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.parse().ok().filter(|_| all_digits)?;
    Some(Point::Seq(Seq(number)))
}

fn refused(message: alloc::string::String) -> Error {
    Error::new(Code::InvalidPoint, message)
}

/// As [`Point::parse`] reads it.
impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Point::Seq(seq) => write!(f, "@seq:{seq}"),
            Point::Time(time) => time.fmt(f),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn points_read_back() {
        for text in [
            "@seq:0",
            "@seq:100",
            "@seq:18446744073709551615",
            "2026-01-01T00:00:00.000Z",
        ] {
            assert_eq!(Point::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(
            Point::parse("2026-01-01"),
            Point::parse("2026-01-01T00:00:00Z")
        );
        assert_eq!(Point::parse("@seq:7").unwrap(), Point::Seq(Seq(7)));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "@seq:",
            "@seq:-1",
            "@seq:+1",
            "@seq: 1",
            "@seq:18446744073709551616",
            "seq:1",
            "@SEQ:1",
            "7",
            "yesterday",
        ] {
            let error = Point::parse(text).unwrap_err();
            assert_eq!(error.code(), Code::InvalidPoint, "{text}");
            assert!(error.hint_text().is_some(), "{text}");
        }
        let error = Point::parse("2026-02-30").unwrap_err();
        assert_eq!(error.code(), Code::InvalidPoint);
        assert!(error.message().contains("calendar"));
    }
}
