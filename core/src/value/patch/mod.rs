//! JSON Merge Patch (RFC 7396), straight on msgpack bytes.
//!
//! Members that the patch does not touch are copied in runs, without looking at their values more than to pass them.

mod several;

pub use several::merge_all;

use alloc::vec::Vec;

use hashbrown::HashMap;

use super::{ObjectRef, Raw, msgpack};
use crate::limits::NESTING_MAX;

/// A patch of up to this many members is kept on the stack.
const SMALL_MAX: usize = 8;
/// A patch of up to this many members is searched linearly.
const LINEAR_MAX: usize = 32;

/// Appends `target` as `patch` changes it. Members keep their order, new ones go to the end, a null in the patch takes a member
/// out. Neither argument's nesting is exceeded, and the result is in the smallest form if both arguments are.
pub fn merge(target: ObjectRef<'_>, patch: ObjectRef<'_>, out: &mut Vec<u8>) {
    merge_levels(target, patch, NESTING_MAX, out);
}

/// One member of a patch.
#[derive(Clone, Copy)]
struct Entry<'a> {
    name: &'a [u8],
    value: Raw<'a>,
    /// The name and the value as they stand in the patch.
    whole: &'a [u8],
    /// Whether the target has this member, so that it has been dealt with.
    done: bool,
}

impl Entry<'_> {
    const NONE: Entry<'static> = Entry {
        name: &[],
        value: Raw::NULL,
        whole: &[],
        done: false,
    };
}

/// Below the deepest level that a document may have nothing is merged: such bytes have not been validated.
fn merge_levels(target: ObjectRef<'_>, patch: ObjectRef<'_>, levels: usize, out: &mut Vec<u8>) {
    let Some(levels) = levels.checked_sub(1) else {
        return out.extend_from_slice(patch.raw().as_bytes());
    };
    let merge = Merge {
        out,
        levels,
        removed: 0,
        added: 0,
    };
    if patch.len() <= SMALL_MAX {
        let mut array = [Entry::NONE; SMALL_MAX];
        let count = array
            .iter_mut()
            .zip(entries(patch))
            .map(|(slot, entry)| *slot = entry)
            .count();
        let entries = array.get_mut(..count).unwrap_or_default();
        merge.run(target, entries, linear);
    } else {
        let mut all: Vec<Entry<'_>> = entries(patch).collect();
        if all.len() <= LINEAR_MAX {
            return merge.run(target, &mut all, linear);
        }
        let places = all
            .iter()
            .enumerate()
            .map(|(place, entry)| (entry.name, place));
        let places: HashMap<&[u8], usize> = places.collect();
        merge.run(target, &mut all, |name, entries| {
            entries.get_mut(*places.get(name)?)
        });
    }
}

/// Merges the members of a patch, each name once, at the outermost level.
fn merge_entries(target: ObjectRef<'_>, entries: &mut [Entry<'_>], out: &mut Vec<u8>) {
    let merge = Merge {
        out,
        levels: NESTING_MAX - 1,
        removed: 0,
        added: 0,
    };
    merge.run(target, entries, linear);
}

#[inline]
fn linear<'e, 'p>(name: &[u8], entries: &'e mut [Entry<'p>]) -> Option<&'e mut Entry<'p>> {
    entries.iter_mut().find(|entry| entry.name == name)
}

/// One of 64 bits, by the length and the end of a name: most names that a patch does not have are told by it.
#[inline]
fn bit(name: &[u8]) -> u64 {
    let last = name.last().map_or(0, |byte| usize::from(*byte));
    1 << ((name.len() * 11 + last) & 63)
}

fn entries(patch: ObjectRef<'_>) -> impl Iterator<Item = Entry<'_>> {
    let mut members = patch.members();
    core::iter::from_fn(move || {
        let before = members.rest();
        let (name, value) = members.next()?;
        let whole = passed(before, members.rest());
        Some(Entry {
            name,
            value,
            whole,
            done: false,
        })
    })
}

/// The bytes from `before` up to where `rest`, its tail, starts.
#[inline]
fn passed<'a>(before: &'a [u8], rest: &[u8]) -> &'a [u8] {
    before
        .get(..before.len().saturating_sub(rest.len()))
        .unwrap_or_default()
}

struct Merge<'o> {
    out: &'o mut Vec<u8>,
    levels: usize,
    removed: usize,
    added: usize,
}

impl Merge<'_> {
    /// Writes the merged object. `find` looks up a name among the entries.
    fn run<'p, F>(mut self, target: ObjectRef<'_>, entries: &mut [Entry<'p>], find: F)
    where
        F: for<'e> Fn(&[u8], &'e mut [Entry<'p>]) -> Option<&'e mut Entry<'p>>,
    {
        let start = self.out.len();
        let room = target.len().saturating_add(entries.len());
        msgpack::encode_map_head(room, self.out);
        let body = self.out.len();
        self.change(target, entries, find);
        self.add(entries);
        let count = target
            .len()
            .saturating_sub(self.removed)
            .saturating_add(self.added);
        self.set_head(start, body, count);
    }

    /// Copies the target's members, changed where an entry says so.
    fn change<'p, F>(&mut self, target: ObjectRef<'_>, entries: &mut [Entry<'p>], find: F)
    where
        F: for<'e> Fn(&[u8], &'e mut [Entry<'p>]) -> Option<&'e mut Entry<'p>>,
    {
        let mut members = target.members();
        // Where the run of untouched members starts that has not been copied yet.
        let mut run = members.rest();
        let mut left = entries.len();
        let bits = entries.iter().fold(0, |bits, entry| bits | bit(entry.name));
        while left > 0 {
            let before = members.rest();
            let Some((name, old)) = members.next() else {
                break;
            };
            if bits & bit(name) == 0 {
                continue;
            }
            let Some(entry) = find(name, entries) else {
                continue;
            };
            entry.done = true;
            left -= 1;
            if entry.value.is_null() {
                self.out.extend_from_slice(passed(run, before));
                self.removed += 1;
            } else {
                let value_and_rest = members.rest().len() + old.as_bytes().len();
                let kept = run.len().saturating_sub(value_and_rest);
                self.out
                    .extend_from_slice(run.get(..kept).unwrap_or_default());
                self.value(old, entry.value);
            }
            run = members.rest();
        }
        self.out.extend_from_slice(run);
    }

    /// Adds the entries that the target has no member for.
    fn add(&mut self, entries: &[Entry<'_>]) {
        for entry in entries
            .iter()
            .filter(|entry| !entry.done && !entry.value.is_null())
        {
            self.added += 1;
            match entry.value.object() {
                None => self.out.extend_from_slice(entry.whole),
                Some(_) => {
                    self.out
                        .extend_from_slice(passed(entry.whole, entry.value.as_bytes()));
                    self.value(Raw::NULL, entry.value);
                }
            }
        }
    }

    /// Writes the value that a patch's value makes of an old one.
    fn value(&mut self, old: Raw<'_>, new: Raw<'_>) {
        match new.object() {
            None => self.out.extend_from_slice(new.as_bytes()),
            Some(patch) => {
                let target = old.object().unwrap_or(ObjectRef::EMPTY);
                merge_levels(target, patch, self.levels, self.out);
            }
        }
    }

    /// Puts the true count into the head, which was written for the most members that there could be.
    fn set_head(&mut self, start: usize, body: usize, count: usize) {
        let (head, length) = msgpack::map_head(count);
        let head = head.get(..length).unwrap_or_default();
        match self.out.get_mut(start..body) {
            Some(room) if room.len() == length => room.copy_from_slice(head),
            _ => drop(self.out.splice(start..body, head.iter().copied())),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use alloc::string::{String, ToString};
    use alloc::vec::Vec;

    use proptest::prelude::*;

    use super::super::{Object, Raw, Value, json, msgpack, testing};
    use super::*;

    fn merged(target: &Object, patch: &Object) -> Vec<u8> {
        let (target, patch) = (testing::packed(target), testing::packed(patch));
        let mut out = Vec::new();
        merge(
            ObjectRef::new(&target).unwrap(),
            ObjectRef::new(&patch).unwrap(),
            &mut out,
        );
        out
    }

    fn check(target: &str, patch: &str, result: &str) {
        let object = |text| json::parse(text).unwrap().as_object().unwrap().clone();
        let out = merged(&object(target), &object(patch));
        msgpack::validate(&out).unwrap();
        assert_eq!(
            Raw::new(&out).unwrap().to_string(),
            result,
            "{target} {patch}"
        );
    }

    /// Those of the RFC's appendix where both are objects.
    #[test]
    fn the_examples_of_the_rfc() {
        check(r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#);
        check(r#"{"a":"b"}"#, r#"{"b":"c"}"#, r#"{"a":"b","b":"c"}"#);
        check(r#"{"a":"b"}"#, r#"{"a":null}"#, "{}");
        check(r#"{"a":"b","b":"c"}"#, r#"{"a":null}"#, r#"{"b":"c"}"#);
        check(r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#);
        check(r#"{"a":"c"}"#, r#"{"a":["b"]}"#, r#"{"a":["b"]}"#);
        check(
            r#"{"a":{"b":"c"}}"#,
            r#"{"a":{"b":"d","c":null}}"#,
            r#"{"a":{"b":"d"}}"#,
        );
        check(r#"{"a":[{"b":"c"}]}"#, r#"{"a":[1]}"#, r#"{"a":[1]}"#);
        check(r#"{"e":null}"#, r#"{"a":1}"#, r#"{"e":null,"a":1}"#);
        check("{}", r#"{"a":{"bb":{"ccc":null}}}"#, r#"{"a":{"bb":{}}}"#);
    }

    #[test]
    fn members_keep_their_places() {
        check(
            r#"{"a":1,"b":2,"c":3}"#,
            r#"{"d":4,"b":5}"#,
            r#"{"a":1,"b":5,"c":3,"d":4}"#,
        );
        check(
            r#"{"a":1,"b":2,"c":3}"#,
            r#"{"c":null,"a":null}"#,
            r#"{"b":2}"#,
        );
        check(
            r#"{"a":1}"#,
            r#"{"a":[null,{"b":null}]}"#,
            r#"{"a":[null,{"b":null}]}"#,
        );
        check("{}", "{}", "{}");
    }

    #[test]
    fn heads_shrink_and_grow_at_their_bounds() {
        let wide = |count: u32| (0..count).map(|n| (n.to_string(), n)).collect::<Object>();
        for (target, patch) in [
            (15, 16),
            (16, 16),
            (14, 15),
            (65_535, 65_536),
            (0, 17),
            (40, 3),
        ] {
            let out = merged(&wide(target), &wide(patch));
            assert_eq!(out, testing::packed(&wide(target.max(patch))));
        }
        let gone = |count: u32| {
            (0..count)
                .map(|n| (n.to_string(), Value::Null))
                .collect::<Object>()
        };
        assert_eq!(merged(&wide(20), &gone(20)), [0x80]);
        assert_eq!(merged(&wide(17), &gone(2)).first(), Some(&0x8f));
        assert_eq!(merged(&wide(65_537), &gone(2)).first(), Some(&0xde));
    }

    #[test]
    fn a_patch_of_the_deepest_nesting_is_merged_to_its_end() {
        let deep = |end: &str| {
            let levels = NESTING_MAX;
            let text: String = [
                "{\"a\":".repeat(levels - 1).as_str(),
                end,
                &"}".repeat(levels - 1),
            ]
            .concat();
            json::parse(&text).unwrap().as_object().unwrap().clone()
        };
        let out = merged(&deep(r#"{"b":1}"#), &deep(r#"{"c":2,"d":null}"#));
        assert_eq!(out, testing::packed(&deep(r#"{"b":1,"c":2}"#)));
    }

    /// The RFC's own algorithm, on owned values.
    fn oracle(target: Value, patch: &Value) -> Value {
        let Value::Object(patch) = patch else {
            return patch.clone();
        };
        let mut result = match target {
            Value::Object(object) => object,
            _ => Object::new(),
        };
        for (name, value) in patch.iter() {
            if value.is_null() {
                result.remove(name);
            } else {
                let old = result.get(name).cloned().unwrap_or_default();
                result.insert(name, oracle(old, value));
            }
        }
        Value::Object(result)
    }

    proptest! {
        #[test]
        fn merges_as_the_rfc_says(target in testing::objects(), patch in testing::objects()) {
            let expected = oracle(target.clone().into(), &patch.clone().into());
            let out = merged(&target, &patch);
            prop_assert_eq!(Raw::new(&out).unwrap().to_string(), expected.to_string());
            prop_assert_eq!(out, expected.to_msgpack());
        }
    }
}
