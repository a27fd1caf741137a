//! `driftdb export`: a table's rows to a file or standard output.

use std::ffi::OsStr;
use std::path::Path;

use driftdb_core::ql::Params;

use super::select;
use crate::args::{Export, Format};
use crate::errors::{Result, Script};
use crate::output::Target;
use crate::session::{Session, Settings};

/// Writes the rows.
pub fn run(export: Export) -> Result<()> {
    let format = export
        .format
        .unwrap_or_else(|| by_name(export.output.as_deref()));
    let mut text = select::statement(&export.table, &export.filter);
    select::end(&mut text, &export.filter);
    let script = Script {
        name: "the statement".into(),
        text,
        first_line: 1,
    };
    let mut session = Session::open(export.dir.dir, false, format, Settings::default())?;
    let mut target = Target::open(export.output.as_deref())?;
    session.run_script_to(&script, &Params::none(), target.writer())?;
    target.finish()
}

fn by_name(path: Option<&Path>) -> Format {
    let extension = path.and_then(Path::extension).and_then(OsStr::to_str);
    match extension.map(str::to_ascii_lowercase).as_deref() {
        Some("json") => Format::Json,
        Some("csv") => Format::Csv,
        _ => Format::Jsonl,
    }
}
