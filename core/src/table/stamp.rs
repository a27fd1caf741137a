//! What the engine itself notes in a commit's metadata, beside what the user gave: members whose names begin with `$`.
//!
//! - `$first`: the seq of the transaction's first event, on its events in other tables than that event's. With the bit of the frames that
//!   says that a transaction goes on in the same log it tells, event by event, where a transaction over several tables ends.
//! - `$client`, `$request`: on the transaction's first event, who asked for the commit and under which number, so that a request that is sent again is
//!   answered and not done again.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::error::{Code, Error, Result};
use crate::limits::{CLIENT_BYTES_MAX, METADATA_BYTES_MAX};
use crate::time::Seq;
use crate::value::{Bytes, Object, ObjectRef, Raw, Value, ValueRef, msgpack};

/// The first character of the engine's own names.
const MARK: char = '$';
const FIRST: &str = "$first";
const CLIENT: &str = "$client";
const REQUEST: &str = "$request";

/// Who asks for a commit, so that it is done once however often it is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The client: 1 to [`CLIENT_BYTES_MAX`] bytes, its own for each that sends requests.
    pub client: String,
    /// Its number, greater than that of the client's request before.
    pub number: u64,
}

impl Request {
    /// # Errors
    /// `Code::Limit` for a client's name that is empty or too long.
    pub(crate) fn check(&self) -> Result<()> {
        match self.client.len() {
            1..=CLIENT_BYTES_MAX => Ok(()),
            bytes => Err(Error::new(
                Code::Limit,
                format!("a client's name has 1 to {CLIENT_BYTES_MAX} bytes, not {bytes}"),
            )),
        }
    }
}

/// A user's metadata as it is stored, `None` if there is nothing in it.
///
/// # Errors
/// `Code::InvalidValue` for a name that is the engine's, `Code::Limit` for metadata that is too long.
pub fn encode(meta: &Object) -> Result<Option<Bytes>> {
    if meta.is_empty() {
        return Ok(None);
    }
    if let Some((name, _)) = meta.iter().find(|(name, _)| name.starts_with(MARK)) {
        let error = Error::new(
            Code::InvalidValue,
            format!("metadata cannot have a member {name}"),
        );
        return Err(error.hint("names that begin with $ are the database's own"));
    }
    let mut bytes = Vec::new();
    msgpack::encode_object(meta, &mut bytes);
    msgpack::validate(&bytes)?;
    if bytes.len() > METADATA_BYTES_MAX {
        let message = format!(
            "a transaction's metadata has at most {METADATA_BYTES_MAX} bytes, not {}",
            bytes.len()
        );
        return Err(Error::new(Code::Limit, message));
    }
    Ok(Some(Bytes::from(bytes)))
}

/// Metadata with the seq of the transaction's first event.
pub fn with_first(meta: Option<&Bytes>, first: Seq) -> Bytes {
    with(meta, [(FIRST, Value::from(first.0))])
}

/// Metadata with the request that the transaction answers.
pub fn with_request(meta: Option<&Bytes>, request: &Request) -> Bytes {
    let client = Value::from(request.client.as_str());
    with(
        meta,
        [(CLIENT, client), (REQUEST, Value::from(request.number))],
    )
}

fn with<const N: usize>(meta: Option<&Bytes>, members: [(&str, Value); N]) -> Bytes {
    let mut object = meta
        .and_then(|meta| Some(ObjectRef::new(meta)?.to_object()))
        .unwrap_or_default();
    for (name, value) in members {
        object.insert(name, value);
    }
    let mut bytes = Vec::new();
    msgpack::encode_object(&object, &mut bytes);
    Bytes::from(bytes)
}

/// The seq of the first event of the transaction that an event with this metadata belongs to, where it says so.
pub fn first_of(meta: Option<&Bytes>) -> Option<Seq> {
    number(ObjectRef::new(meta?)?, FIRST).map(Seq)
}

/// The request that an event's metadata names.
pub fn request_of(meta: ObjectRef<'_>) -> Option<Request> {
    let number = number(meta, REQUEST)?;
    match meta.get(CLIENT)?.view() {
        ValueRef::Str(client) => Some(Request {
            client: client.into(),
            number,
        }),
        _ => None,
    }
}

fn number(meta: ObjectRef<'_>, name: &str) -> Option<u64> {
    match meta.get(name)?.view() {
        ValueRef::Int(number) => u64::try_from(number).ok(),
        ValueRef::UInt(number) => Some(number),
        _ => None,
    }
}

/// The user's metadata: without the engine's members; `None` if nothing else is there.
pub fn users(meta: Option<&Bytes>) -> Option<Object> {
    let users: Object = users_members(meta?)
        .map(|(name, value)| (name, value.to_value()))
        .collect();
    (!users.is_empty()).then_some(users)
}

/// The members of the user's metadata.
pub fn users_members(meta: &[u8]) -> impl Iterator<Item = (&str, Raw<'_>)> + Clone {
    let all = ObjectRef::new(meta).unwrap_or(ObjectRef::EMPTY);
    all.iter().filter(|(name, _)| !name.starts_with(MARK))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_noted_is_read_and_not_shown() {
        let meta: Object = [("by", Value::from("ann"))].into_iter().collect();
        let stored = encode(&meta).unwrap();
        let request = Request {
            client: "tab-1".into(),
            number: u64::MAX,
        };
        let noted = with_request(Some(&with_first(stored.as_ref(), Seq(7))), &request);
        assert_eq!(first_of(Some(&noted)), Some(Seq(7)));
        assert_eq!(request_of(ObjectRef::new(&noted).unwrap()), Some(request));
        assert_eq!(users(Some(&noted)), Some(meta));
        assert_eq!(users(Some(&with_first(None, Seq(1)))), None);
        assert_eq!(first_of(stored.as_ref()), None);
    }

    #[test]
    fn the_engines_names_are_not_the_users() {
        let meta: Object = [("$mine", Value::from(1))].into_iter().collect();
        assert_eq!(encode(&meta).unwrap_err().code(), Code::InvalidValue);
        assert_eq!(encode(&Object::new()).unwrap(), None);
    }

    #[test]
    fn a_clients_name_has_a_limit() {
        let named = |client: String| Request { client, number: 1 }.check();
        assert!(named("x".repeat(CLIENT_BYTES_MAX)).is_ok());
        assert!(named("x".repeat(CLIENT_BYTES_MAX + 1)).is_err());
        assert!(named(String::new()).is_err());
    }
}
