//! Values from JavaScript: msgpack values one after another, checked here once and for all.

use driftdb_core::ql::Params;
use driftdb_core::value::{Bytes, Given, Key, Object, Value};
use driftdb_core::{Code, Error, Result};

/// Values one after another, up to the end of the bytes.
fn values(bytes: &[u8]) -> impl Iterator<Item = Result<Given>> {
    Given::all(Bytes::from(bytes))
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
        let (Given::Value(Value::Str(name)), Some(value)) = (name, values.next().transpose()?)
        else {
            return Err(broken());
        };
        params.named.push((name, value));
    }
    Ok(params)
}

/// Documents and other values one after another.
pub fn documents(bytes: &[u8]) -> Result<Vec<Given>> {
    values(bytes).collect()
}

/// One object, or nothing.
pub fn object(bytes: &[u8]) -> Result<Option<Object>> {
    let given = values(bytes).next().transpose()?;
    given.map(|given| given.to_object()).transpose()
}

/// One key.
pub fn key(bytes: &[u8]) -> Result<Key> {
    match values(bytes).next().transpose()? {
        None => Err(broken()),
        Some(given) => Key::from_value(&given.to_value()),
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
        assert_eq!(named, [("a".to_string(), Given::Value(Value::Int(1)))]);
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
