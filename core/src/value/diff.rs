//! What changed between two documents.

use alloc::string::String;

use hashbrown::HashMap;

use super::raw::Members;
use super::{ObjectRef, Raw, path};
use crate::limits::NESTING_MAX;

/// What is called for each change: the path as text, what was there and what is; `None` where there is nothing.
pub type Each<'e, 'a> = dyn FnMut(&str, Option<Raw<'a>>, Option<Raw<'a>>) + 'e;

/// Gives `each` the changes from one document to another; a missing document has no members. Objects are compared member by member at every level, arrays
/// as a whole; the order of members does not count. What was there before comes in its old order, then what is new.
pub fn each<'a>(old: Option<ObjectRef<'a>>, new: Option<ObjectRef<'a>>, each: &mut Each<'_, 'a>) {
    let (old, new) = (
        old.unwrap_or(ObjectRef::EMPTY),
        new.unwrap_or(ObjectRef::EMPTY),
    );
    let mut walk = Walk {
        path: String::new(),
        each,
    };
    walk.objects(old, new, NESTING_MAX);
}

struct Walk<'e, 'a> {
    path: String,
    each: &'e mut Each<'e, 'a>,
}

impl<'a> Walk<'_, 'a> {
    fn objects(&mut self, old: ObjectRef<'a>, new: ObjectRef<'a>, levels: usize) {
        // What patches leave of a row keeps its order: as long as names are the same side by side, nothing need be looked up.
        let (mut was, mut is) = (old.members(), new.members());
        loop {
            let rest = (was.clone(), is.clone());
            match (was.next(), is.next()) {
                (Some((name, old)), Some((other, new))) if name == other => {
                    if old != new {
                        self.member(name, Some(old), Some(new), levels);
                    }
                }
                (None, None) => return,
                _ => return self.unordered(rest.0, rest.1, levels),
            }
        }
    }

    fn unordered(&mut self, old: Members<'a>, new: Members<'a>, levels: usize) {
        let mut added: HashMap<&[u8], Raw<'a>> = new.clone().collect();
        for (name, was) in old {
            let is = added.remove(name);
            if is != Some(was) {
                self.member(name, Some(was), is, levels);
            }
        }
        for (name, is) in new {
            if added.contains_key(name) {
                self.member(name, None, Some(is), levels);
            }
        }
    }

    fn member(&mut self, name: &[u8], old: Option<Raw<'a>>, new: Option<Raw<'a>>, levels: usize) {
        let Ok(name) = core::str::from_utf8(name) else {
            return;
        };
        let above = self.path.len();
        path::push_member(name, &mut self.path);
        match (old.and_then(Raw::object), new.and_then(Raw::object)) {
            (Some(old), Some(new)) if levels > 0 => self.objects(old, new, levels - 1),
            _ => (self.each)(&self.path, old, new),
        }
        self.path.truncate(above);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use alloc::format;
    use alloc::vec::Vec;

    use proptest::prelude::*;

    use super::super::path::{Path, Step};
    use super::super::{Object, Value, json, patch, testing};
    use super::*;

    struct Change {
        path: Path,
        old: Option<Value>,
        new: Option<Value>,
    }

    fn diff(old: Option<ObjectRef<'_>>, new: Option<ObjectRef<'_>>) -> Vec<Change> {
        let mut changes = Vec::new();
        each(old, new, &mut |path, old, new| {
            changes.push(Change {
                path: Path::parse(path).unwrap(),
                old: old.map(Raw::to_value),
                new: new.map(Raw::to_value),
            });
        });
        changes
    }

    fn changes(old: Option<&str>, new: Option<&str>) -> Vec<String> {
        let packed = |text: Option<&str>| text.map(|text| json::parse(text).unwrap().to_msgpack());
        let (old, new) = (packed(old), packed(new));
        let object = |bytes: &Option<Vec<u8>>| {
            bytes
                .as_deref()
                .and_then(ObjectRef::new)
                .map(|o| o.to_object())
        };
        let (old, new) = (
            object(&old).map(|o| testing::packed(&o)),
            object(&new).map(|o| testing::packed(&o)),
        );
        let changes = diff(
            old.as_deref().and_then(ObjectRef::new),
            new.as_deref().and_then(ObjectRef::new),
        );
        let show = |value: &Option<Value>| {
            value
                .as_ref()
                .map_or("-".into(), |value| format!("{value}"))
        };
        let line = |change: &Change| {
            format!(
                "{}: {} > {}",
                change.path,
                show(&change.old),
                show(&change.new)
            )
        };
        changes.iter().map(line).collect()
    }

    #[test]
    fn changes_come_member_by_member_and_arrays_as_a_whole() {
        let old = r#"{"a":1,"b":{"c":1,"d":2},"e":[1,2],"f":null,"g":{}}"#;
        let new = r#"{"n":{"x":1},"b":{"d":3,"c":1,"e":4},"e":[1],"a":1,"g":5}"#;
        assert_eq!(
            changes(Some(old), Some(new)),
            [
                "b.d: 2 > 3",
                "b.e: - > 4",
                "e: [1,2] > [1]",
                "f: null > -",
                "g: {} > 5",
                "n: - > {\"x\":1}"
            ]
        );
    }

    #[test]
    fn a_document_that_was_not_there_or_is_gone_changes_every_member() {
        assert_eq!(
            changes(None, Some(r#"{"a":{"b":1},"c":2}"#)),
            ["a: - > {\"b\":1}", "c: - > 2"]
        );
        assert_eq!(changes(Some(r#"{"a":1}"#), None), ["a: 1 > -"]);
        assert!(changes(None, None).is_empty());
        assert!(changes(Some(r#"{"a":1,"b":2}"#), Some(r#"{"b":2,"a":1}"#)).is_empty());
    }

    /// The patch that makes the changes, for documents without nulls in them.
    fn as_patch(changes: &[Change]) -> Object {
        let mut root = Object::new();
        for change in changes {
            let (last, above) = change.path.steps().split_last().unwrap();
            let mut at = &mut root;
            for step in above {
                let Step::Member(name) = step else {
                    panic!("{}", change.path)
                };
                if !at.contains(name) {
                    at.insert(name.as_str(), Object::new());
                }
                let Some(Value::Object(inner)) = at.get_mut(name) else {
                    panic!("{}", change.path)
                };
                at = inner;
            }
            let Step::Member(name) = last else {
                panic!("{}", change.path)
            };
            at.insert(name.as_str(), change.new.clone().unwrap_or_default());
        }
        root
    }

    fn without_nulls(object: Object) -> Object {
        let bytes = testing::packed(&object);
        let mut out = Vec::new();
        patch::merge(ObjectRef::EMPTY, ObjectRef::new(&bytes).unwrap(), &mut out);
        ObjectRef::new(&out).unwrap().to_object()
    }

    proptest! {
        #[test]
        fn the_changes_lead_from_the_old_document_to_the_new(old in testing::objects(), new in testing::objects()) {
            let [old, new] = [old, new].map(|object| testing::packed(&without_nulls(object)));
            let changes = diff(ObjectRef::new(&old), ObjectRef::new(&new));
            let patch = testing::packed(&as_patch(&changes));
            let mut out = Vec::new();
            patch::merge(ObjectRef::new(&old).unwrap(), ObjectRef::new(&patch).unwrap(), &mut out);
            prop_assert!(diff(ObjectRef::new(&out), ObjectRef::new(&new)).is_empty());
        }
    }
}
