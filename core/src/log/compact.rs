//! Replacing all segments of a log by new ones: the new ones are written and synced while the old log goes on, the first of them last; its
//! header disowns the old ones, whose files then go.

use alloc::rc::Rc;
use alloc::vec;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};

use super::cut::discard;
use super::frames::{Frames, check_rises};
use super::position::{Horizon, Position};
use super::scan::SharedBlob;
use super::segment::{HEADER_LEN, Header, Replaces, segment_dir, segment_number};
use super::segments::{Segments, Slot};
use super::writer::{Log, create_segment, slot};
use crate::error::{Code, Error, Result};
use crate::storage::{Latch, Store};
use crate::time::{Seq, Timestamp};

/// The new segments of a log while they are written. Dropped without an end, it leaves files that the next writer's open removes; and the log
/// does not rotate while it lives.
pub struct Compaction {
    store: Rc<dyn Store>,
    latch: Rc<Latch>,
    dir: alloc::string::String,
    segment_bytes: u64,
    generation: u64,
    /// The number that stays free for the disowning header.
    root: u64,
    slots: Vec<Slot>,
    active: SharedBlob,
    /// The log knows by it that the compaction has not been dropped.
    _alive: Rc<()>,
    last: Option<(Seq, Timestamp)>,
    open: bool,
}

impl Compaction {
    /// Starts a compaction: the log goes on as it is, but does not rotate. What one that was dropped has left is removed.
    pub fn begin(log: &mut Log) -> Result<Compaction> {
        let latch = log.latch()?;
        if log.is_compacting() {
            return Err(Error::new(
                Code::Unsupported,
                "the log is being compacted already",
            ));
        }
        log.clear_dropped_compaction()?;
        let segments = &log.segments;
        let (root, generation) = (segments.last_number() + 1, segments.generation + 1);
        let header = Header {
            number: root + 1,
            generation,
            previous_end: HEADER_LEN,
            continues: false,
            replaces: None,
        };
        let active = create_segment(&*segments.store, &segments.dir, &latch, &header)?;
        let alive = Rc::new(());
        log.compacting = Some(Rc::downgrade(&alive));
        Ok(Compaction {
            _alive: alive,
            store: Rc::clone(&log.segments.store),
            dir: log.segments.dir.clone(),
            latch,
            segment_bytes: log.options.segment_bytes,
            generation,
            root,
            slots: vec![slot(root + 1, HEADER_LEN, Some(Rc::clone(&active)))],
            active,
            last: None,
            open: false,
        })
    }

    /// Appends frames that the new log keeps, in rising order of their seqs; returns the place of the first in the new log.
    pub fn append(&mut self, frames: &Frames) -> Result<Position> {
        let Some((seq, time)) = frames.first() else {
            return Ok(self.end());
        };
        check_rises(self.last, seq, time)?;
        if self.end().offset >= self.segment_bytes {
            self.rotate()?;
        }
        let at = self.end();
        self.latch.append(
            &mut **self.active.borrow_mut(),
            at.offset,
            frames.as_bytes(),
        )?;
        (self.last, self.open) = (frames.last(), frames.is_open());
        if let Some(slot) = self.slots.last_mut() {
            slot.info.end = at.offset + frames.len() as u64;
            slot.info.first.get_or_insert((seq, time));
            slot.info.last = frames.last();
        }
        Ok(at)
    }

    /// Where the next append goes.
    pub fn end(&self) -> Position {
        self.slots.last().map_or(Position::default(), |slot| {
            Position::new(slot.info.number, slot.info.end)
        })
    }

    /// The generation of the new log.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    fn rotate(&mut self) -> Result<()> {
        let end = self.end();
        self.latch.sync(&mut **self.active.borrow_mut())?;
        let header = Header {
            number: end.segment + 1,
            generation: self.generation,
            previous_end: end.offset,
            continues: self.open,
            replaces: None,
        };
        self.active = create_segment(&*self.store, &self.dir, &self.latch, &header)?;
        self.slots.push(slot(
            header.number,
            HEADER_LEN,
            Some(Rc::clone(&self.active)),
        ));
        Ok(())
    }

    /// Makes the new segments the log; durable on return, and the old files are gone. The caller has appended everything that the log holds
    /// by now and that is to be kept, and has retired the journal. Readers taken before go on reading the old files.
    pub fn finish(self, log: &mut Log, horizon: Horizon) -> Result<()> {
        if self.open {
            return Err(Error::new(
                Code::Unsupported,
                "a compaction cannot end inside a transaction",
            ));
        }
        let old = Rc::clone(&log.segments);
        if Rc::strong_count(&old) > 2 {
            old.pin()?;
        }
        self.latch.sync(&mut **self.active.borrow_mut())?;
        let (first, last) = (old.first_number(), old.last_number());
        let replaces = Some(Replaces {
            first,
            last,
            horizon,
        });
        let header = Header {
            number: self.root,
            generation: self.generation,
            previous_end: 0,
            continues: false,
            replaces,
        };
        let root = create_segment(&*self.store, &self.dir, &self.latch, &header)?;
        self.latch.sync(&mut **root.borrow_mut())?;
        let whole = self.end();
        let mut slots = vec![slot(self.root, HEADER_LEN, Some(root))];
        slots.extend(self.slots);
        let segments = Segments {
            store: self.store,
            dir: self.dir,
            generation: self.generation,
            horizon,
            slots: RefCell::new(slots),
            whole: Cell::new(whole),
        };
        let (mode, options) = (log.mode.clone(), log.options);
        *log = Log::new(mode, options, segments, self.last.unwrap_or_default(), None);
        for number in first..=last {
            self.latch.remove(&*old.store, &old.path(number))?;
        }
        Ok(())
    }

    /// Gives up: the new files go, the log is as it was.
    pub fn abort(self, log: &mut Log) -> Result<()> {
        log.compacting = None;
        for slot in self.slots.iter().rev() {
            discard(&self.latch, &*self.store, &self.dir, slot.info.number)?;
        }
        Ok(())
    }
}

impl Log {
    /// Whether a compaction of this log is under way.
    pub(super) fn is_compacting(&self) -> bool {
        self.compacting
            .as_ref()
            .is_some_and(|alive| alive.strong_count() > 0)
    }

    /// Removes what a compaction that was dropped without an end has left: the segments above the log's last one.
    pub(super) fn clear_dropped_compaction(&mut self) -> Result<()> {
        if self.compacting.take().is_none() {
            return Ok(());
        }
        let (latch, segments) = (self.latch()?, &self.segments);
        let names = segments.store.list(&segment_dir(&segments.dir))?;
        let numbers = names.iter().filter_map(|name| segment_number(name));
        let mut later: Vec<u64> = numbers
            .filter(|number| *number > segments.last_number())
            .collect();
        later.sort_unstable();
        for number in later.into_iter().rev() {
            discard(&latch, &*segments.store, &segments.dir, number)?;
        }
        Ok(())
    }
}
