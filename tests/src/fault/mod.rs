//! `FaultStore`: a store in memory that behaves like a disk under a page cache and fails where it is told to.
//!
//! Every write is volatile until it is synced. A [`Fault`] stops the store, or makes one call fail, at the Nth mutating
//! call: append, sync, truncate, create, rename, replace, remove and reserve all count. After a stop every call fails, as
//! if the process were gone; [`FaultStore::crash`] then gives the files that the disk has, under a [`Survival`]. Whatever
//! the contracts of `Store` and `Blob` leave open after a crash is chosen by a seed, so a run repeats exactly:
//! - an unsynced write is there, missing, cut at any byte, or there by sectors of 512 bytes in any choice;
//! - a file that grew has its new length (missing bytes are zeros) or ends with what survived;
//! - an unsynced truncate happened or did not;
//! - the name of a file that was never synced is there or not, a removed file is back or not, until the directory is
//!   synced by a replace, a rename or the first sync of another new file in it;
//! - a replace or a rename that returned is there; one that was stopped happened whole or not at all.

mod disk;
mod file;
mod packed;
mod survival;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use driftdb_core::storage::{Access, Blob, Lock, LockState, Store, Synced};
use driftdb_core::{Code, Error, Result};

use disk::Disk;
pub use disk::{Call, CallKind};
pub use packed::{Mount, PackedFile};
pub use survival::Survival;

/// What goes wrong at the chosen call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// The machine stops in the middle of the call: it and all later ones fail.
    Stop,
    /// The call fails with this code; of what it was to do, this much has happened. Later calls work.
    Error(Code, Effect),
    /// The call and all later ones that need space fail with `Code::StorageFull`.
    Full,
}

/// How much of a failed call has happened all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing.
    None,
    /// Half of the bytes of an append; of other calls nothing.
    Half,
    /// All of it.
    Whole,
}

/// A scripted fault: `what` happens at the mutating call number `at`, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The number of the call.
    pub at: u64,
    /// What happens there.
    pub what: What,
}

/// The store; a clone is another handle to the same files.
#[derive(Clone)]
pub struct FaultStore(Rc<RefCell<Disk>>);

impl Default for FaultStore {
    fn default() -> Self {
        FaultStore::new()
    }
}

impl FaultStore {
    /// An empty store.
    pub fn new() -> Self {
        FaultStore(Rc::new(RefCell::new(Disk::default())))
    }

    /// A store with these files, all durable.
    pub fn from_files(files: BTreeMap<String, Vec<u8>>) -> Self {
        FaultStore(Rc::new(RefCell::new(Disk::from_files(files))))
    }

    /// The files as a process sees them now.
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        self.0.borrow().live_files()
    }

    /// Sets or clears the fault; calls keep counting from where they are.
    pub fn script(&self, fault: Option<Fault>) {
        self.0.borrow_mut().fault = fault;
    }

    /// Stops at the mutating call number `at` from now on, counted from 1.
    pub fn stop_in(&self, at: u64) {
        let at = self.calls() + at;
        self.script(Some(Fault {
            at,
            what: What::Stop,
        }));
    }

    /// Makes the read (of a blob or of a small file) number `at` from now on fail, counted from 1.
    pub fn fail_read_in(&self, at: Option<u64>) {
        let mut disk = self.0.borrow_mut();
        disk.read_fault = at.map(|at| disk.reads + at);
    }

    /// Whether `reserve` extends files with zeros (it does unless told otherwise).
    pub fn set_reserving(&self, reserving: bool) {
        self.0.borrow_mut().reserving = reserving;
    }

    /// How many mutating calls there were.
    pub fn calls(&self) -> u64 {
        self.0.borrow().calls
    }

    /// How many reads there were.
    pub fn reads(&self) -> u64 {
        self.0.borrow().reads
    }

    /// Whether the scripted fault has happened.
    pub fn has_failed(&self) -> bool {
        self.0.borrow().failed_at.is_some()
    }

    /// The mutating calls so far, oldest first.
    pub fn trace(&self) -> Vec<Call> {
        self.0.borrow().trace.clone()
    }

    /// The first call that the fault hit.
    pub fn failed_call(&self) -> Option<Call> {
        let disk = self.0.borrow();
        let index = disk.failed_at?.checked_sub(1)? as usize;
        disk.trace.get(index).cloned()
    }

    /// The mutating calls after the first failed one: a latched engine makes none.
    pub fn writes_after_failure(&self) -> Vec<Call> {
        let disk = self.0.borrow();
        let Some(at) = disk.failed_at else {
            return Vec::new();
        };
        disk.trace.iter().skip(at as usize).cloned().collect()
    }

    /// Whether engines work in a container in one of the files.
    pub fn is_packed(&self) -> bool {
        self.0.borrow().packed
    }

    /// An empty store in which engines work in a container in one of the files.
    pub fn packed() -> Self {
        FaultStore::from_files(BTreeMap::new()).with_packed(true)
    }

    /// A store of the same kind with the files that a process sees now, all durable, without a fault.
    pub fn copy(&self) -> Self {
        FaultStore::from_files(self.files()).with_packed(self.is_packed())
    }

    fn with_packed(self, packed: bool) -> Self {
        self.0.borrow_mut().packed = packed;
        self
    }

    /// The process has ended and another one starts on the same machine: nothing is lost, nothing more is durable.
    pub fn restart(&self) {
        self.0.borrow_mut().restart();
    }

    /// The store that a restart finds if the machine stops now, everything on it durable and unlocked.
    pub fn crash(&self, survival: Survival) -> FaultStore {
        FaultStore::from_files(survival::surviving(&self.0.borrow(), survival))
            .with_packed(self.is_packed())
    }
}

impl Store for FaultStore {
    fn lock(&self) -> Result<Box<dyn Lock>> {
        let epoch = self.0.borrow_mut().lock()?;
        Ok(Box::new(FaultLock {
            disk: self.0.clone(),
            epoch,
        }))
    }

    fn lock_state(&self) -> Result<LockState> {
        let disk = self.0.borrow();
        disk.alive()?;
        Ok(match disk.locked {
            true => LockState::Held,
            false => LockState::Free(disk.epoch()),
        })
    }

    fn list(&self, dir: &str) -> Result<Vec<String>> {
        self.0.borrow().list(dir)
    }

    fn open(&self, path: &str, access: Access) -> Result<Option<Box<dyn Blob>>> {
        let disk = self.0.borrow();
        disk.alive()?;
        Ok(disk.id_of(path).map(|id| self.blob(id, path, access)))
    }

    fn create(&self, path: &str) -> Result<Box<dyn Blob>> {
        let id = self.0.borrow_mut().create(path)?;
        Ok(self.blob(id, path, Access::Write))
    }

    fn remove(&self, path: &str) -> Result<()> {
        self.0.borrow_mut().remove(path)
    }

    fn rename(&self, from: &str, to: &str) -> Result<()> {
        self.0.borrow_mut().rename(from, to)
    }

    fn replace(&self, path: &str, bytes: &[u8]) -> Result<Synced> {
        self.0.borrow_mut().replace(path, bytes)?;
        Ok(Synced::Durable)
    }

    fn read(&self, path: &str) -> Result<Option<Vec<u8>>> {
        let mut disk = self.0.borrow_mut();
        disk.count_read(path)?;
        Ok(disk.id_of(path).map(|id| disk.live(id).to_vec()))
    }
}

impl FaultStore {
    fn blob(&self, id: usize, path: &str, access: Access) -> Box<dyn Blob> {
        Box::new(FaultBlob {
            disk: self.0.clone(),
            id,
            path: path.to_string(),
            access,
        })
    }
}

/// An open file.
struct FaultBlob {
    disk: Rc<RefCell<Disk>>,
    id: usize,
    path: String,
    access: Access,
}

impl FaultBlob {
    fn writable(&self) -> Result<()> {
        match self.access {
            Access::Write => Ok(()),
            Access::Read => Err(Error::new(Code::PermissionDenied, "opened for reading")
                .in_file(self.path.as_str(), None)),
        }
    }
}

impl Blob for FaultBlob {
    fn len(&self) -> Result<u64> {
        let disk = self.disk.borrow();
        disk.alive()?;
        Ok(disk.live(self.id).len() as u64)
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize> {
        self.disk
            .borrow_mut()
            .read_at(self.id, &self.path, offset, buf)
    }

    fn append(&mut self, end: u64, bytes: &[u8]) -> Result<()> {
        self.writable()?;
        self.disk
            .borrow_mut()
            .append(self.id, &self.path, end, bytes)
    }

    fn reserve(&mut self, len: u64) -> Result<()> {
        self.writable()?;
        self.disk.borrow_mut().reserve(self.id, &self.path, len)
    }

    fn sync(&mut self) -> Result<Synced> {
        self.disk.borrow_mut().sync(self.id, &self.path)?;
        Ok(Synced::Durable)
    }

    fn truncate(&mut self, len: u64) -> Result<()> {
        self.writable()?;
        self.disk.borrow_mut().truncate(self.id, &self.path, len)
    }
}

/// The writer's lock.
struct FaultLock {
    disk: Rc<RefCell<Disk>>,
    epoch: u64,
}

impl Lock for FaultLock {
    fn epoch(&self) -> u64 {
        self.epoch
    }

    fn check(&self) -> Result<()> {
        let disk = self.disk.borrow();
        disk.alive()?;
        match disk.epoch() {
            epoch if epoch == self.epoch => Ok(()),
            epoch => Err(Error::new(
                Code::Conflict,
                format!("LOCK holds epoch {epoch}, ours is {}", self.epoch),
            )),
        }
    }
}

impl Drop for FaultLock {
    fn drop(&mut self) {
        self.disk.borrow_mut().locked = false;
    }
}

#[cfg(test)]
mod tests;
