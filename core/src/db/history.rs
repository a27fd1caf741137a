//! All events of a database in the order of their seqs, merged from the logs of its tables.

use alloc::string::String;
use alloc::vec::Vec;

use super::Database;
use crate::error::Result;
use crate::log::{EventRef, FrameCursor, Op};
use crate::table::View;
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
    /// Whether the next event of the same log belongs to the same transaction.
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

/// The history up to one seq.
pub struct History {
    streams: Vec<Stream>,
    upto: Seq,
}

impl Database {
    /// All events up to the head.
    pub(super) fn history(&mut self) -> Result<History> {
        let names = self.tables()?;
        if self.env.writes() {
            self.sync()?;
        } else {
            // What came before the newest event of the first pass is in every log at the second.
            for name in &names {
                self.freshen(name)?;
            }
        }
        let upto = self.head().0;
        let mut streams = Vec::new();
        for name in names {
            let table = self.table(&name)?;
            let reader = table.log().reader();
            let cursor = reader.cursor(reader.start(), reader.end());
            streams.push(Stream {
                view: table.view(upto),
                table: name,
                cursor,
                next: None,
            });
        }
        Ok(History { streams, upto })
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
        for stream in &mut self.streams {
            stream.fill(self.upto)?;
        }
        let least = self
            .streams
            .iter()
            .enumerate()
            .filter_map(|(at, stream)| Some((stream.next.as_ref()?.seq, at)))
            .min();
        let Some((_, at)) = least else {
            return Ok(None);
        };
        Ok(self
            .streams
            .get_mut(at)
            .and_then(|stream| stream.next.take())
            .map(|event| (at, event)))
    }
}

impl Stream {
    fn fill(&mut self, upto: Seq) -> Result<()> {
        if self.next.is_none() {
            self.next = self
                .cursor
                .next_event()?
                .map(|(_, event)| Event::of(&event))
                .filter(|event| event.seq <= upto);
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
