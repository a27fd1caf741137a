//! Marks in runs of the primary-key index: sparse entries from seq and from time to a place in the log.
//!
//! Keys: `[0x00][!seq]` and `[0x01][!time][!seq]`, big-endian, so that a seek finds the last one at or below. Value: `[varint seq][varint
//! segment][varint offset]`.

use alloc::vec::Vec;

use super::memtable::Mark;
use super::sources::{MARK_BY_SEQ, MARK_BY_TIME};
use super::version::push_seq;
use crate::log::Position;
use crate::time::Seq;
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
    out
}

/// Reads what [`encode`] wrote.
pub fn decode(bytes: &[u8]) -> Option<(Seq, Position)> {
    let (seq, rest) = varint::read(bytes)?;
    let (segment, rest) = varint::read(rest)?;
    let (offset, rest) = varint::read(rest)?;
    rest.is_empty()
        .then_some((Seq(seq), Position { segment, offset }))
}
