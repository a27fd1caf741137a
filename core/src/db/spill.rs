//! Spilling: a transaction that has grown large leaves memory, table by table, before it is committed.
//!
//! It happens between statements only, so that a statement that fails can be taken back. A transaction that could not be spilled can be given up and
//! nothing else.

use alloc::rc::Rc;
use alloc::vec::Vec;

use super::Database;
use super::group::Part;
use super::transaction::Pending;
use crate::error::{Code, Error, Result};
use crate::table::Table;
use crate::time::Timestamp;

/// Frames are written in pieces of about this size.
const APPEND_BYTES: usize = 256 << 10;
/// About what an event of an open transaction takes in memory besides its bytes, which are there twice: as a frame and in the memtable.
const EVENT_BYTES: usize = 250;

/// What of an open transaction has left memory.
#[derive(Default)]
pub struct Spill {
    /// How many events.
    events: u64,
    /// The time that they have.
    time: Option<Timestamp>,
    failed: bool,
}

impl Spill {
    /// How many events have left memory.
    pub(super) fn events(&self) -> u64 {
        self.events
    }

    /// Whether anything was spilled.
    pub(super) fn is_begun(&self) -> bool {
        self.time.is_some()
    }

    /// The time of the transaction, once something was spilled.
    pub(super) fn time(&self) -> Option<Timestamp> {
        self.time
    }

    /// An error if the transaction could not be spilled.
    pub(super) fn check(&self) -> Result<()> {
        match self.failed {
            false => Ok(()),
            true => Err(Error::new(
                Code::Transaction,
                "the transaction could not be written out when it had grown large: nothing of it is kept",
            )
            .hint("ROLLBACK it")),
        }
    }
}

/// About how many bytes of memory a part of an open transaction holds.
fn held(part: &Part) -> usize {
    2 * part.frames.len() + usize::try_from(part.events).map_or(0, |events| events * EVENT_BYTES)
}

impl Database {
    /// Spills the open transaction if it holds more than it may.
    ///
    /// # Errors
    /// Those of the store: then the transaction can only be given up.
    pub(super) fn spill_if_large(&mut self) -> Result<()> {
        let limit = self.env.options.transaction_bytes;
        let large =
            |pending: &mut Pending| pending.frames.parts.iter().map(held).sum::<usize>() > limit;
        let Some(mut pending) = self.pending.take_if(large) else {
            return Ok(());
        };
        let spilled = self.spill(&mut pending, limit / 2);
        pending.spill.failed = spilled.is_err();
        self.pending = Some(pending);
        spilled
    }

    /// Spills the tables that hold most, until at most `keep` bytes are held.
    fn spill(&mut self, pending: &mut Pending, keep: usize) -> Result<()> {
        // Earlier commits come first in the logs.
        self.write_group()?;
        pending.spill.time = Some(pending.time);
        let Pending {
            frames,
            spill,
            time,
            ..
        } = pending;
        let mut parts: Vec<&mut Part> = frames.parts.iter_mut().collect();
        parts.sort_by_key(|part| core::cmp::Reverse(held(part)));
        let mut left: usize = parts.iter().map(|part| held(part)).sum();
        for part in parts {
            if left <= keep {
                break;
            }
            left -= held(part);
            spill.events += self.spill_part(part, *time)?;
            left += held(part);
        }
        Ok(())
    }

    /// Spills all events of one table but the last, whose frame will end the transaction there; how many they were.
    fn spill_part(&mut self, part: &mut Part, time: Timestamp) -> Result<u64> {
        let Some(spilled) = part.events.checked_sub(1).filter(|count| *count > 0) else {
            return Ok(0);
        };
        let name: Rc<str> = part.table.clone();
        let head = self.head.0;
        if let Some(table) = self.tables.get_mut(&*name) {
            table.set_time(head, time);
            table.begin_spill()?;
        }
        part.events = 1;
        part.frames.spill(time, APPEND_BYTES, |frames, count| {
            self.make_room(&name)?;
            match self.tables.get_mut(&*name) {
                Some(table) => table.append(frames, count).map(|_| ()),
                None => Ok(()),
            }
        })?;
        if let Some(table) = self.tables.get_mut(&*name) {
            table.flush_spilled()?;
        }
        Ok(spilled)
    }

    /// After the commit: what was spilled counts.
    pub(super) fn settle(&mut self) {
        self.tables.values_mut().for_each(Table::settle_spilled);
    }

    /// Takes a transaction back: out of memory, out of the logs.
    pub(super) fn give_up(&mut self) {
        self.undo(self.head.0);
        self.tables.values_mut().for_each(Table::give_up_spilled);
    }
}
