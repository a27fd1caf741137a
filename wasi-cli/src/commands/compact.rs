//! `driftdb compact`: drops a table's history, or what is older than a point.

use driftdb_core::value::Value;

use crate::args::{Compact, Format};
use crate::errors::Result;

/// Runs COMPACT and says what it dropped.
pub fn run(compact: Compact) -> Result<()> {
    let mut text = format!("COMPACT {}", super::quoted(&compact.table));
    if let Some(point) = compact.keep_since {
        text += &format!(" KEEP SINCE {}", Value::Str(point));
    }
    super::one_statement(compact.dir.dir, Some(compact.lock), Format::Table, text)
}
