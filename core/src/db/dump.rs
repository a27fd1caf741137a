//! Dumping and loading: the whole history as event lines, and back.

use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::Database;
use super::eventline::{self, Line};
use super::history::{Event, History};
use crate::error::{Code, Error, Result};
use crate::log::Op;
use crate::table::{Intent, Schema, Step, Walk, stamp};
use crate::time::{Point, Seq, Timestamp};
use crate::value::{Bytes, Key, Object, ObjectRef};

/// The history, or what came after a seq, as event lines, in steps. What is written while it is read is not in it.
pub struct Dump {
    first: VecDeque<Line>,
    history: History,
}

impl Database {
    /// The whole history as event lines: the header, the tables, and every event in order of seq. [`Database::load`] makes an identical database of it.
    pub fn dump(&mut self) -> Result<Dump> {
        let history = self.history(Seq(0))?;
        let mut first = VecDeque::from([Line::Header]);
        for stream in history.streams() {
            let schema = stream.view.schema();
            let (table, pk, index) = (
                schema.name.clone(),
                schema.primary_key.clone(),
                schema.indexes.clone(),
            );
            first.push_back(Line::Create { table, pk, index });
        }
        for stream in history.streams() {
            let horizon = stream.view.sources().horizon;
            if horizon.seq > Seq(0) {
                first.push_back(Line::Horizon {
                    table: stream.table.clone(),
                    seq: horizon.seq,
                    time: horizon.time,
                });
            }
        }
        Ok(Dump { first, history })
    }

    /// The events after a seq as event lines, in order, up to the head as it is now. Each that does not say `more` is the last of its transaction;
    /// [`Dump::upto`] is where to go on from next time.
    ///
    /// ```
    /// # use std::rc::Rc;
    /// # use driftdb_core::db::{Database, Options, Schema, Step, drive};
    /// # use driftdb_core::{storage::MemoryStore, time::{Seq, Timestamp}, value::Object};
    /// # let store = Rc::new(MemoryStore::default());
    /// # Database::create(&*store, Timestamp(0))?;
    /// # let mut db = Database::open(store, Options::default())?;
    /// # db.create_table(Schema::new("t", "id", &[])?)?;
    /// for id in 1..=3 {
    ///     db.insert("t", &[("id", id)].into_iter().collect::<Object>(), Timestamp(1_000))?;
    /// }
    /// let mut changes = db.changes(Seq(1))?;
    /// let mut lines = 0;
    /// while drive(|| changes.step())?.is_some() {
    ///     lines += 1;
    /// }
    /// assert_eq!((lines, changes.upto()), (2, Seq(3)));
    /// # Ok::<(), driftdb_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// `Code::BeforeHorizon` if a table was compacted later than that: events after the seq are gone.
    pub fn changes(&mut self, after: Seq) -> Result<Dump> {
        let history = self.history(after)?;
        for stream in history.streams() {
            let horizon = stream.view.sources().horizon;
            if horizon.seq > after {
                let message = format!(
                    "table {} was compacted: its events before @seq:{} ({}) are gone",
                    stream.table, horizon.seq.0, horizon.time
                );
                let hint = format!("changes after {} are all there", horizon.seq.0);
                return Err(Error::new(Code::BeforeHorizon, message).hint(hint));
            }
        }
        Ok(Dump {
            first: VecDeque::new(),
            history,
        })
    }

    /// A loader of event lines.
    pub fn load(&mut self) -> Loader {
        Loader {
            open: false,
            horizons: Vec::new(),
        }
    }
}

impl Dump {
    /// Some more work: a line, or the end.
    pub fn step(&mut self) -> Result<Step<Line>> {
        if let Some(line) = self.first.pop_front() {
            return Ok(Step::Item(line));
        }
        match self.history.next()? {
            Some((table, event)) => self.line(table, event).map(Step::Item),
            None => Ok(Step::Done),
        }
    }

    /// The seq of the last event.
    pub fn upto(&self) -> Seq {
        self.history.upto()
    }

    fn line(&mut self, table: usize, event: Event) -> Result<Line> {
        let broken = || Error::new(Code::Corrupt, "an event that cannot be read");
        let stream = self.history.streams().get(table).ok_or_else(broken)?;
        let document = |body: &Option<Bytes>| {
            body.as_ref()
                .and_then(|body| Some(ObjectRef::new(body)?.to_object()))
                .ok_or_else(broken)
        };
        let op = match event.op {
            Op::Insert => {
                let mut walk = Walk::new(
                    stream.view.sources().clone(),
                    &event.key,
                    Seq(event.seq.0.saturating_sub(1)),
                );
                match walk.next()?.is_some_and(|before| before.op != Op::Delete) {
                    true => eventline::Op::Restore(document(&event.body)?),
                    false => eventline::Op::Insert(document(&event.body)?),
                }
            }
            Op::Patch => eventline::Op::Patch(document(&event.body)?),
            Op::Delete => eventline::Op::Delete,
        };
        Ok(Line::Event(eventline::Event {
            table: stream.table.clone(),
            op,
            key: Some(Key::decode(&event.key)?.0),
            seq: Some(event.seq),
            time: Some(event.time),
            meta: stamp::users(event.meta.as_ref()),
            more: event.more,
        }))
    }
}

/// Loads event lines. Each transaction is committed with its last line; [`Loader::finish`] ends the load.
pub struct Loader {
    open: bool,
    horizons: Vec<(String, Seq)>,
}

impl Loader {
    /// Takes one line. `now` is the time of events that have none.
    ///
    /// # Errors
    /// Those of the statements that the events stand for; `Code::InvalidInput` for a seq that does not rise or a table that differs. The transaction of the
    /// line is rolled back; those before it stay.
    pub fn line(&mut self, db: &mut Database, line: Line, now: Timestamp) -> Result<()> {
        match line {
            Line::Header => Ok(()),
            Line::Create { table, pk, index } => create(db, Schema::new(&table, &pk, &index)?),
            Line::Horizon { table, seq, .. } => {
                db.schema(&table)?;
                self.horizons.push((table, seq));
                Ok(())
            }
            Line::Event(event) => {
                let done = self.event(db, event, now);
                if done.is_err() {
                    db.rollback();
                    self.open = false;
                }
                done
            }
        }
    }

    fn event(&mut self, db: &mut Database, event: eventline::Event, now: Timestamp) -> Result<()> {
        if !self.open {
            db.start(true, None, None)?;
            self.open = true;
        }
        let time = event.time.unwrap_or(now);
        db.next_event(event.seq, event.meta.as_ref(), time)?;
        let (table, key) = (event.table.as_str(), event.key);
        match event.op {
            eventline::Op::Insert(document) => put(db, table, Intent::Insert, key, document)?,
            eventline::Op::Restore(document) => put(db, table, Intent::Put, key, document)?,
            eventline::Op::Patch(patch) => db.change(table, &named(key)?, &patch)?,
            eventline::Op::Delete => db.event(table, Intent::Delete, named(key)?.view(), None)?,
        }
        if event.more {
            return db.spill_if_large();
        }
        db.commit(time)?;
        self.open = false;
        Ok(())
    }

    /// Ends the load: an open transaction is an error, horizons are set, everything is synced.
    ///
    /// # Errors
    /// `Code::InvalidInput` if the lines end inside a transaction, which is rolled back.
    pub fn finish(self, db: &mut Database) -> Result<()> {
        if self.open {
            db.rollback();
            return Err(Error::new(
                Code::InvalidInput,
                "the lines end inside a transaction: the last one says \"more\": true",
            ));
        }
        db.sync()?;
        for (table, seq) in self.horizons {
            db.compact_table(&table, Some(Point::Seq(seq)))?;
        }
        Ok(())
    }
}

fn named(key: Option<Key>) -> Result<Key> {
    key.ok_or_else(|| Error::new(Code::InvalidInput, "this operation needs a \"key\""))
}

fn put(
    db: &mut Database,
    table: &str,
    intent: Intent,
    key: Option<Key>,
    document: Object,
) -> Result<()> {
    if let Some(key) = key {
        let primary_key = db.schema(table)?.primary_key;
        if document.get(&primary_key) != Some(&key.to_value()) {
            return Err(Error::new(
                Code::InvalidKey,
                format!("the document's {primary_key} is not the line's key {key}"),
            ));
        }
    }
    db.put(table, intent, &document)
}

fn create(db: &mut Database, schema: Schema) -> Result<()> {
    let name = schema.name.clone();
    match db.create_table(schema.clone()) {
        Err(error) if error.code() == Code::TableExists => {
            if db.schema(&name)? == schema {
                Ok(())
            } else {
                Err(error)
            }
        }
        other => other,
    }
}
