//! Errors on their way to JavaScript: a JSON text that js/errors.ts makes a DriftError of.

use driftdb_core::error::Place;
use driftdb_core::ql::locate;
use driftdb_core::value::{Object, Value};
use driftdb_core::{Error, Span};

/// The error as JSON; `script` is the text that its place is in.
pub fn json(error: &Error, script: &str) -> String {
    let mut object = Object::new();
    object.insert("code", error.code().as_str());
    object.insert("message", error.message());
    if let Some(hint) = error.hint_text() {
        object.insert("hint", hint);
    }
    let mut position = Object::new();
    match error.place() {
        Place::None => {}
        // A table's operation has no text.
        Place::Text(_) if script.is_empty() => {}
        Place::Text(span) => text_position(*span, script, &mut position),
        Place::File { path, offset } => {
            position.insert("file", path.as_str());
            if let Some(offset) = offset {
                position.insert("offset", Value::from(*offset));
            }
        }
        Place::Line(line) => {
            position.insert("line", Value::from(*line));
        }
    }
    if !position.is_empty() {
        object.insert("position", position);
    }
    object.to_string()
}

/// A place in a script as JavaScript counts: in UTF-16 units.
fn text_position(span: Span, script: &str, position: &mut Object) {
    let units = |end: usize| -> Value {
        let mut end = end.min(script.len());
        while !script.is_char_boundary(end) {
            end -= 1;
        }
        let before = script.get(..end).unwrap_or_default();
        Value::from(before.encode_utf16().count() as u64)
    };
    let location = locate(script, span);
    position.insert("start", units(span.start));
    position.insert("end", units(span.end));
    position.insert("line", Value::from(location.line as u64));
    position.insert("column", Value::from(location.column as u64));
}

#[cfg(test)]
mod tests {
    use super::*;
    use driftdb_core::Code;

    #[test]
    fn places_count_in_utf16_units() {
        let error = Error::syntax(Span::new(5, 7), "no").hint("try");
        assert_eq!(
            json(&error, "a😀 xy"),
            r#"{"code":"syntax","message":"no","hint":"try","position":{"start":3,"end":5,"line":1,"column":3}}"#
        );
        let error = Error::corrupt("journal", 7, "bad");
        assert_eq!(
            json(&error, ""),
            r#"{"code":"corrupt","message":"bad","position":{"file":"journal","offset":7}}"#
        );
        let error = Error::new(Code::Busy, "no");
        assert_eq!(json(&error, ""), r#"{"code":"busy","message":"no"}"#);
    }
}
