//! One block of entries in key order: prefix-compressed keys, with restart points that a binary search probes.
//!
//! `[number of restart points u32][length of the heads u32][restart points][heads][values]`. A head is
//! `[shared][unshared][value length]` as varints and the key from byte `shared` on; the values lie in the same order. A restart
//! point is where a head starts, counted from the first one (u32), and where its value starts, counted likewise (u32); `shared` is 0
//! there. Values stand apart so that a search touches few cache lines: all it needs is close together.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::ops::Range;

use super::varint;
use crate::value::Bytes;

/// Longest key of an entry.
pub const ENTRY_KEY_BYTES_MAX: usize = 16 << 10;
/// Longest value of an entry.
pub const ENTRY_VALUE_BYTES_MAX: usize = 33 << 20;
/// Most bytes of one block before compression: a block's target, one entry over it, and what frames them.
pub(super) const BLOCK_BYTES_MAX: usize = 40 << 20;

/// The bytes of one restart point.
const RESTART_BYTES: usize = 8;
/// The bytes before the restart points.
const START_BYTES: usize = 8;

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
    let (left, right) = (from(left, count), from(right, count));
    count + left.iter().zip(right).take_while(|(a, b)| a == b).count()
}

#[inline]
fn from(bytes: &[u8], start: usize) -> &[u8] {
    bytes.get(start..).unwrap_or_default()
}

/// Gathers the entries of one block.
pub(super) struct BlockBuilder {
    /// The finished block.
    whole: Vec<u8>,
    values: Vec<u8>,
    heads: Vec<u8>,
    restarts: Vec<[u32; 2]>,
    interval: usize,
    since_restart: usize,
    entries: usize,
    last_key: Vec<u8>,
}

impl BlockBuilder {
    /// An empty block with a restart point every `interval` entries.
    pub(super) fn new(interval: usize) -> Self {
        BlockBuilder {
            whole: Vec::new(),
            values: Vec::new(),
            heads: Vec::new(),
            restarts: Vec::new(),
            interval,
            since_restart: 0,
            entries: 0,
            last_key: Vec::new(),
        }
    }

    /// How many entries it has.
    pub(super) fn entries(&self) -> usize {
        self.entries
    }

    /// The size of the block if it ended here.
    pub(super) fn len(&self) -> usize {
        let restarts = RESTART_BYTES * self.restarts.len();
        self.values.len() + self.heads.len() + restarts + START_BYTES
    }

    /// Adds an entry. `shared` is how many leading bytes its key has in common with the key before; the caller has compared
    /// them to see that keys ascend, and has kept keys and values within their limits.
    pub(super) fn add(&mut self, shared: usize, key: &[u8], value: &[u8]) {
        let restart = self.restarts.is_empty() || self.since_restart == self.interval;
        let shared = if restart { 0 } else { shared };
        if restart {
            self.restarts
                .push([u32_of(self.heads.len()), u32_of(self.values.len())]);
            self.since_restart = 0;
        }
        self.since_restart += 1;
        self.entries += 1;
        let suffix = from(key, shared);
        match (
            u8::try_from(shared),
            u8::try_from(suffix.len()),
            u8::try_from(value.len()),
        ) {
            (Ok(a @ 0..=127), Ok(b @ 0..=127), Ok(c @ 0..=127)) => {
                self.heads.extend_from_slice(&[a, b, c]);
            }
            _ => {
                for number in [shared, suffix.len(), value.len()] {
                    varint::put(&mut self.heads, number as u64);
                }
            }
        }
        self.heads.extend_from_slice(suffix);
        self.values.extend_from_slice(value);
    }

    /// Adds an entry, comparing its key with the one before.
    pub(super) fn add_key(&mut self, key: &[u8], value: &[u8]) {
        let shared = common_prefix(&self.last_key, key);
        self.add(shared, key, value);
        self.last_key.truncate(shared);
        self.last_key.extend_from_slice(from(key, shared));
    }

    /// The finished block; [`BlockBuilder::clear`] must follow.
    pub(super) fn finish(&mut self) -> &[u8] {
        self.whole.clear();
        self.whole
            .extend_from_slice(&u32_of(self.restarts.len()).to_le_bytes());
        self.whole
            .extend_from_slice(&u32_of(self.heads.len()).to_le_bytes());
        for [head, value] in &self.restarts {
            self.whole.extend_from_slice(&head.to_le_bytes());
            self.whole.extend_from_slice(&value.to_le_bytes());
        }
        self.whole.extend_from_slice(&self.heads);
        self.whole.extend_from_slice(&self.values);
        &self.whole
    }

    /// Makes it empty again.
    pub(super) fn clear(&mut self) {
        self.values.clear();
        self.heads.clear();
        self.restarts.clear();
        self.since_restart = 0;
        self.entries = 0;
        self.last_key.clear();
    }
}

fn u32_of(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

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
}

/// A block in memory. Cheap to clone.
#[derive(Clone)]
pub(super) struct Block {
    bytes: Rc<[u8]>,
    heads_start: usize,
    /// Where the heads end and the values start.
    values_start: usize,
}

/// The parts of a block that are searched.
struct Parts<'a> {
    restarts: &'a [[u8; RESTART_BYTES]],
    heads: &'a [u8],
    values_len: usize,
}

impl Block {
    #[inline]
    pub(super) fn new(bytes: Rc<[u8]>) -> Result<Self, Malformed> {
        let [a, b, c, d, heads_len @ ..] = *bytes.first_chunk::<START_BYTES>().ok_or(Malformed)?;
        let count = u32::from_le_bytes([a, b, c, d]) as usize;
        let heads_len = u32::from_le_bytes(heads_len) as usize;
        let len = bytes.len();
        // With both below the length nothing here overflows.
        if count == 0 || count >= len || heads_len == 0 || heads_len >= len || len > BLOCK_BYTES_MAX
        {
            return Err(Malformed);
        }
        let heads_start = START_BYTES + count * RESTART_BYTES;
        let values_start = heads_start + heads_len;
        if values_start > len {
            Err(Malformed)
        } else {
            Ok(Block {
                bytes,
                heads_start,
                values_start,
            })
        }
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
        entry_at(self.heads()?, self.values_len(), spot)
    }

    /// The part of an entry's key that is not shared with the key before.
    #[inline]
    pub(super) fn suffix(&self, entry: &Entry) -> &[u8] {
        self.heads()
            .ok()
            .and_then(|heads| suffix(heads, entry).ok())
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
        Bytes::from(Rc::clone(&self.bytes))
            .slice(self.in_block(place))
            .unwrap_or_default()
    }

    #[inline]
    fn in_block(&self, value: Range<usize>) -> Range<usize> {
        self.values_start + value.start..self.values_start + value.end
    }

    /// Whether an entry that was found by seeking `target` has it as its key.
    pub(super) fn is_key(&self, entry: &Entry, target: &[u8]) -> bool {
        target.get(entry.shared..) == Some(self.suffix(entry))
    }

    /// Gives each key in order to `see` until it answers false; whether it never did. Also checks what no search needs: the
    /// restart points are entries, and the values are as long as the heads say.
    pub(super) fn walk(&self, mut see: impl FnMut(&[u8]) -> bool) -> Result<bool, Malformed> {
        let mut restarts = self.parts()?.restarts.iter().map(restart).peekable();
        if restarts.peek() != Some(&Spot::default()) {
            return Err(Malformed);
        }
        let (mut key, mut spot) = (Vec::new(), Spot::default());
        while !self.is_end(spot) {
            let entry = self.entry(spot)?;
            let restarted = restarts.next_if_eq(&spot).is_some();
            if entry.shared > key.len() || restarted && entry.shared > 0 {
                return Err(Malformed);
            }
            key.truncate(entry.shared);
            key.extend_from_slice(self.suffix(&entry));
            if !see(&key) {
                return Ok(false);
            }
            spot = entry.next;
        }
        let is_whole = restarts.next().is_none() && spot.value == self.values_len();
        if is_whole { Ok(true) } else { Err(Malformed) }
    }

    #[inline]
    fn parts(&self) -> Result<Parts<'_>, Malformed> {
        let restarts = self
            .bytes
            .get(START_BYTES..self.heads_start)
            .ok_or(Malformed)?;
        let (restarts, _) = restarts.as_chunks();
        Ok(Parts {
            restarts,
            heads: self.heads()?,
            values_len: self.values_len(),
        })
    }

    /// The first entry whose key is at least `target`; `None` if all are below. The entry's `shared` leading bytes are those of
    /// `target`.
    #[inline]
    pub(super) fn seek(&self, target: &[u8]) -> Result<Option<Entry>, Malformed> {
        self.parts()?.seek(target)
    }
}

impl Parts<'_> {
    fn seek(&self, target: &[u8]) -> Result<Option<Entry>, Malformed> {
        let Some(mut entry) = self.last_restart_below(target)? else {
            let first = entry_at(self.heads, self.values_len, Spot::default())?;
            return if first.shared == 0 {
                Ok(Some(first))
            } else {
                Err(Malformed)
            };
        };
        let mut matched = common_prefix(suffix(self.heads, &entry)?, target);
        loop {
            if entry.next.head == self.heads.len() {
                return Ok(None);
            }
            entry = entry_at(self.heads, self.values_len, entry.next)?;
            // The key before is below the target and agrees with it in exactly `matched` bytes.
            match entry.shared.cmp(&matched) {
                Ordering::Greater => {}
                Ordering::Less => return Ok(Some(entry)),
                Ordering::Equal => {
                    let suffix = suffix(self.heads, &entry)?;
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

    /// The last restart point whose key is below `target`.
    #[inline]
    fn last_restart_below(&self, target: &[u8]) -> Result<Option<Entry>, Malformed> {
        let (mut low, mut high) = (0, self.restarts.len());
        let mut found = None;
        while low < high {
            let middle = low + (high - low) / 2;
            let spot = restart(self.restarts.get(middle).ok_or(Malformed)?);
            let entry = entry_at(self.heads, self.values_len, spot)?;
            if entry.shared != 0 {
                return Err(Malformed);
            }
            if suffix(self.heads, &entry)? < target {
                low = middle + 1;
                found = Some(entry);
            } else {
                high = middle;
            }
        }
        Ok(found)
    }
}

#[inline]
fn restart(bytes: &[u8; RESTART_BYTES]) -> Spot {
    let [a, b, c, d, value @ ..] = *bytes;
    let head = u32::from_le_bytes([a, b, c, d]) as usize;
    Spot {
        head,
        value: u32::from_le_bytes(value) as usize,
    }
}

#[inline]
fn suffix<'a>(heads: &'a [u8], entry: &Entry) -> Result<&'a [u8], Malformed> {
    heads
        .get(entry.suffix_start..entry.next.head)
        .ok_or(Malformed)
}

#[inline]
fn entry_at(heads: &[u8], values_len: usize, spot: Spot) -> Result<Entry, Malformed> {
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
