//! `driftdb describe`: a table's key, indexes, size and history.

use crate::args::Describe;
use crate::errors::Result;
use crate::output;

/// Runs DESCRIBE.
pub fn run(describe: Describe) -> Result<()> {
    let text = format!("DESCRIBE {}", super::quoted(&describe.table));
    let format = output::format_or_default(describe.output.format);
    super::one_statement(describe.dir.dir, None, format, text)
}
