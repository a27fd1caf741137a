//! Reading JSON by descent, with the place of every error.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::number;
use super::string::unescape;
use crate::error::{Code, Error, Place, Result, Span};
use crate::limits::NESTING_MAX;
use crate::value::{Object, Value};

/// Reads a text that is one JSON value.
///
/// # Errors
/// With the span in the text: [`Code::Syntax`], also for two members of one name; [`Code::OutOfRange`] for a number that cannot be
/// held; [`Code::Limit`] for more than [`NESTING_MAX`] levels.
pub fn parse(text: &str) -> Result<Value> {
    let mut reader = Reader { text, at: 0 };
    let value = reader.value(NESTING_MAX)?;
    reader.skip_space();
    match reader.peek() {
        None => Ok(value),
        Some(_) => Err(reader.unexpected("the end of the text")),
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    /// Takes `byte` if it is next, behind white space.
    fn take(&mut self, byte: u8) -> bool {
        self.skip_space();
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn unexpected(&self, wanted: &str) -> Error {
        match self.rest().chars().next() {
            Some(found) => {
                let span = Span::new(self.at, self.at + found.len_utf8());
                Error::syntax(span, format!("expected {wanted}, found `{found}`"))
            }
            None => {
                let span = Span::new(self.at, self.at);
                Error::syntax(
                    span,
                    format!("expected {wanted}, found the end of the text"),
                )
            }
        }
    }

    fn value(&mut self, levels: usize) -> Result<Value> {
        self.skip_space();
        match self.peek() {
            Some(b'{') => self.object(levels),
            Some(b'[') => self.array(levels),
            Some(b'"') => self.string().map(Value::Str),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => self.word(),
        }
    }

    fn word(&mut self) -> Result<Value> {
        let words = [
            ("null", Value::Null),
            ("true", true.into()),
            ("false", false.into()),
        ];
        for (word, value) in words {
            if self.rest().starts_with(word) {
                self.at += word.len();
                return Ok(value);
            }
        }
        Err(self.unexpected("a JSON value"))
    }

    fn number(&mut self) -> Result<Value> {
        let Some((length, _)) = number::scan(self.rest().as_bytes()) else {
            return Err(self.unexpected_number());
        };
        let start = self.at;
        self.at += length;
        if let Some(b'0'..=b'9' | b'.' | b'a'..=b'z' | b'A'..=b'Z' | b'_') = self.peek() {
            self.at = start;
            return Err(self.unexpected_number());
        }
        let literal = self.text.get(start..self.at).unwrap_or_default();
        number::number(literal).map_err(|error| shifted(error, start))
    }

    fn unexpected_number(&self) -> Error {
        let is_part = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+' | '_');
        let literal: String = self.rest().chars().take_while(is_part).collect();
        let span = Span::new(self.at, self.at + literal.len());
        Error::syntax(span, format!("`{literal}` is not a JSON number"))
    }

    fn string(&mut self) -> Result<String> {
        let start = self.at + 1;
        let bytes = self.text.as_bytes().get(start..).unwrap_or_default();
        let mut escaped = false;
        for (place, byte) in bytes.iter().enumerate() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => {
                    self.at = start + place + 1;
                    let body = self.text.get(start..start + place).unwrap_or_default();
                    let text = unescape(body, '"').map_err(|error| shifted(error, start))?;
                    return Ok(text.into_owned());
                }
                0..0x20 => {
                    let span = Span::new(start + place, start + place + 1);
                    let hint = "write it as an escape, such as `\\n`";
                    return Err(Error::syntax(span, "a control character in a string").hint(hint));
                }
                _ => {}
            }
        }
        Err(Error::syntax(
            Span::new(start - 1, self.text.len()),
            "a string without an end",
        ))
    }

    /// Takes the bracket that opens a nested value.
    fn open(&mut self, levels: usize) -> Result<usize> {
        let span = Span::new(self.at, self.at + 1);
        self.at += 1;
        levels.checked_sub(1).ok_or_else(|| {
            Error::new(
                Code::Limit,
                format!("nested deeper than {NESTING_MAX} levels"),
            )
            .at(span)
        })
    }

    fn array(&mut self, levels: usize) -> Result<Value> {
        let levels = self.open(levels)?;
        let mut items = Vec::new();
        if self.take(b']') {
            return Ok(Value::Array(items));
        }
        loop {
            items.push(self.value(levels)?);
            if self.take(b']') {
                return Ok(Value::Array(items));
            }
            if !self.take(b',') {
                return Err(self.unexpected("`,` or `]`"));
            }
        }
    }

    fn object(&mut self, levels: usize) -> Result<Value> {
        let levels = self.open(levels)?;
        let mut object = Object::new();
        if self.take(b'}') {
            return Ok(Value::Object(object));
        }
        loop {
            self.member(&mut object, levels)?;
            if self.take(b'}') {
                return Ok(Value::Object(object));
            }
            if !self.take(b',') {
                return Err(self.unexpected("`,` or `}`"));
            }
        }
    }

    fn member(&mut self, object: &mut Object, levels: usize) -> Result<()> {
        self.skip_space();
        if self.peek() != Some(b'"') {
            return Err(self.unexpected("the name of a member in double quotes"));
        }
        let start = self.at;
        let name = self.string()?;
        let span = Span::new(start, self.at);
        if object.contains(&name) {
            return Err(Error::syntax(
                span,
                format!("the member `{name}` is there twice"),
            ));
        }
        if !self.take(b':') {
            return Err(self.unexpected("`:`"));
        }
        let value = self.value(levels)?;
        object.insert(name, value);
        Ok(())
    }
}

/// The same error in the text that the part it was found in starts at `start` of.
fn shifted(error: Error, start: usize) -> Error {
    let Place::Text(span) = *error.place() else {
        return error;
    };
    let moved = Error::new(error.code(), error.message());
    let moved = moved.at(Span::new(start + span.start, start + span.end));
    match error.hint_text() {
        Some(hint) => moved.hint(hint),
        None => moved,
    }
}
