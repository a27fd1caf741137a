//! A file of a fault store as the random-access file under a container, and stores as an engine sees them.

use std::cell::RefCell;
use std::rc::Rc;

use driftdb_core::Result;
use driftdb_core::storage::Store;
use driftdb_wasm::container::{Container, File};

use super::FaultStore;
use super::disk::{CONTAINER, Disk};

/// The one file of a packed store, under the same faults and crashes as any other.
pub struct PackedFile {
    disk: Rc<RefCell<Disk>>,
    id: usize,
}

impl File for PackedFile {
    fn size(&self) -> Result<u64> {
        let disk = self.disk.borrow();
        disk.alive()?;
        Ok(disk.live(self.id).len() as u64)
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize> {
        self.disk
            .borrow_mut()
            .read_at(self.id, CONTAINER, offset, buf)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<usize> {
        self.disk
            .borrow_mut()
            .write_at(self.id, CONTAINER, offset, bytes)
    }

    fn truncate(&self, len: u64) -> Result<()> {
        self.disk.borrow_mut().set_len(self.id, CONTAINER, len)
    }

    fn flush(&self) -> Result<()> {
        self.disk.borrow_mut().sync(self.id, CONTAINER)
    }
}

impl FaultStore {
    /// The file of the container.
    pub fn packed_file(&self) -> PackedFile {
        let disk = Rc::clone(&self.0);
        let id = disk.borrow_mut().container();
        PackedFile { disk, id }
    }

    /// The container in it, opened anew.
    pub fn container(&self) -> Result<Container> {
        Container::open(Box::new(self.packed_file()), CONTAINER)
    }
}

/// Something that an engine can be opened on.
pub trait Mount {
    /// The store, and the container that it is, if it is one: that is closed after the database.
    fn mount(&self) -> Result<(Rc<dyn Store>, Option<Container>)>;

    /// Whether a scripted fault has happened.
    fn has_failed(&self) -> bool {
        false
    }
}

impl Mount for FaultStore {
    fn mount(&self) -> Result<(Rc<dyn Store>, Option<Container>)> {
        if !self.is_packed() {
            return Ok((Rc::new(self.clone()), None));
        }
        let container = self.container()?;
        Ok((Rc::new(container.clone()), Some(container)))
    }

    fn has_failed(&self) -> bool {
        FaultStore::has_failed(self)
    }
}

impl Mount for driftdb_core::storage::MemoryStore {
    fn mount(&self) -> Result<(Rc<dyn Store>, Option<Container>)> {
        Ok((Rc::new(self.clone()), None))
    }
}
