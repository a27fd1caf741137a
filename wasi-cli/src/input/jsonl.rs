//! JSON Lines: an object a line; blank lines are skipped.

use driftdb_core::value::{Object, Value, json};
use driftdb_core::{Code, Error, Place, Result as CoreResult};

use super::source::Source;
use super::{ROW_BYTES_MAX, Rows, blame};
use crate::errors::{Failure, Result, Script};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The lines of a text.
pub struct Lines {
    source: Source,
    buffer: Vec<u8>,
    line: u64,
}

impl Lines {
    /// The lines of `source`; a byte order mark at its start is skipped.
    pub fn new(source: Source) -> Self {
        Lines {
            source,
            buffer: Vec::new(),
            line: 0,
        }
    }

    /// How many bytes of the input have been read.
    pub fn bytes(&self) -> u64 {
        self.source.bytes()
    }

    /// The next line that is not blank, read by `parse`, with its number; an error of `parse` shows the line.
    pub fn next<T>(&mut self, parse: impl Fn(&str) -> CoreResult<T>) -> Result<Option<(u64, T)>> {
        loop {
            if !self.read_line()? {
                return Ok(None);
            }
            if !self.buffer.iter().all(u8::is_ascii_whitespace) {
                break;
            }
        }
        let text = match str::from_utf8(&self.buffer) {
            Ok(text) => text.trim_end_matches(['\n', '\r']),
            Err(error) => {
                let message = format!("byte {} is not UTF-8", error.valid_up_to() + 1);
                return Err(self.fail(Code::InvalidInput, message));
            }
        };
        match parse(text) {
            Ok(parsed) => Ok(Some((self.line, parsed))),
            Err(error) => Err(place_in(self.source.name(), self.line, text, error)),
        }
    }

    /// The failure of the line with this number.
    pub fn blame(&self, line: u64, failure: Failure) -> Failure {
        blame(self.source.name(), line, failure)
    }

    /// Reads a line into the buffer, its line break included; false at the end.
    fn read_line(&mut self) -> Result<bool> {
        self.buffer.clear();
        loop {
            let bytes = self.source.fill()?;
            let end = bytes.iter().position(|byte| *byte == b'\n');
            let taken = end.map_or(bytes.len(), |at| at + 1);
            self.buffer
                .extend_from_slice(bytes.get(..taken).unwrap_or_default());
            self.source.consume(taken);
            if self.buffer.len() > ROW_BYTES_MAX {
                self.line += 1;
                let message = format!("longer than {ROW_BYTES_MAX} bytes");
                return Err(self.fail(Code::Limit, message));
            }
            if end.is_some() || taken == 0 {
                break;
            }
        }
        if self.line == 0 && self.buffer.starts_with(BYTE_ORDER_MARK) {
            self.buffer.drain(..BYTE_ORDER_MARK.len());
        }
        self.line += 1;
        Ok(!self.buffer.is_empty())
    }

    fn fail(&self, code: Code, message: String) -> Failure {
        self.blame(self.line, Error::new(code, message).into())
    }
}

/// An error in a text that stands in an input from `line` on: shown with the text, if it says where in it.
pub fn place_in(name: &str, line: u64, text: &str, error: Error) -> Failure {
    if !matches!(error.place(), Place::Text(_)) {
        return blame(name, line, error.into());
    }
    let script = Script {
        name: name.to_owned(),
        text: text.to_owned(),
        first_line: line,
    };
    Failure::from(error).of_script(&script)
}

/// The rows of JSON Lines.
pub struct JsonLines(Lines);

impl JsonLines {
    /// Rows from `source`.
    pub fn new(source: Source) -> Self {
        JsonLines(Lines::new(source))
    }
}

impl Rows for JsonLines {
    fn next(&mut self) -> Result<Option<(u64, Object)>> {
        self.0.next(|text| object(json::parse(text)?))
    }

    fn bytes(&self) -> u64 {
        self.0.bytes()
    }

    fn blame(&self, line: u64, failure: Failure) -> Failure {
        self.0.blame(line, failure)
    }
}

/// A row must be an object.
pub fn object(value: Value) -> CoreResult<Object> {
    match value {
        Value::Object(object) => Ok(object),
        other => {
            let message = format!("a row must be a JSON object, not {}", other.kind());
            Err(Error::new(Code::InvalidInput, message))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &[u8]) -> Result<Vec<(u64, String)>, String> {
        let mut rows = JsonLines::new(Source::text(text));
        let mut all = Vec::new();
        while let Some((line, row)) = rows.next().map_err(|failure| format!("{failure:?}"))? {
            all.push((line, row.to_string()));
        }
        Ok(all)
    }

    #[test]
    fn lines_are_counted_blank_ones_too() {
        let found = rows(b"\xef\xbb\xbf{\"a\": 1}\r\n\n  \n{\"b\":2}").unwrap();
        assert_eq!(found, [(1, "{\"a\":1}".into()), (4, "{\"b\":2}".into())]);
        assert_eq!(rows(b"").unwrap(), []);
    }

    #[test]
    fn a_bad_line_is_named() {
        assert!(rows(b"{}\n[1]\n").unwrap_err().contains("line 2"));
        let not_utf8 = rows(b"{}\n\n{\"a\":\xff}\n").unwrap_err();
        assert!(not_utf8.contains("line 3"), "{not_utf8}");
        let no_value = rows(b"{}\n{\"a\":}\n").unwrap_err();
        assert!(no_value.contains("first_line: 2"), "{no_value}");
    }
}
