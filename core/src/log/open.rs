//! Opening a log: find its segments, put the journal's parts in place, scan from the checkpoint, and judge what follows the last whole
//! transaction. A writer cuts what is torn and removes files that are not the log's; a reader changes nothing.

use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};

use super::chain::Scanned;
use super::cut::{cut, discard};
use super::journal::Part;
use super::position::{Horizon, LogHints, Position};
use super::recover::Verdict;
use super::scan::SharedBlob;
use super::segment::segment_path;
use super::segments::{Segments, Slot, share};
use super::survey::{Survey, survey};
use super::writer::Mode;
use crate::error::{Code, Result};
use crate::storage::{Access, Latch, Store};
use crate::time::{Seq, Timestamp};

/// How often a reader looks again when files come and go under it.
const READER_TRIES: u32 = 8;

/// What opening a log found and did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Bytes of an unfinished append at the end: cut by a writer, ignored by a reader.
    pub torn_bytes: u64,
    /// Bytes of the journal that the log lacked and has now.
    pub restored_bytes: u64,
    /// Files that a stopped compaction or rotation left, removed by a writer.
    pub removed: Vec<String>,
    /// Where the scan started.
    pub scanned_from: Position,
}

/// What [`super::Log::refresh`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refreshed {
    /// The log is as it was.
    Unchanged,
    /// It goes on from here.
    Grown(Position),
    /// A compaction has replaced it: positions of before mean nothing now.
    Replaced,
}

/// A log that was found whole, or made so.
pub(super) struct Opened {
    pub segments: Segments,
    /// Seq and time of the last frame of the last whole transaction.
    pub last: (Seq, Timestamp),
    pub recovery: Recovery,
}

pub(super) fn open(
    store: &Rc<dyn Store>,
    dir: &str,
    mode: &Mode,
    hints: &LogHints,
    parts: &[Part],
) -> Result<Opened> {
    let attempt = Attempt {
        store,
        dir,
        hints,
        parts,
    };
    match mode {
        Mode::Write(latch) => attempt.write(latch),
        Mode::Read => attempt.read(),
    }
}

/// One look at a log.
pub(super) struct Attempt<'a> {
    pub store: &'a Rc<dyn Store>,
    pub dir: &'a str,
    pub hints: &'a LogHints,
    pub parts: &'a [Part],
}

impl Attempt<'_> {
    fn write(&self, latch: &Rc<Latch>) -> Result<Opened> {
        let mut found = survey(&**self.store, self.dir, Access::Write, self.hints)?;
        let under = self.lay_over(&mut found)?;
        let scanned = self.scan(&found)?;
        let torn_bytes = match scanned.verdict {
            Verdict::Corrupt => return Err(scanned.corrupt(self.dir)),
            Verdict::Clean => 0,
            Verdict::Torn(bytes) => bytes,
        };
        let restored_bytes = match under {
            Some(under) => self.restore(latch, &mut found, under)?,
            None => 0,
        };
        let removed = self.sweep(latch, &found)?;
        let recovery = Recovery {
            torn_bytes,
            restored_bytes,
            removed,
            scanned_from: scanned.from,
        };
        let torn = torn_bytes > 0;
        let horizon = self.horizon(&found)?;
        if torn {
            let after = found
                .chain
                .iter()
                .filter(|link| link.number > scanned.whole.segment);
            let later: Vec<u64> = after.map(|link| link.number).collect();
            let blob = self.writable(&found, scanned.whole.segment)?;
            cut(latch, &**self.store, self.dir, &later, &blob, scanned.whole)?;
            found
                .chain
                .retain(|link| link.number <= scanned.whole.segment);
        }
        Ok(self.opened(found, scanned, horizon, recovery))
    }

    /// A writer may be changing the files meanwhile: what looks wrong is looked at again, and while it is open nothing behind the
    /// checkpoint is called corrupt.
    fn read(&self) -> Result<Opened> {
        let mut tries = 0;
        loop {
            tries += 1;
            let locked_before = self.store.lock_state()?.is_held();
            match self.read_once(locked_before) {
                Ok(opened) => return Ok(opened),
                Err(error) if tries >= READER_TRIES => return Err(error),
                Err(error) if matches!(error.code(), Code::FileMissing | Code::Corrupt) => {
                    // Without a writer before and after, the verdict stands; one more look settles a writer that came and went.
                    if tries >= 2 && !locked_before && !self.store.lock_state()?.is_held() {
                        return Err(error);
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn read_once(&self, locked: bool) -> Result<Opened> {
        let mut found = survey(&**self.store, self.dir, Access::Read, self.hints)?;
        self.lay_over(&mut found)?;
        let scanned = self.scan(&found)?;
        let last_segment = found.chain.last().map_or(0, |link| link.number);
        let torn_bytes = match scanned.verdict {
            Verdict::Clean => 0,
            Verdict::Torn(bytes) => bytes,
            Verdict::Corrupt if locked && scanned.stop.segment == last_segment => 0,
            Verdict::Corrupt => return Err(scanned.corrupt(self.dir)),
        };
        let horizon = self.horizon(&found)?;
        let recovery = Recovery {
            torn_bytes,
            scanned_from: scanned.from,
            ..Recovery::default()
        };
        found
            .chain
            .retain(|link| link.number <= scanned.whole.segment);
        Ok(self.opened(found, scanned, horizon, recovery))
    }

    fn opened(
        &self,
        found: Survey,
        scanned: Scanned,
        horizon: Horizon,
        recovery: Recovery,
    ) -> Opened {
        let generation = found
            .chain
            .iter()
            .find_map(|link| link.opened.as_ref())
            .map_or(0, |(header, _)| header.generation);
        let blobs = found
            .chain
            .into_iter()
            .map(|link| link.opened.map(|(_, blob)| blob));
        let slots = scanned
            .infos
            .into_iter()
            .zip(blobs)
            .map(|(info, blob)| Slot { info, blob })
            .collect();
        let segments = Segments {
            store: Rc::clone(self.store),
            dir: self.dir.into(),
            generation,
            horizon,
            slots: RefCell::new(slots),
            whole: Cell::new(scanned.whole),
        };
        Opened {
            segments,
            last: scanned.last,
            recovery,
        }
    }

    /// From the first segment's header, or from the hints if it was not looked at.
    fn horizon(&self, found: &Survey) -> Result<Horizon> {
        Ok(match found.chain.first().map(|link| &link.opened) {
            Some(Some((header, _))) => header
                .replaces
                .map_or(Horizon::default(), |replaces| replaces.horizon),
            _ => self.hints.horizon,
        })
    }

    fn writable(&self, found: &Survey, number: u64) -> Result<SharedBlob> {
        let link = found.chain.iter().find(|link| link.number == number);
        if let Some((_, blob)) = link.and_then(|link| link.opened.as_ref()) {
            return Ok(Rc::clone(blob));
        }
        let path = segment_path(self.dir, number);
        let blob = self.store.open(&path, Access::Write)?;
        blob.map(share)
            .ok_or_else(|| super::segments::missing(path))
    }

    /// Removes the files that are not the log's.
    fn sweep(&self, latch: &Latch, found: &Survey) -> Result<Vec<String>> {
        let mut removed = Vec::new();
        for number in found.unborn.iter().rev() {
            removed.push(discard(latch, &**self.store, self.dir, *number)?);
        }
        for number in &found.replaced {
            let path = segment_path(self.dir, *number);
            latch.remove(&**self.store, &path)?;
            removed.push(path);
        }
        Ok(removed)
    }
}
