//! [`Builder`]: writes a sorted file front to back, from entries in key order.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::block::{BlockBuilder, ENTRY_KEY_BYTES_MAX, ENTRY_VALUE_BYTES_MAX, common_prefix};
use super::codec::{self, Compressor};
use super::filter::{Section, SectionBuilder};
use super::footer::{EXTRA_BYTES_MAX, Footer, Handle, MAGIC};
use super::identity::Identity;
use crate::error::{Code, Error, Result};
use crate::storage::{Blob, Synced};
use crate::varint;

/// Bytes that are gathered before they are appended.
const APPEND_BYTES: usize = 256 << 10;
/// Entries of a data block from one restart point to the next.
const DATA_RESTARTS: usize = 16;
/// The same of an index block.
const INDEX_RESTARTS: usize = 4;
/// Size at which an index block is full.
const INDEX_BLOCK_BYTES: usize = 4 << 10;
/// Entries that an index block has at least before it is full, however long they are: the index must narrow.
const INDEX_BLOCK_ENTRIES: usize = 16;
/// Largest size at which a data block is full.
const BLOCK_TARGET_MAX: usize = 1 << 20;

/// How a sorted file is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Whether data blocks are compressed (where that gains something).
    pub compress: bool,
    /// Size before compression at which a data block is full.
    pub block_bytes: usize,
}

impl Options {
    /// For a run of an index, which is read by points.
    pub fn index(compress: bool) -> Self {
        Options {
            compress,
            block_bytes: 8 << 10,
        }
    }

    /// For a snapshot, which is read from end to end, and by points: a larger block is smaller on disk, and dearer to a read that the cache lacks.
    pub fn snapshot() -> Self {
        Options {
            compress: true,
            block_bytes: 8 << 10,
        }
    }
}

/// A sorted file that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Built {
    /// Its identity, with the entries counted.
    pub identity: Identity,
    /// Its length.
    pub bytes: u64,
    /// Whether it is on stable storage.
    pub synced: Synced,
}

/// Writes one sorted file.
pub struct Builder {
    blob: Box<dyn Blob>,
    path: String,
    identity: Identity,
    block_bytes: usize,
    compressor: Option<Compressor>,
    /// Bytes that are not appended yet.
    out: Vec<u8>,
    /// How many bytes are.
    appended: u64,
    data: BlockBuilder,
    /// The unfinished block of each level of the index, lowest first.
    index: Vec<BlockBuilder>,
    data_bytes: u64,
    first_key: Vec<u8>,
    last_key: Vec<u8>,
    last_prefix: Vec<u8>,
    section: SectionBuilder,
    sections: Vec<Section>,
}

impl Builder {
    /// A builder of the empty file `blob`, which errors call `path`.
    pub fn new(
        blob: Box<dyn Blob>,
        path: impl Into<String>,
        identity: Identity,
        options: Options,
    ) -> Self {
        let mut out = Vec::with_capacity(APPEND_BYTES + (64 << 10));
        out.extend_from_slice(&MAGIC);
        Builder {
            blob,
            path: path.into(),
            identity: Identity {
                entries: 0,
                ..identity
            },
            block_bytes: options.block_bytes.min(BLOCK_TARGET_MAX),
            compressor: options.compress.then(Compressor::new),
            out,
            appended: 0,
            data: BlockBuilder::new(DATA_RESTARTS),
            index: Vec::new(),
            data_bytes: 0,
            first_key: Vec::new(),
            last_key: Vec::new(),
            last_prefix: Vec::new(),
            section: SectionBuilder::default(),
            sections: Vec::new(),
        }
    }

    /// Adds an entry, whose key must be above all added before. The first `filter_len` bytes of the key go into the filter
    /// (none if it is 0); these prefixes must not descend.
    pub fn add(&mut self, key: &[u8], filter_len: usize, value: &[u8]) -> Result<()> {
        if key.len() > ENTRY_KEY_BYTES_MAX || value.len() > ENTRY_VALUE_BYTES_MAX {
            return Err(self.refuse(Code::Limit, "an entry is too large for a sorted file"));
        }
        let shared = common_prefix(&self.last_key, key);
        let above = match (self.last_key.get(shared), key.get(shared)) {
            (Some(last), Some(this)) => this > last,
            (None, Some(_)) => true,
            (_, None) => self.identity.entries == 0,
        };
        if !above {
            return Err(self.refuse(
                Code::InvalidValue,
                "the keys of a sorted file do not ascend",
            ));
        }
        if filter_len > 0 {
            self.add_prefix(key, filter_len)?;
        }
        let full = self.data.len() + key.len() + value.len() > self.block_bytes;
        if full && self.data.entries() > 0 {
            let separator = separator(&self.last_key, key, shared);
            self.close_block(&separator)?;
        } else if self.identity.entries == 0 {
            self.first_key.extend_from_slice(key);
        }
        self.data.add(shared, key, value);
        self.last_key.truncate(shared);
        self.last_key
            .extend_from_slice(key.get(shared..).unwrap_or_default());
        self.identity.entries += 1;
        Ok(())
    }

    /// How long the file would be, about, if it ended here.
    pub fn written(&self) -> u64 {
        self.appended + self.out.len() as u64 + self.data.len() as u64
    }

    /// Ends the file and syncs it.
    pub fn finish(mut self) -> Result<Built> {
        if self.identity.extra.len() > EXTRA_BYTES_MAX {
            return Err(self.refuse(Code::Limit, "the identity of a sorted file is too large"));
        }
        if !self.section.is_empty() {
            self.sections
                .push(self.section.finish(self.appended, &mut self.out));
        }
        let (root, levels) = self.close_index()?;
        let footer = Footer {
            identity: self.identity,
            offset: self.appended + self.out.len() as u64,
            levels,
            root,
            data_bytes: self.data_bytes,
            first_key: self.first_key,
            last_key: self.last_key,
            sections: self.sections,
        };
        footer.encode(&mut self.out);
        self.blob.append(self.appended, &self.out)?;
        let synced = self.blob.sync()?;
        Ok(Built {
            identity: footer.identity,
            bytes: self.appended + self.out.len() as u64,
            synced,
        })
    }

    fn add_prefix(&mut self, key: &[u8], len: usize) -> Result<()> {
        let prefix = key.get(..len).unwrap_or(key);
        if prefix == self.last_prefix {
            return Ok(());
        }
        if prefix < self.last_prefix.as_slice() {
            return Err(self.refuse(
                Code::InvalidValue,
                "the filter prefixes of a sorted file descend",
            ));
        }
        if self.section.is_full() {
            self.sections
                .push(self.section.finish(self.appended, &mut self.out));
        }
        self.section.add(prefix);
        self.last_prefix.clear();
        self.last_prefix.extend_from_slice(prefix);
        Ok(())
    }

    /// Ends the data block; `separator` is at least its last key and below the next one.
    fn close_block(&mut self, separator: &[u8]) -> Result<()> {
        let offset = self.appended + self.out.len() as u64;
        let block = self.data.finish();
        self.data_bytes += block.len() as u64;
        codec::store(block, self.compressor.as_mut(), &mut self.out);
        self.data.clear();
        let mut handle = self.handle_from(offset);
        for level in 0.. {
            self.index_entry(level, separator, handle);
            if !self.index.get(level).is_some_and(is_full) {
                break;
            }
            handle = self.store_index(level);
        }
        self.append_if_much()
    }

    /// Ends the last data block and all levels of the index: the root and the number of levels.
    fn close_index(&mut self) -> Result<(Handle, u8)> {
        if self.identity.entries == 0 {
            return Ok((Handle::default(), 0));
        }
        let last = self.last_key.clone();
        self.close_block(&last)?;
        let mut level = 0;
        loop {
            let is_filled = self
                .index
                .get(level)
                .is_some_and(|block| block.entries() > 0);
            let handle = is_filled.then(|| self.store_index(level));
            level += 1;
            match handle {
                Some(root) if level == self.index.len() => {
                    return Ok((root, u8::try_from(level).unwrap_or(u8::MAX)));
                }
                Some(handle) => self.index_entry(level, &last, handle),
                None => {}
            }
        }
    }

    fn index_entry(&mut self, level: usize, separator: &[u8], handle: Handle) {
        if level == self.index.len() {
            self.index.push(BlockBuilder::new(INDEX_RESTARTS));
        }
        let mut value = Vec::with_capacity(10);
        varint::write(handle.offset, &mut value);
        varint::write(u64::from(handle.len), &mut value);
        if let Some(block) = self.index.get_mut(level) {
            block.add_key(separator, &value);
        }
    }

    /// Stores the index block of a level; never compressed, as it gains little.
    fn store_index(&mut self, level: usize) -> Handle {
        let offset = self.appended + self.out.len() as u64;
        if let Some(block) = self.index.get_mut(level) {
            codec::store(block.finish(), None, &mut self.out);
            block.clear();
        }
        self.handle_from(offset)
    }

    /// The handle of what was stored from `offset` up to now.
    fn handle_from(&self, offset: u64) -> Handle {
        let len = self.appended + self.out.len() as u64 - offset;
        Handle {
            offset,
            len: u32::try_from(len).unwrap_or(u32::MAX),
        }
    }

    fn append_if_much(&mut self) -> Result<()> {
        if self.out.len() >= APPEND_BYTES {
            self.blob.append(self.appended, &self.out)?;
            self.appended += self.out.len() as u64;
            self.out.clear();
        }
        Ok(())
    }

    fn refuse(&self, code: Code, message: &str) -> Error {
        Error::new(code, message).in_file(self.path.as_str(), None)
    }
}

fn is_full(index: &BlockBuilder) -> bool {
    index.len() >= INDEX_BLOCK_BYTES && index.entries() >= INDEX_BLOCK_ENTRIES
}

/// A short key that is at least `low` and below `high`; they have their first `shared` bytes in common.
fn separator(low: &[u8], high: &[u8], shared: usize) -> Vec<u8> {
    // A prefix of `low` that ends in a byte raised by one is above `low`. Raising the byte where they differ must not reach
    // `high`; raising a later byte never does.
    for (at, &byte) in low.iter().enumerate().skip(shared) {
        let raised = byte.checked_add(1);
        let below_high = at > shared || raised < high.get(at).copied();
        if let (Some(raised), true) = (raised, below_high) {
            let mut short = low.get(..at).unwrap_or_default().to_vec();
            short.push(raised);
            return if short.len() < low.len() {
                short
            } else {
                low.to_vec()
            };
        }
    }
    low.to_vec()
}
