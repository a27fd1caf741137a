//! Reading frames one after another from one segment's file, in chunks.

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;

use super::event::Op;
use super::frame::{self, Decoded, Frame};
use crate::error::Result;
use crate::storage::Blob;
use crate::time::{Seq, Timestamp};

/// A blob that the log and its readers share.
pub(super) type SharedBlob = Rc<RefCell<Box<dyn Blob>>>;

const CHUNK_FIRST: usize = 16 << 10;
const CHUNK_MAX: usize = 256 << 10;

/// What [`FrameScan::advance`] came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A valid frame: [`FrameScan::frame`].
    Frame,
    /// The end of the file.
    Eof,
    /// Something that is no frame; why not.
    Invalid(&'static str),
}

/// A place in a segment's file, the last seq and time before it, and a chunk of the bytes after it.
pub(super) struct FrameScan {
    blob: SharedBlob,
    offset: u64,
    last: (Seq, Timestamp),
    buffer: Vec<u8>,
    start: usize,
    filled: usize,
    chunk: usize,
    current: Option<Current>,
}

#[derive(Clone, Copy)]
struct Current {
    seq: Seq,
    time: Timestamp,
    op: Op,
    more: bool,
    start: usize,
    payload: usize,
    end: usize,
}

impl FrameScan {
    /// A scan from `offset`, where the frame before had this seq and time.
    pub fn new(blob: SharedBlob, offset: u64, last: (Seq, Timestamp)) -> Self {
        let (buffer, start, filled, chunk) = (Vec::new(), 0, 0, CHUNK_FIRST);
        FrameScan {
            blob,
            offset,
            last,
            buffer,
            start,
            filled,
            chunk,
            current: None,
        }
    }

    /// Goes on in another segment, and keeps the memory.
    pub fn enter(&mut self, blob: SharedBlob, offset: u64) {
        (
            self.blob,
            self.offset,
            self.start,
            self.filled,
            self.current,
        ) = (blob, offset, 0, 0, None);
    }

    /// Where the next frame starts.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Reads the next frame. After anything but a frame the place stays.
    pub fn advance(&mut self) -> Result<Step> {
        self.current = None;
        loop {
            let rest = self.buffer.get(self.start..self.filled).unwrap_or_default();
            let frame = match frame::decode(rest) {
                Decoded::Frame(frame) => frame,
                Decoded::Zero => return Ok(Step::Invalid("a frame's length is zero")),
                Decoded::Invalid(why) => return Ok(Step::Invalid(why)),
                Decoded::Short(need) => {
                    let have = rest.len();
                    if self.fill(need)? {
                        continue;
                    }
                    return Ok(if have == 0 && self.filled == self.start {
                        Step::Eof
                    } else {
                        Step::Invalid("the frame is cut")
                    });
                }
            };
            if frame.seq <= self.last.0 {
                return Ok(Step::Invalid("the frame's seq does not rise"));
            }
            if frame.time < self.last.1 {
                return Ok(Step::Invalid(
                    "the frame's time is before the one of the frame before",
                ));
            }
            let end = self.start + frame.bytes.len();
            let payload = end - frame.payload.len();
            let Frame {
                seq,
                time,
                op,
                more,
                ..
            } = frame;
            self.current = Some(Current {
                seq,
                time,
                op,
                more,
                start: self.start,
                payload,
                end,
            });
            self.last = (seq, time);
            self.offset += (end - self.start) as u64;
            self.start = end;
            return Ok(Step::Frame);
        }
    }

    /// The frame that the last [`FrameScan::advance`] read.
    pub fn frame(&self) -> Option<Frame<'_>> {
        let current = self.current?;
        let bytes = self.buffer.get(current.start..current.end)?;
        let payload = self.buffer.get(current.payload..current.end)?;
        let Current {
            seq,
            time,
            op,
            more,
            ..
        } = current;
        Some(Frame {
            seq,
            time,
            op,
            more,
            payload,
            bytes,
        })
    }

    /// Reads on until `need` bytes from the place are there; false if the file ends before.
    fn fill(&mut self, need: usize) -> Result<bool> {
        self.buffer.copy_within(self.start..self.filled, 0);
        self.filled -= self.start;
        self.start = 0;
        let want = need.max(self.chunk);
        self.chunk = (self.chunk * 4).min(CHUNK_MAX);
        if self.buffer.len() < want {
            self.buffer.resize(want, 0);
        }
        let blob = self.blob.borrow();
        while self.filled < need {
            let space = self.buffer.get_mut(self.filled..).unwrap_or_default();
            let count = blob.read_at(self.offset + self.filled as u64, space)?;
            if count == 0 {
                return Ok(false);
            }
            self.filled += count;
        }
        Ok(true)
    }
}
