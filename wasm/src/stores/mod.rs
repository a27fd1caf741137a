//! Stores over what JavaScript hands in.

mod files;
mod handle;
mod records;

pub use files::{Files, FilesStore};
pub use handle::{Handle, HandleFile};
pub use records::{Changes, Records};
