//! Sequence numbers, times and points: what AS OF takes.

/// A sequence number: one counter for the whole database. The first event has seq 1; 0 is before everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seq(pub u64);

/// A time in unix milliseconds, from 1970-01-01T00:00:00Z up to [`crate::limits::TIMESTAMP_MAX`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub u64);

/// A point of the history: everything with seq <= N, or with time <= T, both inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// Everything with seq <= this.
    Seq(Seq),
    /// Everything with time <= this.
    Time(Timestamp),
}
