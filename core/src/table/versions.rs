//! Versions in memory: those of a memtable, and those of a stretch of the log that a scan has read.
//!
//! A key is found by its hash and leads to its versions, the newest first; keys are put in order only when somebody asks. All bytes lie in
//! an arena, in the form that they have in an index run: adding a version allocates nothing, and dropping all of them frees a few chunks.

use alloc::vec::Vec;
use core::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::arena::{Arena, Place};
use super::order::Order;
use super::version::{Head, Version};
use crate::time::{Seq, Timestamp};

/// No version, or no key.
const NONE: u32 = u32::MAX;

/// Versions by key.
#[derive(Default)]
pub struct Versions {
    arena: Arena,
    keys: Vec<Key>,
    /// Numbers of keys, by the hash of the key.
    table: HashTable<u32>,
    order: Order,
    /// In the order of their seqs.
    entries: Vec<Entry>,
    hasher: DefaultHashBuilder,
}

struct Key {
    place: Place,
    newest: u32,
}

struct Entry {
    head: Head,
    parts: Place,
    key: u32,
    /// The version of the same key before this one.
    previous: u32,
    /// One further back, chosen so that any seq is found in steps that grow with the logarithm of how many versions there are.
    jump: u32,
    /// How many versions of the same key are before this one.
    count: u32,
}

/// A place between versions in the order of an index run.
#[derive(Clone, Copy, Default)]
pub struct Spot {
    rank: usize,
    /// The next version of the key at `rank`; its newest if there is none.
    entry: Option<u32>,
}

impl Versions {
    /// How many versions there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many keys there are.
    pub fn keys(&self) -> usize {
        self.keys.len()
    }

    /// About how many bytes of memory it holds.
    pub fn bytes(&self) -> usize {
        self.arena.bytes() + self.entries.len() * size_of::<Entry>() + self.keys.len() * 32
    }

    /// The last seq; 0 if there are no versions.
    pub fn newest(&self) -> Seq {
        self.entries.last().map_or(Seq(0), |entry| entry.head.seq)
    }

    /// The first seq; the last there is if there are no versions.
    pub fn oldest(&self) -> Seq {
        let oldest = self.entries.first();
        oldest.map_or(Seq(u64::MAX), |entry| entry.head.seq)
    }

    /// Adds a version of a key (encoded), whose seq is above all others.
    pub fn push(&mut self, key: &[u8], version: &Version<&[u8]>) {
        self.push_parts(key, version.head(), version.parts_len(), |out| {
            version.encode_parts(out);
        });
    }

    fn push_parts(&mut self, key: &[u8], head: Head, len: usize, write: impl FnOnce(&mut Vec<u8>)) {
        let hash = self.hasher.hash_one(key);
        let key = match self.number_of(hash, key) {
            Some(number) => number,
            None => self.add_key(hash, key),
        };
        let parts = self.arena.store_with(len, write);
        let number = u32::try_from(self.entries.len()).unwrap_or(NONE);
        let Some(slot) = self.keys.get_mut(key as usize) else {
            return;
        };
        let previous = core::mem::replace(&mut slot.newest, number);
        let (jump, count) = self.jump_over(previous);
        self.entries.push(Entry {
            head,
            parts,
            key,
            previous,
            jump,
            count,
        });
    }

    fn add_key(&mut self, hash: u64, key: &[u8]) -> u32 {
        let number = u32::try_from(self.keys.len()).unwrap_or(NONE);
        let place = self.arena.store(key);
        self.keys.push(Key {
            place,
            newest: NONE,
        });
        let (keys, arena, hasher) = (&self.keys, &self.arena, &self.hasher);
        self.table.insert_unique(hash, number, |&number| {
            hasher.hash_one(key_at(keys, arena, number))
        });
        number
    }

    /// Where a version behind `previous` jumps to, and its count: as far as the one before jumps twice, if those two jumps are equally long;
    /// otherwise to the one before.
    fn jump_over(&self, previous: u32) -> (u32, u32) {
        let Some(before) = self.entry(previous) else {
            return (NONE, 0);
        };
        let further = self.entry(before.jump).and_then(|jump| {
            let second = self.entry(jump.jump)?;
            (before.count - jump.count == jump.count - second.count).then_some(jump.jump)
        });
        (further.unwrap_or(previous), before.count + 1)
    }

    /// Those at or below `seq`, and those above.
    pub fn split(&self, seq: Seq) -> [Versions; 2] {
        let mut parts = [Versions::default(), Versions::default()];
        let [lower, upper] = &mut parts;
        for entry in &self.entries {
            let key = key_at(&self.keys, &self.arena, entry.key);
            let bytes = self.arena.get(entry.parts);
            let part = if entry.head.seq <= seq {
                &mut *lower
            } else {
                &mut *upper
            };
            part.push_parts(key, entry.head, bytes.len(), |out| {
                out.extend_from_slice(bytes)
            });
        }
        parts
    }

    /// Takes out the versions above `seq`; `each` gets their keys.
    pub fn pop_above(&mut self, seq: Seq, mut each: impl FnMut(&[u8])) {
        while let Some(entry) = self.entries.pop_if(|entry| entry.head.seq > seq) {
            each(key_at(&self.keys, &self.arena, entry.key));
            let mut dropped = entry.parts;
            if let Some(key) = self.keys.get_mut(entry.key as usize) {
                key.newest = entry.previous;
                if entry.previous == NONE {
                    // Its first version: the key came with it, as the last one.
                    dropped = key.place;
                    let hash = self.hasher.hash_one(self.arena.get(dropped));
                    if let Ok(found) = self.table.find_entry(hash, |&number| number == entry.key) {
                        found.remove();
                    }
                    self.keys.pop();
                }
            }
            self.arena.truncate(dropped);
        }
        self.order.truncate(self.keys.len());
    }

    /// Gives all versions above `seq` this time; `each` gets the keys of those that had another.
    pub fn set_time(&mut self, seq: Seq, time: Timestamp, mut each: impl FnMut(&[u8])) {
        let above = self.entries.iter_mut().rev();
        for entry in above.take_while(|entry| entry.head.seq > seq) {
            if entry.head.time != time {
                entry.head.time = time;
                each(key_at(&self.keys, &self.arena, entry.key));
            }
        }
    }

    /// The newest version of a key at or below `seq`.
    pub fn find(&self, key: &[u8], seq: Seq) -> Option<u32> {
        let number = self.number_of(self.hasher.hash_one(key), key)?;
        self.back_to(self.keys.get(number as usize)?.newest, seq)
    }

    /// The version `from`, or the newest one of its key before it, that is at or below `seq`.
    fn back_to(&self, from: u32, seq: Seq) -> Option<u32> {
        let mut number = from;
        loop {
            let entry = self.entry(number)?;
            if entry.head.seq <= seq {
                return Some(number);
            }
            number = match self.entry(entry.jump) {
                Some(jump) if jump.head.seq > seq => entry.jump,
                _ => entry.previous,
            };
        }
    }

    /// The version of the same key before `number`.
    pub fn before(&self, number: u32) -> Option<u32> {
        let previous = self.entry(number)?.previous;
        (previous != NONE).then_some(previous)
    }

    /// What a version is without its parts.
    pub fn head(&self, number: u32) -> Option<&Head> {
        self.entry(number).map(|entry| &entry.head)
    }

    /// The version.
    pub fn version(&self, number: u32) -> Option<Version> {
        let entry = self.entry(number)?;
        Version::with_parts(entry.head, &self.arena.share(entry.parts), 0)
    }

    /// The version with this number in the order of seqs, and its key.
    pub fn by_number(&self, number: usize) -> Option<(&[u8], Version)> {
        let number = u32::try_from(number).ok()?;
        let key = key_at(&self.keys, &self.arena, self.entry(number)?.key);
        Some((key, self.version(number)?))
    }

    /// Puts the keys in order. What [`Versions::rank_of`], [`Versions::at_rank`] and [`Versions::next_in_order`] say then holds until versions are added.
    pub fn sort(&mut self) {
        let (keys, arena) = (&self.keys, &self.arena);
        self.order
            .extend(keys.len(), &|number| key_at(keys, arena, number));
    }

    /// Makes reading cheap, as nothing is going to be added for long.
    pub fn seal(&mut self) {
        self.arena.seal();
    }

    /// The first rank whose key is at or above `key`, or above it.
    pub fn rank_of(&self, key: &[u8], above: bool) -> usize {
        self.order.first_not(|number| {
            let this = key_at(&self.keys, &self.arena, number);
            if above { this <= key } else { this < key }
        })
    }

    /// The key at a rank, to keep.
    pub fn shared_key(&self, rank: usize) -> Option<crate::value::Bytes> {
        let number = self.order.get(rank)?;
        Some(self.arena.share(self.keys.get(number as usize)?.place))
    }

    /// The key at a rank and its newest version.
    pub fn at_rank(&self, rank: usize) -> Option<(&[u8], u32)> {
        let number = self.order.get(rank)?;
        let key = self.keys.get(number as usize)?;
        Some((self.arena.get(key.place), key.newest))
    }

    /// The newest version at or below `seq` of the key at a rank.
    pub fn at_rank_below(&self, rank: usize, seq: Seq) -> Option<u32> {
        self.back_to(self.at_rank(rank)?.1, seq)
    }

    /// The next version in the order of an index run: its key, what it is, and its parts.
    pub fn next_in_order(&self, spot: &mut Spot) -> Option<(&[u8], &Head, &[u8])> {
        let (key, newest) = self.at_rank(spot.rank)?;
        let entry = self.entry(spot.entry.unwrap_or(newest))?;
        if entry.previous == NONE {
            *spot = Spot {
                rank: spot.rank + 1,
                entry: None,
            };
        } else {
            spot.entry = Some(entry.previous);
        }
        Some((key, &entry.head, self.arena.get(entry.parts)))
    }

    #[inline]
    fn entry(&self, number: u32) -> Option<&Entry> {
        self.entries.get(number as usize)
    }

    #[inline]
    fn number_of(&self, hash: u64, key: &[u8]) -> Option<u32> {
        self.table
            .find(hash, |&number| {
                key_at(&self.keys, &self.arena, number) == key
            })
            .copied()
    }
}

#[inline]
fn key_at<'a>(keys: &[Key], arena: &'a Arena, number: u32) -> &'a [u8] {
    keys.get(number as usize)
        .map_or(&[], |key| arena.get(key.place))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::log::Op;
    use alloc::collections::BTreeMap;

    fn patch(seq: u64, body: &[u8]) -> Version<&[u8]> {
        Version {
            seq: Seq(seq),
            time: Timestamp(seq / 3),
            op: Op::Patch,
            depth: 1,
            body: Some(body),
            whole: None,
            meta: None,
        }
    }

    /// Compares with a plain map of (key, !seq) to body.
    fn compare(versions: &mut Versions, model: &BTreeMap<(Vec<u8>, u64), Vec<u8>>, seqs: u64) {
        versions.sort();
        let mut spot = Spot::default();
        for ((key, seq), body) in model {
            let (found, head, parts) = versions.next_in_order(&mut spot).unwrap();
            assert_eq!((found, head.seq.0, parts), (&**key, !seq, &**body));
        }
        assert!(versions.next_in_order(&mut spot).is_none());
        for key in 0..40u8 {
            for seq in (0..seqs + 2).step_by(7) {
                let range =
                    (alloc::vec![key % 7, key], !seq)..=(alloc::vec![key % 7, key], u64::MAX);
                let expected = model.range(range).next().map(|((_, seq), _)| !seq);
                let found = versions
                    .find(&[key % 7, key], Seq(seq))
                    .map(|number| versions.head(number).unwrap().seq.0);
                assert_eq!(found, expected);
            }
        }
    }

    #[test]
    fn they_are_found_in_order_and_taken_out_again() {
        let (mut versions, mut model) = (Versions::default(), BTreeMap::new());
        let mut random = 1u64;
        let mut seq = 0;
        for round in 0..60u64 {
            for _ in 0..50 {
                random = random.wrapping_mul(6364136223846793005).wrapping_add(1);
                let key = u8::try_from((random >> 40) % (1 + round % 40)).unwrap();
                let key = alloc::vec![key % 7, key];
                seq += 1 + (random >> 60);
                let body = seq.to_be_bytes().to_vec();
                versions.push(&key, &patch(seq, &body));
                model.insert((key, !seq), body);
            }
            if round % 3 == 2 {
                let floor = seq.saturating_sub(random >> 57);
                let mut count = 0;
                versions.pop_above(Seq(floor), |_| count += 1);
                let before = model.len();
                model.retain(|(_, seq), _| !seq <= floor);
                assert_eq!(count, before - model.len());
            }
            compare(&mut versions, &model, seq);
        }
        versions.pop_above(Seq(0), |_| ());
        assert_eq!((versions.len(), versions.keys()), (0, 0));
        assert_eq!(versions.arena.bytes(), 0);
    }

    #[test]
    fn the_way_back_is_short() {
        let mut versions = Versions::default();
        for seq in 1..=100_000 {
            versions.push(b"k", &patch(seq, b""));
        }
        for seq in [1, 2, 777, 65_536, 99_999, 100_000] {
            let (mut number, mut steps) = (99_999, 0);
            while versions.entry(number).unwrap().head.seq > Seq(seq) {
                let entry = versions.entry(number).unwrap();
                let jump = versions.entry(entry.jump).unwrap();
                number = if jump.head.seq > Seq(seq) {
                    entry.jump
                } else {
                    entry.previous
                };
                steps += 1;
            }
            assert!(steps < 60, "{steps}");
            assert_eq!(versions.find(b"k", Seq(seq)), Some(number));
        }
    }
}
