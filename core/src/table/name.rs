//! File names of tables and members: what is not `[a-z0-9_-]` is escaped, so that case-blind filesystems keep names apart.

use alloc::string::String;
use core::fmt::Write;

/// The file name of a table or member: every byte outside `[a-z0-9_-]` becomes `%` and two lower-case hex digits.
///
/// ```
/// # use driftdb_core::table::name::escape;
/// assert_eq!(escape("orders"), "orders");
/// assert_eq!(escape("Orders"), "%4frders");
/// assert_eq!(escape("a.b"), "a%2eb");
/// ```
pub fn escape(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'-' {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02x}");
        }
    }
    out
}

/// The name behind a file name; `None` if [`escape`] writes no such name.
pub fn unescape(file: &str) -> Option<String> {
    let mut bytes = alloc::vec::Vec::with_capacity(file.len());
    let mut rest = file.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let high = char::from(rest.next()?).to_digit(16)?;
            let low = char::from(rest.next()?).to_digit(16)?;
            bytes.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    let name = String::from_utf8(bytes).ok()?;
    (escape(&name) == file).then_some(name)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back() {
        for name in ["orders", "Orders", "a b", "ümlaut", "x.y[0]", "%41", "-_9"] {
            assert_eq!(unescape(&escape(name)).as_deref(), Some(name));
        }
    }

    #[test]
    fn what_is_no_escape_is_no_name() {
        for file in ["Orders", "a.b", "%4", "%zz", "%4F", "%61"] {
            assert_eq!(unescape(file), None, "{file}");
        }
    }
}
