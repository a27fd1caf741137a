//! Encoded frames on their way into a log: what one append writes.

use alloc::vec::Vec;

use super::event::EventRef;
use super::frame;
use crate::error::{Code, Error, Result};
use crate::time::{Seq, Timestamp};

/// A run of encoded frames with rising seqs, and what the log needs to know of it.
#[derive(Clone, Debug, Default)]
pub struct Frames {
    bytes: Vec<u8>,
    first: Option<(Seq, Timestamp)>,
    last: Option<(Seq, Timestamp)>,
    open: bool,
}

impl Frames {
    /// No frames.
    pub fn new() -> Self {
        Self::default()
    }

    /// Encodes an event behind the others; returns the offset of its frame from the start of the run.
    /// # Errors
    /// `Code::Limit` if it is larger than a frame can be, `Code::OutOfRange` if its seq does not rise or its time falls.
    pub fn push(&mut self, event: &EventRef<'_>) -> Result<u64> {
        check_rises(self.last, event.seq, event.time)?;
        let at = self.bytes.len() as u64;
        frame::encode(event, &mut self.bytes)?;
        self.note(event.seq, event.time, event.more);
        Ok(at)
    }

    /// Encodes an event of a transaction that is not committed yet: its time, and whether it is the last one, are filled in by [`Frames::seal`].
    /// # Errors
    /// Those of [`Frames::push`].
    pub fn draft(&mut self, event: &EventRef<'_>) -> Result<()> {
        let time = self.last.map_or(event.time, |(_, time)| time);
        check_rises(self.last, event.seq, time)?;
        frame::draft(event, &mut self.bytes)?;
        self.note(event.seq, time, true);
        Ok(())
    }

    /// Ends the transaction that all these drafts are, at `time`.
    pub fn seal(&mut self, time: Timestamp) {
        let last = self.last.map(|(seq, _)| seq);
        let mut rest = self.bytes.as_mut_slice();
        while let Some((seq, len)) = frame::peek(rest) {
            let Some((this, behind)) = core::mem::take(&mut rest).split_at_mut_checked(len) else {
                break;
            };
            frame::finish(this, time, Some(seq) != last);
            rest = behind;
        }
        for end in [&mut self.first, &mut self.last].into_iter().flatten() {
            end.1 = time;
        }
        self.open = false;
    }

    /// Gives `write` all drafts but the last as frames of a transaction at `time` that goes on, in pieces of about `size` bytes, each with the number
    /// of its frames. The last draft is left.
    pub fn spill(
        &mut self,
        time: Timestamp,
        size: usize,
        mut write: impl FnMut(&Frames, u64) -> Result<()>,
    ) -> Result<()> {
        let mut bytes = core::mem::take(&mut self.bytes);
        let (mut last, mut at) = (0, 0);
        while let Some((seq, len)) = bytes.get(at..).and_then(frame::peek) {
            self.first = Some((seq, time));
            (last, at) = (at, at + len);
        }
        self.last = self.first;
        self.bytes = bytes.split_off(last);
        let mut rest = bytes.as_slice();
        let (mut piece, mut count) = (Frames::new(), 0);
        while let Some((seq, len)) = frame::peek(rest) {
            let Some((this, behind)) = rest.split_at_checked(len) else {
                break;
            };
            let start = piece.bytes.len();
            piece.bytes.extend_from_slice(this);
            frame::finish(piece.bytes.get_mut(start..).unwrap_or_default(), time, true);
            piece.note(seq, time, true);
            (rest, count) = (behind, count + 1);
            if piece.len() >= size || rest.is_empty() {
                write(&piece, count)?;
                piece.clear();
                count = 0;
            }
        }
        Ok(())
    }

    /// Takes out the drafts above `seq`; how many were there.
    pub fn drop_above(&mut self, above: Seq) -> u64 {
        if self.last.is_none_or(|(last, _)| last <= above) {
            return 0;
        }
        let (mut at, mut kept, mut dropped) = (0, None, 0);
        let mut end = self.bytes.len();
        while let Some((seq, len)) = self.bytes.get(at..).and_then(frame::peek) {
            if seq > above {
                end = end.min(at);
                dropped += 1;
            } else {
                kept = Some(seq);
            }
            at += len;
        }
        self.bytes.truncate(end);
        let time = self.last.map(|(_, time)| time);
        self.last = kept.zip(time);
        self.first = self.first.filter(|_| kept.is_some());
        dropped
    }

    /// Adds whole transactions behind the others.
    pub fn append(&mut self, more: &Frames) {
        self.bytes.extend_from_slice(&more.bytes);
        self.first = self.first.or(more.first);
        self.last = more.last.or(self.last);
        self.open = more.open;
    }

    fn note(&mut self, seq: Seq, time: Timestamp, more: bool) {
        self.first.get_or_insert((seq, time));
        self.last = Some((seq, time));
        self.open = more;
    }

    /// Forgets all frames and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        (self.first, self.last, self.open) = (None, None, false);
    }

    /// The frames as they will lie in the file.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Their length in bytes.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Seq and time of the first frame.
    pub fn first(&self) -> Option<(Seq, Timestamp)> {
        self.first
    }

    /// Seq and time of the last frame.
    pub fn last(&self) -> Option<(Seq, Timestamp)> {
        self.last
    }

    /// Whether the last frame says that its transaction goes on.
    pub fn is_open(&self) -> bool {
        self.open
    }
}

/// Checks that a frame may follow another.
pub(super) fn check_rises(last: Option<(Seq, Timestamp)>, seq: Seq, time: Timestamp) -> Result<()> {
    match last {
        Some((last_seq, last_time)) if seq <= last_seq || time < last_time => {
            let message = alloc::format!(
                "seq {} at time {} cannot follow seq {} at time {}",
                seq.0,
                time.0,
                last_seq.0,
                last_time.0
            );
            Err(Error::new(Code::OutOfRange, message))
        }
        _ => Ok(()),
    }
}
