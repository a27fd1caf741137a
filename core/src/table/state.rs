//! What the writer remembers of keys that it wrote lately, so that most statements need not read the row they change.

use alloc::vec::Vec;
use core::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

/// Bytes of keys that are remembered at most: about a million keys. Then everything is forgotten.
const KEY_BYTES_MAX: usize = 16 << 20;

/// What a key's newest version is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyState {
    /// Whether there is a live row.
    pub live: bool,
    /// Patches since the last whole row.
    pub depth: u8,
    /// The document has at most so many bytes.
    pub size_bound: usize,
}

/// States by encoded key. The keys lie one behind another in one piece of memory.
#[derive(Default)]
pub struct KeyStates {
    keys: Vec<u8>,
    entries: Vec<Entry>,
    table: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

struct Entry {
    start: u32,
    len: u16,
    state: Compact,
}

/// A state in less memory; `Unknown` for a key that was forgotten.
#[derive(Clone, Copy)]
enum Compact {
    Unknown,
    Known {
        live: bool,
        depth: u8,
        size_bound: u32,
    },
}

impl KeyStates {
    /// The state of a key, if it is remembered.
    pub fn get(&self, key: &[u8]) -> Option<KeyState> {
        let found = self
            .table
            .find(self.hasher.hash_one(key), |&at| self.key(at) == key)?;
        match self.entry(*found)?.state {
            Compact::Unknown => None,
            Compact::Known {
                live,
                depth,
                size_bound,
            } => Some(KeyState {
                live,
                depth,
                size_bound: usize::try_from(size_bound).ok()?,
            }),
        }
    }

    /// Remembers a state.
    pub fn set(&mut self, key: &[u8], state: KeyState) {
        let size_bound = u32::try_from(state.size_bound).unwrap_or(u32::MAX);
        self.put(
            key,
            Compact::Known {
                live: state.live,
                depth: state.depth,
                size_bound,
            },
        );
    }

    /// Forgets a key.
    pub fn forget(&mut self, key: &[u8]) {
        self.put(key, Compact::Unknown);
    }

    fn put(&mut self, key: &[u8], state: Compact) {
        let hash = self.hasher.hash_one(key);
        let found = self.table.find(hash, |&at| self.key(at) == key).copied();
        if let Some(entry) = found.and_then(|at| self.entries.get_mut(usize::try_from(at).ok()?)) {
            entry.state = state;
            return;
        }
        if self.keys.len() + key.len() > KEY_BYTES_MAX {
            *self = KeyStates::default();
            return self.put(key, state);
        }
        let (Ok(start), Ok(len), Ok(number)) = (
            u32::try_from(self.keys.len()),
            u16::try_from(key.len()),
            u32::try_from(self.entries.len()),
        ) else {
            return;
        };
        self.keys.extend_from_slice(key);
        self.entries.push(Entry { start, len, state });
        let (keys, entries, hasher) = (&self.keys, &self.entries, &self.hasher);
        self.table.insert_unique(hash, number, |&at| {
            hasher.hash_one(key_at(keys, entries, at))
        });
    }

    fn entry(&self, at: u32) -> Option<&Entry> {
        self.entries.get(usize::try_from(at).ok()?)
    }

    fn key(&self, at: u32) -> &[u8] {
        key_at(&self.keys, &self.entries, at)
    }
}

fn key_at<'a>(keys: &'a [u8], entries: &[Entry], at: u32) -> &'a [u8] {
    let entry = usize::try_from(at).ok().and_then(|at| entries.get(at));
    let range = entry.and_then(|entry| {
        let start = usize::try_from(entry.start).ok()?;
        Some(start..start + usize::from(entry.len))
    });
    range.and_then(|range| keys.get(range)).unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn states_are_remembered_forgotten_and_bounded() {
        let state = |size_bound| KeyState {
            live: true,
            depth: 3,
            size_bound,
        };
        let mut states = KeyStates::default();
        for key in 0..1_000u32 {
            states.set(&key.to_be_bytes(), state(usize::try_from(key).unwrap()));
        }
        assert_eq!(states.get(&7u32.to_be_bytes()), Some(state(7)));
        states.set(&7u32.to_be_bytes(), state(70));
        assert_eq!(states.get(&7u32.to_be_bytes()), Some(state(70)));
        states.forget(&7u32.to_be_bytes());
        assert_eq!(states.get(&7u32.to_be_bytes()), None);
        assert_eq!(states.get(&999u32.to_be_bytes()), Some(state(999)));
        let long = alloc::vec![1u8; KEY_BYTES_MAX / 20_000];
        for number in 0..20_000u32 {
            let mut key = long.clone();
            key.extend_from_slice(&number.to_be_bytes());
            states.set(&key, state(1));
        }
        assert!(states.keys.len() <= KEY_BYTES_MAX);
        assert_eq!(states.get(&999u32.to_be_bytes()), None);
    }
}
