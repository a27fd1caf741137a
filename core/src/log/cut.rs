//! Cutting a log back to the end of a transaction: what is torn, what was given up, what was not promised.

use alloc::string::String;
use alloc::vec::Vec;

use super::position::Position;
use super::scan::SharedBlob;
use super::segment::{HEADER_LEN, segment_path};
use super::segments::share;
use super::writer::Log;
use crate::error::{Code, Error, Result};
use crate::storage::{Access, Latch, Store};
use crate::time::{Seq, Timestamp};

/// Cuts a log back to `whole`: the segments after it first, each made empty and so none before it is removed, the highest first; then
/// the file itself. A crash in between leaves a log that is cut again.
pub(super) fn cut(
    latch: &Latch,
    store: &dyn Store,
    dir: &str,
    later: &[u64],
    blob: &SharedBlob,
    whole: Position,
) -> Result<()> {
    for number in later.iter().rev() {
        discard(latch, store, dir, *number)?;
    }
    let mut blob = blob.borrow_mut();
    latch.truncate(&mut **blob, whole.offset)?;
    latch.sync(&mut **blob)?;
    Ok(())
}

/// Removes a segment that must not come back whole after a crash: it is made empty first.
pub(super) fn discard(latch: &Latch, store: &dyn Store, dir: &str, number: u64) -> Result<String> {
    let path = segment_path(dir, number);
    if let Some(mut blob) = store.open(&path, Access::Write)? {
        latch.truncate(&mut *blob, 0)?;
        latch.sync(&mut *blob)?;
    }
    latch.remove(store, &path)?;
    Ok(path)
}

impl Log {
    /// Cuts the frames of a transaction that is given up; durable on return.
    pub fn cut_open(&mut self) -> Result<()> {
        if !self.is_open() {
            return Ok(());
        }
        self.cut_back(self.whole(), self.whole_last)
    }

    /// Cuts all transactions that end after `seq`; durable on return. Only behind the point from which commits were relaxed.
    pub fn cut_after(&mut self, seq: Seq) -> Result<()> {
        let Some(from) = self.relaxed_from else {
            return Err(Error::new(
                Code::Unsupported,
                "only commits that were not promised can be cut",
            ));
        };
        let mut keep = (from, None);
        let mut cursor = self.reader().cursor(from, self.whole());
        while let Some((_, frame)) = cursor.next_frame()? {
            let (at, whole) = ((frame.seq, frame.time), !frame.more);
            if frame.seq > seq {
                break;
            }
            if whole {
                keep = (cursor.position(), Some(at));
            }
        }
        let (to, last) = keep;
        match last {
            Some(last) => self.cut_back(to, last),
            None => {
                let last = self.last_before(from)?;
                self.cut_back(to, last)
            }
        }
    }

    /// Seq and time of the last frame before a place.
    fn last_before(&self, place: Position) -> Result<(Seq, Timestamp)> {
        let reader = self.reader();
        let infos = reader.segments();
        let before = infos
            .iter()
            .rev()
            .find(|info| info.number < place.segment && info.last.is_some());
        let mut last = before.and_then(|info| info.last).unwrap_or_default();
        let mut cursor = reader.cursor(Position::new(place.segment, HEADER_LEN), place);
        while let Some((_, frame)) = cursor.next_frame()? {
            last = (frame.seq, frame.time);
        }
        Ok(last)
    }

    fn cut_back(&mut self, to: Position, last: (Seq, Timestamp)) -> Result<()> {
        let latch = self.latch()?;
        let later: Vec<u64> = (to.segment + 1..=self.end.segment).collect();
        let blob = self.writable(to.segment)?;
        cut(
            &latch,
            &*self.segments.store,
            &self.segments.dir,
            &later,
            &blob,
            to,
        )?;
        {
            let mut slots = self.segments.slots.borrow_mut();
            slots.retain(|slot| slot.info.number <= to.segment);
            if let Some(slot) = slots.last_mut() {
                slot.blob = Some(blob);
            }
        }
        self.segments.update(to.segment, |info| {
            info.end = to.offset;
            info.first = info.first.filter(|(seq, _)| *seq <= last.0);
            info.last = info.first.map(|_| last);
        });
        self.segments.whole.set(to);
        (self.end, self.last, self.whole_last) = (to, (last.0 > Seq(0)).then_some(last), last);
        (self.reserved, self.unsynced) = (0, false);
        Ok(())
    }

    /// The file of a segment, open for writing: a sealed one may be open for reading only.
    fn writable(&self, number: u64) -> Result<SharedBlob> {
        if number == self.end.segment {
            return self.segments.blob(number);
        }
        let path = self.segments.path(number);
        let blob = self.segments.store.open(&path, Access::Write)?;
        blob.map(share)
            .ok_or_else(|| super::segments::missing(path))
    }
}
