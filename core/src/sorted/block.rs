//! One block of entries in key order: prefix-compressed keys, with restart points that a binary search probes.
//!
//! An entry is `[shared][unshared][value length]` as varints, then the key from byte `shared` on, then the value. At a
//! restart point `shared` is 0. After the entries come the restart points' offsets (u32 each) and their number (u32).

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::ops::Range;

use super::varint;
use crate::value::Bytes;

/// Longest key of an entry.
pub const ENTRY_KEY_BYTES_MAX: usize = 16 << 10;
/// Longest value of an entry.
pub const ENTRY_VALUE_BYTES_MAX: usize = 32 << 20;
/// Most bytes of one block before compression: a block's target, one entry over it, and what frames them.
pub(super) const BLOCK_BYTES_MAX: usize = 40 << 20;

/// The bytes are not a block although their checksum fits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Malformed;

/// How many leading bytes two keys have in common.
#[inline]
pub(super) fn common_prefix(left: &[u8], right: &[u8]) -> usize {
    let mut count = 0;
    let (left_words, _) = left.as_chunks::<8>();
    let (right_words, _) = right.as_chunks::<8>();
    for (a, b) in left_words.iter().zip(right_words) {
        let differing = u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b);
        if differing != 0 {
            return count + (differing.trailing_zeros() / 8) as usize;
        }
        count += 8;
    }
    let (left, right) = (
        left.get(count..).unwrap_or_default(),
        right.get(count..).unwrap_or_default(),
    );
    count + left.iter().zip(right).take_while(|(a, b)| a == b).count()
}

/// Gathers the entries of one block.
pub(super) struct BlockBuilder {
    bytes: Vec<u8>,
    restarts: Vec<u32>,
    interval: usize,
    since_restart: usize,
    last_key: Vec<u8>,
}

impl BlockBuilder {
    /// An empty block with a restart point every `interval` entries.
    pub(super) fn new(interval: usize) -> Self {
        BlockBuilder {
            bytes: Vec::new(),
            restarts: Vec::new(),
            interval,
            since_restart: 0,
            last_key: Vec::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.restarts.is_empty()
    }

    /// The size of the block if it ended here.
    pub(super) fn len(&self) -> usize {
        self.bytes.len() + 4 * self.restarts.len() + 4
    }

    /// Adds an entry. `shared` is how many leading bytes its key has in common with the key before; the caller has compared
    /// them to see that keys ascend, and has kept keys and values within their limits.
    pub(super) fn add(&mut self, shared: usize, key: &[u8], value: &[u8]) {
        let restart = self.restarts.is_empty() || self.since_restart == self.interval;
        let shared = if restart { 0 } else { shared };
        if restart {
            self.restarts
                .push(u32::try_from(self.bytes.len()).unwrap_or(u32::MAX));
            self.since_restart = 0;
        }
        self.since_restart += 1;
        let suffix = key.get(shared..).unwrap_or_default();
        match (
            u8::try_from(shared),
            u8::try_from(suffix.len()),
            u8::try_from(value.len()),
        ) {
            (Ok(a @ 0..=127), Ok(b @ 0..=127), Ok(c @ 0..=127)) => {
                self.bytes.extend_from_slice(&[a, b, c])
            }
            _ => {
                varint::put(&mut self.bytes, shared as u64);
                varint::put(&mut self.bytes, suffix.len() as u64);
                varint::put(&mut self.bytes, value.len() as u64);
            }
        }
        self.bytes.extend_from_slice(suffix);
        self.bytes.extend_from_slice(value);
    }

    /// Adds an entry, comparing its key with the one before.
    pub(super) fn add_key(&mut self, key: &[u8], value: &[u8]) {
        let shared = common_prefix(&self.last_key, key);
        self.add(shared, key, value);
        self.last_key.truncate(shared);
        self.last_key
            .extend_from_slice(key.get(shared..).unwrap_or_default());
    }

    /// The finished block; the builder stays as it is until [`BlockBuilder::clear`].
    pub(super) fn finish(&mut self) -> &[u8] {
        for restart in &self.restarts {
            self.bytes.extend_from_slice(&restart.to_le_bytes());
        }
        let count = u32::try_from(self.restarts.len()).unwrap_or(u32::MAX);
        self.bytes.extend_from_slice(&count.to_le_bytes());
        &self.bytes
    }

    /// Makes it empty again.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.restarts.clear();
        self.since_restart = 0;
        self.last_key.clear();
    }
}

/// Where the parts of one entry are in its block.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Entry {
    /// How many leading bytes of the key before belong to this one.
    pub(super) shared: usize,
    key_start: usize,
    value_start: usize,
    /// Just past the entry: where the next one starts.
    pub(super) end: usize,
}

impl Entry {
    pub(super) fn suffix(&self) -> Range<usize> {
        self.key_start..self.value_start
    }

    pub(super) fn value(&self) -> Range<usize> {
        self.value_start..self.end
    }
}

/// A block in memory. Cheap to clone.
#[derive(Clone)]
pub(super) struct Block {
    bytes: Rc<[u8]>,
    /// Where the entries end and the restart points begin.
    entries_end: usize,
}

impl Block {
    pub(super) fn new(bytes: Rc<[u8]>) -> Result<Self, Malformed> {
        let (rest, count) = bytes.split_last_chunk::<4>().ok_or(Malformed)?;
        let restart_bytes = (u32::from_le_bytes(*count) as usize)
            .checked_mul(4)
            .ok_or(Malformed)?;
        let entries_end = rest.len().checked_sub(restart_bytes).ok_or(Malformed)?;
        if restart_bytes == 0 || bytes.len() > BLOCK_BYTES_MAX {
            return Err(Malformed);
        }
        Ok(Block { bytes, entries_end })
    }

    pub(super) fn bytes(&self) -> &Rc<[u8]> {
        &self.bytes
    }

    #[inline]
    pub(super) fn entries_end(&self) -> usize {
        self.entries_end
    }

    /// The entry that starts at `at`.
    #[inline]
    pub(super) fn entry(&self, at: usize) -> Result<Entry, Malformed> {
        entry_at(self.bytes.get(..self.entries_end).ok_or(Malformed)?, at)
    }

    /// A part of the block, as an entry names it.
    #[inline]
    pub(super) fn slice(&self, part: Range<usize>) -> &[u8] {
        self.bytes.get(part).unwrap_or_default()
    }

    /// The same part, shared.
    #[inline]
    pub(super) fn shared(&self, part: Range<usize>) -> Bytes {
        Bytes::from(Rc::clone(&self.bytes))
            .slice(part)
            .unwrap_or_default()
    }

    /// Whether an entry that was found by seeking `target` has it as its key.
    pub(super) fn is_key(&self, entry: &Entry, target: &[u8]) -> bool {
        target.get(entry.shared..) == Some(self.slice(entry.suffix()))
    }

    /// The first entry whose key is at least `target`; `None` if all are below. The entry's `shared` leading bytes are those of `target`.
    pub(super) fn seek(&self, target: &[u8]) -> Result<Option<Entry>, Malformed> {
        let (entries, tail) = self
            .bytes
            .split_at_checked(self.entries_end)
            .ok_or(Malformed)?;
        let (restarts, _) = tail
            .get(..tail.len().saturating_sub(4))
            .ok_or(Malformed)?
            .as_chunks::<4>();
        let Some(start) = last_restart_below(entries, restarts, target)? else {
            let first = entry_at(entries, 0)?;
            return if first.shared == 0 {
                Ok(Some(first))
            } else {
                Err(Malformed)
            };
        };
        let mut entry = start;
        let mut matched = common_prefix(suffix(entries, &entry)?, target);
        loop {
            if entry.end == entries.len() {
                return Ok(None);
            }
            entry = entry_at(entries, entry.end)?;
            // The key before is below the target and agrees with it in exactly `matched` bytes.
            match entry.shared.cmp(&matched) {
                Ordering::Greater => {}
                Ordering::Less => return Ok(Some(entry)),
                Ordering::Equal => {
                    let suffix = suffix(entries, &entry)?;
                    let rest = target.get(matched..).ok_or(Malformed)?;
                    let more = common_prefix(suffix, rest);
                    let reached = match rest.get(more) {
                        Some(wanted) => suffix.get(more).is_some_and(|byte| byte > wanted),
                        None => true,
                    };
                    if reached {
                        return Ok(Some(entry));
                    }
                    matched += more;
                }
            }
        }
    }
}

#[inline]
fn suffix<'a>(entries: &'a [u8], entry: &Entry) -> Result<&'a [u8], Malformed> {
    entries.get(entry.suffix()).ok_or(Malformed)
}

/// The last restart point whose key is below `target`.
#[inline]
fn last_restart_below(
    entries: &[u8],
    restarts: &[[u8; 4]],
    target: &[u8],
) -> Result<Option<Entry>, Malformed> {
    let (mut low, mut high) = (0, restarts.len());
    let mut found = None;
    while low < high {
        let middle = low + (high - low) / 2;
        let at = restarts.get(middle).ok_or(Malformed)?;
        let entry = entry_at(entries, u32::from_le_bytes(*at) as usize)?;
        if entry.shared != 0 {
            return Err(Malformed);
        }
        if suffix(entries, &entry)? < target {
            low = middle + 1;
            found = Some(entry);
        } else {
            high = middle;
        }
    }
    Ok(found)
}

#[inline]
fn entry_at(entries: &[u8], at: usize) -> Result<Entry, Malformed> {
    let rest = entries.get(at..).ok_or(Malformed)?;
    let (shared, unshared, value, head) = match *rest {
        [shared @ 0..=127, unshared @ 0..=127, value @ 0..=127, ..] => (
            usize::from(shared),
            usize::from(unshared),
            usize::from(value),
            3,
        ),
        [
            shared @ 0..=127,
            unshared @ 0..=127,
            low,
            high @ 0..=127,
            ..,
        ] => (
            usize::from(shared),
            usize::from(unshared),
            usize::from(low & 0x7f) | usize::from(high) << 7,
            4,
        ),
        _ => long_head(rest)?,
    };
    let key_start = at + head;
    let value_start = key_start + unshared;
    let end = value_start + value;
    if end > entries.len() {
        return Err(Malformed);
    }
    Ok(Entry {
        shared,
        key_start,
        value_start,
        end,
    })
}

#[cold]
fn long_head(bytes: &[u8]) -> Result<(usize, usize, usize, usize), Malformed> {
    let mut rest = bytes;
    let mut number = |max: usize| {
        let number = varint::take(&mut rest)
            .and_then(|number| usize::try_from(number).ok())
            .ok_or(Malformed)?;
        if number <= max {
            Ok(number)
        } else {
            Err(Malformed)
        }
    };
    let shared = number(ENTRY_KEY_BYTES_MAX)?;
    let unshared = number(ENTRY_KEY_BYTES_MAX)?;
    let value = number(ENTRY_VALUE_BYTES_MAX)?;
    Ok((shared, unshared, value, bytes.len() - rest.len()))
}
