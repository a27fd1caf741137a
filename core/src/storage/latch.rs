//! The latch: every write goes through it. It checks the writer's lock before an append, and the first write or sync
//! that fails stops all writing until the database is opened anew: after a failed sync nobody knows what is on the disk.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use core::cell::RefCell;

use super::blob::{Blob, Lock, Store, Synced};
use crate::error::{Code, Error, Result};

/// The right to write: the lock, and whether a write has failed since it was taken.
pub struct Latch {
    lock: Box<dyn Lock>,
    cause: RefCell<Option<String>>,
}

impl Latch {
    /// An open latch over a lock that was just taken.
    pub fn new(lock: Box<dyn Lock>) -> Self {
        Latch {
            lock,
            cause: RefCell::new(None),
        }
    }

    /// The epoch of the lock.
    pub fn epoch(&self) -> u64 {
        self.lock.epoch()
    }

    /// `Code::Latched`, naming the first cause, if a write or sync has failed before.
    pub fn check(&self) -> Result<()> {
        match &*self.cause.borrow() {
            None => Ok(()),
            Some(cause) => Err(Error::new(
                Code::Latched,
                format!("nothing is written any more since an earlier write failed: {cause}"),
            )
            .hint("open the database anew; everything acknowledged before is kept")),
        }
    }

    /// Runs something that writes; its error closes the latch.
    pub fn run<T>(&self, write: impl FnOnce() -> Result<T>) -> Result<T> {
        self.check()?;
        write().inspect_err(|error| self.trip(error))
    }

    /// Like [`Latch::run`], after checking that the lock is still held by this epoch.
    pub fn fenced<T>(&self, write: impl FnOnce() -> Result<T>) -> Result<T> {
        self.run(|| {
            self.lock.check()?;
            write()
        })
    }

    /// [`Blob::append`] behind the fence.
    pub fn append(&self, blob: &mut dyn Blob, end: u64, bytes: &[u8]) -> Result<()> {
        self.fenced(|| blob.append(end, bytes))
    }

    /// [`Blob::sync`] through the latch.
    pub fn sync(&self, blob: &mut dyn Blob) -> Result<Synced> {
        self.run(|| blob.sync())
    }

    /// [`Blob::truncate`] behind the fence.
    pub fn truncate(&self, blob: &mut dyn Blob, len: u64) -> Result<()> {
        self.fenced(|| blob.truncate(len))
    }

    /// [`Store::create`] behind the fence.
    pub fn create(&self, store: &dyn Store, path: &str) -> Result<Box<dyn Blob>> {
        self.fenced(|| store.create(path))
    }

    /// [`Store::remove`] behind the fence.
    pub fn remove(&self, store: &dyn Store, path: &str) -> Result<()> {
        self.fenced(|| store.remove(path))
    }

    /// [`Store::rename`] behind the fence.
    pub fn rename(&self, store: &dyn Store, from: &str, to: &str) -> Result<()> {
        self.fenced(|| store.rename(from, to))
    }

    /// [`Store::replace`] behind the fence.
    pub fn replace(&self, store: &dyn Store, path: &str, bytes: &[u8]) -> Result<Synced> {
        self.fenced(|| store.replace(path, bytes))
    }

    /// Closes the latch. The first cause stays.
    pub fn trip(&self, error: &Error) {
        self.cause
            .borrow_mut()
            .get_or_insert_with(|| error.to_string());
    }
}
