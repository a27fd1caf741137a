//! A table: its log, what is in memory of it, and the derived files.

use alloc::rc::Rc;
use alloc::string::String;
use core::cell::RefCell;

use super::change::{Change, Wanted, prepare};
use super::env::Env;
use super::job::Covered;
use super::maintenance::Maintenance;
use super::marks::MARK_EVERY_BYTES;
use super::memtable::{Mark, Memtable, SharedMemtable};
use super::meta::Meta;
use super::requests::{Answered, Requests};
use super::schema::Schema;
use super::sources::Sources;
use super::spill::Spilled;
use super::stamp::Request;
use super::state::KeyStates;
use super::view::View;
use crate::error::{Code, Error, Result};
use crate::log::{Frames, Log, Position};
use crate::time::{Point, Seq, Timestamp};

/// A table that is open.
pub struct Table {
    pub(super) env: Rc<Env>,
    pub(super) dir: String,
    pub(super) schema: Rc<Schema>,
    pub(super) log: Log,
    pub(super) sources: Rc<Sources>,
    pub(super) states: KeyStates,
    /// What meta.json says now; what it will say next is derived from the sources.
    pub(super) meta: Meta,
    /// The end of what has been applied and appended.
    pub(super) head: Covered,
    /// The log's bytes at the last mark.
    pub(super) marked_at: Option<u64>,
    pub(super) maintenance: Maintenance,
    /// Of a writer: whether what is in memory is as the log has it, and [`Table::settle`] comes before the next write.
    pub(super) unsettled: bool,
    /// The last requests of clients that this table's commits answered.
    pub(super) requests: Requests,
    /// What the table goes back to if the open transaction, which has been spilled, is given up.
    pub(super) spilled: Option<Spilled>,
}

impl Table {
    /// What the table is.
    pub fn schema(&self) -> &Rc<Schema> {
        &self.schema
    }

    /// The table's directory.
    pub fn dir(&self) -> &str {
        &self.dir
    }

    /// The last event that is in the log.
    pub fn head(&self) -> Covered {
        self.head
    }

    /// The table's log.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// What answers are read from now.
    pub fn sources(&self) -> &Rc<Sources> {
        &self.sources
    }

    /// The table at a seq.
    pub fn view(&self, seq: Seq) -> View {
        View::new(self.sources.clone(), seq)
    }

    /// The seq that a point means, `head` being the last seq and time of the database. `Code::BeforeHorizon` if the history up to there was dropped.
    pub fn resolve(&self, point: Point, head: (Seq, Timestamp)) -> Result<Seq> {
        let horizon = self.sources.horizon;
        let seq = match point {
            Point::Seq(seq) => seq.min(head.0),
            Point::Time(time) if time >= head.1 => head.0,
            Point::Time(time) if time < horizon.time => return Err(self.before_horizon()),
            Point::Time(time) => self
                .sources
                .seq_at(time)?
                .unwrap_or_default()
                .max(horizon.seq),
        };
        if seq < horizon.seq {
            Err(self.before_horizon())
        } else {
            Ok(seq)
        }
    }

    fn before_horizon(&self) -> Error {
        let horizon = self.sources.horizon;
        let message = alloc::format!(
            "table {} was compacted: its history before @seq:{} ({}) is gone",
            self.schema.name,
            horizon.seq.0,
            horizon.time
        );
        Error::new(Code::BeforeHorizon, message).hint(alloc::format!(
            "the earliest point left is \"@seq:{}\"",
            horizon.seq.0
        ))
    }

    /// Checks what is wanted against the row as it is just before the event.
    pub fn prepare<'a>(&mut self, wanted: Wanted<'a>) -> Result<Change<'a>> {
        self.finish_rebuild()?;
        self.settle()?;
        let known = self.states.get(wanted.key);
        let view = self.view(Seq(wanted.seq.0.saturating_sub(1)));
        prepare(&view, wanted, known)
    }

    /// Puts a change into memory. Views at or above its seq see it.
    pub fn apply(&mut self, change: &Change<'_>) {
        let version = change.version();
        self.states.set(change.key, change.state);
        self.sources.changed(change.key, version.seq);
        if let Some(memtable) = self.sources.memtables.last() {
            let mut memtable = memtable.borrow_mut();
            memtable.insert(change.key, &version, &change.markers);
        }
    }

    /// Gives the changes above `seq`, which a transaction has made that is being committed, the commit's time.
    pub fn set_time(&self, seq: Seq, time: Timestamp) {
        let mut rows = self.sources.rows.borrow_mut();
        for memtable in self.memtables_above(seq) {
            let mut memtable = memtable.borrow_mut();
            let newest = memtable.versions.newest();
            memtable
                .versions
                .set_time(seq, time, |key| rows.changed(key, newest));
        }
    }

    /// Takes the changes above `seq`, which an open transaction has made, out of memory again.
    pub fn undo(&mut self, seq: Seq) {
        let mut rows = self.sources.rows.borrow_mut();
        let mut columns = self.sources.columns.borrow_mut();
        let states = &mut self.states;
        for memtable in self.sources.memtables.iter().rev() {
            if memtable.borrow().is_covered_by(seq) {
                break;
            }
            memtable.borrow_mut().pop_above(seq, |key| {
                states.forget(key);
                rows.undone(key, Seq(seq.0 + 1));
                columns.undone(key, Seq(seq.0 + 1));
            });
        }
    }

    /// The memtables that have something above `seq`, the newest first.
    fn memtables_above(&self, seq: Seq) -> impl Iterator<Item = &SharedMemtable> {
        let memtables = self.sources.memtables.iter().rev();
        memtables.take_while(move |memtable| !memtable.borrow().is_covered_by(seq))
    }

    /// Remembers the request that a commit answered whose first event is in this table.
    pub fn note_request(&mut self, request: &Request, seq: Seq) {
        self.requests.note(request, seq);
    }

    /// The last request of a client that a commit of this table answered.
    pub fn answered(&self, client: &str) -> Option<Answered> {
        self.requests.get(client)
    }

    /// The last requests of all clients that this table's commits answered.
    pub fn requests(&self) -> &Requests {
        &self.requests
    }

    /// The memtable that is being written.
    pub fn memtable(&self) -> Option<&SharedMemtable> {
        self.sources.memtables.last()
    }

    /// Writes the frames of whole transactions, whose changes have been applied, behind the log. Durable after [`Table::sync`].
    pub fn append(&mut self, frames: &Frames, events: u64) -> Result<Position> {
        let at = self.log.append(frames)?;
        self.appended(at, frames, events);
        Ok(at)
    }

    /// Notes that frames are in the log.
    pub(super) fn appended(&mut self, at: Position, frames: &Frames, events: u64) {
        if let Some((seq, time)) = frames.first() {
            let events = self.head.events;
            self.mark(Mark {
                seq,
                time,
                at,
                events,
            });
        }
        if let Some((seq, time)) = frames.last() {
            let log_bytes = self.head.log_bytes + frames.len() as u64;
            self.head = Covered {
                seq,
                time,
                at: self.log.end(),
                events: self.head.events + events,
                log_bytes,
            };
        }
    }

    /// Keeps a mark, if it is far enough from the last.
    pub(super) fn mark(&mut self, mark: Mark) {
        let here = self.head.log_bytes;
        if self
            .marked_at
            .is_none_or(|last| here >= last + MARK_EVERY_BYTES)
        {
            self.marked_at = Some(here);
            if let Some(memtable) = self.sources.memtables.last() {
                memtable.borrow_mut().push_mark(mark);
            }
        }
    }

    /// Seals the active segment of the log and starts the next. The journal must have been retired.
    pub fn rotate(&mut self) -> Result<()> {
        self.log.rotate()
    }

    /// Says whether from now on commits may be appended that are not synced one by one. meta.json says so before the first of them.
    pub fn set_relaxed(&mut self, relaxed: bool) -> Result<()> {
        if self.meta.hints.relaxed_from.is_some() == relaxed {
            return Ok(());
        }
        self.log.set_relaxed_from(relaxed.then(|| self.log.end()));
        self.write_meta()
    }

    /// Puts everything appended on stable storage.
    pub fn sync(&mut self) -> Result<crate::storage::Synced> {
        self.log.sync()
    }

    /// Changes what answers are read from; views that are out keep theirs.
    pub(super) fn change_sources(&mut self, change: impl FnOnce(&mut Sources)) {
        let mut sources = Sources::clone(&self.sources);
        change(&mut sources);
        self.sources = Rc::new(sources);
    }

    /// An empty memtable for this table.
    pub(super) fn new_memtable(schema: &Schema) -> SharedMemtable {
        Rc::new(RefCell::new(Memtable::new(schema.indexes.len())))
    }
}
