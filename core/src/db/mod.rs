//! The database: tables under one counter and one clock, opened, written in transactions, asked at any point.

mod backup;
mod catalog;
mod commit;
mod describe;
mod diff;
mod drift;
mod dump;
pub mod eventline;
mod group;
mod history;
mod marker;
mod open;
mod pin;
mod rows;
mod run;
mod source;
mod spill;
mod timeline;
mod transaction;
mod verify;
mod watch;
mod write;

use crate::flat::{FlatMap, FlatSet};
use alloc::rc::Rc;
use alloc::string::String;

pub use crate::options::{Durability, Options};
pub use crate::table::{Answered, Request, Row, Schema, Step, View, drive};
pub use backup::{Archive, Backup, Restore, Restored};
pub use dump::{Dump, Loader};
pub use marker::{FORMAT, MARKER};
pub use open::Report;
pub use rows::Rows;
pub use run::{Context, Outcome, Work};
pub use timeline::{Axis, Timeline};
pub use transaction::Written;
pub use verify::{Finding, Verified, Verify};
pub use watch::{Keys, Reads, Touched};

use crate::log::Journal;
use crate::storage::LockState;
use crate::table::{Env, Table};
use crate::time::{Seq, Timestamp};
use group::Group;
use transaction::Pending;
use write::Buffers;

/// An open database: the one writer, or one of any number of readers.
///
/// ```
/// use std::rc::Rc;
/// use driftdb_core::db::{Context, Database, Options, Outcome};
/// use driftdb_core::{ql, storage::MemoryStore, time::Timestamp};
///
/// let store = Rc::new(MemoryStore::default());
/// Database::create(&*store, Timestamp(0))?;
/// let mut db = Database::open(store, Options::default())?;
/// let context = Context::at(Timestamp(1_000));
/// for statement in ql::parse(r#"CREATE TABLE t (pk=id); INSERT INTO t {"id": 1, "a": 2}; PATCH t KEY 1 SET {"a": 3}"#)? {
///     db.run(&statement, &ql::Params::none(), &context)?;
/// }
/// let select = &ql::parse("SELECT a FROM t AS OF '@seq:1'")?[0];
/// let Outcome::Rows(mut rows) = db.run(select, &ql::Params::none(), &context)? else { unreachable!() };
/// assert_eq!(rows.next()?.unwrap().get("a").and_then(|a| a.as_i64()), Some(2));
/// # Ok::<(), driftdb_core::Error>(())
/// ```
pub struct Database {
    env: Rc<Env>,
    tables: FlatMap<String, Table>,
    /// Of a reader: under which free lock a table was looked at last. While the lock stays so, the table does.
    looked: FlatMap<String, LockState>,
    journal: Journal,
    /// Tables whose logs hold frames that only the journal makes durable.
    journaled: FlatSet<String>,
    /// The last committed event.
    head: (Seq, Timestamp),
    /// The transaction that is open.
    pending: Option<Pending>,
    durability: Durability,
    /// Commits that have not been written yet, under a weaker durability.
    group: Group,
    /// The table whose log was written last and is not synced yet.
    unsynced: Option<String>,
    report: Report,
    /// What commits have changed, where that is asked for.
    touched: Option<Touched>,
    buffers: Buffers,
}

impl Database {
    /// The last committed event's seq and time; 0 for an empty database.
    pub fn head(&self) -> (Seq, Timestamp) {
        self.head
    }

    /// What opening found and did.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Whether a transaction is open.
    pub fn in_transaction(&self) -> bool {
        self.pending.as_ref().is_some_and(Pending::is_explicit)
    }
}
