//! Open files: at most about so many at a time, the least recently used closed first, so that a database of a thousand tables works.
//!
//! A closed file is opened again when it is needed, and must then be the same file. One that is about to lose its name, or has unsynced writes,
//! stays open.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::{Rc, Weak};

use driftdb_core::storage::Access;

use super::identity::Identity;

/// How many files stay open by default.
pub const OPEN_FILES_MAX: usize = 200;

/// A file of a blob.
pub struct Slot {
    file: RefCell<Option<File>>,
    /// How many files of the pool are open.
    open: Rc<Cell<usize>>,
    path: RefCell<PathBuf>,
    access: Access,
    identity: Identity,
    /// When it was used last, in uses of the pool.
    used: Cell<u64>,
    /// Has no name any more: closing it would lose it.
    pub pinned: Cell<bool>,
    /// Has writes that were not synced: closing it would lose their errors.
    pub dirty: Cell<bool>,
}

impl Slot {
    fn is_open(&self) -> bool {
        self.file.borrow().is_some()
    }

    fn close(&self) {
        if self.file.borrow_mut().take().is_some() {
            self.open.set(self.open.get().saturating_sub(1));
        }
    }

    fn reopen(&self) -> io::Result<()> {
        let file = Slot::open_options(self.access).open(&*self.path.borrow())?;
        if Identity::of(&file, &file.metadata()?)? != self.identity {
            return Err(io::Error::new(
                io::ErrorKind::NotFound,
                "the file was replaced by another",
            ));
        }
        *self.file.borrow_mut() = Some(file);
        self.open.set(self.open.get() + 1);
        Ok(())
    }

    fn open_options(access: Access) -> std::fs::OpenOptions {
        let mut options = File::options();
        options.read(true).write(access == Access::Write);
        options
    }

    /// Whether blobs of this process may write to it.
    pub fn is_writable(&self) -> bool {
        self.access == Access::Write
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.close();
    }
}

/// The files of one store.
pub struct Pool {
    /// By the path relative to the store's directory.
    slots: HashMap<String, Vec<Weak<Slot>>>,
    /// How many lists of slots `slots` may have before dead ones are looked for.
    slots_max: usize,
    open: Rc<Cell<usize>>,
    open_max: usize,
    uses: u64,
}

impl Pool {
    pub fn new(open_max: usize) -> Self {
        Pool {
            slots: HashMap::new(),
            slots_max: 64,
            open: Rc::default(),
            open_max: open_max.max(1),
            uses: 0,
        }
    }

    /// Opens a file; `None` if there is none.
    pub fn open(
        &mut self,
        path: &str,
        full: PathBuf,
        access: Access,
    ) -> io::Result<Option<Rc<Slot>>> {
        match Slot::open_options(access).open(&full) {
            Ok(file) => self.add(file, path, full, access).map(Some),
            Err(error) if super::paths::is_absent(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Creates a file that must not exist.
    pub fn create(&mut self, path: &str, full: PathBuf) -> io::Result<Rc<Slot>> {
        let file = File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&full)?;
        self.add(file, path, full, Access::Write)
    }

    fn add(
        &mut self,
        file: File,
        path: &str,
        full: PathBuf,
        access: Access,
    ) -> io::Result<Rc<Slot>> {
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::Error::new(
                io::ErrorKind::IsADirectory,
                "a directory stands where a file should be",
            ));
        }
        let identity = Identity::of(&file, &metadata)?;
        self.make_room();
        self.open.set(self.open.get() + 1);
        let slot = Rc::new(Slot {
            file: RefCell::new(Some(file)),
            open: Rc::clone(&self.open),
            path: RefCell::new(full),
            access,
            identity,
            used: Cell::new(self.tick()),
            pinned: Cell::new(false),
            dirty: Cell::new(false),
        });
        self.forget_dead();
        self.slots
            .entry(path.to_string())
            .or_default()
            .push(Rc::downgrade(&slot));
        Ok(slot)
    }

    fn tick(&mut self) -> u64 {
        self.uses += 1;
        self.uses
    }

    /// Drops what is known of files that no blob is on, when there is twice as much as after the last time.
    fn forget_dead(&mut self) {
        if self.slots.len() < self.slots_max {
            return;
        }
        self.slots.retain(|_, slots| {
            slots.retain(|slot| slot.strong_count() > 0);
            !slots.is_empty()
        });
        self.slots_max = self.slots.len() * 2 + 64;
    }

    /// Closes the least recently used file if too many are open.
    fn make_room(&mut self) {
        if self.open.get() < self.open_max {
            return;
        }
        let slots = self.slots.values().flatten().filter_map(Weak::upgrade);
        let closable =
            slots.filter(|slot| slot.is_open() && !slot.pinned.get() && !slot.dirty.get());
        if let Some(slot) = closable.min_by_key(|slot| slot.used.get()) {
            slot.close();
        }
    }

    /// Runs `action` on a slot's file, opening it again if it was closed.
    pub fn with<T>(
        pool: &RefCell<Pool>,
        slot: &Slot,
        action: impl FnOnce(&File) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut pool = pool.borrow_mut();
        slot.used.set(pool.tick());
        if !slot.is_open() {
            pool.make_room();
            slot.reopen()?;
        }
        drop(pool);
        match &*slot.file.borrow() {
            Some(file) => action(file),
            None => Err(io::Error::other("the file was closed while it was in use")),
        }
    }

    /// Before a path loses its file: opens it for the blobs on it, and keeps it open as long as they live.
    pub fn detach(&mut self, path: &str) -> io::Result<()> {
        for slot in self.take(path) {
            if !slot.is_open() {
                match slot.reopen() {
                    // Another process took it before; the blob's next use says so.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    done => done?,
                }
            }
            slot.pinned.set(true);
        }
        Ok(())
    }

    /// After a rename: the blobs on the file know its new path.
    pub fn renamed(&mut self, from: &str, to: &str, full: &Path) {
        let slots = self.take(from);
        for slot in &slots {
            *slot.path.borrow_mut() = full.to_path_buf();
        }
        self.slots
            .insert(to.to_string(), slots.iter().map(Rc::downgrade).collect());
    }

    fn take(&mut self, path: &str) -> Vec<Rc<Slot>> {
        self.slots
            .remove(path)
            .unwrap_or_default()
            .iter()
            .filter_map(Weak::upgrade)
            .collect()
    }
}

/// Reads until `buf` is full or the file ends.
pub fn read_at(file: &File, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(space) = buf.get_mut(filled..).filter(|space| !space.is_empty()) {
        match read_some(file, offset + filled as u64, space) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(unix)]
fn read_some(file: &File, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buf, offset)
}

#[cfg(not(unix))]
fn read_some(mut file: &File, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
    use std::io::{Read, Seek, SeekFrom};
    file.seek(SeekFrom::Start(offset))?;
    file.read(buf)
}

/// Writes all of `bytes` at `offset`.
#[cfg(unix)]
pub fn write_at(file: &File, offset: u64, bytes: &[u8]) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, offset)
}

/// Writes all of `bytes` at `offset`.
#[cfg(not(unix))]
pub fn write_at(mut file: &File, offset: u64, bytes: &[u8]) -> io::Result<()> {
    use std::io::{Seek, SeekFrom, Write};
    file.seek(SeekFrom::Start(offset))?;
    file.write_all(bytes)
}
