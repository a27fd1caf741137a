//! A posting: the marker in a secondary index that a row took or left a value.
//!
//! A run's key is `[value][key][!seq]`: the value's memcomparable form, cut to [`INDEX_VALUE_BYTES_MAX`] bytes, the row's key, the event's
//! seq with the newest first. A row that leaves a value and one that takes it each write one; NULL and missing members write none.

use alloc::vec::Vec;

use super::version::push_seq;
use crate::limits::INDEX_VALUE_BYTES_MAX;
use crate::time::Seq;
use crate::value::{ValueRef, keycode};
use crate::varint;

/// A marker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Posting {
    /// Whether the row takes the value or leaves it.
    pub takes: bool,
    /// How many bytes of the run's key are the value.
    pub value_len: usize,
}

impl Posting {
    /// Its form as the value of a run's entry: `[u8 takes][varint value length]`.
    pub fn encode(self, out: &mut Vec<u8>) {
        out.push(u8::from(self.takes));
        varint::write(self.value_len as u64, out);
    }

    /// Reads what [`Posting::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Option<Posting> {
        let (&takes, rest) = bytes.split_first()?;
        let (len, rest) = varint::read(rest)?;
        (takes <= 1 && rest.is_empty()).then_some(Posting {
            takes: takes == 1,
            value_len: usize::try_from(len).ok()?,
        })
    }

    /// The row's key, encoded, in a run's key.
    pub fn key_in(self, run_key: &[u8]) -> Option<&[u8]> {
        let end = run_key.len().checked_sub(8)?;
        run_key.get(self.value_len..end)
    }
}

/// The value's form in an index; `None` for NULL, which no index holds. Two values that compare equal have the same form; two long
/// ones may share one.
pub fn index_value(value: ValueRef<'_>) -> Option<Vec<u8>> {
    if matches!(value, ValueRef::Null) {
        return None;
    }
    let mut out = Vec::new();
    keycode::encode(value, &mut out);
    out.truncate(INDEX_VALUE_BYTES_MAX);
    Some(out)
}

/// The run's key of a marker.
pub fn posting_key(value: &[u8], key: &[u8], seq: Seq) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len() + key.len() + 8);
    out.extend_from_slice(value);
    out.extend_from_slice(key);
    push_seq(seq, &mut out);
    out
}
