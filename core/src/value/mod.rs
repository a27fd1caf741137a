//! Values: JSON documents in memory, owned ([`Value`], [`Object`]) and borrowed from their msgpack bytes ([`Raw`], [`ValueRef`]).
//!
//! msgpack is the form of documents on disk and on the way through the engine; owned values are for the edges.

mod bytes;
pub mod chain;
mod convert;
pub mod diff;
mod document;
pub mod json;
mod key;
pub mod keycode;
pub mod msgpack;
mod object;
pub mod order;
pub mod patch;
pub mod path;
mod raw;
#[cfg(feature = "std")]
mod serde;
#[cfg(test)]
#[allow(clippy::indexing_slicing)]
mod testing;
#[cfg(feature = "std")]
pub mod typed;
mod walk;

pub use bytes::Bytes;
pub use chain::{Chain, Member};
pub use document::{Document, Given};
pub use key::Key;
pub use object::Object;
pub use path::{Path, Step};
pub use raw::{ArrayRef, ObjectRef, Raw, ValueRef};

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// A JSON value with exact integers.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// `null`.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer in the range of i64.
    Int(i64),
    /// An integer above `i64::MAX`; smaller ones are always [`Value::Int`].
    UInt(u64),
    /// Any other number; always finite.
    Float(f64),
    /// A string.
    Str(String),
    /// An array.
    Array(Vec<Value>),
    /// An object.
    Object(Object),
}

impl Value {
    /// The msgpack form of this value, on its own.
    pub fn to_msgpack(&self) -> Vec<u8> {
        let mut out = Vec::new();
        msgpack::encode(self, &mut out);
        out
    }

    /// The object, if this is one.
    pub fn as_object(&self) -> Option<&Object> {
        match self {
            Value::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The string, if this is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The integer, if this is one in the range of i64.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Value::Int(number) => Some(*number),
            _ => None,
        }
    }

    /// The value as a borrowed one, if it is neither an array nor an object.
    pub fn as_scalar(&self) -> Option<ValueRef<'_>> {
        Some(match self {
            Value::Null => ValueRef::Null,
            Value::Bool(value) => ValueRef::Bool(*value),
            Value::Int(value) => ValueRef::Int(*value),
            Value::UInt(value) => ValueRef::UInt(*value),
            Value::Float(value) => ValueRef::Float(*value),
            Value::Str(text) => ValueRef::Str(text),
            Value::Array(_) | Value::Object(_) => return None,
        })
    }

    /// Whether this is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// What kind of value this is, as people call it: `null`, `a number`, `an array`.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Int(_) | Value::UInt(_) | Value::Float(_) => "a number",
            Value::Str(_) => "a string",
            Value::Array(_) => "an array",
            Value::Object(_) => "an object",
        }
    }
}

/// JSON, without white space.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        json::format_value(self, f)
    }
}
