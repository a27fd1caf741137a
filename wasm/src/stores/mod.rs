//! Stores over what JavaScript hands in.

mod files;
mod handle;

pub use files::{Files, FilesStore};
pub use handle::{Handle, HandleFile};
