//! DriftDB's engine: an embedded, append-only document database in which every query can be asked of any moment of the past.
//!
//! Layers, each using only those above it in this list:
//! [`error`], [`limits`], [`time`], [`value`]; [`storage`]; [`log`]; [`sorted`]; [`table`]; [`ql`]; [`db`].
//! The engine has no clock, no randomness, no threads and no I/O of its own: the host hands in a
//! [`storage::Store`] and the time of every write.
#![no_std]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

pub mod crc;
pub mod db;
pub mod error;
pub mod flat;
pub mod limits;
pub mod log;
pub mod options;
pub mod ql;
pub mod sorted;
pub mod storage;
pub mod table;
pub mod time;
pub mod value;
pub mod varint;

pub use error::{Code, Error, Place, Result, Span};
