//! Making and opening a database in a directory. Errors name the directory, which the engine does not know.

use std::path::Path;
use std::rc::Rc;

use driftdb_core::db::{Database, Durability, Options};
use driftdb_core::storage::Store;
use driftdb_core::time::Timestamp;
use driftdb_core::{Code, Error};

use crate::args::{DurabilityLevel, Lock};
use crate::errors::{Failure, Result};
use crate::store::FsStore;

/// Makes an empty database in a directory that is not there yet or empty.
pub fn create(dir: &Path, now: Timestamp) -> Result<()> {
    let store = FsStore::new(dir);
    let names = store.list("").map_err(|error| name(dir, error))?;
    if !names.is_empty() && !names.iter().any(|name| name == driftdb_core::db::MARKER) {
        let error = Error::new(Code::DatabaseExists, "the directory is not empty");
        let error = error.hint("choose a directory that does not exist yet, or is empty");
        return Err(name(dir, error));
    }
    Database::create(&store, now).map_err(|error| name(dir, error))
}

/// What an import, which seldom reads what it has written, keeps of index blocks in memory.
const IMPORT_CACHE_BYTES: usize = 16 << 20;

/// Opens for writing, and says what recovery cut off.
pub fn writer(dir: &Path, lock: &Lock, durability: DurabilityLevel) -> Result<Database> {
    open(dir, lock, durability, Options::default())
}

/// The same for an import of any size.
pub fn importer(dir: &Path, lock: &Lock, durability: DurabilityLevel) -> Result<Database> {
    let options = Options {
        cache_bytes: IMPORT_CACHE_BYTES,
        ..Options::default()
    };
    open(dir, lock, durability, options)
}

fn open(
    dir: &Path,
    lock: &Lock,
    durability: DurabilityLevel,
    options: Options,
) -> Result<Database> {
    let durability = match durability {
        DurabilityLevel::Commit => Durability::Commit,
        DurabilityLevel::Batch => Durability::Batch,
    };
    let options = Options {
        durability,
        ..options
    };
    let db = Database::open(
        Rc::new(FsStore::new(dir).break_lock(lock.break_lock)),
        options,
    );
    let db = db.map_err(|error| name(dir, error))?;
    for (table, bytes) in &db.report().torn {
        anstream::eprintln!(
            "note: table {table}: the last write had not been finished; {bytes} bytes of it were cut off"
        );
    }
    Ok(db)
}

/// Opens for reading, which no writer hinders.
pub fn reader(dir: &Path) -> Result<Database> {
    let db = Database::open_reader(Rc::new(FsStore::new(dir)), Options::default());
    db.map_err(|error| name(dir, error))
}

/// The error with the directory in front.
fn name(dir: &Path, error: Error) -> Failure {
    if !matches!(
        error.code(),
        Code::NotADatabase | Code::DatabaseExists | Code::NewerFormat | Code::Busy
    ) {
        return error.into();
    }
    let named = Error::new(error.code(), format!("{}: {error}", dir.display()));
    match (error.hint_text(), error.code()) {
        (Some(hint), _) => named.hint(hint).into(),
        (None, Code::NotADatabase) => {
            let hint = format!("driftdb init {} makes one", dir.display());
            named.hint(hint).into()
        }
        (None, _) => named.into(),
    }
}
