//! The latch: every write goes through it. It checks the writer's lock before an append, and the first write or sync
//! that fails stops all writing until the database is opened anew: after a failed sync nobody knows what is on the disk.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use core::cell::{Cell, RefCell};

use super::blob::{Blob, Lock, Store, Synced};
use crate::error::{Code, Error, Result};

/// The right to write: the lock, and whether a write has failed since it was taken.
pub struct Latch {
    lock: Box<dyn Lock>,
    cause: RefCell<Option<String>>,
    /// Bytes appended since the lock was checked; 0 when the next append has to check it.
    unchecked: Cell<u64>,
    /// Appends since the last sync.
    appends: Cell<u64>,
}

/// Appends that follow one another without a sync check the lock once in so many bytes, and the sync checks it again: nothing is
/// acknowledged that another writer may have overtaken, and a batch does not pay for a check an event.
const UNCHECKED_BYTES: u64 = 1 << 20;

impl Latch {
    /// An open latch over a lock that was just taken.
    pub fn new(lock: Box<dyn Lock>) -> Self {
        Latch {
            lock,
            cause: RefCell::new(None),
            unchecked: Cell::new(0),
            appends: Cell::new(0),
        }
    }

    /// The epoch of the lock.
    pub fn epoch(&self) -> u64 {
        self.lock.epoch()
    }

    /// Whether the lock is still this one's, after a failed write too.
    pub fn is_held(&self) -> bool {
        self.lock.check().is_ok()
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
        self.run(|| {
            if !(1..UNCHECKED_BYTES).contains(&self.unchecked.get()) {
                self.lock.check()?;
                self.unchecked.set(0);
            }
            blob.append(end, bytes)?;
            self.appends.set(self.appends.get() + 1);
            self.unchecked
                .set(self.unchecked.get() + bytes.len() as u64 + 1);
            Ok(())
        })
    }

    /// [`Blob::sync`] through the latch; behind the fence if appends were not checked one by one.
    pub fn sync(&self, blob: &mut dyn Blob) -> Result<Synced> {
        self.run(|| {
            if self.appends.replace(0) > 1 {
                self.lock.check()?;
            }
            self.unchecked.set(0);
            blob.sync()
        })
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
