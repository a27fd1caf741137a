//! [`Log`]: one table's log, open for appending or for reading.

use alloc::rc::{Rc, Weak};
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};

use super::frames::{Frames, check_rises};
use super::journal::Part;
use super::open::{self, Recovery, Refreshed};
use super::position::{Checkpoint, Horizon, LogHints, Position, SegmentInfo};
use super::reader::LogReader;
use super::scan::SharedBlob;
use super::segment::{HEADER_LEN, Header, segment_path};
use super::segments::{Segments, Slot, share};
use crate::error::{Code, Error, Result};
use crate::storage::{Latch, Store, Synced};
use crate::time::{Seq, Timestamp};

/// A process that appends only so often before it ends does not reserve: it would have to trim.
const RESERVE_AFTER: u32 = 4;

/// What a log is opened for.
#[derive(Clone)]
pub enum Mode {
    /// Reading; another process may be writing.
    Read,
    /// Writing, through the latch of the one who holds the lock.
    Write(Rc<Latch>),
}

/// Sizes that a host may choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogOptions {
    /// A segment that has grown to this is due for rotation.
    pub segment_bytes: u64,
    /// How far files are extended with zeros ahead of small appends; 0 for not at all.
    pub reserve_bytes: u64,
}

impl Default for LogOptions {
    fn default() -> Self {
        LogOptions {
            segment_bytes: 64 << 20,
            reserve_bytes: 128 << 10,
        }
    }
}

/// One table's log.
pub struct Log {
    pub(super) mode: Mode,
    pub(super) options: LogOptions,
    pub(super) segments: Rc<Segments>,
    /// Where the next append goes: behind the frames of an unfinished transaction too.
    pub(super) end: Position,
    /// Seq and time of the last frame appended.
    pub(super) last: Option<(Seq, Timestamp)>,
    /// Seq and time of the last frame of the last whole transaction.
    pub(super) whole_last: (Seq, Timestamp),
    /// The active file is zeros from `end` to here.
    pub(super) reserved: u64,
    /// How many runs of frames were appended since the log was opened.
    appends: u32,
    pub(super) unsynced: bool,
    pub(super) relaxed_from: Option<Position>,
    /// Alive as long as the compaction that was begun last.
    pub(super) compacting: Option<Weak<()>>,
}

impl Log {
    /// Creates a log without frames in a table's directory; durable on return.
    pub fn create(
        store: Rc<dyn Store>,
        dir: &str,
        latch: Rc<Latch>,
        options: LogOptions,
    ) -> Result<Log> {
        let header = Header {
            number: 1,
            generation: 0,
            previous_end: 0,
            continues: false,
            replaces: None,
        };
        let blob = create_segment(&*store, dir, &latch, &header)?;
        latch.sync(&mut **blob.borrow_mut())?;
        let segments = Segments {
            store,
            dir: dir.into(),
            generation: 0,
            horizon: Horizon::default(),
            slots: RefCell::new(vec![slot(1, HEADER_LEN, Some(blob))]),
            whole: Cell::new(Position::new(1, HEADER_LEN)),
        };
        Ok(Log::new(
            Mode::Write(latch),
            options,
            segments,
            (Seq(0), Timestamp(0)),
            None,
        ))
    }

    /// Opens the log of a table's directory. `parts` are those of the journal's records that name this table, in their order: what the log lacks of them is
    /// written by a writer and laid over by a reader. Reads only what lies behind the checkpoint in `hints`.
    /// # Errors
    /// Corrupt, naming file and offset, for what no crash explains: then nothing was changed.
    pub fn open(
        store: Rc<dyn Store>,
        dir: &str,
        mode: Mode,
        options: LogOptions,
        hints: &LogHints,
        parts: &[Part],
    ) -> Result<(Log, Recovery)> {
        let opened = open::open(&store, dir, &mode, hints, parts)?;
        let log = Log::new(
            mode,
            options,
            opened.segments,
            opened.last,
            hints.relaxed_from,
        );
        Ok((log, opened.recovery))
    }

    pub(super) fn new(
        mode: Mode,
        options: LogOptions,
        segments: Segments,
        last: (Seq, Timestamp),
        relaxed_from: Option<Position>,
    ) -> Log {
        let end = segments.whole.get();
        Log {
            mode,
            options,
            segments: Rc::new(segments),
            end,
            last: (last.0 > Seq(0)).then_some(last),
            whole_last: last,
            reserved: 0,
            appends: 0,
            unsynced: false,
            relaxed_from,
            compacting: None,
        }
    }

    /// Another handle on the same log, which must be synced and whole: of the two only one may be written from now on.
    pub fn share(&self) -> Log {
        Log {
            mode: self.mode.clone(),
            options: self.options,
            segments: Rc::clone(&self.segments),
            end: self.end,
            last: self.last,
            whole_last: self.whole_last,
            reserved: 0,
            appends: 0,
            unsynced: false,
            relaxed_from: self.relaxed_from,
            compacting: None,
        }
    }

    /// The directory of the table.
    pub fn dir(&self) -> &str {
        &self.segments.dir
    }

    /// A handle for reading.
    pub fn reader(&self) -> LogReader {
        LogReader::new(Rc::clone(&self.segments))
    }

    /// Where the next append goes.
    pub fn end(&self) -> Position {
        self.end
    }

    /// The end of the last whole transaction.
    pub fn whole(&self) -> Position {
        self.segments.whole.get()
    }

    /// Seq and time of the last frame of the last whole transaction; seq 0 if there is none.
    pub fn last(&self) -> (Seq, Timestamp) {
        self.whole_last
    }

    /// Whether frames of a transaction without its end have been appended.
    pub fn is_open(&self) -> bool {
        self.end != self.whole()
    }

    /// How many compactions the log has seen.
    pub fn generation(&self) -> u64 {
        self.segments.generation
    }

    /// The point before which history was dropped.
    pub fn horizon(&self) -> Horizon {
        self.segments.horizon
    }

    /// What is known of the segments, as far as transactions are whole.
    pub fn segments(&self) -> Vec<SegmentInfo> {
        let whole = self.whole();
        let mut infos = self.segments.infos();
        infos.retain(|info| info.number <= whole.segment);
        if let Some(info) = infos.last_mut() {
            info.end = whole.offset;
            info.first = info.first.filter(|(seq, _)| *seq <= self.whole_last.0);
            info.last = info.first.map(|_| self.whole_last);
        }
        infos
    }

    /// What meta.json should keep, with the checkpoint given by the caller. Everything up to [`Log::whole`] must have been synced.
    pub fn hints(&self, checkpoint: Option<Checkpoint>) -> LogHints {
        LogHints {
            generation: self.generation(),
            horizon: self.horizon(),
            checkpoint,
            segments: self.segments(),
            relaxed_from: self.relaxed_from,
        }
    }

    /// The end of the log as a checkpoint.
    pub fn checkpoint(&self) -> Checkpoint {
        let (seq, time) = self.whole_last;
        Checkpoint {
            position: self.whole(),
            seq,
            time,
        }
    }

    /// Says that from here on commits may not be synced one by one; `None` ends that. The caller writes the hints to meta.json before it relies on it.
    pub fn set_relaxed_from(&mut self, from: Option<Position>) {
        self.relaxed_from = from;
    }

    /// Whether commits may be appended that are not synced one by one.
    pub fn is_relaxed(&self) -> bool {
        self.relaxed_from.is_some()
    }

    /// Appends a run of frames; returns the place of the first. Not durable before [`Log::sync`]. If the last frame says that its transaction goes
    /// on, nothing of it is in the log until an append ends it.
    /// # Errors
    /// Nothing of the run is in the log then; of the storage's errors the latch keeps the first.
    pub fn append(&mut self, frames: &Frames) -> Result<Position> {
        let latch = self.latch()?;
        latch.check()?;
        let (Some((seq, time)), Some(last)) = (frames.first(), frames.last()) else {
            return Ok(self.end);
        };
        check_rises(self.last, seq, time)?;
        let blob = self.segments.blob(self.end.segment)?;
        let mut blob = blob.borrow_mut();
        let at = self.end;
        let end = at.offset + frames.len() as u64;
        self.appends = self.appends.saturating_add(1);
        let small = frames.len() as u64 <= self.options.reserve_bytes / 4;
        if end > self.reserved && small && self.appends > RESERVE_AFTER {
            // Only a hint: where it fails, the append itself says what is wrong.
            self.reserved = end + self.options.reserve_bytes;
            let _ = blob.reserve(self.reserved);
        }
        latch.append(&mut **blob, at.offset, frames.as_bytes())?;
        self.unsynced = true;
        self.end.offset = end;
        self.last = Some(last);
        self.segments.update(at.segment, |info| {
            info.end = end;
            info.first.get_or_insert((seq, time));
            info.last = Some(last);
        });
        if !frames.is_open() {
            self.segments.whole.set(self.end);
            self.whole_last = last;
        }
        Ok(at)
    }

    /// Puts everything appended on stable storage.
    pub fn sync(&mut self) -> Result<Synced> {
        let latch = self.latch()?;
        latch.check()?;
        if !self.unsynced {
            return Ok(Synced::Durable);
        }
        let blob = self.segments.blob(self.end.segment)?;
        let synced = latch.sync(&mut **blob.borrow_mut())?;
        self.unsynced = false;
        Ok(synced)
    }

    /// Whether the active segment has grown so far that the next append should go to a new one. Never while a compaction runs.
    pub fn rotation_due(&self) -> bool {
        !self.is_compacting()
            && self.end.offset >= self.options.segment_bytes
            && self.end.offset > HEADER_LEN
    }

    /// Seals the active segment and starts the next. The journal must have been retired before.
    pub fn rotate(&mut self) -> Result<()> {
        let latch = self.latch()?;
        if self.is_compacting() {
            return Err(Error::new(
                Code::Unsupported,
                "a log that is being compacted does not rotate",
            ));
        }
        self.clear_dropped_compaction()?;
        self.seal()?;
        let header = Header {
            number: self.end.segment + 1,
            generation: self.generation(),
            previous_end: self.end.offset,
            continues: self.is_open(),
            replaces: None,
        };
        let blob = create_segment(&*self.segments.store, &self.segments.dir, &latch, &header)?;
        latch.sync(&mut **blob.borrow_mut())?;
        let whole = !self.is_open();
        self.segments
            .slots
            .borrow_mut()
            .push(slot(header.number, HEADER_LEN, Some(blob)));
        self.end = Position::new(header.number, HEADER_LEN);
        self.reserved = 0;
        if whole {
            self.segments.whole.set(self.end);
        }
        Ok(())
    }

    /// Cuts reserved zeros off the active segment and syncs it: the last thing of a clean close.
    pub fn trim(&mut self) -> Result<()> {
        match self.is_open() {
            true => self.cut_open(),
            false => self.seal(),
        }
    }

    fn seal(&mut self) -> Result<()> {
        let latch = self.latch()?;
        let blob = self.segments.blob(self.end.segment)?;
        let mut blob = blob.borrow_mut();
        if blob.len()? > self.end.offset {
            latch.truncate(&mut **blob, self.end.offset)?;
            self.unsynced = true;
        }
        if self.unsynced {
            latch.sync(&mut **blob)?;
        }
        (self.unsynced, self.reserved) = (false, 0);
        Ok(())
    }

    /// Of a log open for reading: looks at what another process has written since. `parts` as in [`Log::open`].
    pub fn refresh(&mut self, parts: &[Part]) -> Result<Refreshed> {
        let hints = self.hints(Some(self.checkpoint()));
        let opened = open::open(
            &self.segments.store,
            &self.segments.dir,
            &self.mode,
            &hints,
            parts,
        )?;
        let (before, generation) = (self.whole(), self.generation());
        let segments = opened.segments;
        let refreshed = match (
            segments.generation == generation,
            segments.whole.get() == before,
        ) {
            (false, _) => Refreshed::Replaced,
            (true, true) => return Ok(Refreshed::Unchanged),
            (true, false) => Refreshed::Grown(before),
        };
        if refreshed != Refreshed::Replaced {
            self.keep_open(&segments);
        }
        *self = Log::new(
            self.mode.clone(),
            self.options,
            segments,
            opened.last,
            self.relaxed_from,
        );
        Ok(refreshed)
    }

    /// Hands the files of sealed segments on.
    fn keep_open(&self, segments: &Segments) {
        let old = self.segments.slots.borrow();
        for (slot, old) in segments.slots.borrow_mut().iter_mut().zip(old.iter()) {
            if slot.blob.is_none() {
                slot.blob.clone_from(&old.blob);
            }
        }
    }

    pub(super) fn latch(&self) -> Result<Rc<Latch>> {
        match &self.mode {
            Mode::Write(latch) => Ok(Rc::clone(latch)),
            Mode::Read => Err(Error::new(
                Code::ReadOnly,
                "the log is open for reading only",
            )),
        }
    }

    /// The path of a segment's file, for errors.
    pub fn path(&self, segment: u64) -> String {
        self.segments.path(segment)
    }
}

pub(super) fn slot(number: u64, end: u64, blob: Option<SharedBlob>) -> Slot {
    Slot {
        info: SegmentInfo {
            number,
            end,
            first: None,
            last: None,
        },
        blob,
    }
}

/// Creates a segment's file with its header, not yet synced.
pub(super) fn create_segment(
    store: &dyn Store,
    dir: &str,
    latch: &Latch,
    header: &Header,
) -> Result<SharedBlob> {
    let mut blob = latch.create(store, &segment_path(dir, header.number))?;
    latch.append(&mut *blob, 0, &header.encode())?;
    Ok(share(blob))
}
