//! A version: what one event made of one row, as the primary-key index keeps it.

use alloc::vec::Vec;

use crate::log::Op;
use crate::time::{Seq, Timestamp};
use crate::value::Bytes;
use crate::varint;

/// At most so many patches stand between a version and a whole row: every 8th patch carries the row it makes.
pub const PATCH_CHAIN_MAX: u8 = 8;

const OP_BITS: u8 = 0b11;
const HAS_META: u8 = 0b100;
const HAS_WHOLE: u8 = 0b1000;

/// What one event made of one row. Its parts are shared bytes, or borrowed ones (`&[u8]`) until it is stored.
#[derive(Clone, Debug)]
pub struct Version<B = Bytes> {
    /// The event's number.
    pub seq: Seq,
    /// The commit's time.
    pub time: Timestamp,
    /// What the event did.
    pub op: Op,
    /// How many patches there are since the last whole row, this one included; 0 for a version that has the whole row.
    pub depth: u8,
    /// The document or patch; `None` for a deletion.
    pub body: Option<B>,
    /// The row after it, with every 8th patch.
    pub whole: Option<B>,
    /// The commit's metadata.
    pub meta: Option<B>,
}

/// What of a version takes the same place whatever its parts are.
#[derive(Clone, Copy, Debug)]
pub struct Head {
    /// The event's number.
    pub seq: Seq,
    /// The commit's time.
    pub time: Timestamp,
    /// What the event did.
    pub op: Op,
    /// Op and which parts there are.
    flags: u8,
    depth: u8,
}

impl Head {
    /// Appends a version's form in an index run; seq is part of the run's key. `parts` is what [`Version::encode_parts`] wrote.
    /// `[flags u8][depth u8][varint time][parts]`.
    pub fn encode(&self, parts: &[u8], out: &mut Vec<u8>) {
        out.push(self.flags);
        out.push(self.depth);
        varint::write(self.time.0, out);
        out.extend_from_slice(parts);
    }

    /// Whether nothing older than this version matters to the row after it.
    pub fn ends(&self) -> bool {
        self.op != Op::Patch || self.flags & HAS_WHOLE != 0
    }
}

impl Version<&[u8]> {
    /// What of it takes the same place whatever its parts are.
    pub fn head(&self) -> Head {
        let mut flags = self.op.byte();
        if self.meta.is_some() {
            flags |= HAS_META;
        }
        if self.whole.is_some() {
            flags |= HAS_WHOLE;
        }
        Head {
            seq: self.seq,
            time: self.time,
            op: self.op,
            flags,
            depth: self.depth,
        }
    }

    /// About how many bytes its parts take.
    pub fn parts_len(&self) -> usize {
        let len = |part: Option<&[u8]>| part.map_or(0, |part| part.len() + 5);
        len(self.meta) + len(self.whole) + len(self.body)
    }

    /// Appends metadata and whole row, each as `[varint length][bytes]` where there, then the body.
    pub fn encode_parts(&self, out: &mut Vec<u8>) {
        for part in [self.meta, self.whole].into_iter().flatten() {
            varint::write(part.len() as u64, out);
            out.extend_from_slice(part);
        }
        if let Some(body) = self.body {
            out.extend_from_slice(body);
        }
    }
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

    /// Reads what [`Head::encode`] wrote; `None` if the bytes have another form.
    pub fn decode(seq: Seq, bytes: &Bytes) -> Option<Version> {
        let (&flags, rest) = bytes.split_first()?;
        let (&depth, rest) = rest.split_first()?;
        let op = Op::from_byte(flags & OP_BITS)?;
        let (time, rest) = varint::read(rest)?;
        let head = Head {
            seq,
            time: Timestamp(time),
            op,
            flags,
            depth,
        };
        Version::with_parts(head, bytes, bytes.len() - rest.len())
    }

    /// The version of a head and of the parts from byte `at` of `bytes` on.
    pub fn with_parts(head: Head, bytes: &Bytes, mut at: usize) -> Option<Version> {
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
        let meta = part(head.flags & HAS_META != 0)?;
        let whole = part(head.flags & HAS_WHOLE != 0)?;
        let body = match head.op {
            Op::Delete => None,
            Op::Insert | Op::Patch => Some(bytes.slice(at..bytes.len())?),
        };
        Some(Version {
            seq: head.seq,
            time: head.time,
            op: head.op,
            depth: head.depth,
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
