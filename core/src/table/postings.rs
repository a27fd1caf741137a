//! Markers of one index in memory, in the order in which they came; in key order when somebody asks.

use alloc::vec::Vec;

use super::arena::{Arena, Place};
use super::order::Order;
use super::posting::Posting;
use super::version::split_seq;
use crate::time::Seq;

/// The markers of one index that a memtable holds.
#[derive(Default)]
pub struct Postings {
    arena: Arena,
    entries: Vec<Entry>,
    order: Order,
}

struct Entry {
    /// The run key, seq included.
    key: Place,
    posting: Posting,
}

impl Postings {
    /// About how many bytes of memory it holds.
    pub fn bytes(&self) -> usize {
        self.arena.bytes() + self.entries.len() * (size_of::<Entry>() + 4)
    }

    /// Adds a marker under a run key; seqs never fall.
    pub fn push(&mut self, key: &[u8], posting: Posting) {
        let key = self.arena.store(key);
        self.entries.push(Entry { key, posting });
    }

    /// Those of events at or below `seq`, and those above.
    pub fn split(&self, seq: Seq) -> [Postings; 2] {
        let mut parts = [Postings::default(), Postings::default()];
        let [lower, upper] = &mut parts;
        for entry in &self.entries {
            let key = self.arena.get(entry.key);
            match split_seq(key).is_some_and(|(_, this)| this > seq) {
                true => upper.push(key, entry.posting),
                false => lower.push(key, entry.posting),
            }
        }
        parts
    }

    /// Takes out the markers of events above `seq`.
    pub fn pop_above(&mut self, seq: Seq) {
        let arena = &mut self.arena;
        let is_above = |key: &[u8]| split_seq(key).is_some_and(|(_, this)| this > seq);
        while let Some(entry) = self.entries.pop_if(|entry| is_above(arena.get(entry.key))) {
            arena.truncate(entry.key);
        }
        self.order.truncate(self.entries.len());
    }

    /// Puts them in order: what [`Postings::rank_of`] and [`Postings::at_rank`] say then holds until one is added.
    pub fn sort(&mut self) {
        let (entries, arena) = (&self.entries, &self.arena);
        self.order
            .extend(entries.len(), &|number| key_at(entries, arena, number));
    }

    /// The first rank whose run key is at or above `key`, or above it.
    pub fn rank_of(&self, key: &[u8], above: bool) -> usize {
        self.order.first_not(|number| {
            let this = key_at(&self.entries, &self.arena, number);
            if above { this <= key } else { this < key }
        })
    }

    /// The marker at a rank.
    pub fn at_rank(&self, rank: usize) -> Option<(&[u8], Posting)> {
        let number = self.order.get(rank)?;
        let entry = self.entries.get(number as usize)?;
        Some((self.arena.get(entry.key), entry.posting))
    }
}

fn key_at<'a>(entries: &[Entry], arena: &'a Arena, number: u32) -> &'a [u8] {
    entries
        .get(number as usize)
        .map_or(&[], |entry| arena.get(entry.key))
}
