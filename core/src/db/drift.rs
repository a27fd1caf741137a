//! SHOW DRIFT: the history of one row, oldest first, with what each event changed and the row after it.

use alloc::string::ToString;
use alloc::vec::Vec;

use crate::error::Result;
use crate::log::Op;
use crate::table::{Step, Version, Walk, stamp};
use crate::value::{Bytes, ObjectRef, Raw, diff, msgpack, patch};

/// The columns of the answer.
pub const COLUMNS: [&str; 8] = [
    "seq", "time", "event", "by", "why", "meta", "changed", "row",
];

/// Versions that one step reads at most.
const STEP_VERSIONS: usize = 1_000;

/// The history of a row in steps.
pub struct Drift {
    walk: Walk,
    /// Newest first: the walk goes back in time, the answer forward.
    versions: Vec<Version>,
    walked: bool,
    row: Option<Bytes>,
    answer: Answer,
}

/// Room in which rows of the answer are made.
#[derive(Default)]
struct Answer {
    row: Vec<u8>,
    changes: Vec<u8>,
}

impl Drift {
    /// The history that a walk goes through.
    pub fn new(walk: Walk) -> Self {
        Drift {
            walk,
            versions: Vec::new(),
            walked: false,
            row: None,
            answer: Answer::default(),
        }
    }

    /// Some more work; an item is a row of the answer in msgpack.
    pub fn step(&mut self) -> Result<Step<Bytes>> {
        if !self.walked {
            for _ in 0..STEP_VERSIONS {
                match self.walk.next()? {
                    Some(version) => self.versions.push(version),
                    None => {
                        self.walked = true;
                        break;
                    }
                }
            }
            return Ok(Step::Pause);
        }
        let Some(version) = self.versions.pop() else {
            return Ok(Step::Done);
        };
        let after = row_after(self.row.as_ref(), &version);
        let row = describe(
            &version,
            self.row.as_ref(),
            after.as_ref(),
            &mut self.answer,
        );
        self.row = after;
        Ok(Step::Item(row))
    }
}

/// The row after an event, given the row before it.
pub fn row_after(before: Option<&Bytes>, version: &Version) -> Option<Bytes> {
    if let Some(row) = version.row() {
        return Some(row.clone());
    }
    let change = ObjectRef::new(version.body.as_ref()?)?;
    let mut out = Vec::new();
    patch::merge(ObjectRef::new(before?)?, change, &mut out);
    Some(Bytes::from(out))
}

/// The answer's row for a version, in msgpack.
fn describe(
    version: &Version,
    before: Option<&Bytes>,
    after: Option<&Bytes>,
    out: &mut Answer,
) -> Bytes {
    let event = match version.op {
        Op::Insert => "INSERT",
        Op::Patch => "PATCH",
        Op::Delete => "SOFT_DELETE",
    };
    let meta = version.meta.as_deref().unwrap_or_default();
    let said = |wanted: &str| {
        let found = stamp::users_members(meta).find(|(name, _)| *name == wanted);
        found.map_or(Raw::NULL, |(_, value)| value)
    };
    let rest = stamp::users_members(meta).filter(|(name, _)| !matches!(*name, "by" | "why"));
    let row = after.and_then(|after| Raw::new(after)).unwrap_or(Raw::NULL);
    let Answer { row: out, changes } = out;
    let [seq, time, name, by, why, others, changed, document] = COLUMNS;
    out.clear();
    msgpack::encode_map_head(COLUMNS.len(), out);
    msgpack::encode_str(seq, out);
    msgpack::encode_uint(version.seq.0, out);
    msgpack::encode_str(time, out);
    msgpack::encode_str(&version.time.to_string(), out);
    msgpack::encode_str(name, out);
    msgpack::encode_str(event, out);
    for (name, value) in [(by, said("by")), (why, said("why"))] {
        member(name, value, out);
    }
    msgpack::encode_str(others, out);
    match rest.clone().count() {
        0 => msgpack::encode_null(out),
        count => {
            msgpack::encode_map_head(count, out);
            rest.for_each(|(name, value)| member(name, value, out));
        }
    }
    msgpack::encode_str(changed, out);
    encode_changes(object(before), object(after), changes, out);
    member(document, row, out);
    Bytes::from(out.as_slice())
}

fn member(name: &str, value: Raw<'_>, out: &mut Vec<u8>) {
    msgpack::encode_str(name, out);
    out.extend_from_slice(value.as_bytes());
}

/// A document's bytes as an object.
pub fn object(document: Option<&Bytes>) -> Option<ObjectRef<'_>> {
    ObjectRef::new(document?)
}

/// Appends the changes as an object: path to `[old, new]`, NULL for what is not there. Returns how many there are; `scratch` is for the members.
pub fn encode_changes(
    before: Option<ObjectRef<'_>>,
    after: Option<ObjectRef<'_>>,
    scratch: &mut Vec<u8>,
    out: &mut Vec<u8>,
) -> usize {
    scratch.clear();
    let mut count = 0;
    diff::each(before, after, &mut |path, old, new| {
        count += 1;
        msgpack::encode_str(path, scratch);
        msgpack::encode_array_head(2, scratch);
        for value in [old, new] {
            scratch.extend_from_slice(value.unwrap_or(Raw::NULL).as_bytes());
        }
    });
    msgpack::encode_map_head(count, out);
    out.extend_from_slice(scratch);
    count
}
