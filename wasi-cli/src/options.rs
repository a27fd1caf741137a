//! Values of options that need reading: times, keys, parameters.

use std::time::{SystemTime, UNIX_EPOCH};

use driftdb_core::Result;
use driftdb_core::limits::TIMESTAMP_MAX;
use driftdb_core::time::Timestamp;
use driftdb_core::value::{Key, Object, Value, json};

use crate::args::Metadata;

/// The clock's time.
pub fn clock() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp(
        u64::try_from(since.as_millis())
            .unwrap_or(TIMESTAMP_MAX)
            .min(TIMESTAMP_MAX),
    )
}

/// A time on the command line: RFC 3339, a date, or unix milliseconds.
pub fn time(text: &str) -> Result<Timestamp, String> {
    let parsed = match text.parse::<u64>() {
        Ok(millis) if millis <= TIMESTAMP_MAX => return Ok(Timestamp(millis)),
        _ => Timestamp::parse(text),
    };
    parsed.map_err(|error| error.message().to_owned())
}

/// A key on the command line: digits are an integer, text in double quotes is JSON, anything else a string.
pub fn key(text: &str) -> Result<Key> {
    let looks_integer = text
        .strip_prefix('-')
        .unwrap_or(text)
        .bytes()
        .all(|b| b.is_ascii_digit());
    let value = match json::parse(text) {
        Ok(value @ (Value::Int(_) | Value::UInt(_))) if looks_integer => value,
        Ok(value @ Value::Str(_)) => value,
        _ => Value::Str(text.into()),
    };
    Key::from_value(&value)
}

/// A value on the command line: JSON, or else the text as a string.
pub fn value(text: &str) -> Value {
    json::parse(text).unwrap_or_else(|_| Value::Str(text.into()))
}

/// Parameters on the command line: those with a name and those without.
pub fn parameters(texts: &[String]) -> (Vec<Value>, Vec<(String, Value)>) {
    let (mut positional, mut named) = (Vec::new(), Vec::new());
    for text in texts {
        match text.split_once('=') {
            Some((name, rest)) if is_name(name) => named.push((name.to_owned(), value(rest))),
            _ => positional.push(value(text)),
        }
    }
    (positional, named)
}

fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes
        .next()
        .is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

impl Metadata {
    /// What `--by` and `--why` say, as an event keeps it.
    pub fn object(&self) -> Option<Object> {
        let given = [("by", &self.by), ("why", &self.why)];
        let members = given
            .into_iter()
            .filter_map(|(name, text)| Some((name, text.as_deref()?)));
        let object: Object = members.collect();
        (!object.is_empty()).then_some(object)
    }

    /// The time of a write that happens now.
    pub fn time(&self) -> Timestamp {
        self.now.unwrap_or_else(clock)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_integers_or_strings_by_how_they_look() {
        let shown = |text: &str| key(text).map(|key| key.to_string());
        assert_eq!(shown("7").ok().as_deref(), Some("7"));
        assert_eq!(shown("-7").ok().as_deref(), Some("-7"));
        assert_eq!(shown("\"7\"").ok().as_deref(), Some("\"7\""));
        assert_eq!(shown("user1").ok().as_deref(), Some("\"user1\""));
        assert_eq!(shown("1.5").ok().as_deref(), Some("\"1.5\""));
        assert_eq!(shown("007").ok().as_deref(), Some("\"007\""));
        assert_eq!(shown("").ok().as_deref(), Some("\"\""));
        assert_eq!(
            shown("18446744073709551615").ok().as_deref(),
            Some("18446744073709551615")
        );
    }

    #[test]
    fn parameters_may_have_names() {
        let texts = ["5", "a=b=c", "x y=1", "low=1.5", "\"7\""].map(String::from);
        let (positional, named) = parameters(&texts);
        assert_eq!(positional, [Value::Int(5), "x y=1".into(), "7".into()]);
        assert_eq!(
            named,
            [
                ("a".into(), "b=c".into()),
                ("low".into(), Value::Float(1.5))
            ]
        );
    }
}
