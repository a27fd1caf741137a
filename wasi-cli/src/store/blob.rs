//! One file as a blob.

use std::cell::RefCell;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::rc::Rc;

use driftdb_core::storage::{Blob, CONFLICT_BYTES, Synced};
use driftdb_core::{Code, Error, Result};

use super::error::Context;
use super::paths;
use super::pool::{Pool, Slot, read_at, write_at};

/// Zeros are written in pieces of this size.
const ZEROS: &[u8] = &[0; 64 << 10];

/// A file, and what is still to be synced of it.
pub struct FsBlob {
    path: String,
    slot: Rc<Slot>,
    pool: Rc<RefCell<Pool>>,
    /// Of a file that is new: the directories whose entries the first sync makes durable.
    unsynced_dirs: Option<Vec<PathBuf>>,
    /// Whether the file's length was cut since the last sync.
    cut: bool,
    /// Where this blob's last append ended, if nothing was synced or cut since: the end need not be looked at again.
    own_end: Option<u64>,
}

impl FsBlob {
    pub fn new(
        path: &str,
        slot: Rc<Slot>,
        pool: Rc<RefCell<Pool>>,
        unsynced_dirs: Option<Vec<PathBuf>>,
    ) -> Self {
        FsBlob {
            path: path.into(),
            slot,
            pool,
            unsynced_dirs,
            cut: false,
            own_end: None,
        }
    }

    fn with<T>(&self, action: impl FnOnce(&File) -> io::Result<T>) -> Result<T> {
        Pool::with(&self.pool, &self.slot, action).context(&self.path)
    }

    fn check_writable(&self) -> Result<()> {
        match self.slot.is_writable() {
            true => Ok(()),
            false => Err(
                Error::new(Code::ReadOnly, "the file is open for reading only")
                    .in_file(&self.path, None),
            ),
        }
    }

    fn conflict(&self, end: u64, message: &str) -> Error {
        Error::new(Code::Conflict, message).in_file(&self.path, Some(end))
    }

    /// Checks with one read that the file reaches up to `end` and holds zeros or nothing after it.
    fn check_end(&self, end: u64) -> Result<()> {
        let mut bytes = [0; CONFLICT_BYTES + 1];
        let (before, from) = if end == 0 { (0, 0) } else { (1, end - 1) };
        let count =
            self.with(|file| read_at(file, from, bytes.get_mut(1 - before..).unwrap_or_default()))?;
        if count < before {
            return Err(self.conflict(end, "the file ends before the place to append to"));
        }
        match bytes
            .get(1..)
            .is_some_and(|after| after.iter().all(|byte| *byte == 0))
        {
            true => Ok(()),
            false => Err(self.conflict(end, "another writer has appended to the file")),
        }
    }
}

impl Blob for FsBlob {
    fn len(&self) -> Result<u64> {
        self.with(|file| Ok(file.metadata()?.len()))
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize> {
        self.with(|file| read_at(file, offset, buf))
    }

    fn append(&mut self, end: u64, bytes: &[u8]) -> Result<()> {
        self.check_writable()?;
        if self.own_end.take() != Some(end) {
            self.check_end(end)?;
        }
        self.slot.dirty.set(true);
        self.with(|file| write_at(file, end, bytes))?;
        self.own_end = Some(end + bytes.len() as u64);
        Ok(())
    }

    fn reserve(&mut self, len: u64) -> Result<()> {
        self.check_writable()?;
        self.slot.dirty.set(true);
        self.with(|file| {
            let mut at = file.metadata()?.len();
            while at < len {
                let count = ZEROS
                    .len()
                    .min(usize::try_from(len - at).unwrap_or(usize::MAX));
                write_at(file, at, ZEROS.get(..count).unwrap_or_default())?;
                at += count as u64;
            }
            Ok(())
        })
    }

    fn sync(&mut self) -> Result<Synced> {
        self.own_end = None;
        // fdatasync covers the length as far as reading the data needs it; a cut is not needed for that.
        let cut = self.cut || self.unsynced_dirs.is_some();
        self.with(|file| {
            if cut {
                file.sync_all()
            } else {
                file.sync_data()
            }
        })?;
        if let Some(dirs) = &self.unsynced_dirs {
            dirs.iter()
                .try_for_each(|dir| paths::sync_dir(dir))
                .context(&self.path)?;
        }
        (self.cut, self.unsynced_dirs) = (false, None);
        self.slot.dirty.set(false);
        Ok(Synced::Durable)
    }

    fn truncate(&mut self, len: u64) -> Result<()> {
        self.check_writable()?;
        self.slot.dirty.set(true);
        (self.cut, self.own_end) = (true, None);
        self.with(|file| {
            if file.metadata()?.len() > len {
                file.set_len(len)
            } else {
                Ok(())
            }
        })
    }
}
