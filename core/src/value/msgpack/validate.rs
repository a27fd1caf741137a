//! Validation of msgpack: every document is checked once, where its bytes enter the engine.

use alloc::vec::Vec;

use crate::error::{Code, Error, Result};
use crate::limits::NESTING_MAX;
use crate::value::walk::{self, Head};
use crate::value::{Object, Raw, Value};

/// Up to this many members, names are told apart by a 128-bit filter first.
const FILTERED_MAX: usize = 64;

/// Checks that `bytes` are exactly one value that a document may hold: text in UTF-8, finite numbers, member names that are
/// strings and unique, nothing binary, at most [`NESTING_MAX`] levels.
///
/// # Errors
/// [`Code::InvalidValue`], or [`Code::Limit`] for the nesting; readers of files turn either into corruption.
pub fn validate(bytes: &[u8]) -> Result<()> {
    match check(bytes, NESTING_MAX) {
        Ok([]) => Ok(()),
        Ok(_) => Err(Flaw::Trailing.error()),
        Err(flaw) => Err(flaw.error()),
    }
}

/// Like [`validate`] for the value at the start of `bytes`; returns it and what follows.
///
/// # Errors
/// Those of [`validate`].
pub fn validate_first(bytes: &[u8]) -> Result<(Raw<'_>, &[u8])> {
    let rest = check(bytes, NESTING_MAX).map_err(Flaw::error)?;
    let first = bytes.len() - rest.len();
    Raw::first(bytes, first).ok_or_else(|| Flaw::Cut.error())
}

/// Checks of an object what its type leaves open: finite numbers, and at most [`NESTING_MAX`] levels.
///
/// # Errors
/// Those of [`validate`].
pub fn check_object(object: &Object) -> Result<()> {
    check_members(object, NESTING_MAX).map_err(Flaw::error)
}

fn check_members(object: &Object, levels: usize) -> Result<(), Flaw> {
    let levels = levels.checked_sub(1).ok_or(Flaw::Deep)?;
    let mut values = object.iter().map(|(_, value)| value);
    values.try_for_each(|value| check_value(value, levels))
}

fn check_value(value: &Value, levels: usize) -> Result<(), Flaw> {
    match value {
        Value::Float(number) if !number.is_finite() => Err(Flaw::Number),
        Value::Object(object) => check_members(object, levels),
        Value::Array(items) => {
            let levels = levels.checked_sub(1).ok_or(Flaw::Deep)?;
            items.iter().try_for_each(|item| check_value(item, levels))
        }
        _ => Ok(()),
    }
}

/// Why bytes are not a value.
#[derive(Clone, Copy)]
enum Flaw {
    Cut,
    Kind,
    Text,
    Number,
    Name,
    Duplicate,
    Deep,
    Trailing,
}

impl Flaw {
    fn error(self) -> Error {
        let (code, message) = match self {
            Flaw::Cut => (Code::InvalidValue, "a msgpack value is cut short"),
            Flaw::Kind => (
                Code::InvalidValue,
                "a msgpack value is of a kind that JSON does not have",
            ),
            Flaw::Text => (Code::InvalidValue, "a string is not UTF-8"),
            Flaw::Number => (Code::InvalidValue, "a number is not finite"),
            Flaw::Name => (Code::InvalidValue, "the name of a member is not a string"),
            Flaw::Duplicate => (Code::InvalidValue, "an object has two members of one name"),
            Flaw::Deep => (Code::Limit, "a value is nested too deep"),
            Flaw::Trailing => (Code::InvalidValue, "bytes follow a msgpack value"),
        };
        Error::new(code, message)
    }
}

/// Checks the value at the start of `bytes`; returns what follows it.
fn check(bytes: &[u8], levels: usize) -> Result<&[u8], Flaw> {
    let Some((head, rest)) = walk::head(bytes) else {
        return Err(flaw_of_head(bytes));
    };
    match head {
        Head::Null | Head::Bool(_) | Head::Int(_) | Head::UInt(_) => Ok(rest),
        Head::Float(value) if value.is_finite() => Ok(rest),
        Head::Float(_) => Err(Flaw::Number),
        Head::Str(length) => {
            let (text, rest) = rest.split_at_checked(length).ok_or(Flaw::Cut)?;
            if is_text(text) {
                Ok(rest)
            } else {
                Err(Flaw::Text)
            }
        }
        Head::Array(_) | Head::Map(_) if levels == 0 => Err(Flaw::Deep),
        Head::Array(len) => {
            let mut rest = rest;
            for _ in 0..len {
                rest = check(rest, levels - 1)?;
            }
            Ok(rest)
        }
        Head::Map(len) => check_map(rest, len, levels - 1),
    }
}

fn flaw_of_head(bytes: &[u8]) -> Flaw {
    match bytes.first() {
        Some(0xc1 | 0xc4..=0xc9 | 0xd4..=0xd8) => Flaw::Kind,
        _ => Flaw::Cut,
    }
}

fn check_map(body: &[u8], len: usize, levels: usize) -> Result<&[u8], Flaw> {
    let mut rest = body;
    let mut seen: u128 = 0;
    for place in 0..len {
        let (name, behind) = check_name(rest)?;
        if len <= FILTERED_MAX {
            let bit = 1u128 << (fingerprint(name) & 127);
            if seen & bit != 0 && is_among(name, body, place) {
                return Err(Flaw::Duplicate);
            }
            seen |= bit;
        }
        rest = check(behind, levels)?;
    }
    if len > FILTERED_MAX {
        check_unique(body, len)?;
    }
    Ok(rest)
}

fn check_name(bytes: &[u8]) -> Result<(&[u8], &[u8]), Flaw> {
    match walk::split_text(bytes) {
        Some((name, rest)) if is_text(name) => Ok((name, rest)),
        Some(_) => Err(Flaw::Text),
        None => Err(match walk::head(bytes) {
            None => flaw_of_head(bytes),
            Some((Head::Str(_), _)) => Flaw::Cut,
            Some(_) => Flaw::Name,
        }),
    }
}

/// Whether bytes are UTF-8. Most strings are short and ASCII, which is quickly seen.
#[inline]
fn is_text(bytes: &[u8]) -> bool {
    let is_short = bytes.len() <= 32;
    is_short && bytes.iter().fold(0, |all, byte| all | byte) < 0x80
        || core::str::from_utf8(bytes).is_ok()
}

/// A cheap hash of a name: enough to tell most names of one object apart.
fn fingerprint(name: &[u8]) -> u32 {
    let at = |place: usize| name.get(place).map_or(0, |byte| u32::from(*byte));
    let middle = at(name.len() / 2);
    let last = name.last().map_or(0, |byte| u32::from(*byte));
    let length = u32::try_from(name.len()).unwrap_or(u32::MAX);
    let mixed = (at(0) << 24 | middle << 16 | last << 8).wrapping_add(length.wrapping_mul(0x9e37));
    mixed.wrapping_mul(0x9e37_79b1) >> 25
}

/// Whether one of the first `count` members of the map has this name. They have been checked.
fn is_among(name: &[u8], body: &[u8], count: usize) -> bool {
    names(body).take(count).any(|other| other == name)
}

fn check_unique(body: &[u8], len: usize) -> Result<(), Flaw> {
    let mut names: Vec<&[u8]> = names(body).take(len).collect();
    names.sort_unstable();
    let twice = names
        .windows(2)
        .any(|pair| matches!(pair, [a, b] if a == b));
    if twice { Err(Flaw::Duplicate) } else { Ok(()) }
}

/// The names in the body of a map whose values have been checked.
fn names(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = body;
    core::iter::from_fn(move || {
        let (name, behind) = walk::split_text(rest)?;
        rest = walk::skip(behind)?;
        Some(name)
    })
}
