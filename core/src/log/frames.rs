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
