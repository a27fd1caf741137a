//! What a table's answers are read from at one moment: memtables, index runs, snapshots and the log. Views share it, unchanged,
//! while the table goes on to the next.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;

use super::columns::ColumnCache;
use super::delta::DeltaCache;
use super::marks::{Place, Upto};
use super::memtable::{Mark, SharedMemtable};
use super::row_cache::RowCache;
use super::schema::Schema;
use crate::error::Result;
use crate::log::{Horizon, LogReader, Position};
use crate::sorted::SortedTable;
use crate::time::{Seq, Timestamp};

/// One immutable sorted file of an index: everything of its range of seqs.
pub struct Run {
    /// The file.
    pub file: Rc<SortedTable>,
    /// Its number, unique in the table.
    pub id: u64,
    /// First seq that it covers.
    pub min_seq: Seq,
    /// Last seq that it covers, inclusive.
    pub max_seq: Seq,
    /// How many entries it has.
    pub entries: u64,
}

/// The whole table as it was at one seq, in key order.
pub struct Snapshot {
    /// The file.
    pub file: Rc<SortedTable>,
    /// Everything with seq <= this is in it.
    pub seq: Seq,
    /// How many live rows it has.
    pub rows: u64,
    /// How many events the log had up to it.
    pub events: u64,
    /// How many bytes the log had up to it.
    pub log_bytes: u64,
}

/// Everything that a table is read from.
#[derive(Clone)]
pub struct Sources {
    /// What the table is.
    pub schema: Rc<Schema>,
    /// Oldest first; the last one is being written.
    pub memtables: Vec<SharedMemtable>,
    /// Runs of the primary-key index, oldest first, over disjoint ranges of seqs.
    pub primary: Vec<Rc<Run>>,
    /// Runs of each secondary index, likewise.
    pub secondary: Vec<Vec<Rc<Run>>>,
    /// Oldest first.
    pub snapshots: Vec<Rc<Snapshot>>,
    /// The table's log.
    pub log: LogReader,
    /// Where the log starts.
    pub log_start: Position,
    /// The runs hold everything up to this seq, the memtables everything above.
    pub checkpoint: Seq,
    /// Where the events above the checkpoint start in the log.
    pub checkpoint_at: Position,
    /// Nothing below this can be asked: seq and time of the last compaction.
    pub horizon: Horizon,
    /// Rows that were read lately.
    pub rows: Rc<RefCell<RowCache>>,
    /// Stretches of the log sorted by key, kept for the next scan.
    pub deltas: Rc<RefCell<DeltaCache>>,
    /// Columns that aggregates over the whole table run over.
    pub columns: Rc<RefCell<ColumnCache>>,
}

/// Keys of runs that are no row: marks by seq and by time sort before all keys.
pub const MARK_BY_SEQ: u8 = 0x00;
/// See [`MARK_BY_SEQ`].
pub const MARK_BY_TIME: u8 = 0x01;
/// The least first byte of a row's key.
pub const FIRST_KEY_BYTE: u8 = 0x10;

impl Sources {
    /// An event changes a key: what is remembered of the present no longer has it right.
    pub fn changed(&self, key: &[u8], seq: Seq) {
        self.rows.borrow_mut().changed(key, seq);
        self.columns.borrow_mut().changed(key, seq);
    }

    /// The newest snapshot at or below a seq.
    pub fn snapshot_at(&self, seq: Seq) -> Option<&Rc<Snapshot>> {
        self.snapshots
            .iter()
            .rev()
            .find(|snapshot| snapshot.seq <= seq)
    }

    /// The newest snapshot, if `seq` is not before it and no run has versions from both sides of it: then a row is in the
    /// snapshot or in the few runs after it.
    pub fn snapshot_for_reads(&self, seq: Seq) -> Option<&Rc<Snapshot>> {
        let newest = self.snapshots.last()?;
        let parts = |run: &Rc<Run>| run.max_seq <= newest.seq || run.min_seq > newest.seq;
        (newest.seq <= seq && self.primary.iter().all(parts)).then_some(newest)
    }

    /// A place in the log at or before the first event above `seq`: reading from there finds all of them.
    pub fn position_above(&self, seq: Seq) -> Result<Position> {
        if seq >= self.checkpoint {
            return Ok(self.checkpoint_at);
        }
        for run in self.primary.iter().rev().filter(|run| run.min_seq <= seq) {
            if let Some(place) = run.mark(Upto::Seq(seq))? {
                return Ok(place.at);
            }
        }
        Ok(self.log_start)
    }

    /// The last known place in the log of an event that a bound covers.
    pub fn place(&self, upto: Upto) -> Result<Option<Place>> {
        let covered = |mark: &&Mark| upto.covers(mark.seq, mark.time);
        for memtable in self.memtables.iter().rev() {
            if let Some(mark) = memtable.borrow().marks().iter().rev().find(covered) {
                return Ok(Some(Place::of(mark)));
            }
        }
        for run in self.primary.iter().rev() {
            if let Some(place) = run.mark(upto)? {
                return Ok(Some(place));
            }
        }
        Ok(None)
    }

    /// How many bytes of log lie between a seq and the checkpoint, to within a mark.
    pub fn log_bytes_above(&self, seq: Seq) -> Result<u64> {
        let (from, until) = (self.position_above(seq)?, self.checkpoint_at);
        let infos = self.log.segments();
        let of = infos
            .iter()
            .filter(|info| (from.segment..=until.segment).contains(&info.number));
        let bytes = of.map(|info| {
            let start = if info.number == from.segment {
                from.offset
            } else {
                0
            };
            let end = if info.number == until.segment {
                until.offset
            } else {
                info.end
            };
            end.saturating_sub(start)
        });
        Ok(bytes.sum())
    }

    /// The last event with time <= `time`: its seq, or `None` if every event is later.
    pub fn seq_at(&self, time: Timestamp) -> Result<Option<Seq>> {
        let place = self.place(Upto::Time(time))?;
        let mut found = place.map(|place| place.seq);
        let from = place.map_or(self.log_start, |place| place.at);
        let mut cursor = self.log.cursor(from, self.log.end());
        while let Some((_, event)) = cursor.next_event()? {
            if event.time > time {
                break;
            }
            found = Some(event.seq);
        }
        Ok(found)
    }
}
