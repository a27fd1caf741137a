//! Changes of files as bytes: what a batch of the journal is made of. An op: `[u8 kind][path]` and what the kind has; paths and bytes as a varint length and as many bytes.

use driftdb_core::Result;
use driftdb_core::storage::{Access, Store};
use driftdb_core::varint;

const CREATE: u8 = 1;
const APPEND: u8 = 2;
const TRUNCATE: u8 = 3;
const REMOVE: u8 = 4;
const RENAME: u8 = 5;
const REPLACE: u8 = 6;

/// One change of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op<'a> {
    Create,
    Append(u64, &'a [u8]),
    Truncate(u64),
    Remove,
    Rename(&'a str),
    Replace(&'a [u8]),
}

impl Op<'_> {
    /// Appends the op to a batch.
    pub fn write(&self, path: &str, batch: &mut Vec<u8>) {
        let kind = match self {
            Op::Create => CREATE,
            Op::Append(..) => APPEND,
            Op::Truncate(_) => TRUNCATE,
            Op::Remove => REMOVE,
            Op::Rename(_) => RENAME,
            Op::Replace(_) => REPLACE,
        };
        batch.push(kind);
        put(path.as_bytes(), batch);
        match self {
            Op::Create | Op::Remove => {}
            Op::Append(at, bytes) => {
                varint::write(*at, batch);
                put(bytes, batch);
            }
            Op::Truncate(len) => varint::write(*len, batch),
            Op::Rename(to) => put(to.as_bytes(), batch),
            Op::Replace(bytes) => put(bytes, batch),
        }
    }

    /// Does it in a store.
    pub fn apply(&self, path: &str, store: &dyn Store) -> Result<()> {
        let open = || -> Result<_> {
            match store.open(path, Access::Write)? {
                Some(blob) => Ok(blob),
                None => store.create(path),
            }
        };
        match self {
            Op::Create => store.create(path).map(|_| ()),
            Op::Append(at, bytes) => open()?.append(*at, bytes),
            Op::Truncate(len) => open()?.truncate(*len),
            Op::Remove => store.remove(path),
            Op::Rename(to) => store.rename(path, to),
            Op::Replace(bytes) => store.replace(path, bytes).map(|_| ()),
        }
    }
}

/// The ops of a batch and their paths; `None` if it is no batch.
pub(super) fn read(mut batch: &[u8]) -> Option<Vec<(&str, Op<'_>)>> {
    let mut ops = Vec::new();
    while let Some((kind, rest)) = batch.split_first() {
        batch = rest;
        let path = text(&mut batch)?;
        let op = match *kind {
            CREATE => Op::Create,
            APPEND => Op::Append(varint::take(&mut batch)?, take(&mut batch)?),
            TRUNCATE => Op::Truncate(varint::take(&mut batch)?),
            REMOVE => Op::Remove,
            RENAME => Op::Rename(text(&mut batch)?),
            REPLACE => Op::Replace(take(&mut batch)?),
            _ => return None,
        };
        ops.push((path, op));
    }
    Some(ops)
}

/// Appends bytes with their length.
pub(super) fn put(bytes: &[u8], out: &mut Vec<u8>) {
    varint::write(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

/// Reads bytes with their length.
pub(super) fn take<'a>(from: &mut &'a [u8]) -> Option<&'a [u8]> {
    let count = usize::try_from(varint::take(from)?).ok()?;
    let (bytes, rest) = from.split_at_checked(count)?;
    *from = rest;
    Some(bytes)
}

/// Reads text with its length.
pub(super) fn text<'a>(from: &mut &'a [u8]) -> Option<&'a str> {
    core::str::from_utf8(take(from)?).ok()
}
