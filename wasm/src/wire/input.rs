//! Values from JavaScript: msgpack values one after another, checked here once and for all.

use driftdb_core::ql::Params;
use driftdb_core::value::{Key, Object, Value, msgpack};
use driftdb_core::{Code, Error, Result};

/// Values one after another, up to the end of the bytes.
fn values(mut bytes: &[u8]) -> impl Iterator<Item = Result<Value>> {
    std::iter::from_fn(move || {
        if bytes.is_empty() {
            return None;
        }
        match msgpack::validate_first(bytes) {
            Ok((raw, rest)) => {
                bytes = rest;
                Some(Ok(raw.to_value()))
            }
            Err(error) => {
                bytes = &[];
                Some(Err(error))
            }
        }
    })
}

/// The values of a script's parameters: positional ones one after another, named ones as name, value, name, value.
pub fn params(bytes: &[u8], named: bool) -> Result<Params> {
    let mut params = Params::none();
    let mut values = values(bytes);
    if !named {
        params.positional = values.collect::<Result<_>>()?;
        return Ok(params);
    }
    while let Some(name) = values.next().transpose()? {
        let (Value::Str(name), Some(value)) = (name, values.next().transpose()?) else {
            return Err(broken());
        };
        params.named.push((name, value));
    }
    Ok(params)
}

/// Documents one after another.
pub fn documents(bytes: &[u8]) -> Result<Vec<Value>> {
    values(bytes).collect()
}

/// One object, or nothing.
pub fn object(bytes: &[u8]) -> Result<Option<Object>> {
    match values(bytes).next().transpose()? {
        None => Ok(None),
        Some(Value::Object(object)) => Ok(Some(object)),
        Some(other) => Err(Error::new(
            Code::InvalidValue,
            format!("an object is expected here, not {}", other.kind()),
        )),
    }
}

/// One key.
pub fn key(bytes: &[u8]) -> Result<Key> {
    match values(bytes).next().transpose()? {
        None => Err(broken()),
        Some(value) => Key::from_value(&value),
    }
}

fn broken() -> Error {
    Error::new(
        Code::Parameter,
        "the values of the parameters cannot be read",
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn bytes(values: &[Value]) -> Vec<u8> {
        values.iter().flat_map(Value::to_msgpack).collect()
    }

    #[test]
    fn parameters_by_place_and_by_name() {
        let two = bytes(&[Value::from("a"), Value::from(1_i64)]);
        assert_eq!(params(&two, false).unwrap().positional.len(), 2);
        let named = params(&two, true).unwrap().named;
        assert_eq!(named, [("a".to_string(), Value::Int(1))]);
        assert_eq!(params(&[], true).unwrap(), Params::none());
    }

    #[test]
    fn what_is_cut_or_not_a_name_is_refused() {
        let one = bytes(&[Value::from("a")]);
        assert_eq!(params(&one, true).unwrap_err().code(), Code::Parameter);
        let number = bytes(&[Value::from(1_i64), Value::Null]);
        assert_eq!(params(&number, true).unwrap_err().code(), Code::Parameter);
        assert!(params(&[0xa5, b'a'], false).is_err());
        assert!(key(&[]).is_err());
        assert_eq!(key(&[0xc3]).unwrap_err().code(), Code::InvalidKey);
        assert_eq!(
            object(&[0x90]).unwrap_err().message(),
            "an object is expected here, not an array"
        );
    }
}
