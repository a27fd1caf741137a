//! [`SortedTable`]: a sorted file that is open for reading.

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::string::String;
use core::cell::OnceCell;

use super::block::{BLOCK_BYTES_MAX, Block, Entry, Malformed, Spot};
use super::cache::BlockCache;
use super::check::Check;
use super::codec::{self, Decompressor};
use super::cursor::{Cursor, Reading};
use super::filter;
use super::footer::{Footer, Handle};
use super::identity::Identity;
use crate::error::{Error, Result};
use crate::storage::Blob;
use crate::value::Bytes;
use crate::varint;

/// A sorted file that is open for reading.
pub struct SortedTable {
    pub(super) blob: Box<dyn Blob>,
    pub(super) path: String,
    pub(super) cache: Rc<BlockCache>,
    /// The file's number in the cache.
    pub(super) file: u64,
    pub(super) footer: Footer,
    pub(super) root: OnceCell<Block>,
}

impl SortedTable {
    /// What the file says of itself.
    pub fn identity(&self) -> &Identity {
        &self.footer.identity
    }

    /// The file's path.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// How many bytes the entries take before compression, with what frames them in their blocks.
    pub fn data_bytes(&self) -> u64 {
        self.footer.data_bytes
    }

    /// The first key; `None` if the file has no entries.
    pub fn first_key(&self) -> Option<&[u8]> {
        (self.footer.levels > 0).then_some(&self.footer.first_key)
    }

    /// The last key; `None` if the file has no entries.
    pub fn last_key(&self) -> Option<&[u8]> {
        (self.footer.levels > 0).then_some(&self.footer.last_key)
    }

    /// Whether the file can hold a key that was added with this filter prefix: false is certain, true may be wrong once in a hundred
    /// times. A file without filter can hold what is between its first and last key.
    pub fn may_contain(&self, prefix: &[u8]) -> Result<bool> {
        let first = self.footer.first_key.as_slice();
        if self.footer.levels == 0 || prefix > self.footer.last_key.as_slice() {
            return Ok(false);
        }
        if prefix < first && !first.starts_with(prefix) {
            return Ok(false);
        }
        let sections = self.footer.sections.as_slice();
        let section = match sections {
            [] => return Ok(true),
            [only] => only,
            _ => {
                let above = sections.partition_point(|section| section.first.as_slice() <= prefix);
                match above.checked_sub(1).and_then(|place| sections.get(place)) {
                    Some(section) => section,
                    None => return Ok(false),
                }
            }
        };
        let hash = filter::hash(prefix);
        let Some((offset, len, line)) = section.place(hash) else {
            return Ok(true);
        };
        let part = match self.cache.get(self.file, offset) {
            Some(part) => part,
            None => self.cache_filter_part(offset, len)?,
        };
        Ok(filter::is_set(&part, line, hash))
    }

    /// A cursor at the first entry whose key is at least `key`, for reading a few entries.
    pub fn seek(self: &Rc<Self>, key: &[u8]) -> Result<Cursor> {
        let mut cursor = self.cursor(Reading::Point);
        cursor.seek(key)?;
        Ok(cursor)
    }

    /// A cursor at the first entry whose key is at least `from`, for reading many entries: it reads ahead, and what it reads
    /// hardly pushes other blocks out of the cache.
    pub fn scan(self: &Rc<Self>, from: &[u8]) -> Result<Cursor> {
        let mut cursor = self.cursor(Reading::Scan);
        cursor.seek(from)?;
        Ok(cursor)
    }

    /// A cursor at the first entry, for reading all of them for the last time, as when files are merged: the cache is left alone.
    pub fn read_once(self: &Rc<Self>) -> Result<Cursor> {
        let mut cursor = self.cursor(Reading::Once);
        cursor.seek(b"")?;
        Ok(cursor)
    }

    /// A cursor that is nowhere yet.
    pub fn cursor(self: &Rc<Self>, reading: Reading) -> Cursor {
        Cursor::new(Rc::clone(self), reading)
    }

    /// A check of all of the file, for a caller that has the time.
    pub fn check(self: &Rc<Self>) -> Check {
        Check::new(Rc::clone(self))
    }

    /// The value of exactly this key.
    pub fn get(&self, key: &[u8]) -> Result<Option<Bytes>> {
        let Some((block, handle)) = self.data_block(key)? else {
            return Ok(None);
        };
        let found = block
            .seek(key)
            .map_err(|bad| self.malformed(bad, handle.offset))?;
        Ok(found
            .filter(|entry| block.is_key(entry, key))
            .map(|entry| block.shared_value(entry.value())))
    }

    /// The data block that holds the first key at or above `key`, unless that is the first one of the next block.
    #[inline]
    pub(super) fn data_block(&self, key: &[u8]) -> Result<Option<(Block, Handle)>> {
        let Some(root) = self.root()? else {
            return Ok(None);
        };
        let Some(mut handle) = self.child(root, self.footer.root, key)? else {
            return Ok(None);
        };
        for _ in 1..self.footer.levels {
            let block = self.block(handle)?;
            handle = self
                .child(&block, handle, key)?
                .ok_or_else(|| self.misplaced(handle.offset))?;
        }
        Ok(Some((self.block(handle)?, handle)))
    }

    /// Where the child is that an index block, stored at `at`, names for `key`.
    #[inline]
    fn child(&self, block: &Block, at: Handle, key: &[u8]) -> Result<Option<Handle>> {
        match block.seek(key) {
            Ok(Some(entry)) => self.handle(block, at.offset, &entry).map(Some),
            Ok(None) => Ok(None),
            Err(bad) => Err(self.malformed(bad, at.offset)),
        }
    }

    /// The handle that is the value of an entry of an index block.
    #[inline]
    pub(super) fn handle(&self, block: &Block, at: u64, entry: &Entry) -> Result<Handle> {
        let mut value = block.value(entry.value());
        let offset = varint::take(&mut value);
        let len = varint::take(&mut value).and_then(|len| u32::try_from(len).ok());
        match (offset, len) {
            (Some(offset), Some(len))
                if value.is_empty()
                    && offset
                        .checked_add(u64::from(len))
                        .is_some_and(|end| end <= self.footer.offset)
                    && len as usize <= BLOCK_BYTES_MAX =>
            {
                Ok(Handle { offset, len })
            }
            _ => Err(self.malformed(Malformed, at)),
        }
    }

    /// The handle in the entry of an index block that starts at `next`, which goes on to the one after.
    pub(super) fn next_child(&self, block: &Block, at: u64, next: &mut Spot) -> Result<Handle> {
        let entry = block.entry(*next).map_err(|bad| self.malformed(bad, at))?;
        *next = entry.next;
        self.handle(block, at, &entry)
    }

    /// The root of the index; `None` if there are no entries.
    #[inline]
    pub(super) fn root(&self) -> Result<Option<&Block>> {
        if let Some(root) = self.root.get() {
            return Ok(Some(root));
        }
        self.read_root()
    }

    #[cold]
    fn read_root(&self) -> Result<Option<&Block>> {
        if self.footer.levels == 0 {
            return Ok(None);
        }
        let root = self.read_block(self.footer.root)?;
        Ok(Some(self.root.get_or_init(|| root)))
    }

    pub(super) fn footer(&self) -> &Footer {
        &self.footer
    }

    /// A block through the cache.
    #[inline]
    pub(super) fn block(&self, handle: Handle) -> Result<Block> {
        match self.cache.get(self.file, handle.offset) {
            Some(bytes) => Block::new(bytes).map_err(|bad| self.malformed(bad, handle.offset)),
            None => {
                let block = self.read_block(handle)?;
                self.cache.insert(self.file, handle.offset, block.bytes());
                Ok(block)
            }
        }
    }

    /// A block if it is in the cache.
    pub(super) fn cached_block(&self, handle: Handle) -> Result<Option<Block>> {
        let cached = self.cache.get(self.file, handle.offset);
        cached
            .map(|bytes| Block::new(bytes).map_err(|bad| self.malformed(bad, handle.offset)))
            .transpose()
    }

    /// Offers the cache a block that a scan has read.
    pub(super) fn keep_scanned(&self, handle: Handle, block: &Block) {
        self.cache
            .insert_scanned(self.file, handle.offset, block.bytes());
    }

    #[cold]
    pub(super) fn read_block(&self, handle: Handle) -> Result<Block> {
        self.cache.with_scratch(handle.len as usize, |stored| {
            self.read_exact(handle.offset, stored)?;
            self.decode_block(stored, handle.offset)
        })
    }

    /// The block whose stored form is `stored`, from `offset` of the file.
    pub(super) fn decode_block(&self, stored: &[u8], offset: u64) -> Result<Block> {
        let decompressor = &mut *self.cache.decompressor.borrow_mut();
        let bytes = codec::load(stored, decompressor.get_or_insert_with(Decompressor::new))
            .map_err(|bad| self.corrupt(offset, bad.message()))?;
        Block::new(bytes).map_err(|bad| self.malformed(bad, offset))
    }

    #[cold]
    fn cache_filter_part(&self, offset: u64, len: usize) -> Result<Rc<[u8]>> {
        let part = self.read_filter_part(offset, len)?;
        self.cache.insert(self.file, offset, &part);
        Ok(part)
    }

    pub(super) fn read_filter_part(&self, offset: u64, len: usize) -> Result<Rc<[u8]>> {
        self.cache.with_scratch(len, |stored| {
            self.read_exact(offset, stored)?;
            filter::load_part(stored).map_err(|bad| self.corrupt(offset, bad.message()))
        })
    }

    pub(super) fn read_exact(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
        let count = self.blob.read_at(offset, buffer)?;
        if count == buffer.len() {
            return Ok(());
        }
        Err(self.corrupt(
            offset.saturating_add(count as u64),
            "a sorted file is shorter than it was",
        ))
    }

    #[cold]
    pub(super) fn malformed(&self, _: Malformed, offset: u64) -> Error {
        self.corrupt(offset, "a block of a sorted file is malformed")
    }

    #[cold]
    pub(super) fn misplaced(&self, offset: u64) -> Error {
        self.corrupt(
            offset,
            "the index of a sorted file does not agree with its blocks",
        )
    }

    #[cold]
    pub(super) fn corrupt(&self, offset: u64, message: &str) -> Error {
        Error::corrupt(self.path.as_str(), offset, message)
    }
}

impl Drop for SortedTable {
    fn drop(&mut self) {
        self.cache.forget(self.file);
    }
}
