//! The engine as the tests use it: statements as text, rows as JSON documents.

use std::rc::Rc;

use driftdb_core::db::{Context, Database, Options, Outcome};
use driftdb_core::ql;
use driftdb_core::storage::Store;
use driftdb_core::time::{Point, Timestamp};
use driftdb_core::value::{Key as EngineKey, Value as EngineValue};
use driftdb_core::{Code, Error, Result};

use crate::oracle::{Doc, Key, Write, text};

/// How a database is opened.
pub type Settings = Options;

/// Options under which every piece of machinery runs within a few dozen events.
pub fn small() -> Settings {
    Options { segment_bytes: 2048, snapshot_events: 25, memtable_events: 8, ..Options::default() }
}

/// An open database.
pub struct Engine(pub Database);

/// Why a transaction did not reach its end.
pub enum Failure {
    /// The storage failed.
    Storage(Error),
    /// A statement answered otherwise than the oracle.
    Differs(String),
}

/// Whether an error is the storage's and not the statement's.
pub fn is_storage(code: Code) -> bool {
    use Code::*;
    matches!(code, Io | StorageFull | PermissionDenied | Latched | Conflict | FileMissing | Corrupt)
}

impl Engine {
    /// Makes a database.
    pub fn create<S: Store + Clone + 'static>(store: &S, now: u64) -> Result<()> {
        Database::create(Rc::new(store.clone()), Timestamp(now))
    }

    /// Opens it for writing.
    pub fn open<S: Store + Clone + 'static>(store: &S, settings: &Settings) -> Result<Engine> {
        Database::open(Rc::new(store.clone()), settings.clone()).map(Engine)
    }

    /// Opens it for reading.
    pub fn open_reader<S: Store + Clone + 'static>(store: &S, settings: &Settings) -> Result<Engine> {
        Database::open_reader(Rc::new(store.clone()), settings.clone()).map(Engine)
    }

    /// Closes it.
    pub fn close(self) -> Result<()> {
        self.0.close()
    }

    /// Runs one statement.
    pub fn run(&mut self, statement: &str, clock: u64) -> Result<Outcome> {
        let mut last = Outcome::Done(String::new());
        for statement in ql::parse(statement)? {
            let context = Context { now: Timestamp(clock), meta: None };
            last = self.0.run(&statement, &ql::Params::default(), &context)?;
        }
        Ok(last)
    }
}
