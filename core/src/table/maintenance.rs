//! When maintenance is due, and what becomes of its results. Each commit pays a bounded share; the rest waits for the next.

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;

use super::env::Env;
use super::job::{Covered, Flush, MergeRuns, TakeSnapshot, Target};
use super::meta::{self, Meta, RunMeta};
use super::rebuild::Rebuild;
use super::run_file::{self, Index};
use super::settle::Settling;
use super::sources::{Run, Snapshot, Sources};
use super::table::Table;
use super::view::Step;
use crate::error::Result;
use crate::log::Checkpoint;
use crate::time::Seq;

/// Frozen memtables that wait for their flush at most; then a commit waits for one.
const FROZEN_MAX: usize = 2;
/// Runs below this many entries are of the least size.
const LEAST_RUN: u64 = 1_024;

/// The jobs of a table that are under way.
#[derive(Default)]
pub struct Maintenance {
    /// What frozen memtables cover, oldest first; the sources hold the memtables in the same order.
    frozen: Vec<Frozen>,
    flush: Option<Flush>,
    merge: Option<MergeRuns>,
    snapshot: Option<TakeSnapshot>,
    pub(super) rebuild: Option<Box<Rebuild>>,
    pub(super) settling: Option<Box<Settling>>,
    /// Whether the files that are written stand beside others of the same table, which are still read: no run gets the oldest one's name.
    replacing: bool,
}

/// What a frozen memtable covers.
#[derive(Clone, Copy)]
struct Frozen {
    covered: Covered,
    /// Whether it ends with a transaction: only then may meta.json name its runs.
    whole: bool,
}

impl Maintenance {
    /// Says whether files are written that are to replace others.
    pub(super) fn set_replacing(&mut self, replacing: bool) {
        self.replacing = replacing;
    }

    /// Gives up the flushes.
    pub(super) fn drop_flushes(&mut self) {
        self.frozen.clear();
        self.flush = None;
    }

    /// Whether any job is under way or a memtable waits.
    pub fn is_idle(&self) -> bool {
        self.frozen.is_empty()
            && self.flush.is_none()
            && self.merge.is_none()
            && self.snapshot.is_none()
    }
}

impl Table {
    /// Does up to `steps` steps of due maintenance; whether some is left. To be called between transactions.
    pub fn maintain(&mut self, steps: u64) -> Result<bool> {
        if self.freeze_is_due() && !self.is_stale() {
            self.settle()?;
            self.freeze(true);
        }
        for _ in 0..steps {
            if !self.step_maintenance()? && !self.step_settling()? {
                return Ok(false);
            }
        }
        while self.maintenance.frozen.len() > FROZEN_MAX {
            self.step_maintenance()?;
        }
        Ok(!self.maintenance.is_idle() || self.is_stale() || self.unsettled)
    }

    /// Does all due maintenance; with `flush`, everything in memory is flushed first.
    pub fn maintain_fully(&mut self, flush: bool) -> Result<()> {
        self.finish_rebuild()?;
        if flush {
            self.settle()?;
            self.freeze(true);
        }
        while self.step_maintenance()? {}
        Ok(())
    }

    /// Whether the memtable is full.
    pub fn freeze_is_due(&self) -> bool {
        let options = &self.env.options;
        self.memtable().is_some_and(|memtable| {
            let memtable = memtable.borrow();
            memtable.len() >= options.memtable_events || memtable.bytes() >= options.memtable_bytes
        })
    }

    /// Sets the memtable aside for a flush and begins a new one. `whole` says whether the log's last event so far ends its transaction.
    pub(super) fn freeze(&mut self, whole: bool) {
        if self
            .memtable()
            .is_none_or(|memtable| memtable.borrow().is_empty())
        {
            return;
        }
        let fresh = Table::new_memtable(&self.schema);
        self.change_sources(|sources| sources.memtables.push(fresh));
        self.froze(whole);
    }

    /// Notes that the last memtable but one is to be flushed: it has everything up to the log's end that no flush covers yet.
    pub(super) fn froze(&mut self, whole: bool) {
        let covered = self.head;
        self.maintenance.frozen.push(Frozen { covered, whole });
        self.marked_at = None;
    }

    /// Flushes everything that is frozen.
    pub(super) fn flush_frozen(&mut self) -> Result<()> {
        while !self.maintenance.frozen.is_empty() {
            self.step_maintenance()?;
        }
        Ok(())
    }

    /// One step of the most urgent job; whether there was one.
    pub(super) fn step_maintenance(&mut self) -> Result<bool> {
        if self.is_stale() {
            self.step_rebuild()?;
            return Ok(true);
        }
        let env = self.env.clone();
        if self.step_indexes(&env)? {
            return Ok(true);
        }
        if self.start_snapshot(&env)? {
            let done = match &mut self.maintenance.snapshot {
                Some(snapshot) => snapshot.step(&env)?,
                None => Step::Done,
            };
            if let Step::Item(snapshot) = done {
                self.maintenance.snapshot = None;
                self.add_snapshot(snapshot)?;
            }
            return Ok(true);
        }
        Ok(false)
    }

    /// One step of a flush or a merge; whether there was one.
    pub(super) fn step_indexes(&mut self, env: &Env) -> Result<bool> {
        if self.start_flush()? {
            let done = match &mut self.maintenance.flush {
                Some(flush) => flush.step(env)?,
                None => Step::Done,
            };
            if let Step::Item(runs) = done {
                self.flushed(runs)?;
            }
            return Ok(true);
        }
        if self.start_merge(env)? {
            let done = match &mut self.maintenance.merge {
                Some(merge) => merge.step(env)?,
                None => Step::Done,
            };
            if let Step::Item(run) = done {
                self.merged(run)?;
            }
            return Ok(true);
        }
        Ok(false)
    }

    fn target(&self) -> Target {
        Target {
            dir: self.dir.clone(),
            schema: self.schema.clone(),
            generation: self.log.generation(),
        }
    }

    fn next_run(&mut self) -> u64 {
        self.meta.last_run += 1;
        self.meta.last_run
    }

    pub(super) fn runs_of(&self, index: Index) -> &[Rc<Run>] {
        match index {
            Index::Primary => &self.sources.primary,
            Index::Secondary(number) => self
                .sources
                .secondary
                .get(number)
                .map_or(&[], Vec::as_slice),
        }
    }

    /// Whether a flush is under way. What it will cover is made durable first: derived files never run ahead of the log.
    fn start_flush(&mut self) -> Result<bool> {
        if self.maintenance.flush.is_some() {
            return Ok(true);
        }
        let Some(Frozen { covered, .. }) = self.maintenance.frozen.first().copied() else {
            return Ok(false);
        };
        let Some(memtable) = self.sources.memtables.first().cloned() else {
            return Ok(false);
        };
        self.sync()?;
        let mut plan = Vec::new();
        for index in Index::all(&self.schema.clone()) {
            let id = self.next_run();
            let first = self.runs_of(index).is_empty() && !self.maintenance.replacing;
            let path = match first {
                true => run_file::oldest_path(&self.dir, &self.schema, index),
                false => run_file::numbered_path(&self.dir, &self.schema, index, id),
            };
            plan.push((index, path, id));
        }
        self.maintenance.flush = Some(Flush::new(
            self.target(),
            memtable,
            self.sources.checkpoint,
            covered,
            plan.into_iter(),
        ));
        Ok(true)
    }

    fn flushed(&mut self, runs: Vec<(Index, Rc<Run>)>) -> Result<()> {
        let Some(flush) = self.maintenance.flush.take() else {
            return Ok(());
        };
        let whole = self.maintenance.frozen.remove(0).whole;
        let covered = flush.covered();
        self.change_sources(|sources| {
            sources.memtables.remove(0);
            (sources.checkpoint, sources.checkpoint_at) = (covered.seq, covered.at);
            for (index, run) in runs {
                runs_mut(sources, index).push(run);
            }
        });
        if !whole {
            return Ok(());
        }
        self.meta.hints.checkpoint = Some(Checkpoint {
            position: covered.at,
            seq: covered.seq,
            time: covered.time,
        });
        (self.meta.events, self.meta.log_bytes) = (covered.events, covered.log_bytes);
        self.write_meta()
    }

    /// Whether a merge is under way: the newest runs of an index, if as many as the fan are of like size. Runs before the newest snapshot and
    /// runs after it are not merged with each other, so that the present is read from the snapshot and what came after it.
    fn start_merge(&mut self, env: &Env) -> Result<bool> {
        if self.maintenance.merge.is_some() {
            return Ok(true);
        }
        for index in Index::all(&self.schema.clone()) {
            let runs = self.named(self.runs_of(index));
            let snapshot = self
                .sources
                .snapshots
                .last()
                .map_or(Seq(0), |last| last.seq);
            let (before, after) =
                runs.split_at(runs.partition_point(|run| run.min_seq <= snapshot));
            let fan = env.options.merge_fan;
            let due = |runs: &[Rc<Run>], fan: usize| {
                let count = due_merge(runs, fan)?;
                runs.get(runs.len() - count..).map(<[_]>::to_vec)
            };
            // What no commit adds to any more is worth having in few runs: reads AS OF and histories walk through all of them.
            let Some(inputs) = due(after, fan).or_else(|| due(before, 2)) else {
                continue;
            };
            let id = self.next_run();
            let path = run_file::numbered_path(&self.dir, &self.schema, index, id);
            self.maintenance.merge = Some(MergeRuns::new(
                env,
                &self.target(),
                index,
                inputs,
                id,
                path,
            )?);
            return Ok(true);
        }
        Ok(false)
    }

    /// Puts a merged run in the place of its inputs. They are removed once meta.json no longer names them; then the oldest run gets its name.
    fn merged(&mut self, run: Rc<Run>) -> Result<()> {
        let Some(merge) = self.maintenance.merge.take() else {
            return Ok(());
        };
        let (index, inputs) = merge.inputs();
        let oldest = !self.maintenance.replacing
            && self
                .runs_of(index)
                .first()
                .is_some_and(|first| inputs.first().is_some_and(|input| input.id == first.id));
        self.change_sources(|sources| {
            let runs = runs_mut(sources, index);
            let at = runs
                .iter()
                .position(|old| inputs.first().is_some_and(|input| input.id == old.id))
                .unwrap_or(0);
            runs.splice(at..at + inputs.len(), [run.clone()]);
        });
        self.write_meta()?;
        let env = self.env.clone();
        let latch = env.latch()?;
        for (at, input) in inputs.iter().enumerate() {
            // The oldest input has the name that the merged run takes over below.
            if !(oldest && at == 0) {
                latch.remove(
                    &*env.store,
                    &run_file::numbered_path(&self.dir, &self.schema, index, input.id),
                )?;
            }
        }
        if oldest {
            let from = run_file::numbered_path(&self.dir, &self.schema, index, run.id);
            latch.rename(
                &*env.store,
                &from,
                &run_file::oldest_path(&self.dir, &self.schema, index),
            )?;
        }
        Ok(())
    }

    /// Whether a snapshot is under way. It is taken at the checkpoint, where everything is durable and on disk.
    fn start_snapshot(&mut self, env: &Env) -> Result<bool> {
        if self.maintenance.snapshot.is_some() {
            return Ok(true);
        }
        if !self.snapshot_is_due(self.meta.events, self.meta.log_bytes) {
            return Ok(false);
        }
        let Some(checkpoint) = self.meta.hints.checkpoint else {
            return Ok(false);
        };
        let covered = Covered {
            seq: checkpoint.seq,
            time: checkpoint.time,
            at: checkpoint.position,
            events: self.meta.events,
            log_bytes: self.meta.log_bytes,
        };
        self.maintenance.snapshot = Some(TakeSnapshot::new(
            env,
            &self.target(),
            self.sources.clone(),
            covered,
        )?);
        Ok(true)
    }

    /// Whether a log of so many events and bytes asks for a snapshot of its end.
    fn snapshot_is_due(&self, events: u64, log_bytes: u64) -> bool {
        let last = self.sources.snapshots.last();
        let (old_events, rows, old_bytes) =
            last.map_or((0, 0, 0), |last| (last.events, last.rows, last.log_bytes));
        let options = &self.env.options;
        events.saturating_sub(old_events) >= options.snapshot_events.max(rows.saturating_mul(2))
            || log_bytes.saturating_sub(old_bytes) >= options.snapshot_bytes
    }

    /// A snapshot at the table's head, to be driven by the caller and handed to [`Table::add_snapshot`]. `None` if there is one at this seq.
    pub fn take_snapshot(&mut self) -> Result<Option<TakeSnapshot>> {
        self.finish_rebuild()?;
        if self
            .sources
            .snapshots
            .last()
            .is_some_and(|last| last.seq >= self.head.seq)
            || self.head.events == 0
        {
            return Ok(None);
        }
        self.sync()?;
        let env = self.env.clone();
        // A job that is under way for the same seq writes the same file.
        self.maintenance.snapshot = None;
        Ok(Some(TakeSnapshot::new(
            &env,
            &self.target(),
            self.sources.clone(),
            self.head,
        )?))
    }

    /// Makes a finished snapshot part of the table.
    pub fn add_snapshot(&mut self, snapshot: Rc<Snapshot>) -> Result<()> {
        self.change_sources(|sources| {
            let at = sources
                .snapshots
                .partition_point(|other| other.seq < snapshot.seq);
            sources.snapshots.retain(|other| other.seq != snapshot.seq);
            sources.snapshots.insert(at, snapshot);
        });
        self.write_meta()
    }

    /// Writes meta.json as things are now. The ends in it are promises: what they cover is synced first.
    pub(super) fn write_meta(&mut self) -> Result<()> {
        self.sync()?;
        if self.log.is_relaxed() {
            self.log.set_relaxed_from(Some(self.log.end()));
        }
        let meta = self.current_meta();
        self.env.latch()?.replace(
            &*self.env.store,
            &meta::path(&self.dir),
            meta.to_json().as_bytes(),
        )?;
        self.meta = meta;
        Ok(())
    }

    /// The runs up to the checkpoint. Those behind it belong to a transaction whose end is not in a run yet.
    fn named<'a>(&self, runs: &'a [Rc<Run>]) -> &'a [Rc<Run>] {
        let checkpoint = self.meta.hints.checkpoint.map_or(Seq(0), |at| at.seq);
        let count = runs.partition_point(|run| run.max_seq <= checkpoint);
        runs.get(..count).unwrap_or_default()
    }

    /// Whether runs wait for the end of their transaction to be named by meta.json.
    fn has_unnamed_runs(&self) -> bool {
        self.named(&self.sources.primary).len() < self.sources.primary.len()
    }

    fn current_meta(&self) -> Meta {
        let runs = |runs: &[Rc<Run>]| {
            runs.iter()
                .map(|run| RunMeta {
                    id: run.id,
                    min_seq: run.min_seq,
                    max_seq: run.max_seq,
                })
                .collect()
        };
        let mut meta = self.meta.clone();
        meta.hints = self.log.hints(self.meta.hints.checkpoint);
        meta.runs = Index::all(&self.schema)
            .map(|index| runs(self.named(self.runs_of(index))))
            .collect();
        meta.snapshots = self
            .sources
            .snapshots
            .iter()
            .map(|snapshot| snapshot.seq)
            .collect();
        meta.requests = self.requests.clone();
        meta
    }

    /// Leaves the table as the next open wants it: a short tail, the log trimmed, the ends exact.
    pub fn close(&mut self) -> Result<()> {
        self.finish_rebuild()?;
        let long_tail = self
            .memtable()
            .is_some_and(|memtable| memtable.borrow().len() > self.env.options.replay_events_max);
        let flush = long_tail
            || self.has_unnamed_runs()
            || self.snapshot_is_due(self.head.events, self.head.log_bytes);
        self.maintain_fully(flush)?;
        self.log.trim()?;
        if self.current_meta() != self.meta
            || self.env.store.read(&meta::path(&self.dir))?.is_none()
        {
            self.write_meta()?;
        }
        Ok(())
    }

    /// Removes derived files that meta.json does not name: remains of jobs that a crash ended.
    pub(super) fn remove_strays(&self) -> Result<()> {
        let env = &self.env;
        let mut named: Vec<String> = Vec::new();
        for index in Index::all(&self.schema) {
            named.extend(self.runs_of(index).iter().map(|run| run.file.path().into()));
        }
        named.extend(
            self.sources
                .snapshots
                .iter()
                .map(|snapshot| snapshot.file.path().into()),
        );
        for dir in [
            run_file::index_dir(&self.dir),
            super::snapshot::snapshot_dir(&self.dir),
        ] {
            for name in env.store.list(&dir)? {
                let path = alloc::format!("{dir}/{name}");
                if !named.contains(&path) {
                    env.latch()?.remove(&*env.store, &path)?;
                }
            }
        }
        Ok(())
    }
}

fn runs_mut(sources: &mut Sources, index: Index) -> &mut Vec<Rc<Run>> {
    match index {
        Index::Secondary(number) if number < sources.secondary.len() => {
            match sources.secondary.get_mut(number) {
                Some(runs) => runs,
                None => &mut sources.primary,
            }
        }
        _ => &mut sources.primary,
    }
}

/// How many of the newest runs to merge: all that are at most of some size, if they are as many as the fan. `None` if no merge is due.
fn due_merge(runs: &[Rc<Run>], fan: usize) -> Option<usize> {
    let fan = fan.max(2);
    let base = u64::try_from(fan).unwrap_or(2);
    let tier = |entries: u64| (entries.max(1) / LEAST_RUN).max(1).ilog(base);
    let top = runs.iter().map(|run| tier(run.entries)).max()?;
    (0..=top).find_map(|size| {
        let count = runs
            .iter()
            .rev()
            .take_while(|run| tier(run.entries) <= size)
            .count();
        (count >= fan).then_some(count)
    })
}
