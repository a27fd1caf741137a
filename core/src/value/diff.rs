//! What changed between two documents.

use alloc::vec::Vec;

use hashbrown::HashMap;

use super::path::{Path, Step};
use super::{ObjectRef, Raw, Value};
use crate::limits::NESTING_MAX;

/// One change: a value at a path that is new, gone or another.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Where.
    pub path: Path,
    /// What it was; `None` if it was not there.
    pub old: Option<Value>,
    /// What it is; `None` if it is gone.
    pub new: Option<Value>,
}

/// The changes from one document to another; a missing document has no members. Objects are compared member by member at every
/// level, arrays as a whole; the order of members does not count. What was there before comes in its old order, then what is new.
pub fn diff(old: Option<ObjectRef<'_>>, new: Option<ObjectRef<'_>>) -> Vec<Change> {
    let mut changes = Vec::new();
    let (old, new) = (
        old.unwrap_or(ObjectRef::EMPTY),
        new.unwrap_or(ObjectRef::EMPTY),
    );
    objects(old, new, &Path::default(), NESTING_MAX, &mut changes);
    changes
}

fn objects(
    old: ObjectRef<'_>,
    new: ObjectRef<'_>,
    path: &Path,
    levels: usize,
    changes: &mut Vec<Change>,
) {
    if old.raw() == new.raw() {
        return;
    }
    let mut added: HashMap<&str, Raw<'_>> = new.iter().collect();
    for (name, was) in old.iter() {
        let is = added.remove(name);
        if is != Some(was) {
            values(
                Some(was),
                is,
                path.join(Step::Member(name.into())),
                levels,
                changes,
            );
        }
    }
    for (name, is) in new.iter().filter(|(name, _)| added.contains_key(name)) {
        values(
            None,
            Some(is),
            path.join(Step::Member(name.into())),
            levels,
            changes,
        );
    }
}

fn values(
    old: Option<Raw<'_>>,
    new: Option<Raw<'_>>,
    path: Path,
    levels: usize,
    changes: &mut Vec<Change>,
) {
    match (old.and_then(Raw::object), new.and_then(Raw::object)) {
        (Some(old), Some(new)) if levels > 0 => objects(old, new, &path, levels - 1, changes),
        _ => changes.push(Change {
            path,
            old: old.map(Raw::to_value),
            new: new.map(Raw::to_value),
        }),
    }
}
