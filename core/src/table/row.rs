//! A row at a seq: a whole document and the patches made to it since, applied only when somebody asks for the whole.

use alloc::vec::Vec;

use super::version::Version;
use crate::error::{Error, Result};
use crate::log::Op;
use crate::time::{Seq, Timestamp};
use crate::value::Bytes;
use crate::value::Chain;
use crate::value::Key;

/// The head of an object grows at most by so much as members are added.
const HEAD_BYTES: usize = 4;

/// A live row.
#[derive(Clone, Debug)]
pub struct Row {
    /// The seq of the event that made it.
    pub seq: Seq,
    /// The time of that event.
    pub time: Timestamp,
    key: Bytes,
    base: Bytes,
    patches: Vec<Bytes>,
}

impl Row {
    /// A row that is `base` with `patches` applied, oldest first. `key` is the encoded key.
    pub fn new(seq: Seq, time: Timestamp, key: Bytes, base: Bytes, patches: Vec<Bytes>) -> Self {
        Row {
            seq,
            time,
            key,
            base,
            patches,
        }
    }

    /// The row that versions of one key make: newest first, back to one that has the whole row. `None` if the newest is a deletion.
    /// An error if the last one has no whole row.
    pub fn from_versions(key: Bytes, versions: Vec<Version>) -> Result<Option<Row>> {
        let Some((seq, time)) = versions.first().map(|newest| (newest.seq, newest.time)) else {
            return Ok(None);
        };
        let mut patches = Vec::with_capacity(versions.len());
        for version in versions {
            match (version.op, version.whole) {
                (Op::Delete, _) if patches.is_empty() => return Ok(None),
                (Op::Delete, _) => break,
                (Op::Patch, None) => patches.extend(version.body),
                (Op::Patch, whole @ Some(_)) | (Op::Insert, whole) => {
                    let Some(base) = whole.or(version.body) else {
                        break;
                    };
                    patches.reverse();
                    return Ok(Some(Row::new(seq, time, key, base, patches)));
                }
            }
        }
        Err(broken_chain())
    }

    /// The row with more patches applied, oldest first.
    pub fn patched(
        mut self,
        seq: Seq,
        time: Timestamp,
        patches: impl Iterator<Item = Bytes>,
    ) -> Row {
        (self.seq, self.time) = (seq, time);
        self.patches.extend(patches);
        self
    }

    /// The row's key.
    pub fn key(&self) -> Result<Key> {
        Ok(Key::decode(&self.key)?.0)
    }

    /// The row's key in its memcomparable form.
    pub fn encoded_key(&self) -> &Bytes {
        &self.key
    }

    /// The row as base and patches: members can be looked up without applying the patches.
    pub fn chain(&self) -> Chain<'_> {
        Chain::new(&self.base, &self.patches)
    }

    /// The whole document in msgpack, the patches applied.
    pub fn document(&self) -> Bytes {
        if self.patches.is_empty() {
            return self.base.clone();
        }
        let mut out = Vec::with_capacity(self.size_bound() + HEAD_BYTES);
        self.chain().materialise(&mut out);
        Bytes::from(out)
    }

    /// The same row with nothing of what its parts were cut from.
    pub fn detached(&self) -> Row {
        Row {
            key: Bytes::from(&*self.key),
            base: self.document().detached(),
            patches: Vec::new(),
            ..*self
        }
    }

    /// Appends the document with all patches and one more applied.
    pub fn patched_with(&self, patch: &[u8], out: &mut Vec<u8>) {
        let mut patches: Vec<&[u8]> = self.patches.iter().map(|patch| &**patch).collect();
        patches.push(patch);
        Chain::new(&self.base, &patches).materialise(out);
    }

    /// The same row with its patches applied.
    pub fn flat(self) -> Row {
        if self.patches.is_empty() {
            return self;
        }
        let base = self.document();
        Row {
            base,
            patches: Vec::new(),
            ..self
        }
    }

    /// An upper bound of the document's size in bytes.
    pub fn size_bound(&self) -> usize {
        self.base.len() + self.patches.iter().map(|patch| patch.len()).sum::<usize>()
    }
}

/// A patch whose row cannot be found: only damaged files can say that.
pub fn broken_chain() -> Error {
    Error::new(crate::Code::Corrupt, "a patch without the row it changes")
        .hint("`driftdb verify` says which file is damaged")
}
