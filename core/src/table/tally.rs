//! How many events of a table lie below bounds: the nearest mark knows how many came before it, and what lies between is counted.

use alloc::rc::Rc;

use super::marks::Upto;
use super::sources::Sources;
use crate::error::Result;
use crate::log::{FrameCursor, Position};
use crate::time::Seq;

/// Counts events up to bounds that do not fall from one to the next: then no part of the log is read twice, and stretches without a bound are not
/// read at all.
pub struct Tally {
    sources: Rc<Sources>,
    cursor: FrameCursor,
    /// Events before the cursor.
    passed: u64,
    /// An event that was read and lay above the bound.
    ahead: Option<(Seq, crate::time::Timestamp)>,
}

impl Tally {
    /// A tally of all events that `sources` have in the log.
    pub fn new(sources: Rc<Sources>) -> Self {
        let cursor = sources.log.cursor(sources.log_start, sources.log.end());
        Tally {
            sources,
            cursor,
            passed: 0,
            ahead: None,
        }
    }

    /// How many events the bound covers.
    pub fn upto(&mut self, upto: Upto) -> Result<u64> {
        if let Some((seq, time)) = self.ahead {
            if !upto.covers(seq, time) {
                return Ok(self.passed);
            }
            (self.passed, self.ahead) = (self.passed + 1, None);
        }
        let place = self.sources.place(upto)?;
        if let Some(place) = place.filter(|place| place.events > self.passed) {
            self.enter(place.at, place.events);
        }
        while let Some((_, event)) = self.cursor.next_event()? {
            if !upto.covers(event.seq, event.time) {
                self.ahead = Some((event.seq, event.time));
                break;
            }
            self.passed += 1;
        }
        Ok(self.passed)
    }

    fn enter(&mut self, at: Position, events: u64) {
        let log = &self.sources.log;
        (self.cursor, self.passed) = (log.cursor(at, log.end()), events);
    }
}
