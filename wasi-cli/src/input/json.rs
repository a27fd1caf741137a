//! One JSON array of objects, read element by element.

use driftdb_core::value::{Object, json};
use driftdb_core::{Code, Error};

use super::jsonl::{object, place_in};
use super::source::Source;
use super::{ROW_BYTES_MAX, Rows, blame};
use crate::errors::{Failure, Result};

/// The elements of an array.
pub struct JsonArray {
    source: Source,
    line: u64,
    state: State,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    /// Before `[`.
    Start,
    /// After `[`: an element or `]`.
    First,
    /// After an element: `,` or `]`.
    After,
    /// After `]`.
    Done,
}

impl JsonArray {
    /// Rows from `source`.
    pub fn new(source: Source) -> Self {
        JsonArray {
            source,
            line: 1,
            state: State::Start,
        }
    }

    /// The next byte that is not white space, left unread.
    fn peek(&mut self) -> Result<Option<u8>> {
        loop {
            let Some(byte) = self.source.fill()?.first().copied() else {
                return Ok(None);
            };
            match byte {
                b'\n' => self.line += 1,
                b' ' | b'\t' | b'\r' => {}
                other => return Ok(Some(other)),
            }
            self.source.consume(1);
        }
    }

    /// Goes to the next element; false at the array's end.
    fn advance(&mut self) -> Result<bool> {
        if self.state == State::Start {
            self.open()?;
        }
        if self.state == State::Done {
            return Ok(false);
        }
        match (self.state, self.peek()?) {
            (_, None) => Err(self.fail("the array does not end")),
            (_, Some(b']')) => {
                self.source.consume(1);
                self.state = State::Done;
                match self.peek()? {
                    None => Ok(false),
                    Some(_) => Err(self.fail("there is more after the array's end")),
                }
            }
            (State::After, Some(b',')) => {
                self.source.consume(1);
                self.peek()?;
                Ok(true)
            }
            (State::After, Some(_)) => Err(self.fail("',' or ']' is expected between rows")),
            _ => Ok(true),
        }
    }

    /// Reads the `[`.
    fn open(&mut self) -> Result<()> {
        for byte in *b"\xef\xbb\xbf" {
            if self.source.fill()?.first() == Some(&byte) {
                self.source.consume(1);
            }
        }
        match self.peek()? {
            Some(b'[') => {
                self.source.consume(1);
                self.state = State::First;
                Ok(())
            }
            Some(b'{') => {
                let message = "a JSON array is expected, and this is an object";
                let error = Error::new(Code::InvalidInput, message);
                let error = error.hint("for one object a line, say --format jsonl");
                Err(self.blame(self.line, error.into()))
            }
            _ => Err(self.fail("a JSON array is expected")),
        }
    }

    /// The bytes of one element, up to the `,` or `]` that ends it.
    fn element(&mut self) -> Result<Vec<u8>> {
        let mut text = Vec::new();
        let mut scan = Scan::default();
        loop {
            let bytes = self.source.fill()?;
            let end = bytes.iter().position(|byte| scan.ends(*byte));
            let taken = end.unwrap_or(bytes.len());
            text.extend_from_slice(bytes.get(..taken).unwrap_or_default());
            self.source.consume(taken);
            if text.len() > ROW_BYTES_MAX {
                let message = format!("a row is longer than {ROW_BYTES_MAX} bytes");
                let error = Error::new(Code::Limit, message);
                return Err(self.blame(self.line, error.into()));
            }
            match end {
                Some(_) => return Ok(text),
                None if taken == 0 => return Err(self.fail("the array does not end")),
                None => {}
            }
        }
    }

    fn fail(&self, message: &str) -> Failure {
        let error = Error::new(Code::InvalidInput, message);
        self.blame(self.line, error.into())
    }
}

/// Finds the end of an element without reading it: only strings and nesting matter.
#[derive(Default)]
struct Scan {
    depth: usize,
    string: bool,
    escape: bool,
}

impl Scan {
    /// Whether this byte comes after the element.
    fn ends(&mut self, byte: u8) -> bool {
        if self.string {
            match byte {
                _ if self.escape => self.escape = false,
                b'\\' => self.escape = true,
                b'"' => self.string = false,
                _ => {}
            }
            return false;
        }
        match byte {
            b',' | b']' | b'}' if self.depth == 0 => return true,
            b'"' => self.string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth -= 1,
            _ => {}
        }
        false
    }
}

impl Rows for JsonArray {
    fn next(&mut self) -> Result<Option<(u64, Object)>> {
        if !self.advance()? {
            return Ok(None);
        }
        let line = self.line;
        let bytes = self.element()?;
        self.line += bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.state = State::After;
        let Ok(text) = str::from_utf8(&bytes) else {
            let error = Error::new(Code::InvalidInput, "the row is not UTF-8");
            return Err(self.blame(line, error.into()));
        };
        match json::parse(text).and_then(object) {
            Ok(row) => Ok(Some((line, row))),
            Err(error) => Err(place_in(self.source.name(), line, text, error)),
        }
    }

    fn bytes(&self) -> u64 {
        self.source.bytes()
    }

    fn blame(&self, line: u64, failure: Failure) -> Failure {
        blame(self.source.name(), line, failure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Result<Vec<(u64, String)>, String> {
        let mut rows = JsonArray::new(Source::text(text));
        let mut all = Vec::new();
        while let Some((line, row)) = rows.next().map_err(|failure| format!("{failure:?}"))? {
            all.push((line, row.to_string()));
        }
        let end = rows.next();
        assert!(end.is_ok_and(|row| row.is_none()), "the end stays the end");
        Ok(all)
    }

    #[test]
    fn elements_come_with_their_lines() {
        let text = "\u{feff}\n[\n {\"a\": \"],}\\\"[\",\n\"b\":[[{}]]} , {\"c\":1}\n,\n{}]\n";
        let found = rows(text).unwrap();
        let lines: Vec<_> = found.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [3, 4, 6]);
        assert_eq!(found[0].1, r#"{"a":"],}\"[","b":[[{}]]}"#);
        assert_eq!(rows(" [ ] ").unwrap(), []);
    }

    #[test]
    fn what_is_no_array_of_objects_is_an_error() {
        for (text, says) in [
            ("", "array is expected"),
            ("{\"a\":1}\n", "this is an object"),
            ("[{}", "does not end"),
            ("[{},\n{\"a\":1", "line 2"),
            ("[{} {}]", "expected the end"),
            ("[{}}", "between rows"),
            ("[{},]", ""),
            ("[,{}]", ""),
            ("[{}] x", "more after"),
            ("[{},\n\n1]", "line 3"),
            ("[{},\n\n{\"a\":}]", "first_line: 3"),
        ] {
            let error = rows(text).unwrap_err();
            assert!(error.contains(says), "{text}: {error}");
        }
    }
}
