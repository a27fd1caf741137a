//! Marks in runs of the primary-key index: sparse entries from seq and from time to a place in the log.
//!
//! Keys: `[0x00][!seq]` and `[0x01][!time][!seq]`, big-endian, so that a seek finds the last one at or below. Value: `[varint seq][varint
//! segment][varint offset][varint events]`.

use alloc::vec::Vec;

use super::memtable::Mark;
use super::sources::{MARK_BY_SEQ, MARK_BY_TIME, Run};
use super::version::push_seq;
use crate::error::Result;
use crate::log::Position;
use crate::time::{Seq, Timestamp};
use crate::varint;

/// So many bytes of log, at least, lie between two marks.
pub const MARK_EVERY_BYTES: u64 = 64 << 10;

/// The run keys of a mark, by seq and by time.
pub fn keys(mark: &Mark) -> (Vec<u8>, Vec<u8>) {
    let mut by_seq = alloc::vec![MARK_BY_SEQ];
    push_seq(mark.seq, &mut by_seq);
    let mut by_time = alloc::vec![MARK_BY_TIME];
    by_time.extend_from_slice(&(!mark.time.0).to_be_bytes());
    push_seq(mark.seq, &mut by_time);
    (by_seq, by_time)
}

/// The value under both keys.
pub fn encode(mark: &Mark) -> Vec<u8> {
    let mut out = Vec::new();
    varint::write(mark.seq.0, &mut out);
    varint::write(mark.at.segment, &mut out);
    varint::write(mark.at.offset, &mut out);
    varint::write(mark.events, &mut out);
    out
}

/// What a mark's value says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// An event's seq.
    pub seq: Seq,
    /// Where its frame starts.
    pub at: Position,
    /// How many events the log has before it.
    pub events: u64,
}

impl Place {
    /// What a mark in memory says.
    pub fn of(mark: &Mark) -> Self {
        Place {
            seq: mark.seq,
            at: mark.at,
            events: mark.events,
        }
    }
}

/// Reads what [`encode`] wrote.
pub fn decode(bytes: &[u8]) -> Option<Place> {
    let (seq, rest) = varint::read(bytes)?;
    let (segment, rest) = varint::read(rest)?;
    let (offset, rest) = varint::read(rest)?;
    let (events, rest) = varint::read(rest)?;
    rest.is_empty().then_some(Place {
        seq: Seq(seq),
        at: Position { segment, offset },
        events,
    })
}

/// A bound on events: all up to a seq or a time, inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upto {
    /// Events with seq <= this.
    Seq(Seq),
    /// Events with time <= this.
    Time(Timestamp),
}

impl Upto {
    /// Whether it covers an event.
    pub fn covers(self, seq: Seq, time: Timestamp) -> bool {
        match self {
            Upto::Seq(upto) => seq <= upto,
            Upto::Time(upto) => time <= upto,
        }
    }
}

impl Run {
    /// The last mark of this run, of the primary-key index, that a bound covers.
    pub fn mark(&self, upto: Upto) -> Result<Option<Place>> {
        let mut probe = Vec::new();
        let kind = match upto {
            Upto::Seq(seq) => {
                probe.push(MARK_BY_SEQ);
                push_seq(seq, &mut probe);
                MARK_BY_SEQ
            }
            Upto::Time(time) => {
                probe.push(MARK_BY_TIME);
                probe.extend_from_slice(&(!time.0).to_be_bytes());
                MARK_BY_TIME
            }
        };
        let cursor = self.file.seek(&probe)?;
        let found = cursor.valid() && cursor.key().first() == Some(&kind);
        Ok(found.then(|| decode(&cursor.value())).flatten())
    }
}
