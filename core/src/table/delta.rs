//! A delta: what the log says between a snapshot and a later seq, by key. Scans merge it with the snapshot.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use core::hash::BuildHasher;
use core::mem;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::row::Row;
use super::sources::Sources;
use super::version::Version;
use super::view::Step;
use crate::error::Result;
use crate::log::{EventRef, FrameCursor, Op};
use crate::time::{Seq, Timestamp};
use crate::value::Bytes;
use crate::value::keycode;

const CHUNK_BYTES: usize = 256 << 10;
const STEP_EVENTS: usize = 2_000;
const NONE: u32 = u32::MAX;

#[derive(Clone, Copy)]
struct Place {
    chunk: u32,
    start: u32,
    len: u32,
}

struct Entry {
    seq: Seq,
    time: Timestamp,
    op: Op,
    key: Place,
    body: Place,
    /// The entry of the same key before this one.
    previous: u32,
}

/// What a scan at a seq has made of a key: a row with its patches applied, or that there is none.
struct Made {
    seq: Seq,
    row: Option<Row>,
}

/// Rows made of deltas are kept up to this many bytes.
const MADE_BYTES_MAX: usize = 16 << 20;

/// Events above `base`, up to and including `upto`, by key.
pub struct Delta {
    base: Seq,
    upto: Seq,
    chunks: Vec<Bytes>,
    filling: Vec<u8>,
    entries: Vec<Entry>,
    /// The newest entry of each key.
    newest: HashTable<u32>,
    /// The same, in key order, once the delta is whole.
    order: Vec<u32>,
    /// What scans have made of each key, in key order: the next one need not do it again.
    made: RefCell<Vec<Option<Made>>>,
    made_bytes: Cell<usize>,
    hasher: DefaultHashBuilder,
}

impl Delta {
    fn new(base: Seq) -> Self {
        Delta {
            base,
            upto: base,
            chunks: Vec::new(),
            filling: Vec::new(),
            entries: Vec::new(),
            newest: HashTable::new(),
            order: Vec::new(),
            made: RefCell::new(Vec::new()),
            made_bytes: Cell::new(0),
            hasher: DefaultHashBuilder::default(),
        }
    }

    /// About how many bytes of memory it holds.
    pub fn bytes(&self) -> usize {
        let chunks: usize = self.chunks.iter().map(|chunk| chunk.len()).sum();
        chunks
            + self.filling.len()
            + self.entries.len() * mem::size_of::<Entry>()
            + self.order.len() * 12
    }

    /// The key at a place in key order.
    pub fn key(&self, at: usize) -> Option<Bytes> {
        let entry = self
            .entries
            .get(usize::try_from(*self.order.get(at)?).ok()?)?;
        self.part(entry.key)
    }

    /// The first place whose key is not below `key`.
    pub fn lower_bound(&self, key: &[u8]) -> usize {
        self.order
            .partition_point(|&entry| self.raw_key(entry) < key)
    }

    /// Adds the versions of the key at a place that are at or below `seq` to `out`, newest first, until one has the whole row or is a deletion.
    pub fn versions(&self, at: usize, seq: Seq, out: &mut Vec<Version>) {
        let mut next = self.order.get(at).copied().unwrap_or(NONE);
        while let Some(entry) = usize::try_from(next)
            .ok()
            .and_then(|next| self.entries.get(next))
        {
            next = entry.previous;
            if entry.seq > seq {
                continue;
            }
            let body = if entry.op == Op::Delete {
                None
            } else {
                self.part(entry.body)
            };
            out.push(Version {
                seq: entry.seq,
                time: entry.time,
                op: entry.op,
                depth: 0,
                body,
                whole: None,
                meta: None,
            });
            if entry.op != Op::Patch {
                return;
            }
        }
    }

    fn part(&self, place: Place) -> Option<Bytes> {
        let chunk = self.chunks.get(usize::try_from(place.chunk).ok()?)?;
        let start = usize::try_from(place.start).ok()?;
        chunk.slice(start..start + usize::try_from(place.len).ok()?)
    }

    fn raw(&self, place: Place) -> &[u8] {
        raw_part(&self.chunks, &self.filling, place)
    }

    fn raw_key(&self, entry: u32) -> &[u8] {
        usize::try_from(entry)
            .ok()
            .and_then(|entry| self.entries.get(entry))
            .map_or(&[], |entry| self.raw(entry.key))
    }

    fn store(&mut self, bytes: &[u8]) -> Place {
        if self.filling.len() + bytes.len() > CHUNK_BYTES && !self.filling.is_empty() {
            self.seal();
        }
        let place = Place {
            chunk: u32::try_from(self.chunks.len()).unwrap_or(NONE),
            start: u32::try_from(self.filling.len()).unwrap_or(NONE),
            len: u32::try_from(bytes.len()).unwrap_or(0),
        };
        self.filling.extend_from_slice(bytes);
        place
    }

    fn seal(&mut self) {
        if !self.filling.is_empty() {
            self.chunks.push(Bytes::from(mem::take(&mut self.filling)));
        }
    }

    fn add(&mut self, event: &EventRef<'_>, key: &[u8]) {
        let hash = self.hasher.hash_one(key);
        let (entries, chunks, filling) = (&self.entries, &self.chunks, &self.filling);
        let entry_key = |&at: &u32| {
            usize::try_from(at)
                .ok()
                .and_then(|at| entries.get(at))
                .map_or(&[][..], |entry| raw_part(chunks, filling, entry.key))
        };
        let found = self.newest.find(hash, |at| entry_key(at) == key).copied();
        let place = match found.and_then(|at| self.entries.get(usize::try_from(at).ok()?)) {
            Some(entry) => entry.key,
            None => self.store(key),
        };
        let body = event.body.map_or(
            Place {
                chunk: 0,
                start: 0,
                len: 0,
            },
            |body| self.store(body.as_bytes()),
        );
        let number = u32::try_from(self.entries.len()).unwrap_or(NONE);
        self.entries.push(Entry {
            seq: event.seq,
            time: event.time,
            op: event.op,
            key: place,
            body,
            previous: found.unwrap_or(NONE),
        });
        let (entries, chunks, filling, hasher) =
            (&self.entries, &self.chunks, &self.filling, &self.hasher);
        let entry_key = |&at: &u32| {
            usize::try_from(at)
                .ok()
                .and_then(|at| entries.get(at))
                .map_or(&[][..], |entry| raw_part(chunks, filling, entry.key))
        };
        if let Some(slot) = self.newest.find_mut(hash, |at| entry_key(at) == key) {
            *slot = number;
        } else {
            self.newest
                .insert_unique(hash, number, |at| hasher.hash_one(entry_key(at)));
        }
    }

    fn finish(&mut self) {
        self.seal();
        let mut order: Vec<u32> = self.newest.iter().copied().collect();
        order.sort_unstable_by(|&a, &b| self.raw_key(a).cmp(self.raw_key(b)));
        self.order = order;
        (self.made, self.made_bytes) = (RefCell::new(Vec::new()), Cell::new(0));
    }

    /// What the key at a place is at `seq`, if a scan has made it at that seq or nothing of the key lies between the two.
    pub fn made(&self, at: usize, seq: Seq) -> Option<Option<Row>> {
        let made = self.made.borrow();
        let made = made.get(at)?.as_ref()?;
        let same = made.seq == seq || self.newest_at(at)? <= made.seq.min(seq);
        same.then(|| made.row.clone())
    }

    /// Keeps what a scan at `seq` has made of the key at a place.
    pub fn keep_made(&self, at: usize, seq: Seq, row: Option<&Row>) {
        let bytes = self.made_bytes.get() + row.map_or(0, Row::size_bound);
        if bytes > MADE_BYTES_MAX {
            return;
        }
        self.made_bytes.set(bytes);
        let mut made = self.made.borrow_mut();
        made.resize_with(self.order.len(), || None);
        if let Some(slot) = made.get_mut(at) {
            let old = slot.replace(Made {
                seq,
                row: row.cloned(),
            });
            let freed = old
                .and_then(|old| old.row)
                .map_or(0, |row| row.size_bound());
            self.made_bytes.set(bytes.saturating_sub(freed));
        }
    }

    fn newest_at(&self, at: usize) -> Option<Seq> {
        let entry = usize::try_from(*self.order.get(at)?).ok()?;
        self.entries.get(entry).map(|entry| entry.seq)
    }
}

fn raw_part<'a>(chunks: &'a [Bytes], filling: &'a [u8], place: Place) -> &'a [u8] {
    let range = || {
        Some(
            usize::try_from(place.start).ok()?
                ..usize::try_from(place.start).ok()? + usize::try_from(place.len).ok()?,
        )
    };
    let chunk = usize::try_from(place.chunk)
        .ok()
        .and_then(|at| chunks.get(at))
        .map_or(filling, |chunk| chunk);
    range().and_then(|range| chunk.get(range)).unwrap_or(&[])
}

/// Reads the log in steps until a delta is whole.
pub struct DeltaBuilder {
    delta: Delta,
    upto: Seq,
    cursor: FrameCursor,
    key: Vec<u8>,
}

impl DeltaBuilder {
    /// The delta above `base` up to `upto`; goes on from a cached one if there is one.
    pub fn new(sources: &Sources, base: Seq, upto: Seq) -> Result<Self> {
        let delta = sources
            .deltas
            .borrow_mut()
            .take(base)
            .unwrap_or_else(|| Delta::new(base));
        let cursor = sources
            .log
            .cursor(sources.position_above(delta.upto)?, sources.checkpoint_at);
        Ok(DeltaBuilder {
            delta,
            upto,
            cursor,
            key: Vec::new(),
        })
    }

    /// Reads some more; the delta when it is whole.
    pub fn step(&mut self) -> Result<Step<Delta>> {
        for _ in 0..STEP_EVENTS {
            match self.cursor.next_event()? {
                Some((_, event)) if event.seq <= self.upto => {
                    if event.seq > self.delta.upto {
                        self.key.clear();
                        keycode::encode(event.key.view(), &mut self.key);
                        self.delta.add(&event, &self.key);
                    }
                }
                _ => {
                    let mut delta = mem::replace(&mut self.delta, Delta::new(Seq(0)));
                    delta.upto = self.upto;
                    delta.finish();
                    return Ok(Step::Item(delta));
                }
            }
        }
        Ok(Step::Pause)
    }
}

/// The deltas that scans have built, within a budget of bytes; the one used last stays longest.
pub struct DeltaCache {
    deltas: Vec<Rc<Delta>>,
    budget: usize,
}

impl DeltaCache {
    /// An empty cache that keeps at most `budget` bytes.
    pub fn new(budget: usize) -> Self {
        DeltaCache {
            deltas: Vec::new(),
            budget,
        }
    }

    /// A delta above `base` that reaches `upto`; it may reach further.
    pub fn get(&mut self, base: Seq, upto: Seq) -> Option<Rc<Delta>> {
        let at = self
            .deltas
            .iter()
            .position(|delta| delta.base == base && delta.upto >= upto)?;
        let delta = self.deltas.remove(at);
        self.deltas.push(delta.clone());
        Some(delta)
    }

    /// Keeps a delta, in place of others if need be.
    pub fn put(&mut self, delta: Rc<Delta>) {
        self.deltas.retain(|other| other.base != delta.base);
        self.deltas.push(delta);
        while self.deltas.iter().map(|delta| delta.bytes()).sum::<usize>() > self.budget
            && !self.deltas.is_empty()
        {
            self.deltas.remove(0);
        }
    }

    /// A delta above `base` to go on from, if nobody else uses it.
    fn take(&mut self, base: Seq) -> Option<Delta> {
        let at = self
            .deltas
            .iter()
            .position(|delta| delta.base == base && Rc::strong_count(delta) == 1)?;
        Rc::try_unwrap(self.deltas.remove(at)).ok()
    }

    /// Forgets everything: the log has been compacted.
    pub fn clear(&mut self) {
        self.deltas.clear();
    }
}
