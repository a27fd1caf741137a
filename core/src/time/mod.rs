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
