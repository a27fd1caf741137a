//! [`Path`]: where in a document a value is: `a.b[0]`.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write};

use super::{Raw, ValueRef};
use crate::error::{Code, Error, Result, Span};

/// One step into a value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// To the member of an object.
    Member(String),
    /// To the item of an array, counted from 0.
    Index(u64),
}

/// Steps into a value. Without any it is the value itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path(Vec<Step>);

impl Path {
    /// The path of these steps.
    pub fn new(steps: Vec<Step>) -> Path {
        Path(steps)
    }

    /// The path to a member of a document.
    pub fn member(name: impl Into<String>) -> Path {
        Path(alloc::vec![Step::Member(name.into())])
    }

    /// Reads `a.b[0]`. A name with a dot, a bracket, a backtick or white space in it stands in backticks, a backtick inside them doubled.
    ///
    /// # Errors
    /// [`Code::InvalidValue`] with the span of what is wrong.
    pub fn parse(text: &str) -> Result<Path> {
        let mut reader = Reader { text, rest: text };
        let mut steps = alloc::vec![reader.name()?];
        while !reader.rest.is_empty() {
            steps.push(if reader.take('.') {
                reader.name()?
            } else {
                reader.index()?
            });
        }
        Ok(Path(steps))
    }

    /// The steps.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// The name of the top-level member that the path starts with.
    pub fn first_member(&self) -> Option<&str> {
        match self.0.first() {
            Some(Step::Member(name)) => Some(name),
            _ => None,
        }
    }

    /// This path and one step more.
    #[must_use]
    pub fn join(&self, step: Step) -> Path {
        let mut steps = self.0.clone();
        steps.push(step);
        Path(steps)
    }

    /// The value there in an array or an object.
    pub fn get<'a>(&self, value: ValueRef<'a>) -> Option<Raw<'a>> {
        match value {
            ValueRef::Array(array) => walk(array.raw(), &self.0),
            ValueRef::Object(object) => walk(object.raw(), &self.0),
            _ => None,
        }
    }

    /// The value there in the value that the bytes are.
    pub fn get_in<'a>(&self, raw: Raw<'a>) -> Option<Raw<'a>> {
        walk(raw, &self.0)
    }
}

pub(super) fn walk<'a>(mut raw: Raw<'a>, steps: &[Step]) -> Option<Raw<'a>> {
    for step in steps {
        raw = match (step, raw.view()) {
            (Step::Member(name), ValueRef::Object(object)) => object.get(name)?,
            (Step::Index(index), ValueRef::Array(array)) => {
                array.get(usize::try_from(*index).ok()?)?
            }
            _ => return None,
        };
    }
    Some(raw)
}

/// Appends the step to a member to the text of a path.
pub(super) fn push_member(name: &str, path: &mut String) {
    if !path.is_empty() {
        path.push('.');
    }
    // Writing to a string cannot fail.
    let _ = write_name(name, path);
}

/// As [`Path::parse`] reads it.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, step) in self.0.iter().enumerate() {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Member(name) => {
                    f.write_str(if place > 0 { "." } else { "" })?;
                    write_name(name, f)?;
                }
            }
        }
        Ok(())
    }
}

fn write_name(name: &str, f: &mut impl Write) -> fmt::Result {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if !name.is_empty() && (name.bytes().all(is_plain) || !name.contains(needs_quotes)) {
        return f.write_str(name);
    }
    f.write_char('`')?;
    for (place, part) in name.split('`').enumerate() {
        f.write_str(if place > 0 { "``" } else { "" })?;
        f.write_str(part)?;
    }
    f.write_char('`')
}

/// Whether a character may stand in a name in backticks only.
fn needs_quotes(c: char) -> bool {
    matches!(c, '.' | '[' | ']' | '`') || c.is_whitespace() || c.is_control()
}

struct Reader<'a> {
    text: &'a str,
    rest: &'a str,
}

impl Reader<'_> {
    fn take(&mut self, wanted: char) -> bool {
        match self.rest.strip_prefix(wanted) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn error(&self, message: &str) -> Error {
        let span = Span::new(self.text.len() - self.rest.len(), self.text.len());
        let message = format!("the path `{}` {message}", self.text);
        Error::new(Code::InvalidValue, message)
            .at(span)
            .hint("write it as a.b[0]")
    }

    fn name(&mut self) -> Result<Step> {
        if self.rest.starts_with('`') {
            return self.quoted_name();
        }
        let end = self.rest.find(needs_quotes).unwrap_or(self.rest.len());
        match self.rest.split_at_checked(end) {
            Some((name, rest)) if end > 0 => {
                self.rest = rest;
                Ok(Step::Member(name.into()))
            }
            _ => Err(self.error("lacks a name")),
        }
    }

    fn quoted_name(&mut self) -> Result<Step> {
        let mut name = String::new();
        let mut rest = self.rest.strip_prefix('`').unwrap_or(self.rest);
        loop {
            let Some((part, behind)) = rest.split_once('`') else {
                return Err(self.error("lacks a closing backtick"));
            };
            name.push_str(part);
            match behind.strip_prefix('`') {
                Some(behind) => {
                    name.push('`');
                    rest = behind;
                }
                None => {
                    self.rest = behind;
                    return Ok(Step::Member(name));
                }
            }
        }
    }

    fn index(&mut self) -> Result<Step> {
        let bracketed = self
            .rest
            .strip_prefix('[')
            .and_then(|rest| rest.split_once(']'));
        let Some((digits, rest)) = bracketed else {
            return Err(self.error("goes on with neither `.name` nor `[index]`"));
        };
        let all_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
        match digits.parse() {
            Ok(index) if all_digits => {
                self.rest = rest;
                Ok(Step::Index(index))
            }
            _ => Err(self.error("has an index that is not a number")),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use alloc::string::ToString;

    use proptest::prelude::*;

    use super::super::{json, testing};
    use super::*;

    #[test]
    fn paths_lead_to_values() {
        let bytes = json::parse(r#"{"a":{"b":[1,{"c d":2}]},"":3}"#)
            .unwrap()
            .to_msgpack();
        let document = Raw::new(&bytes).unwrap();
        let at = |text| {
            Path::parse(text)
                .unwrap()
                .get(document.view())
                .map(|raw| raw.to_string())
        };
        assert_eq!(at("a.b[0]").as_deref(), Some("1"));
        assert_eq!(at("a.b[1].`c d`").as_deref(), Some("2"));
        assert_eq!(at("``").as_deref(), Some("3"));
        assert_eq!(at("a.b[2]"), None);
        assert_eq!(at("a[0]"), None);
        assert_eq!(at("a.b.c"), None);
        assert_eq!(at("a.b[18446744073709551615]"), None);
    }

    #[test]
    fn what_is_no_path_is_refused_with_its_place() {
        for (text, start) in [
            ("", 0),
            (".a", 0),
            ("a.", 2),
            ("a..b", 2),
            ("a[", 1),
            ("a[x]", 1),
            ("a[-1]", 1),
            ("`a", 0),
            ("a b", 1),
        ] {
            let error = Path::parse(text).unwrap_err();
            let crate::Place::Text(span) = *error.place() else {
                panic!("{text}")
            };
            assert_eq!(
                (span.start, error.code()),
                (start, Code::InvalidValue),
                "{text}"
            );
        }
    }

    fn steps() -> impl Strategy<Value = Step> {
        prop_oneof![
            testing::names().prop_map(Step::Member),
            any::<u64>().prop_map(Step::Index)
        ]
    }

    proptest! {
        #[test]
        fn a_path_reads_back(first in testing::names(), rest in prop::collection::vec(steps(), 0..4)) {
            let mut all = alloc::vec![Step::Member(first)];
            all.extend(rest);
            let path = Path::new(all);
            prop_assert_eq!(Path::parse(&path.to_string()).unwrap(), path);
        }

        #[test]
        fn no_text_panics(text in "[ab.\\[\\]`0-9 é]{0,12}") {
            let _ = Path::parse(&text);
        }
    }
}
