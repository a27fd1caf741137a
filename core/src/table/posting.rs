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

/// Appends the value's form in an index; whether there is one: no index holds NULL. Two values that compare equal have the same form; two
/// long ones may share one.
pub fn index_value(value: ValueRef<'_>, out: &mut Vec<u8>) -> bool {
    if matches!(value, ValueRef::Null) {
        return false;
    }
    let start = out.len();
    keycode::encode(value, out);
    out.truncate(start + INDEX_VALUE_BYTES_MAX);
    true
}

/// Markers on their way into indexes, their run keys one behind another.
#[derive(Default)]
pub struct Markers {
    keys: Vec<u8>,
    list: Vec<Marker>,
}

struct Marker {
    index: usize,
    /// Where its run key ends; the next begins there.
    end: usize,
    posting: Posting,
}

impl Markers {
    /// Adds the markers of a version that makes a row leave one value (in its form in the index) and take another.
    pub fn push(
        &mut self,
        index: usize,
        left: Option<&[u8]>,
        taken: Option<&[u8]>,
        key: &[u8],
        seq: Seq,
    ) {
        if left == taken {
            return;
        }
        for (value, takes) in [(left, false), (taken, true)] {
            let Some(value) = value else { continue };
            self.keys.extend_from_slice(value);
            self.keys.extend_from_slice(key);
            push_seq(seq, &mut self.keys);
            self.list.push(Marker {
                index,
                end: self.keys.len(),
                posting: Posting {
                    takes,
                    value_len: value.len(),
                },
            });
        }
    }

    /// Index number, run key and marker of each.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &[u8], Posting)> {
        let mut start = 0;
        self.list.iter().map(move |marker| {
            let key = self.keys.get(start..marker.end).unwrap_or_default();
            start = marker.end;
            (marker.index, key, marker.posting)
        })
    }
}
