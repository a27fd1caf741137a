//! Comma-separated values with a header. The rules of typing stand in the help text of `import`.

use driftdb_core::value::{Object, Value, json};
use driftdb_core::{Code, Error};

use super::source::Source;
use super::{Rows, blame};
use crate::errors::{Failure, Result};

/// The records under a header.
pub struct CsvRows {
    reader: ::csv::Reader<Source>,
    record: ::csv::StringRecord,
    header: Vec<String>,
    strings: bool,
    name: String,
}

impl CsvRows {
    /// Rows from `source`; `strings` takes every field as a string.
    pub fn new(source: Source, delimiter: char, strings: bool) -> Result<Self> {
        let Some(delimiter) = u8::try_from(delimiter).ok().filter(u8::is_ascii) else {
            let message = format!("'{delimiter}' cannot be a delimiter");
            return Err(Failure::Usage(message));
        };
        let name = source.name().to_owned();
        let mut builder = ::csv::ReaderBuilder::new();
        let mut reader = builder.delimiter(delimiter).from_reader(source);
        let header = reader.headers().map_err(|error| failure(&name, error))?;
        let header: Vec<String> = header.iter().map(str::to_owned).collect();
        if let Some(problem) = problem_of(&header) {
            let error = Error::new(Code::InvalidInput, problem);
            return Err(blame(&name, 1, error.into()));
        }
        let record = ::csv::StringRecord::new();
        Ok(CsvRows {
            reader,
            record,
            header,
            strings,
            name,
        })
    }
}

/// What is wrong with a header.
fn problem_of(header: &[String]) -> Option<String> {
    let mut seen = std::collections::HashSet::new();
    header.iter().find_map(|column| {
        if column.is_empty() {
            Some("a column of the header has no name".to_owned())
        } else if !seen.insert(column) {
            Some(format!(
                "the column \"{column}\" stands twice in the header"
            ))
        } else {
            None
        }
    })
}

impl Rows for CsvRows {
    fn next(&mut self) -> Result<Option<(u64, Object)>> {
        let more = self.reader.read_record(&mut self.record);
        if !more.map_err(|error| failure(&self.name, error))? {
            return Ok(None);
        }
        let line = self.record.position().map_or(0, ::csv::Position::line);
        let mut row = Object::with_capacity(self.header.len());
        for (name, field) in self.header.iter().zip(self.record.iter()) {
            if field.is_empty() {
                continue;
            }
            let value = if self.strings {
                Value::Str(field.into())
            } else {
                typed(field)
            };
            row.insert(name.as_str(), value);
        }
        Ok(Some((line, row)))
    }

    fn bytes(&self) -> u64 {
        self.reader.get_ref().bytes()
    }

    fn blame(&self, line: u64, failure: Failure) -> Failure {
        blame(&self.name, line, failure)
    }
}

/// A field by how it looks: what JSON reads as something else than a string is that, the rest is a string.
fn typed(field: &str) -> Value {
    let first = field.as_bytes().first();
    let looks = first.is_some_and(|first| match first {
        b'{' | b'[' | b'-' | b'0'..=b'9' => true,
        _ => matches!(field, "true" | "false" | "null"),
    });
    match looks.then(|| json::parse(field)) {
        Some(Ok(value)) => value,
        _ => Value::Str(field.into()),
    }
}

fn failure(name: &str, error: ::csv::Error) -> Failure {
    let line = error.position().map_or(1, ::csv::Position::line);
    let message = match error.into_kind() {
        ::csv::ErrorKind::Io(error) => {
            return Failure::file("read", std::path::Path::new(name), &error);
        }
        ::csv::ErrorKind::Utf8 { err, .. } => format!("field {} is not UTF-8", err.field() + 1),
        ::csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => format!("{len} fields where the header has {expected_len}"),
        other => format!("{other:?}"),
    };
    blame(name, line, Error::new(Code::InvalidInput, message).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &[u8], strings: bool) -> Result<Vec<(u64, String)>, String> {
        let shown = |failure: Failure| format!("{failure:?}");
        let mut rows = CsvRows::new(Source::text(text), ',', strings).map_err(shown)?;
        let mut all = Vec::new();
        while let Some((line, row)) = rows.next().map_err(shown)? {
            all.push((line, row.to_string()));
        }
        Ok(all)
    }

    #[test]
    fn fields_are_typed_by_how_they_look() {
        let fields = [
            ("1", "1"),
            ("-2", "-2"),
            ("1.50", "1.5"),
            ("1e3", "1000.0"),
            ("007", "\"007\""),
            ("+1", "\"+1\""),
            ("1.", "\"1.\""),
            ("18446744073709551615", "18446744073709551615"),
            ("18446744073709551616", "\"18446744073709551616\""),
            ("true", "true"),
            ("True", "\"True\""),
            ("null", "null"),
            ("NaN", "\"NaN\""),
            ("2026-01-01", "\"2026-01-01\""),
            ("[1 ", "\"[1 \""),
            (" 1", "\" 1\""),
            ("\"[1,\"\"a\"\"]\"", "[1,\"a\"]"),
            ("\"a,\"\"b\"", "\"a,\\\"b\""),
        ];
        for (field, value) in fields {
            let found = rows(format!("id,v\nx,{field}\n").as_bytes(), false).unwrap();
            let row = format!("{{\"id\":\"x\",\"v\":{value}}}");
            assert_eq!(found, [(2, row)], "{field}");
        }
    }

    #[test]
    fn an_empty_field_is_left_out_and_strings_stay() {
        let text = b"id,a,b\n1,,2\n\"x\ny\",true,\n3,4,5\n";
        let found = rows(text, false).unwrap();
        assert_eq!(found[0], (2, r#"{"id":1,"b":2}"#.into()));
        assert_eq!(found[1], (3, r#"{"id":"x\ny","a":true}"#.into()));
        assert_eq!(found[2].0, 5);
        let strings = rows(text, true).unwrap();
        assert_eq!(strings[0].1, r#"{"id":"1","b":"2"}"#);
    }

    #[test]
    fn a_bad_record_is_named() {
        let short = rows(b"id,a\n1,2\n3\n", false).unwrap_err();
        assert!(short.contains("line 3"), "{short}");
        assert!(rows(b"id,id\n", false).unwrap_err().contains("twice"));
        assert!(rows(b"id,\n", false).unwrap_err().contains("no name"));
        let not_utf8 = rows(b"id,a\n1,\xff\n", false).unwrap_err();
        assert!(not_utf8.contains("line 2"), "{not_utf8}");
        assert_eq!(rows(b"", false).unwrap(), []);
    }
}
