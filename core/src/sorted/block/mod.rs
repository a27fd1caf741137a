//! One block of entries in key order: prefix-compressed keys, with restart points that a binary search probes.
//!
//! `[number of restart points u32][length of the heads u32][length of the prefix u32][restart points][heads][values]`.
//!
//! A head is `[shared][unshared][value length]` as varints and the key from byte `shared` on; the values lie in the same order.
//! A restart point is a sign, where a head starts, counted from the first one (u32), and where its value starts, counted
//! likewise (u32). `shared` is 0 there, so the head has its whole key; the prefix is what the first and the last of these keys
//! have in common, and the sign is the 4 bytes of the key after the prefix, followed by zeros if there are fewer.
//!
//! Values stand apart and signs stand together so that a search touches few cache lines.

mod builder;
mod search;

pub(super) use builder::BlockBuilder;
pub(crate) use search::common_prefix;

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::ops::Range;

use crate::value::Bytes;
use crate::varint;
use search::{Parts, sign};

/// Longest key of an entry.
pub const ENTRY_KEY_BYTES_MAX: usize = 16 << 10;
/// Longest value of an entry.
pub const ENTRY_VALUE_BYTES_MAX: usize = 33 << 20;
/// Most bytes of one block before compression: a block's target, one entry over it, and what frames them.
pub(super) const BLOCK_BYTES_MAX: usize = 40 << 20;

/// The bytes of one restart point.
const RESTART_BYTES: usize = 12;
/// The bytes before the restart points.
const START_BYTES: usize = 12;

/// The bytes are not a block although their checksum fits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Malformed;

/// A place in a block: where the head and the value of the next entry start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Spot {
    /// Counted from the first head.
    head: usize,
    /// Counted from the first value.
    value: usize,
}

/// Where the parts of one entry are in its block.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Entry {
    /// How many leading bytes of the key before belong to this one.
    pub(super) shared: usize,
    /// Where the rest of the key starts, counted from the first head; it ends where the next head starts.
    suffix_start: usize,
    value_start: usize,
    /// The entry after it.
    pub(super) next: Spot,
}

impl Entry {
    /// Where its value is, counted from the first one.
    #[inline]
    pub(super) fn value(&self) -> Range<usize> {
        self.value_start..self.next.value
    }

    /// Takes a head apart.
    #[inline]
    fn at(heads: &[u8], values_len: usize, spot: Spot) -> Result<Self, Malformed> {
        let rest = heads.get(spot.head..).ok_or(Malformed)?;
        let (shared, unshared, value, head) = match *rest {
            [shared @ 0..=127, unshared @ 0..=127, value @ 0..=127, ..] => {
                (shared.into(), unshared.into(), usize::from(value), 3)
            }
            [
                shared @ 0..=127,
                unshared @ 0..=127,
                low,
                high @ 0..=127,
                ..,
            ] => {
                let value = usize::from(low & 0x7f) | usize::from(high) << 7;
                (shared.into(), unshared.into(), value, 4)
            }
            _ => long_head(rest)?,
        };
        let suffix_start = spot.head + head;
        let next = Spot {
            head: suffix_start + unshared,
            value: spot.value.saturating_add(value),
        };
        if next.head > heads.len() || next.value > values_len {
            return Err(Malformed);
        }
        Ok(Entry {
            shared,
            suffix_start,
            value_start: spot.value,
            next,
        })
    }

    /// The part of its key that is not shared with the key before.
    #[inline]
    fn suffix<'a>(&self, heads: &'a [u8]) -> Result<&'a [u8], Malformed> {
        heads
            .get(self.suffix_start..self.next.head)
            .ok_or(Malformed)
    }
}

#[cold]
fn long_head(bytes: &[u8]) -> Result<(usize, usize, usize, usize), Malformed> {
    let mut rest = bytes;
    let mut number = |max: usize| {
        let number = varint::take(&mut rest).and_then(|number| usize::try_from(number).ok());
        number.filter(|&number| number <= max).ok_or(Malformed)
    };
    let shared = number(ENTRY_KEY_BYTES_MAX)?;
    let unshared = number(ENTRY_KEY_BYTES_MAX)?;
    let value = number(ENTRY_VALUE_BYTES_MAX)?;
    Ok((shared, unshared, value, bytes.len() - rest.len()))
}

/// A restart point, as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Restart {
    sign: u32,
    spot: Spot,
}

impl Restart {
    #[inline]
    fn read(bytes: &[u8; RESTART_BYTES]) -> Self {
        let [a, b, c, d, e, f, g, h, value @ ..] = *bytes;
        let head = u32::from_le_bytes([e, f, g, h]) as usize;
        let spot = Spot {
            head,
            value: u32::from_le_bytes(value) as usize,
        };
        Restart {
            sign: u32::from_be_bytes([a, b, c, d]),
            spot,
        }
    }
}

/// A block in memory. Cheap to clone.
#[derive(Clone)]
pub(super) struct Block {
    bytes: Rc<[u8]>,
    prefix_len: usize,
    heads_start: usize,
    /// Where the heads end and the values start.
    values_start: usize,
}

impl Block {
    #[inline]
    pub(super) fn new(bytes: Rc<[u8]>) -> Result<Self, Malformed> {
        let start = bytes.first_chunk::<START_BYTES>().ok_or(Malformed)?;
        let [a, b, c, d, e, f, g, h, prefix_len @ ..] = *start;
        let count = u32::from_le_bytes([a, b, c, d]) as usize;
        let heads_len = u32::from_le_bytes([e, f, g, h]) as usize;
        let prefix_len = u32::from_le_bytes(prefix_len) as usize;
        let len = bytes.len();
        // With all of them below the length nothing here overflows.
        if count == 0 || count >= len || heads_len >= len || len > BLOCK_BYTES_MAX {
            return Err(Malformed);
        }
        let heads_start = START_BYTES + count * RESTART_BYTES;
        let values_start = heads_start + heads_len;
        if values_start > len {
            return Err(Malformed);
        }
        Ok(Block {
            bytes,
            prefix_len,
            heads_start,
            values_start,
        })
    }

    pub(super) fn bytes(&self) -> &Rc<[u8]> {
        &self.bytes
    }

    #[inline]
    fn heads(&self) -> Result<&[u8], Malformed> {
        self.bytes
            .get(self.heads_start..self.values_start)
            .ok_or(Malformed)
    }

    #[inline]
    fn values_len(&self) -> usize {
        self.bytes.len() - self.values_start
    }

    /// Whether there is no entry at `spot`.
    #[inline]
    pub(super) fn is_end(&self, spot: Spot) -> bool {
        spot.head >= self.values_start - self.heads_start
    }

    /// The entry at `spot`.
    #[inline]
    pub(super) fn entry(&self, spot: Spot) -> Result<Entry, Malformed> {
        Entry::at(self.heads()?, self.values_len(), spot)
    }

    /// The part of an entry's key that is not shared with the key before.
    #[inline]
    pub(super) fn suffix(&self, entry: &Entry) -> &[u8] {
        self.heads()
            .ok()
            .and_then(|heads| entry.suffix(heads).ok())
            .unwrap_or_default()
    }

    /// The value at a place that an entry named.
    #[inline]
    pub(super) fn value(&self, place: Range<usize>) -> &[u8] {
        self.bytes.get(self.in_block(place)).unwrap_or_default()
    }

    /// The same, shared.
    #[inline]
    pub(super) fn shared_value(&self, place: Range<usize>) -> Bytes {
        let place = self.in_block(place);
        Bytes::from(Rc::clone(&self.bytes))
            .slice(place)
            .unwrap_or_default()
    }

    #[inline]
    fn in_block(&self, value: Range<usize>) -> Range<usize> {
        self.values_start + value.start..self.values_start + value.end
    }

    /// The first entry whose key is at least `target`; `None` if all are below. The entry's `shared` leading bytes are those of
    /// `target`.
    #[inline]
    pub(super) fn seek(&self, target: &[u8]) -> Result<Option<Entry>, Malformed> {
        self.parts()?.seek(target)
    }

    /// Whether an entry that was found by seeking `target` has it as its key.
    pub(super) fn is_key(&self, entry: &Entry, target: &[u8]) -> bool {
        target.get(entry.shared..) == Some(self.suffix(entry))
    }

    #[inline]
    fn parts(&self) -> Result<Parts<'_>, Malformed> {
        let restarts = self
            .bytes
            .get(START_BYTES..self.heads_start)
            .ok_or(Malformed)?;
        let (restarts, _) = restarts.as_chunks();
        let (heads, values_len) = (self.heads()?, self.values_len());
        Ok(Parts {
            restarts,
            heads,
            values_len,
            prefix_len: self.prefix_len,
        })
    }

    /// Gives each key in order to `see` until it answers false; whether it never did. Also checks what no search needs: the
    /// restart points are those of the entries, and the values are as long as the heads say.
    pub(super) fn walk(&self, mut see: impl FnMut(&[u8]) -> bool) -> Result<bool, Malformed> {
        let mut restarts = self.parts()?.restarts.iter().map(Restart::read).peekable();
        let (mut first, mut last) = (None, Vec::new());
        let (mut key, mut spot) = (Vec::new(), Spot::default());
        while !self.is_end(spot) {
            let entry = self.entry(spot)?;
            if entry.shared > key.len() {
                return Err(Malformed);
            }
            key.truncate(entry.shared);
            key.extend_from_slice(self.suffix(&entry));
            if let Some(restart) = restarts.next_if(|restart| restart.spot == spot) {
                let rest = key.get(self.prefix_len..).ok_or(Malformed)?;
                if entry.shared > 0 || restart.sign != sign(rest) {
                    return Err(Malformed);
                }
                first.get_or_insert_with(|| key.clone());
                last.clone_from(&key);
            }
            if !see(&key) {
                return Ok(false);
            }
            // The first entry is a restart point.
            first.as_ref().ok_or(Malformed)?;
            spot = entry.next;
        }
        let is_whole = restarts.next().is_none()
            && spot.value == self.values_len()
            && first.is_some_and(|first| common_prefix(&first, &last) == self.prefix_len);
        if is_whole { Ok(true) } else { Err(Malformed) }
    }
}
