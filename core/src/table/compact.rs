//! COMPACT: writes the log anew with the latest state only, or with all history since a point, and makes that the table.
//!
//! Of each row it keeps the last event up to the horizon, as an INSERT of the whole document with that event's seq, time and metadata; of a
//! deleted row the last document and the deletion. Events above the horizon are kept as they are.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::job::TakeSnapshot;
use super::row::Row;
use super::table::Table;
use super::view::{Step, View};
use super::walk::Walk;
use crate::error::{Code, Error, Result};
use crate::log::{Compaction, EventRef, FrameCursor, Frames, Horizon, Op};
use crate::time::{Point, Seq, Timestamp};
use crate::value::{Raw, keycode};

/// Events that one step handles at most.
const STEP_EVENTS: usize = 500;
/// Frames are written in pieces of about this size.
const APPEND_BYTES: u64 = 256 << 10;

/// A compaction in steps. Writes to the table while it is under way end it with an error; dropping it leaves the table as it was.
pub struct Compact {
    compaction: Option<Compaction>,
    cursor: FrameCursor,
    /// The table at the horizon.
    view: View,
    /// The last event of the log when the compaction began.
    head: Seq,
    last_below: Horizon,
    output: Output,
    /// Counts the transactions of the old log.
    transaction: u64,
    kept: u64,
    dropped: u64,
    /// Of the new log, once it has replaced the old one.
    snapshot: Option<Box<TakeSnapshot>>,
    is_replaced: bool,
}

/// Frames on their way into the new log. The last one waits until it is known whether the next belongs to its transaction.
#[derive(Default)]
struct Output {
    frames: Frames,
    waiting: Option<Kept>,
}

/// A frame that is kept.
struct Kept {
    transaction: u64,
    seq: Seq,
    time: Timestamp,
    op: Op,
    key: Vec<u8>,
    body: Option<Vec<u8>>,
    meta: Option<Vec<u8>>,
}

impl Table {
    /// Begins a compaction that keeps the latest state, or all history since a point. The journal must have been retired.
    ///
    /// # Errors
    /// `Code::BeforeHorizon` for a point that is gone already.
    pub fn compact(
        &mut self,
        keep_since: Option<Point>,
        head: (Seq, Timestamp),
    ) -> Result<Compact> {
        self.finish_rebuild()?;
        let seq = match keep_since {
            Some(point) => self.resolve(point, head)?,
            None => self.head.seq,
        };
        // The events that name requests may be dropped; what they said stays.
        self.write_meta()?;
        // A compaction that was given up has left its mark on the log.
        let compaction = Compaction::begin(&mut self.log)?;
        let reader = self.log.reader();
        Ok(Compact {
            compaction: Some(compaction),
            cursor: reader.cursor(reader.start(), reader.end()),
            view: self.view(seq),
            head: self.head.seq,
            last_below: self.sources.horizon,
            output: Output::default(),
            transaction: 0,
            kept: 0,
            dropped: 0,
            snapshot: None,
            is_replaced: false,
        })
    }
}

impl Compact {
    /// Some more work; the line for people when it is done.
    pub fn step(&mut self, table: &mut Table) -> Result<Step<String>> {
        if self.is_replaced {
            return self.renew(table);
        }
        if table.head.seq != self.head {
            return Err(self.give_up(table));
        }
        for _ in 0..STEP_EVENTS {
            if !self.take_event()? {
                self.replace(table)?;
                return Ok(Step::Pause);
            }
        }
        if let Some(compaction) = &mut self.compaction {
            self.output.write(compaction, APPEND_BYTES)?;
        }
        Ok(Step::Pause)
    }

    /// Whether the new log has replaced the old one: no write ends the compaction any more.
    pub fn is_replaced(&self) -> bool {
        self.is_replaced
    }

    /// Ends the compaction because of a write; the error that says so.
    pub fn give_up(&mut self, table: &mut Table) -> Error {
        if let Err(error) = self.abort(table) {
            return error;
        }
        let name = &table.schema().name;
        let message = format!("table {name} was written while it was being compacted");
        Error::new(Code::Conflict, message)
    }

    /// The log is as it was.
    fn abort(&mut self, table: &mut Table) -> Result<()> {
        match self.compaction.take() {
            Some(compaction) => compaction.abort(&mut table.log),
            None => Ok(()),
        }
    }

    /// Reads an event and keeps what is to be kept of it; false at the end of the log.
    fn take_event(&mut self) -> Result<bool> {
        let Some((_, event)) = self.cursor.next_event()? else {
            return Ok(false);
        };
        let below = event.seq <= self.view.seq();
        if below && event.seq > self.last_below.seq {
            self.last_below = Horizon {
                seq: event.seq,
                time: event.time,
            };
        }
        let transaction = self.transaction;
        if !event.more {
            self.transaction += 1;
        }
        let kept = if below {
            latest(&self.view, &event, transaction)?
        } else {
            Some(Kept::verbatim(&event, transaction))
        };
        match kept {
            Some(kept) => {
                self.kept += 1;
                self.output.push(kept)?;
            }
            None => self.dropped += 1,
        }
        Ok(true)
    }

    /// The new log becomes the table's.
    fn replace(&mut self, table: &mut Table) -> Result<()> {
        let Some(mut compaction) = self.compaction.take() else {
            return Ok(());
        };
        self.output.end()?;
        self.output.write(&mut compaction, 0)?;
        compaction.finish(&mut table.log, self.last_below)?;
        self.is_replaced = true;
        Ok(())
    }

    /// Makes indexes of the new log and merges them, then a snapshot; the line for people at the end.
    fn renew(&mut self, table: &mut Table) -> Result<Step<String>> {
        if self.snapshot.is_none() && !table.is_spilled() {
            // The many runs of a large table are merged before they are read for the snapshot.
            if table.step_maintenance()? {
                return Ok(Step::Pause);
            }
            self.snapshot = table.take_snapshot()?.map(Box::new);
        }
        let env = table.env.clone();
        if let Some(snapshot) = &mut self.snapshot {
            match snapshot.step(&env)? {
                Step::Item(snapshot) => table.add_snapshot(snapshot)?,
                Step::Pause => return Ok(Step::Pause),
                Step::Done => {}
            }
        }
        let (name, horizon) = (&table.schema().name, self.last_below);
        let (kept, dropped) = (self.kept, self.dropped);
        Ok(Step::Item(format!(
            "table {name} compacted: {dropped} events dropped, {kept} kept; its history starts at @seq:{} ({})",
            horizon.seq.0, horizon.time
        )))
    }
}

/// What is kept of an event at or below the horizon.
fn latest(view: &View, event: &EventRef<'_>, transaction: u64) -> Result<Option<Kept>> {
    let mut key = Vec::new();
    keycode::encode(event.key.view(), &mut key);
    let mut walk = Walk::new(view.sources().clone(), &key, view.seq());
    let newest = walk.next()?;
    let is = |version: &Option<super::version::Version>| {
        version
            .as_ref()
            .is_some_and(|version| version.seq == event.seq)
    };
    if !is(&newest) {
        let before_deletion =
            newest.is_some_and(|newest| newest.op == Op::Delete) && is(&walk.next()?);
        if !before_deletion {
            return Ok(None);
        }
    }
    if event.op == Op::Delete {
        return Ok(Some(Kept::verbatim(event, transaction)));
    }
    let document = view
        .at(event.seq)
        .get_encoded(&key)?
        .as_ref()
        .map(Row::document);
    Ok(document.map(|document| Kept {
        op: Op::Insert,
        body: Some(document.to_vec()),
        ..Kept::verbatim(event, transaction)
    }))
}

impl Kept {
    fn verbatim(event: &EventRef<'_>, transaction: u64) -> Kept {
        Kept {
            transaction,
            seq: event.seq,
            time: event.time,
            op: event.op,
            key: event.key.as_bytes().to_vec(),
            body: event.body.map(|body| body.as_bytes().to_vec()),
            meta: event.meta.map(|meta| meta.as_bytes().to_vec()),
        }
    }
}

impl Output {
    fn push(&mut self, next: Kept) -> Result<()> {
        let transaction = next.transaction;
        if let Some(kept) = self.waiting.replace(next) {
            self.encode(&kept, kept.transaction == transaction)?;
        }
        Ok(())
    }

    fn end(&mut self) -> Result<()> {
        match self.waiting.take() {
            Some(kept) => self.encode(&kept, false),
            None => Ok(()),
        }
    }

    fn encode(&mut self, kept: &Kept, more: bool) -> Result<()> {
        let key = Raw::new(&kept.key)
            .ok_or_else(|| Error::new(Code::InvalidKey, "a key cannot be encoded"))?;
        let frame = EventRef {
            seq: kept.seq,
            time: kept.time,
            op: kept.op,
            more,
            key,
            body: kept.body.as_deref().and_then(Raw::new),
            meta: kept.meta.as_deref().and_then(Raw::new),
        };
        self.frames.push(&frame).map(|_| ())
    }

    fn write(&mut self, compaction: &mut Compaction, at_least: u64) -> Result<()> {
        if self.frames.len() as u64 > at_least {
            compaction.append(&self.frames)?;
            self.frames.clear();
        }
        Ok(())
    }
}
