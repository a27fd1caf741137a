//! Scanning a log from its checkpoint to its end, over its segments.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cmp::Ordering;

use super::open::Attempt;
use super::position::{LogHints, Position, SegmentInfo};
use super::recover::{self, End, Verdict};
use super::scan::{FrameScan, SharedBlob, Step};
use super::segment::{HEADER_LEN, Header, segment_path};
use super::survey::Survey;
use crate::error::{Error, Result};
use crate::time::{Seq, Timestamp};

/// What a scan found.
pub(super) struct Scanned {
    pub infos: Vec<SegmentInfo>,
    /// The end of the last whole transaction.
    pub whole: Position,
    /// Seq and time of the last frame before it.
    pub last: (Seq, Timestamp),
    pub verdict: Verdict,
    /// Where the scan stopped, and why.
    pub stop: Position,
    pub why: &'static str,
    pub from: Position,
}

impl Scanned {
    pub fn corrupt(&self, dir: &str) -> Error {
        Error::corrupt(
            segment_path(dir, self.stop.segment),
            self.stop.offset,
            self.why,
        )
    }
}

impl Attempt<'_> {
    /// Scans the log that was found.
    pub fn scan(&self, found: &Survey) -> Result<Scanned> {
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
                Ordering::Less => 0,
                Ordering::Equal => from.offset,
                Ordering::Greater => u64::MAX,
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
