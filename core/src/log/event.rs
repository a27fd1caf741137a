//! The event: what one frame says about one row.

use alloc::vec::Vec;

use super::frame::Frame;
use crate::limits::KEY_BYTES_MAX;
use crate::time::{Seq, Timestamp};
use crate::value::{Raw, ValueRef, msgpack};

/// What an event does to its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// The row is now this document.
    Insert,
    /// The row's document is merged with this patch.
    Patch,
    /// The row is gone; its history stays.
    Delete,
}

impl Op {
    /// The byte in a frame.
    pub fn byte(self) -> u8 {
        match self {
            Op::Insert => 1,
            Op::Patch => 2,
            Op::Delete => 3,
        }
    }

    /// The op of a byte in a frame.
    pub fn from_byte(byte: u8) -> Option<Op> {
        match byte {
            1 => Some(Op::Insert),
            2 => Some(Op::Patch),
            3 => Some(Op::Delete),
            _ => None,
        }
    }
}

/// One event, borrowed from the bytes of its frame or from the statement that makes it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EventRef<'a> {
    /// Its sequence number.
    pub seq: Seq,
    /// Its commit's time.
    pub time: Timestamp,
    /// What it does.
    pub op: Op,
    /// Whether the next event of the log belongs to the same transaction.
    pub more: bool,
    /// The row's key: a string or an integer.
    pub key: Raw<'a>,
    /// The document or the patch; `None` for a deletion.
    pub body: Option<Raw<'a>>,
    /// The commit's metadata.
    pub meta: Option<Raw<'a>>,
}

impl<'a> EventRef<'a> {
    /// Appends the payload: the array of key, body or nil, and metadata if there is any.
    pub(super) fn encode_payload(&self, out: &mut Vec<u8>) {
        msgpack::encode_array_head(if self.meta.is_some() { 3 } else { 2 }, out);
        out.extend_from_slice(self.key.as_bytes());
        out.extend_from_slice(self.body.unwrap_or(Raw::NULL).as_bytes());
        if let Some(meta) = self.meta {
            out.extend_from_slice(meta.as_bytes());
        }
    }

    /// The event of a frame, wholly validated; otherwise what is wrong with its payload.
    pub fn read(frame: &Frame<'a>) -> Result<EventRef<'a>, &'static str> {
        let (head, rest) = frame.payload.split_first().ok_or("the payload is empty")?;
        let with_meta = match head {
            0x92 => false,
            0x93 => true,
            _ => return Err("the payload is not an array of two or three"),
        };
        let (key, rest) = Raw::split(rest).ok_or("the payload is cut")?;
        if !is_key(key) {
            return Err("the key is not a string or an integer within limits");
        }
        let (body, rest) = msgpack::validate_first(rest).map_err(|_| "the document cannot be")?;
        let body = match (frame.op, body.is_null()) {
            (Op::Delete, true) => None,
            (Op::Insert | Op::Patch, false) => {
                Some(object(body).ok_or("the document is not an object")?)
            }
            _ => return Err("the document does not fit the event's type"),
        };
        let (meta, rest) = match with_meta {
            false => (None, rest),
            true => {
                let (meta, rest) =
                    msgpack::validate_first(rest).map_err(|_| "the metadata cannot be")?;
                (
                    Some(object(meta).ok_or("the metadata is not an object")?),
                    rest,
                )
            }
        };
        if !rest.is_empty() {
            return Err("the payload goes on after its end");
        }
        Ok(EventRef {
            seq: frame.seq,
            time: frame.time,
            op: frame.op,
            more: frame.more,
            key,
            body,
            meta,
        })
    }
}

/// What [`crate::value::Key::from_raw`] would take, without making one.
fn is_key(raw: Raw<'_>) -> bool {
    match raw.view() {
        ValueRef::Int(_) | ValueRef::UInt(_) => true,
        ValueRef::Str(text) => text.len() <= KEY_BYTES_MAX,
        _ => false,
    }
}

fn object(raw: Raw<'_>) -> Option<Raw<'_>> {
    raw.object().map(|_| raw)
}
