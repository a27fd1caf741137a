//! Rows on their way out: one [`Sink`] a format.

mod csv;
mod json;
mod table;
mod target;

use std::io::{self, IsTerminal, Write};

use driftdb_core::db::{Rows, Step};
use driftdb_core::value::{Object, Value};

use crate::args::Format;
use crate::errors::Result;
use crate::interrupt;

pub use target::Target;

/// Where the rows of one statement go.
pub trait Sink {
    /// Comes first; the columns if they are known before the rows are.
    fn begin(&mut self, columns: Option<&[String]>) -> Result<()>;
    /// One row.
    fn row(&mut self, row: Object) -> Result<()>;
    /// Comes last.
    fn end(&mut self) -> Result<()>;
}

/// The format that is asked for, or the default: a table for people, JSON Lines for programs.
pub fn format_or_default(asked: Option<Format>) -> Format {
    match asked {
        Some(format) => format,
        None if io::stdout().is_terminal() => Format::Table,
        None => Format::Jsonl,
    }
}

/// A sink that writes to `out`.
pub fn sink<'a>(format: Format, out: &'a mut dyn Write) -> Box<dyn Sink + 'a> {
    match format {
        Format::Table => Box::new(table::Table::new(out, terminal_width())),
        Format::Json => Box::new(json::Array::new(out)),
        Format::Jsonl => Box::new(json::Lines::new(out)),
        Format::Csv => Box::new(csv::Csv::new(out)),
    }
}

/// Writes all rows of a statement.
pub fn rows(
    mut rows: Rows,
    columns: Option<&[String]>,
    format: Format,
    out: &mut dyn Write,
) -> Result<()> {
    let mut sink = sink(format, out);
    sink.begin(columns)?;
    while let Some(row) = next_row(&mut rows)? {
        sink.row(row)?;
    }
    sink.end()
}

/// The next row of a statement, unless a signal comes first.
pub fn next_row(rows: &mut Rows) -> Result<Option<Object>> {
    loop {
        interrupt::check()?;
        match rows.step()? {
            Step::Item(row) => return Ok(Some(row)),
            Step::Pause => {}
            Step::Done => return Ok(None),
        }
    }
}

/// Standard output, buffered.
pub fn stdout() -> io::BufWriter<io::StdoutLock<'static>> {
    io::BufWriter::with_capacity(64 << 10, io::stdout().lock())
}

/// How many columns the terminal has; `None` if standard output is none.
fn terminal_width() -> Option<u16> {
    if !io::stdout().is_terminal() {
        return None;
    }
    let size = terminal_size::terminal_size();
    Some(size.map_or(80, |(width, _)| width.0.max(20)))
}

/// The columns of rows that name their own members, in the order in which they come up.
#[derive(Debug, Default)]
pub struct Columns {
    names: Vec<String>,
}

impl Columns {
    /// Adds the members of a row.
    pub fn add(&mut self, row: &Object) {
        for (name, _) in row.iter() {
            if !self.names.iter().any(|known| known == name) {
                self.names.push(name.to_owned());
            }
        }
    }

    /// The names found.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The names found.
    pub fn into_names(self) -> Vec<String> {
        self.names
    }
}

/// A value as it stands in a cell: strings without quotes, the rest as JSON, a missing member empty.
fn cell(value: Option<&Value>) -> String {
    match value {
        None => String::new(),
        Some(Value::Str(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}
