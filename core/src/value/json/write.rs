//! Writing JSON, without white space. Floats keep a `.0` or an exponent, so that reading gives a float again.

use alloc::string::String;
use core::fmt::{self, Write};

use crate::limits::NESTING_MAX;
use crate::value::{Object, Value, ValueRef};

/// Appends a borrowed value as JSON.
pub fn write(value: ValueRef<'_>, out: &mut String) {
    // Writing to a string cannot fail.
    let _ = format(value, out);
}

/// Appends an owned value as JSON.
pub fn write_value(value: &Value, out: &mut String) {
    let _ = format_value(value, out);
}

/// Appends a string in double quotes.
pub fn write_str(text: &str, out: &mut String) {
    let _ = format_str(text, out);
}

pub(in crate::value) fn format(value: ValueRef<'_>, out: &mut impl Write) -> fmt::Result {
    format_levels(value, NESTING_MAX, out)
}

/// Levels deeper than a document may have are written as null, so that no bytes can exhaust the stack.
fn format_levels(value: ValueRef<'_>, levels: usize, out: &mut impl Write) -> fmt::Result {
    match value {
        ValueRef::Null => out.write_str("null"),
        ValueRef::Bool(value) => out.write_str(if value { "true" } else { "false" }),
        ValueRef::Int(value) => write!(out, "{value}"),
        ValueRef::UInt(value) => write!(out, "{value}"),
        ValueRef::Float(value) => format_float(value, out),
        ValueRef::Str(text) => format_str(text, out),
        ValueRef::Array(_) | ValueRef::Object(_) if levels == 0 => out.write_str("null"),
        ValueRef::Array(array) => {
            let items = array.iter();
            list(items, ['[', ']'], out, |item, out| {
                format_levels(item.view(), levels - 1, out)
            })
        }
        ValueRef::Object(object) => list(object.iter(), ['{', '}'], out, |(name, value), out| {
            format_str(name, out)?;
            out.write_char(':')?;
            format_levels(value.view(), levels - 1, out)
        }),
    }
}

pub(in crate::value) fn format_value(value: &Value, out: &mut impl Write) -> fmt::Result {
    match value {
        Value::Null => out.write_str("null"),
        Value::Bool(value) => out.write_str(if *value { "true" } else { "false" }),
        Value::Int(value) => write!(out, "{value}"),
        Value::UInt(value) => write!(out, "{value}"),
        Value::Float(value) => format_float(*value, out),
        Value::Str(text) => format_str(text, out),
        Value::Array(items) => list(items.iter(), ['[', ']'], out, format_value),
        Value::Object(object) => format_object(object, out),
    }
}

pub(in crate::value) fn format_object(object: &Object, out: &mut impl Write) -> fmt::Result {
    list(object.iter(), ['{', '}'], out, |(name, value), out| {
        format_str(name, out)?;
        out.write_char(':')?;
        format_value(value, out)
    })
}

fn list<T, W: Write>(
    items: impl Iterator<Item = T>,
    [open, close]: [char; 2],
    out: &mut W,
    mut each: impl FnMut(T, &mut W) -> fmt::Result,
) -> fmt::Result {
    out.write_char(open)?;
    for (place, item) in items.enumerate() {
        if place > 0 {
            out.write_char(',')?;
        }
        each(item, out)?;
    }
    out.write_char(close)
}

/// As Debug has it, which the module for JavaScript is built without: always told from an integer, short where it is very large or small.
fn format_float(value: f64, out: &mut impl Write) -> fmt::Result {
    let size = value.abs();
    if !value.is_finite() {
        out.write_str("null")
    } else if size == 0.0 || (1e-4..1e16).contains(&size) {
        write!(out, "{value}")?;
        out.write_str(if value % 1.0 == 0.0 { ".0" } else { "" })
    } else {
        write!(out, "{value:e}")
    }
}

fn format_str(text: &str, out: &mut impl Write) -> fmt::Result {
    out.write_char('"')?;
    let mut rest = text;
    while let Some(plain) = rest
        .bytes()
        .position(|byte| byte < 0x20 || byte == b'"' || byte == b'\\')
    {
        let (before, behind) = rest.split_at_checked(plain).ok_or(fmt::Error)?;
        out.write_str(before)?;
        let mut chars = behind.chars();
        escape(chars.next().unwrap_or_default(), out)?;
        rest = chars.as_str();
    }
    out.write_str(rest)?;
    out.write_char('"')
}

fn escape(special: char, out: &mut impl Write) -> fmt::Result {
    match special {
        '"' => out.write_str("\\\""),
        '\\' => out.write_str("\\\\"),
        '\n' => out.write_str("\\n"),
        '\r' => out.write_str("\\r"),
        '\t' => out.write_str("\\t"),
        '\u{8}' => out.write_str("\\b"),
        '\u{c}' => out.write_str("\\f"),
        other => write!(out, "\\u{:04x}", u32::from(other)),
    }
}
