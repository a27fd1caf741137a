//! [`Chain`]: a document as its base and the patches on it; members are found without making the document.

use alloc::vec::Vec;

use super::path::{Path, Step};
use super::{Bytes, ObjectRef, Raw, ValueRef, patch};

/// A document and the patches on it, oldest first. All of it is validated msgpack.
#[derive(Debug)]
pub struct Chain<'a, P = Bytes> {
    /// The document before the patches: an object.
    pub base: &'a [u8],
    /// The patches, oldest first: objects.
    pub patches: &'a [P],
}

impl<P> Clone for Chain<'_, P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P> Copy for Chain<'_, P> {}

/// What a chain says about a member.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Member<'a> {
    /// This is its value.
    Value(Raw<'a>),
    /// The document has no such member.
    Absent,
    /// It is an object that patches have changed: [`Chain::merged`] makes it.
    Merge,
}

impl<'a, P: AsRef<[u8]>> Chain<'a, P> {
    /// A chain.
    pub fn new(base: &'a [u8], patches: &'a [P]) -> Self {
        Chain { base, patches }
    }

    /// A member of the document.
    #[inline]
    pub fn member(self, name: &str) -> Member<'a> {
        for patch in self.patches.iter().rev() {
            let patch = ObjectRef::new(patch.as_ref());
            match patch.and_then(|patch| patch.get(name)) {
                None => {}
                Some(value) if value.is_null() => return Member::Absent,
                Some(value) if value.object().is_some() => return Member::Merge,
                Some(value) => return Member::Value(value),
            }
        }
        let value = ObjectRef::new(self.base).and_then(|base| base.get(name));
        value.map_or(Member::Absent, Member::Value)
    }

    /// The value at a path in the document.
    #[inline]
    pub fn path(self, path: &Path) -> Member<'a> {
        if let [Step::Member(name)] = path.steps() {
            return self.member(name);
        }
        for patch in self.patches.iter().rev() {
            match effect(patch.as_ref(), path) {
                Effect::None => {}
                Effect::Patch(_) => return Member::Merge,
                Effect::Set(value) => return value.map_or(Member::Absent, Member::Value),
            }
        }
        self.base_value(path).map_or(Member::Absent, Member::Value)
    }

    /// The value at a path, made in `scratch` if patches have to be merged into it. What `scratch` held before is lost.
    pub fn merged<'s>(self, path: &Path, scratch: &'s mut Vec<u8>) -> Option<Raw<'s>>
    where
        'a: 's,
    {
        let effects = || {
            self.patches
                .iter()
                .map(|patch| effect(patch.as_ref(), path))
                .enumerate()
        };
        let last_set = effects().rev().find_map(|(place, effect)| match effect {
            Effect::Set(value) => Some((place + 1, value)),
            _ => None,
        });
        let (from, value) = last_set.unwrap_or_else(|| (0, self.base_value(path)));
        let patches = effects().skip(from).filter_map(|(_, effect)| match effect {
            Effect::Patch(patch) => Some(patch),
            _ => None,
        });
        if patches.clone().next().is_none() {
            return value;
        }
        scratch.clear();
        let target = value.and_then(Raw::object).unwrap_or(ObjectRef::EMPTY);
        patch::merge_all(target, patches, scratch);
        Raw::new(scratch)
    }

    /// Appends the document with all patches applied.
    pub fn materialise(self, out: &mut Vec<u8>) {
        let base = ObjectRef::new(self.base).unwrap_or(ObjectRef::EMPTY);
        patch::merge_all(
            base,
            self.patches
                .iter()
                .filter_map(|patch| ObjectRef::new(patch.as_ref())),
            out,
        );
    }

    fn base_value(self, path: &Path) -> Option<Raw<'a>> {
        path.get(ValueRef::Object(ObjectRef::new(self.base)?))
    }
}

/// What a patch does to the value at a path.
enum Effect<'a> {
    None,
    /// It is this, or absent, whatever it was.
    Set(Option<Raw<'a>>),
    /// It is what this patch makes of it.
    Patch(ObjectRef<'a>),
}

fn effect<'a>(patch: &'a [u8], path: &Path) -> Effect<'a> {
    let Some(mut object) = ObjectRef::new(patch) else {
        return Effect::None;
    };
    let mut steps = path.steps();
    while let [step, rest @ ..] = steps {
        // The value at this level is an object after the patch: it has members and no items.
        let Step::Member(name) = step else {
            return Effect::Set(None);
        };
        let Some(value) = object.get(name) else {
            return Effect::None;
        };
        steps = rest;
        match value.object() {
            Some(inner) => object = inner,
            None if value.is_null() => return Effect::Set(None),
            None => return Effect::Set(super::path::walk(value, steps)),
        }
    }
    Effect::Patch(object)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use alloc::string::String;

    use proptest::prelude::*;

    use super::super::{json, testing};
    use super::*;

    fn packed(text: &str) -> Vec<u8> {
        json::parse(text).unwrap().to_msgpack()
    }

    fn shown(member: Member<'_>) -> String {
        match member {
            Member::Value(raw) => alloc::format!("{raw}"),
            Member::Absent => "absent".into(),
            Member::Merge => "merge".into(),
        }
    }

    #[test]
    fn the_newest_patch_that_names_a_member_decides() {
        let base = packed(r#"{"a":1,"b":{"c":1,"d":[5,6]},"e":2}"#);
        let patches = [
            packed(r#"{"a":2,"e":null}"#),
            packed(r#"{"b":{"c":3,"x":null}}"#),
        ];
        let chain = Chain::new(&base, &patches);
        let path = |text| shown(chain.path(&Path::parse(text).unwrap()));
        assert_eq!(shown(chain.member("a")), "2");
        assert_eq!(shown(chain.member("e")), "absent");
        assert_eq!(shown(chain.member("z")), "absent");
        assert_eq!(shown(chain.member("b")), "merge");
        assert_eq!(path("b.c"), "3");
        assert_eq!(path("b.x"), "absent");
        assert_eq!(path("b.d[1]"), "6");
        assert_eq!(path("b[0]"), "absent");
        assert_eq!(path("a.b"), "absent");
        let mut scratch = Vec::new();
        let b = chain.merged(&Path::member("b"), &mut scratch).unwrap();
        assert_eq!(alloc::format!("{b}"), r#"{"c":3,"d":[5,6]}"#);
    }

    #[test]
    fn a_patch_over_what_is_not_an_object_starts_anew() {
        let base = packed(r#"{"a":{"b":1}}"#);
        let patches = [packed(r#"{"a":null}"#), packed(r#"{"a":{"c":1}}"#)];
        let chain = Chain::new(&base, &patches);
        assert_eq!(chain.path(&Path::parse("a.b").unwrap()), Member::Absent);
        let mut out = Vec::new();
        chain.materialise(&mut out);
        assert_eq!(out, packed(r#"{"a":{"c":1}}"#));
    }

    proptest! {
        #[test]
        fn members_are_those_of_the_materialised_document(
            base in testing::objects(),
            patches in prop::collection::vec(testing::objects(), 0..5),
        ) {
            let base = testing::packed(&base);
            let patches: Vec<Vec<u8>> = patches.iter().map(testing::packed).collect();
            let chain = Chain::new(&base, &patches);
            let mut whole = Vec::new();
            chain.materialise(&mut whole);
            let mut step_by_step = base.clone();
            for patch in &patches {
                let mut out = Vec::new();
                let (target, patch) = (ObjectRef::new(&step_by_step), ObjectRef::new(patch));
                patch::merge(target.unwrap(), patch.unwrap(), &mut out);
                step_by_step = out;
            }
            prop_assert_eq!(&whole, &step_by_step);
            let whole = Raw::new(&whole).unwrap();
            for text in ["a", "b", "c", "a.a", "a.b", "b.a", "c.ab", "a.b.c", "a[0]", "b.a[1]", "m3"] {
                let path = Path::parse(text).unwrap();
                let expected = path.get_in(whole);
                match chain.path(&path) {
                    Member::Value(value) => prop_assert_eq!(Some(value), expected),
                    Member::Absent => prop_assert_eq!(None, expected),
                    Member::Merge => prop_assert!(expected.unwrap().object().is_some()),
                }
                let mut scratch = Vec::new();
                prop_assert_eq!(chain.merged(&path, &mut scratch), expected);
            }
        }
    }
}
