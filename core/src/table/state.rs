//! What the writer remembers of keys that it wrote lately, so that most statements need not read the row they change.

use alloc::vec::Vec;

use hashbrown::HashMap;

/// Keys that are remembered at most.
const KEYS_MAX: usize = 1 << 20;

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

/// States by encoded key.
#[derive(Default)]
pub struct KeyStates {
    states: HashMap<Vec<u8>, KeyState>,
}

impl KeyStates {
    /// The state of a key, if it is remembered.
    pub fn get(&self, key: &[u8]) -> Option<KeyState> {
        self.states.get(key).copied()
    }

    /// Remembers a state.
    pub fn set(&mut self, key: &[u8], state: KeyState) {
        if let Some(known) = self.states.get_mut(key) {
            *known = state;
            return;
        }
        if self.states.len() >= KEYS_MAX {
            self.states.clear();
        }
        self.states.insert(key.to_vec(), state);
    }

    /// Forgets a key.
    pub fn forget(&mut self, key: &[u8]) {
        self.states.remove(key);
    }
}
