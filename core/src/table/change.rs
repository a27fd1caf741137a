//! A change: what a statement wants of one row, checked against the row as it is, with all that follows from it. After a change has
//! been prepared nothing can fail: [`super::Table::apply`] puts it into the memtable, for a live commit and for a replay alike.

use alloc::format;
use alloc::vec::Vec;

use super::posting::{Markers, index_value};
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
use crate::value::{Key, ObjectRef};

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
pub struct Wanted<'a> {
    /// What to do.
    pub intent: Intent,
    /// The encoded key.
    pub key: &'a [u8],
    /// The document or patch, a msgpack object.
    pub body: Option<&'a [u8]>,
    /// The commit's metadata.
    pub meta: Option<&'a [u8]>,
    /// The event's number.
    pub seq: Seq,
    /// The commit's time.
    pub time: Timestamp,
}

/// A change that can be applied.
pub struct Change<'a> {
    /// The encoded key.
    pub key: &'a [u8],
    /// The new version, but for its whole row.
    version: Version<&'a [u8]>,
    /// The whole row that the version is to carry.
    whole: Option<Vec<u8>>,
    /// Markers for the secondary indexes.
    pub markers: Markers,
    /// What the key's newest version is from now on.
    pub state: KeyState,
}

impl Change<'_> {
    /// The new version.
    pub fn version(&self) -> Version<&[u8]> {
        Version {
            whole: self.whole.as_deref(),
            ..self.version.clone()
        }
    }
}

/// Checks what is wanted against the row in `view`, which must see everything before the event. `known` is the key's state, if remembered.
pub fn prepare<'a>(view: &View, wanted: Wanted<'a>, known: Option<KeyState>) -> Result<Change<'a>> {
    let mut old = Old {
        view,
        key: wanted.key,
        row: None,
    };
    let before = match known {
        Some(state) => state,
        None => old.state()?,
    };
    let schema = view.schema();
    match wanted.intent {
        Intent::Insert if before.live => return Err(duplicate(schema, wanted.key)),
        Intent::Patch | Intent::Delete if !before.live => {
            return Err(no_such_row(schema, wanted.key));
        }
        _ => {}
    }
    let mut version = Version {
        seq: wanted.seq,
        time: wanted.time,
        op: wanted.intent.op(),
        depth: 0,
        body: wanted.body,
        whole: None,
        meta: wanted.meta,
    };
    let body_len = wanted.body.map_or(0, <[u8]>::len);
    let mut state = KeyState {
        live: version.op != Op::Delete,
        depth: 0,
        size_bound: body_len,
    };
    let touches = match version.op {
        Op::Patch => touches_index(schema, version.body),
        Op::Insert | Op::Delete => !schema.paths().is_empty(),
    };
    let (mut merged, mut due) = (None, false);
    if version.op == Op::Patch {
        state.size_bound += before.size_bound;
        let depth = before.depth.saturating_add(1);
        due = depth >= PATCH_CHAIN_MAX;
        if due || touches || state.size_bound > DOCUMENT_BYTES_MAX {
            let row = old.merged(version.body)?;
            if row.len() > DOCUMENT_BYTES_MAX {
                return Err(too_large(row.len()));
            }
            state.size_bound = row.len();
            merged = Some(row);
        }
        if !due {
            (version.depth, state.depth) = (depth, depth);
        }
    }
    let mut markers = Markers::default();
    if touches {
        let new = match version.op {
            Op::Insert => version.body,
            Op::Patch | Op::Delete => merged.as_deref(),
        };
        let dead = known_dead(known, version.op);
        old.mark(dead, new, version.seq, &mut markers)?;
    }
    Ok(Change {
        key: wanted.key,
        version,
        whole: merged.filter(|_| due),
        markers,
        state,
    })
}

/// An insert over a key that is known to have no live row need not look for the values it leaves.
fn known_dead(known: Option<KeyState>, op: Op) -> bool {
    op == Op::Insert && known.is_some_and(|known| !known.live)
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
            self.row = Some(self.view.get_once(self.key)?);
        }
        Ok(self.row.as_ref().and_then(Option::as_ref))
    }

    /// The key's state, from the versions that make the row.
    fn state(&mut self) -> Result<KeyState> {
        let versions = self.view.chain(self.key)?;
        let depth = versions.first().map_or(0, |newest| newest.depth);
        let row = Row::from_versions(Bytes::from(self.key), versions)?;
        let state = KeyState {
            live: row.is_some(),
            depth,
            size_bound: row.as_ref().map_or(0, Row::size_bound),
        };
        self.row = Some(row);
        Ok(state)
    }

    fn merged(&mut self, body: Option<&[u8]>) -> Result<Vec<u8>> {
        let row = self.row()?.ok_or_else(broken_chain)?;
        let change = body.ok_or_else(broken_chain)?;
        let mut out = Vec::with_capacity(row.size_bound() + change.len() + 8);
        row.patched_with(change, &mut out);
        Ok(out)
    }

    /// The markers of values left, and of those that the document `new` takes. `dead`: there was no row before.
    fn mark(
        &mut self,
        dead: bool,
        new: Option<&[u8]>,
        seq: Seq,
        markers: &mut Markers,
    ) -> Result<()> {
        let (view, key) = (self.view, self.key);
        let before = match dead {
            true => None,
            false => self.row()?,
        };
        let new = new.and_then(ObjectRef::new);
        let (mut left, mut taken, mut scratch) = (Vec::new(), Vec::new(), Vec::new());
        for (index, path) in view.schema().paths().iter().enumerate() {
            left.clear();
            taken.clear();
            let has_left = before
                .and_then(|row| row.chain().merged(path, &mut scratch))
                .is_some_and(|value| index_value(value.view(), &mut left));
            let has_taken = new
                .and_then(|object| path.get(object.raw().view()))
                .is_some_and(|value| index_value(value.view(), &mut taken));
            markers.push(
                index,
                has_left.then_some(&left),
                has_taken.then_some(&taken),
                key,
                seq,
            );
        }
        Ok(())
    }
}

fn touches_index(schema: &Schema, body: Option<&[u8]>) -> bool {
    let Some(object) = body.and_then(ObjectRef::new) else {
        return false;
    };
    schema.paths().iter().any(|path| {
        path.first_member()
            .is_some_and(|name| object.get(name).is_some())
    })
}

/// The markers of a version that was not prepared: `before` sees everything before it.
pub fn markers(before: &View, key: &[u8], version: &Version) -> Result<Markers> {
    let mut old = Old {
        view: before,
        key,
        row: None,
    };
    let mut markers = Markers::default();
    let body = version.body.as_deref();
    let merged = match version.op {
        Op::Patch if !touches_index(before.schema(), body) => return Ok(markers),
        Op::Patch => Some(old.merged(body)?),
        Op::Insert | Op::Delete => None,
    };
    let new = match version.op {
        Op::Insert => body,
        Op::Patch | Op::Delete => merged.as_deref(),
    };
    old.mark(false, new, version.seq, &mut markers)?;
    Ok(markers)
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
