//! `driftdb snapshot`: writes a table's state to a file that makes later scans fast.

use crate::args::{Format, Snapshot};
use crate::errors::Result;

/// Runs SNAPSHOT and says what it did.
pub fn run(snapshot: Snapshot) -> Result<()> {
    let text = format!("SNAPSHOT {}", super::quoted(&snapshot.table));
    super::one_statement(snapshot.dir.dir, Some(snapshot.lock), Format::Table, text)
}
