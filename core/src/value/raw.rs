//! Borrowed values: views that walk msgpack bytes in place. Nothing here allocates but the conversions to owned values.
//!
//! Bytes are validated where they enter the engine ([`super::msgpack::validate`]). On bytes that were not, a view never panics:
//! what is malformed reads as null or as the end.

use alloc::vec::Vec;
use core::fmt;

use super::walk::{self, Head};
use super::{Object, Value, json};
use crate::limits::NESTING_MAX;

/// The bytes of exactly one msgpack value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Raw<'a>(&'a [u8]);

/// A borrowed value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ValueRef<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer in the range of i64.
    Int(i64),
    /// An integer above `i64::MAX`.
    UInt(u64),
    /// Any other number.
    Float(f64),
    /// A string.
    Str(&'a str),
    /// An array.
    Array(ArrayRef<'a>),
    /// An object.
    Object(ObjectRef<'a>),
}

/// A borrowed array. Two are equal if their bytes are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ArrayRef<'a> {
    whole: &'a [u8],
    body: &'a [u8],
    len: usize,
}

/// A borrowed object. Two are equal if their bytes are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ObjectRef<'a> {
    whole: &'a [u8],
    body: &'a [u8],
    len: usize,
}

impl<'a> Raw<'a> {
    /// `null`.
    pub const NULL: Raw<'static> = Raw(&[0xc0]);

    /// The value at the start of `bytes` and what follows it; `None` if it is cut.
    #[inline]
    pub fn split(bytes: &'a [u8]) -> Option<(Raw<'a>, &'a [u8])> {
        let (value, rest) = walk::split_value(bytes)?;
        Some((Raw(value), rest))
    }

    /// The first `length` of `bytes`, known to be one value, and what follows it.
    pub(super) fn first(bytes: &'a [u8], length: usize) -> Option<(Raw<'a>, &'a [u8])> {
        let (value, rest) = bytes.split_at_checked(length)?;
        Some((Raw(value), rest))
    }

    /// `bytes` as one value; `None` if they are cut or more than one.
    #[inline]
    pub fn new(bytes: &'a [u8]) -> Option<Raw<'a>> {
        walk::skip(bytes)?.is_empty().then_some(Raw(bytes))
    }

    /// `bytes`, which must be exactly one value: nothing is looked at.
    #[inline]
    pub(crate) fn of_whole(bytes: &'a [u8]) -> Raw<'a> {
        Raw(bytes)
    }

    /// The bytes.
    #[inline]
    pub fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// What the bytes say.
    #[inline]
    pub fn view(self) -> ValueRef<'a> {
        let Some((head, body)) = walk::head(self.0) else {
            return ValueRef::Null;
        };
        match head {
            Head::Null => ValueRef::Null,
            Head::Bool(value) => ValueRef::Bool(value),
            Head::Int(value) => ValueRef::Int(value),
            Head::UInt(value) => ValueRef::UInt(value),
            Head::Float(value) if value.is_finite() => ValueRef::Float(value),
            Head::Float(_) => ValueRef::Null,
            Head::Str(length) => text_view(body, length),
            Head::Array(len) => ValueRef::Array(ArrayRef {
                whole: self.0,
                body,
                len,
            }),
            Head::Map(len) => ValueRef::Object(ObjectRef {
                whole: self.0,
                body,
                len,
            }),
        }
    }

    /// The object, if this is one.
    #[inline]
    pub fn object(self) -> Option<ObjectRef<'a>> {
        match walk::head(self.0)? {
            (Head::Map(len), body) => Some(ObjectRef {
                whole: self.0,
                body,
                len,
            }),
            _ => None,
        }
    }

    /// Whether this is `null`.
    #[inline]
    pub fn is_null(self) -> bool {
        self.0.first() == Some(&0xc0)
    }

    /// An owned copy.
    pub fn to_value(self) -> Value {
        self.view().to_value()
    }
}

#[inline]
fn text_view(body: &[u8], length: usize) -> ValueRef<'_> {
    let text = body
        .get(..length)
        .and_then(|text| core::str::from_utf8(text).ok());
    text.map_or(ValueRef::Null, ValueRef::Str)
}

impl<'a> ValueRef<'a> {
    /// An owned copy.
    pub fn to_value(self) -> Value {
        owned(self, NESTING_MAX)
    }

    /// What kind of value this is, as people call it: `null`, `a number`, `an array`.
    pub fn kind(self) -> &'static str {
        match self {
            ValueRef::Null => "null",
            ValueRef::Bool(_) => "a boolean",
            ValueRef::Int(_) | ValueRef::UInt(_) | ValueRef::Float(_) => "a number",
            ValueRef::Str(_) => "a string",
            ValueRef::Array(_) => "an array",
            ValueRef::Object(_) => "an object",
        }
    }

    /// The object, if this is one.
    pub fn as_object(self) -> Option<ObjectRef<'a>> {
        match self {
            ValueRef::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The string, if this is one.
    pub fn as_str(self) -> Option<&'a str> {
        match self {
            ValueRef::Str(text) => Some(text),
            _ => None,
        }
    }

    /// Whether this is `null`.
    pub fn is_null(self) -> bool {
        matches!(self, ValueRef::Null)
    }
}

/// Levels deeper than a document may have read as null, so that bytes that were not validated cannot exhaust the stack.
fn owned(value: ValueRef<'_>, levels: usize) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Bool(value) => Value::Bool(value),
        ValueRef::Int(value) => Value::Int(value),
        ValueRef::UInt(value) => Value::UInt(value),
        ValueRef::Float(value) => Value::Float(value),
        ValueRef::Str(text) => Value::Str(text.into()),
        ValueRef::Array(_) | ValueRef::Object(_) if levels == 0 => Value::Null,
        ValueRef::Array(array) => Value::Array(
            array
                .iter()
                .map(|item| owned(item.view(), levels - 1))
                .collect(),
        ),
        ValueRef::Object(object) => Value::Object(owned_object(object, levels)),
    }
}

fn owned_object(object: ObjectRef<'_>, levels: usize) -> Object {
    // The count is not trusted with memory: the bytes may not have been validated.
    let mut members = Object::with_capacity(object.len().min(64));
    for (name, value) in object.iter() {
        members.insert(name, owned(value.view(), levels.saturating_sub(1)));
    }
    members
}

impl<'a> ArrayRef<'a> {
    /// How many values there are.
    pub fn len(self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.len == 0
    }

    /// The value at a place counted from 0.
    pub fn get(self, index: usize) -> Option<Raw<'a>> {
        self.iter().nth(index)
    }

    /// The values in order.
    pub fn iter(self) -> impl Iterator<Item = Raw<'a>> + Clone {
        let mut rest = self.body;
        let mut left = self.len;
        core::iter::from_fn(move || {
            left = left.checked_sub(1)?;
            let (value, behind) = Raw::split(rest)?;
            rest = behind;
            Some(value)
        })
    }

    /// The bytes of the whole array.
    pub fn raw(self) -> Raw<'a> {
        Raw(self.whole)
    }

    /// An owned copy.
    pub fn to_values(self) -> Vec<Value> {
        self.iter().map(Raw::to_value).collect()
    }
}

impl<'a> ObjectRef<'a> {
    /// The object without members.
    pub const EMPTY: ObjectRef<'static> = ObjectRef {
        whole: &[0x80],
        body: &[],
        len: 0,
    };

    /// `bytes` as one object; `None` if they are something else. Looks at the head only: `bytes` must hold the whole object
    /// and nothing after it.
    #[inline]
    pub fn new(bytes: &'a [u8]) -> Option<ObjectRef<'a>> {
        Raw(bytes).object()
    }

    /// How many members there are.
    #[inline]
    pub fn len(self) -> usize {
        self.len
    }

    /// Whether there are none.
    #[inline]
    pub fn is_empty(self) -> bool {
        self.len == 0
    }

    /// The value of a member.
    #[inline]
    pub fn get(self, name: &str) -> Option<Raw<'a>> {
        let name = name.as_bytes();
        let mut rest = self.body;
        for _ in 0..self.len {
            let (text, behind) = walk::split_text(rest)?;
            if text == name {
                let (value, _) = walk::split_value(behind)?;
                return Some(Raw(value));
            }
            rest = walk::skip(behind)?;
        }
        None
    }

    /// The members in order.
    #[inline]
    pub fn iter(self) -> impl Iterator<Item = (&'a str, Raw<'a>)> + Clone {
        self.members()
            .map_while(|(name, value)| Some((core::str::from_utf8(name).ok()?, value)))
    }

    /// The members in order, the names as bytes.
    #[inline]
    pub(super) fn members(self) -> Members<'a> {
        Members {
            rest: self.body,
            left: self.len,
        }
    }

    /// The bytes of the whole object.
    #[inline]
    pub fn raw(self) -> Raw<'a> {
        Raw(self.whole)
    }

    /// An owned copy.
    pub fn to_object(self) -> Object {
        owned_object(self, NESTING_MAX)
    }
}

/// The members of an object in order, the names as bytes.
#[derive(Clone)]
pub(super) struct Members<'a> {
    rest: &'a [u8],
    left: usize,
}

impl<'a> Members<'a> {
    /// What has not been walked yet.
    #[inline]
    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = (&'a [u8], Raw<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let (name, behind) = walk::split_text(self.rest)?;
        let (value, rest) = walk::split_value(behind)?;
        self.rest = rest;
        Some((name, Raw(value)))
    }
}

macro_rules! shown_as_json {
    ($($name:ident: $view:expr,)*) => {
        $(impl fmt::Debug for $name<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        /// JSON, without white space.
        impl fmt::Display for $name<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                json::format($view(*self), f)
            }
        })*
    };
}

shown_as_json! {
    Raw: Raw::view,
    ArrayRef: ValueRef::Array,
    ObjectRef: ValueRef::Object,
}

/// JSON, without white space.
impl fmt::Display for ValueRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        json::format(*self, f)
    }
}
