//! What all tables of an open database share.

use alloc::rc::Rc;

use crate::error::{Code, Error, Result};
use crate::options::Options;
use crate::sorted::BlockCache;
use crate::storage::{Latch, Store};

/// The store, the writer's latch, and what goes with them.
pub struct Env {
    /// Where the files are.
    pub store: Rc<dyn Store>,
    /// The writer's lock and latch; a reader has none.
    pub latch: Option<Rc<Latch>>,
    /// Sizes and thresholds.
    pub options: Options,
    /// Decoded blocks of all tables.
    pub cache: Rc<BlockCache>,
}

impl Env {
    /// Whether this is a writer.
    pub fn writes(&self) -> bool {
        self.latch.is_some()
    }

    /// The latch, through which every write goes.
    pub fn latch(&self) -> Result<&Rc<Latch>> {
        self.latch
            .as_ref()
            .ok_or_else(|| Error::new(Code::ReadOnly, "the database is open for reading only"))
    }
}
