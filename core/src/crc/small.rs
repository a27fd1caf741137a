//! The same with tables that are computed when they are first needed: sixteen bytes at a time, as fast as crc32fast without hardware.

use core::sync::atomic::AtomicU32;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

type Table = [AtomicU32; 256];

/// The checksum of each byte, followed by 0 to 15 zeros. Zeros until they are filled; whoever finds them so fills them, always with the same.
static TABLES: [[Table; 4]; 4] = [const { [const { [const { AtomicU32::new(0) }; 256] }; 4] }; 4];

const POLYNOMIAL: u32 = 0xedb8_8320;

fn at(table: &Table, byte: u8) -> u32 {
    table
        .get(usize::from(byte))
        .map_or(0, |entry| entry.load(Relaxed))
}

fn tables() -> &'static [[Table; 4]; 4] {
    let [[first, ..], ..] = &TABLES;
    // It is filled last.
    if first.last().is_none_or(|last| last.load(Acquire) == 0) {
        fill(first);
    }
    &TABLES
}

#[cold]
fn fill(first: &Table) {
    for (byte, entry) in (0..).zip(first.iter().take(255)) {
        entry.store(of_byte(byte), Relaxed);
    }
    let last = of_byte(255);
    for byte in 0..=u8::MAX {
        let mut crc = of_byte(u32::from(byte));
        for table in TABLES.iter().flatten().skip(1) {
            let [low, ..] = crc.to_le_bytes();
            crc = crc >> 8 ^ if low == u8::MAX { last } else { at(first, low) };
            if let Some(entry) = table.get(usize::from(byte)) {
                entry.store(crc, Relaxed);
            }
        }
    }
    if let Some(entry) = first.last() {
        entry.store(last, Release);
    }
}

fn of_byte(byte: u32) -> u32 {
    (0..8).fold(byte, |crc, _| {
        crc >> 1 ^ if crc & 1 == 1 { POLYNOMIAL } else { 0 }
    })
}

#[inline(always)]
fn word([a, b, c, d]: &[Table; 4], word: u32) -> u32 {
    let [first, second, third, fourth] = word.to_le_bytes();
    at(d, first) ^ at(c, second) ^ at(b, third) ^ at(a, fourth)
}

/// A checksum of bytes that come in pieces.
#[derive(Clone, Debug)]
pub struct Hasher {
    /// The complement of the checksum so far.
    state: u32,
}

impl Default for Hasher {
    fn default() -> Self {
        Hasher::new()
    }
}

impl Hasher {
    /// Of nothing.
    pub fn new() -> Self {
        Hasher { state: u32::MAX }
    }

    /// Takes the bytes that come next.
    pub fn update(&mut self, bytes: &[u8]) {
        let tables = tables();
        let [one, two, three, four] = tables;
        let mut crc = self.state;
        let (chunks, rest) = bytes.as_chunks::<16>();
        for &[a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] in chunks {
            crc = word(four, u32::from_le_bytes([a, b, c, d]) ^ crc)
                ^ word(three, u32::from_le_bytes([e, f, g, h]))
                ^ word(two, u32::from_le_bytes([i, j, k, l]))
                ^ word(one, u32::from_le_bytes([m, n, o, p]));
        }
        let [first, ..] = one;
        for byte in rest {
            let [low, ..] = crc.to_le_bytes();
            crc = crc >> 8 ^ at(first, low ^ byte);
        }
        self.state = crc;
    }

    /// The checksum of all of them.
    pub fn finalize(self) -> u32 {
        !self.state
    }
}

/// The checksum of some bytes.
pub fn hash(bytes: &[u8]) -> u32 {
    let mut hasher = Hasher::new();
    hasher.update(bytes);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_what_crc32fast_says(bytes in prop::collection::vec(any::<u8>(), 0..300), cuts in prop::collection::vec(0_usize..300, 0..4)) {
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.sort_unstable();
            let (mut hasher, mut from) = (super::Hasher::new(), 0);
            for cut in cuts {
                hasher.update(bytes.get(from..cut).unwrap_or_default());
                from = cut;
            }
            hasher.update(bytes.get(from..).unwrap_or_default());
            prop_assert_eq!(hasher.finalize(), crc32fast::hash(&bytes));
            prop_assert_eq!(super::hash(&bytes), crc32fast::hash(&bytes));
        }
    }
}
