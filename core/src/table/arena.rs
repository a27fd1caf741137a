//! An arena: bytes that are stored one behind another in chunks and are dropped together. What a full chunk holds can be shared;
//! what the last chunk holds is copied out.

use alloc::vec::Vec;
use core::mem;

use crate::value::Bytes;

/// A chunk is full when it would grow over this; what is longer has a chunk of its own.
const CHUNK_BYTES: usize = 256 << 10;

/// Where something lies in an arena.
#[derive(Clone, Copy, Debug, Default)]
pub struct Place {
    chunk: u32,
    start: u32,
    len: u32,
}

/// Bytes in chunks.
#[derive(Default)]
pub struct Arena {
    full: Vec<Bytes>,
    full_bytes: usize,
    filling: Vec<u8>,
}

impl Arena {
    /// How many bytes it holds.
    pub fn bytes(&self) -> usize {
        self.full_bytes + self.filling.len()
    }

    /// Stores bytes.
    pub fn store(&mut self, bytes: &[u8]) -> Place {
        self.store_with(bytes.len(), |out| out.extend_from_slice(bytes))
    }

    /// Stores what `write` appends: about `len` bytes.
    pub fn store_with(&mut self, len: usize, write: impl FnOnce(&mut Vec<u8>)) -> Place {
        if self.filling.len() + len > CHUNK_BYTES {
            self.seal();
            // The first chunk grows as it fills: many a table never has a second.
            self.filling.reserve(CHUNK_BYTES.max(len));
        }
        let start = self.filling.len();
        write(&mut self.filling);
        Place {
            chunk: number(self.full.len()),
            start: number(start),
            len: number(self.filling.len() - start),
        }
    }

    /// What lies at a place.
    #[inline]
    pub fn get(&self, place: Place) -> &[u8] {
        let chunk: &[u8] = match self.full.get(place.chunk as usize) {
            Some(chunk) => chunk,
            None => &self.filling,
        };
        let start = place.start as usize;
        chunk
            .get(start..start + place.len as usize)
            .unwrap_or_default()
    }

    /// The same, to keep.
    pub fn share(&self, place: Place) -> Bytes {
        let start = place.start as usize;
        let shared = self
            .full
            .get(place.chunk as usize)
            .and_then(|chunk| chunk.slice(start..start + place.len as usize));
        shared.unwrap_or_else(|| Bytes::from(self.get(place)))
    }

    /// Drops what was stored at `place` and after it.
    pub fn truncate(&mut self, place: Place) {
        let chunk = place.chunk as usize;
        if let Some(last) = self.full.get(chunk) {
            self.filling.clear();
            self.filling.extend_from_slice(last);
            let dropped = self.full.drain(chunk..).map(|chunk| chunk.len());
            self.full_bytes -= dropped.sum::<usize>();
        }
        self.filling.truncate(place.start as usize);
    }

    /// Makes all of it shareable: nothing more is going to be stored for long.
    pub fn seal(&mut self) {
        if !self.filling.is_empty() {
            self.full_bytes += self.filling.len();
            self.full.push(Bytes::from(mem::take(&mut self.filling)));
        }
    }
}

/// Nothing of 4 GiB gets here: memtables and deltas are bounded far below.
fn number(size: usize) -> u32 {
    u32::try_from(size).unwrap_or(u32::MAX)
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation
)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_is_found_until_it_is_dropped() {
        let mut arena = Arena::default();
        let piece = |number: usize| alloc::vec![number as u8; number * 37 % 9_000];
        let mut places = Vec::new();
        for number in 0..400 {
            places.push(arena.store(&piece(number)));
        }
        let long = alloc::vec![7; CHUNK_BYTES + 5];
        places.push(arena.store(&long));
        assert!(arena.full.len() > 3);
        for (number, &place) in places.iter().take(400).enumerate() {
            assert_eq!(arena.get(place), piece(number));
            assert_eq!(*arena.share(place), *piece(number));
        }
        assert_eq!(arena.get(places[400]), long);
        for cut in [400, 399, 150, 149, 3] {
            arena.truncate(places[cut]);
            let held: usize = (0..cut).map(|number| piece(number).len()).sum();
            assert_eq!(arena.bytes(), held);
            let again = arena.store(b"again");
            assert_eq!(arena.get(again), b"again");
            arena.truncate(again);
            for (number, &place) in places.iter().take(cut).enumerate() {
                assert_eq!(arena.get(place), piece(number));
            }
        }
    }
}
