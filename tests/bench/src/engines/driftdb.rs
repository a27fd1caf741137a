//! DriftDB through its own API, on real files.

use super::{Engine, Outcome};
use crate::workload::Event;
use std::path::Path;

/// Opens or makes the database.
pub fn open(_dir: &Path) -> Outcome<Box<dyn Engine>> {
    Err("not yet".into())
}

/// Makes a database of `tables` tables of these orders, each with an index.
pub fn many(_dir: &Path, _tables: usize, _batch: &[Event]) -> Outcome<()> {
    Err("not yet".into())
}
