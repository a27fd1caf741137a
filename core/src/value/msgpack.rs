//! msgpack: encoding in the smallest forms, byte for byte what `rmp_serde::to_vec_named` writes, and validation.

use alloc::vec::Vec;

use super::walk::{self, Head};
use super::{Object, Raw, Value, ValueRef};
use crate::error::{Code, Error, Result};
use crate::limits::NESTING_MAX;

/// Appends the msgpack form of a value.
pub fn encode(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => encode_null(out),
        Value::Bool(value) => encode_bool(*value, out),
        Value::Int(value) => encode_int(*value, out),
        Value::UInt(value) => encode_uint(*value, out),
        Value::Float(value) => encode_float(*value, out),
        Value::Str(text) => encode_str(text, out),
        Value::Array(items) => {
            encode_array_head(items.len(), out);
            for item in items {
                encode(item, out);
            }
        }
        Value::Object(object) => encode_object(object, out),
    }
}

/// Appends the msgpack form of an object.
pub fn encode_object(object: &Object, out: &mut Vec<u8>) {
    encode_map_head(object.len(), out);
    for (name, value) in object.iter() {
        encode_str(name, out);
        encode(value, out);
    }
}

/// Appends the msgpack form of a borrowed value; arrays and objects are copied as they are.
pub fn encode_ref(value: ValueRef<'_>, out: &mut Vec<u8>) {
    match value {
        ValueRef::Null => encode_null(out),
        ValueRef::Bool(value) => encode_bool(value, out),
        ValueRef::Int(value) => encode_int(value, out),
        ValueRef::UInt(value) => encode_uint(value, out),
        ValueRef::Float(value) => encode_float(value, out),
        ValueRef::Str(text) => encode_str(text, out),
        ValueRef::Array(array) => out.extend_from_slice(array.raw().as_bytes()),
        ValueRef::Object(object) => out.extend_from_slice(object.raw().as_bytes()),
    }
}

/// Appends null.
pub fn encode_null(out: &mut Vec<u8>) {
    out.push(0xc0);
}

/// Appends a boolean.
pub fn encode_bool(value: bool, out: &mut Vec<u8>) {
    out.push(if value { 0xc3 } else { 0xc2 });
}

/// Appends an integer.
pub fn encode_int(value: i64, out: &mut Vec<u8>) {
    if let Ok(value) = u64::try_from(value) {
        encode_uint(value, out);
    } else if let Ok(value) = i8::try_from(value) {
        if value < -32 {
            out.push(0xd0);
        }
        out.push(value.cast_unsigned());
    } else if let Ok(value) = i16::try_from(value) {
        tagged(0xd1, value.to_be_bytes(), out);
    } else if let Ok(value) = i32::try_from(value) {
        tagged(0xd2, value.to_be_bytes(), out);
    } else {
        tagged(0xd3, value.to_be_bytes(), out);
    }
}

/// Appends an integer that is not negative.
pub fn encode_uint(value: u64, out: &mut Vec<u8>) {
    if let Ok(value) = u8::try_from(value) {
        if value > 0x7f {
            out.push(0xcc);
        }
        out.push(value);
    } else if let Ok(value) = u16::try_from(value) {
        tagged(0xcd, value.to_be_bytes(), out);
    } else if let Ok(value) = u32::try_from(value) {
        tagged(0xce, value.to_be_bytes(), out);
    } else {
        tagged(0xcf, value.to_be_bytes(), out);
    }
}

/// Appends a float.
pub fn encode_float(value: f64, out: &mut Vec<u8>) {
    tagged(0xcb, value.to_be_bytes(), out);
}

/// Appends a string.
pub fn encode_str(text: &str, out: &mut Vec<u8>) {
    let length = text.len();
    match u8::try_from(length) {
        Ok(short @ ..32) => out.push(0xa0 | short),
        Ok(length) => tagged(0xd9, [length], out),
        Err(_) => wide_length(0xda, length, out),
    }
    out.extend_from_slice(text.as_bytes());
}

/// Appends the head of an array of `len` values.
pub fn encode_array_head(len: usize, out: &mut Vec<u8>) {
    match u8::try_from(len) {
        Ok(short @ ..16) => out.push(0x90 | short),
        _ => wide_length(0xdc, len, out),
    }
}

/// Appends the head of a map of `len` members.
pub fn encode_map_head(len: usize, out: &mut Vec<u8>) {
    let (head, length) = map_head(len);
    out.extend_from_slice(head.get(..length).unwrap_or_default());
}

/// The head of a map of `len` members, and how many of the bytes it takes.
pub(super) fn map_head(len: usize) -> ([u8; 5], usize) {
    // Nothing of 2^32 members gets here: documents are bounded far below.
    let [a, b, c, d] = u32::try_from(len).unwrap_or(u32::MAX).to_be_bytes();
    match len {
        0..16 => ([0x80 | d, 0, 0, 0, 0], 1),
        16..=0xffff => ([0xde, c, d, 0, 0], 3),
        _ => ([0xdf, a, b, c, d], 5),
    }
}

/// A length in two bytes, or in four under the next tag.
fn wide_length(tag: u8, length: usize, out: &mut Vec<u8>) {
    match u16::try_from(length) {
        Ok(length) => tagged(tag, length.to_be_bytes(), out),
        // Nothing of 4 GiB gets here: documents are bounded far below.
        Err(_) => tagged(
            tag + 1,
            u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes(),
            out,
        ),
    }
}

fn tagged<const N: usize>(tag: u8, bytes: [u8; N], out: &mut Vec<u8>) {
    out.push(tag);
    out.extend_from_slice(&bytes);
}

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
    check(bytes, NESTING_MAX).map_err(Flaw::error)?;
    Raw::split(bytes).ok_or_else(|| Flaw::Cut.error())
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

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use alloc::format;
    use alloc::string::{String, ToString};
    use alloc::vec;

    use proptest::prelude::*;

    use super::super::{ObjectRef, Path, chain::Chain, diff, keycode, order, patch, testing};
    use super::*;

    fn flaw(bytes: &[u8]) -> String {
        validate(bytes).unwrap_err().message().to_string()
    }

    /// `levels` arrays, one in the other.
    fn nested(levels: usize) -> Vec<u8> {
        let mut bytes = vec![0x91; levels - 1];
        bytes.push(0x90);
        bytes
    }

    #[test]
    fn each_flaw_is_named() {
        assert!(flaw(&[]).contains("cut short"));
        assert!(flaw(&[0xcd, 1]).contains("cut short"));
        assert!(flaw(&[0xa2, b'a']).contains("cut short"));
        assert!(flaw(&[0x81, 0xa1]).contains("cut short"));
        assert!(flaw(&[0xdd, 0xff, 0xff, 0xff, 0xff, 0xc0]).contains("cut short"));
        assert!(flaw(&[0xc4, 1, 0]).contains("of a kind"));
        assert!(flaw(&[0x91, 0xc1]).contains("of a kind"));
        assert!(flaw(&[0xa1, 0xff]).contains("UTF-8"));
        assert!(flaw(&[0x81, 0xa1, 0xff, 0xc0]).contains("UTF-8"));
        assert!(flaw(&[0x81, 1, 0xc0]).contains("name"));
        assert!(flaw(&[0xc0, 0xc0]).contains("follow"));
        assert!(flaw(&[0xcb, 0x7f, 0xf0, 0, 0, 0, 0, 0, 0]).contains("finite"));
        assert!(flaw(&[0x82, 0xa1, b'a', 1, 0xa1, b'a', 2]).contains("two members"));
    }

    #[test]
    fn nesting_is_bounded() {
        assert!(validate(&nested(NESTING_MAX)).is_ok());
        assert_eq!(
            validate(&nested(NESTING_MAX + 1)).unwrap_err().code(),
            Code::Limit
        );
        assert_eq!(
            validate(&nested(1_000_000)).unwrap_err().code(),
            Code::Limit
        );
    }

    #[test]
    fn deep_bytes_that_were_not_validated_are_walked_without_recursion_to_their_end() {
        let deep = nested(1_000_000);
        let raw = Raw::new(&deep).unwrap();
        assert!(raw.to_value().to_string().contains("null"));
        assert!(raw.to_string().contains("null"));
        keycode::encode(raw.view(), &mut Vec::new());
        assert!(order::total(raw.view(), raw.view()).is_eq());
    }

    #[test]
    fn a_name_twice_is_found_whatever_the_number_of_members() {
        for count in [2usize, 15, 16, 63, 64, 65, 300] {
            let mut bytes = Vec::new();
            encode_map_head(count, &mut bytes);
            for place in 0..count {
                encode_str(&format!("name{}", place % (count - 1)), &mut bytes);
                encode_null(&mut bytes);
            }
            assert!(flaw(&bytes).contains("two members"), "{count}");
        }
    }

    proptest! {
        #[test]
        fn encodes_as_rmp_serde_does(value in testing::values()) {
            let json: serde_json::Value = serde_json::from_str(&value.to_string()).unwrap();
            prop_assert_eq!(value.to_msgpack(), rmp_serde::to_vec_named(&json).unwrap());
        }

        #[test]
        fn integers_take_the_bytes_that_rmp_serde_gives_them(value in testing::numbers()) {
            let expected = match value {
                Value::Int(value) => rmp_serde::to_vec_named(&value),
                Value::UInt(value) => rmp_serde::to_vec_named(&value),
                Value::Float(value) => rmp_serde::to_vec_named(&value),
                _ => return Ok(()),
            };
            prop_assert_eq!(value.to_msgpack(), expected.unwrap());
        }

        #[test]
        fn what_is_encoded_is_valid_and_reads_back(value in testing::values(), tail: u8) {
            let mut bytes = value.to_msgpack();
            validate(&bytes).unwrap();
            prop_assert_eq!(Raw::new(&bytes).unwrap().to_value(), value.clone());
            prop_assert_eq!(Raw::new(&bytes).unwrap().to_string(), value.to_string());
            let length = bytes.len();
            bytes.push(tail);
            let (raw, rest) = validate_first(&bytes).unwrap();
            prop_assert_eq!((raw.as_bytes().len(), rest), (length, &[tail][..]));
            prop_assert!(validate(&bytes).is_err());
        }

        #[test]
        fn every_cut_is_found(value in testing::values()) {
            let bytes = value.to_msgpack();
            for (end, _) in bytes.iter().enumerate() {
                let cut = bytes.get(..end).unwrap();
                prop_assert!(validate(cut).is_err());
                prop_assert!(Raw::split(cut).is_none());
            }
        }

        #[test]
        fn a_copy_of_a_view_is_what_the_value_encodes_to(value in testing::values()) {
            let bytes = value.to_msgpack();
            let mut copy = Vec::new();
            encode_ref(Raw::new(&bytes).unwrap().view(), &mut copy);
            prop_assert_eq!(copy, bytes);
        }

        #[test]
        fn valid_means_what_rmp_serde_can_read(bytes in testing::broken_bytes()) {
            if validate(&bytes).is_ok() {
                let read: serde_json::Value = rmp_serde::from_slice(&bytes).unwrap();
                let value = Raw::new(&bytes).unwrap().to_value();
                let same: serde_json::Value = serde_json::from_str(&value.to_string()).unwrap();
                prop_assert_eq!(read, same);
            }
        }

        #[test]
        fn nothing_panics_on_any_bytes(a in testing::broken_bytes(), b in testing::broken_bytes()) {
            let _ = validate(&a);
            let _ = validate_first(&a);
            if let Some((raw, _)) = Raw::split(&a) {
                let other = Raw::split(&b).map_or(Raw::NULL, |(other, _)| other);
                let _ = (raw.to_value(), raw.to_string(), order::total(raw.view(), other.view()));
                keycode::encode(raw.view(), &mut Vec::new());
            }
            if let (Some(a), Some(b)) = (ObjectRef::new(&a), ObjectRef::new(&b)) {
                let _ = (a.get("a"), a.iter().count(), a.to_object());
                patch::merge(a, b, &mut Vec::new());
                let _ = diff::diff(Some(a), Some(b));
                let _ = Path::parse("a.b[0]").unwrap().get(ValueRef::Object(a));
            }
            let patches = [b.clone(), a.clone(), b];
            let chain = Chain::new(&a, &patches);
            let _ = (chain.member("a"), chain.path(&Path::parse("a.b").unwrap()));
            let _ = chain.merged(&Path::parse("a.b").unwrap(), &mut Vec::new());
            chain.materialise(&mut Vec::new());
        }
    }
}
