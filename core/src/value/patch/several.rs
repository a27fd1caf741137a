//! Several patches at once: one pass over the target where that gives the same as one pass a patch.

use alloc::vec::Vec;

use super::{Entry, LINEAR_MAX, bit, entries, linear, merge, merge_entries};
use crate::value::ObjectRef;

/// By how much the head of an object grows at most as members are added.
const HEAD_GROWTH_MAX: usize = 4;

/// Patches seldom change more members together: room for all that can be costs more than it saves.
const USUAL_MEMBERS: usize = 8;

/// Appends `target` with the patches applied in order, oldest first: what [`merge`] gives, one patch after the other.
pub fn merge_all<'p, I>(target: ObjectRef<'_>, patches: I, out: &mut Vec<u8>)
where
    I: Iterator<Item = ObjectRef<'p>> + Clone,
{
    let mut few = patches.clone();
    match (few.next(), few.next()) {
        (None, _) => out.extend_from_slice(target.raw().as_bytes()),
        (Some(patch), None) => merge(target, patch, out),
        _ => match as_one(patches.clone()) {
            Some(mut entries) => merge_entries(target, &mut entries, out),
            None => one_by_one(target, patches, out),
        },
    }
}

/// The members of one patch that does what all do. `None` if there is none or it would be long: an object is merged and not replaced,
/// and a member that was taken out and comes again goes to the end.
fn as_one<'p>(patches: impl Iterator<Item = ObjectRef<'p>>) -> Option<Vec<Entry<'p>>> {
    let mut all: Vec<Entry<'p>> = Vec::with_capacity(USUAL_MEMBERS);
    let mut bits = 0;
    for entry in patches.flat_map(entries) {
        let (bit, count) = (bit(entry.name), all.len());
        let earlier = if bits & bit == 0 {
            None
        } else {
            linear(entry.name, &mut all)
        };
        match earlier {
            Some(earlier) => {
                let is_replaced = |entry: &Entry<'_>| entry.value.object().is_none();
                if earlier.value.is_null() || !is_replaced(earlier) || !is_replaced(&entry) {
                    return None;
                }
                *earlier = entry;
            }
            None if count == LINEAR_MAX => return None,
            None => all.push(entry),
        }
        bits |= bit;
    }
    Some(all)
}

fn one_by_one<'p>(
    target: ObjectRef<'_>,
    mut patches: impl Iterator<Item = ObjectRef<'p>>,
    out: &mut Vec<u8>,
) {
    let Some(mut patch) = patches.next() else {
        return out.extend_from_slice(target.raw().as_bytes());
    };
    // What the patches before this one made of the target.
    let mut made: Option<Vec<u8>> = None;
    let mut spare = Vec::new();
    for next_patch in patches {
        let now = made.as_deref().and_then(ObjectRef::new).unwrap_or(target);
        spare.clear();
        spare.reserve(now.raw().as_bytes().len() + patch.raw().as_bytes().len() + HEAD_GROWTH_MAX);
        merge(now, patch, &mut spare);
        spare = made.replace(spare).unwrap_or_default();
        patch = next_patch;
    }
    let now = made.as_deref().and_then(ObjectRef::new).unwrap_or(target);
    merge(now, patch, out);
}
