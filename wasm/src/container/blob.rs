//! A container's blobs as the engine holds them.

use std::cell::RefCell;
use std::rc::Rc;

use driftdb_core::storage::{Access, Blob, Synced};
use driftdb_core::{Code, Error, Result};

use super::node::Node;
use super::state::State;

/// An open blob.
pub(super) struct ContainerBlob {
    state: Rc<RefCell<State>>,
    node: Rc<Node>,
    writable: bool,
}

impl ContainerBlob {
    pub fn new(state: &Rc<RefCell<State>>, node: Rc<Node>, access: Access) -> ContainerBlob {
        let writable = access == Access::Write;
        node.writers.set(node.writers.get() + u32::from(writable));
        ContainerBlob {
            state: Rc::clone(state),
            node,
            writable,
        }
    }

    fn writable(&self) -> Result<()> {
        match self.writable {
            true => Ok(()),
            false => Err(
                Error::new(Code::ReadOnly, "the file is open for reading only")
                    .in_file(self.node.path.borrow().as_str(), None),
            ),
        }
    }
}

impl Drop for ContainerBlob {
    fn drop(&mut self) {
        if !self.writable {
            return;
        }
        self.node
            .writers
            .set(self.node.writers.get().saturating_sub(1));
        if let (0, Ok(mut state)) = (self.node.writers.get(), self.state.try_borrow_mut()) {
            state.idle(&self.node);
        }
    }
}

impl Blob for ContainerBlob {
    fn len(&self) -> Result<u64> {
        Ok(self.node.body.borrow().len)
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize> {
        self.state.borrow().read(&self.node, offset, buf)
    }

    fn append(&mut self, end: u64, bytes: &[u8]) -> Result<()> {
        self.writable()?;
        self.state.borrow_mut().append(&self.node, end, bytes)
    }

    fn reserve(&mut self, len: u64) -> Result<()> {
        self.writable()?;
        self.state.borrow_mut().reserve(&self.node, len)
    }

    fn sync(&mut self) -> Result<Synced> {
        self.state.borrow_mut().sync(&self.node)?;
        Ok(Synced::Durable)
    }

    fn truncate(&mut self, len: u64) -> Result<()> {
        self.writable()?;
        self.state.borrow_mut().truncate(&self.node, len)
    }
}
