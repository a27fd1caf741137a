//! [`Object`]: members in the order in which they were added, each name once.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::{Value, json};

/// Up to this many members a name is found by looking at all of them.
const LINEAR_MAX: usize = 24;

/// A JSON object. Two objects are equal if they have the same members in the same order.
#[derive(Clone, Default)]
pub struct Object {
    members: Vec<(String, Value)>,
    /// Where each name is, kept for objects of more than [`LINEAR_MAX`] members only; it never decides an order.
    index: Option<Box<Index>>,
}

#[derive(Clone, Default)]
struct Index {
    hasher: DefaultHashBuilder,
    places: HashTable<usize>,
}

impl Object {
    /// An object without members.
    pub fn new() -> Self {
        Object::default()
    }

    /// An object without members, with room for `capacity` of them.
    pub fn with_capacity(capacity: usize) -> Self {
        Object {
            members: Vec::with_capacity(capacity),
            index: None,
        }
    }

    /// How many members there are.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The value of a member.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let (_, value) = self.members.get(self.place(name)?)?;
        Some(value)
    }

    /// The value of a member, to change it.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        let place = self.place(name)?;
        self.members.get_mut(place).map(|(_, value)| value)
    }

    /// Whether there is such a member.
    pub fn contains(&self, name: &str) -> bool {
        self.place(name).is_some()
    }

    /// Sets a member: in its place if it is there, else at the end. Returns the value it had.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<Value>) -> Option<Value> {
        let (name, value) = (name.into(), value.into());
        if let Some(old) = self.get_mut(&name) {
            return Some(core::mem::replace(old, value));
        }
        self.members.push((name, value));
        self.index_last();
        None
    }

    /// Takes a member out; the others keep their order.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        let place = self.place(name)?;
        self.index = None;
        Some(self.members.remove(place).1)
    }

    /// The members in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&str, &Value)> + ExactSizeIterator {
        self.members
            .iter()
            .map(|(name, value)| (name.as_str(), value))
    }

    fn place(&self, name: &str) -> Option<usize> {
        match &self.index {
            Some(index) => index.find(name, &self.members),
            None => self.members.iter().position(|(other, _)| other == name),
        }
    }

    /// Puts the member just added into the index, building it when the object outgrows a linear search.
    fn index_last(&mut self) {
        let from = match &self.index {
            Some(_) => self.members.len().saturating_sub(1),
            None if self.members.len() <= LINEAR_MAX => return,
            None => 0,
        };
        let index = self.index.get_or_insert_default();
        for place in from..self.members.len() {
            index.add(place, &self.members);
        }
    }
}

impl Index {
    fn find(&self, name: &str, members: &[(String, Value)]) -> Option<usize> {
        let is_it = |place: &usize| members.get(*place).is_some_and(|(other, _)| other == name);
        self.places.find(self.hasher.hash_one(name), is_it).copied()
    }

    fn add(&mut self, place: usize, members: &[(String, Value)]) {
        let Index { hasher, places } = self;
        let hash_at = |place: &usize| {
            hasher.hash_one(members.get(*place).map_or("", |(name, _)| name.as_str()))
        };
        places.insert_unique(hash_at(&place), place, hash_at);
    }
}

impl PartialEq for Object {
    fn eq(&self, other: &Self) -> bool {
        self.members == other.members
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// JSON, without white space.
impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        json::format_object(self, f)
    }
}

impl IntoIterator for Object {
    type Item = (String, Value);
    type IntoIter = alloc::vec::IntoIter<(String, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.members.into_iter()
    }
}

/// Later members of the same name replace earlier ones in their place.
impl<N: Into<String>, V: Into<Value>> FromIterator<(N, V)> for Object {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(members: I) -> Self {
        let mut object = Object::new();
        for (name, value) in members {
            object.insert(name, value);
        }
        object
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use alloc::collections::BTreeMap;
    use alloc::format;
    use alloc::string::ToString;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn members_keep_the_order_of_their_first_insertion() {
        let mut object: Object = [("b", 1), ("a", 2), ("b", 3)].into_iter().collect();
        assert_eq!(object.to_string(), r#"{"b":3,"a":2}"#);
        assert_eq!(object.insert("a", "x"), Some(Value::Int(2)));
        assert_eq!(object.remove("b"), Some(Value::Int(3)));
        assert_eq!(object.remove("b"), None);
        assert_eq!(object.to_string(), r#"{"a":"x"}"#);
    }

    proptest! {
        /// Also where the object outgrows a linear search and falls below it again.
        #[test]
        fn behaves_as_a_list_of_pairs(steps in prop::collection::vec((0u8..60, any::<bool>(), any::<i32>()), 0..200)) {
            let mut object = Object::new();
            let mut model: Vec<(String, Value)> = Vec::new();
            for (name, insert, value) in steps {
                let name = format!("n{name}");
                let place = model.iter().position(|(other, _)| *other == name);
                prop_assert_eq!(object.get(&name), place.map(|place| &model[place].1));
                match (insert || name.as_str() < "n3", place) {
                    (true, Some(place)) => {
                        model[place].1 = value.into();
                        prop_assert!(object.insert(name, value).is_some());
                    }
                    (true, None) => {
                        model.push((name.clone(), value.into()));
                        prop_assert!(object.insert(name, value).is_none());
                    }
                    (false, Some(place)) => {
                        prop_assert_eq!(object.remove(&name), Some(model.remove(place).1));
                    }
                    (false, None) => prop_assert!(object.remove(&name).is_none()),
                }
            }
            let pairs: Vec<(String, Value)> = object.iter().map(|(n, v)| (n.into(), v.clone())).collect();
            prop_assert_eq!(pairs, model.clone());
            prop_assert_eq!(object.len(), model.iter().map(|(n, _)| (n, ())).collect::<BTreeMap<_, _>>().len());
        }
    }
}
