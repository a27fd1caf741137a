//! The newest row of each key that was read lately, its patches applied.
//!
//! An entry is the newest version of its key overall: applying an event takes the key's entry out. So it answers for every
//! seq from its own on. Two halves take turns: what is read from the older half moves to the younger, and when the younger is full, the older is
//! dropped and the younger becomes the older.

use alloc::vec::Vec;

use hashbrown::HashMap;

use super::row::Row;
use crate::time::Seq;

/// What an entry weighs besides its bytes.
const ENTRY_BYTES: usize = 160;

/// Rows by encoded key, within a budget of bytes.
pub struct RowCache {
    young: HashMap<Vec<u8>, Row>,
    old: HashMap<Vec<u8>, Row>,
    young_bytes: usize,
    budget: usize,
    /// No event has a later seq.
    newest: Seq,
}

impl RowCache {
    /// An empty cache that keeps about `budget` bytes, of a table whose newest event so far has seq `newest`.
    pub fn new(budget: usize, newest: Seq) -> Self {
        RowCache {
            young: HashMap::new(),
            old: HashMap::new(),
            young_bytes: 0,
            budget,
            newest,
        }
    }

    /// The row of a key at `seq`, if the cache knows it.
    pub fn get(&mut self, key: &[u8], seq: Seq) -> Option<Row> {
        if let Some(row) = self.young.get(key) {
            return (row.seq <= seq).then(|| row.clone());
        }
        let row = self.old.remove(key)?;
        let found = (row.seq <= seq).then(|| row.clone());
        self.put(key, row);
        found
    }

    /// Keeps a row that was read at `seq`, if that is late enough for it to be the newest of its key: a copy, which does not hold on to the block
    /// that the row was cut from.
    pub fn offer(&mut self, key: &[u8], row: &Row, seq: Seq) {
        if seq >= self.newest {
            self.put(key, row.detached());
        }
    }

    fn put(&mut self, key: &[u8], row: Row) {
        self.young_bytes += key.len() + row.size_bound() + ENTRY_BYTES;
        self.young.insert(key.to_vec(), row);
        if self.young_bytes > self.budget / 2 {
            self.old = core::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
    }

    /// An event changes a key.
    pub fn changed(&mut self, key: &[u8], seq: Seq) {
        self.newest = self.newest.max(seq);
        self.forget(key);
    }

    /// An event of an open transaction is taken back.
    pub fn undone(&mut self, key: &[u8], seq: Seq) {
        self.newest = self.newest.min(Seq(seq.0.saturating_sub(1)));
        self.forget(key);
    }

    fn forget(&mut self, key: &[u8]) {
        if !self.young.is_empty() {
            self.young.remove(key);
        }
        if !self.old.is_empty() {
            self.old.remove(key);
        }
    }
}
