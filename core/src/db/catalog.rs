//! The tables of a database: found by name, opened when they are needed, and views of them at points.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::Database;
use super::open::parts_of;
use crate::error::{Code, Error, Result};
use crate::ql::hint;
use crate::storage::LockState;
use crate::table::{Schema, Table, View};
use crate::time::{Point, Seq, Timestamp};

impl Database {
    /// The names of all tables, sorted.
    pub fn tables(&mut self) -> Result<Vec<String>> {
        let mut names = self.table_names()?;
        names.retain(|name| {
            self.env.writes() && self.tables.contains_key(name) || !self.env.writes()
        });
        if !self.env.writes() {
            // A directory without a schema is a CREATE TABLE that has not finished.
            let store = &self.env.store;
            let mut found = Vec::new();
            for name in names {
                if store
                    .read(&format!("{}/schema.yaml", crate::table::dir_of(&name)))?
                    .is_some()
                {
                    found.push(name);
                }
            }
            names = found;
        }
        names.sort_unstable();
        Ok(names)
    }

    /// What a table is.
    ///
    /// # Errors
    /// `Code::UnknownTable`.
    pub fn schema(&mut self, table: &str) -> Result<Schema> {
        Ok(Schema::clone(self.table(table)?.schema()))
    }

    /// The row with this key, at a point or now; inside a transaction, with its own writes.
    ///
    /// # Errors
    /// `Code::UnknownTable`, `Code::BeforeHorizon`, `Code::Corrupt`; those of the store.
    pub fn get(
        &mut self,
        table: &str,
        key: &crate::value::Key,
        at: Option<Point>,
    ) -> Result<Option<crate::table::Row>> {
        self.view(table, at)?.get(key)
    }

    /// A table at a point or now; inside a transaction, with its own writes. The view stays as it is, whatever is written later.
    ///
    /// # Errors
    /// `Code::UnknownTable`, `Code::BeforeHorizon`; those of the store.
    pub fn view(&mut self, table: &str, at: Option<Point>) -> Result<View> {
        self.freshen(table)?;
        self.view_as_is(table, at)
    }

    /// The same without looking at what another process has written since.
    pub(super) fn view_as_is(&mut self, table: &str, at: Option<Point>) -> Result<View> {
        if matches!(at, Some(Point::Time(_))) && self.env.writes() {
            self.write_group()?;
        }
        let head = self.visible_head();
        let table = self.known(table)?;
        let head = if head.0 == Seq(0) {
            (table.head().seq, table.head().time)
        } else {
            head
        };
        let seq = match at {
            Some(point) => table.resolve(point, head)?,
            None => head.0,
        };
        Ok(table.view(seq))
    }

    /// Seq and time of the newest event that a statement sees: those of the open transaction included.
    fn visible_head(&self) -> (Seq, Timestamp) {
        match &self.pending {
            Some(pending) => pending.head(self.head),
            None => self.head,
        }
    }

    /// A table, as its own process or another one has left it now.
    pub(super) fn table(&mut self, name: &str) -> Result<&mut Table> {
        self.freshen(name)?;
        self.known(name)
    }

    pub(super) fn known(&mut self, name: &str) -> Result<&mut Table> {
        if self.tables.contains_key(name) {
            return self.tables.get_mut(name).ok_or_else(|| unknown(name));
        }
        let names = self.table_names().unwrap_or_default();
        let error = unknown(name);
        Err(
            match hint::did_you_mean(name, names.iter().map(String::as_str)) {
                Some(hint) => error.hint(hint),
                None => error,
            },
        )
    }

    /// Of a reader: opens the table, or looks at what has been written since.
    pub(super) fn freshen(&mut self, name: &str) -> Result<()> {
        if self.env.writes() {
            return Ok(());
        }
        self.look_again(name)
    }

    /// Kept out of [`Database::freshen`]: opening a table needs much of the stack, which even a writer would pay for with each read.
    #[cold]
    #[inline(never)]
    fn look_again(&mut self, name: &str) -> Result<()> {
        // Asked before anything is looked at: a writer that comes in between has another epoch, and the next statement looks again.
        let lock = self.env.store.lock_state()?;
        if self.looked.get(name) == Some(&lock) {
            return Ok(());
        }
        // The journal is read before the log: a transaction that leaves the journal in between is then in the log.
        let records = self.journal.records()?;
        let parts = parts_of(&records, name);
        match self.tables.get_mut(name) {
            Some(table) => table.refresh(&parts)?,
            None => {
                if let Some((table, recovery)) = Table::open(self.env.clone(), name, &parts)? {
                    if recovery.torn_bytes > 0 {
                        self.report.torn.push((name.into(), recovery.torn_bytes));
                    }
                    self.tables.insert(name.into(), table);
                }
            }
        }
        if let Some(table) = self.tables.get(name) {
            let head = table.head();
            self.head = (self.head.0.max(head.seq), self.head.1.max(head.time));
            match lock {
                LockState::Held => self.looked.remove(name),
                LockState::Free(_) => self.looked.insert(name.into(), lock),
            };
        }
        Ok(())
    }
}

fn unknown(name: &str) -> Error {
    Error::new(Code::UnknownTable, format!("there is no table {name}"))
}
