//! One path's values over the rows of a table: every row has a code, and equal values have equal codes while there are not too many.

use alloc::vec::Vec;
use core::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

use crate::value::Raw;

/// From so many distinct values on equal ones are no longer looked for.
const DISTINCT_MAX: usize = 1 << 16;

/// The values of one path, by row.
#[derive(Clone, Default)]
pub(super) struct Column {
    /// The number of each row's value.
    codes: Vec<u32>,
    /// Where each value ends in `bytes`.
    ends: Vec<u32>,
    /// The values in msgpack, one behind another; what a row lacks is null.
    bytes: Vec<u8>,
    /// The values' numbers by the hash of their bytes.
    table: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl Column {
    /// Adds a row at the end.
    pub(super) fn push(&mut self, value: Raw<'_>) {
        let code = self.code_for(value);
        self.codes.push(code);
    }

    /// Gives a row another value.
    pub(super) fn set(&mut self, row: usize, value: Raw<'_>) {
        let code = self.code_for(value);
        if let Some(slot) = self.codes.get_mut(row) {
            *slot = code;
        }
    }

    /// The number of a row's value.
    #[inline]
    pub(super) fn code(&self, row: usize) -> u32 {
        self.codes.get(row).copied().unwrap_or(u32::MAX)
    }

    /// Whether equal values have one number.
    #[inline]
    pub(super) fn is_coded(&self) -> bool {
        self.ends.len() <= DISTINCT_MAX
    }

    /// A row's value.
    #[inline]
    pub(super) fn value(&self, row: usize) -> Raw<'_> {
        self.at(self.code(row))
    }

    /// Puts rows in and takes rows out: the codes of all rows are those that `codes` gives, in order.
    pub(super) fn rearrange(&mut self, codes: Vec<u32>) {
        self.codes = codes;
    }

    /// The number of a value, which need not be in a row yet.
    pub(super) fn code_for(&mut self, value: Raw<'_>) -> u32 {
        let bytes = value.as_bytes();
        if !self.is_coded() {
            return self.add(bytes);
        }
        let hash = self.hasher.hash_one(bytes);
        let found = self
            .table
            .find(hash, |&code| self.at(code).as_bytes() == bytes);
        if let Some(code) = found {
            return *code;
        }
        let code = self.add(bytes);
        if self.is_coded() {
            let (ends, all, hasher) = (&self.ends, &self.bytes, &self.hasher);
            let hash_of = |code: &u32| hasher.hash_one(slice(ends, all, *code));
            self.table.insert_unique(hash, code, hash_of);
        } else {
            self.table = HashTable::new();
        }
        code
    }

    fn add(&mut self, value: &[u8]) -> u32 {
        self.bytes.extend_from_slice(value);
        self.ends
            .push(u32::try_from(self.bytes.len()).unwrap_or(u32::MAX));
        u32::try_from(self.ends.len() - 1).unwrap_or(u32::MAX)
    }

    #[inline]
    fn at(&self, code: u32) -> Raw<'_> {
        Raw::of_whole(slice(&self.ends, &self.bytes, code))
    }

    /// How many rows there are.
    pub(super) fn len(&self) -> usize {
        self.codes.len()
    }

    /// How many values are kept, of rows that have them and of rows that had them.
    pub(super) fn values(&self) -> usize {
        self.ends.len()
    }

    /// About how many bytes of memory it holds.
    pub(super) fn size(&self) -> usize {
        let words = self.codes.capacity() + self.ends.capacity() + 2 * self.table.capacity();
        words * size_of::<u32>() + self.bytes.capacity()
    }
}

#[inline]
fn slice<'a>(ends: &[u32], bytes: &'a [u8], code: u32) -> &'a [u8] {
    let at = code as usize;
    let start = match at.checked_sub(1) {
        Some(before) => ends.get(before).copied().unwrap_or(0),
        None => 0,
    };
    let end = ends.get(at).copied().unwrap_or(start);
    bytes.get(start as usize..end as usize).unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::value::Value;

    #[test]
    fn equal_values_are_kept_once_until_there_are_too_many() {
        let mut column = Column::default();
        let packed = |number: usize| Value::Int(i64::try_from(number).unwrap()).to_msgpack();
        for row in 0..1_000 {
            column.push(Raw::new(&packed(row % 7)).unwrap());
        }
        assert_eq!((column.values(), column.is_coded()), (7, true));
        column.set(3, Raw::new(&packed(70_000)).unwrap());
        assert_eq!(column.value(3).as_bytes(), packed(70_000));
        assert_eq!(column.value(10).as_bytes(), packed(3));
        for row in 1_000..80_000 {
            column.push(Raw::new(&packed(row)).unwrap());
        }
        assert!(!column.is_coded());
        for row in (0..80_000).filter(|&row| row != 3) {
            let expected = if row < 1_000 { row % 7 } else { row };
            assert_eq!(column.value(row).as_bytes(), packed(expected));
        }
        assert_eq!(column.value(80_000).as_bytes(), b"");
    }
}
