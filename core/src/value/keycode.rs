//! Keycodes: bytes that compare as the values do, in the order of [`super::order::total`]. No keycode is the start of another.
//!
//! The first byte tells the type and is at least [`TAG_MIN`]. A number is the bits of its nearest double, made sortable, and how far
//! the exact integer is from it; so 1 and 1.0 have the same bytes, and all of i64 and u64 are told apart.

use alloc::vec::Vec;

use super::{ValueRef, order};
use crate::limits::NESTING_MAX;

/// The smallest first byte of a keycode; smaller ones are free for other uses.
pub const TAG_MIN: u8 = 0x10;

/// The longest keycode of null, a boolean or a number.
pub const SCALAR_BYTES_MAX: usize = 11;

const NULL: u8 = 0x10;
const FALSE: u8 = 0x18;
const TRUE: u8 = 0x19;
pub(super) const NUMBER: u8 = 0x20;
pub(super) const STRING: u8 = 0x30;
const ARRAY: u8 = 0x40;
const OBJECT: u8 = 0x50;
/// Ends an array or an object: below every tag.
const END: u8 = 0x01;

const ZERO: u8 = 0x00;
const ESCAPED: u8 = 0xff;
const STRING_END: [u8; 2] = [ZERO, 0x01];

/// What a residual of 0 is stored as.
const RESIDUAL_BIAS: u16 = 0x8000;
const SIGN: u64 = 1 << 63;

/// The least and the greatest first byte of keycodes of the type that a first byte tells. A boolean is all in its first byte.
pub fn first_bytes(first: u8) -> (u8, u8) {
    match first {
        FALSE | TRUE => (FALSE, TRUE),
        other => (other, other),
    }
}

/// Appends the keycode of a value.
#[inline]
pub fn encode(value: ValueRef<'_>, out: &mut Vec<u8>) {
    encode_levels(value, NESTING_MAX, out);
}

/// Levels deeper than a document may have count as null, so that no bytes can exhaust the stack.
fn encode_levels(value: ValueRef<'_>, levels: usize, out: &mut Vec<u8>) {
    match value {
        ValueRef::Null => out.push(NULL),
        ValueRef::Bool(false) => out.push(FALSE),
        ValueRef::Bool(true) => out.push(TRUE),
        ValueRef::Int(value) => encode_int(value, out),
        ValueRef::UInt(value) => encode_uint(value, out),
        ValueRef::Float(value) => number(value, 0, out),
        ValueRef::Str(text) => encode_str(text, out),
        ValueRef::Array(_) | ValueRef::Object(_) if levels == 0 => out.push(NULL),
        ValueRef::Array(array) => {
            out.push(ARRAY);
            for item in array.iter() {
                encode_levels(item.view(), levels - 1, out);
            }
            out.push(END);
        }
        ValueRef::Object(object) => {
            out.push(OBJECT);
            for (name, value) in order::sorted(object) {
                encode_str(name, out);
                encode_levels(value.view(), levels - 1, out);
            }
            out.push(END);
        }
    }
}

/// Appends the keycode of an integer.
pub fn encode_int(value: i64, out: &mut Vec<u8>) {
    let (double, residual) = nearest(i128::from(value), value as f64);
    number(double, residual, out);
}

/// Appends the keycode of an integer that is not negative.
pub fn encode_uint(value: u64, out: &mut Vec<u8>) {
    let (double, residual) = nearest(i128::from(value), value as f64);
    number(double, residual, out);
}

/// The nearest double of an integer and the distance from it, at most 1,024 for i64 and u64.
fn nearest(exact: i128, double: f64) -> (f64, i16) {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a double of at most 2^64 is exact in i128"
    )]
    let residual = exact - double as i128;
    (double, i16::try_from(residual).unwrap_or_default())
}

fn number(double: f64, residual: i16, out: &mut Vec<u8>) {
    // -0.0 equals 0.0; adding 0.0 turns it into 0.0 and leaves all else as it is.
    let bits = (double + 0.0).to_bits();
    let sortable = if bits & SIGN == 0 { bits | SIGN } else { !bits };
    let mut code = [NUMBER; SCALAR_BYTES_MAX];
    let [_, high @ .., low_0, low_1] = &mut code;
    *high = sortable.to_be_bytes();
    [*low_0, *low_1] = RESIDUAL_BIAS.wrapping_add_signed(residual).to_be_bytes();
    out.extend_from_slice(&code);
}

/// The double and the residual of a number's keycode, whose tag has been read; and what follows.
pub(super) fn decode_number(bytes: &[u8]) -> Option<(f64, i16, &[u8])> {
    let (sortable, rest) = bytes.split_first_chunk::<8>()?;
    let (residual, rest) = rest.split_first_chunk::<2>()?;
    let sortable = u64::from_be_bytes(*sortable);
    let bits = if sortable & SIGN == 0 {
        !sortable
    } else {
        sortable ^ SIGN
    };
    let residual = u16::from_be_bytes(*residual)
        .wrapping_sub(RESIDUAL_BIAS)
        .cast_signed();
    Some((f64::from_bits(bits), residual, rest))
}

/// Appends the keycode of a string: a zero byte is followed by FF, the end is 00 01.
pub fn encode_str(text: &str, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    out.reserve(bytes.len() + 3);
    out.push(STRING);
    let mut parts = bytes.split(|byte| *byte == ZERO);
    out.extend_from_slice(parts.next().unwrap_or_default());
    for part in parts {
        out.extend_from_slice(&[ZERO, ESCAPED]);
        out.extend_from_slice(part);
    }
    out.extend_from_slice(&STRING_END);
}

/// The bytes of the string whose keycode, the tag read, is at the start of `bytes`; and what follows.
pub(super) fn decode_str(bytes: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut text = Vec::new();
    let mut rest = bytes;
    loop {
        let zero = rest.iter().position(|byte| *byte == ZERO)?;
        let (plain, behind) = rest.split_at_checked(zero)?;
        text.extend_from_slice(plain);
        match behind {
            [ZERO, ESCAPED, behind @ ..] => {
                text.push(ZERO);
                rest = behind;
            }
            [ZERO, 0x01, behind @ ..] => return Some((text, behind)),
            _ => return None,
        }
    }
}
