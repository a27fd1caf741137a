//! Rebuilding: after a compaction has replaced the log, the indexes are made anew from it in steps.
//!
//! Meanwhile the table is read from what it had: its old index runs and the old log, whose files are held open. An event that is to be written waits
//! for the end of the rebuilding, so nothing is in memory alone when the table changes over. What a crash leaves of it the next open goes on from.

use alloc::boxed::Box;

use super::meta::Meta;
use super::open::{Derived, Replay};
use super::run_file::{self, Index};
use super::table::Table;
use super::view::Step;
use crate::error::Result;

/// Events that one step replays at most.
const STEP_EVENTS: usize = 500;

/// A rebuilding under way.
pub struct Rebuild {
    /// The table as it will be.
    building: Table,
    replay: Replay,
    whole: bool,
    /// Whether the log's end has been reached.
    at_end: bool,
}

impl Table {
    /// Whether a compaction has replaced the log and the table is still read from what was before.
    pub fn is_stale(&self) -> bool {
        self.sources.log.generation() != self.log.generation()
    }

    /// Makes the indexes anew to the end, if a compaction has replaced the log.
    pub fn finish_rebuild(&mut self) -> Result<()> {
        while self.is_stale() {
            self.step_rebuild()?;
        }
        Ok(())
    }

    /// Some more of it. After an error it begins again: what is half done is not to be trusted.
    pub(super) fn step_rebuild(&mut self) -> Result<()> {
        let mut rebuild = match self.maintenance.rebuild.take() {
            Some(rebuild) => rebuild,
            None => Box::new(self.begin_rebuild()),
        };
        match rebuild.step()? {
            Step::Item(()) => self.change_over(*rebuild),
            Step::Pause | Step::Done => {
                self.maintenance.rebuild = Some(rebuild);
                Ok(())
            }
        }
    }

    fn begin_rebuild(&mut self) -> Rebuild {
        // Jobs on the old files come to nothing.
        self.maintenance = super::maintenance::Maintenance::default();
        self.meta = Meta {
            last_run: self.meta.last_run,
            requests: self.requests.clone(),
            ..Meta::default()
        };
        let log = self.log.share();
        let mut building = Table::assemble(
            self.env.clone(),
            self.dir.clone(),
            self.schema.clone(),
            core::mem::replace(&mut self.log, log),
            self.meta.clone(),
            Derived::default(),
        );
        building.maintenance.set_replacing(true);
        let replay = building.replay_from(building.sources.checkpoint_at);
        Rebuild {
            building,
            replay,
            whole: true,
            at_end: false,
        }
    }

    /// Goes over to what has been built: meta.json names it, the old files go, and the oldest runs get their names.
    fn change_over(&mut self, rebuild: Rebuild) -> Result<()> {
        *self = rebuild.building;
        self.maintenance.set_replacing(false);
        self.write_meta()?;
        self.remove_strays()?;
        let env = self.env.clone();
        for index in Index::all(&self.schema) {
            if let Some(oldest) = self.runs_of(index).first() {
                let from = run_file::numbered_path(&self.dir, &self.schema, index, oldest.id);
                let to = run_file::oldest_path(&self.dir, &self.schema, index);
                env.latch()?.rename(&*env.store, &from, &to)?;
            }
        }
        Ok(())
    }
}

impl Rebuild {
    /// Replays some of the log, or writes some of what was replayed into runs; an item at the end.
    fn step(&mut self) -> Result<Step<()>> {
        let env = self.building.env.clone();
        if self.building.step_indexes(&env)? {
            return Ok(Step::Pause);
        }
        if self.at_end {
            return Ok(Step::Item(()));
        }
        for _ in 0..STEP_EVENTS {
            match self.building.replay_next(&mut self.replay)? {
                Some(whole) => self.whole = whole,
                None => {
                    self.at_end = true;
                    break;
                }
            }
            if self.building.freeze_is_due() {
                break;
            }
        }
        if self.at_end || self.building.freeze_is_due() {
            self.building.freeze(self.whole);
        }
        Ok(Step::Pause)
    }
}
