//! The mirror: a whole database in memory, whose changes are handed out in order, to be stored where nothing can be written synchronously (IndexedDB).
//!
//! The host takes one [`Transaction`] at a time with [`Mirror::drain`], stores it whole or not at all, and says so with [`Mirror::settled`]. Nothing that was read or
//! written is shown to anyone before [`Mirror::position`], as it was then, is durable. What is stored is at every moment what memory was after some transaction; a
//! [`Loader`] makes a mirror of it again.

mod load;
mod ops;
mod record;
mod state;

use std::cell::RefCell;
use std::rc::Rc;

use driftdb_core::Result;
use driftdb_core::storage::{Access, Blob, Lock, LockState, Store, Synced};

pub use load::Loader;
pub use state::Transaction;

use ops::Op;
use state::{SharedFile, State};

const LOCK: &str = "LOCK";

/// A database in memory and the journal of its changes; clones share it.
#[derive(Clone)]
pub struct Mirror {
    state: Rc<RefCell<State>>,
}

impl Mirror {
    fn of(state: State) -> Mirror {
        Mirror {
            state: Rc::new(RefCell::new(state)),
        }
    }

    /// What has changed since the last call, as the next transaction; `None` if nothing has. They are stored in the order in which they are handed out, each
    /// after the one before is durable; if one fails, the mirror is of no use any more.
    pub fn drain(&self) -> Result<Option<Transaction>> {
        self.state.borrow_mut().drain()
    }

    /// The transactions up to this position are durable.
    pub fn settled(&self, position: u64) {
        let mut state = self.state.borrow_mut();
        state.durable = state.durable.max(position.min(state.drained));
    }

    /// The position at which everything that is in memory now is durable.
    pub fn position(&self) -> u64 {
        self.state.borrow().position()
    }

    /// The position up to which everything is durable.
    pub fn durable(&self) -> u64 {
        self.state.borrow().durable
    }

    /// How many bytes the files have.
    pub fn bytes(&self) -> u64 {
        self.state.borrow().bytes
    }

    fn synced(&self) -> Synced {
        let state = self.state.borrow();
        match state.position() {
            position if position <= state.durable => Synced::Durable,
            position => Synced::Pending(position),
        }
    }

    /// Does something to the files in memory and notes it.
    fn run<T>(
        &self,
        path: &str,
        op: &Op<'_>,
        act: impl FnOnce(&dyn Store) -> Result<T>,
    ) -> Result<T> {
        let mut state = self.state.borrow_mut();
        let done = act(&state.memory)?;
        state.note(path, op);
        Ok(done)
    }

    fn blob(&self, path: &str, inner: Box<dyn Blob>) -> Result<Box<dyn Blob>> {
        let file = self.state.borrow().files.get(path).map(Rc::clone);
        let mirror = self.clone();
        Ok(match file {
            Some(file) => Box::new(MirrorBlob {
                mirror,
                file,
                inner,
            }),
            None => inner,
        })
    }
}

impl Store for Mirror {
    fn lock(&self) -> Result<Box<dyn Lock>> {
        let memory = self.state.borrow().memory.clone();
        let lock = memory.lock()?;
        let text = memory.read(LOCK)?.unwrap_or_default();
        self.replace(LOCK, &text)?;
        Ok(lock)
    }

    fn lock_state(&self) -> Result<LockState> {
        self.state.borrow().memory.lock_state()
    }

    fn list(&self, dir: &str) -> Result<Vec<String>> {
        self.state.borrow().memory.list(dir)
    }

    fn open(&self, path: &str, access: Access) -> Result<Option<Box<dyn Blob>>> {
        let inner = self.state.borrow().memory.open(path, access)?;
        inner.map(|inner| self.blob(path, inner)).transpose()
    }

    fn create(&self, path: &str) -> Result<Box<dyn Blob>> {
        let inner = self.run(path, &Op::Create, |memory| memory.create(path))?;
        self.blob(path, inner)
    }

    fn remove(&self, path: &str) -> Result<()> {
        if !self.state.borrow().files.contains_key(path) {
            return Ok(());
        }
        self.run(path, &Op::Remove, |memory| memory.remove(path))
    }

    fn rename(&self, from: &str, to: &str) -> Result<()> {
        self.run(from, &Op::Rename(to), |memory| memory.rename(from, to))
    }

    fn replace(&self, path: &str, bytes: &[u8]) -> Result<Synced> {
        self.state.borrow().check_room(bytes.len() as u64)?;
        self.run(path, &Op::Replace(bytes), |memory| {
            memory.replace(path, bytes)
        })?;
        Ok(self.synced())
    }

    fn read(&self, path: &str) -> Result<Option<Vec<u8>>> {
        self.state.borrow().memory.read(path)
    }
}

/// An open blob. One whose file has no name any more changes memory alone.
struct MirrorBlob {
    mirror: Mirror,
    file: SharedFile,
    inner: Box<dyn Blob>,
}

impl MirrorBlob {
    fn note(&self, op: &Op<'_>) {
        let path = self.file.borrow().path.clone();
        if let Some(path) = path {
            self.mirror.state.borrow_mut().note(&path, op);
        }
    }
}

impl Blob for MirrorBlob {
    fn len(&self) -> Result<u64> {
        self.inner.len()
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize> {
        self.inner.read_at(offset, buf)
    }

    fn append(&mut self, end: u64, bytes: &[u8]) -> Result<()> {
        self.mirror.state.borrow().check_room(bytes.len() as u64)?;
        self.inner.append(end, bytes)?;
        self.note(&Op::Append(end, bytes));
        Ok(())
    }

    fn sync(&mut self) -> Result<Synced> {
        Ok(self.mirror.synced())
    }

    fn truncate(&mut self, len: u64) -> Result<()> {
        let shorter = len < self.inner.len()?;
        self.inner.truncate(len)?;
        if shorter {
            self.note(&Op::Truncate(len));
        }
        Ok(())
    }
}
