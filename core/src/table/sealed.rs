//! Small text files that end with their own crc: JSON objects (drift.json, meta.json) and YAML (schema.yaml).

use alloc::format;
use alloc::string::String;

use crate::crc;
use crate::error::{Error, Result};
use crate::value::{Object, Value, json};

const JSON_CRC: &str = ",\"crc\":\"";
const JSON_END: &str = "\"}\n";
const YAML_CRC: &str = "# crc32: ";
const CRC_DIGITS: usize = 8;

/// The object as one line of JSON whose last member, `crc`, is the crc32 of all bytes before it.
/// The object must have a member.
pub fn seal_json(object: &Object) -> String {
    let mut text = String::new();
    json::write_value(&Value::Object(object.clone()), &mut text);
    text.pop();
    let crc = crc::hash(text.as_bytes());
    format!("{text}{JSON_CRC}{crc:08x}{JSON_END}")
}

/// Reads what [`seal_json`] wrote; any other byte is an error naming `path`.
pub fn open_json(path: &str, bytes: &[u8]) -> Result<Object> {
    let damaged = || Error::corrupt(path, 0, "this file does not match its checksum");
    let text = core::str::from_utf8(bytes).map_err(|_| damaged())?;
    let rest = text.strip_suffix(JSON_END).ok_or_else(damaged)?;
    let (body, crc) = rest.rsplit_once(JSON_CRC).ok_or_else(damaged)?;
    check(crc, body).ok_or_else(damaged)?;
    match json::parse(&format!("{body}}}")) {
        Ok(Value::Object(object)) => Ok(object),
        _ => Err(damaged()),
    }
}

/// The text followed by a comment line with its crc32. The text must end with a newline.
pub fn seal_yaml(text: &str) -> String {
    format!("{text}{YAML_CRC}{:08x}\n", crc::hash(text.as_bytes()))
}

/// The text that [`seal_yaml`] sealed; any other byte is an error naming `path`.
pub fn open_yaml<'a>(path: &str, bytes: &'a [u8]) -> Result<&'a str> {
    let damaged = || {
        Error::corrupt(path, 0, "this file does not match its checksum")
            .hint("schema.yaml is for people to read, not to edit: put back what was there")
    };
    let text = core::str::from_utf8(bytes).map_err(|_| damaged())?;
    let rest = text.strip_suffix('\n').ok_or_else(damaged)?;
    let (body, crc) = rest.rsplit_once(YAML_CRC).ok_or_else(damaged)?;
    check(crc, body).ok_or_else(damaged)?;
    Ok(body)
}

fn check(crc: &str, body: &str) -> Option<()> {
    let expected = format!("{:08x}", crc::hash(body.as_bytes()));
    (crc.len() == CRC_DIGITS && crc == expected).then_some(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn flips_are_found(sealed: &str, open: impl Fn(&[u8]) -> bool) {
        let mut bytes = sealed.as_bytes().to_vec();
        assert!(open(&bytes));
        for at in 0..bytes.len() {
            for bit in 0..8 {
                bytes[at] ^= 1 << bit;
                assert!(!open(&bytes), "byte {at} bit {bit}");
                bytes[at] ^= 1 << bit;
            }
            assert!(!open(&bytes[..at]), "cut at {at}");
        }
    }

    #[test]
    fn every_flip_of_json_is_found() {
        let mut object = Object::new();
        object.insert("a", Value::Int(1));
        flips_are_found(&seal_json(&object), |bytes| open_json("x", bytes).is_ok());
    }

    #[test]
    fn every_flip_of_yaml_is_found() {
        flips_are_found(&seal_yaml("name: \"x\"\n"), |bytes| {
            open_yaml("x", bytes).is_ok()
        });
    }
}
