//! Writing commits: frames into one log and a sync; for several tables first into the journal, whose sync is the commit.
//!
//! With [`Durability::Batch`] commits gather in a group that is written as one. At any time only one log has unsynced commits, so that what a
//! crash leaves is a prefix of the database's commits.

use alloc::rc::Rc;
use alloc::string::String;

use super::group::{Group, Part};
use super::{Database, Durability};
use crate::error::Result;
use crate::storage::Synced;
use crate::time::{Seq, Timestamp};

/// A group of commits is written at the latest when it has so many bytes.
const GROUP_BYTES: usize = 1 << 20;
/// A journal longer than this is retired after the commit.
const JOURNAL_BYTES: u64 = 1 << 20;
/// Maintenance that a commit pays: a step, and one more for each so many events.
const EVENTS_A_STEP: u64 = 16;

impl Database {
    /// Writes a transaction's frames, or puts them into the group.
    pub(super) fn write_commit(
        &mut self,
        frames: Group,
        time: Timestamp,
        spilled: bool,
    ) -> Result<()> {
        if frames.is_empty() {
            return Ok(());
        }
        self.env.latch()?.check()?;
        for part in &frames.parts {
            if let Some(table) = self.tables.get(&*part.table) {
                table.set_time(self.head.0, time);
            }
        }
        self.group.add(frames, time);
        match self.durability {
            Durability::Commit => {
                self.write_group()?;
                self.sync_logs().map(|_| ())
            }
            // What ends a run of frames that is in a log already does not wait.
            Durability::Batch if spilled || self.group.bytes() >= GROUP_BYTES => self.write_group(),
            Durability::Batch => Ok(()),
        }
    }

    /// Writes the group. If it is of several tables, it is durable then.
    pub(super) fn write_group(&mut self) -> Result<()> {
        let group = core::mem::take(&mut self.group);
        for part in &group.parts {
            self.make_room(&part.table)?;
        }
        match group.parts.as_slice() {
            [] => Ok(()),
            [part] => self.write_single(part),
            parts => self.write_journaled(parts),
        }
    }

    /// Rotates a log whose active segment is full.
    pub(super) fn make_room(&mut self, table: &str) -> Result<()> {
        if self
            .tables
            .get(table)
            .is_some_and(|table| table.log().rotation_due())
        {
            self.retire_journal()?;
            if let Some(table) = self.tables.get_mut(table) {
                table.rotate()?;
            }
        }
        Ok(())
    }

    fn write_single(&mut self, part: &Part) -> Result<()> {
        if self
            .unsynced
            .as_deref()
            .is_some_and(|other| *other != *part.table)
        {
            self.sync_logs()?;
        }
        let relaxed = self.durability == Durability::Batch;
        if let Some(table) = self.tables.get_mut(&*part.table) {
            if relaxed {
                table.set_relaxed(true)?;
            }
            table.append(&part.frames, part.events)?;
            self.unsynced = Some(String::from(&*part.table));
        }
        Ok(())
    }

    fn write_journaled(&mut self, parts: &[Part]) -> Result<()> {
        self.sync_logs()?;
        for part in parts {
            // The record is the commit of what was spilled too: recovery ends the runs of frames with it.
            if let Some(table) = self.tables.get_mut(&*part.table)
                && table.is_spilled()
            {
                table.sync()?;
            }
        }
        let first = parts
            .iter()
            .filter_map(|part| part.frames.first())
            .map(|(seq, _)| seq)
            .min()
            .unwrap_or(Seq(0));
        let tables = &self.tables;
        let places = parts.iter().filter_map(|part| {
            let table = tables.get(&*part.table)?;
            Some((
                table.dir(),
                table.log().generation(),
                table.log().end(),
                part.frames.as_bytes(),
            ))
        });
        self.journal.append(first, places)?;
        self.journal.sync()?;
        for part in parts {
            if let Some(table) = self.tables.get_mut(&*part.table) {
                table.append(&part.frames, part.events)?;
                self.journaled.insert(String::from(&*part.table));
            }
        }
        if self.journal.len() > JOURNAL_BYTES {
            self.retire_journal()?;
        }
        Ok(())
    }

    fn sync_logs(&mut self) -> Result<Synced> {
        match self
            .unsynced
            .take()
            .and_then(|name| self.tables.get_mut(&name))
        {
            Some(table) => table.sync(),
            None => Ok(Synced::Durable),
        }
    }

    /// Puts every commit on stable storage.
    pub fn sync(&mut self) -> Result<Synced> {
        self.write_group()?;
        self.sync_logs()
    }

    /// Makes the logs hold durably what the journal holds, and empties the journal.
    pub(super) fn retire_journal(&mut self) -> Result<()> {
        for name in core::mem::take(&mut self.journaled) {
            if let Some(table) = self.tables.get_mut(&name) {
                table.sync()?;
            }
        }
        self.journal.retire()
    }

    /// Does a bounded share of the maintenance that is due in the tables of a transaction of so many events.
    pub(super) fn pay_maintenance(&mut self, tables: &[Rc<str>], events: u64) -> Result<()> {
        let steps = 1 + events / EVENTS_A_STEP;
        for name in tables {
            let Some(table) = self.tables.get_mut(&**name) else {
                continue;
            };
            if table.freeze_is_due() && !self.group.is_empty() {
                self.write_group()?;
            }
            if let Some(table) = self.tables.get_mut(&**name) {
                table.maintain(steps)?;
            }
        }
        Ok(())
    }

    /// Does up to `steps` bounded steps of due maintenance in every table; whether some is left. A host that has idle time calls it.
    /// While a transaction is open nothing is due: its events are in memory with those of before.
    pub fn maintain(&mut self, steps: u64) -> Result<bool> {
        if self.pending.is_some() || !self.env.writes() {
            return Ok(false);
        }
        self.write_group()?;
        let mut left = false;
        for table in self.tables.values_mut() {
            left |= table.maintain(steps)?;
        }
        Ok(left)
    }
}
