//! [`Cursor`]: a place in a sorted file that moves forward.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::ops::Range;

use super::block::{Block, Entry, Malformed, Spot};
use super::footer::Handle;
use super::table::SortedTable;
use crate::error::Result;
use crate::value::Bytes;

/// The first read of a scan, in bytes; each further one doubles, up to [`AHEAD_MAX`].
const AHEAD_FIRST: usize = 16 << 10;
const AHEAD_MAX: usize = 256 << 10;

/// What a cursor is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// A few entries here and there: blocks go through the cache.
    Point,
    /// Many entries in a row: blocks are read ahead, and fill what is free of the cache.
    Scan,
    /// All entries, for the last time, as when files are merged: blocks are read ahead and leave the cache alone.
    Once,
}

/// A place in a sorted file: at an entry, or at none (before the first seek, after the end, after an error).
pub struct Cursor {
    table: Rc<SortedTable>,
    ahead: Option<Ahead>,
    /// The index blocks above the data block, root first, each with where to go on; empty if they are not known.
    above: Vec<Level>,
    block: Option<Block>,
    /// Where the data block is stored.
    at: Handle,
    key: Vec<u8>,
    value: Range<usize>,
    /// The next entry of the data block.
    next: Spot,
    valid: bool,
}

struct Level {
    block: Block,
    at: u64,
    next: Spot,
}

/// Stored blocks that were read in one go.
struct Ahead {
    chunk: Vec<u8>,
    start: u64,
    /// How much to read next.
    step: usize,
    /// Whether the cache may have the blocks.
    keep: bool,
}

impl Cursor {
    pub(super) fn new(table: Rc<SortedTable>, reading: Reading) -> Self {
        let ahead = match reading {
            Reading::Point => None,
            Reading::Scan | Reading::Once => {
                let keep = reading == Reading::Scan;
                Some(Ahead {
                    chunk: Vec::new(),
                    start: 0,
                    step: AHEAD_FIRST,
                    keep,
                })
            }
        };
        let (above, key, at) = (Vec::new(), Vec::new(), Handle::default());
        Cursor {
            table,
            ahead,
            above,
            block: None,
            at,
            key,
            value: 0..0,
            next: Spot::default(),
            valid: false,
        }
    }

    /// The file it is in.
    pub fn table(&self) -> &Rc<SortedTable> {
        &self.table
    }

    /// Whether it is at an entry.
    #[inline]
    pub fn valid(&self) -> bool {
        self.valid
    }

    /// The entry's key; empty if it is at none.
    #[inline]
    pub fn key(&self) -> &[u8] {
        if self.valid { &self.key } else { &[] }
    }

    /// The entry's value, borrowed; empty if it is at none.
    #[inline]
    pub fn value_ref(&self) -> &[u8] {
        match &self.block {
            Some(block) if self.valid => block.value(self.value.clone()),
            _ => &[],
        }
    }

    /// The entry's value, shared with its block and keeping that in memory; empty if it is at none.
    #[inline]
    pub fn value(&self) -> Bytes {
        match &self.block {
            Some(block) if self.valid => block.shared_value(self.value.clone()),
            _ => Bytes::default(),
        }
    }

    /// Goes to the first entry whose key is at least `target`.
    pub fn seek(&mut self, target: &[u8]) -> Result<()> {
        self.valid = false;
        self.above.clear();
        if self.ahead.is_some() {
            return self.seek_by_levels(target);
        }
        let Some((block, at)) = self.table.data_block(target)? else {
            return Ok(());
        };
        match block.seek(target) {
            Ok(Some(entry)) => {
                self.at = at;
                let block = self.block.insert(block);
                self.key.clear();
                // Room for most keys at once, as most cursors are made for one seek.
                self.key.reserve(64);
                self.key
                    .extend_from_slice(target.get(..entry.shared).unwrap_or_default());
                self.key.extend_from_slice(block.suffix(&entry));
                self.value = entry.value();
                self.next = entry.next;
                self.valid = true;
                Ok(())
            }
            // It is the first entry of the next block.
            Ok(None) => self.seek_by_levels(target),
            Err(bad) => Err(self.table.malformed(bad, at.offset)),
        }
    }

    /// Goes to the next entry; from the last one to none. Stays at none.
    #[inline]
    pub fn advance(&mut self) -> Result<()> {
        if !self.valid {
            return Ok(());
        }
        if let Some(block) = &self.block
            && !block.is_end(self.next)
        {
            return match block.entry(self.next) {
                Ok(entry) if entry.shared <= self.key.len() => {
                    self.key.truncate(entry.shared);
                    self.key.extend_from_slice(block.suffix(&entry));
                    self.value = entry.value();
                    self.next = entry.next;
                    Ok(())
                }
                _ => self.fail(),
            };
        }
        self.leave_block()
    }

    #[cold]
    fn fail(&mut self) -> Result<()> {
        self.valid = false;
        Err(self.table.malformed(Malformed, self.at.offset))
    }

    /// Goes from the last entry of the block to the next one.
    #[cold]
    fn leave_block(&mut self) -> Result<()> {
        self.valid = false;
        if self.above.is_empty() {
            // The smallest key above this one.
            let mut target = core::mem::take(&mut self.key);
            target.push(0);
            return self.seek_by_levels(&target);
        }
        self.enter_next_block()
    }

    /// Seeks and remembers the way down.
    fn seek_by_levels(&mut self, target: &[u8]) -> Result<()> {
        self.above.clear();
        let table = Rc::clone(&self.table);
        let Some(root) = table.root()? else {
            return Ok(());
        };
        let levels = usize::from(table.footer().levels);
        let (mut block, mut at) = (root.clone(), table.footer().root);
        while self.above.len() < levels {
            let entry = match block.seek(target) {
                Ok(Some(entry)) => entry,
                Ok(None) if self.above.is_empty() => return Ok(()),
                Ok(None) => return Err(table.misplaced(at.offset)),
                Err(bad) => return Err(table.malformed(bad, at.offset)),
            };
            let child = table.handle(&block, at.offset, &entry)?;
            self.above.push(Level {
                block,
                at: at.offset,
                next: entry.next,
            });
            block = if self.above.len() < levels {
                table.block(child)?
            } else {
                self.load(child)?
            };
            at = child;
        }
        let found = block
            .seek(target)
            .map_err(|bad| table.malformed(bad, at.offset))?;
        self.block = Some(block);
        self.at = at;
        match found {
            Some(entry) => {
                self.key.clear();
                self.key
                    .extend_from_slice(target.get(..entry.shared).unwrap_or_default());
                self.enter(&entry);
                Ok(())
            }
            None => self.enter_next_block(),
        }
    }

    /// Goes to the first entry of the block after this one, by way of the index blocks above.
    fn enter_next_block(&mut self) -> Result<()> {
        let levels = usize::from(self.table.footer().levels);
        let mut child = loop {
            let Some(level) = self.above.last_mut() else {
                self.block = None;
                return Ok(());
            };
            if !level.block.is_end(level.next) {
                break self
                    .table
                    .next_child(&level.block, level.at, &mut level.next)?;
            }
            self.above.pop();
        };
        while self.above.len() < levels {
            let block = self.table.block(child)?;
            let (at, mut next) = (child.offset, Spot::default());
            child = self.table.next_child(&block, at, &mut next)?;
            self.above.push(Level { block, at, next });
        }
        let block = self.load(child)?;
        let first = block
            .entry(Spot::default())
            .map_err(|bad| self.table.malformed(bad, child.offset))?;
        self.block = Some(block);
        self.at = child;
        self.key.clear();
        if first.shared != 0 {
            return self.fail();
        }
        self.enter(&first);
        Ok(())
    }

    /// Is at `entry`, whose shared bytes are in `key`.
    fn enter(&mut self, entry: &Entry) {
        if let Some(block) = &self.block {
            self.key.extend_from_slice(block.suffix(entry));
            self.value = entry.value();
            self.next = entry.next;
            self.valid = true;
        }
    }

    /// A data block, as this cursor reads.
    fn load(&mut self, handle: Handle) -> Result<Block> {
        let Some(ahead) = &mut self.ahead else {
            return self.table.block(handle);
        };
        match self.table.cached_block(handle)? {
            Some(block) => Ok(block),
            None => ahead.load(&self.table, handle),
        }
    }
}

impl Ahead {
    fn load(&mut self, table: &SortedTable, handle: Handle) -> Result<Block> {
        let len = handle.len as usize;
        if self.stored(handle.offset, len).is_none() {
            let left = table.footer().offset.saturating_sub(handle.offset);
            let wanted = usize::try_from(left)
                .unwrap_or(usize::MAX)
                .min(self.step)
                .max(len);
            self.step = (self.step * 2).min(AHEAD_MAX);
            self.chunk.resize(wanted, 0);
            // Not known until it is read.
            self.start = u64::MAX;
            table.read_exact(handle.offset, &mut self.chunk)?;
            self.start = handle.offset;
        }
        let stored = self.stored(handle.offset, len).unwrap_or_default();
        let block = table.decode_block(stored, handle.offset)?;
        if self.keep {
            table.keep_scanned(handle, &block);
        }
        Ok(block)
    }

    fn stored(&self, offset: u64, len: usize) -> Option<&[u8]> {
        let place = usize::try_from(offset.checked_sub(self.start)?).ok()?;
        self.chunk.get(place..)?.get(..len)
    }
}
