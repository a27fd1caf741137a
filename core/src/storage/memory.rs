//! The store in memory: for tests, for databases that need not last, and the reference of the traits' contracts.

use crate::flat::{FlatMap, FlatSet};
use alloc::boxed::Box;
use alloc::format;
use alloc::rc::Rc;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};

use super::blob::{Access, Blob, Lock, LockState, Store, Synced};
use crate::error::{Code, Error, Result};

/// The name of the lock's file.
const LOCK: &str = "LOCK";

type Content = Rc<RefCell<Vec<u8>>>;

/// A store in memory. Clones share the same files.
#[derive(Clone, Default)]
pub struct MemoryStore {
    shared: Rc<Shared>,
}

#[derive(Default)]
struct Shared {
    files: RefCell<FlatMap<String, Content>>,
    locked: Cell<bool>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// A store with copies of all files of this one, and no lock: what another process would find after a crash that lost nothing.
    pub fn copy(&self) -> Self {
        let files = self.shared.files.borrow();
        let copies = files.iter().map(|(path, content)| {
            (
                path.clone(),
                Rc::new(RefCell::new(content.borrow().clone())),
            )
        });
        MemoryStore {
            shared: Rc::new(Shared {
                files: RefCell::new(copies.collect()),
                locked: Cell::new(false),
            }),
        }
    }

    /// All files' paths, in ascending byte order.
    pub fn paths(&self) -> Vec<String> {
        self.shared.files.borrow().keys().cloned().collect()
    }

    /// Sets a file's whole content without any of the seam's rules: for tests that damage files.
    pub fn put(&self, path: &str, bytes: &[u8]) {
        let content = Rc::new(RefCell::new(bytes.to_vec()));
        self.shared
            .files
            .borrow_mut()
            .insert(path.to_string(), content);
    }

    fn content(&self, path: &str) -> Option<Content> {
        self.shared.files.borrow().get(path).cloned()
    }
}

struct MemoryLock {
    shared: Rc<Shared>,
    epoch: u64,
}

impl Lock for MemoryLock {
    fn epoch(&self) -> u64 {
        self.epoch
    }

    fn check(&self) -> Result<()> {
        match read_epoch(&self.shared) == Some(self.epoch) {
            true => Ok(()),
            false => Err(
                Error::new(Code::Conflict, "another writer has taken the lock").in_file(LOCK, None),
            ),
        }
    }
}

impl Drop for MemoryLock {
    fn drop(&mut self) {
        self.shared.locked.set(false);
    }
}

fn read_epoch(shared: &Shared) -> Option<u64> {
    let files = shared.files.borrow();
    let bytes = files.get(LOCK)?.borrow();
    core::str::from_utf8(&bytes).ok()?.trim().parse().ok()
}

struct MemoryBlob {
    path: String,
    content: Content,
    writable: bool,
}

impl MemoryBlob {
    fn conflict(&self, end: u64, message: &str) -> Error {
        Error::new(Code::Conflict, message).in_file(self.path.clone(), Some(end))
    }

    fn check_writable(&self) -> Result<()> {
        match self.writable {
            true => Ok(()),
            false => Err(
                Error::new(Code::ReadOnly, "the file is open for reading only")
                    .in_file(self.path.clone(), None),
            ),
        }
    }
}

impl Blob for MemoryBlob {
    fn len(&self) -> Result<u64> {
        Ok(self.content.borrow().len() as u64)
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize> {
        let content = self.content.borrow();
        let rest = usize::try_from(offset)
            .ok()
            .and_then(|start| content.get(start..))
            .unwrap_or_default();
        let count = rest.len().min(buf.len());
        if let (Some(into), Some(from)) = (buf.get_mut(..count), rest.get(..count)) {
            into.copy_from_slice(from);
        }
        Ok(count)
    }

    fn append(&mut self, end: u64, bytes: &[u8]) -> Result<()> {
        self.check_writable()?;
        let mut content = self.content.borrow_mut();
        let Some(start) = usize::try_from(end)
            .ok()
            .filter(|start| *start <= content.len())
        else {
            return Err(self.conflict(end, "the file ends before the place to append to"));
        };
        let rest = content.get(start..).unwrap_or_default();
        if rest
            .iter()
            .take(super::blob::CONFLICT_BYTES)
            .any(|byte| *byte != 0)
        {
            return Err(self.conflict(end, "another writer has appended to the file"));
        }
        let over = rest.len().min(bytes.len());
        let (inside, beyond) = bytes.split_at(over);
        if let Some(place) = content.get_mut(start..start.saturating_add(over)) {
            place.copy_from_slice(inside);
        }
        content.extend_from_slice(beyond);
        Ok(())
    }

    fn sync(&mut self) -> Result<Synced> {
        Ok(Synced::Durable)
    }

    fn truncate(&mut self, len: u64) -> Result<()> {
        self.check_writable()?;
        if let Ok(len) = usize::try_from(len) {
            self.content.borrow_mut().truncate(len);
        }
        Ok(())
    }
}

impl Store for MemoryStore {
    fn lock(&self) -> Result<Box<dyn Lock>> {
        if self.shared.locked.replace(true) {
            return Err(Error::new(
                Code::Busy,
                "the database is open for writing elsewhere",
            ));
        }
        let epoch = read_epoch(&self.shared).unwrap_or(0).saturating_add(1);
        self.put(LOCK, format!("{epoch}\n").as_bytes());
        Ok(Box::new(MemoryLock {
            shared: Rc::clone(&self.shared),
            epoch,
        }))
    }

    fn lock_state(&self) -> Result<LockState> {
        Ok(match self.shared.locked.get() {
            true => LockState::Held,
            false => LockState::Free(read_epoch(&self.shared).unwrap_or(0)),
        })
    }

    fn list(&self, dir: &str) -> Result<Vec<String>> {
        let prefix = if dir.is_empty() {
            String::new()
        } else {
            format!("{dir}/")
        };
        let files = self.shared.files.borrow();
        let below = files
            .from(&prefix)
            .map_while(|(path, _)| path.strip_prefix(&prefix));
        let names: FlatSet<&str> = below.filter_map(|rest| rest.split('/').next()).collect();
        Ok(names.into_iter().map(String::from).collect())
    }

    fn open(&self, path: &str, access: Access) -> Result<Option<Box<dyn Blob>>> {
        let writable = access == Access::Write;
        let blob = |content| {
            Box::new(MemoryBlob {
                path: path.to_string(),
                content,
                writable,
            }) as Box<dyn Blob>
        };
        Ok(self.content(path).map(blob))
    }

    fn create(&self, path: &str) -> Result<Box<dyn Blob>> {
        if self.content(path).is_some() {
            return Err(Error::new(Code::Io, "the file exists already").in_file(path, None));
        }
        self.put(path, &[]);
        let content = self.content(path).unwrap_or_default();
        Ok(Box::new(MemoryBlob {
            path: path.to_string(),
            content,
            writable: true,
        }))
    }

    fn remove(&self, path: &str) -> Result<()> {
        self.shared.files.borrow_mut().remove(path);
        Ok(())
    }

    fn rename(&self, from: &str, to: &str) -> Result<()> {
        let mut files = self.shared.files.borrow_mut();
        let Some(content) = files.remove(from) else {
            return Err(
                Error::new(Code::FileMissing, "the file to rename is not there")
                    .in_file(from, None),
            );
        };
        files.insert(to.to_string(), content);
        Ok(())
    }

    fn replace(&self, path: &str, bytes: &[u8]) -> Result<Synced> {
        self.put(path, bytes);
        Ok(Synced::Durable)
    }

    fn read(&self, path: &str) -> Result<Option<Vec<u8>>> {
        Ok(self.content(path).map(|content| content.borrow().clone()))
    }
}
