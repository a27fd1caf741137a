//! [`Document`]: an object as its bytes, which are what is stored; [`Given`]: a value as a host gives it.

use core::fmt;

use super::{Bytes, Object, ObjectRef, Value, msgpack};
use crate::error::{Code, Error, Result};

/// An object in msgpack that has been validated.
#[derive(Clone, PartialEq)]
pub struct Document(Bytes);

impl Document {
    /// What the bytes say.
    pub fn view(&self) -> ObjectRef<'_> {
        ObjectRef::new(&self.0).unwrap_or(ObjectRef::EMPTY)
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.view().raw(), f)
    }
}

/// A value as a host gives it: an object stays what it is, anything else is owned.
#[derive(Clone, Debug, PartialEq)]
pub enum Given {
    /// A value.
    Value(Value),
    /// An object, encoded.
    Document(Document),
}

impl Given {
    /// The values that stand one after another in `bytes`, each validated. Objects have to be in the smallest forms, those that [`msgpack::encode`] writes:
    /// they are stored as they are.
    pub fn all(bytes: Bytes) -> impl Iterator<Item = Result<Given>> {
        let mut at = 0;
        core::iter::from_fn(move || {
            let rest = bytes.get(at..).filter(|rest| !rest.is_empty())?;
            match msgpack::validate_first(rest) {
                Ok((raw, behind)) => {
                    let range = at..bytes.len() - behind.len();
                    at = range.end;
                    let document = raw.object().and_then(|_| bytes.slice(range));
                    Some(Ok(match document {
                        Some(document) => Given::Document(Document(document)),
                        None => Given::Value(raw.to_value()),
                    }))
                }
                Err(error) => {
                    at = bytes.len();
                    Some(Err(error))
                }
            }
        })
    }

    /// An owned copy.
    pub fn to_value(&self) -> Value {
        match self {
            Given::Value(value) => value.clone(),
            Given::Document(document) => Value::Object(document.view().to_object()),
        }
    }

    /// The object.
    ///
    /// # Errors
    /// [`Code::InvalidValue`] for anything else.
    pub fn to_object(&self) -> Result<Object> {
        match self.to_value() {
            Value::Object(object) => Ok(object),
            other => Err(Error::new(
                Code::InvalidValue,
                alloc::format!("an object is expected here, not {}", other.kind()),
            )),
        }
    }
}

impl From<Value> for Given {
    fn from(value: Value) -> Self {
        Given::Value(value)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use alloc::vec::Vec;

    use proptest::prelude::*;

    use super::super::testing;
    use super::*;

    fn all(bytes: &[u8]) -> Result<Vec<Given>> {
        Given::all(Bytes::from(bytes)).collect()
    }

    proptest! {
        #[test]
        fn values_one_after_another_are_what_they_were(values in prop::collection::vec(testing::values(), 0..5)) {
            let bytes: Vec<u8> = values.iter().flat_map(Value::to_msgpack).collect();
            let given = all(&bytes).unwrap();
            prop_assert_eq!(given.iter().map(Given::to_value).collect::<Vec<_>>(), values);
            let mut again = Vec::new();
            for given in &given {
                match given {
                    Given::Value(value) => msgpack::encode(value, &mut again),
                    Given::Document(document) => again.extend_from_slice(document.view().raw().as_bytes()),
                }
                prop_assert_eq!(matches!(given, Given::Document(_)), matches!(given.to_value(), Value::Object(_)));
            }
            prop_assert_eq!(again, bytes);
        }

        #[test]
        fn what_is_refused_is_what_validation_refuses(bytes in testing::broken_bytes()) {
            let (mut rest, mut expected) = (bytes.as_slice(), Ok(Vec::new()));
            while let (false, Ok(values)) = (rest.is_empty(), &mut expected) {
                match msgpack::validate_first(rest) {
                    Ok((raw, behind)) => {
                        values.push(raw.to_value());
                        rest = behind;
                    }
                    Err(error) => expected = Err(error),
                }
            }
            let given = all(&bytes).map(|all| all.iter().map(Given::to_value).collect::<Vec<_>>());
            prop_assert_eq!(given, expected);
        }
    }
}
