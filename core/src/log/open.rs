//! Opening a log: find its segments, put the journal's parts in place, scan from the checkpoint, and judge what follows the last whole
//! transaction. A writer cuts what is torn and removes files that are not the log's; a reader changes nothing.

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};

use super::journal::Part;
use super::overlay::Overlay;
use super::position::{Horizon, LogHints, Position, SegmentInfo};
use super::recover::{self, End, Verdict};
use super::scan::{FrameScan, SharedBlob, Step};
use super::segment::{HEADER_LEN, Header, segment_path};
use super::segments::{Segments, Slot, share};
use super::survey::{Link, Survey, survey};
use super::writer::Mode;
use crate::error::{Code, Error, Result};
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

struct Attempt<'a> {
    store: &'a Rc<dyn Store>,
    dir: &'a str,
    hints: &'a LogHints,
    parts: &'a [Part],
}

/// What a scan found.
struct Scanned {
    infos: Vec<SegmentInfo>,
    whole: Position,
    last: (Seq, Timestamp),
    verdict: Verdict,
    stop: Position,
    why: &'static str,
    from: Position,
}

impl Scanned {
    fn corrupt(&self, dir: &str) -> Error {
        Error::corrupt(
            segment_path(dir, self.stop.segment),
            self.stop.offset,
            self.why,
        )
    }
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
            let locked_before = self.store.is_locked()?;
            match self.read_once(locked_before) {
                Ok(opened) => return Ok(opened),
                Err(error) if tries >= READER_TRIES => return Err(error),
                Err(error) if matches!(error.code(), Code::FileMissing | Code::Corrupt) => {
                    // Without a writer before and after, the verdict stands; one more look settles a writer that came and went.
                    if tries >= 2 && !locked_before && !self.store.is_locked()? {
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

    /// The parts that lie in the last segment: the others were synced when their segment was sealed.
    fn parts_in<'b>(&'b self, link: &'b Link) -> impl Iterator<Item = &'b Part> {
        let generation = link.opened.as_ref().map(|(header, _)| header.generation);
        let here = move |part: &&Part| {
            Some(part.generation) == generation && part.position.segment == link.number
        };
        self.parts.iter().filter(here)
    }

    /// Lays the journal's parts over the last segment's file; returns the file itself if there are any.
    /// # Errors
    /// Corrupt if the log ends before the place where a part goes.
    fn lay_over(&self, found: &mut Survey) -> Result<Option<SharedBlob>> {
        let Some(link) = found.chain.last() else {
            return Ok(None);
        };
        let Some((_, blob)) = &link.opened else {
            return Ok(None);
        };
        let under = Rc::clone(blob);
        let mut end = under.borrow().len()?;
        let mut parts: Vec<(u64, Rc<[u8]>)> = Vec::new();
        for part in self.parts_in(link) {
            let Position { segment, offset } = part.position;
            if offset > end {
                let why = "the log ends before the place where the journal goes on";
                return Err(Error::corrupt(segment_path(self.dir, segment), offset, why));
            }
            end = end.max(offset + part.frames.len() as u64);
            parts.push((offset, part.frames.as_slice().into()));
        }
        if parts.is_empty() {
            return Ok(None);
        }
        let over = Overlay {
            under: Rc::clone(&under),
            parts,
        };
        set_last_blob(found, share(Box::new(over)));
        Ok(Some(under))
    }

    /// Makes the file under an overlay what the overlay shows, and puts it back in the overlay's place. Frames that follow the parts
    /// are kept: the whole rest is written again. Returns how many bytes of the parts were not there.
    fn restore(&self, latch: &Latch, found: &mut Survey, under: SharedBlob) -> Result<u64> {
        let mut lacking = 0;
        let mut rest = None;
        if let Some(link) = found.chain.last() {
            for part in self.parts_in(link) {
                let mut there = vec![0; part.frames.len()];
                let count = under.borrow().read_at(part.position.offset, &mut there)?;
                if count < there.len() || there != part.frames {
                    lacking += part.frames.len() as u64;
                    rest.get_or_insert(part.position.offset);
                }
            }
            if let (Some(from), Some((_, over))) = (rest, &link.opened) {
                let wanted = read_to_end(over, from)?;
                let mut blob = under.borrow_mut();
                latch.truncate(&mut **blob, from)?;
                latch.append(&mut **blob, from, &wanted)?;
                latch.sync(&mut **blob)?;
            }
        }
        set_last_blob(found, under);
        Ok(lacking)
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

    fn scan(&self, found: &Survey) -> Result<Scanned> {
        let mut scan = ChainScan::start(self, found)?;
        let first = scan.from.segment;
        let mut chain = found
            .chain
            .iter()
            .filter(|link| link.number >= first)
            .peekable();
        while let Some(link) = chain.next() {
            let next = chain
                .peek()
                .and_then(|next| next.opened.as_ref())
                .map(|(header, _)| *header);
            if let Some((_, blob)) = &link.opened
                && !scan.segment(link.number, blob, next.as_ref())?
            {
                break;
            }
        }
        Ok(scan.finish())
    }
}

fn set_last_blob(found: &mut Survey, blob: SharedBlob) {
    if let Some((_, place)) = found.chain.last_mut().and_then(|link| link.opened.as_mut()) {
        *place = blob;
    }
}

fn read_to_end(blob: &SharedBlob, from: u64) -> Result<Vec<u8>> {
    let blob = blob.borrow();
    let rest = blob.len()?.saturating_sub(from);
    let mut bytes = vec![0; usize::try_from(rest).unwrap_or(0)];
    let count = blob.read_at(from, &mut bytes)?;
    bytes.truncate(count);
    Ok(bytes)
}

/// Scanning the chain from the checkpoint.
struct ChainScan<'a> {
    hints: &'a LogHints,
    hinted: bool,
    /// The end of the journal's parts in the last segment.
    journaled: u64,
    scan: Option<FrameScan>,
    infos: Vec<SegmentInfo>,
    from: Position,
    whole: Position,
    /// Seq and time at `whole`.
    last: (Seq, Timestamp),
    /// Inside a transaction whose end has not come yet.
    open: bool,
    verdict: Verdict,
    stop: Position,
    why: &'static str,
}

impl<'a> ChainScan<'a> {
    fn start(attempt: &Attempt<'a>, found: &Survey) -> Result<Self> {
        let first = found.chain.first().map_or(1, |link| link.number);
        let (from, last) = match found.checkpoint {
            Some(checkpoint) => (checkpoint.position, (checkpoint.seq, checkpoint.time)),
            None => (Position::new(first, HEADER_LEN), (Seq(0), Timestamp(0))),
        };
        let below = attempt
            .hints
            .segments
            .iter()
            .take_while(|info| info.number < from.segment);
        let infos = if found.checkpoint.is_some() {
            below.copied().collect()
        } else {
            Vec::new()
        };
        let parts = found
            .chain
            .last()
            .into_iter()
            .flat_map(|link| attempt.parts_in(link));
        let journaled = parts
            .map(|part| part.position.offset + part.frames.len() as u64)
            .max()
            .unwrap_or(0);
        let (hints, hinted) = (attempt.hints, found.hinted);
        let verdict = Verdict::Clean;
        Ok(ChainScan {
            hints,
            hinted,
            journaled,
            scan: None,
            infos,
            from,
            whole: from,
            last,
            open: false,
            verdict,
            stop: from,
            why: "",
        })
    }

    /// A lower bound of the durable bytes of a segment.
    fn bound(&self, number: u64) -> u64 {
        let hinted = self
            .hints
            .segments
            .iter()
            .find(|info| self.hinted && info.number == number);
        let from = if self.from.segment == number {
            self.from.offset
        } else {
            0
        };
        hinted.map_or(0, |info| info.end).max(from)
    }

    /// Scans one segment; `next` is the header of the one after. Returns whether to go on.
    fn segment(&mut self, number: u64, blob: &SharedBlob, next: Option<&Header>) -> Result<bool> {
        let offset = if number == self.from.segment {
            self.from.offset
        } else {
            HEADER_LEN
        };
        let mut info = SegmentInfo {
            number,
            end: offset,
            first: None,
            last: None,
        };
        if number == self.from.segment
            && let Some(known) = self
                .hints
                .segments
                .iter()
                .find(|info| self.hinted && info.number == number)
        {
            info.first = known.first.filter(|(seq, _)| *seq <= self.last.0);
            info.last = info.first.map(|_| self.last);
        }
        let mut scan = match self.scan.take() {
            Some(mut scan) => {
                scan.enter(Rc::clone(blob), offset);
                scan
            }
            None => FrameScan::new(Rc::clone(blob), offset, self.last),
        };
        if !self.open {
            self.whole = Position::new(number, offset);
        }
        let step = loop {
            let step = scan.advance()?;
            let Some(frame) = scan.frame().filter(|_| step == Step::Frame) else {
                break step;
            };
            let at = (frame.seq, frame.time);
            self.open = frame.more;
            info.first.get_or_insert(at);
            info.last = Some(at);
            if !self.open {
                (self.whole, self.last) = (Position::new(number, scan.offset()), at);
            }
        };
        info.end = scan.offset();
        self.stop = Position::new(number, scan.offset());
        self.infos.push(info);
        let sealed = match next {
            Some(next) => self.sealed(step, next),
            None => {
                self.judge(blob, step)?;
                false
            }
        };
        self.scan = Some(scan);
        Ok(sealed)
    }

    /// Whether a segment that has a successor is as its successor's header says.
    fn sealed(&mut self, step: Step, next: &Header) -> bool {
        let fault = match step {
            Step::Invalid(why) => Some(why),
            _ if self.stop.offset != next.previous_end => {
                Some("the segment is not as long as it was when it was sealed")
            }
            _ if self.open != next.continues => {
                Some("the segment's end and the next one's header differ about an open transaction")
            }
            _ => None,
        };
        if let Some(why) = fault {
            (self.verdict, self.why) = (Verdict::Corrupt, why);
        }
        fault.is_none()
    }

    /// Judges the end of the last segment.
    fn judge(&mut self, blob: &SharedBlob, step: Step) -> Result<()> {
        let number = self.stop.segment;
        // A transaction that began in a segment before is cut with all of this one's frames.
        let whole = if self.whole.segment == number {
            self.whole.offset
        } else {
            HEADER_LEN
        };
        let relaxed_from = self.hints.relaxed_from.filter(|_| self.hinted).map(|from| {
            match from.segment.cmp(&number) {
                core::cmp::Ordering::Less => 0,
                core::cmp::Ordering::Equal => from.offset,
                core::cmp::Ordering::Greater => u64::MAX,
            }
        });
        let (seq, _) = self
            .infos
            .last()
            .and_then(|info| info.last)
            .unwrap_or(self.last);
        let end = End {
            whole,
            stop: self.stop.offset,
            seq,
            bound: self.bound(number).max(self.journaled),
            relaxed_from,
        };
        self.verdict = recover::judge(blob, &end)?;
        if self.verdict == Verdict::Clean && self.open {
            self.verdict = Verdict::Torn(HEADER_LEN);
        }
        self.why = match step {
            Step::Invalid(why) => why,
            _ => "the file ends before the frames that were in it",
        };
        Ok(())
    }

    fn finish(mut self) -> Scanned {
        // What an unfinished transaction added is not the log's.
        self.infos.retain(|info| info.number <= self.whole.segment);
        if let Some(info) = self
            .infos
            .last_mut()
            .filter(|info| info.number == self.whole.segment && info.end > self.whole.offset)
        {
            info.end = self.whole.offset;
            info.first = info.first.filter(|(seq, _)| *seq <= self.last.0);
            info.last = info.first.map(|_| self.last);
        }
        let ChainScan {
            infos,
            whole,
            last,
            verdict,
            stop,
            why,
            from,
            ..
        } = self;
        Scanned {
            infos,
            whole,
            last,
            verdict,
            stop,
            why,
            from,
        }
    }
}

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
