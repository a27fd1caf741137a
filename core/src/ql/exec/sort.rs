//! Sorting results: entries by the bytes of their key, in bounded steps, keeping only the first ones where that is all that is asked.

use alloc::collections::BinaryHeap;
use alloc::vec::{self, Vec};
use core::cmp::{Ordering, Reverse};

/// Entries that are sorted at once: what one step may take.
const RUN: usize = 8_192;
/// Up to this many first entries are kept apart from the rest.
const FIRST_MAX: u64 = 65_536;

/// A result and its place in the order: the sort key, then the result.
#[derive(Debug)]
pub(crate) struct Entry {
    bytes: Vec<u8>,
    key_len: usize,
}

impl Entry {
    /// An entry of bytes that start with the key.
    pub(crate) fn new(bytes: Vec<u8>, key_len: usize) -> Self {
        Entry { bytes, key_len }
    }

    fn key(&self) -> &[u8] {
        self.bytes.get(..self.key_len).unwrap_or_default()
    }

    /// The result alone.
    pub(crate) fn into_result(mut self) -> Vec<u8> {
        self.bytes.drain(..self.key_len);
        self.bytes
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(other.key())
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Entry {}

/// Takes entries in any order.
pub(crate) struct Sorter {
    /// How many first entries are wanted, if few.
    first: Option<usize>,
    current: Vec<Entry>,
    runs: Vec<Vec<Entry>>,
    /// With `first`: no entry from this key on is among the first.
    bar: Option<Vec<u8>>,
}

impl Sorter {
    /// A sorter whose first `wanted` entries will be taken out, or all.
    pub(crate) fn new(wanted: Option<u64>) -> Self {
        let first = wanted
            .filter(|wanted| *wanted <= FIRST_MAX)
            .and_then(|wanted| usize::try_from(wanted).ok());
        Sorter {
            first,
            current: Vec::new(),
            runs: Vec::new(),
            bar: None,
        }
    }

    /// Whether an entry with this key can be among the first, so that its result is worth making.
    pub(crate) fn wants(&self, key: &[u8]) -> bool {
        self.bar.as_deref().is_none_or(|bar| key < bar)
    }

    pub(crate) fn push(&mut self, entry: Entry) {
        self.current.push(entry);
        match self.first {
            None if self.current.len() >= RUN => self.end_run(),
            Some(first) if self.current.len() >= RUN.max(2 * first) => self.keep_first(first),
            _ => {}
        }
    }

    fn end_run(&mut self) {
        let mut run = core::mem::take(&mut self.current);
        run.sort_unstable();
        self.runs.push(run);
    }

    fn keep_first(&mut self, first: usize) {
        self.current.sort_unstable();
        self.current.truncate(first);
        self.bar = self.current.last().map(|last| last.key().to_vec());
    }

    /// The entries in order.
    pub(crate) fn finish(mut self) -> Sorted {
        self.end_run();
        let mut heap = BinaryHeap::with_capacity(self.runs.len());
        let mut runs: Vec<vec::IntoIter<Entry>> =
            self.runs.into_iter().map(Vec::into_iter).collect();
        for (number, run) in runs.iter_mut().enumerate() {
            heap.extend(run.next().map(|entry| Reverse((entry, number))));
        }
        Sorted { runs, heap }
    }
}

/// Gives entries out in order.
pub(crate) struct Sorted {
    runs: Vec<vec::IntoIter<Entry>>,
    heap: BinaryHeap<Reverse<(Entry, usize)>>,
}

impl Iterator for Sorted {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        let Reverse((entry, number)) = self.heap.pop()?;
        let next = self.runs.get_mut(number).and_then(Iterator::next);
        self.heap.extend(next.map(|entry| Reverse((entry, number))));
        Some(entry)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn all_and_the_first() {
        let entry = |number: u32| Entry::new([number.to_be_bytes(), [0; 4]].concat(), 4);
        let numbers = (0..50_000_u32).map(|number| number.wrapping_mul(2_654_435_761));
        let mut expected: Vec<u32> = numbers.clone().collect();
        expected.sort_unstable();
        for wanted in [None, Some(0), Some(1), Some(10), Some(9_000), Some(70_000)] {
            let mut sorter = Sorter::new(wanted);
            numbers
                .clone()
                .filter(|number| sorter_push(&mut sorter, entry(*number)))
                .count();
            let sorted: Vec<u32> = sorter
                .finish()
                .map(|entry| u32::from_be_bytes(entry.key().try_into().unwrap()))
                .collect();
            let least = usize::try_from(wanted.unwrap_or(u64::MAX))
                .unwrap()
                .min(expected.len());
            assert!(
                sorted.len() >= least
                    && sorted
                        .iter()
                        .zip(&expected)
                        .take(least)
                        .all(|(a, b)| a == b),
                "{wanted:?}"
            );
        }
    }

    fn sorter_push(sorter: &mut Sorter, entry: Entry) -> bool {
        let wants = sorter.wants(entry.key());
        if wants {
            sorter.push(entry);
        }
        wants
    }
}
