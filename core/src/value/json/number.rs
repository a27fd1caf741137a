//! JSON's numbers: integers exact over i64 and u64, everything else the nearest double.

use alloc::format;

use crate::error::{Code, Error, Result, Span};
use crate::value::Value;

/// Reads a number literal as JSON writes it: no sign but `-`, no leading zeros, digits on both sides of a point.
///
/// # Errors
/// [`Code::Syntax`] if the text is not a number; [`Code::OutOfRange`] for an integer outside i64 and u64 and for a float too large
/// for a double. Both at the span of the whole text.
pub fn number(text: &str) -> Result<Value> {
    let span = Span::new(0, text.len());
    match scan(text.as_bytes()) {
        Some((length, integral)) if length == text.len() => {
            if integral {
                integer(text, span)
            } else {
                float(text, span)
            }
        }
        _ => Err(Error::syntax(span, format!("`{text}` is not a number"))),
    }
}

fn integer(text: &str, span: Span) -> Result<Value> {
    if let Ok(value) = text.parse::<i64>() {
        return Ok(Value::Int(value));
    }
    text.parse::<u64>().map(Value::from).map_err(|_| {
        let message = format!("the integer {} is out of range", shortened(text));
        let hint = "integers go from -9223372036854775808 to 18446744073709551615; with `.0` it is a float, and inexact";
        Error::new(Code::OutOfRange, message).at(span).hint(hint)
    })
}

fn float(text: &str, span: Span) -> Result<Value> {
    match double(text) {
        Some(value) if value.is_finite() => Ok(Value::Float(value)),
        _ => {
            let message = format!("the number {} is out of range", shortened(text));
            Err(Error::new(Code::OutOfRange, message).at(span))
        }
    }
}

#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
fn double(text: &str) -> Option<f64> {
    text.parse().ok()
}

#[cfg(all(target_family = "wasm", target_os = "unknown"))]
fn double(text: &str) -> Option<f64> {
    Some(super::double::parse(text))
}

fn shortened(text: &str) -> alloc::borrow::Cow<'_, str> {
    match text.split_at_checked(40) {
        Some((start, _)) => format!("{start}...").into(),
        None => text.into(),
    }
}

/// The length of the number literal at the start of `bytes` and whether it is an integer; `None` if there is none.
pub(super) fn scan(bytes: &[u8]) -> Option<(usize, bool)> {
    let unsigned = bytes.strip_prefix(b"-").unwrap_or(bytes);
    let mut rest = match unsigned.split_first()? {
        (b'0', rest) => rest,
        (b'1'..=b'9', rest) => skip_digits(rest),
        _ => return None,
    };
    let mut integral = true;
    if let [b'.', digit, fraction @ ..] = rest {
        if !digit.is_ascii_digit() {
            return None;
        }
        (rest, integral) = (skip_digits(fraction), false);
    }
    if let [b'e' | b'E', exponent @ ..] = rest {
        let digits = match exponent {
            [b'+' | b'-', digits @ ..] => digits,
            digits => digits,
        };
        let behind = skip_digits(digits);
        if behind.len() == digits.len() {
            return None;
        }
        (rest, integral) = (behind, false);
    }
    Some((bytes.len() - rest.len(), integral))
}

fn skip_digits(bytes: &[u8]) -> &[u8] {
    let count = bytes
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    bytes.get(count..).unwrap_or_default()
}
