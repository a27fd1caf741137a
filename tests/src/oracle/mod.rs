//! The obvious model of a database: for each table the whole state after every event, in plain maps.
//!
//! It shares no code with the engine: documents are `serde_json` objects, keys and merge patches are its own.

mod document;
mod op;
mod table;

pub use document::{Doc, Key, compare, merge_patch, text};
pub use op::{Op, Write, name};
pub use table::{Event, Kind, Table};

use std::collections::BTreeMap;
use std::rc::Rc;

use driftdb_core::Code;

/// All state of a database and all that ever was.
#[derive(Clone, Debug, Default)]
pub struct Oracle {
    /// The tables by name.
    pub tables: BTreeMap<String, Table>,
    /// The newest sequence number; 0 before the first event.
    pub seq: u64,
    /// The newest commit time.
    pub time: u64,
    /// The time of every event, by its seq - 1.
    pub times: Vec<u64>,
}

impl Oracle {
    /// An empty database.
    pub fn new() -> Self {
        Oracle::default()
    }

    /// Does an operation at a time of the clock; answers how many events it wrote, or the code of its error.
    ///
    /// In a transaction each statement that fails writes nothing; the others count.
    pub fn apply(&mut self, op: &Op, clock: u64) -> Result<u64, Code> {
        match op {
            Op::Create {
                table,
                key,
                indexes,
            } => self.create(table, key, indexes).map(|()| 0),
            Op::Write(write) => self
                .transaction(std::slice::from_ref(write), None, clock)
                .pop()
                .unwrap_or(Ok(0)),
            Op::Transaction {
                writes,
                meta,
                commit,
            } => {
                if !commit {
                    return Ok(0);
                }
                Ok(self
                    .transaction(writes, meta.as_ref(), clock)
                    .into_iter()
                    .flatten()
                    .sum())
            }
            Op::Compact { table, since } => self.compact(table, *since).map(|()| 0),
            Op::Snapshot { table } => self.table(table).map(|_| 0),
            Op::Maintain | Op::Reopen => Ok(0),
        }
    }

    /// Runs the statements of one transaction and answers for each.
    pub fn transaction(
        &mut self,
        writes: &[Write],
        meta: Option<&Doc>,
        clock: u64,
    ) -> Vec<Result<u64, Code>> {
        let time = clock.max(self.time);
        let meta = meta.cloned().map(Rc::new);
        let mut answers = Vec::new();
        for write in writes {
            let answer = self.plan(write);
            if let Ok((key, kind)) = &answer {
                self.seq += 1;
                self.time = time;
                self.times.push(time);
                let event = Event {
                    seq: self.seq,
                    time,
                    kind: kind.clone(),
                    meta: meta.clone(),
                };
                if let Some(table) = self.tables.get_mut(write.table()) {
                    table.apply(key, event);
                }
            }
            answers.push(answer.map(|_| 1));
        }
        answers
    }

    /// The table, or the error of naming one that is not there.
    pub fn table(&self, name: &str) -> Result<&Table, Code> {
        self.tables.get(name).ok_or(Code::UnknownTable)
    }

    /// The newest seq with a time at or before this one.
    pub fn seq_at(&self, time: u64) -> u64 {
        self.times.partition_point(|at| *at <= time) as u64
    }

    fn create(&mut self, name: &str, key: &str, indexes: &[String]) -> Result<(), Code> {
        if self.tables.contains_key(name) {
            return Err(Code::TableExists);
        }
        self.tables
            .insert(name.to_string(), Table::new(key, indexes));
        Ok(())
    }

    /// The horizon is the table's last event at or before the point.
    fn compact(&mut self, name: &str, since: Option<u64>) -> Result<(), Code> {
        let point = since.unwrap_or(self.seq).min(self.seq);
        let table = self.tables.get_mut(name).ok_or(Code::UnknownTable)?;
        if point < table.horizon.0 {
            return Err(Code::BeforeHorizon);
        }
        let horizon = table.last_event(point);
        let time = (horizon as usize)
            .checked_sub(1)
            .and_then(|index| self.times.get(index));
        table.compact(horizon, time.copied().unwrap_or(0));
        Ok(())
    }

    /// What a statement would write.
    fn plan(&self, write: &Write) -> Result<(Key, Kind), Code> {
        let table = self.table(write.table())?;
        match write {
            Write::Insert { doc, .. } => {
                let key = table.key_of(doc)?;
                if table.row(&key).is_some() {
                    return Err(Code::DuplicateKey);
                }
                Ok((key, Kind::Insert(Rc::new(doc.clone()))))
            }
            Write::Upsert { doc, .. } => {
                Ok((table.key_of(doc)?, Kind::Insert(Rc::new(doc.clone()))))
            }
            Write::Patch { key, patch, .. } => {
                table.row(key).ok_or(Code::NoSuchRow)?;
                Ok((key.clone(), Kind::Patch(Rc::new(patch.clone()))))
            }
            Write::Delete { key, .. } => {
                table.row(key).ok_or(Code::NoSuchRow)?;
                Ok((key.clone(), Kind::Delete))
            }
            Write::Restore { key, at, .. } => {
                let state = table.state(*at).ok_or(Code::BeforeHorizon)?;
                let doc = state.get(key).ok_or(Code::NoSuchRow)?;
                Ok((key.clone(), Kind::Insert(doc.clone())))
            }
        }
    }
}

#[cfg(test)]
mod tests;
