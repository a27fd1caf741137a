//! Rust types as documents, through serde.

use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::{Raw, msgpack};
use crate::error::{Code, Error, Result};

/// Reads a value into a Rust type, which may borrow its strings from it.
///
/// # Errors
/// [`Code::InvalidValue`] if the type does not fit.
pub fn from_raw<'a, T: Deserialize<'a>>(raw: Raw<'a>) -> Result<T> {
    rmp_serde::from_slice(raw.as_bytes()).map_err(|error| {
        let type_name = core::any::type_name::<T>();
        Error::new(
            Code::InvalidValue,
            format!("a document does not fit {type_name}: {error}"),
        )
    })
}

/// The msgpack form of a Rust type as a document.
///
/// # Errors
/// [`Code::InvalidValue`] if it does not become an object, or holds what JSON does not have: bytes, NaN, an infinity, keys of maps
/// that are not strings, integers outside i64 and u64; [`Code::Limit`] if it is nested too deep.
pub fn to_document<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>> {
    let bytes = rmp_serde::to_vec_named(value)
        .map_err(|error| Error::new(Code::InvalidValue, error.to_string()))?;
    let (raw, _) = msgpack::validate_first(&bytes)?;
    let Some(object) = raw.object() else {
        let message = format!("a document is an object, not {}", raw.view().kind());
        return Err(Error::new(Code::InvalidValue, message));
    };
    // Encoded anew, since serde's floats of 32 bits have a form of their own.
    let mut out = Vec::with_capacity(bytes.len());
    msgpack::encode_object(&object.to_object(), &mut out);
    Ok(out)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use alloc::collections::BTreeMap;
    use alloc::string::String;

    use super::super::json;
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Order<'a> {
        id: &'a str,
        amount: u64,
        rate: f32,
        tags: Vec<String>,
        note: Option<String>,
    }

    #[test]
    fn a_type_becomes_a_document_and_comes_back() {
        let tags = alloc::vec!["x".to_string()];
        let order = Order {
            id: "o1",
            amount: u64::MAX,
            rate: 0.5,
            tags,
            note: None,
        };
        let document = to_document(&order).unwrap();
        let raw = Raw::new(&document).unwrap();
        let text =
            r#"{"id":"o1","amount":18446744073709551615,"rate":0.5,"tags":["x"],"note":null}"#;
        assert_eq!(document, json::parse(text).unwrap().to_msgpack());
        assert_eq!(from_raw::<Order<'_>>(raw).unwrap(), order);
        assert_eq!(from_raw::<u8>(raw).unwrap_err().code(), Code::InvalidValue);
    }

    #[test]
    fn what_json_does_not_have_is_refused() {
        let code = |result: Result<Vec<u8>>| result.unwrap_err().code();
        assert_eq!(code(to_document(&1)), Code::InvalidValue);
        assert_eq!(
            code(to_document(&BTreeMap::from([(1, 2)]))),
            Code::InvalidValue
        );
        assert_eq!(
            code(to_document(&BTreeMap::from([("a", f64::NAN)]))),
            Code::InvalidValue
        );
        assert_eq!(
            code(to_document(&BTreeMap::from([("a", i128::MAX)]))),
            Code::InvalidValue
        );
    }
}
