//! A store that keeps a copy of itself after every change: where a process may have been stopped.

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::RefCell;

use crate::error::Result;
use crate::storage::{Access, Blob, Lock, LockState, MemoryStore, Store, Synced};

/// The store and its copies.
#[derive(Clone, Default)]
pub struct Steps {
    store: MemoryStore,
    copies: Rc<RefCell<Vec<MemoryStore>>>,
}

impl Steps {
    /// The copies since the last call.
    pub fn take(&self) -> Vec<MemoryStore> {
        self.copies.take()
    }

    fn step<T>(&self, done: Result<T>) -> Result<T> {
        self.copies.borrow_mut().push(self.store.copy());
        done
    }
}

struct StepBlob {
    steps: Steps,
    blob: Box<dyn Blob>,
}

impl Blob for StepBlob {
    fn len(&self) -> Result<u64> {
        self.blob.len()
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize> {
        self.blob.read_at(offset, buf)
    }

    fn append(&mut self, end: u64, bytes: &[u8]) -> Result<()> {
        // A write may be stopped half way.
        let half = bytes.len() / 2;
        self.blob.append(end, &bytes[..half])?;
        self.steps.step(Ok(()))?;
        self.blob.append(end + half as u64, &bytes[half..])?;
        self.steps.step(Ok(()))
    }

    fn sync(&mut self) -> Result<Synced> {
        self.blob.sync()
    }

    fn truncate(&mut self, len: u64) -> Result<()> {
        let done = self.blob.truncate(len);
        self.steps.step(done)
    }
}

impl Store for Steps {
    fn lock(&self) -> Result<Box<dyn Lock>> {
        self.store.lock()
    }

    fn lock_state(&self) -> Result<LockState> {
        self.store.lock_state()
    }

    fn list(&self, dir: &str) -> Result<Vec<String>> {
        self.store.list(dir)
    }

    fn open(&self, path: &str, access: Access) -> Result<Option<Box<dyn Blob>>> {
        let blob = self.store.open(path, access)?;
        Ok(blob.map(|blob| {
            Box::new(StepBlob {
                steps: self.clone(),
                blob,
            }) as Box<dyn Blob>
        }))
    }

    fn create(&self, path: &str) -> Result<Box<dyn Blob>> {
        let blob = self.store.create(path);
        let blob = self.step(blob)?;
        Ok(Box::new(StepBlob {
            steps: self.clone(),
            blob,
        }))
    }

    fn remove(&self, path: &str) -> Result<()> {
        let done = self.store.remove(path);
        self.step(done)
    }

    fn rename(&self, from: &str, to: &str) -> Result<()> {
        let done = self.store.rename(from, to);
        self.step(done)
    }

    fn replace(&self, path: &str, bytes: &[u8]) -> Result<Synced> {
        let done = self.store.replace(path, bytes);
        self.step(done)
    }

    fn read(&self, path: &str) -> Result<Option<Vec<u8>>> {
        self.store.read(path)
    }
}
