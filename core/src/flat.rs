//! A map and a set that are one sorted vector: for thousands of entries, not for millions.
//!
//! The code of a B-tree is 5 to 10 KiB for each pair of types, and a module for browsers would pay it a dozen times. Entries that come in ascending order, as
//! most do, are appended; any other insertion moves what is behind it.

use alloc::vec::{self, Vec};
use core::borrow::Borrow;

/// A map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlatMap<K, V> {
    /// By key, ascending, each once.
    entries: Vec<(K, V)>,
}

impl<K, V> Default for FlatMap<K, V> {
    fn default() -> Self {
        FlatMap::new()
    }
}

impl<K, V> FlatMap<K, V> {
    /// Of nothing.
    pub const fn new() -> Self {
        FlatMap {
            entries: Vec::new(),
        }
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Takes all entries out.
    pub fn clear(&mut self) {
        self.entries.clear();
    }

    /// The entries in order of their keys.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&K, &V)> + Clone {
        self.entries.iter().map(|(key, value)| (key, value))
    }

    /// The keys in order.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &K> + Clone {
        self.entries.iter().map(|(key, _)| key)
    }

    /// The values in order of their keys.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> + Clone {
        self.entries.iter().map(|(_, value)| value)
    }

    /// The same, to be changed.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.entries.iter_mut().map(|(_, value)| value)
    }

    /// The last entry.
    pub fn last(&self) -> Option<(&K, &V)> {
        self.entries.last().map(|(key, value)| (key, value))
    }

    /// Takes the last entry out.
    pub fn pop_last(&mut self) -> Option<(K, V)> {
        self.entries.pop()
    }
}

impl<K: Ord, V> FlatMap<K, V> {
    fn place<Q: Ord + ?Sized>(&self, key: &Q) -> Result<usize, usize>
    where
        K: Borrow<Q>,
    {
        self.entries
            .binary_search_by(|(other, _)| other.borrow().cmp(key))
    }

    /// The value of a key.
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let entry = self.entries.get(self.place(key).ok()?);
        entry.map(|(_, value)| value)
    }

    /// The same, to be changed.
    pub fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let place = self.place(key).ok()?;
        self.entries.get_mut(place).map(|(_, value)| value)
    }

    /// Whether there is a key.
    pub fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.place(key).is_ok()
    }

    /// Sets the value of a key; the one before.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        let is_last = self.entries.last().is_none_or(|(last, _)| *last < key);
        let place = match is_last {
            true => Err(self.entries.len()),
            false => self.place(&key),
        };
        match place {
            Ok(place) => {
                let before = self.entries.get_mut(place);
                before.map(|(_, before)| core::mem::replace(before, value))
            }
            Err(place) => {
                self.entries.insert(place, (key, value));
                None
            }
        }
    }

    /// Takes a key out; its value.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let place = self.place(key).ok()?;
        Some(self.entries.remove(place).1)
    }

    /// The entries from a key on.
    pub fn from<'a, Q: Ord + ?Sized>(
        &'a self,
        key: &Q,
    ) -> impl DoubleEndedIterator<Item = (&'a K, &'a V)> + use<'a, K, V, Q>
    where
        K: Borrow<Q>,
    {
        let (Ok(place) | Err(place)) = self.place(key);
        let entries = self.entries.get(place..).unwrap_or_default();
        entries.iter().map(|(key, value)| (key, value))
    }

    /// The entries before a key.
    pub fn below<'a, Q: Ord + ?Sized>(
        &'a self,
        key: &Q,
    ) -> impl DoubleEndedIterator<Item = (&'a K, &'a V)> + use<'a, K, V, Q>
    where
        K: Borrow<Q>,
    {
        let (Ok(place) | Err(place)) = self.place(key);
        let entries = self.entries.get(..place).unwrap_or_default();
        entries.iter().map(|(key, value)| (key, value))
    }
}

impl<K, V> IntoIterator for FlatMap<K, V> {
    type Item = (K, V);
    type IntoIter = vec::IntoIter<(K, V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

impl<K: Ord, V> Extend<(K, V)> for FlatMap<K, V> {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, entries: I) {
        for (key, value) in entries {
            self.insert(key, value);
        }
    }
}

impl<K: Ord, V> FromIterator<(K, V)> for FlatMap<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut map = FlatMap::new();
        map.extend(entries);
        map
    }
}

/// A set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlatSet<K> {
    map: FlatMap<K, ()>,
}

impl<K> Default for FlatSet<K> {
    fn default() -> Self {
        FlatSet::new()
    }
}

impl<K> FlatSet<K> {
    /// Of nothing.
    pub const fn new() -> Self {
        FlatSet {
            map: FlatMap::new(),
        }
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    /// Takes everything out.
    pub fn clear(&mut self) {
        self.map.clear();
    }

    /// What there is, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &K> + Clone {
        self.map.keys()
    }
}

impl<K: Ord> FlatSet<K> {
    /// Whether it is there.
    pub fn contains<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.map.contains_key(key)
    }

    /// Puts it in; whether it was not there.
    pub fn insert(&mut self, key: K) -> bool {
        self.map.insert(key, ()).is_none()
    }

    /// Takes it out; whether it was there.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.map.remove(key).is_some()
    }
}

impl<K> IntoIterator for FlatSet<K> {
    type Item = K;
    type IntoIter = core::iter::Map<vec::IntoIter<(K, ())>, fn((K, ())) -> K>;

    fn into_iter(self) -> Self::IntoIter {
        self.map.into_iter().map(|(key, ())| key)
    }
}

impl<K: Ord> Extend<K> for FlatSet<K> {
    fn extend<I: IntoIterator<Item = K>>(&mut self, keys: I) {
        self.map.extend(keys.into_iter().map(|key| (key, ())));
    }
}

impl<K: Ord> FromIterator<K> for FlatSet<K> {
    fn from_iter<I: IntoIterator<Item = K>>(keys: I) -> Self {
        let mut set = FlatSet::new();
        set.extend(keys);
        set
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_map_is_as_a_tree(steps in prop::collection::vec((0_u8..4, 0_u8..40, any::<u16>()), 0..200)) {
            let (mut map, mut tree) = (FlatMap::new(), BTreeMap::new());
            for (what, key, value) in steps {
                match what {
                    0 | 1 => prop_assert_eq!(map.insert(key, value), tree.insert(key, value)),
                    2 => prop_assert_eq!(map.remove(&key), tree.remove(&key)),
                    _ => {
                        if let Some(value) = map.get_mut(&key) {
                            *value = value.wrapping_add(1);
                        }
                        tree.entry(key).and_modify(|value| *value = value.wrapping_add(1));
                        prop_assert_eq!(map.get(&key), tree.get(&key));
                        prop_assert_eq!(map.contains_key(&key), tree.contains_key(&key));
                    }
                }
                prop_assert!(map.from(&key).eq(tree.range(key..)));
                prop_assert!(map.below(&key).rev().eq(tree.range(..key).rev()));
                prop_assert_eq!(map.last(), tree.last_key_value());
                prop_assert_eq!((map.len(), map.is_empty()), (tree.len(), tree.is_empty()));
            }
            prop_assert!(map.iter().eq(tree.iter()));
            prop_assert!(map.keys().eq(tree.keys()));
            prop_assert!(map.values().eq(tree.values()));
            prop_assert!(map.values_mut().eq(tree.values_mut()));
            prop_assert_eq!(map.clone().pop_last(), tree.clone().pop_last());
            prop_assert!(map.into_iter().eq(tree));
        }

        #[test]
        fn a_set_is_as_a_tree(steps in prop::collection::vec((any::<bool>(), 0_u8..40), 0..200)) {
            let (mut set, mut tree) = (FlatSet::new(), BTreeSet::new());
            for (insert, key) in steps {
                match insert {
                    true => prop_assert_eq!(set.insert(key), tree.insert(key)),
                    false => prop_assert_eq!(set.remove(&key), tree.remove(&key)),
                }
                prop_assert_eq!(set.contains(&key), tree.contains(&key));
            }
            prop_assert!(set.iter().eq(tree.iter()));
            prop_assert!(set.into_iter().eq(tree));
        }
    }
}
