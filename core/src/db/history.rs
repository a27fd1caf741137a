//! The events of a database in the order of their seqs, merged from the logs of its tables.

use alloc::string::String;
use alloc::vec::Vec;

use super::Database;
use crate::error::Result;
use crate::log::{EventRef, FrameCursor, Op};
use crate::table::{View, stamp};
use crate::time::{Seq, Timestamp};
use crate::value::{Bytes, keycode};

/// An event that has been read.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its number.
    pub seq: Seq,
    /// Its commit's time.
    pub time: Timestamp,
    /// What it does.
    pub op: Op,
    /// Whether the next event belongs to the same transaction.
    pub more: bool,
    /// The row's key, encoded.
    pub key: Vec<u8>,
    /// The document or patch.
    pub body: Option<Bytes>,
    /// The commit's metadata.
    pub meta: Option<Bytes>,
}

/// One table's part of the history.
pub struct Stream {
    /// The table's name.
    pub table: String,
    /// The table at the end of the history.
    pub view: View,
    cursor: FrameCursor,
    next: Option<Event>,
}

/// The history from after one seq up to another.
pub struct History {
    streams: Vec<Stream>,
    /// Tables with a transaction that goes on in their log.
    open: Vec<usize>,
    after: Seq,
    upto: Seq,
}

impl Database {
    /// All events after a seq, up to the head.
    pub(super) fn history(&mut self, after: Seq) -> Result<History> {
        let pinned = self.pin()?;
        let upto = pinned.upto.0;
        let mut streams = Vec::new();
        for log in pinned.logs {
            let table = self.known(&log.table)?;
            let from = match after {
                Seq(0) => log.reader.start(),
                after => table.sources().position_above(after)?,
            };
            streams.push(Stream {
                view: table.view(upto),
                table: log.table,
                cursor: log.reader.cursor(from, log.end),
                next: None,
            });
        }
        Ok(History {
            streams,
            open: Vec::new(),
            after,
            upto,
        })
    }
}

impl History {
    /// The tables.
    pub fn streams(&self) -> &[Stream] {
        &self.streams
    }

    /// The seq up to which it goes.
    pub fn upto(&self) -> Seq {
        self.upto
    }

    /// The next event and its table's place in [`History::streams`].
    pub fn next(&mut self) -> Result<Option<(usize, Event)>> {
        let Some((at, _)) = self.least()? else {
            return Ok(None);
        };
        let taken = self
            .streams
            .get_mut(at)
            .and_then(|stream| stream.next.take());
        let Some(mut event) = taken else {
            return Ok(None);
        };
        self.open.retain(|open| *open != at);
        if event.more {
            self.open.push(at);
        }
        // An event between two of a transaction belongs to it: seqs of a transaction are consecutive. Where its log does not go on, the next one says which
        // transaction it belongs to, if that is one over several tables.
        event.more = !self.open.is_empty() || self.goes_on(event.seq)?;
        Ok(Some((at, event)))
    }

    /// Whether the next event says that it belongs to the transaction of the one with this seq.
    fn goes_on(&mut self, seq: Seq) -> Result<bool> {
        let Some((at, _)) = self.least()? else {
            return Ok(false);
        };
        let next = self.streams.get(at).and_then(|stream| stream.next.as_ref());
        let first = next.and_then(|event| stamp::first_of(event.meta.as_ref()));
        Ok(first.is_some_and(|first| first <= seq))
    }

    /// The stream with the next event, and that event's seq.
    fn least(&mut self) -> Result<Option<(usize, Seq)>> {
        let mut least: Option<(usize, Seq)> = None;
        for (at, stream) in self.streams.iter_mut().enumerate() {
            stream.fill(self.after)?;
            let next = stream.next.as_ref().map(|event| event.seq);
            if let Some(seq) = next.filter(|seq| least.is_none_or(|(_, least)| *seq < least)) {
                least = Some((at, seq));
            }
        }
        Ok(least)
    }
}

impl Stream {
    fn fill(&mut self, after: Seq) -> Result<()> {
        while self.next.is_none() {
            let Some((_, event)) = self.cursor.next_event()? else {
                return Ok(());
            };
            if event.seq > after {
                self.next = Some(Event::of(&event));
            }
        }
        Ok(())
    }
}

impl Event {
    fn of(event: &EventRef<'_>) -> Event {
        let mut key = Vec::new();
        keycode::encode(event.key.view(), &mut key);
        Event {
            seq: event.seq,
            time: event.time,
            op: event.op,
            more: event.more,
            key,
            body: event.body.map(|body| Bytes::from(body.as_bytes())),
            meta: event.meta.map(|meta| Bytes::from(meta.as_bytes())),
        }
    }
}
