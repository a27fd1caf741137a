//! SQLite, system-versioned: the present in one table, the past in another, written by triggers.

use super::sqlite::{close, connect, each, groups, members, rest_texts, text};
use super::{Engine, Groups, Outcome, Tally};
use crate::document::{Patch, json};
use crate::workload::{Change, Event};
use rusqlite::{Connection, OpenFlags, Statement, params};
use std::collections::VecDeque;
use std::path::Path;

/// How both tables keep their rows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// In the tree of the primary key, WITHOUT ROWID, and with covering indexes for scans.
    ByKey,
    /// By rowid, as SQLite does by itself.
    ByRowid,
}

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS orders (
  id TEXT NOT NULL PRIMARY KEY, customer_id TEXT NOT NULL, status TEXT NOT NULL, amount INTEGER NOT NULL,
  rest TEXT NOT NULL, since INTEGER NOT NULL) ROWS;
CREATE TABLE IF NOT EXISTS past (
  id TEXT NOT NULL, customer_id TEXT NOT NULL, status TEXT NOT NULL, amount INTEGER NOT NULL,
  rest TEXT NOT NULL, since INTEGER NOT NULL, until INTEGER NOT NULL, PRIMARY KEY (id, since)) ROWS;
CREATE TABLE IF NOT EXISTS clock (seq INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS orders_customer ON orders (customer_id);
CREATE INDEX IF NOT EXISTS past_customer ON past (customer_id, since, until);
CREATE TRIGGER IF NOT EXISTS patched AFTER UPDATE ON orders BEGIN
  INSERT INTO past VALUES (old.id, old.customer_id, old.status, old.amount, old.rest, old.since, new.since); END;
CREATE TRIGGER IF NOT EXISTS deleted AFTER DELETE ON orders BEGIN
  INSERT INTO past VALUES (old.id, old.customer_id, old.status, old.amount, old.rest, old.since,
    (SELECT seq FROM clock)); END;
INSERT INTO clock SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM clock);
";
const COVERING: &str = "
CREATE INDEX IF NOT EXISTS orders_groups ON orders (status, amount, since);
CREATE INDEX IF NOT EXISTS past_groups ON past (until, since, status, amount);
";

struct Versioned {
    connection: &'static Connection,
    /// JSON texts of the inserts to come.
    ready: VecDeque<String>,
    insert: Statement<'static>,
    set_status: Statement<'static>,
    set_customer: Statement<'static>,
    tick: Statement<'static>,
    delete: Statement<'static>,
    now: Statement<'static>,
    present_at: Statement<'static>,
    past_at: Statement<'static>,
    lookup: Statement<'static>,
    lookup_at: Statement<'static>,
    versions: Statement<'static>,
    groups: Statement<'static>,
    groups_at: Statement<'static>,
}

/// Opens or makes the database.
pub fn open(dir: &Path, rows: Rows) -> Outcome<Box<dyn Engine>> {
    let connection = connect(dir)?;
    let keep = match rows {
        Rows::ByKey => "WITHOUT ROWID",
        Rows::ByRowid => "",
    };
    connection.execute_batch(&TABLES.replace("ROWS", keep))?;
    if rows == Rows::ByKey {
        connection.execute_batch(COVERING)?;
    }
    let prepare = |sql: &str| connection.prepare(sql);
    Ok(Box::new(Versioned {
        connection,
        ready: VecDeque::new(),
        insert: prepare("INSERT INTO orders VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?,
        set_status: prepare("UPDATE orders SET status = ?2, amount = ?3, since = ?4 WHERE id = ?1")?,
        set_customer: prepare(
            "UPDATE orders SET customer_id = ?2, amount = ?3, since = ?4 WHERE id = ?1",
        )?,
        tick: prepare("UPDATE clock SET seq = ?1")?,
        delete: prepare("DELETE FROM orders WHERE id = ?1")?,
        now: prepare("SELECT customer_id, status, amount, rest FROM orders WHERE id = ?1")?,
        present_at: prepare(
            "SELECT customer_id, status, amount, rest FROM orders WHERE id = ?1 AND since <= ?2",
        )?,
        past_at: prepare(
            "SELECT customer_id, status, amount, rest, until FROM past
             WHERE id = ?1 AND since <= ?2 ORDER BY since DESC LIMIT 1",
        )?,
        lookup: prepare("SELECT customer_id, status, amount, rest FROM orders WHERE customer_id = ?1")?,
        lookup_at: prepare(
            "SELECT customer_id, status, amount, rest FROM orders WHERE customer_id = ?1 AND since <= ?2
             UNION ALL SELECT customer_id, status, amount, rest FROM past
             WHERE customer_id = ?1 AND since <= ?2 AND until > ?2",
        )?,
        versions: prepare(
            "SELECT customer_id, status, amount, rest FROM past WHERE id = ?1
             UNION ALL SELECT customer_id, status, amount, rest FROM orders WHERE id = ?1",
        )?,
        groups: prepare("SELECT status, count(*), sum(amount) FROM orders GROUP BY status")?,
        groups_at: prepare(
            "SELECT status, count(*), sum(amount) FROM (
               SELECT status, amount FROM orders WHERE since <= ?1
               UNION ALL SELECT status, amount FROM past WHERE until > ?1 AND since <= ?1)
             GROUP BY status",
        )?,
    }))
}

impl Versioned {
    fn apply(&mut self, event: &Event) -> Outcome<()> {
        let (key, seq) = (&event.key, event.seq);
        match &event.change {
            Change::Insert(doc) => {
                let rest = self.ready.pop_front().ok_or("an insert was not prepared")?;
                self.insert.execute(params![
                    key,
                    doc.customer_id,
                    doc.status,
                    doc.amount,
                    rest,
                    seq
                ])?;
            }
            Change::Patch(Patch::Status(status, amount)) => {
                self.set_status.execute(params![key, status, amount, seq])?;
            }
            Change::Patch(Patch::Customer(customer, amount)) => {
                self.set_customer
                    .execute(params![key, customer, amount, seq])?;
            }
            Change::Delete => {
                self.tick.execute([seq])?;
                self.delete.execute([key])?;
            }
        }
        Ok(())
    }

    /// Calls `visit` for the row, if there is one: the present row answers for all since it began, else the past does.
    fn row<T>(
        &mut self,
        key: &str,
        at: Option<u64>,
        visit: impl Fn(&rusqlite::Row<'_>) -> Outcome<T>,
    ) -> Outcome<Option<T>> {
        let Some(at) = at else {
            let mut rows = self.now.query([key])?;
            return rows.next()?.map(visit).transpose();
        };
        let mut rows = self.present_at.query(params![key, at])?;
        if let Some(row) = rows.next()? {
            return visit(row).map(Some);
        }
        let mut rows = self.past_at.query(params![key, at])?;
        match rows.next()? {
            Some(row) if row.get::<_, u64>(4)? > at => visit(row).map(Some),
            _ => Ok(None),
        }
    }
}

impl Engine for Versioned {
    fn prepare(&mut self, batch: &[Event]) -> Outcome<()> {
        self.ready = rest_texts(batch);
        Ok(())
    }

    fn load(&mut self, batch: &[Event]) -> Outcome<()> {
        self.connection.execute_batch("BEGIN IMMEDIATE")?;
        for event in batch {
            self.apply(event)?;
        }
        self.connection.execute_batch("COMMIT")?;
        Ok(())
    }

    fn get(&mut self, key: &str, at: Option<u64>) -> Outcome<Option<i64>> {
        self.row(key, at, |row| Ok(members(row)?.0))
    }

    fn holds(&mut self, key: &str, at: Option<u64>, document: Option<&[u8]>) -> Outcome<bool> {
        let found = self.row(key, at, |row| text(key, row))?;
        Ok(found == document.and_then(json))
    }

    fn lookup(&mut self, customer: &str, at: Option<u64>) -> Outcome<Tally> {
        let mut tally = Tally::default();
        let count = |row: &rusqlite::Row<'_>| {
            let (amount, bytes) = members(row)?;
            tally.add(amount, bytes);
            Ok(())
        };
        match at {
            None => each(&mut self.lookup, &[&customer], count)?,
            Some(at) => each(&mut self.lookup_at, &[&customer, &at], count)?,
        }
        Ok(tally)
    }

    fn history(&mut self, key: &str) -> Outcome<Tally> {
        let mut tally = Tally::default();
        each(&mut self.versions, &[&key], |row| {
            let (amount, bytes) = members(row)?;
            tally.add(amount, bytes);
            Ok(())
        })?;
        Ok(tally)
    }

    fn groups(&mut self, at: Option<u64>) -> Outcome<Groups> {
        match at {
            None => groups(&mut self.groups, &[]),
            Some(at) => groups(&mut self.groups_at, &[&at]),
        }
    }

    fn close(self: Box<Self>) -> Outcome<()> {
        let connection = self.connection;
        drop(self);
        close(connection)
    }
}

/// The row of a fresh process: one statement, one row, from a table made by [`open`] or by [`many`].
pub fn select_once(
    path: &Path,
    table: &str,
    key: &str,
    at: Option<u64>,
) -> Outcome<Option<String>> {
    // Not read-only, which could not recover the WAL of a killed process.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    let past = if table == "orders" { "past" } else { table };
    let sql = match at {
        None => format!("SELECT customer_id, status, amount, rest FROM {table} WHERE id = ?1"),
        Some(_) => format!(
            "SELECT * FROM (SELECT customer_id, status, amount, rest FROM {table} WHERE id = ?1 AND since <= ?2)
             UNION ALL SELECT * FROM (SELECT customer_id, status, amount, rest FROM {past}
               WHERE id = ?1 AND since <= ?2 AND until > ?2 ORDER BY since DESC LIMIT 1) LIMIT 1"
        ),
    };
    let mut statement = connection.prepare(&sql)?;
    let mut rows = match at {
        None => statement.query([key])?,
        Some(at) => statement.query(params![key, at])?,
    };
    rows.next()?.map(|row| text(key, row)).transpose()
}

/// Makes a database of `tables` tables of these orders, each with an index.
pub fn many(dir: &Path, tables: usize, batch: &[Event]) -> Outcome<()> {
    let connection = connect(dir)?;
    connection.execute_batch("BEGIN")?;
    for table in 0..tables {
        connection.execute_batch(&format!(
            "CREATE TABLE t{table} (id TEXT NOT NULL PRIMARY KEY, customer_id TEXT NOT NULL, status TEXT NOT NULL,
               amount INTEGER NOT NULL, rest TEXT NOT NULL, since INTEGER NOT NULL) WITHOUT ROWID;
             CREATE INDEX t{table}_customer ON t{table} (customer_id);"
        ))?;
        let mut insert = connection.prepare(&format!(
            "INSERT INTO t{table} VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
        ))?;
        for event in batch {
            if let Change::Insert(doc) = &event.change {
                insert.execute(params![
                    event.key,
                    doc.customer_id,
                    doc.status,
                    doc.amount,
                    doc.rest.json(),
                    event.seq
                ])?;
            }
        }
    }
    connection.execute_batch("COMMIT")?;
    close(connection)
}
