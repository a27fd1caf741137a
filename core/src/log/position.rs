//! Places in a log, and what is known of its segments: what the checkpoint in meta.json keeps.

use alloc::vec::Vec;
use core::fmt;

use crate::time::{Seq, Timestamp};

/// A place in a log: a byte offset in the file of a segment. The end of a segment and the first frame of the next are
/// different positions of the same place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The segment's number, from 1.
    pub segment: u64,
    /// The offset in its file, the header included.
    pub offset: u64,
}

impl Position {
    /// The place `offset` in segment `segment`.
    pub fn new(segment: u64, offset: u64) -> Self {
        Position { segment, offset }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.segment, self.offset)
    }
}

/// What a compaction left out: nothing at or before this point can be asked any more, this point itself excepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Horizon {
    /// The earliest seq whose state is kept; 0 if nothing was ever dropped.
    pub seq: Seq,
    /// The earliest time whose state is kept.
    pub time: Timestamp,
}

/// What is known of a segment's frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentInfo {
    /// Its number.
    pub number: u64,
    /// Where its frames end. Of the last segment: a lower bound when it comes from a hint.
    pub end: u64,
    /// Seq and time of its first frame; `None` while it has none.
    pub first: Option<(Seq, Timestamp)>,
    /// Seq and time of its last frame.
    pub last: Option<(Seq, Timestamp)>,
}

/// Where a replay may start: everything before is in the derived files, durable, and whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The end of a transaction.
    pub position: Position,
    /// The seq of the last frame before it; 0 if there is none.
    pub seq: Seq,
    /// The time of the last frame before it.
    pub time: Timestamp,
}

/// What meta.json remembers of a log, so that opening reads only its tail. All of it may be missing or older than the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogHints {
    /// The generation of the log that the rest speaks of; the rest is ignored if a compaction has made a later one.
    pub generation: u64,
    /// That log's horizon.
    pub horizon: Horizon,
    /// Where the scan starts.
    pub checkpoint: Option<Checkpoint>,
    /// Its segments from the first: ends are lower bounds for the durable bytes, so damage below them is never torn.
    pub segments: Vec<SegmentInfo>,
    /// From here on the first invalid frame ends the log: set before a batch or a weaker level of durability begins.
    pub relaxed_from: Option<Position>,
}
