//! Stores over what JavaScript hands in.

mod files;

pub use files::{Files, FilesStore};
