//! The verdict on the end of a log: whole, torn or corrupt.
//!
//! Under durable commits at most one append is not yet synced when a crash comes, and its pages may reach the disk in any order. So what
//! follows the last whole transaction is torn if it holds at most one transaction's end, and corrupt if it holds more.

use alloc::vec;
use alloc::vec::Vec;

use super::frame::{self, Decoded, FRAME_BODY_MAX, FRAME_BODY_MIN, FRAME_HEAD};
use super::scan::SharedBlob;
use crate::error::Result;
use crate::time::Seq;

/// How many bytes of false frames the search checksums before it gives up and calls the file corrupt.
const SEARCH_BUDGET: usize = 1 << 30;

/// What follows the last whole transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing but zeros.
    Clean,
    /// What one unfinished append left: so many bytes.
    Torn(u64),
    /// More than that.
    Corrupt,
}

/// What is known when the scan stops at something that is no frame.
pub(super) struct End {
    /// The end of the last whole transaction.
    pub whole: u64,
    /// Where the scan stopped: after the frames of a transaction that has no end.
    pub stop: u64,
    /// The last seq before.
    pub seq: Seq,
    /// Bytes before this offset were durable and whole.
    pub bound: u64,
    /// From here on the first invalid frame ends the log.
    pub relaxed_from: Option<u64>,
}

/// Judges the bytes of the last segment behind the last whole transaction.
pub(super) fn judge(blob: &SharedBlob, end: &End) -> Result<Verdict> {
    let (rest, used) = read_rest(blob, end.stop)?;
    if end.whole < end.bound {
        return Ok(Verdict::Corrupt);
    }
    let garbage = used as u64 + (end.stop - end.whole);
    if garbage == 0 {
        return Ok(Verdict::Clean);
    }
    let relaxed = end.relaxed_from.is_some_and(|from| end.stop >= from);
    match relaxed || transaction_ends(&rest, end.seq) <= 1 {
        true => Ok(Verdict::Torn(garbage)),
        false => Ok(Verdict::Corrupt),
    }
}

/// All bytes from `offset` on, and how many of them stand before the zeros at the end of the file.
fn read_rest(blob: &SharedBlob, offset: u64) -> Result<(Vec<u8>, usize)> {
    let blob = blob.borrow();
    let mut rest = Vec::new();
    let mut chunk = vec![0; 64 << 10];
    let mut used = 0;
    loop {
        let at = offset + rest.len() as u64;
        let count = blob.read_at(at, &mut chunk)?;
        if count == 0 {
            break;
        }
        let part = chunk.get(..count).unwrap_or_default();
        if let Some(last) = part.iter().rposition(|byte| *byte != 0) {
            used = rest.len() + last + 1;
        }
        rest.extend_from_slice(part);
    }
    Ok((rest, used))
}

/// How many valid frames that end a transaction lie in `bytes`, at any offset, with rising seqs; stops at two.
fn transaction_ends(bytes: &[u8], after: Seq) -> u32 {
    let (mut ends, mut last, mut at, mut budget) = (0, after, 0, SEARCH_BUDGET);
    while let Some(rest) = bytes
        .get(at..)
        .filter(|rest| rest.len() >= FRAME_HEAD + FRAME_BODY_MIN)
    {
        at += 1;
        let Some(length) = plausible(rest, last) else {
            continue;
        };
        let Some(left) = budget.checked_sub(length) else {
            return 2;
        };
        budget = left;
        if let Decoded::Frame(frame) = frame::decode(rest) {
            ends += u32::from(!frame.more);
            last = frame.seq;
            at += frame.bytes.len() - 1;
        }
        if ends >= 2 {
            break;
        }
    }
    ends
}

/// The length of the frame at the start of `rest` if its fields, the checksum aside, could be those of a frame with a higher seq.
fn plausible(rest: &[u8], last: Seq) -> Option<usize> {
    let length = u32::from_le_bytes(*rest.first_chunk::<4>()?) as usize;
    if !(FRAME_BODY_MIN..=FRAME_BODY_MAX).contains(&length) || rest.len() < FRAME_HEAD + length {
        return None;
    }
    let (seq, .., payload) = frame::fields(rest.get(FRAME_HEAD..FRAME_HEAD + length)?)?;
    (seq > last && matches!(payload.first(), Some(0x92 | 0x93))).then_some(length)
}
