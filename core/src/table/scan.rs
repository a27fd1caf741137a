//! A scan: all rows at a seq in key order, merged from the nearest snapshot, what the log says since, and the memtables.

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::ops::Bound;

use super::delta::{Delta, DeltaBuilder};
use super::memtable::SharedMemtable;
use super::row::Row;
use super::run_stream::RunStream;
use super::snapshot;
use super::sources::{FIRST_KEY_BYTE, Sources};
use super::version::Version;
use super::view::{KeyRange, Step};
use crate::error::Result;
use crate::log::Op;
use crate::sorted::Cursor;
use crate::time::Seq;
use crate::value::Bytes;
use crate::value::Key;

/// Keys without a live row that one step passes over at most.
const STEP_KEYS: usize = 1_000;

/// A scan in steps. It holds what it reads; the table may go on.
pub struct Scan {
    sources: Rc<Sources>,
    seq: Seq,
    lower: Bound<Vec<u8>>,
    upper: Bound<Vec<u8>>,
    stage: Stage,
    versions: Vec<Version>,
}

enum Stage {
    Start,
    Building(Box<DeltaBuilder>),
    Merging(Box<Streams>),
    Done,
}

/// The streams that a scan merges, each at its next key.
struct Streams {
    snapshot: Option<Cursor>,
    base: Seq,
    delta: Option<Rc<Delta>>,
    delta_at: usize,
    delta_key: Option<Bytes>,
    /// In the place of a delta.
    runs: Option<RunStream>,
    memtables: Vec<MemStream>,
}

/// Which streams have a key.
#[derive(Clone, Copy)]
struct Held {
    by_snapshot: bool,
    by_delta: bool,
    by_runs: bool,
    by_memtable: bool,
}

impl Held {
    fn or(self, other: Held) -> Held {
        Held {
            by_snapshot: self.by_snapshot || other.by_snapshot,
            by_delta: self.by_delta || other.by_delta,
            by_runs: self.by_runs || other.by_runs,
            by_memtable: self.by_memtable || other.by_memtable,
        }
    }
}

struct MemStream {
    memtable: SharedMemtable,
    next: Option<Bytes>,
}

impl Scan {
    /// The rows of `range` at `seq`.
    pub fn new(sources: Rc<Sources>, seq: Seq, range: KeyRange) -> Self {
        let encode = |bound: Bound<Key>| {
            bound.map(|key| {
                let mut encoded = Vec::new();
                key.encode(&mut encoded);
                encoded
            })
        };
        Scan {
            sources,
            seq,
            lower: encode(range.lower),
            upper: encode(range.upper),
            stage: Stage::Start,
            versions: Vec::new(),
        }
    }

    /// Some more work: a row, a pause, or the end.
    pub fn step(&mut self) -> Result<Step<Row>> {
        match core::mem::replace(&mut self.stage, Stage::Done) {
            Stage::Start => {
                let base = self.base();
                let upto = self.seq.min(self.sources.checkpoint);
                if upto <= base {
                    return self.merge_with(None, None);
                }
                let cached = self.sources.deltas.borrow_mut().get(base, upto);
                if cached.is_some() {
                    return self.merge_with(cached, None);
                }
                let budget = self.sources.deltas.borrow().budget() as u64;
                if self.sources.log_bytes_above(base)? > budget {
                    let runs = RunStream::new(&self.sources, self.start(), base, upto)?;
                    return self.merge_with(None, Some(runs));
                }
                let builder = DeltaBuilder::new(&self.sources, base, upto)?;
                self.stage = Stage::Building(Box::new(builder));
                Ok(Step::Pause)
            }
            Stage::Building(mut builder) => match builder.step()? {
                Step::Item(delta) => {
                    let delta = Rc::new(delta);
                    self.sources.deltas.borrow_mut().put(delta.clone());
                    self.merge_with(Some(delta), None)
                }
                Step::Pause | Step::Done => {
                    self.stage = Stage::Building(builder);
                    Ok(Step::Pause)
                }
            },
            Stage::Merging(mut streams) => {
                for _ in 0..STEP_KEYS {
                    match self.next_row(&mut streams)? {
                        Step::Item(row) => {
                            self.stage = Stage::Merging(streams);
                            return Ok(Step::Item(row));
                        }
                        Step::Pause => {}
                        Step::Done => return Ok(Step::Done),
                    }
                }
                self.stage = Stage::Merging(streams);
                Ok(Step::Pause)
            }
            Stage::Done => Ok(Step::Done),
        }
    }

    fn base(&self) -> Seq {
        self.sources
            .snapshot_at(self.seq)
            .map_or(Seq(0), |snapshot| snapshot.seq)
    }

    /// The first key that may be wanted.
    fn start(&self) -> &[u8] {
        match &self.lower {
            Bound::Included(key) | Bound::Excluded(key) => key,
            Bound::Unbounded => &[FIRST_KEY_BYTE],
        }
    }

    fn merge_with(
        &mut self,
        delta: Option<Rc<Delta>>,
        runs: Option<RunStream>,
    ) -> Result<Step<Row>> {
        let start = self.start();
        let snapshot = match self.sources.snapshot_at(self.seq) {
            Some(snapshot) => Some(snapshot.file.scan(start)?),
            None => None,
        };
        let mut streams = Streams {
            snapshot,
            base: self.base(),
            delta_at: 0,
            delta_key: None,
            memtables: Vec::new(),
            delta,
            runs,
        };
        if let Some(delta) = &streams.delta {
            streams.delta_at = delta.lower_bound(start);
            streams.delta_key = delta.key(streams.delta_at);
        }
        let (base, seq) = (streams.base, self.seq);
        let matters = |memtable: &&SharedMemtable| {
            let memtable = memtable.borrow();
            !memtable.is_covered_by(base) && memtable.versions.oldest() <= seq
        };
        for memtable in self.sources.memtables.iter().rev().filter(matters) {
            let mut stream = MemStream {
                memtable: memtable.clone(),
                next: None,
            };
            stream.seek(start, false);
            streams.memtables.push(stream);
        }
        self.stage = Stage::Merging(Box::new(streams));
        Ok(Step::Pause)
    }

    /// The next key: its row, or a pause if it has none.
    fn next_row(&mut self, streams: &mut Streams) -> Result<Step<Row>> {
        let Some((key, held)) = streams.least_key() else {
            return Ok(Step::Done);
        };
        let past = match &self.upper {
            Bound::Included(upper) => *key > **upper,
            Bound::Excluded(upper) => *key >= **upper,
            Bound::Unbounded => false,
        };
        if past {
            return Ok(Step::Done);
        }
        if !held.by_delta && !held.by_runs && !held.by_memtable {
            // Nothing but the snapshot has this key: the usual case of a large table.
            let row = streams.take_snapshot_row(&key)?;
            return Ok(self.wanted(&key, row));
        }
        let made_at = (held.by_delta && !held.by_memtable).then_some(streams.delta_at);
        if let Some(row) = made_at.and_then(|at| streams.made(at, self.seq)) {
            streams.pass_delta();
            if held.by_snapshot {
                streams.pass_snapshot()?;
            }
            return Ok(self.wanted(&key, row));
        }
        self.versions.clear();
        streams.take_versions(&key, self.seq, &mut self.versions)?;
        let base = if held.by_snapshot {
            streams.take_snapshot_row(&key)?
        } else {
            None
        };
        let row = assemble(key.clone(), core::mem::take(&mut self.versions), base)?;
        match (made_at, &streams.delta) {
            (Some(at), Some(delta)) => {
                let row = row.map(Row::flat);
                delta.keep_made(at, self.seq, row.as_ref());
                Ok(self.wanted(&key, row))
            }
            _ => Ok(self.wanted(&key, row)),
        }
    }

    fn wanted(&self, key: &[u8], row: Option<Row>) -> Step<Row> {
        match row {
            Some(row) if !matches!(&self.lower, Bound::Excluded(lower) if lower == key) => {
                Step::Item(row)
            }
            _ => Step::Pause,
        }
    }
}

impl Streams {
    /// The least key of all streams, and which of them have it. Keys are long and much alike: each is compared once.
    fn least_key(&self) -> Option<(Bytes, Held)> {
        let nobody = Held {
            by_snapshot: false,
            by_delta: false,
            by_runs: false,
            by_memtable: false,
        };
        let delta = self.delta_key.as_deref();
        let mut least = delta.map(|key| {
            (
                key,
                Held {
                    by_delta: true,
                    ..nobody
                },
            )
        });
        let memtables = self
            .memtables
            .iter()
            .filter_map(|stream| stream.next.as_deref());
        let memtables = memtables.map(|key| {
            (
                key,
                Held {
                    by_memtable: true,
                    ..nobody
                },
            )
        });
        let snapshot = self.snapshot.as_ref().filter(|cursor| cursor.valid());
        let snapshot = snapshot.map(|cursor| {
            (
                cursor.key(),
                Held {
                    by_snapshot: true,
                    ..nobody
                },
            )
        });
        let runs = self.runs.as_ref().and_then(RunStream::key);
        let runs = runs.map(|key| {
            (
                key,
                Held {
                    by_runs: true,
                    ..nobody
                },
            )
        });
        for (key, held) in memtables.chain(snapshot).chain(runs) {
            least = Some(match least {
                None => (key, held),
                Some((other, others)) => match key.cmp(other) {
                    Ordering::Less => (key, held),
                    Ordering::Equal => (other, others.or(held)),
                    Ordering::Greater => (other, others),
                },
            });
        }
        let (key, held) = least?;
        let key = match &self.delta_key {
            Some(shared) if held.by_delta => shared.clone(),
            _ => Bytes::from(key),
        };
        Some((key, held))
    }

    /// What an earlier scan has made of the delta's key at a place.
    fn made(&self, at: usize, seq: Seq) -> Option<Option<Row>> {
        self.delta.as_ref()?.made(at, seq)
    }

    fn pass_delta(&mut self) {
        self.delta_at += 1;
        self.delta_key = self
            .delta
            .as_ref()
            .and_then(|delta| delta.key(self.delta_at));
    }

    fn pass_snapshot(&mut self) -> Result<()> {
        match &mut self.snapshot {
            Some(cursor) => cursor.advance(),
            None => Ok(()),
        }
    }

    fn take_snapshot_row(&mut self, key: &Bytes) -> Result<Option<Row>> {
        let Some(cursor) = &mut self.snapshot else {
            return Ok(None);
        };
        let row = snapshot::read_row_of(cursor, key.clone())?;
        cursor.advance()?;
        Ok(Some(row))
    }

    /// The versions of a key above the snapshot, newest first, back to one with the whole row or a deletion.
    fn take_versions(&mut self, key: &[u8], seq: Seq, out: &mut Vec<Version>) -> Result<()> {
        for stream in &mut self.memtables {
            if stream.next.as_deref() == Some(key) {
                stream.take(key, seq, self.base, out);
            }
        }
        if self.delta_key.as_deref() == Some(key) {
            if let Some(delta) = self.delta.as_ref().filter(|_| !ends(out)) {
                delta.versions(self.delta_at, seq, out);
            }
            self.pass_delta();
        }
        match &mut self.runs {
            Some(runs) if runs.key() == Some(key) => runs.take(out),
            _ => Ok(()),
        }
    }
}

impl MemStream {
    /// Goes to the first key at or above `key`, or above it.
    fn seek(&mut self, key: &[u8], above: bool) {
        let mut memtable = self.memtable.borrow_mut();
        let versions = &mut memtable.versions;
        versions.sort();
        let rank = versions.rank_of(key, above);
        self.next = versions.shared_key(rank);
    }

    fn take(&mut self, key: &[u8], seq: Seq, base: Seq, out: &mut Vec<Version>) {
        let memtable = self.memtable.borrow();
        let versions = &memtable.versions;
        let mut number = versions.find(key, seq);
        while let Some(version) = number
            .filter(|_| !ends(out))
            .and_then(|number| versions.version(number))
            .filter(|version| version.seq > base)
        {
            out.push(version);
            number = number.and_then(|number| versions.before(number));
        }
        drop(memtable);
        self.seek(key, true);
    }
}

/// Whether nothing older than the last version matters.
pub(super) fn ends(versions: &[Version]) -> bool {
    versions
        .last()
        .is_some_and(|version| version.op == Op::Delete || version.row().is_some())
}

/// The row that versions above a snapshot, newest first, make of the snapshot's row.
pub(super) fn assemble(
    key: Bytes,
    versions: Vec<Version>,
    base: Option<Row>,
) -> Result<Option<Row>> {
    match (versions.first(), base) {
        (None, base) => Ok(base),
        (Some(newest), Some(base)) if !ends(&versions) => {
            let (seq, time) = (newest.seq, newest.time);
            let patches = versions.into_iter().rev();
            let patches = patches.filter_map(|version| version.body);
            Ok(Some(base.patched(seq, time, patches)))
        }
        (Some(_), _) => Row::from_versions(key, versions),
    }
}
