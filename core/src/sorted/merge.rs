//! [`Merge`]: several sorted sources read as one.

use alloc::vec::Vec;

use super::cursor::Cursor;
use crate::error::Result;
use crate::value::Bytes;

/// Entries in ascending key order, one at a time.
pub trait Source {
    /// Whether it is at an entry.
    fn valid(&self) -> bool;
    /// The entry's key; empty if it is at none.
    fn key(&self) -> &[u8];
    /// The entry's value; empty if it is at none.
    fn value(&self) -> Bytes;
    /// Goes to the next entry, or to none after the last.
    fn advance(&mut self) -> Result<()>;
}

impl Source for Cursor {
    #[inline]
    fn valid(&self) -> bool {
        Cursor::valid(self)
    }

    #[inline]
    fn key(&self) -> &[u8] {
        Cursor::key(self)
    }

    #[inline]
    fn value(&self) -> Bytes {
        Cursor::value(self)
    }

    #[inline]
    fn advance(&mut self) -> Result<()> {
        Cursor::advance(self)
    }
}

impl<S: Source + ?Sized> Source for alloc::boxed::Box<S> {
    fn valid(&self) -> bool {
        (**self).valid()
    }

    fn key(&self) -> &[u8] {
        (**self).key()
    }

    fn value(&self) -> Bytes {
        (**self).value()
    }

    fn advance(&mut self) -> Result<()> {
        (**self).advance()
    }
}

/// The entries of several sources in key order. Where several have the same key, the earliest of them in the list counts and the
/// others are skipped. After an error it is at no entry.
pub struct Merge<S> {
    sources: Vec<S>,
    /// The places of the sources that are at an entry, as a heap: the smallest key (of equal ones, the earliest source) first.
    heap: Vec<usize>,
}

impl<S: Source> Merge<S> {
    /// Merges sources, each at its first entry that is wanted.
    pub fn new(sources: Vec<S>) -> Self {
        let heap = (0..sources.len())
            .filter(|&place| sources.get(place).is_some_and(S::valid))
            .collect();
        let mut merge = Merge { sources, heap };
        for node in (0..merge.heap.len() / 2).rev() {
            merge.sift_down(node);
        }
        merge
    }

    /// Which of the sources the entry is from.
    pub fn place(&self) -> Option<usize> {
        self.heap.first().copied()
    }

    /// Goes to the next key.
    fn step(&mut self) -> Result<()> {
        // Others with the same key are right below the top.
        while let Some(node) = self
            .smaller_child(0)
            .filter(|&node| self.key_at(node) == self.key_at(0))
        {
            self.advance_at(node)?;
        }
        self.advance_at(0)
    }

    fn advance_at(&mut self, node: usize) -> Result<()> {
        let Some(source) = self
            .heap
            .get(node)
            .and_then(|&place| self.sources.get_mut(place))
        else {
            return Ok(());
        };
        source.advance()?;
        if !source.valid() {
            self.heap.swap_remove(node);
        }
        self.sift_down(node);
        Ok(())
    }

    fn sift_down(&mut self, mut node: usize) {
        while let Some(child) = self
            .smaller_child(node)
            .filter(|&child| self.is_less(child, node))
        {
            self.heap.swap(child, node);
            node = child;
        }
    }

    /// The child of a node that comes first.
    fn smaller_child(&self, node: usize) -> Option<usize> {
        let (left, right) = (2 * node + 1, 2 * node + 2);
        if right < self.heap.len() && self.is_less(right, left) {
            return Some(right);
        }
        (left < self.heap.len()).then_some(left)
    }

    fn is_less(&self, left: usize, right: usize) -> bool {
        (self.key_at(left), self.heap.get(left)) < (self.key_at(right), self.heap.get(right))
    }

    fn key_at(&self, node: usize) -> &[u8] {
        self.heap
            .get(node)
            .and_then(|&place| self.sources.get(place))
            .map(S::key)
            .unwrap_or_default()
    }
}

impl<S: Source> Source for Merge<S> {
    fn valid(&self) -> bool {
        !self.heap.is_empty()
    }

    fn key(&self) -> &[u8] {
        self.key_at(0)
    }

    fn value(&self) -> Bytes {
        self.place()
            .and_then(|place| self.sources.get(place))
            .map(S::value)
            .unwrap_or_default()
    }

    fn advance(&mut self) -> Result<()> {
        let result = self.step();
        if result.is_err() {
            self.heap.clear();
        }
        result
    }
}
