//! The two traits a platform implements: [`Store`], a tree of named files, and [`Blob`], one append-only file.
//!
//! Paths are relative to the database's directory, `/`-separated, made of `[a-z0-9_.-]` and the escapes of file names.
//! All methods are synchronous. After an error of a writing method nothing may be assumed of the bytes it was to write
//! but that all bytes synced before are still there; the engine then stops writing (the latch) until it is opened anew.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use crate::error::Result;

/// How many bytes behind the end [`Blob::append`] looks at at least before it writes over them.
pub const CONFLICT_BYTES: usize = 16;

/// What [`Blob::sync`] achieved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Synced {
    /// Everything appended to this blob before is on stable storage.
    Durable,
    /// It will be, once the store has reached this position; what depends on it must not be shown before.
    Pending(u64),
}

/// How a blob is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// For reading only; another process may be appending.
    Read,
    /// For reading and appending, by the holder of the lock.
    Write,
}

/// One append-only file. A blob that has been removed from its store stays readable while it is open.
pub trait Blob {
    /// The file's length in bytes, reserved zeros included.
    fn len(&self) -> Result<u64>;

    /// Whether the file has no bytes.
    fn is_empty(&self) -> Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Reads into `buf` from `offset`; returns how many bytes were read: fewer than asked only at the end of the file.
    /// May be called on a blob while another process appends: bytes that were there before stay as they were.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize>;

    /// Writes `bytes` at `end`, where the caller knows the data to end. What the file holds from `end` on must be
    /// nothing or reserved zeros; if any of the next [`CONFLICT_BYTES`] bytes is not zero another writer is at work:
    /// `Code::Conflict`, and nothing is written. `end` beyond the file's length is a conflict too. An append that goes on where
    /// this blob's last one ended, with no sync between, need not look. Not durable before [`Blob::sync`]; after a crash
    /// any of the bytes may be missing, zeros or cut off, in any order.
    fn append(&mut self, end: u64, bytes: &[u8]) -> Result<()>;

    /// A hint that the data will grow to `len` bytes: the store may extend the file with zeros, so that appends up to there do
    /// not have to grow it. Does nothing where that gains nothing.
    fn reserve(&mut self, len: u64) -> Result<()> {
        let _ = len;
        Ok(())
    }

    /// Puts everything appended and truncated before, and the name of the file if it is new, on stable storage.
    fn sync(&mut self) -> Result<Synced>;

    /// Cuts the file to `len` bytes (never longer than it is). Used to cut a torn tail and to trim reserved zeros.
    /// Not durable before [`Blob::sync`]; after a crash the file has its old or its new length.
    fn truncate(&mut self, len: u64) -> Result<()>;
}

/// Whether the writer's lock is held.
///
/// Nothing changes while it is free with one epoch: who wants to write takes the next one first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockState {
    /// A writer holds it, or may.
    Held,
    /// Nobody does. The epoch is that of the last one who did, 0 if there was none.
    Free(u64),
}

impl LockState {
    /// Whether a writer holds the lock, or may.
    pub fn is_held(self) -> bool {
        self == LockState::Held
    }
}

/// The writer's lock, held until it is dropped.
pub trait Lock {
    /// The epoch that was written into LOCK when it was taken: one more than the one before.
    fn epoch(&self) -> u64;

    /// The last defence before an append: `Code::Conflict` if LOCK no longer holds this epoch.
    fn check(&self) -> Result<()>;
}

/// A tree of named files: one database.
pub trait Store {
    /// Takes the writer's lock, without waiting: `Code::Busy` if another writer, in this process or another, holds it.
    fn lock(&self) -> Result<Box<dyn Lock>>;

    /// Whether some writer, in this process or another, holds the lock now.
    fn lock_state(&self) -> Result<LockState>;

    /// The names directly in a directory (files and directories alike), in ascending byte order; none if there is no such directory.
    fn list(&self, dir: &str) -> Result<Vec<String>>;

    /// Opens a file; `None` if there is none.
    fn open(&self, path: &str, access: Access) -> Result<Option<Box<dyn Blob>>>;

    /// Creates an empty file and the directories above it; an error if it exists. The name is durable after the blob's first sync.
    fn create(&self, path: &str) -> Result<Box<dyn Blob>>;

    /// Removes a file; no error if it is gone. After a crash it may be back until the next first sync of a new file, rename or
    /// replace in the same directory.
    fn remove(&self, path: &str) -> Result<()>;

    /// Gives a file another name in the same directory, replacing what is there: after a crash, the old state or the new.
    /// Durable on return. Blobs open on either file stay valid.
    fn rename(&self, from: &str, to: &str) -> Result<()>;

    /// Writes a whole small file, creating the directories above it: after a crash the old content or the new, never a mix.
    /// Durable on return, [`Synced::Pending`] excepted.
    fn replace(&self, path: &str, bytes: &[u8]) -> Result<Synced>;

    /// Reads a whole small file; `None` if there is none.
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>>;
}
