//! SQLite, one table of events with the row after each: the schema that loads fastest.

use super::sqlite::{close, connect, each, groups, members, rest_texts, text};
use super::{Engine, Groups, Outcome, Tally};
use crate::document::{Patch, json};
use crate::workload::{Change, Event};
use rusqlite::{Connection, Row, Statement, params};
use std::collections::VecDeque;
use std::path::Path;

// live is 0 for a deletion, whose other members are empty.
const TABLES: &str = "
CREATE TABLE IF NOT EXISTS events (
  seq INTEGER PRIMARY KEY, id TEXT NOT NULL, live INTEGER NOT NULL, customer_id TEXT, status TEXT,
  amount INTEGER, rest TEXT);
CREATE INDEX IF NOT EXISTS events_id ON events (id, seq, live, status, amount);
CREATE INDEX IF NOT EXISTS events_customer ON events (customer_id, id, seq);
";

struct Events {
    connection: &'static Connection,
    /// JSON texts of the inserts to come.
    ready: VecDeque<String>,
    insert: Statement<'static>,
    set_status: Statement<'static>,
    set_customer: Statement<'static>,
    delete: Statement<'static>,
    row: Statement<'static>,
    lookup: Statement<'static>,
    versions: Statement<'static>,
    groups: Statement<'static>,
}

/// Opens or makes the database.
pub fn open(dir: &Path) -> Outcome<Box<dyn Engine>> {
    let connection = connect(dir)?;
    connection.execute_batch(TABLES)?;
    let prepare = |sql: &str| connection.prepare(sql);
    Ok(Box::new(Events {
        connection,
        ready: VecDeque::new(),
        insert: prepare("INSERT INTO events VALUES (?1, ?2, 1, ?3, ?4, ?5, ?6)")?,
        set_status: prepare(
            "INSERT INTO events SELECT ?1, id, 1, customer_id, ?3, ?4, rest FROM events
             WHERE id = ?2 ORDER BY seq DESC LIMIT 1",
        )?,
        set_customer: prepare(
            "INSERT INTO events SELECT ?1, id, 1, ?3, status, ?4, rest FROM events
             WHERE id = ?2 ORDER BY seq DESC LIMIT 1",
        )?,
        delete: prepare("INSERT INTO events (seq, id, live) VALUES (?1, ?2, 0)")?,
        row: prepare(
            "SELECT customer_id, status, amount, rest, live FROM events
             WHERE id = ?1 AND seq <= ?2 ORDER BY seq DESC LIMIT 1",
        )?,
        // Several events of one row may name the customer: the newest of the row's events decides.
        lookup: prepare(
            "SELECT customer_id, status, amount, rest FROM events AS e
             WHERE customer_id = ?1 AND seq <= ?2 AND NOT EXISTS (
               SELECT 1 FROM events AS newer WHERE newer.id = e.id AND newer.seq > e.seq AND newer.seq <= ?2)",
        )?,
        versions: prepare("SELECT customer_id, status, amount, rest FROM events WHERE id = ?1 AND live = 1")?,
        // Beside max(), the other members are those of the row that has it.
        groups: prepare(
            "SELECT status, count(*), sum(amount) FROM (
               SELECT id, max(seq), live, status, amount FROM events WHERE seq <= ?1 GROUP BY id)
             WHERE live = 1 GROUP BY status",
        )?,
    }))
}

/// The present is as of the last seq there can be.
fn seq(at: Option<u64>) -> i64 {
    at.map_or(i64::MAX, |at| i64::try_from(at).unwrap_or(i64::MAX))
}

impl Events {
    fn apply(&mut self, event: &Event) -> Outcome<()> {
        let (key, seq) = (&event.key, event.seq);
        match &event.change {
            Change::Insert(doc) => {
                let rest = self.ready.pop_front().ok_or("an insert was not prepared")?;
                self.insert.execute(params![
                    seq,
                    key,
                    doc.customer_id,
                    doc.status,
                    doc.amount,
                    rest
                ])?;
            }
            Change::Patch(Patch::Status(status, amount)) => {
                self.set_status.execute(params![seq, key, status, amount])?;
            }
            Change::Patch(Patch::Customer(customer, amount)) => {
                self.set_customer
                    .execute(params![seq, key, customer, amount])?;
            }
            Change::Delete => {
                self.delete.execute(params![seq, key])?;
            }
        }
        Ok(())
    }

    fn row<T>(
        &mut self,
        key: &str,
        at: Option<u64>,
        visit: impl Fn(&Row<'_>) -> Outcome<T>,
    ) -> Outcome<Option<T>> {
        let mut rows = self.row.query(params![key, seq(at)])?;
        match rows.next()? {
            Some(row) if row.get_ref(4)?.as_i64()? == 1 => visit(row).map(Some),
            _ => Ok(None),
        }
    }
}

impl Engine for Events {
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
        each(&mut self.lookup, &[&customer, &seq(at)], |row| {
            let (amount, bytes) = members(row)?;
            tally.add(amount, bytes);
            Ok(())
        })?;
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
        groups(&mut self.groups, &[&seq(at)])
    }

    fn close(self: Box<Self>) -> Outcome<()> {
        let connection = self.connection;
        drop(self);
        close(connection)
    }
}
