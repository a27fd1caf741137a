//! SHOW DRIFT: the history of one row, oldest first, with what each event changed and the row after it.

use alloc::string::ToString;
use alloc::vec::Vec;

use crate::error::Result;
use crate::log::Op;
use crate::table::{Step, Version, Walk, stamp};
use crate::value::diff::{Change, diff};
use crate::value::{Bytes, Object, ObjectRef, Raw, Value, patch};

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
}

impl Drift {
    /// The history that a walk goes through.
    pub fn new(walk: Walk) -> Self {
        Drift {
            walk,
            versions: Vec::new(),
            walked: false,
            row: None,
        }
    }

    /// Some more work.
    pub fn step(&mut self) -> Result<Step<Object>> {
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
        let row = describe(&version, self.row.as_ref(), after.as_ref());
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

fn describe(version: &Version, before: Option<&Bytes>, after: Option<&Bytes>) -> Object {
    let event = match version.op {
        Op::Insert => "INSERT",
        Op::Patch => "PATCH",
        Op::Delete => "SOFT_DELETE",
    };
    let mut meta = stamp::users(version.meta.as_ref()).unwrap_or_default();
    let by = meta.remove("by").unwrap_or(Value::Null);
    let why = meta.remove("why").unwrap_or(Value::Null);
    let mut row = Object::new();
    row.insert("seq", version.seq.0);
    row.insert("time", version.time.to_string());
    row.insert("event", event);
    row.insert("by", by);
    row.insert("why", why);
    row.insert(
        "meta",
        if meta.is_empty() {
            Value::Null
        } else {
            Value::Object(meta)
        },
    );
    row.insert("changed", changed(diff(object(before), object(after))));
    row.insert(
        "row",
        after
            .and_then(|after| Raw::new(after))
            .map_or(Value::Null, Raw::to_value),
    );
    row
}

/// A document's bytes as an object.
pub fn object(document: Option<&Bytes>) -> Option<ObjectRef<'_>> {
    ObjectRef::new(document?)
}

/// Changes as an object: path to `[old, new]`, NULL for what is not there.
pub fn changed(changes: Vec<Change>) -> Value {
    let mut out = Object::new();
    for change in changes {
        let pair = [change.old, change.new].map(|value| value.unwrap_or(Value::Null));
        out.insert(change.path.to_string(), Value::Array(pair.into()));
    }
    Value::Object(out)
}
