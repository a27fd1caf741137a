//! A version: what one event made of one row, as the primary-key index keeps it.

use alloc::vec::Vec;

use crate::log::Op;
use crate::time::{Seq, Timestamp};
use crate::value::Bytes;
use crate::varint;

/// At most so many patches stand between a version and a whole row: every 16th patch carries the row it makes.
pub const PATCH_CHAIN_MAX: u8 = 16;

const OP_BITS: u8 = 0b11;
const HAS_META: u8 = 0b100;
const HAS_WHOLE: u8 = 0b1000;

/// What one event made of one row.
#[derive(Clone, Debug)]
pub struct Version {
    /// The event's number.
    pub seq: Seq,
    /// The commit's time.
    pub time: Timestamp,
    /// What the event did.
    pub op: Op,
    /// How many patches there are since the last whole row, this one included; 0 for a version that has the whole row.
    pub depth: u8,
    /// The document or patch; `None` for a deletion.
    pub body: Option<Bytes>,
    /// The row after it, with every 16th patch.
    pub whole: Option<Bytes>,
    /// The commit's metadata.
    pub meta: Option<Bytes>,
}

impl Version {
    /// The whole row, where the version carries it.
    pub fn row(&self) -> Option<&Bytes> {
        match self.op {
            Op::Insert => self.body.as_ref(),
            Op::Patch => self.whole.as_ref(),
            Op::Delete => None,
        }
    }

    /// Appends the version's form in an index run; seq is part of the run's key.
    /// `[flags u8][depth u8][varint time]`, then metadata and whole row each as `[varint length][bytes]` where there, then the body.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let mut flags = self.op.byte();
        if self.meta.is_some() {
            flags |= HAS_META;
        }
        if self.whole.is_some() {
            flags |= HAS_WHOLE;
        }
        out.push(flags);
        out.push(self.depth);
        varint::write(self.time.0, out);
        for part in [&self.meta, &self.whole].into_iter().flatten() {
            varint::write(part.len() as u64, out);
            out.extend_from_slice(part);
        }
        if let Some(body) = &self.body {
            out.extend_from_slice(body);
        }
    }

    /// Reads what [`Version::encode`] wrote; `None` if the bytes have another form.
    pub fn decode(seq: Seq, bytes: &Bytes) -> Option<Version> {
        let (&flags, rest) = bytes.split_first()?;
        let (&depth, rest) = rest.split_first()?;
        let op = Op::from_byte(flags & OP_BITS)?;
        let (time, rest) = varint::read(rest)?;
        let mut at = bytes.len() - rest.len();
        let mut part = |present: bool| -> Option<Option<Bytes>> {
            if !present {
                return Some(None);
            }
            let (len, rest) = varint::read(bytes.get(at..)?)?;
            let start = bytes.len() - rest.len();
            let end = start.checked_add(usize::try_from(len).ok()?)?;
            at = end;
            Some(Some(bytes.slice(start..end)?))
        };
        let meta = part(flags & HAS_META != 0)?;
        let whole = part(flags & HAS_WHOLE != 0)?;
        let body = match op {
            Op::Delete => None,
            Op::Insert | Op::Patch => Some(bytes.slice(at..bytes.len())?),
        };
        Some(Version {
            seq,
            time: Timestamp(time),
            op,
            depth,
            body,
            whole,
            meta,
        })
    }
}

/// Appends `!seq`, big-endian: behind a key it sorts the newest version first.
pub fn push_seq(seq: Seq, out: &mut Vec<u8>) {
    out.extend_from_slice(&(!seq.0).to_be_bytes());
}

/// Splits a run's key into what stands before the seq, and the seq.
pub fn split_seq(key: &[u8]) -> Option<(&[u8], Seq)> {
    let (prefix, tail) = key.split_last_chunk::<8>()?;
    Some((prefix, Seq(!u64::from_be_bytes(*tail))))
}
