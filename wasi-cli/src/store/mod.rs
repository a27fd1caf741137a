//! The filesystem store: a database as a directory.
//!
//! Natively and under WASI; what the lock is where there are no file locks, see [`lock`].

mod blob;
mod claim;
mod error;
mod identity;
mod lock;
mod paths;
mod pool;

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use driftdb_core::storage::{Access, Blob, Lock, LockState, Store, Synced};
use driftdb_core::{Code, Error, Result};

use blob::FsBlob;
use error::Context;
use lock::{FsLock, Glance};
use pool::Pool;

pub(crate) use paths::sync_parent;

/// A database's directory.
pub struct FsStore {
    root: Rc<PathBuf>,
    pool: Rc<RefCell<Pool>>,
    break_lock: bool,
    /// The last look at the lock.
    lock: RefCell<Glance>,
}

impl FsStore {
    /// The store in the directory `root`, which need not exist before something is created in it.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self::with_open_files(root, pool::OPEN_FILES_MAX)
    }

    /// Like [`FsStore::new`], keeping at most about so many files open.
    pub fn with_open_files(root: impl Into<PathBuf>, open_files_max: usize) -> Self {
        FsStore {
            root: Rc::new(root.into()),
            pool: Rc::new(RefCell::new(Pool::new(open_files_max))),
            break_lock: false,
            lock: RefCell::default(),
        }
    }

    /// The same store, whose lock counts an owner as dead of whom nobody can say whether it lives: a program without file locks that was killed.
    pub fn break_lock(self, break_lock: bool) -> Self {
        FsStore { break_lock, ..self }
    }

    /// A file that is no database's, to read from; `None` if there is none.
    pub fn open_file(path: &Path) -> Result<Option<Box<dyn Blob>>> {
        let name = path.display().to_string();
        let mut pool = Pool::new(1);
        let slot = pool.open(&name, path.into(), Access::Read).context(&name)?;
        let pool = Rc::new(RefCell::new(pool));
        Ok(slot.map(|slot| Box::new(FsBlob::new(&name, slot, pool, None)) as Box<dyn Blob>))
    }

    /// The directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    fn path(&self, path: &str) -> Result<PathBuf> {
        paths::resolve(&self.root, path)
    }
}

impl Store for FsStore {
    fn lock(&self) -> Result<Box<dyn Lock>> {
        Ok(Box::new(FsLock::take(&self.root, self.break_lock)?))
    }

    fn lock_state(&self) -> Result<LockState> {
        self.lock.borrow_mut().state(&self.root)
    }

    fn list(&self, dir: &str) -> Result<Vec<String>> {
        paths::list(&self.path(dir)?).context(dir)
    }

    fn open(&self, path: &str, access: Access) -> Result<Option<Box<dyn Blob>>> {
        let slot = self
            .pool
            .borrow_mut()
            .open(path, self.path(path)?, access)
            .context(path)?;
        Ok(slot.map(|slot| {
            Box::new(FsBlob::new(path, slot, Rc::clone(&self.pool), None)) as Box<dyn Blob>
        }))
    }

    fn create(&self, path: &str) -> Result<Box<dyn Blob>> {
        let full = self.path(path)?;
        let unsynced = paths::create_parents(&full).context(path)?;
        let slot = self.pool.borrow_mut().create(path, full).context(path)?;
        Ok(Box::new(FsBlob::new(
            path,
            slot,
            Rc::clone(&self.pool),
            Some(unsynced),
        )))
    }

    fn remove(&self, path: &str) -> Result<()> {
        let full = self.path(path)?;
        self.pool.borrow_mut().detach(path).context(path)?;
        match fs::remove_file(full) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            done => done.context(path),
        }
    }

    fn rename(&self, from: &str, to: &str) -> Result<()> {
        let (full_from, full_to) = (self.path(from)?, self.path(to)?);
        let mut pool = self.pool.borrow_mut();
        pool.detach(to).context(to)?;
        fs::rename(&full_from, &full_to).context(from)?;
        pool.renamed(from, to, &full_to);
        paths::sync_parent(&full_to).context(to)
    }

    fn replace(&self, path: &str, bytes: &[u8]) -> Result<Synced> {
        let full = self.path(path)?;
        let unsynced = paths::create_parents(&full).context(path)?;
        self.pool.borrow_mut().detach(path).context(path)?;
        paths::replace(&full, bytes).context(path)?;
        unsynced
            .iter()
            .try_for_each(|dir| paths::sync_dir(dir))
            .context(path)?;
        Ok(Synced::Durable)
    }

    fn read(&self, path: &str) -> Result<Option<Vec<u8>>> {
        match fs::read(self.path(path)?) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if paths::is_absent(&error) => Ok(None),
            Err(error) => Err(error).context(path),
        }
    }
}

/// The error of a path that could leave the directory.
fn bad_path(path: &str) -> Error {
    Error::new(
        Code::InvalidValue,
        "the path cannot be one of a database's file",
    )
    .in_file(path, None)
}
