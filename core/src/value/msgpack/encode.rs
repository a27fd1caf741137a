//! Writing msgpack in the smallest forms, byte for byte what `rmp_serde::to_vec_named` writes.

use alloc::vec::Vec;

use crate::value::{Object, Value, ValueRef};

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
pub(in crate::value) fn map_head(len: usize) -> ([u8; 5], usize) {
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
