//! The writer's lock: an exclusive file lock on LOCK, which holds the writer's epoch as decimal text. The system frees it when the process
//! ends, however it ends.
//!
//! Where the platform has no file locks (WASI), the lock is a second file, `LOCK.held`, created exclusively and removed at the end. If a
//! process dies there, the file stays: remove it by hand when no writer runs.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use driftdb_core::storage::Lock;
use driftdb_core::{Code, Error, Result};

use super::error::Context;
use super::paths;
use super::pool::read_at;

/// The lock's file.
pub const LOCK: &str = "LOCK";
const HELD: &str = "LOCK.held";
/// A reader that asks whether there is a writer holds the lock for a moment; a writer tries again before it gives up.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(1);
/// An epoch has at most 20 digits and a newline.
const EPOCH_BYTES: usize = 24;

/// The lock, held.
pub struct FsLock {
    file: File,
    epoch: u64,
    text: Vec<u8>,
    held: Option<PathBuf>,
}

impl FsLock {
    /// Takes the lock and writes the next epoch.
    pub fn take(root: &Path) -> Result<FsLock> {
        let mut file = open_file(root).context(LOCK)?;
        let held = acquire(root, &file)?;
        let epoch = read_epoch(&mut file).context(LOCK)?.saturating_add(1);
        let text = format!("{epoch}\n").into_bytes();
        write_epoch(&mut file, &text).context(LOCK)?;
        Ok(FsLock {
            file,
            epoch,
            text,
            held,
        })
    }
}

impl Lock for FsLock {
    fn epoch(&self) -> u64 {
        self.epoch
    }

    fn check(&self) -> Result<()> {
        let mut bytes = [0; EPOCH_BYTES];
        let count = read_at(&self.file, 0, &mut bytes).context(LOCK)?;
        match bytes.get(..count) == Some(self.text.as_slice()) {
            true => Ok(()),
            false => Err(
                Error::new(Code::Conflict, "another writer has taken the lock").in_file(LOCK, None),
            ),
        }
    }
}

impl Drop for FsLock {
    fn drop(&mut self) {
        if let Some(held) = &self.held {
            // The worst that a failure leaves is a lock that has to be removed by hand.
            let _ = fs::remove_file(held);
        }
    }
}

/// Takes the lock; the path of the file that stands for it where there are no file locks.
fn acquire(root: &Path, file: &File) -> Result<Option<PathBuf>> {
    for _ in 0..TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(None),
            Err(TryLockError::WouldBlock) => std::thread::sleep(PAUSE),
            Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => {
                return acquire_held(root).map(Some);
            }
            Err(TryLockError::Error(error)) => return Err(error).context(LOCK),
        }
    }
    Err(busy())
}

fn acquire_held(root: &Path) -> Result<PathBuf> {
    let held = root.join(HELD);
    match File::create_new(&held) {
        Ok(_) => Ok(held),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            Err(busy().hint("this platform has no file locks: if no writer runs, remove LOCK.held from the database's directory"))
        }
        Err(error) => Err(error).context(HELD),
    }
}

fn busy() -> Error {
    Error::new(Code::Busy, "the database is open for writing elsewhere")
}

/// Whether a writer holds the lock.
pub fn is_locked(root: &Path) -> Result<bool> {
    let file = match File::open(root.join(LOCK)) {
        Err(error) if paths::is_absent(&error) => return Ok(false),
        file => file.context(LOCK)?,
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => {
            Ok(root.join(HELD).exists())
        }
        Err(TryLockError::Error(error)) => Err(error).context(LOCK),
    }
}

/// The epoch that was written last; 0 for none.
fn read_epoch(file: &mut File) -> io::Result<u64> {
    let mut text = String::new();
    match file.take(EPOCH_BYTES as u64).read_to_string(&mut text) {
        Err(error) if error.kind() != ErrorKind::InvalidData => Err(error),
        _ => Ok(text.trim().parse().unwrap_or(0)),
    }
}

/// Writes over the epoch before, which has at most as many digits.
fn write_epoch(file: &mut File, text: &[u8]) -> io::Result<()> {
    file.seek(SeekFrom::Start(0))?;
    file.write_all(text)?;
    file.set_len(text.len() as u64)
}

/// Opens the lock's file, creating it and the directory; the directory's name is durable then.
fn open_file(root: &Path) -> io::Result<File> {
    let path = root.join(LOCK);
    if !root.is_dir() {
        for dir in paths::create_parents(&path)? {
            paths::sync_dir(&dir)?;
        }
    }
    File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
}
