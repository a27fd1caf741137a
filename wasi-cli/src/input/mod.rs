//! Rows on their way in: one [`Rows`] a format, over a file or standard input.

mod csv;
mod json;
mod jsonl;
mod source;

use driftdb_core::Error;
use driftdb_core::value::Object;

use crate::args::{Import, InputFormat};
use crate::errors::{Failure, Result};

pub use jsonl::Lines;
pub use source::Source;

/// The longest text of one row or line, in bytes: no document is larger, however it is written.
pub const ROW_BYTES_MAX: usize = 128 << 20;

/// The rows of an input, one after the other.
pub trait Rows {
    /// The next row and the line on which it starts, counted from 1.
    fn next(&mut self) -> Result<Option<(u64, Object)>>;

    /// How many bytes of the input have been read.
    fn bytes(&self) -> u64;

    /// The failure of a row that was read but could not be written.
    fn blame(&self, line: u64, failure: Failure) -> Failure;
}

/// The rows of the file that `import` names, and the file's size if it is known.
pub fn open(import: &Import) -> Result<(Box<dyn Rows>, Option<u64>)> {
    let source = Source::open(&import.file)?;
    let size = source.size();
    let rows: Box<dyn Rows> = match import.format.unwrap_or_else(|| by_name(&source)) {
        InputFormat::Jsonl => Box::new(jsonl::JsonLines::new(source)),
        InputFormat::Json => Box::new(json::JsonArray::new(source)),
        InputFormat::Csv => Box::new(csv::CsvRows::new(source, import.delimiter, import.strings)?),
    };
    Ok((rows, size))
}

fn by_name(source: &Source) -> InputFormat {
    let name = source.name().to_ascii_lowercase();
    match name.rsplit('.').next() {
        Some("json") => InputFormat::Json,
        Some("csv") => InputFormat::Csv,
        _ => InputFormat::Jsonl,
    }
}

/// A failure of a row: what has no place yet gets the input's name and the row's line.
fn blame(name: &str, line: u64, failure: Failure) -> Failure {
    match failure {
        Failure::Error {
            error,
            script: None,
        } => {
            let message = format!("{name}, line {line}: {}", error.message());
            let blamed = Error::new(error.code(), message);
            match error.hint_text() {
                Some(hint) => blamed.hint(hint).into(),
                None => blamed.into(),
            }
        }
        other => other,
    }
}
