//! Creating, opening and closing a database.

use crate::flat::{FlatMap, FlatSet};
use alloc::format;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;

use super::group::Group;
use super::{Database, Durability, Options, marker};
use crate::error::{Code, Error, Result};
use crate::log::{Journal, Mode, Part, Record};
use crate::sorted::BlockCache;
use crate::storage::{Latch, Store};
use crate::table::{Env, Table, name};
use crate::time::{Seq, Timestamp};

/// The directory that holds a directory for each table.
pub(super) const TABLES: &str = "tables";

/// What opening a database found and did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Per table whose last append was unfinished: how many bytes of it were cut. Nothing that was acknowledged is among them.
    pub torn: Vec<(String, u64)>,
    /// Per table: bytes of committed transactions that the journal had and the log lacked.
    pub restored: Vec<(String, u64)>,
}

impl Database {
    /// Makes an empty database.
    ///
    /// # Errors
    /// `Code::DatabaseExists`; those of the store.
    pub fn create(store: &dyn Store, now: Timestamp) -> Result<()> {
        if store.read(marker::MARKER)?.is_some() {
            return Err(Error::new(
                Code::DatabaseExists,
                "there is a database here already",
            ));
        }
        // A restore that was given up may have left directories.
        if !super::backup::files_of_tables(store)?.is_empty() {
            let error = Error::new(
                Code::NotADatabase,
                "there are tables here, but no drift.json",
            );
            return Err(error.hint("put drift.json back, or choose an empty directory"));
        }
        store.replace(marker::MARKER, marker::write(now).as_bytes())?;
        Ok(())
    }

    /// Opens a database for writing: takes the lock, recovers what a crash left.
    ///
    /// # Errors
    /// `Code::Busy` if another writer has it open; `Code::NotADatabase`, `Code::NewerFormat`, `Code::Corrupt`; those of the store.
    pub fn open(store: Rc<dyn Store>, options: Options) -> Result<Database> {
        marker::check(&*store)?;
        let latch = Rc::new(Latch::new(store.lock()?));
        let (journal, records) = Journal::open(store.clone(), Mode::Write(latch.clone()))?;
        let mut db = Database::assemble(store, Some(latch), options, journal);
        for name in db.table_names()? {
            let parts = parts_of(&records, &name);
            let Some((table, recovery)) = Table::open(db.env.clone(), &name, &parts)? else {
                continue;
            };
            if recovery.torn_bytes > 0 {
                db.report.torn.push((name.clone(), recovery.torn_bytes));
            }
            if recovery.restored_bytes > 0 {
                db.report
                    .restored
                    .push((name.clone(), recovery.restored_bytes));
            }
            db.raise_head(&table);
            db.tables.insert(name, table);
        }
        for part in records.iter().flat_map(|record| &record.parts) {
            if !db.tables.values().any(|table| table.dir() == part.dir) {
                return Err(Error::new(
                    Code::Corrupt,
                    format!(
                        "the journal has a transaction for {}, which is not there",
                        part.dir
                    ),
                )
                .in_file("journal", None));
            }
        }
        for table in db.tables.values_mut() {
            table.sync()?;
            // Whatever survived is durable now; the next batch says anew from where commits are relaxed.
            table.set_relaxed(false)?;
        }
        db.journal.retire()?;
        Ok(db)
    }

    /// Opens a database for reading. A writer, in this process or another, may have it open and go on; each statement sees what was
    /// committed when it started.
    ///
    /// # Errors
    /// `Code::NotADatabase`, `Code::NewerFormat`, `Code::Corrupt`; those of the store.
    pub fn open_reader(store: Rc<dyn Store>, options: Options) -> Result<Database> {
        marker::check(&*store)?;
        let (journal, _) = Journal::open(store.clone(), Mode::Read)?;
        Ok(Database::assemble(store, None, options, journal))
    }

    fn assemble(
        store: Rc<dyn Store>,
        latch: Option<Rc<Latch>>,
        options: Options,
        journal: Journal,
    ) -> Database {
        let cache = BlockCache::new(options.cache_bytes);
        let durability = options.durability;
        Database {
            env: Rc::new(Env {
                store,
                latch,
                options,
                cache,
            }),
            tables: FlatMap::new(),
            looked: FlatMap::new(),
            journal,
            journaled: FlatSet::new(),
            head: (Seq(0), Timestamp(0)),
            pending: None,
            durability,
            group: Group::default(),
            unsynced: None,
            report: super::Report::default(),
            touched: None,
            buffers: super::Buffers::default(),
        }
    }

    /// The names of all tables, in order of their file names.
    pub(super) fn table_names(&self) -> Result<Vec<String>> {
        Ok(self
            .env
            .store
            .list(TABLES)?
            .iter()
            .filter_map(|file| name::unescape(file))
            .collect())
    }

    pub(super) fn raise_head(&mut self, table: &Table) {
        let head = table.head();
        self.head = (self.head.0.max(head.seq), self.head.1.max(head.time));
    }

    /// Closes the database: an open transaction is rolled back, due maintenance is done, everything is on stable storage, the logs are trimmed.
    /// Dropping a database without closing it loses nothing that was acknowledged; the next open has more to do.
    pub fn close(mut self) -> Result<()> {
        self.rollback();
        if !self.env.writes() {
            return Ok(());
        }
        self.set_durability(Durability::Commit)?;
        self.retire_journal()?;
        for table in self.tables.values_mut() {
            table.close()?;
        }
        Ok(())
    }
}

/// What the journal holds for a table.
pub(super) fn parts_of(records: &[Record], table: &str) -> Vec<Part> {
    let dir = crate::table::dir_of(table);
    records
        .iter()
        .flat_map(|record| &record.parts)
        .filter(|part| part.dir == dir)
        .cloned()
        .collect()
}
