//! The stored form of a block: `[codec u8][raw length u32][bytes][crc32 u32]`, the crc over all before it.
//!
//! Codec 0 keeps the bytes as they are, 1 is one zstd frame. The frames come from ruzstd, or from zstd's own library under the
//! feature `zstd-c`; either reads what the other wrote.

use crate::crc;
use alloc::rc::Rc;
use alloc::vec;
use alloc::vec::Vec;

use super::block::BLOCK_BYTES_MAX;

const HEAD: usize = 5;
const RAW: u8 = 0;
const ZSTD: u8 = 1;

/// Why stored bytes are not a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bad {
    Checksum,
    Codec,
    Length,
    Frame,
}

impl Bad {
    pub(super) fn message(self) -> &'static str {
        match self {
            Bad::Checksum => "the checksum of a block does not fit",
            Bad::Codec => "a block has an unknown codec",
            Bad::Length => "a block's length does not fit",
            Bad::Frame => "a block does not decompress",
        }
    }
}

/// Appends the stored form of `block`, compressed if a compressor is given and it gains something.
pub(super) fn store(block: &[u8], compressor: Option<&mut Compressor>, out: &mut Vec<u8>) {
    let start = out.len();
    let raw_len = u32::try_from(block.len()).unwrap_or(u32::MAX);
    out.push(ZSTD);
    out.extend_from_slice(&raw_len.to_le_bytes());
    let gained = compressor.is_some_and(|compressor| {
        compressor.compress(block, out) && out.len() - start - HEAD < block.len() - block.len() / 16
    });
    if !gained {
        out.truncate(start);
        out.push(RAW);
        out.extend_from_slice(&raw_len.to_le_bytes());
        out.extend_from_slice(block);
    }
    let crc = crc::hash(out.get(start..).unwrap_or_default());
    out.extend_from_slice(&crc.to_le_bytes());
}

/// The block whose stored form is exactly `stored`.
pub(super) fn load(stored: &[u8], decompressor: &mut Decompressor) -> Result<Rc<[u8]>, Bad> {
    let (body, crc) = stored.split_last_chunk::<4>().ok_or(Bad::Length)?;
    if crc::hash(body) != u32::from_le_bytes(*crc) {
        return Err(Bad::Checksum);
    }
    let (&[codec, a, b, c, d], bytes) = body.split_first_chunk::<HEAD>().ok_or(Bad::Length)?;
    let raw_len = u32::from_le_bytes([a, b, c, d]) as usize;
    match codec {
        RAW if raw_len == bytes.len() => Ok(Rc::from(bytes)),
        RAW => Err(Bad::Length),
        ZSTD if raw_len > BLOCK_BYTES_MAX => Err(Bad::Length),
        ZSTD => decompressor.decompress(bytes, raw_len),
        _ => Err(Bad::Codec),
    }
}

#[cfg(feature = "zstd-c")]
pub(super) use with_c::{Compressor, Decompressor};
#[cfg(not(feature = "zstd-c"))]
pub(super) use without_c::{Compressor, Decompressor};

#[cfg(any(test, not(feature = "zstd-c")))]
mod without_c {
    use super::*;
    use alloc::boxed::Box;
    use ruzstd::decoding::FrameDecoder;
    use ruzstd::encoding::{CompressionLevel, FrameCompressor, MatchGeneratorDriver};
    use ruzstd::io::{Error, Read};

    /// Bytes to compress that the compressor can own, as it outlives each of them.
    struct Source {
        bytes: Vec<u8>,
        at: usize,
    }

    impl Read for Source {
        fn read(&mut self, out: &mut [u8]) -> Result<usize, Error> {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            let count = rest.len().min(out.len());
            if let (Some(from), Some(to)) = (rest.get(..count), out.get_mut(..count)) {
                to.copy_from_slice(from);
            }
            self.at += count;
            Ok(count)
        }
    }

    /// Makes zstd frames.
    pub(in super::super) struct Compressor {
        // In a box: it holds its tables inline, too much for the structs and the stacks that a builder passes through.
        inner: Box<FrameCompressor<Source, Vec<u8>, MatchGeneratorDriver>>,
    }

    impl Compressor {
        pub(in super::super) fn new() -> Self {
            Compressor {
                inner: Box::new(FrameCompressor::new(CompressionLevel::Fastest)),
            }
        }

        /// Appends one frame; false if it failed, and `out` may hold part of one.
        pub(super) fn compress(&mut self, block: &[u8], out: &mut Vec<u8>) -> bool {
            let mut bytes = self
                .inner
                .take_source()
                .map(|source| source.bytes)
                .unwrap_or_default();
            bytes.clear();
            bytes.extend_from_slice(block);
            self.inner.set_source(Source { bytes, at: 0 });
            self.inner.set_drain(core::mem::take(out));
            self.inner.compress();
            *out = self.inner.take_drain().unwrap_or_default();
            true
        }
    }

    /// Reads zstd frames.
    pub(in super::super) struct Decompressor {
        inner: FrameDecoder,
    }

    impl Decompressor {
        pub(in super::super) fn new() -> Self {
            let mut inner = FrameDecoder::new();
            inner.set_max_window_size(BLOCK_BYTES_MAX as u64);
            Decompressor { inner }
        }

        pub(super) fn decompress(&mut self, frame: &[u8], raw_len: usize) -> Result<Rc<[u8]>, Bad> {
            let mut raw = vec![0; raw_len];
            match self.inner.decode_all(frame, &mut raw) {
                Ok(len) if len == raw_len => Ok(Rc::from(raw)),
                Ok(_) => Err(Bad::Length),
                Err(_) => Err(Bad::Frame),
            }
        }
    }
}

#[cfg(feature = "zstd-c")]
mod with_c {
    use super::*;
    use zstd_safe::{CCtx, DCtx, compress_bound};

    const LEVEL: i32 = 1;

    /// Makes zstd frames.
    pub(in super::super) struct Compressor {
        inner: Option<CCtx<'static>>,
    }

    impl Compressor {
        pub(in super::super) fn new() -> Self {
            Compressor {
                inner: CCtx::try_create(),
            }
        }

        /// Appends one frame; false if it failed, and `out` may hold part of one.
        pub(super) fn compress(&mut self, block: &[u8], out: &mut Vec<u8>) -> bool {
            let Some(context) = &mut self.inner else {
                return false;
            };
            let start = out.len();
            out.resize(start + compress_bound(block.len()), 0);
            let written = out
                .get_mut(start..)
                .and_then(|free| context.compress(free, block, LEVEL).ok());
            out.truncate(start + written.unwrap_or(0));
            written.is_some()
        }
    }

    /// Reads zstd frames.
    pub(in super::super) struct Decompressor {
        inner: Option<DCtx<'static>>,
    }

    impl Decompressor {
        pub(in super::super) fn new() -> Self {
            Decompressor {
                inner: DCtx::try_create(),
            }
        }

        pub(super) fn decompress(&mut self, frame: &[u8], raw_len: usize) -> Result<Rc<[u8]>, Bad> {
            let context = self.inner.as_mut().ok_or(Bad::Frame)?;
            let mut raw = vec![0; raw_len];
            match context.decompress(raw.as_mut_slice(), frame) {
                Ok(len) if len == raw_len => Ok(Rc::from(raw)),
                Ok(_) => Err(Bad::Length),
                Err(_) => Err(Bad::Frame),
            }
        }
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation
)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Bytes as blocks have them: words again and again, and some that are random.
    fn block() -> impl Strategy<Value = Vec<u8>> {
        let words = proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..40), 1..12);
        let parts = proptest::collection::vec((any::<proptest::sample::Index>(), 0u8..8), 0..800);
        let noise = proptest::collection::vec(any::<u8>(), 0..300);
        (words, parts, noise).prop_map(|(words, parts, noise)| {
            let mut bytes = noise.clone();
            for (word, repeat) in parts {
                match repeat {
                    0 => bytes.extend(noise.iter().take(word.index(words.len()) + 1)),
                    _ => bytes.extend(word.get(&words)),
                }
            }
            bytes
        })
    }

    fn round_trip(block: &[u8]) {
        let mut stored = vec![1, 2, 3];
        store(block, Some(&mut Compressor::new()), &mut stored);
        assert!(stored.len() <= 3 + HEAD + block.len() + 4);
        assert_eq!(
            &*load(&stored[3..], &mut Decompressor::new()).unwrap(),
            block
        );
    }

    proptest! {
        #[test]
        fn what_is_stored_is_loaded(block in block()) {
            round_trip(&block);
        }

        #[test]
        fn any_frame_is_an_error_or_a_block(
            block in block(),
            flips in proptest::collection::vec((any::<proptest::sample::Index>(), 1u8..), 1..4),
            raw_len in 0u32..20_000,
        ) {
            // As if the checksum did not find it: nothing panics, and no more than the stated length comes out.
            let mut frame = Vec::new();
            Compressor::new().compress(&block, &mut frame);
            for (place, flip) in flips {
                let place = place.index(frame.len());
                frame[place] ^= flip;
            }
            if let Ok(raw) = Decompressor::new().decompress(&frame, raw_len as usize) {
                prop_assert_eq!(raw.len(), raw_len as usize);
            }
        }
    }

    #[test]
    fn blocks_of_every_small_length_come_back() {
        for len in 0..600 {
            round_trip(&vec![b'a'; len]);
            round_trip(&(0..len).map(|at| (at * 7 % 251) as u8).collect::<Vec<_>>());
            round_trip(&(0..len).map(|at| (at % 5) as u8).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_compressor_and_a_decompressor_serve_again() {
        let (mut compressor, mut decompressor) = (Compressor::new(), Decompressor::new());
        for round in 0..50u8 {
            let block: Vec<u8> = (0..usize::from(round) * 700)
                .map(|at| (at / 9 % 30) as u8 ^ round)
                .collect();
            let mut stored = Vec::new();
            store(&block, Some(&mut compressor), &mut stored);
            assert_eq!(
                &*load(&stored, &mut decompressor).unwrap(),
                block.as_slice()
            );
            let mut damaged = stored.get(HEAD..stored.len() - 4).unwrap().to_vec();
            damaged.truncate(damaged.len() / 2);
            let _ = decompressor.decompress(&damaged, block.len());
        }
    }

    #[test]
    fn a_stated_length_is_bounded() {
        let mut stored = vec![ZSTD];
        stored.extend_from_slice(&u32::MAX.to_le_bytes());
        stored.extend_from_slice(&[0x28, 0xb5, 0x2f, 0xfd, 0, 0]);
        let crc = crc32fast::hash(&stored);
        stored.extend_from_slice(&crc.to_le_bytes());
        assert_eq!(load(&stored, &mut Decompressor::new()), Err(Bad::Length));
        stored[0] = 2;
        let end = stored.len() - 4;
        let crc = crc32fast::hash(&stored[..end]);
        stored[end..].copy_from_slice(&crc.to_le_bytes());
        assert_eq!(load(&stored, &mut Decompressor::new()), Err(Bad::Codec));
    }

    #[cfg(feature = "zstd-c")]
    proptest! {
        #[test]
        fn either_reads_what_the_other_wrote(block in block()) {
            let (mut by_c, mut by_rust) = (Vec::new(), Vec::new());
            prop_assert!(with_c::Compressor::new().compress(&block, &mut by_c));
            prop_assert!(without_c::Compressor::new().compress(&block, &mut by_rust));
            for frame in [by_c, by_rust] {
                prop_assert_eq!(&*with_c::Decompressor::new().decompress(&frame, block.len()).unwrap(), block.as_slice());
                prop_assert_eq!(&*without_c::Decompressor::new().decompress(&frame, block.len()).unwrap(), block.as_slice());
            }
        }
    }
}
