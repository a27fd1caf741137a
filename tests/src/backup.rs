//! Backups as the tests use them: taken, restored, opened in place, their bytes compared.

use std::rc::Rc;

use driftdb_core::Result;
use driftdb_core::db::{Archive, Backup, Database, Restore, Restored, drive, eventline};
use driftdb_core::storage::{Access, MemoryStore, Store};

use crate::engine::{Engine, Settings};

/// What errors call a backup.
pub const NAME: &str = "the.drift";

/// All that is left of a backup.
pub fn rest(backup: &mut Backup) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    while let Some(chunk) = drive(|| backup.step())? {
        bytes.extend(chunk);
    }
    Ok(bytes)
}

/// A whole backup.
pub fn backup(db: &mut Database) -> Result<Vec<u8>> {
    let mut backup = db.backup()?;
    let size = backup.size();
    let bytes = rest(&mut backup)?;
    assert_eq!(bytes.len() as u64, size, "the size that was foretold");
    Ok(bytes)
}

/// Restores a backup in one piece.
pub fn restore(store: Rc<dyn Store>, bytes: &[u8]) -> Result<Restored> {
    restore_in(store, bytes, bytes.len().max(1))
}

/// Restores a backup in pieces.
pub fn restore_in(store: Rc<dyn Store>, bytes: &[u8], piece: usize) -> Result<Restored> {
    let mut restore = Restore::begin(store, NAME)?;
    bytes
        .chunks(piece)
        .try_for_each(|piece| restore.push(piece))?;
    restore.finish()
}

/// A backup as a store to read from.
pub fn archive(bytes: &[u8]) -> Result<Archive> {
    let file = MemoryStore::new();
    file.put(NAME, bytes);
    let blob = file.open(NAME, Access::Read)?;
    Archive::open(
        NAME,
        blob.unwrap_or_else(|| panic!("the file was just written")),
    )
}

/// A backup, opened in place.
pub fn in_place(bytes: &[u8], settings: &Settings) -> Result<Engine> {
    let db = Database::open_reader(Rc::new(archive(bytes)?), settings.clone())?;
    Ok(Engine::of_reader(db))
}

/// The whole history as event lines.
pub fn dump(db: &mut Database) -> Result<String> {
    let (mut lines, mut text) = (db.dump()?, String::new());
    while let Some(line) = drive(|| lines.step())? {
        eventline::write(&line, &mut text);
        text.push('\n');
    }
    Ok(text)
}
