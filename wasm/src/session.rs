//! An open database and what is under way in it, for one host that runs one call after another.

use driftdb_core::flat::FlatMap;
use std::rc::Rc;

use driftdb_core::db::{Axis, Context, Database, Durability};
use driftdb_core::ql::ast::Kind as Statement;
use driftdb_core::time::{Point, Seq, Timestamp};
use driftdb_core::value::{Key, Object, Raw, Value};
use driftdb_core::{Code, Error, Result, db, ql};

use crate::asked::Asked;
use crate::import::{self, Home};
use crate::lines;
use crate::run::{Progress, Request, Run};
use crate::script::Script;
use crate::watches::Watches;
use crate::wire::{Kind, Output};

/// An error and the text that its place is in.
pub struct Failure {
    /// The error.
    pub error: Error,
    /// The text.
    pub text: String,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let text = String::new();
        Failure { error, text }
    }
}

/// An open database.
pub struct Session {
    db: Database,
    home: Home,
    scripts: Numbered<Rc<Script>>,
    runs: Numbered<Run>,
    watches: Watches,
    /// Room for the answer of [`Session::get`].
    output: Output,
}

/// Things by the number that they were given.
struct Numbered<T> {
    last: u32,
    things: FlatMap<u32, T>,
}

impl<T> Default for Numbered<T> {
    fn default() -> Self {
        Numbered {
            last: 0,
            things: FlatMap::new(),
        }
    }
}

impl<T> Numbered<T> {
    fn add(&mut self, thing: T) -> u32 {
        self.last = self.last.wrapping_add(1);
        self.things.insert(self.last, thing);
        self.last
    }
}

impl Session {
    /// Opens the database that lies somewhere, making it first if that is wanted and there is none.
    pub fn open(home: Home, now: Timestamp) -> Result<Session> {
        let (store, options) = (home.store.clone(), home.options.clone());
        if options.create && !options.read_only {
            let mut created = Database::create(&*store, now);
            if code_of(&created) == Some(Code::NotADatabase) {
                import::clear(&store)?;
                created = Database::create(&*store, now);
            }
            if code_of(&created) != Some(Code::DatabaseExists) {
                created?;
            }
        }
        let db = match options.read_only {
            true => Database::open_reader(store, options.engine)?,
            false => Database::open(store, options.engine)?,
        };
        Ok(Session {
            db,
            home,
            scripts: Numbered::default(),
            runs: Numbered::default(),
            watches: Watches::default(),
            output: Output::default(),
        })
    }

    /// The database.
    pub fn db(&mut self) -> &mut Database {
        &mut self.db
    }

    /// Reads a script and keeps it.
    pub fn prepare(&mut self, text: &str) -> u32 {
        self.scripts.add(Rc::new(Script::parse(text)))
    }

    /// A script that is kept.
    pub fn script(&self, number: u32) -> Result<Rc<Script>> {
        let script = self.scripts.things.get(&number).cloned();
        script.ok_or_else(|| Error::new(Code::Unsupported, "the statement is not prepared"))
    }

    /// Keeps a script no longer.
    pub fn forget(&mut self, number: u32) {
        self.scripts.things.remove(&number);
    }

    /// Begins to run a script.
    pub fn start(&mut self, request: Request) -> Result<u32, Failure> {
        let script = request.script.clone();
        match Run::new(&mut self.db, request) {
            Ok(run) => Ok(self.runs.add(run)),
            Err(error) => Err(Failure {
                error,
                text: script.text.clone(),
            }),
        }
    }

    /// Begins to verify everything.
    pub fn verify(&mut self) -> Result<u32> {
        let run = Run::verify(&mut self.db)?;
        Ok(self.runs.add(run))
    }

    /// Begins to tell the events after a seq.
    pub fn changes(&mut self, after: Seq) -> Result<u32> {
        let run = Run::changes(&mut self.db, after)?;
        Ok(self.runs.add(run))
    }

    /// Watches what a script reads; the watch's number.
    pub fn watch(
        &mut self,
        script: &Rc<Script>,
        params: &ql::Params,
        at: Option<&str>,
    ) -> Result<u32> {
        self.watches.add(&mut self.db, script, params, at)
    }

    /// Ends a watch.
    pub fn unwatch(&mut self, number: u32) {
        self.watches.remove(&mut self.db, number);
    }

    /// The watches that what was committed since the last call concerns.
    pub fn touched(&mut self) -> Vec<u32> {
        self.watches.touched(&mut self.db)
    }

    /// Begins to export everything.
    pub fn export(&mut self) -> Result<u32> {
        let run = Run::export(&mut self.db)?;
        Ok(self.runs.add(run))
    }

    /// Checks that a file may take the place of this database.
    pub fn check_import(&mut self) -> Result<()> {
        import::check(&mut self.db, &self.home.options)
    }

    /// Where it lies.
    pub fn home(&self) -> Home {
        self.home.clone()
    }

    /// Goes on with a run. One that fails is over.
    pub fn step(
        &mut self,
        number: u32,
        steps: u32,
        bytes: usize,
        now: Timestamp,
    ) -> Result<Progress, Failure> {
        let run = self.runs.things.get_mut(&number).ok_or_else(over)?;
        match run.step(&mut self.db, steps, bytes, now) {
            Ok(progress) => Ok(progress),
            Err(error) => {
                let text = run.text().to_string();
                run.give_up(&mut self.db);
                self.runs.things.remove(&number);
                Err(Failure { error, text })
            }
        }
    }

    /// What a run has answered since it was taken last.
    pub fn take(&mut self, number: u32, out: &mut Vec<u8>) -> Result<()> {
        self.runs
            .things
            .get_mut(&number)
            .ok_or_else(over)?
            .take(out);
        Ok(())
    }

    /// Ends a run, wherever it is.
    pub fn end(&mut self, number: u32) {
        if let Some(run) = self.runs.things.remove(&number) {
            run.give_up(&mut self.db);
        }
    }

    /// One row by its key.
    pub fn get(
        &mut self,
        table: &str,
        key: &Key,
        at: Option<&str>,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        let point = at.map(Point::parse).transpose()?;
        let row = self.db.get(table, key, point)?;
        let (seq, time) = self.db.head();
        let output = &mut self.output;
        output.reset();
        output.head(Kind::Rows, seq, time, 0);
        if let Some(row) = row {
            let document = row.document();
            let raw = Raw::new(&document);
            output.row(raw.ok_or_else(|| Error::new(Code::Corrupt, "a row that cannot be read"))?);
        }
        output.finish(out);
        Ok(())
    }

    /// Begins a transaction.
    pub fn begin(&mut self, meta: Option<&Object>, asked: Option<&Asked>) -> Result<()> {
        match asked {
            Some(asked) => self.db.begin_for(meta, &asked.of(0)?),
            None => self.db.begin(meta),
        }
    }

    /// Commits the open transaction.
    pub fn commit(&mut self, now: Timestamp, out: &mut Vec<u8>) -> Result<()> {
        let written = self.db.commit(now)?;
        written_to(out, &written);
        Ok(())
    }

    /// What the commit of a transaction begun under this number has written; whether there was one.
    pub fn answered(&mut self, asked: &Asked, out: &mut Vec<u8>) -> Result<bool> {
        let written = self.db.answered(&asked.of(0)?)?;
        if let Some(written) = &written {
            written_to(out, written);
        }
        Ok(written.is_some())
    }

    /// Answers with the last event alone.
    pub fn head(&mut self, out: &mut Vec<u8>) {
        let (seq, time) = self.db.head();
        let mut output = Output::default();
        output.head(Kind::Written, seq, time, 0);
        output.finish(out);
    }

    /// What is known of the database without reading rows: one row.
    pub fn stats(&mut self, out: &mut Vec<u8>) -> Result<()> {
        let (seq, time) = self.db.head();
        let report = self.db.report().clone();
        let cut = |list: Vec<(String, u64)>| {
            let tables = list
                .into_iter()
                .map(|(table, bytes)| (table, Value::from(bytes)));
            Value::Object(tables.collect())
        };
        let mut tables = Vec::new();
        for name in self.db.tables()? {
            tables.push(Value::Object(self.describe(&name)?));
        }
        let stats = Object::from_iter([
            ("seq", Value::from(seq.0)),
            ("time", Value::from(time.0)),
            ("torn", cut(report.torn)),
            ("restored", cut(report.restored)),
            ("tables", Value::Array(tables)),
        ]);
        let mut output = Output::default();
        output.head(Kind::Rows, seq, time, 0);
        output.row_of(&Value::Object(stats));
        output.finish(out);
        Ok(())
    }

    /// The whole history as event lines, of at most so many bytes.
    pub fn dump(&mut self, limit: usize) -> Result<String> {
        lines::dump(&mut self.db, limit)
    }

    /// Takes event lines.
    pub fn load(&mut self, text: &str, now: Timestamp, out: &mut Vec<u8>) -> Result<()> {
        let written = lines::load(&mut self.db, text, now)?;
        let mut output = Output::default();
        output.head(Kind::Written, written.seq, written.time, written.events);
        output.finish(out);
        Ok(())
    }

    /// How many events each table has in each of a number of equal stretches of the history: one row.
    pub fn timeline(&mut self, axis: Axis, buckets: usize, out: &mut Vec<u8>) -> Result<()> {
        let timeline = self.db.timeline(axis, buckets)?;
        let (seq, time) = self.db.head();
        let list = |numbers: Vec<u64>| Value::Array(numbers.into_iter().map(Value::from).collect());
        let tables = timeline.tables.into_iter();
        let row = Object::from_iter([
            ("start", Value::from(timeline.start)),
            ("ends", list(timeline.ends)),
            (
                "tables",
                Value::Object(tables.map(|(name, counts)| (name, list(counts))).collect()),
            ),
        ]);
        let mut output = Output::default();
        output.head(Kind::Rows, seq, time, 0);
        output.row_of(&Value::Object(row));
        output.finish(out);
        Ok(())
    }

    /// DESCRIBE as one object.
    fn describe(&mut self, table: &str) -> Result<Object> {
        let statement = ql::Statement {
            span: driftdb_core::Span::default(),
            kind: Statement::Describe {
                table: ql::ast::Name {
                    text: table.into(),
                    span: driftdb_core::Span::default(),
                },
            },
            parameters: Vec::new(),
        };
        let mut facts = Object::new();
        let outcome = self
            .db
            .run(&statement, &ql::Params::none(), &Context::default())?;
        if let db::Outcome::Rows(mut rows) = outcome {
            while let Some(row) = rows.next()? {
                if let (Some(Value::Str(name)), Some(value)) =
                    (row.get("property"), row.get("value"))
                {
                    facts.insert(name.as_str(), value.clone());
                }
            }
        }
        Ok(facts)
    }

    /// Says when commits are durable from now on.
    pub fn set_durability(&mut self, batch: bool) -> Result<()> {
        self.db.set_durability(match batch {
            true => Durability::Batch,
            false => Durability::Commit,
        })
    }

    /// Closes the database.
    pub fn close(self) -> Result<()> {
        // Rows that are still being read hold files.
        drop(self.runs);
        self.db.close()
    }
}

fn written_to(out: &mut Vec<u8>, written: &db::Written) {
    let mut output = Output::default();
    output.head(Kind::Written, written.seq, written.time, written.events);
    output.finish(out);
}

fn code_of<T>(result: &Result<T>) -> Option<Code> {
    result.as_ref().err().map(Error::code)
}

fn over() -> Error {
    Error::new(Code::Unsupported, "the run is over")
}
