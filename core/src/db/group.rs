//! Frames on their way into logs, by table: those of a transaction while it is open, and those of commits that wait to be written.

use alloc::rc::Rc;
use alloc::vec::Vec;

use crate::error::Result;
use crate::log::{EventRef, Frames};
use crate::time::{Seq, Timestamp};

/// Frames by table, in the order in which the tables were first written.
#[derive(Default)]
pub struct Group {
    pub(super) parts: Vec<Part>,
}

/// The frames of one table.
pub struct Part {
    pub(super) table: Rc<str>,
    pub(super) frames: Frames,
    pub(super) events: u64,
}

impl Group {
    /// Whether there are no frames.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// How many events there are.
    pub fn events(&self) -> u64 {
        self.parts.iter().map(|part| part.events).sum()
    }

    /// The last event's seq.
    pub fn last(&self) -> Option<Seq> {
        let last = |part: &Part| part.frames.last().map(|(seq, _)| seq);
        self.parts.iter().filter_map(last).max()
    }

    /// How many bytes the frames have.
    pub fn bytes(&self) -> usize {
        self.parts.iter().map(|part| part.frames.len()).sum()
    }

    /// The tables that have frames in it.
    pub fn tables(&self) -> Vec<Rc<str>> {
        self.parts.iter().map(|part| part.table.clone()).collect()
    }

    /// Adds an event of a transaction that is open.
    pub fn draft(&mut self, table: &str, event: &EventRef<'_>) -> Result<()> {
        let at = match self.parts.iter().position(|part| *part.table == *table) {
            Some(at) => at,
            None => {
                self.parts.push(Part {
                    table: Rc::from(table),
                    frames: Frames::new(),
                    events: 0,
                });
                self.parts.len() - 1
            }
        };
        if let Some(part) = self.parts.get_mut(at) {
            part.frames.draft(event)?;
            part.events += 1;
        }
        Ok(())
    }

    /// Takes out the events of an open transaction above `seq`.
    pub fn drop_above(&mut self, seq: Seq) {
        for part in &mut self.parts {
            part.events -= part.frames.drop_above(seq);
        }
        self.parts.retain(|part| part.events > 0);
    }

    /// Adds a transaction, committed at `time`.
    pub fn add(&mut self, mut transaction: Group, time: Timestamp) {
        for part in &mut transaction.parts {
            part.frames.seal(time);
        }
        if self.parts.is_empty() {
            *self = transaction;
            return;
        }
        for part in transaction.parts {
            let found = self
                .parts
                .iter_mut()
                .find(|other| other.table == part.table);
            match found {
                Some(other) => {
                    other.frames.append(&part.frames);
                    other.events += part.events;
                }
                None => self.parts.push(part),
            }
        }
    }
}
