//! One moment of the whole database: every table's log up to the end of the same transaction.

use crate::flat::FlatMap;
use alloc::string::String;
use alloc::vec::Vec;

use super::Database;
use crate::error::{Code, Error, Result};
use crate::log::{LogReader, Position};
use crate::table::{Requests, stamp};
use crate::time::{Seq, Timestamp};
use crate::value::{Bytes, Raw};

/// How often a reader looks again when a table is compacted under it.
const ATTEMPTS: usize = 20;

/// All logs at one seq.
pub(super) struct Pinned {
    /// By table, in the order of their names.
    pub logs: Vec<PinnedLog>,
    /// The last event, 0 if there is none: the end of its transaction.
    pub upto: (Seq, Timestamp),
}

/// One table's log at that seq.
pub(super) struct PinnedLog {
    /// The table's name.
    pub table: String,
    /// The log; it may go on behind the end.
    pub reader: LogReader,
    /// The end of the last transaction that counts.
    pub end: Position,
    /// The requests of clients answered up to there.
    pub requests: Requests,
}

/// What a reader saw of a table at its first look.
struct Seen {
    generation: u64,
    whole: Position,
    requests: Requests,
}

impl Database {
    /// All logs as they are now, at the end of one transaction.
    pub(super) fn pin(&mut self) -> Result<Pinned> {
        if !self.env.writes() {
            return self.pin_as_reader();
        }
        self.sync()?;
        let mut logs = Vec::new();
        for name in self.tables()? {
            let table = self.known(&name)?;
            table.finish_rebuild()?;
            let reader = table.log().reader();
            logs.push(PinnedLog {
                end: reader.end(),
                requests: table.requests().clone(),
                table: name,
                reader,
            });
        }
        let upto = self.head;
        Ok(Pinned { logs, upto })
    }

    fn pin_as_reader(&mut self) -> Result<Pinned> {
        for _ in 0..ATTEMPTS {
            if let Some(pinned) = self.two_looks()? {
                return Ok(pinned);
            }
        }
        let message = "tables are compacted again and again while they are read";
        Err(Error::new(Code::Conflict, message))
    }

    /// What came before the newest event of the first look is in every log at the second, and so is the rest of that event's transaction; a
    /// table that it is in and that was new is there then. `None` if a compaction in between has dropped the moment.
    fn two_looks(&mut self) -> Result<Option<Pinned>> {
        let mut seen = FlatMap::new();
        let mut upto = (Seq(0), Timestamp(0));
        for name in self.tables()? {
            let table = self.table(&name)?;
            upto = upto.max(table.log().last());
            let look = Seen {
                generation: table.log().generation(),
                whole: table.log().whole(),
                requests: table.requests().clone(),
            };
            seen.insert(name, look);
        }
        let bound = upto.0;
        let mut logs = Vec::new();
        for name in self.tables()? {
            let table = self.table(&name)?;
            let reader = table.log().reader();
            if reader.horizon().seq > bound {
                return Ok(None);
            }
            let before = seen.remove(&name);
            let from = match &before {
                Some(before) if before.generation == reader.generation() => before.whole,
                _ => reader.start(),
            };
            let mut log = PinnedLog {
                requests: before.map(|before| before.requests).unwrap_or_default(),
                table: name,
                reader,
                end: from,
            };
            upto = upto.max(log.extend(bound)?);
            logs.push(log);
        }
        Ok(Some(Pinned { logs, upto }))
    }
}

impl PinnedLog {
    /// Moves the end behind every transaction that has an event at or below `bound`, in whatever table; the last event on the way.
    fn extend(&mut self, bound: Seq) -> Result<(Seq, Timestamp)> {
        let mut cursor = self.reader.cursor(self.end, self.reader.end());
        let (mut last, mut open) = ((Seq(0), Timestamp(0)), false);
        while let Some((_, event)) = cursor.next_event()? {
            let first = || stamp::first_of(event.meta.map(|m| Bytes::from(m.as_bytes())).as_ref());
            if !open && event.seq > bound && first().is_none_or(|first| first > bound) {
                break;
            }
            if let Some(request) = event.meta.and_then(Raw::object).and_then(stamp::request_of) {
                self.requests.note(&request, event.seq);
            }
            (last, open) = ((event.seq, event.time), event.more);
            if !open {
                self.end = cursor.position();
            }
        }
        Ok(last)
    }
}
