//! Cutting a log back to the end of a transaction: what is torn, what was given up.

use alloc::string::String;
use alloc::vec::Vec;

use super::position::Position;
use super::scan::SharedBlob;
use super::segment::segment_path;
use super::segments::share;
use super::writer::Log;
use crate::error::Result;
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
