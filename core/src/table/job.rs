//! Maintenance of a table as jobs in bounded steps: flush a memtable into runs, merge runs, write a snapshot. A job reads what does
//! not change while it works; what it made becomes part of the table when it is done.

use alloc::rc::Rc;
use alloc::vec::Vec;

use super::env::Env;
use super::marks;
use super::memtable::SharedMemtable;
use super::meta::RunMeta;
use super::posting::Posting;
use super::run_file::{self, Index, RunWriter};
use super::scan::Scan;
use super::schema::Schema;
use super::snapshot::{self, SnapshotWriter};
use super::sources::{FIRST_KEY_BYTE, Run, Snapshot, Sources};
use super::version::push_seq;
use super::versions::Spot;
use super::view::{KeyRange, Step};
use super::walk::unreadable_entry;
use crate::error::Result;
use crate::log::Position;
use crate::sorted::{Cursor, Merge, Source};
use crate::time::{Seq, Timestamp};

/// Runs that are written, each with the index that it is of.
pub type Runs = Vec<(Index, Rc<Run>)>;

/// Entries that one step of a job handles at most.
const STEP_ENTRIES: usize = 500;

/// The end of what a flush covers.
#[derive(Clone, Copy, Debug)]
pub struct Covered {
    /// The last event.
    pub seq: Seq,
    /// Its time.
    pub time: Timestamp,
    /// The log's end behind it.
    pub at: Position,
    /// How many events the log has up to it.
    pub events: u64,
    /// How many bytes the log has up to it.
    pub log_bytes: u64,
}

/// Where a job's files go.
#[derive(Clone)]
pub struct Target {
    /// The table's directory.
    pub dir: alloc::string::String,
    /// What the table is.
    pub schema: Rc<Schema>,
    /// The generation of the table's log.
    pub generation: u64,
}

/// Where a flush is in a memtable.
#[derive(Default)]
struct At {
    version: Spot,
    posting: usize,
}

/// Writes a memtable that no longer changes into one run of each index.
pub struct Flush {
    target: Target,
    memtable: SharedMemtable,
    covered: Covered,
    /// The indexes that are still to be written, the next one last, each with the run's number and path.
    todo: Vec<(Index, alloc::string::String, RunMeta)>,
    writing: Option<(Index, RunWriter, At)>,
    done: Runs,
}

impl Flush {
    /// A flush of `memtable`, which holds everything in `above..=covered.seq` (`above` exclusive). `plan` gives each index the path and number of its run.
    pub fn new(
        target: Target,
        memtable: SharedMemtable,
        above: Seq,
        covered: Covered,
        plan: impl Iterator<Item = (Index, alloc::string::String, u64)>,
    ) -> Self {
        let mut todo: Vec<_> = plan
            .map(|(index, path, id)| {
                (
                    index,
                    path,
                    RunMeta {
                        id,
                        min_seq: Seq(above.0 + 1),
                        max_seq: covered.seq,
                    },
                )
            })
            .collect();
        todo.reverse();
        Flush {
            target,
            memtable,
            covered,
            todo,
            writing: None,
            done: Vec::new(),
        }
    }

    /// What the runs will cover.
    pub fn covered(&self) -> Covered {
        self.covered
    }

    /// Some more work; the runs when all are written.
    pub fn step(&mut self, env: &Env) -> Result<Step<Runs>> {
        let Some((index, mut writer, mut at)) = self.writing.take() else {
            let Some((index, path, run)) = self.todo.pop() else {
                return Ok(Step::Item(core::mem::take(&mut self.done)));
            };
            let identity =
                run_file::identity(&self.target.schema, index, self.target.generation, &run);
            let mut writer = RunWriter::create(env, path, identity, false)?;
            if index == Index::Primary {
                self.memtable.borrow_mut().freeze();
                self.add_marks(&mut writer)?;
            }
            self.writing = Some((index, writer, At::default()));
            return Ok(Step::Pause);
        };
        match self.add_some(index, &mut writer, &mut at)? {
            true => self.writing = Some((index, writer, at)),
            false => self.done.push((index, Rc::new(writer.finish(env)?))),
        }
        Ok(Step::Pause)
    }

    fn add_marks(&self, writer: &mut RunWriter) -> Result<()> {
        let memtable = self.memtable.borrow();
        for by_time in [false, true] {
            for mark in memtable.marks().iter().rev() {
                let (by_seq, time) = marks::keys(mark);
                writer.add(
                    if by_time { &time } else { &by_seq },
                    0,
                    &marks::encode(mark),
                )?;
            }
        }
        Ok(())
    }

    /// Adds entries from `at` on; whether there may be more.
    fn add_some(&self, index: Index, writer: &mut RunWriter, at: &mut At) -> Result<bool> {
        let memtable = self.memtable.borrow();
        let (mut run_key, mut value) = (Vec::new(), Vec::new());
        for _ in 0..STEP_ENTRIES {
            value.clear();
            match index {
                Index::Primary => {
                    let next = memtable.versions.next_in_order(&mut at.version);
                    let Some((key, head, parts)) = next else {
                        return Ok(false);
                    };
                    run_key.clear();
                    run_key.extend_from_slice(key);
                    push_seq(head.seq, &mut run_key);
                    head.encode(parts, &mut value);
                    writer.add(&run_key, key.len(), &value)?;
                }
                Index::Secondary(number) => {
                    let postings = memtable.postings.get(number);
                    let next = postings.and_then(|postings| postings.at_rank(at.posting));
                    let Some((key, posting)) = next else {
                        return Ok(false);
                    };
                    at.posting += 1;
                    posting.encode(&mut value);
                    writer.add(key, posting.value_len, &value)?;
                }
            }
        }
        Ok(true)
    }
}

/// Merges neighbouring runs of one index into one.
pub struct MergeRuns {
    index: Index,
    inputs: Vec<Rc<Run>>,
    merge: Merge<Cursor>,
    writer: Option<RunWriter>,
}

impl MergeRuns {
    /// A merge of `inputs`, neighbours and oldest first, into a run of this number and path.
    pub fn new(
        env: &Env,
        target: &Target,
        index: Index,
        inputs: Vec<Rc<Run>>,
        id: u64,
        path: alloc::string::String,
    ) -> Result<Self> {
        let min_seq = inputs.first().map_or(Seq(0), |run| run.min_seq);
        let max_seq = inputs.last().map_or(Seq(0), |run| run.max_seq);
        let identity = run_file::identity(
            &target.schema,
            index,
            target.generation,
            &RunMeta {
                id,
                min_seq,
                max_seq,
            },
        );
        let cursors = inputs
            .iter()
            .map(|run| run.file.read_once())
            .collect::<Result<Vec<_>>>()?;
        let writer = Some(RunWriter::create(env, path, identity, true)?);
        Ok(MergeRuns {
            index,
            inputs,
            merge: Merge::new(cursors),
            writer,
        })
    }

    /// The index and the runs that are merged.
    pub fn inputs(&self) -> (Index, &[Rc<Run>]) {
        (self.index, &self.inputs)
    }

    /// Some more work; the new run when it is written.
    pub fn step(&mut self, env: &Env) -> Result<Step<Rc<Run>>> {
        let Some(writer) = &mut self.writer else {
            return Ok(Step::Done);
        };
        for _ in 0..STEP_ENTRIES {
            if !self.merge.valid() {
                let Some(writer) = self.writer.take() else {
                    return Ok(Step::Done);
                };
                return Ok(Step::Item(Rc::new(writer.finish(env)?)));
            }
            let (key, value) = (self.merge.key(), self.merge.value());
            let filter_len = match self.index {
                Index::Primary if key.first().is_none_or(|&first| first < FIRST_KEY_BYTE) => 0,
                Index::Primary => key.len().saturating_sub(8),
                Index::Secondary(_) => {
                    let path = self.inputs.first().map_or("", |run| run.file.path());
                    Posting::decode(&value)
                        .ok_or_else(|| unreadable_entry(path))?
                        .value_len
                }
            };
            writer.add(key, filter_len, &value)?;
            self.merge.advance()?;
        }
        Ok(Step::Pause)
    }
}

/// Writes the whole table at one seq into a snapshot.
pub struct TakeSnapshot {
    scan: Scan,
    writer: Option<SnapshotWriter>,
    covered: Covered,
    generation: u64,
    value: Vec<u8>,
}

impl TakeSnapshot {
    /// A snapshot of what `sources` hold at `covered.seq`.
    pub fn new(env: &Env, target: &Target, sources: Rc<Sources>, covered: Covered) -> Result<Self> {
        let writer = Some(SnapshotWriter::create(
            env,
            &target.dir,
            target.generation,
            covered,
        )?);
        Ok(TakeSnapshot {
            scan: Scan::new(sources, covered.seq, KeyRange::ALL),
            writer,
            covered,
            generation: target.generation,
            value: Vec::new(),
        })
    }

    /// The generation of the log that it is of: a compaction ends it.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The seq of the snapshot.
    pub fn seq(&self) -> Seq {
        self.covered.seq
    }

    /// Some more work; the snapshot when it is written.
    pub fn step(&mut self, env: &Env) -> Result<Step<Rc<Snapshot>>> {
        let Some(writer) = &mut self.writer else {
            return Ok(Step::Done);
        };
        for _ in 0..STEP_ENTRIES {
            match self.scan.step()? {
                Step::Item(row) => {
                    self.value.clear();
                    snapshot::write_row(&row, &mut self.value);
                    writer.add(row.encoded_key(), &self.value)?;
                }
                Step::Pause => return Ok(Step::Pause),
                Step::Done => {
                    let Some(writer) = self.writer.take() else {
                        return Ok(Step::Done);
                    };
                    return Ok(Step::Item(Rc::new(writer.finish(env)?)));
                }
            }
        }
        Ok(Step::Pause)
    }
}
