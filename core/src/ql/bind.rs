//! Binding: a term and the parameters' values to a value, a document, a key or a point.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use alloc::{format, string::ToString};

use super::Params;
use super::ast::{Term, TermKind};
use crate::error::{Code, Error, Result};
use crate::limits::NESTING_MAX;
use crate::time::Point;
use crate::value::{Document, Given, Key, Object, Value};

/// A document or a patch, as the statement has it.
pub enum Body<'a> {
    /// An object.
    Object(Cow<'a, Object>),
    /// Its bytes.
    Encoded(&'a Document),
}

impl Body<'_> {
    /// An owned copy.
    pub fn into_object(self) -> Object {
        match self {
            Body::Object(object) => object.into_owned(),
            Body::Encoded(document) => document.view().to_object(),
        }
    }
}

impl Term {
    /// The value, with parameters filled in.
    pub fn value(&self, params: &Params) -> Result<Value> {
        match &self.kind {
            TermKind::Value(value) => Ok(value.clone()),
            TermKind::Document(document) => Ok(Value::Object(document.view().to_object())),
            TermKind::Parameter(parameter) => params
                .get(parameter)
                .map(Given::to_value)
                .map_err(|error| error.at(self.span)),
            TermKind::Array(items) => {
                let items: Result<Vec<Value>> =
                    items.iter().map(|item| item.value(params)).collect();
                self.checked(Value::Array(items?))
            }
            TermKind::Object(members) => {
                let mut object = Object::new();
                for (name, term) in members {
                    object.insert(name.clone(), term.value(params)?);
                }
                self.checked(Value::Object(object))
            }
        }
    }

    /// A parameter inside a literal may nest deeper than a literal can.
    fn checked(&self, value: Value) -> Result<Value> {
        if fits(&value, NESTING_MAX) {
            return Ok(value);
        }
        Err(Error::new(
            Code::Limit,
            format!("this is nested more than {NESTING_MAX} levels deep"),
        )
        .at(self.span))
    }

    /// The document or patch; anything else than an object is an error.
    pub fn document<'a>(&'a self, params: &'a Params) -> Result<Body<'a>> {
        let value = match &self.kind {
            TermKind::Document(document) => return Ok(Body::Encoded(document)),
            TermKind::Value(value) => Cow::Borrowed(value),
            TermKind::Parameter(parameter) => {
                match params.get(parameter).map_err(|error| error.at(self.span))? {
                    Given::Document(document) => return Ok(Body::Encoded(document)),
                    Given::Value(value) => Cow::Borrowed(value),
                }
            }
            TermKind::Array(_) | TermKind::Object(_) => Cow::Owned(self.value(params)?),
        };
        match value {
            Cow::Borrowed(Value::Object(object)) => Ok(Body::Object(Cow::Borrowed(object))),
            Cow::Owned(Value::Object(object)) => Ok(Body::Object(Cow::Owned(object))),
            other => Err(Error::new(
                Code::InvalidValue,
                format!("this must be an object, not {}", other.kind()),
            )
            .at(self.span)),
        }
    }

    /// The key; anything else than a string or an integer is an error.
    pub fn key(&self, params: &Params) -> Result<Key> {
        Key::from_value(&self.value(params)?).map_err(|error| error.at(self.span))
    }

    /// The point in time.
    pub fn point(&self, params: &Params) -> Result<Point> {
        match self.value(params)? {
            Value::Str(text) => Point::parse(&text).map_err(|error| error.at(self.span)),
            other => {
                let message = format!("a point is a string, not {}", other.kind());
                let error = Error::new(Code::InvalidPoint, message).at(self.span);
                Err(error.hint("\"@seq:100\", \"2026-01-31\" or \"2026-01-31T12:00:00Z\""))
            }
        }
    }

    /// The number after LIMIT or OFFSET (`what`): an integer from 0.
    pub(super) fn count(&self, params: &Params, what: &str) -> Result<u64> {
        let shown = match self.value(params)? {
            Value::Int(count) if count >= 0 => return Ok(count.unsigned_abs()),
            Value::UInt(count) => return Ok(count),
            number @ (Value::Int(_) | Value::Float(_)) => number.to_string(),
            other => String::from(other.kind()),
        };
        Err(Error::new(
            Code::InvalidValue,
            format!("{what} takes a whole number from 0, not {shown}"),
        )
        .at(self.span))
    }
}

/// Whether a value has at most `levels` levels.
fn fits(value: &Value, levels: usize) -> bool {
    match value {
        Value::Array(items) => levels > 0 && items.iter().all(|item| fits(item, levels - 1)),
        Value::Object(object) => {
            levels > 0 && object.iter().all(|(_, value)| fits(value, levels - 1))
        }
        _ => true,
    }
}
