//! `driftdb restore`: makes a database of a backup.

use std::fs;
use std::path::Path;

use driftdb_core::db::Restored;

use crate::args::{DurabilityLevel, Lock, Restore};
use crate::errors::Result;
use crate::input::Source;
use crate::progress::Progress;
use crate::{interrupt, open};

/// Writes the database, opens it once, which makes its indexes, and says up to which moment it goes.
pub fn run(command: Restore) -> Result<()> {
    let dir = command.dir.as_path();
    let existed = dir.exists();
    let source = Source::open(&command.file)?;
    let restored = match read(source, dir) {
        Err(failure) => {
            remove_empty(dir, existed);
            return Err(failure);
        }
        restored => restored?,
    };
    open::writer(dir, &Lock::default(), DurabilityLevel::Commit)?.close()?;
    let moment = super::moment(restored.seq, restored.time);
    anstream::println!("restored into {}: {moment}", dir.display());
    Ok(())
}

fn read(mut source: Source, dir: &Path) -> Result<Restored> {
    let mut restore = open::restore(dir, source.name())?;
    let mut progress = Progress::new("MiB", source.size());
    loop {
        interrupt::check()?;
        let bytes = source.fill()?;
        if bytes.is_empty() {
            return Ok(restore.finish()?);
        }
        restore.push(bytes)?;
        let count = bytes.len();
        source.consume(count);
        progress.update(source.bytes(), source.bytes() >> 20);
    }
}

/// The restore has removed its files: removes the directories too, as far as there is nothing in them.
fn remove_empty(dir: &Path, existed: bool) {
    let below = |dir: &Path| {
        let entries = fs::read_dir(dir).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect::<Vec<_>>()
    };
    let tables = dir.join("tables");
    for table in below(&tables) {
        let _ = fs::remove_dir(table.join("segments"));
        let _ = fs::remove_dir(table);
    }
    let _ = fs::remove_dir(tables);
    let lock = dir.join("LOCK");
    if !existed && below(dir) == [lock.clone()] {
        let _ = fs::remove_file(lock);
        let _ = fs::remove_dir(dir);
    }
}
