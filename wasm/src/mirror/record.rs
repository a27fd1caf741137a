//! The records that a database is in a store of keys and values, and their checksums: every value is `[u32 crc32][what it holds]`, the crc over the key and
//! what it holds.
//!
//! - `head`: `[u64 position]`, of the last transaction; each checks that it is as the transaction before left it, so that two writers cannot both go on.
//! - `files`: the position up to which the chunks hold everything, the next file number, and every file: path, number, length.
//! - `chunk/NUMBER/INDEX`: 64 KiB of a file, or its end; both in hexadecimal.
//! - `batch/POSITION`: what the transaction of a later position has changed.

use driftdb_core::crc;
use driftdb_core::{Error, Result, varint};

use super::ops::{put, text};

/// The bytes of a chunk.
pub(super) const CHUNK: u64 = 64 << 10;

pub(super) const HEAD: &str = "head";
pub(super) const FILES: &str = "files";
const BATCH: &str = "batch/";
const CHUNKS: &str = "chunk/";

/// What a key names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Head,
    Files,
    Batch(u64),
    Chunk(u64, u64),
}

/// The key of a batch.
pub(super) fn batch(position: u64) -> String {
    format!("{BATCH}{position:016x}")
}

/// The key of a chunk.
pub(super) fn chunk(number: u64, index: u64) -> String {
    format!("{CHUNKS}{number:016x}/{index:016x}")
}

/// What a key names; `None` if it is no key.
pub(super) fn kind(key: &str) -> Option<Kind> {
    let hex = |text: &str| {
        u64::from_str_radix(text, 16)
            .ok()
            .filter(|_| text.len() == 16)
    };
    match key {
        HEAD => Some(Kind::Head),
        FILES => Some(Kind::Files),
        _ => {
            if let Some(position) = key.strip_prefix(BATCH) {
                return hex(position).map(Kind::Batch);
            }
            let (number, index) = key.strip_prefix(CHUNKS)?.split_once('/')?;
            Some(Kind::Chunk(hex(number)?, hex(index)?))
        }
    }
}

/// The value that holds this.
pub(super) fn seal(key: &str, held: &[u8]) -> Vec<u8> {
    let mut value = crc(key, held).to_le_bytes().to_vec();
    value.extend_from_slice(held);
    value
}

/// What a value holds.
pub(super) fn open<'a>(key: &str, value: &'a [u8]) -> Result<&'a [u8]> {
    match value.split_first_chunk::<4>() {
        Some((sum, held)) if u32::from_le_bytes(*sum) == crc(key, held) => Ok(held),
        _ => Err(damaged(key)),
    }
}

fn crc(key: &str, held: &[u8]) -> u32 {
    let mut hasher = crc::Hasher::new();
    hasher.update(key.as_bytes());
    hasher.update(held);
    hasher.finalize()
}

/// The error of a record that is not as it was written.
pub(super) fn damaged(key: &str) -> Error {
    Error::corrupt(key, 0, "the stored record is damaged")
}

/// A file as the record of all files names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stored {
    pub path: String,
    pub number: u64,
    pub len: u64,
}

/// The record of all files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Files {
    pub position: u64,
    pub next: u64,
    pub files: Vec<Stored>,
}

impl Files {
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        varint::write(self.position, &mut out);
        varint::write(self.next, &mut out);
        for file in &self.files {
            put(file.path.as_bytes(), &mut out);
            varint::write(file.number, &mut out);
            varint::write(file.len, &mut out);
        }
        out
    }

    pub fn decode(mut bytes: &[u8]) -> Option<Files> {
        let position = varint::take(&mut bytes)?;
        let next = varint::take(&mut bytes)?;
        let mut files = Vec::new();
        while !bytes.is_empty() {
            files.push(Stored {
                path: text(&mut bytes)?.to_string(),
                number: varint::take(&mut bytes)?,
                len: varint::take(&mut bytes)?,
            });
        }
        Some(Files {
            position,
            next,
            files,
        })
    }
}
