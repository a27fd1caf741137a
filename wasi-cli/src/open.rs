//! Making and opening a database in a directory, and a backup for reading. Errors name the directory, which the engine does not know.

use std::path::Path;
use std::rc::Rc;

use driftdb_core::db::{Archive, Database, Durability, MARKER, Options, Restore};
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
    if !names.is_empty() && !names.iter().any(|name| name == MARKER) {
        return Err(name(dir, not_empty()));
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
    if dir.is_file() {
        let message = format!("{} is a backup, which is only read", dir.display());
        let hint = format!(
            "driftdb restore {} -d DIR makes a database of it",
            dir.display()
        );
        return Err(Error::new(Code::ReadOnly, message).hint(hint).into());
    }
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

/// Opens for reading, which no writer hinders: a directory, or a backup where it lies.
pub fn reader(dir: &Path) -> Result<Database> {
    let store: Rc<dyn Store> = match dir.is_file() {
        true => Rc::new(archive(dir)?),
        false => Rc::new(FsStore::new(dir)),
    };
    let db = Database::open_reader(store, Options::default());
    db.map_err(|error| name(dir, error))
}

fn archive(path: &Path) -> Result<Archive> {
    let blob = FsStore::open_file(path)?;
    let blob = blob.ok_or_else(|| Error::new(Code::FileMissing, "the file is gone"))?;
    Ok(Archive::open(&path.display().to_string(), blob)?)
}

/// Begins to make a database of a backup, in a directory that is not there yet, is empty, or holds only what an unfinished restore left.
pub fn restore(dir: &Path, backup: &str) -> Result<Restore> {
    let store = FsStore::new(dir);
    let names = store.list("").map_err(|error| name(dir, error))?;
    let is_known = |name: &String| ["LOCK", "restoring", "tables", MARKER].contains(&name.as_str());
    if !names.iter().all(is_known) {
        return Err(name(dir, not_empty()));
    }
    Restore::begin(Rc::new(store), backup).map_err(|error| name(dir, error))
}

fn not_empty() -> Error {
    let error = Error::new(Code::DatabaseExists, "the directory is not empty");
    error.hint("choose a directory that does not exist yet, or is empty")
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
