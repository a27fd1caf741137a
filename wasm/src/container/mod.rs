//! The container: all blobs of a database as extents of one random-access file, with a catalogue of its own.
//!
//! Browsers open a file asynchronously, and few at a time; a [`Container`] is a [`Store`] whose blobs are created, removed and replaced by synchronous
//! writes to the one file that is open. A commit costs one flush of it, over however many blobs. docs/FORMAT.md states the bytes.

mod batch;
mod blob;
mod bytes;
mod catalogue;
mod compact;
mod file;
mod lock;
mod node;
mod slot;
mod space;
mod state;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use driftdb_core::storage::{Access, Blob, Lock, LockState, Store, Synced};
use driftdb_core::{Code, Error, Result};

pub use file::File;

use blob::ContainerBlob;
use file::Device;
use lock::ContainerLock;
use node::{Body, Content, Node};
use state::State;

/// Small files that are replaced whole lie in the catalogue itself up to this length.
const INLINE_BYTES_MAX: usize = 2048;

/// An open container; clones share it.
#[derive(Clone)]
pub struct Container {
    state: Rc<RefCell<State>>,
    locked: Rc<Cell<bool>>,
}

impl Container {
    /// Opens the container in a file that nobody else has open, or makes one in an empty file. Errors call the file `name`.
    /// # Errors
    /// Corrupt, naming the file and the offset, if the catalogue is damaged: nothing was changed then.
    pub fn open(file: Box<dyn File>, name: &str) -> Result<Container> {
        let state = State::open(Device::new(file, name)?)?;
        Ok(Container {
            state: Rc::new(RefCell::new(state)),
            locked: Rc::default(),
        })
    }

    /// Brings the catalogue up to date, gives back what room it can and cuts the file: after the database is closed. A container that
    /// was not closed is as good, only larger.
    pub fn close(&self) -> Result<()> {
        self.state.borrow_mut().close()
    }

    /// How long the file is, and how many bytes of it are free.
    pub fn room(&self) -> (u64, u64) {
        let state = self.state.borrow();
        (state.device.len(), state.space.free() * space::PAGE)
    }
}

impl Store for Container {
    fn lock(&self) -> Result<Box<dyn Lock>> {
        Ok(Box::new(ContainerLock::take(self, &self.locked)?))
    }

    fn lock_state(&self) -> Result<LockState> {
        Ok(match self.locked.get() {
            true => LockState::Held,
            false => LockState::Free(lock::epoch(self)?),
        })
    }

    fn list(&self, dir: &str) -> Result<Vec<String>> {
        let prefix = match dir {
            "" => String::new(),
            dir => format!("{dir}/"),
        };
        let state = self.state.borrow();
        let mut names: Vec<String> = Vec::new();
        let mut from = prefix.clone();
        while let Some((path, _)) = state.nodes.from(&from).next() {
            let Some(rest) = path.strip_prefix(&prefix) else {
                break;
            };
            let name = rest.split('/').next().unwrap_or(rest);
            // '0' follows '/': all of a directory is passed over at once. What follows a file is its path and a zero byte.
            from = match name.len() < rest.len() {
                true => format!("{prefix}{name}0"),
                false => format!("{path}\0"),
            };
            names.push(name.to_string());
        }
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    fn open(&self, path: &str, access: Access) -> Result<Option<Box<dyn Blob>>> {
        let node = self.state.borrow().nodes.get(path).map(Rc::clone);
        Ok(node.map(|node| self.blob(node, access)))
    }

    fn create(&self, path: &str) -> Result<Box<dyn Blob>> {
        let mut state = self.state.borrow_mut();
        state.writable()?;
        if state.nodes.contains_key(path) {
            return Err(Error::new(Code::Io, "the file exists already").in_file(path, None));
        }
        let node = Node::new(path, Body::new(Content::Pages(Vec::new()), 0));
        state.link(path, &node);
        drop(state);
        Ok(self.blob(node, Access::Write))
    }

    fn remove(&self, path: &str) -> Result<()> {
        let mut state = self.state.borrow_mut();
        state.writable()?;
        state.unlink(path);
        Ok(())
    }

    fn rename(&self, from: &str, to: &str) -> Result<()> {
        let mut state = self.state.borrow_mut();
        state.writable()?;
        let Some(node) = state.nodes.get(from).map(Rc::clone) else {
            let message = "the file to rename is not there";
            return Err(Error::new(Code::FileMissing, message).in_file(from, None));
        };
        if from != to {
            state.rename(&node, to);
        }
        state.commit(&node)
    }

    fn replace(&self, path: &str, bytes: &[u8]) -> Result<Synced> {
        let mut state = self.state.borrow_mut();
        state.writable()?;
        let node = match bytes.len() <= INLINE_BYTES_MAX {
            true => Node::new(
                path,
                Body::new(Content::Inline(bytes.to_vec()), bytes.len() as u64),
            ),
            false => state.written(bytes)?,
        };
        state.link(path, &node);
        state.commit(&node)?;
        Ok(Synced::Durable)
    }

    fn read(&self, path: &str) -> Result<Option<Vec<u8>>> {
        let state = self.state.borrow();
        let Some(node) = state.nodes.get(path) else {
            return Ok(None);
        };
        let len = node.body.borrow().len;
        let mut bytes = vec![0; usize::try_from(len).unwrap_or(0)];
        let count = state.read(node, 0, &mut bytes)?;
        bytes.truncate(count);
        Ok(Some(bytes))
    }
}

impl Container {
    fn blob(&self, node: Rc<Node>, access: Access) -> Box<dyn Blob> {
        Box::new(ContainerBlob::new(&self.state, node, access))
    }
}
