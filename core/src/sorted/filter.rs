//! The bloom filter over key prefixes: whether a file can hold a prefix, for one read of at most 4 KiB.
//!
//! Prefixes come in sections of up to a million. A section is an array of lines of 64 bytes; a prefix sets [`PROBES`] bits in
//! one line. 64 lines and their crc32 are a part, which is what is read, checked and cached.

use crate::crc;
use alloc::rc::Rc;
use alloc::vec;
use alloc::vec::Vec;

use super::codec::Bad;

const LINE_BYTES: usize = 64;
const LINES_PER_PART: u32 = 64;
const BITS_PER_PREFIX: u64 = 10;
const PROBES: u32 = 6;
const CRC_BYTES: usize = 4;
/// A section ends after this many prefixes, which bounds a builder's memory.
pub(super) const SECTION_PREFIXES: usize = 1 << 20;

/// Where a section of the filter is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Section {
    /// The smallest prefix in it; the section ends where the next one begins.
    pub(super) first: Vec<u8>,
    pub(super) offset: u64,
    pub(super) lines: u32,
}

impl Section {
    /// How many bytes it takes in the file.
    pub(super) fn stored_len(&self) -> u64 {
        let parts = u64::from(self.lines.div_ceil(LINES_PER_PART));
        u64::from(self.lines) * LINE_BYTES as u64 + parts * CRC_BYTES as u64
    }

    /// Where to look for a prefix with this hash: its part's offset and stored length, and the line in the part.
    #[inline]
    pub(super) fn place(&self, hash: u64) -> Option<(u64, usize, usize)> {
        let line = line_of(hash, self.lines);
        let (offset, len) = self.part(line / LINES_PER_PART)?;
        Some((offset, len, (line % LINES_PER_PART) as usize))
    }

    /// The offset and stored length of a part; `None` behind the last one.
    #[inline]
    pub(super) fn part(&self, part: u32) -> Option<(u64, usize)> {
        let first_line = part
            .checked_mul(LINES_PER_PART)
            .filter(|&line| line < self.lines)?;
        let lines = (self.lines - first_line).min(LINES_PER_PART) as usize;
        let before = u64::from(first_line) * LINE_BYTES as u64 + u64::from(part) * CRC_BYTES as u64;
        Some((self.offset + before, lines * LINE_BYTES + CRC_BYTES))
    }
}

/// The hash of a prefix: XXH64 with seed 0.
#[inline]
pub(super) fn hash(prefix: &[u8]) -> u64 {
    twox_hash::XxHash64::oneshot(0, prefix)
}

#[inline]
fn line_of(hash: u64, lines: u32) -> u32 {
    (((hash >> 32) * u64::from(lines)) >> 32) as u32
}

/// The bits of a line that stand for a hash.
#[inline]
fn bits(hash: u64) -> impl Iterator<Item = (usize, u8)> {
    let mixed = hash.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (0..PROBES).map(move |probe| {
        let bit = (mixed >> (probe * 9)) & 511;
        ((bit / 8) as usize, 1 << (bit % 8))
    })
}

/// Whether the line of a part has all the bits of `hash`. A line that is not there has none.
#[inline]
pub(super) fn is_set(part: &[u8], line: usize, hash: u64) -> bool {
    let start = line * LINE_BYTES;
    let line = part.get(start..start + LINE_BYTES).unwrap_or_default();
    bits(hash).all(|(byte, mask)| line.get(byte).is_some_and(|byte| byte & mask != 0))
}

/// The lines of a part whose stored form is exactly `stored`.
pub(super) fn load_part(stored: &[u8]) -> Result<Rc<[u8]>, Bad> {
    let (lines, crc) = stored.split_last_chunk::<4>().ok_or(Bad::Length)?;
    if crc::hash(lines) == u32::from_le_bytes(*crc) {
        Ok(Rc::from(lines))
    } else {
        Err(Bad::Checksum)
    }
}

/// Gathers the prefixes of one section.
#[derive(Default)]
pub(super) struct SectionBuilder {
    first: Vec<u8>,
    hashes: Vec<u64>,
}

impl SectionBuilder {
    /// Adds a prefix that is above all added before.
    pub(super) fn add(&mut self, prefix: &[u8]) {
        if self.hashes.is_empty() {
            self.first.clear();
            self.first.extend_from_slice(prefix);
        }
        self.hashes.push(hash(prefix));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.hashes.len() >= SECTION_PREFIXES
    }

    /// Appends the section's parts to `out`, which begins at `offset` of the file, and starts a new one.
    pub(super) fn finish(&mut self, offset: u64, out: &mut Vec<u8>) -> Section {
        let wanted = (self.hashes.len() as u64 * BITS_PER_PREFIX).div_ceil(LINE_BYTES as u64 * 8);
        let lines = u32::try_from(wanted).unwrap_or(u32::MAX).max(1);
        let mut array = vec![0u8; lines as usize * LINE_BYTES];
        for &hash in &self.hashes {
            let start = line_of(hash, lines) as usize * LINE_BYTES;
            let line = array.get_mut(start..start + LINE_BYTES).unwrap_or_default();
            for (byte, mask) in bits(hash) {
                if let Some(byte) = line.get_mut(byte) {
                    *byte |= mask;
                }
            }
        }
        let offset = offset + out.len() as u64;
        for part in array.chunks(LINES_PER_PART as usize * LINE_BYTES) {
            out.extend_from_slice(part);
            out.extend_from_slice(&crc::hash(part).to_le_bytes());
        }
        self.hashes.clear();
        Section {
            first: core::mem::take(&mut self.first),
            offset,
            lines,
        }
    }
}
