//! [`Check`]: reads every byte of a sorted file and says whether all of it is as a builder would have written it.

use alloc::rc::Rc;
use alloc::vec::Vec;

use super::block::{Block, Spot};
use super::footer::{Handle, MAGIC};
use super::table::SortedTable;
use crate::error::Result;

/// A check of a whole file, in steps of about one block each.
pub struct Check {
    table: Rc<SortedTable>,
    stage: Stage,
    /// The index blocks above the next data block, root first.
    above: Vec<Level>,
    last_key: Option<Vec<u8>>,
    entries: u64,
    data_bytes: u64,
    /// Bytes of the file that something has been found to own.
    owned: u64,
}

enum Stage {
    Start,
    Blocks,
    /// The next part of the filter: section and part.
    Filter(usize, u32),
    Done,
}

struct Level {
    block: Block,
    at: u64,
    next: Spot,
    /// The separator of the child that was entered last: no key in it is above.
    separator: Vec<u8>,
}

impl Check {
    pub(super) fn new(table: Rc<SortedTable>) -> Self {
        let (stage, above) = (Stage::Start, Vec::new());
        Check {
            table,
            stage,
            above,
            last_key: None,
            entries: 0,
            data_bytes: 0,
            owned: 0,
        }
    }

    /// Checks a bit more; whether there is more to check. The first thing that is wrong is an error.
    pub fn step(&mut self) -> Result<bool> {
        match self.stage {
            Stage::Start => self.start()?,
            Stage::Blocks => self.next_block()?,
            Stage::Filter(section, part) => self.filter_part(section, part)?,
            Stage::Done => return Ok(false),
        }
        Ok(!matches!(self.stage, Stage::Done))
    }

    fn start(&mut self) -> Result<()> {
        let mut magic = [0; MAGIC.len()];
        self.table.read_exact(0, &mut magic)?;
        if magic != MAGIC {
            return Err(self
                .table
                .corrupt(0, "the file does not begin as a sorted file does"));
        }
        self.owned = MAGIC.len() as u64;
        if self.table.footer().levels > 0 {
            self.enter_index(self.table.footer().root)?;
        }
        self.stage = Stage::Blocks;
        Ok(())
    }

    /// Goes to the next child of the lowest index block that has one left, and checks it.
    fn next_block(&mut self) -> Result<()> {
        while self
            .above
            .last()
            .is_some_and(|level| level.block.is_end(level.next))
        {
            self.above.pop();
        }
        let Some(level) = self.above.last_mut() else {
            return self.end_blocks();
        };
        let entry = level
            .block
            .entry(level.next)
            .map_err(|bad| self.table.malformed(bad, level.at))?;
        level.separator.truncate(entry.shared);
        level
            .separator
            .extend_from_slice(level.block.suffix(&entry));
        level.next = entry.next;
        let child = self.table.handle(&level.block, level.at, &entry)?;
        if self.above.len() < usize::from(self.table.footer().levels) {
            self.enter_index(child)
        } else {
            self.data_block(child)
        }
    }

    fn enter_index(&mut self, handle: Handle) -> Result<()> {
        let block = self.read(handle)?;
        self.keys(&block, handle)?;
        let level = Level {
            block,
            at: handle.offset,
            next: Spot::default(),
            separator: Vec::new(),
        };
        self.above.push(level);
        Ok(())
    }

    fn data_block(&mut self, handle: Handle) -> Result<()> {
        let block = self.read(handle)?;
        let (first, last, count) = self.keys(&block, handle)?;
        if self.last_key.is_none() && first != self.table.footer().first_key {
            return Err(self.table.misplaced(handle.offset));
        }
        self.last_key = Some(last);
        self.entries += count;
        self.data_bytes += block.bytes().len() as u64;
        Ok(())
    }

    /// The first key, the last key and the number of keys of a block. They ascend, from above the last key of the data block
    /// before up to the separators above.
    fn keys(&self, block: &Block, handle: Handle) -> Result<(Vec<u8>, Vec<u8>, u64)> {
        let mut first = None;
        let mut last = self.last_key.clone();
        let mut count = 0;
        let ascend = block.walk(|key| {
            let above = last.as_deref().is_none_or(|last| key > last);
            last = Some(key.to_vec());
            first.get_or_insert_with(|| key.to_vec());
            count += 1;
            above
        });
        match ascend {
            Ok(true) => {}
            Ok(false) => {
                return Err(self
                    .table
                    .corrupt(handle.offset, "the keys of a block do not ascend"));
            }
            Err(bad) => return Err(self.table.malformed(bad, handle.offset)),
        }
        let last = last.unwrap_or_default();
        if self.above.iter().any(|level| last > level.separator) {
            return Err(self.table.misplaced(handle.offset));
        }
        Ok((first.unwrap_or_default(), last, count))
    }

    /// All data blocks were seen: the footer must say the same of them.
    fn end_blocks(&mut self) -> Result<()> {
        let footer = self.table.footer();
        let last = self.last_key.as_deref().unwrap_or_default();
        let counted = (self.entries, self.data_bytes, last);
        if counted
            != (
                footer.identity.entries,
                footer.data_bytes,
                footer.last_key.as_slice(),
            )
        {
            let message = "the footer of a sorted file does not agree with its entries";
            return Err(self.table.corrupt(footer.offset, message));
        }
        self.stage = Stage::Filter(0, 0);
        Ok(())
    }

    fn filter_part(&mut self, section: usize, part: u32) -> Result<()> {
        let Some(place) = self.table.footer().sections.get(section) else {
            return self.end();
        };
        match place.part(part) {
            Some((offset, len)) => {
                self.table.read_filter_part(offset, len)?;
                self.owned += len as u64;
                self.stage = Stage::Filter(section, part + 1);
            }
            None => self.stage = Stage::Filter(section + 1, 0),
        }
        Ok(())
    }

    /// Blocks and filter must fill the file up to the footer.
    fn end(&mut self) -> Result<()> {
        self.stage = Stage::Done;
        let end = self.table.footer().offset;
        if self.owned != end {
            return Err(self
                .table
                .corrupt(end, "a sorted file holds bytes that belong to nothing"));
        }
        Ok(())
    }

    fn read(&mut self, handle: Handle) -> Result<Block> {
        self.owned += u64::from(handle.len);
        self.table.read_block(handle)
    }
}
