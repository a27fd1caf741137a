//! Documents, keys and merge patches of the model.

use std::cmp::Ordering;

use driftdb_core::Code;
use serde_json::Value;

/// A JSON object whose members keep their order.
pub type Doc = serde_json::Map<String, Value>;

/// A primary key: integers before strings, as rows are ordered.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// An integer of i64 or u64.
    Int(i128),
    /// A string.
    Str(String),
}

impl Key {
    /// The key that a member holds.
    pub fn of(value: Option<&Value>) -> Result<Key, Code> {
        match value {
            Some(Value::String(text)) => Ok(Key::Str(text.clone())),
            Some(Value::Number(number)) => integer(number).map(Key::Int).ok_or(Code::InvalidKey),
            _ => Err(Code::InvalidKey),
        }
    }

    /// The key as JSON.
    pub fn json(&self) -> String {
        match self {
            Key::Int(number) => number.to_string(),
            Key::Str(text) => Value::String(text.clone()).to_string(),
        }
    }
}

fn integer(number: &serde_json::Number) -> Option<i128> {
    number
        .as_i64()
        .map(i128::from)
        .or(number.as_u64().map(i128::from))
}

/// A document as one line of JSON, members in order: equal texts are equal documents.
pub fn text(doc: &Doc) -> String {
    serde_json::to_string(doc).unwrap_or_default()
}

/// JSON Merge Patch as RFC 7396 writes it; members keep their order and new ones come last.
pub fn merge_patch(target: &mut Doc, patch: &Doc) {
    for (name, value) in patch {
        match value {
            Value::Null => {
                target.shift_remove(name);
            }
            Value::Object(inner) => {
                let old = target
                    .entry(name.clone())
                    .or_insert_with(|| Value::Object(Doc::new()));
                if !old.is_object() {
                    *old = Value::Object(Doc::new());
                }
                if let Value::Object(object) = old {
                    merge_patch(object, inner);
                }
            }
            value => {
                target.insert(name.clone(), value.clone());
            }
        }
    }
}

/// SQL's comparison of two scalars: nothing for a null, for different types and for what the model does not compare.
pub fn compare(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        (Value::String(a), Value::String(b)) => Some(a.as_bytes().cmp(b.as_bytes())),
        (Value::Number(a), Value::Number(b)) => match (integer(a), integer(b)) {
            (Some(a), Some(b)) => Some(a.cmp(&b)),
            // The generator makes no floats beyond 2^53, so this is exact.
            _ => a.as_f64()?.partial_cmp(&b.as_f64()?),
        },
        _ => None,
    }
}
