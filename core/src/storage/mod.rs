//! The storage seam: everything the engine asks of a platform, the latch that guards all writing, and the store in memory.

mod blob;
mod latch;
mod memory;

pub use blob::{Access, Blob, CONFLICT_BYTES, Lock, LockState, Store, Synced};
pub use latch::Latch;
pub use memory::MemoryStore;
