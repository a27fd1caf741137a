//! Reading a log: a cheap handle on its segments, single frames by place, and cursors that stream.

use alloc::format;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;

use super::event::EventRef;
use super::frame::Frame;
use super::position::{Horizon, Position, SegmentInfo};
use super::scan::{FrameScan, Step};
use super::segment::{HEADER_BYTES, HEADER_LEN, Header};
use super::segments::Segments;
use crate::error::{Error, Result};
use crate::time::{Seq, Timestamp};

/// A handle on the segments of a log as they were when it was taken, with what the writer of this process appends since.
/// A compaction does not change what it reads: files that it needs stay readable.
#[derive(Clone)]
pub struct LogReader {
    segments: Rc<Segments>,
}

impl LogReader {
    pub(super) fn new(segments: Rc<Segments>) -> Self {
        LogReader { segments }
    }

    /// How many compactions the log has seen; positions are comparable within one generation.
    pub fn generation(&self) -> u64 {
        self.segments.generation
    }

    /// The point before which history was dropped.
    pub fn horizon(&self) -> Horizon {
        self.segments.horizon
    }

    /// The place of the first frame.
    pub fn start(&self) -> Position {
        self.segments.start()
    }

    /// The end of the last whole transaction.
    pub fn end(&self) -> Position {
        self.segments.whole.get()
    }

    /// What is known of the segments.
    pub fn segments(&self) -> Vec<SegmentInfo> {
        self.segments.infos()
    }

    /// Opens all files, so that what another process removes stays readable.
    /// # Errors
    /// `Code::FileMissing` if one is gone already; corrupt if one ends before its frames do.
    pub fn pin(&self) -> Result<()> {
        self.segments.pin()
    }

    /// The path of a segment's file, for errors.
    pub fn path(&self, segment: u64) -> String {
        self.segments.path(segment)
    }

    /// The header of a segment as it lies in its file, checked.
    /// # Errors
    /// Corrupt if it is not the header of that segment of this log.
    pub fn header(&self, segment: u64) -> Result<[u8; HEADER_BYTES]> {
        let mut bytes = [0; HEADER_BYTES];
        let blob = self.segments.blob(segment)?;
        let count = blob.borrow().read_at(0, &mut bytes)?;
        let header = Header::decode(bytes.get(..count).unwrap_or_default())?;
        match header.map(|header| (header.number, header.generation)) {
            Some(is) if is == (segment, self.generation()) => Ok(bytes),
            _ => Err(corrupt(
                &self.segments,
                Position::new(segment, 0),
                "the segment's header is damaged",
            )),
        }
    }

    /// Frames from `from` on up to `until`; both must be places where a frame starts or the log ends.
    pub fn cursor(&self, from: Position, until: Position) -> FrameCursor {
        FrameCursor {
            segments: Rc::clone(&self.segments),
            segment: from.segment,
            from,
            until,
            scan: None,
        }
    }
}

fn corrupt(segments: &Segments, at: Position, why: &str) -> Error {
    Error::corrupt(segments.path(at.segment), at.offset, why)
}

/// Streams frames in the order of the log. After an error it goes on nowhere.
pub struct FrameCursor {
    segments: Rc<Segments>,
    segment: u64,
    from: Position,
    until: Position,
    scan: Option<FrameScan>,
}

impl FrameCursor {
    /// Where the next frame starts, or would.
    pub fn position(&self) -> Position {
        match &self.scan {
            Some(scan) => Position::new(self.segment, scan.offset()),
            None => self.from,
        }
    }

    /// The next event and where its frame starts, wholly validated; `None` at the end.
    pub fn next_event(&mut self) -> Result<Option<(Position, EventRef<'_>)>> {
        let Some(at) = self.advance()? else {
            return Ok(None);
        };
        let Some(frame) = self.scan.as_ref().and_then(FrameScan::frame) else {
            return Ok(None);
        };
        match EventRef::read(&frame) {
            Ok(event) => Ok(Some((at, event))),
            Err(why) => Err(corrupt(&self.segments, at, why)),
        }
    }

    /// The next frame as it lies in the file, its checksum and fixed fields checked; `None` at the end.
    pub fn next_frame(&mut self) -> Result<Option<Frame<'_>>> {
        match self.advance()? {
            Some(_) => Ok(self.scan.as_ref().and_then(FrameScan::frame)),
            None => Ok(None),
        }
    }

    /// Reads the next frame; its place, or `None` at the end.
    fn advance(&mut self) -> Result<Option<Position>> {
        loop {
            let at = self.position();
            if at >= self.until {
                self.stop(at);
                return Ok(None);
            }
            let scan = match &mut self.scan {
                Some(scan) => scan,
                empty => {
                    let start = FrameScan::new(
                        self.segments.blob(at.segment)?,
                        at.offset,
                        (Seq(0), Timestamp(0)),
                    );
                    empty.insert(start)
                }
            };
            match scan.advance()? {
                Step::Frame => return Ok(Some(at)),
                Step::Eof if at.segment < self.until.segment => {
                    let end = self.segments.info(at.segment).map_or(0, |info| info.end);
                    if end != at.offset {
                        return Err(corrupt(
                            &self.segments,
                            at,
                            &format!("the segment ends before offset {end}"),
                        ));
                    }
                    self.segment = at.segment + 1;
                    scan.enter(self.segments.blob(self.segment)?, HEADER_LEN);
                }
                Step::Eof => {
                    return Err(corrupt(
                        &self.segments,
                        at,
                        "the file ends before the log does",
                    ));
                }
                Step::Invalid(why) => return Err(corrupt(&self.segments, at, why)),
            }
        }
    }

    fn stop(&mut self, at: Position) {
        self.scan = None;
        self.from = at;
    }
}
