//! The engine as the tests use it: statements as text, rows as JSON documents.

use std::path::Path;
use std::rc::Rc;

use driftdb_cli::store::FsStore;
use driftdb_core::db::{Context, Database, Options, Outcome};
use driftdb_core::time::{Point, Timestamp};
use driftdb_core::value::{Key as EngineKey, Object, Value as EngineValue};
use driftdb_core::{Code, Error, Result, ql};
use driftdb_wasm::container::Container;
use serde_json::Value;

use crate::fault::Mount;
use crate::oracle::{Doc, Key, Write, text};

/// How a database is opened.
pub type Settings = Options;

/// Options under which every piece of machinery runs within a few dozen events.
pub fn small() -> Settings {
    Options {
        segment_bytes: 2048,
        snapshot_events: 25,
        memtable_events: 8,
        merge_fan: 2,
        cache_bytes: 64 << 10,
        delta_bytes: 2 << 10,
        replay_events_max: 4,
        ..Options::default()
    }
}

/// An open database.
pub struct Engine {
    /// The database.
    pub db: Database,
    container: Option<Container>,
    reads_only: bool,
}

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
    matches!(
        code,
        Io | StorageFull | PermissionDenied | Latched | Conflict | FileMissing | Corrupt
    )
}

impl Engine {
    /// Makes a database.
    pub fn create(store: &impl Mount, now: u64) -> Result<()> {
        let (store, _) = store.mount()?;
        Database::create(&*store, Timestamp(now))
    }

    /// Opens it for writing.
    pub fn open(store: &impl Mount, settings: &Settings) -> Result<Engine> {
        let (store, container) = store.mount()?;
        let db = Database::open(store, settings.clone())?;
        Ok(Engine {
            db,
            container,
            reads_only: false,
        })
    }

    /// Opens it for reading.
    pub fn open_reader(store: &impl Mount, settings: &Settings) -> Result<Engine> {
        let (store, container) = store.mount()?;
        let db = Database::open_reader(store, settings.clone())?;
        Ok(Engine {
            db,
            container,
            reads_only: true,
        })
    }

    /// Makes a database in a directory.
    pub fn create_dir(dir: &Path, now: u64) -> Result<()> {
        Database::create(&FsStore::new(dir), Timestamp(now))
    }

    /// Opens a directory for writing.
    pub fn open_dir(dir: &Path, settings: &Settings) -> Result<Engine> {
        let db = Database::open(Rc::new(FsStore::new(dir)), settings.clone())?;
        Ok(Engine {
            db,
            container: None,
            reads_only: false,
        })
    }

    /// Opens a directory for reading.
    pub fn open_reader_dir(dir: &Path, settings: &Settings) -> Result<Engine> {
        let db = Database::open_reader(Rc::new(FsStore::new(dir)), settings.clone())?;
        Ok(Engine {
            db,
            container: None,
            reads_only: true,
        })
    }

    /// A database that somebody else has opened for reading.
    pub fn of_reader(db: Database) -> Engine {
        Engine {
            db,
            container: None,
            reads_only: true,
        }
    }

    /// Closes it.
    pub fn close(self) -> Result<()> {
        self.db.close()?;
        match self.container {
            Some(container) if !self.reads_only => container.close(),
            _ => Ok(()),
        }
    }

    /// The last committed event's seq and time. A reader looks at all tables first.
    pub fn head(&mut self) -> Result<(u64, u64)> {
        if self.reads_only {
            for table in self.db.tables()? {
                self.db.view(&table, None)?;
            }
        }
        let (seq, time) = self.db.head();
        Ok((seq.0, time.0))
    }

    /// The names of the tables.
    pub fn tables(&mut self) -> Result<Vec<String>> {
        self.db.tables()
    }

    /// Does all maintenance that is due.
    pub fn maintain(&mut self) -> Result<()> {
        while self.db.maintain(8)? {}
        Ok(())
    }

    /// Runs statements; the outcome of the last.
    pub fn run(&mut self, statements: &str, clock: u64) -> Result<Outcome> {
        let mut last = Outcome::Done(String::new());
        for statement in ql::parse(statements)? {
            let context = Context::at(Timestamp(clock));
            last = match self.db.run(&statement, &ql::Params::none(), &context)? {
                Outcome::Work(work) => Outcome::Done(self.db.finish(work)?),
                outcome => outcome,
            };
        }
        Ok(last)
    }

    /// Runs a statement that writes; how many events it wrote.
    pub fn statement(&mut self, statement: &str, clock: u64) -> Result<u64> {
        match self.run(statement, clock)? {
            Outcome::Written(written) => Ok(written.events),
            _ => Ok(0),
        }
    }

    /// Runs BEGIN and the statements, whose answers must be these.
    pub fn transaction_up_to_commit(
        &mut self,
        writes: &[Write],
        meta: Option<&Doc>,
        answers: &[Result<u64, Code>],
        clock: u64,
    ) -> Result<(), Failure> {
        let begin = match meta {
            Some(meta) => format!("BEGIN WITH {}", text(meta)),
            None => "BEGIN".to_string(),
        };
        self.statement(&begin, clock).map_err(Failure::Storage)?;
        for (write, expected) in writes.iter().zip(answers) {
            let answer = match self.statement(&write.to_string(), clock) {
                Err(error) if is_storage(error.code()) => return Err(Failure::Storage(error)),
                answer => answer.map_err(|error| error.code()),
            };
            if answer != *expected {
                let what = format!("{write}: answered {answer:?}, expected {expected:?}");
                return Err(Failure::Differs(what));
            }
        }
        Ok(())
    }

    /// Ends a transaction; how many events it wrote.
    pub fn end_transaction(&mut self, commit: bool, clock: u64) -> Result<u64> {
        self.statement(if commit { "COMMIT" } else { "ROLLBACK" }, clock)
    }

    /// The rows of a query.
    pub fn rows(&mut self, query: &str) -> Result<Vec<Doc>> {
        let Outcome::Rows(mut rows) = self.run(query, 0)? else {
            return Err(Error::new(
                Code::Unsupported,
                "the statement answers no rows",
            ));
        };
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            all.push(doc_of(&row));
        }
        Ok(all)
    }

    /// The row of a key at a point, through the typed API.
    pub fn get(&mut self, table: &str, key: &Key, at: Option<&str>) -> Result<Option<Doc>> {
        let at = at.map(Point::parse).transpose()?;
        let Some(row) = self.db.get(table, &engine_key(key), at)? else {
            return Ok(None);
        };
        let bytes = row.document();
        let raw = driftdb_core::value::ObjectRef::new(&bytes);
        Ok(raw.map(|object| doc_of(&object.to_object())))
    }

    /// SHOW DRIFT as one text an event: seq, time, event, metadata and the row after it.
    pub fn history(&mut self, query: &str) -> Result<Vec<String>> {
        let rows = self.rows(query)?;
        let line = |row: &Doc| {
            let field = |name: &str| row.get(name).unwrap_or(&Value::Null).to_string();
            let names = ["seq", "time", "event", "by", "why", "meta", "row"];
            names.map(field).join(" ")
        };
        Ok(rows.iter().map(line).collect())
    }
}

fn engine_key(key: &Key) -> EngineKey {
    match key {
        Key::Str(text) => EngineKey::Str(text.clone()),
        Key::Int(number) => match i64::try_from(*number) {
            Ok(number) => EngineKey::Int(number),
            Err(_) => EngineKey::UInt(u64::try_from(*number).unwrap_or(u64::MAX)),
        },
    }
}

/// A document of the engine as one of the model.
pub fn doc_of(object: &Object) -> Doc {
    object
        .iter()
        .map(|(name, value)| (name.to_string(), value_of(value)))
        .collect()
}

fn value_of(value: &EngineValue) -> Value {
    match value {
        EngineValue::Null => Value::Null,
        EngineValue::Bool(value) => Value::from(*value),
        EngineValue::Int(value) => Value::from(*value),
        EngineValue::UInt(value) => Value::from(*value),
        EngineValue::Float(value) => Value::from(*value),
        EngineValue::Str(value) => Value::from(value.as_str()),
        EngineValue::Array(values) => values.iter().map(value_of).collect(),
        EngineValue::Object(object) => Value::Object(doc_of(object)),
    }
}
