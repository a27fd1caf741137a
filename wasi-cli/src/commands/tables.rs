//! `driftdb tables`: the tables of a database.

use crate::args::Tables;
use crate::errors::Result;
use crate::output;

/// Runs SHOW TABLES.
pub fn run(tables: Tables) -> Result<()> {
    let text = "SHOW TABLES".to_owned();
    let format = output::format_or_default(tables.output.format);
    super::one_statement(tables.dir.dir, None, format, text)
}
