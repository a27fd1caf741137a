//! The stored form of a block: `[codec u8][raw length u32][bytes][crc32 u32]`, the crc over all before it.
//!
//! Codec 0 keeps the bytes as they are, 1 is one zstd frame. The frames come from ruzstd, or from zstd's own library under the
//! feature `zstd-c`; either reads what the other wrote.

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
    let crc = crc32fast::hash(out.get(start..).unwrap_or_default());
    out.extend_from_slice(&crc.to_le_bytes());
}

/// The block whose stored form is exactly `stored`.
pub(super) fn load(stored: &[u8], decompressor: &mut Decompressor) -> Result<Rc<[u8]>, Bad> {
    let (body, crc) = stored.split_last_chunk::<4>().ok_or(Bad::Length)?;
    if crc32fast::hash(body) != u32::from_le_bytes(*crc) {
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
