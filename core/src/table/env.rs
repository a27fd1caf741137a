//! What all tables of an open database share.

use alloc::rc::Rc;

use crate::options::Options;
use crate::sorted::BlockCache;
use crate::storage::{Latch, Lock, Store};

/// The store, the writer's lock, and what goes with them.
pub struct Env {
    /// Where the files are.
    pub store: Rc<dyn Store>,
    /// The writer's lock; a reader has none.
    pub lock: Option<Rc<dyn Lock>>,
    /// Stops all writing after the first failure.
    pub latch: Latch,
    /// Sizes and thresholds.
    pub options: Options,
    /// Decoded blocks of all tables.
    pub cache: Rc<BlockCache>,
}

impl Env {
    /// Whether this is a writer.
    pub fn writes(&self) -> bool {
        self.lock.is_some()
    }
}
