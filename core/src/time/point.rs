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
