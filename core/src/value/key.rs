//! [`Key`]: what names a row: an integer or a string.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::{Raw, Value, ValueRef, json, keycode, msgpack};
use crate::error::{Code, Error, Result};
use crate::limits::KEY_BYTES_MAX;

/// The key of a row. Integers come before strings; `"1"` is not `1`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// An integer in the range of i64.
    Int(i64),
    /// An integer above `i64::MAX`; smaller ones are always [`Key::Int`].
    UInt(u64),
    /// A string of at most [`KEY_BYTES_MAX`] bytes.
    Str(String),
}

impl Key {
    /// The key that a value is.
    ///
    /// # Errors
    /// [`Code::InvalidKey`] for anything but an integer or a string of at most [`KEY_BYTES_MAX`] bytes.
    pub fn from_value(value: &Value) -> Result<Key> {
        Key::check(value).and_then(Key::from_view)
    }

    /// A value that can be a key, borrowed.
    ///
    /// # Errors
    /// Those of [`Key::from_value`].
    pub fn check(value: &Value) -> Result<ValueRef<'_>> {
        match value {
            Value::Int(value) => Ok(ValueRef::Int(*value)),
            Value::UInt(value) => Ok(ValueRef::UInt(*value)),
            Value::Str(text) => Ok(ValueRef::Str(checked(text)?)),
            other => Err(refused(other.kind())),
        }
    }

    /// The same of a borrowed value.
    ///
    /// # Errors
    /// Those of [`Key::from_value`].
    pub fn check_view(value: ValueRef<'_>) -> Result<ValueRef<'_>> {
        match value {
            ValueRef::Int(_) | ValueRef::UInt(_) => Ok(value),
            ValueRef::Str(text) => checked(text).map(ValueRef::Str),
            other => Err(refused(other.kind())),
        }
    }

    /// The key that a borrowed value is.
    ///
    /// # Errors
    /// Those of [`Key::from_value`].
    pub fn from_view(value: ValueRef<'_>) -> Result<Key> {
        match value {
            ValueRef::Int(value) => Ok(Key::Int(value)),
            ValueRef::UInt(value) => Ok(Key::from(value)),
            ValueRef::Str(text) => Ok(Key::Str(checked(text)?.into())),
            other => Err(refused(other.kind())),
        }
    }

    /// The key that a msgpack value is.
    ///
    /// # Errors
    /// Those of [`Key::from_value`].
    pub fn from_raw(raw: Raw<'_>) -> Result<Key> {
        Key::from_view(raw.view())
    }

    /// The key as a value.
    pub fn to_value(&self) -> Value {
        match self {
            Key::Int(value) => Value::Int(*value),
            Key::UInt(value) => Value::UInt(*value),
            Key::Str(text) => Value::Str(text.clone()),
        }
    }

    /// The key as a borrowed value.
    pub fn view(&self) -> ValueRef<'_> {
        match self {
            Key::Int(value) => ValueRef::Int(*value),
            Key::UInt(value) => ValueRef::UInt(*value),
            Key::Str(text) => ValueRef::Str(text),
        }
    }

    /// Appends the key's keycode: bytes in the order of keys, none the start of another.
    pub fn encode(&self, out: &mut Vec<u8>) {
        keycode::encode(self.view(), out);
    }

    /// Appends the key's msgpack form.
    pub fn encode_msgpack(&self, out: &mut Vec<u8>) {
        msgpack::encode_ref(self.view(), out);
    }

    /// The key whose keycode is at the start of `bytes`, and how long that is.
    ///
    /// # Errors
    /// [`Code::Corrupt`], without a place, if there is none.
    pub fn decode(bytes: &[u8]) -> Result<(Key, usize)> {
        let flaw = || Error::new(Code::Corrupt, "the encoded key of a row is malformed");
        let (key, rest) = decode(bytes).ok_or_else(flaw)?;
        Ok((key, bytes.len() - rest.len()))
    }
}

fn checked(text: &str) -> Result<&str> {
    if text.len() <= KEY_BYTES_MAX {
        return Ok(text);
    }
    let message = format!(
        "a key of {} bytes; at most {KEY_BYTES_MAX} are allowed",
        text.len()
    );
    Err(Error::new(Code::InvalidKey, message))
}

fn refused(kind: &str) -> Error {
    Error::new(
        Code::InvalidKey,
        format!("a key is a string or an integer, not {kind}"),
    )
}

fn decode(bytes: &[u8]) -> Option<(Key, &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    match *tag {
        keycode::NUMBER => {
            let (double, residual, rest) = keycode::decode_number(rest)?;
            Some((integer(double, residual)?, rest))
        }
        keycode::STRING => {
            let (text, rest) = keycode::decode_str(rest)?;
            Some((Key::Str(String::from_utf8(text).ok()?), rest))
        }
        _ => None,
    }
}

fn integer(double: f64, residual: i16) -> Option<Key> {
    if double % 1.0 != 0.0 || double.abs() > 18_446_744_073_709_551_616.0 {
        return None;
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a whole double of at most 2^64 is exact in i128"
    )]
    let exact = double as i128 + i128::from(residual);
    match i64::try_from(exact) {
        Ok(value) => Some(Key::Int(value)),
        Err(_) => u64::try_from(exact).ok().map(Key::UInt),
    }
}

impl From<i64> for Key {
    fn from(value: i64) -> Self {
        Key::Int(value)
    }
}

impl From<i32> for Key {
    fn from(value: i32) -> Self {
        Key::Int(i64::from(value))
    }
}

impl From<u64> for Key {
    fn from(value: u64) -> Self {
        i64::try_from(value).map_or(Key::UInt(value), Key::Int)
    }
}

/// Not checked against [`KEY_BYTES_MAX`]: what writes a row does that.
impl From<&str> for Key {
    fn from(value: &str) -> Self {
        Key::Str(value.into())
    }
}

/// Not checked, as above.
impl From<String> for Key {
    fn from(value: String) -> Self {
        Key::Str(value)
    }
}

/// JSON.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        json::format(self.view(), f)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use alloc::string::ToString;

    use proptest::prelude::*;

    use super::super::{Object, testing};
    use super::*;

    #[test]
    fn only_integers_and_strings_are_keys() {
        for value in [
            Value::Null,
            true.into(),
            1.0.into(),
            Value::Array(Vec::new()),
            Object::new().into(),
        ] {
            assert_eq!(
                Key::from_value(&value).unwrap_err().code(),
                Code::InvalidKey
            );
            let bytes = value.to_msgpack();
            let raw = Raw::new(&bytes).unwrap();
            assert_eq!(Key::from_raw(raw).unwrap_err().code(), Code::InvalidKey);
        }
        assert_ne!(Key::from(1), Key::from("1"));
        assert_eq!(Key::from("a\"b").to_string(), r#""a\"b""#);
        assert_eq!(Key::from(u64::MAX).to_string(), "18446744073709551615");
    }

    #[test]
    fn the_length_of_a_key_is_bounded() {
        assert!(Key::from_value(&"x".repeat(KEY_BYTES_MAX).into()).is_ok());
        let error = Key::from_value(&"x".repeat(KEY_BYTES_MAX + 1).into()).unwrap_err();
        assert_eq!(error.code(), Code::InvalidKey);
    }

    #[test]
    fn a_float_is_not_decoded_as_a_key() {
        for float in [
            0.5,
            1e300,
            -1e300,
            18_446_744_073_709_551_616.0,
            -9_300_000_000_000_000_000.0,
        ] {
            let mut bytes = Vec::new();
            keycode::encode(ValueRef::Float(float), &mut bytes);
            assert_eq!(
                Key::decode(&bytes).unwrap_err().code(),
                Code::Corrupt,
                "{float}"
            );
        }
    }

    proptest! {
        #[test]
        fn a_key_reads_back_and_sorts_as_its_bytes(a in testing::scalars(), b in testing::scalars(), tail: u8) {
            let (Ok(a), Ok(b)) = (Key::from_value(&a), Key::from_value(&b)) else {
                return Ok(());
            };
            let (mut a_bytes, mut b_bytes) = (Vec::new(), Vec::new());
            a.encode(&mut a_bytes);
            b.encode(&mut b_bytes);
            prop_assert_eq!(a_bytes.cmp(&b_bytes), a.cmp(&b));
            let length = a_bytes.len();
            a_bytes.push(tail);
            prop_assert_eq!(Key::decode(&a_bytes).unwrap(), (a.clone(), length));
            let mut raw = Vec::new();
            a.encode_msgpack(&mut raw);
            prop_assert_eq!(Key::from_raw(Raw::new(&raw).unwrap()).unwrap(), Key::from_value(&a.to_value()).unwrap());
        }

        #[test]
        fn no_bytes_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..20), tag in 0usize..3) {
            if let Some(first) = bytes.first_mut() {
                *first = [keycode::NUMBER, keycode::STRING, *first][tag];
            }
            let _ = Key::decode(&bytes);
        }
    }
}
