//! Spilling: what an open transaction has written to a table leaves memory before the commit.
//!
//! Its frames go into the log, each saying that its transaction goes on, and its versions into index runs that meta.json does not name. So nobody
//! else sees anything of it, and what a crash leaves of it the next open removes. The transaction's last event of the table stays in memory: its
//! frame, written at the commit, is the one that ends the run of frames.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;

use super::columns::ColumnCache;
use super::delta::DeltaCache;
use super::job::Covered;
use super::memtable::Memtable;
use super::row_cache::RowCache;
use super::sources::Run;
use super::state::KeyStates;
use super::table::Table;
use crate::error::Result;
use crate::log::Position;
use crate::time::Seq;

/// What a table was before the open transaction was spilled.
pub struct Spilled {
    head: Covered,
    checkpoint: Seq,
    checkpoint_at: Position,
}

impl Table {
    /// Whether frames of the open transaction are in the log.
    pub fn is_spilled(&self) -> bool {
        self.spilled.is_some()
    }

    /// Before the first spill of a transaction: flushes what was committed, which must be in the log, so that the memtable has the transaction's
    /// events only.
    pub fn begin_spill(&mut self) -> Result<()> {
        if self.is_spilled() {
            return Ok(());
        }
        self.flush_up_to(self.head.seq, true)?;
        self.spilled = Some(Spilled {
            head: self.head,
            checkpoint: self.sources.checkpoint,
            checkpoint_at: self.sources.checkpoint_at,
        });
        Ok(())
    }

    /// Flushes the events whose frames have been spilled.
    pub fn flush_spilled(&mut self) -> Result<()> {
        // The keys of a large transaction are not remembered either.
        self.states = KeyStates::default();
        self.flush_up_to(self.head.seq, false)
    }

    /// Flushes the events up to the log's last; those above stay in memory.
    fn flush_up_to(&mut self, seq: Seq, whole: bool) -> Result<()> {
        let Some(memtable) = self.memtable().cloned() else {
            return Ok(());
        };
        let parts = memtable.borrow().split(seq);
        if !parts.iter().take(1).all(Memtable::is_empty) {
            let parts = parts.map(|part| Rc::new(RefCell::new(part)));
            self.change_sources(|sources| {
                sources.memtables.pop();
                sources.memtables.extend(parts);
            });
            self.froze(whole);
        }
        self.flush_frozen()
    }

    /// The transaction has been committed: its last event is flushed with the next maintenance, and its runs then count.
    pub fn settle_spilled(&mut self) {
        if self.spilled.take().is_some() {
            self.freeze(true);
        }
    }

    /// Gives up what was spilled, and all other events of the open transaction. If the log cannot be cut, the latch is closed: reading goes
    /// on, and the next open cuts it.
    pub fn give_up_spilled(&mut self) {
        let Some(before) = self.spilled.take() else {
            return;
        };
        let _ = self.log.cut_open();
        self.maintenance.drop_flushes();
        let fresh = Table::new_memtable(&self.schema);
        // Views that the transaction took go on with theirs.
        let cache_bytes = self.env.options.cache_bytes / 2;
        let rows = RowCache::new(cache_bytes, before.head.seq);
        let deltas = DeltaCache::new(self.env.options.delta_bytes);
        let columns = ColumnCache::new(self.env.options.delta_bytes, before.head.seq);
        let mut dropped: Vec<Rc<Run>> = Vec::new();
        self.change_sources(|sources| {
            for runs in core::iter::once(&mut sources.primary).chain(&mut sources.secondary) {
                let count = runs.partition_point(|run| run.max_seq <= before.checkpoint);
                dropped.extend(runs.drain(count..));
            }
            sources.memtables = alloc::vec![fresh];
            (sources.checkpoint, sources.checkpoint_at) = (before.checkpoint, before.checkpoint_at);
            sources.rows = Rc::new(RefCell::new(rows));
            sources.deltas = Rc::new(RefCell::new(deltas));
            sources.columns = Rc::new(RefCell::new(columns));
        });
        self.states = KeyStates::default();
        (self.head, self.marked_at) = (before.head, None);
        for run in dropped {
            self.remove_file(run.file.path());
        }
    }

    /// Removes a file that nothing names. If that fails, the next open does it.
    fn remove_file(&self, path: &str) {
        if let Ok(latch) = self.env.latch() {
            let _ = latch.remove(&*self.env.store, path);
        }
    }
}
