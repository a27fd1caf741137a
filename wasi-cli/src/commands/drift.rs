//! `driftdb drift`: the history of one row.

use crate::args::Drift;
use crate::errors::Result;
use crate::{options, output};

/// Runs SHOW DRIFT.
pub fn run(drift: Drift) -> Result<()> {
    let key = options::key(&drift.key)?;
    let text = format!("SHOW DRIFT {} KEY {key}", super::quoted(&drift.table));
    let format = output::format_or_default(drift.output.format);
    super::one_statement(drift.dir.dir, None, format, text)
}
