//! [`BlockBuilder`]: gathers the entries of one block.

use alloc::vec::Vec;

use super::search::{common_prefix, sign};
use super::{Entry, RESTART_BYTES, START_BYTES, Spot};
use crate::varint;

/// Gathers the entries of one block.
pub(in super::super) struct BlockBuilder {
    heads: Vec<u8>,
    values: Vec<u8>,
    restarts: Vec<Spot>,
    /// Entries from one restart point to the next.
    interval: usize,
    since_restart: usize,
    entries: usize,
    last_key: Vec<u8>,
    /// The finished block.
    whole: Vec<u8>,
}

impl BlockBuilder {
    /// An empty block with a restart point every `interval` entries.
    pub(in super::super) fn new(interval: usize) -> Self {
        BlockBuilder {
            heads: Vec::new(),
            values: Vec::new(),
            restarts: Vec::new(),
            interval,
            since_restart: 0,
            entries: 0,
            last_key: Vec::new(),
            whole: Vec::new(),
        }
    }

    /// How many entries it has.
    pub(in super::super) fn entries(&self) -> usize {
        self.entries
    }

    /// The size of the block if it ended here.
    pub(in super::super) fn len(&self) -> usize {
        let restarts = RESTART_BYTES * self.restarts.len();
        START_BYTES + restarts + self.heads.len() + self.values.len()
    }

    /// Adds an entry. `shared` is how many leading bytes its key has in common with the key before; the caller has compared
    /// them to see that keys ascend, and has kept keys and values within their limits.
    pub(in super::super) fn add(&mut self, shared: usize, key: &[u8], value: &[u8]) {
        let restart = self.restarts.is_empty() || self.since_restart == self.interval;
        let shared = if restart { 0 } else { shared };
        if restart {
            self.restarts.push(Spot {
                head: self.heads.len(),
                value: self.values.len(),
            });
            self.since_restart = 0;
        }
        self.since_restart += 1;
        self.entries += 1;
        let suffix = key.get(shared..).unwrap_or_default();
        match (
            u8::try_from(shared),
            u8::try_from(suffix.len()),
            u8::try_from(value.len()),
        ) {
            (Ok(a @ 0..=127), Ok(b @ 0..=127), Ok(c @ 0..=127)) => {
                self.heads.extend_from_slice(&[a, b, c]);
            }
            _ => {
                for number in [shared, suffix.len(), value.len()] {
                    varint::write(number as u64, &mut self.heads);
                }
            }
        }
        self.heads.extend_from_slice(suffix);
        self.values.extend_from_slice(value);
    }

    /// Adds an entry, comparing its key with the one before.
    pub(in super::super) fn add_key(&mut self, key: &[u8], value: &[u8]) {
        let shared = common_prefix(&self.last_key, key);
        self.add(shared, key, value);
        self.last_key.truncate(shared);
        self.last_key
            .extend_from_slice(key.get(shared..).unwrap_or_default());
    }

    /// The finished block; [`BlockBuilder::clear`] must follow.
    pub(in super::super) fn finish(&mut self) -> &[u8] {
        let key = |spot: &Spot| -> &[u8] {
            let entry = Entry::at(&self.heads, self.values.len(), *spot);
            entry
                .and_then(|entry| entry.suffix(&self.heads))
                .unwrap_or_default()
        };
        let prefix_len = match (self.restarts.first(), self.restarts.last()) {
            (Some(first), Some(last)) => common_prefix(key(first), key(last)),
            _ => 0,
        };
        let out = &mut self.whole;
        out.clear();
        for len in [self.restarts.len(), self.heads.len(), prefix_len] {
            put_u32(out, len);
        }
        for spot in &self.restarts {
            let rest = key(spot).get(prefix_len..).unwrap_or_default();
            out.extend_from_slice(&sign(rest).to_be_bytes());
            put_u32(out, spot.head);
            put_u32(out, spot.value);
        }
        out.extend_from_slice(&self.heads);
        out.extend_from_slice(&self.values);
        out
    }

    /// Makes it empty again.
    pub(in super::super) fn clear(&mut self) {
        self.heads.clear();
        self.values.clear();
        self.restarts.clear();
        self.since_restart = 0;
        self.entries = 0;
        self.last_key.clear();
    }
}

fn put_u32(out: &mut Vec<u8>, number: usize) {
    out.extend_from_slice(&u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes());
}
