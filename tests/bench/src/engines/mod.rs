//! What every engine under measure can do, behind one trait.

use crate::workload::Event;
use std::collections::BTreeMap;
use std::path::Path;

pub mod driftdb;
pub mod memory;
pub mod redb;
pub mod sqlite;
pub mod sqlite_events;
pub mod sqlite_versioned;

/// Any failure ends the run with its text.
pub type Failure = Box<dyn std::error::Error>;
/// An answer, or why there is none.
pub type Outcome<T> = Result<T, Failure>;

/// Every engine caches as much.
pub const CACHE_BYTES: usize = 64 << 20;

/// What rows add up to: a read that returns it has looked at each row.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// How many rows or versions.
    pub rows: u64,
    /// The sum of their amounts.
    pub amount: i64,
    /// The bytes of all their documents, where an engine holds documents; 0 elsewhere. Not compared.
    pub bytes: u64,
}

impl Tally {
    /// Counts one row.
    pub fn add(&mut self, amount: i64, bytes: usize) {
        self.rows += 1;
        self.amount += amount;
        self.bytes += bytes as u64;
    }

    /// Whether two engines saw the same rows.
    pub fn agrees(&self, other: &Tally) -> bool {
        self.rows == other.rows && self.amount == other.amount
    }
}

/// Rows and the sum of amounts by status.
pub type Groups = BTreeMap<String, (u64, i64)>;

/// One engine, loaded from the workload, read at the present (`at` is None) or as of a seq.
pub trait Engine {
    /// Turns the documents of a batch into the form that an application would hold them in; not timed.
    fn prepare(&mut self, _batch: &[Event]) -> Outcome<()> {
        Ok(())
    }
    /// Makes these events, which were prepared, one durable transaction, in order.
    fn load(&mut self, batch: &[Event]) -> Outcome<()>;
    /// Reads a row with all its members; answers its amount.
    fn get(&mut self, key: &str, at: Option<u64>) -> Outcome<Option<i64>>;
    /// Whether the row is exactly this document (as msgpack), or missing.
    fn holds(&mut self, key: &str, at: Option<u64>, document: Option<&[u8]>) -> Outcome<bool>;
    /// Reads all live rows of a customer with all their members.
    fn lookup(&mut self, customer: &str, at: Option<u64>) -> Outcome<Tally>;
    /// Reads all versions of a row that hold a document.
    fn history(&mut self, key: &str) -> Outcome<Tally>;
    /// `SELECT status, COUNT(*), SUM(amount) .. GROUP BY status`.
    fn groups(&mut self, at: Option<u64>) -> Outcome<Groups>;
    /// Finishes what is due and closes.
    fn close(self: Box<Self>) -> Outcome<()>;
}

/// A way to make and to open an engine's database.
#[derive(Clone, Copy)]
pub struct Kind {
    /// As the report calls it.
    pub name: &'static str,
    /// Opens the database in an existing directory, or makes it there.
    pub open: fn(&Path) -> Outcome<Box<dyn Engine>>,
}

/// The engines on disk, by name.
pub fn all() -> Vec<Kind> {
    vec![
        Kind {
            name: "driftdb",
            open: driftdb::open,
        },
        Kind {
            name: "sqlite versioned",
            open: |dir| sqlite_versioned::open(dir, sqlite_versioned::Rows::ByKey),
        },
        Kind {
            name: "sqlite versioned rowid",
            open: |dir| sqlite_versioned::open(dir, sqlite_versioned::Rows::ByRowid),
        },
        Kind {
            name: "sqlite events",
            open: sqlite_events::open,
        },
        Kind {
            name: "redb",
            open: redb::open,
        },
    ]
}
