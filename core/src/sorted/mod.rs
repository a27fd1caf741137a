//! The sorted file: one immutable, checksummed kind of file for snapshots and all indexes.
//!
//! Entries in key order lie in blocks ([`Builder`] writes them); a tree of index blocks leads to them, a bloom filter over key
//! prefixes says early what is not there, and a footer says what the file is. [`SortedTable`] reads it through a [`BlockCache`]; a
//! [`Cursor`] walks it; [`Merge`] reads several as one. docs/FORMAT.md states every byte.

mod block;
mod builder;
mod cache;
mod check;
mod codec;
mod cursor;
mod filter;
mod footer;
mod identity;
mod merge;
mod open;
mod table;

#[cfg(test)]
mod tests;

pub(crate) use block::common_prefix;
pub use block::{ENTRY_KEY_BYTES_MAX, ENTRY_VALUE_BYTES_MAX};
pub use builder::{Builder, Built, Options};
pub use cache::BlockCache;
pub use check::Check;
pub use cursor::{Cursor, Reading};
pub use footer::EXTRA_BYTES_MAX;
pub use identity::{Identity, Kind};
pub use merge::{Merge, Source};
pub use table::SortedTable;
