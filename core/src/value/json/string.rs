//! The escapes of JSON's strings.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;

use crate::error::{Error, Result, Span};

/// Undoes the escapes of a string literal, given without its quotes. `quote` is the quote it stood in: besides JSON's own escapes, a
/// backslash before it stands for it.
///
/// # Errors
/// [`crate::Code::Syntax`] at the span of the escape, counted from the start of `text`.
pub fn unescape(text: &str, quote: char) -> Result<Cow<'_, str>> {
    let Some((plain, escaped)) = text.split_once('\\') else {
        return Ok(Cow::Borrowed(text));
    };
    let mut out = String::with_capacity(text.len());
    out.push_str(plain);
    let mut rest = escaped;
    loop {
        let start = text.len() - rest.len() - 1;
        let (value, behind) = escape(rest, quote).map_err(|(length, message)| {
            Error::syntax(
                Span::new(start, (start + 1 + length).min(text.len())),
                message,
            )
        })?;
        out.push(value);
        let Some((plain, escaped)) = behind.split_once('\\') else {
            out.push_str(behind);
            return Ok(Cow::Owned(out));
        };
        out.push_str(plain);
        rest = escaped;
    }
}

/// What is wrong with an escape, and how many bytes of it there are behind the backslash.
type Flaw = (usize, String);

/// The character of the escape whose backslash has been read, and what follows.
fn escape(text: &str, quote: char) -> Result<(char, &str), Flaw> {
    let mut chars = text.chars();
    let letter = chars.next();
    let rest = chars.as_str();
    let value = match letter {
        Some('n') => '\n',
        Some('t') => '\t',
        Some('r') => '\r',
        Some('b') => '\u{8}',
        Some('f') => '\u{c}',
        Some('u') => return unicode(text),
        Some(same @ ('"' | '\\' | '/')) => same,
        Some(same) if same == quote => same,
        Some(other) => {
            return Err((other.len_utf8(), format!("`\\{other}` is not an escape")));
        }
        None => return Err((0, String::from("the string ends in a backslash"))),
    };
    Ok((value, rest))
}

/// An escape of the form `uXXXX`, or a pair of them for a character beyond U+FFFF.
fn unicode(text: &str) -> Result<(char, &str), Flaw> {
    let (unit, rest) = hex_unit(text)?;
    let lone = || (5, String::from("half of a surrogate pair stands alone"));
    let code = match unit {
        0xd800..=0xdbff => {
            let second = rest.strip_prefix('\\').ok_or_else(lone)?;
            let (low @ 0xdc00..=0xdfff, behind) = hex_unit(second).map_err(|_| lone())? else {
                return Err(lone());
            };
            let code = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
            return Ok((char::from_u32(code).ok_or_else(lone)?, behind));
        }
        code => code,
    };
    Ok((char::from_u32(code).ok_or_else(lone)?, rest))
}

fn hex_unit(text: &str) -> Result<(u32, &str), Flaw> {
    let flaw = || {
        let digits = text
            .chars()
            .skip(1)
            .take(4)
            .take_while(char::is_ascii_hexdigit);
        let length = 1 + digits.count();
        (length, String::from("`\\u` takes four hexadecimal digits"))
    };
    let digits = text.strip_prefix('u').ok_or_else(flaw)?;
    let (digits, rest) = digits.split_at_checked(4).ok_or_else(flaw)?;
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(flaw());
    }
    let unit = u32::from_str_radix(digits, 16).map_err(|_| flaw())?;
    Ok((unit, rest))
}
