//! Writing commits: frames into one log and a sync; for several tables first into the journal, whose sync is the commit.
//!
//! With [`Durability::Batch`] commits gather in a group that is written as one. At any time only one log has unsynced commits, so that what a
//! crash leaves is a prefix of the database's commits.

use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;

use hashbrown::HashMap;

use super::transaction::Pending;
use super::{Database, Durability};
use crate::error::{Code, Error, Result};
use crate::log::{EventRef, Frames};
use crate::storage::Synced;
use crate::time::{Seq, Timestamp};
use crate::value::{Key, Raw};

/// A group of commits is written at the latest when it has so many bytes.
const GROUP_BYTES: usize = 1 << 20;
/// A journal longer than this is retired after the commit.
const JOURNAL_BYTES: u64 = 1 << 20;
/// Maintenance that a commit pays: a step, and one more for each so many events.
const EVENTS_A_STEP: u64 = 16;

/// Frames on their way into logs, in the order in which the tables were first written.
#[derive(Default)]
pub struct Group {
    parts: Vec<Part>,
}

struct Part {
    table: Rc<str>,
    frames: Frames,
    events: u64,
}

impl Group {
    fn bytes(&self) -> usize {
        self.parts.iter().map(|part| part.frames.len()).sum()
    }

    fn part(&mut self, table: &Rc<str>) -> Option<&mut Part> {
        let at = match self.parts.iter().position(|part| part.table == *table) {
            Some(at) => at,
            None => {
                self.parts.push(Part {
                    table: table.clone(),
                    frames: Frames::new(),
                    events: 0,
                });
                self.parts.len() - 1
            }
        };
        self.parts.get_mut(at)
    }
}

impl Database {
    /// Encodes a transaction's frames and writes them, or puts them into the group.
    pub(super) fn write_commit(&mut self, pending: &Pending, time: Timestamp) -> Result<()> {
        if pending.events.is_empty() {
            return Ok(());
        }
        self.env.latch()?.check()?;
        self.encode(pending, time)?;
        match self.durability {
            Durability::Commit => {
                self.write_group()?;
                self.sync_logs().map(|_| ())
            }
            Durability::Batch if self.group.bytes() >= GROUP_BYTES => self.write_group(),
            Durability::Batch => Ok(()),
        }
    }

    /// Adds the frames of a transaction to the group.
    fn encode(&mut self, pending: &Pending, time: Timestamp) -> Result<()> {
        let mut left: HashMap<&str, usize> = HashMap::new();
        for event in &pending.events {
            *left.entry(&*event.table).or_default() += 1;
        }
        let mut key_bytes = Vec::new();
        for event in &pending.events {
            let version = &event.applied.version;
            if version.time != time
                && let Some(table) = self.tables.get(&*event.table)
            {
                table.set_time(&event.applied, time);
            }
            let more = match left.get_mut(&*event.table) {
                Some(count) => {
                    *count -= 1;
                    *count > 0
                }
                None => false,
            };
            key_bytes.clear();
            Key::decode(&event.applied.key)?
                .0
                .encode_msgpack(&mut key_bytes);
            let unreadable = || Error::new(Code::InvalidKey, "a key cannot be encoded");
            let key = Raw::new(&key_bytes).ok_or_else(unreadable)?;
            let frame = EventRef {
                seq: version.seq,
                time,
                op: version.op,
                more,
                key,
                body: version.body.as_deref().and_then(Raw::new),
                meta: version.meta.as_deref().and_then(Raw::new),
            };
            if let Some(part) = self.group.part(&event.table) {
                part.frames.push(&frame)?;
                part.events += 1;
            }
        }
        Ok(())
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
    fn make_room(&mut self, table: &str) -> Result<()> {
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

    /// Does a bounded share of the maintenance that is due in the tables of a transaction.
    pub(super) fn pay_maintenance(&mut self, pending: &Pending) -> Result<()> {
        let steps = 1 + pending.events.len() as u64 / EVENTS_A_STEP;
        let mut last: Option<&Rc<str>> = None;
        for event in &pending.events {
            if last.is_some_and(|last| *last == event.table) {
                continue;
            }
            last = Some(&event.table);
            let Some(table) = self.tables.get_mut(&*event.table) else {
                continue;
            };
            if table.freeze_is_due() && !self.group.parts.is_empty() {
                self.write_group()?;
            }
            if let Some(table) = self.tables.get_mut(&*event.table) {
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
