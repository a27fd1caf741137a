//! A delta: what the log says between a snapshot and a later seq, by key. Scans merge it with the snapshot.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use core::mem;

use super::row::Row;
use super::sources::Sources;
use super::version::Version;
use super::versions::Versions;
use super::view::Step;
use crate::error::Result;
use crate::log::{EventRef, FrameCursor, Op};
use crate::time::Seq;
use crate::value::Bytes;
use crate::value::keycode;

const STEP_EVENTS: usize = 2_000;

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
    versions: Versions,
    /// What scans have made of each key, in key order: the next one need not do it again.
    made: RefCell<Vec<Option<Made>>>,
    made_bytes: Cell<usize>,
}

impl Delta {
    fn new(base: Seq) -> Self {
        Delta {
            base,
            upto: base,
            versions: Versions::default(),
            made: RefCell::new(Vec::new()),
            made_bytes: Cell::new(0),
        }
    }

    /// About how many bytes of memory it holds.
    pub fn bytes(&self) -> usize {
        self.versions.bytes()
    }

    /// The key at a place in key order.
    pub fn key(&self, at: usize) -> Option<Bytes> {
        self.versions.shared_key(at)
    }

    /// The first place whose key is not below `key`.
    pub fn lower_bound(&self, key: &[u8]) -> usize {
        self.versions.rank_of(key, false)
    }

    /// Adds the versions of the key at a place that are at or below `seq` to `out`, newest first, until one has the whole row or is a deletion.
    pub fn versions(&self, at: usize, seq: Seq, out: &mut Vec<Version>) {
        let mut next = self.versions.at_rank_below(at, seq);
        while let Some(version) = next.and_then(|number| self.versions.version(number)) {
            let ends = version.op != Op::Patch;
            out.push(version);
            if ends {
                return;
            }
            next = next.and_then(|number| self.versions.before(number));
        }
    }

    fn add(&mut self, event: &EventRef<'_>, key: &[u8]) {
        let version = Version {
            seq: event.seq,
            time: event.time,
            op: event.op,
            depth: 0,
            body: event.body.map(|body| body.as_bytes()),
            whole: None,
            meta: None,
        };
        self.versions.push(key, &version);
    }

    fn finish(&mut self) {
        self.versions.seal();
        self.versions.sort();
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
        made.resize_with(self.versions.keys(), || None);
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
        let (_, newest) = self.versions.at_rank(at)?;
        self.versions.head(newest).map(|head| head.seq)
    }
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

    /// How many bytes it keeps: a delta of a longer log is not worth making.
    pub fn budget(&self) -> usize {
        self.budget
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
}
