//! The frame: how one event lies in a segment. `[u32 length][u32 crc32][varint seq][u64 unix_ms][u8 event_type][payload]`;
//! length and crc cover everything after the crc field, a length of zero is never valid.

use alloc::vec::Vec;

use super::event::{EventRef, Op};
use crate::crc;
use crate::error::{Code, Error, Result};
use crate::limits::{DOCUMENT_BYTES_MAX, KEY_BYTES_MAX, METADATA_BYTES_MAX, TIMESTAMP_MAX};
use crate::time::{Seq, Timestamp};
use crate::varint;

/// Bytes before what length and crc cover.
pub const FRAME_HEAD: usize = 8;
/// The least that length can be: seq, time, type and a payload of three bytes.
pub const FRAME_BODY_MIN: usize = 1 + 8 + 1 + 3;
/// The most that length can be.
pub const FRAME_BODY_MAX: usize = DOCUMENT_BYTES_MAX + METADATA_BYTES_MAX + KEY_BYTES_MAX + 64;
/// The bit of the event type that says that the next frame belongs to the same transaction.
pub const MORE: u8 = 0x80;

/// One frame, its crc and its fixed fields checked; the payload is not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The event's sequence number.
    pub seq: Seq,
    /// The commit's time.
    pub time: Timestamp,
    /// What the event does.
    pub op: Op,
    /// Whether the next frame of the log belongs to the same transaction.
    pub more: bool,
    /// Key, document or patch, metadata.
    pub payload: &'a [u8],
    /// The whole frame as it lies in the file.
    pub bytes: &'a [u8],
}

/// What stands at a place of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decoded<'a> {
    /// A valid frame.
    Frame(Frame<'a>),
    /// More bytes are needed to tell: so many from the frame's start.
    Short(usize),
    /// A length of zero: the end of the log, if only zeros follow.
    Zero,
    /// No frame; why not.
    Invalid(&'static str),
}

/// Reads the frame at the start of `bytes`, which may hold more than it, or less.
pub fn decode(bytes: &[u8]) -> Decoded<'_> {
    let Some((length, rest)) = bytes.split_first_chunk::<4>() else {
        return Decoded::Short(FRAME_HEAD);
    };
    let length = u32::from_le_bytes(*length) as usize;
    if length == 0 {
        return Decoded::Zero;
    }
    if !(FRAME_BODY_MIN..=FRAME_BODY_MAX).contains(&length) {
        return Decoded::Invalid("the frame's length cannot be");
    }
    let whole = FRAME_HEAD + length;
    let Some((crc, rest)) = rest.split_first_chunk::<4>() else {
        return Decoded::Short(whole);
    };
    let Some(body) = rest.get(..length) else {
        return Decoded::Short(whole);
    };
    if crc::hash(body) != u32::from_le_bytes(*crc) {
        return Decoded::Invalid("the frame's checksum does not match");
    }
    match (fields(body), bytes.get(..whole)) {
        (Some((seq, time, op, more, payload)), Some(bytes)) => Decoded::Frame(Frame {
            seq,
            time,
            op,
            more,
            payload,
            bytes,
        }),
        _ => Decoded::Invalid("the frame's fields cannot be"),
    }
}

/// The fixed fields of a frame's body and the payload after them.
pub(super) fn fields(body: &[u8]) -> Option<(Seq, Timestamp, Op, bool, &[u8])> {
    let (seq, rest) = varint::read(body)?;
    let (time, rest) = rest.split_first_chunk::<8>()?;
    let time = u64::from_le_bytes(*time);
    let (kind, payload) = rest.split_first()?;
    let op = Op::from_byte(kind & !MORE)?;
    let plausible = seq > 0 && time <= TIMESTAMP_MAX;
    plausible.then_some((Seq(seq), Timestamp(time), op, kind & MORE != 0, payload))
}

/// Appends the frame of an event; returns its length in bytes.
pub fn encode(event: &EventRef<'_>, out: &mut Vec<u8>) -> Result<usize> {
    let start = out.len();
    let length = draft(event, out)?;
    if let Some(frame) = out.get_mut(start..) {
        sum(frame);
    }
    Ok(length)
}

/// Appends the frame of an event whose time, and whether there is more of its transaction, are not known yet: [`finish`] must follow.
pub(super) fn draft(event: &EventRef<'_>, out: &mut Vec<u8>) -> Result<usize> {
    let start = out.len();
    out.extend_from_slice(&[0; FRAME_HEAD]);
    varint::write(event.seq.0, out);
    out.extend_from_slice(&event.time.0.to_le_bytes());
    out.push(event.op.byte() | if event.more { MORE } else { 0 });
    event.encode_payload(out);
    let body = out.len() - start - FRAME_HEAD;
    let length = u32::try_from(body).ok().filter(|_| body <= FRAME_BODY_MAX);
    let field = out.get_mut(start..).and_then(<[u8]>::first_chunk_mut::<4>);
    match (length, field) {
        (Some(length), Some(field)) => {
            *field = length.to_le_bytes();
            Ok(FRAME_HEAD + body)
        }
        _ => {
            out.truncate(start);
            Err(Error::new(
                Code::Limit,
                "the event is larger than a frame can be",
            ))
        }
    }
}

/// Says in a drafted frame when it was committed and whether there is more of its transaction, and sums it.
pub(super) fn finish(frame: &mut [u8], time: Timestamp, more: bool) -> Option<()> {
    let body = frame.get_mut(FRAME_HEAD..)?;
    let seq_len = body.iter().position(|byte| byte & 0x80 == 0)? + 1;
    let (field, rest) = body.get_mut(seq_len..)?.split_first_chunk_mut::<8>()?;
    *field = time.0.to_le_bytes();
    let kind = rest.first_mut()?;
    *kind = *kind & !MORE | if more { MORE } else { 0 };
    sum(frame);
    Some(())
}

/// The seq of a drafted frame and the frame's length.
pub(super) fn peek(bytes: &[u8]) -> Option<(Seq, usize)> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (seq, _) = varint::read(rest.get(4..)?)?;
    Some((Seq(seq), FRAME_HEAD + u32::from_le_bytes(*length) as usize))
}

/// Fills in the crc of a frame.
fn sum(frame: &mut [u8]) {
    if let Some((head, body)) = frame.split_at_mut_checked(FRAME_HEAD)
        && let Some(field) = head.last_chunk_mut::<4>()
    {
        *field = crc::hash(body).to_le_bytes();
    }
}
