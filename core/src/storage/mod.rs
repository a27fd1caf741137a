//! The storage seam: everything the engine asks of a platform, and the store in memory.

mod blob;

pub use blob::{Access, Blob, Lock, Store, Synced};
