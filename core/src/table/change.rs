//! A change: what a statement wants of one row, checked against the row as it is, with all that follows from it. After a change has
//! been prepared nothing can fail: [`super::Table::apply`] puts it into the memtable, for a live commit and for a replay alike.

use alloc::format;
use alloc::vec::Vec;

use super::posting::{Posting, index_value, posting_key};
use super::row::{Row, broken_chain};
use super::schema::Schema;
use super::state::KeyState;
use super::version::{PATCH_CHAIN_MAX, Version};
use super::view::View;
use crate::error::{Code, Error, Result};
use crate::limits::DOCUMENT_BYTES_MAX;
use crate::log::Op;
use crate::time::{Seq, Timestamp};
use crate::value::Bytes;
use crate::value::{Key, ObjectRef, patch};

/// What is wanted of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    /// A new row: an error if there is a live one.
    Insert,
    /// The row is now this document, whatever was there.
    Put,
    /// The row's document is merged with a patch: an error if there is no live row.
    Patch,
    /// The row is gone: an error if there is no live row.
    Delete,
}

impl Intent {
    /// The event that does it.
    pub fn op(self) -> Op {
        match self {
            Intent::Insert | Intent::Put => Op::Insert,
            Intent::Patch => Op::Patch,
            Intent::Delete => Op::Delete,
        }
    }
}

/// The event that is wanted.
pub struct Wanted {
    /// What to do.
    pub intent: Intent,
    /// The encoded key.
    pub key: Vec<u8>,
    /// The document or patch, a msgpack object.
    pub body: Option<Bytes>,
    /// The commit's metadata.
    pub meta: Option<Bytes>,
    /// The event's number.
    pub seq: Seq,
    /// The commit's time.
    pub time: Timestamp,
}

/// A change that can be applied.
pub struct Change {
    /// The encoded key.
    pub key: Vec<u8>,
    /// The new version.
    pub version: Version,
    /// Markers for the secondary indexes: index number, run key, marker.
    pub postings: Vec<(usize, Vec<u8>, Posting)>,
    /// What the key's newest version is from now on.
    pub state: KeyState,
}

/// Checks what is wanted against the row in `view`, which must see everything before the event. `known` is the key's state, if remembered.
pub fn prepare(view: &View, wanted: Wanted, known: Option<KeyState>) -> Result<Change> {
    let mut old = Old {
        view,
        key: &wanted.key,
        row: None,
    };
    let state = match known {
        Some(state) => state,
        None => old.state()?,
    };
    let schema = view.schema();
    match wanted.intent {
        Intent::Insert if state.live => return Err(duplicate(schema, &wanted.key)),
        Intent::Patch | Intent::Delete if !state.live => {
            return Err(no_such_row(schema, &wanted.key));
        }
        _ => {}
    }
    let depth_before = state.depth;
    let body_len = wanted.body.as_ref().map_or(0, |body| body.len());
    let mut version = Version {
        seq: wanted.seq,
        time: wanted.time,
        op: wanted.intent.op(),
        depth: 0,
        body: wanted.body,
        whole: None,
        meta: wanted.meta,
    };
    let mut state = KeyState {
        live: version.op != Op::Delete,
        depth: 0,
        size_bound: body_len
            + if version.op == Op::Patch {
                state.size_bound
            } else {
                0
            },
    };
    let mut new = None;
    if version.op == Op::Patch {
        let depth = depth_before.saturating_add(1);
        let due = depth >= PATCH_CHAIN_MAX;
        if due
            || state.size_bound > DOCUMENT_BYTES_MAX
            || touches_index(schema, version.body.as_ref())
        {
            let merged = old.merged(version.body.as_ref())?;
            if merged.len() > DOCUMENT_BYTES_MAX {
                return Err(too_large(merged.len()));
            }
            state.size_bound = merged.len();
            if due {
                version.whole = Some(merged.clone());
            }
            new = Some(merged);
        }
        if !due {
            (version.depth, state.depth) = (depth, depth);
        }
    } else if version.op == Op::Insert {
        new.clone_from(&version.body);
    }
    let postings = postings(
        schema,
        &mut old,
        known_dead(known, &version),
        &version,
        new.as_ref(),
    )?;
    Ok(Change {
        key: wanted.key,
        version,
        postings,
        state,
    })
}

/// An insert over a key that is known to have no live row need not look for the values it leaves.
fn known_dead(known: Option<KeyState>, version: &Version) -> bool {
    version.op == Op::Insert && known.is_some_and(|known| !known.live)
}

/// The row as it is, read at most once.
struct Old<'a> {
    view: &'a View,
    key: &'a [u8],
    row: Option<Option<Row>>,
}

impl Old<'_> {
    fn row(&mut self) -> Result<Option<&Row>> {
        if self.row.is_none() {
            self.row = Some(self.view.get_encoded(self.key)?);
        }
        Ok(self.row.as_ref().and_then(Option::as_ref))
    }

    /// The key's state, from the versions that make the row.
    fn state(&mut self) -> Result<KeyState> {
        let versions = self.view.chain(self.key)?;
        let row = Row::from_versions(Bytes::from(self.key), &versions)?;
        let state = KeyState {
            live: row.is_some(),
            depth: versions.first().map_or(0, |newest| newest.depth),
            size_bound: row.as_ref().map_or(0, Row::size_bound),
        };
        self.row = Some(row);
        Ok(state)
    }

    fn merged(&mut self, body: Option<&Bytes>) -> Result<Bytes> {
        let document = self.row()?.ok_or_else(broken_chain)?.document();
        let target = ObjectRef::new(&document).ok_or_else(broken_chain)?;
        let change = body
            .and_then(|body| ObjectRef::new(body))
            .ok_or_else(broken_chain)?;
        let mut out = Vec::with_capacity(document.len() + 64);
        patch::merge(target, change, &mut out);
        Ok(Bytes::from(out))
    }
}

fn touches_index(schema: &Schema, body: Option<&Bytes>) -> bool {
    let Some(object) = body.and_then(|body| ObjectRef::new(body)) else {
        return false;
    };
    schema.paths().iter().any(|path| {
        path.first_member()
            .is_some_and(|name| object.get(name).is_some())
    })
}

/// The markers of values left and taken.
fn postings(
    schema: &Schema,
    old: &mut Old<'_>,
    dead: bool,
    version: &Version,
    new: Option<&Bytes>,
) -> Result<Vec<(usize, Vec<u8>, Posting)>> {
    let mut out = Vec::new();
    if schema.paths().is_empty()
        || (version.op == Op::Patch && !touches_index(schema, version.body.as_ref()))
    {
        return Ok(out);
    }
    let before = if dead {
        None
    } else {
        old.row()?.map(Row::document)
    };
    for (index, path) in schema.paths().iter().enumerate() {
        let value = |document: Option<&Bytes>| {
            let object = ObjectRef::new(document?)?;
            index_value(path.get(object.raw().view())?.view())
        };
        let (left, taken) = (value(before.as_ref()), value(new));
        if left == taken {
            continue;
        }
        for (value, takes) in [(left, false), (taken, true)] {
            if let Some(value) = value {
                out.push((
                    index,
                    posting_key(&value, old.key, version.seq),
                    Posting {
                        takes,
                        value_len: value.len(),
                    },
                ));
            }
        }
    }
    Ok(out)
}

/// The markers of a version that was not prepared: `before` sees everything before it.
pub fn markers(
    before: &View,
    key: &[u8],
    version: &Version,
) -> Result<Vec<(usize, Vec<u8>, Posting)>> {
    let mut old = Old {
        view: before,
        key,
        row: None,
    };
    let new = match version.op {
        Op::Insert => version.body.clone(),
        Op::Patch if touches_index(before.schema(), version.body.as_ref()) => {
            Some(old.merged(version.body.as_ref())?)
        }
        Op::Patch | Op::Delete => None,
    };
    postings(before.schema(), &mut old, false, version, new.as_ref())
}

/// The key as people write it.
pub fn key_text(encoded: &[u8]) -> alloc::string::String {
    Key::decode(encoded).map_or_else(|_| "?".into(), |(key, _)| format!("{key}"))
}

fn duplicate(schema: &Schema, key: &[u8]) -> Error {
    Error::new(
        Code::DuplicateKey,
        format!(
            "table {} has a row with key {} already",
            schema.name,
            key_text(key)
        ),
    )
    .hint("PATCH changes it, UPSERT replaces it")
}

/// There is no live row with this key.
pub fn no_such_row(schema: &Schema, key: &[u8]) -> Error {
    Error::new(
        Code::NoSuchRow,
        format!(
            "table {} has no row with key {}",
            schema.name,
            key_text(key)
        ),
    )
}

/// A document over the limit.
pub fn too_large(bytes: usize) -> Error {
    Error::new(
        Code::Limit,
        format!("a document has at most {DOCUMENT_BYTES_MAX} bytes (in msgpack), not {bytes}"),
    )
}
