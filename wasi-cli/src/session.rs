//! [`Session`]: one open database, and the statements that are run in it one after the other.

use std::io::Write;
use std::path::PathBuf;

use driftdb_core::db::{Context, Database, Outcome, Step, Work, Written};
use driftdb_core::ql::{Params, Parser, Statement};
use driftdb_core::value::Object;

use crate::args::{DurabilityLevel, Format, Lock};
use crate::errors::{Failure, Result, Script};
use crate::interrupt;
use crate::open;
use crate::output::{self, Columns};

/// A database and how its statements are to run.
pub struct Session {
    dir: PathBuf,
    db: Database,
    writes: bool,
    format: Format,
    settings: Settings,
}

/// What holds for every write of a session.
#[derive(Default)]
pub struct Settings {
    /// Who and why, for writes outside of a transaction that says so itself.
    pub meta: Option<Object>,
    /// The time of writes, if not the clock's.
    pub now: Option<driftdb_core::time::Timestamp>,
    /// When a commit counts as done.
    pub durability: DurabilityLevel,
    /// What to do about the lock.
    pub lock: Lock,
}

impl Session {
    /// Opens the database, for writing if `writes`; otherwise the first statement that writes opens it anew.
    pub fn open(dir: PathBuf, writes: bool, format: Format, settings: Settings) -> Result<Self> {
        let db = if writes {
            open::writer(&dir, &settings.lock, settings.durability)?
        } else {
            open::reader(&dir)?
        };
        Ok(Session {
            dir,
            db,
            writes,
            format,
            settings,
        })
    }

    /// How rows come out from now on.
    #[cfg(not(target_family = "wasm"))]
    pub fn set_format(&mut self, format: Format) {
        self.format = format;
    }

    /// The names of the tables, for completion.
    #[cfg(not(target_family = "wasm"))]
    pub fn table_names(&mut self) -> Vec<String> {
        self.db.tables().unwrap_or_default()
    }

    /// Whether a transaction is open.
    pub fn in_transaction(&self) -> bool {
        self.db.in_transaction()
    }

    /// Runs the statements of a script up to the first error; rows go to standard output.
    pub fn run_script(&mut self, script: &Script, params: &Params) -> Result<()> {
        let mut out = output::stdout();
        let done = self.run_script_to(script, params, &mut out);
        // What came before an error is shown before the error is.
        let flushed = out.flush().map_err(Failure::from);
        done.and(flushed)
    }

    /// The same; rows go to `out`.
    pub fn run_script_to(
        &mut self,
        script: &Script,
        params: &Params,
        out: &mut dyn Write,
    ) -> Result<()> {
        let mut parser = Parser::new(&script.text);
        loop {
            let next = parser.next_statement();
            let next = next.map_err(|error| Failure::from(error).of_script(script))?;
            let Some(statement) = next else {
                return Ok(());
            };
            interrupt::check()?;
            let done = self.run(&statement, params, out);
            done.map_err(|failure| failure.of_script(script))?;
            out.flush()?;
        }
    }

    /// Runs one statement and shows its outcome.
    fn run(&mut self, statement: &Statement, params: &Params, out: &mut dyn Write) -> Result<()> {
        if !self.writes && !statement.kind.is_read() {
            self.db = open::writer(&self.dir, &self.settings.lock, self.settings.durability)?;
            self.writes = true;
        }
        let context = Context {
            now: self.settings.now.unwrap_or_else(crate::options::clock),
            meta: self.settings.meta.clone(),
            request: None,
        };
        match self.db.run(statement, params, &context)? {
            Outcome::Rows(rows) => {
                let mut columns = rows.columns().map(<[String]>::to_vec);
                if columns.is_none() && self.format == Format::Csv {
                    columns = Some(self.find_columns(statement, params, &context)?);
                }
                output::rows(rows, columns.as_deref(), self.format, out)?;
            }
            Outcome::Written(written) => {
                let line = written_line(&written, self.db.in_transaction());
                self.tell(&line, out)?;
            }
            Outcome::Done(line) => self.tell(&line, out)?,
            Outcome::Work(work) => {
                let line = self.drive(work)?;
                self.tell(&line, out)?;
            }
        }
        Ok(())
    }

    /// Long work, step by step.
    fn drive(&mut self, mut work: Work) -> Result<String> {
        loop {
            interrupt::check()?;
            match self.db.advance(&mut work)? {
                Step::Item(line) => return Ok(line),
                Step::Pause => {}
                Step::Done => return Ok("done".into()),
            }
        }
    }

    /// What was done is told to people; programs have the exit status.
    fn tell(&self, line: &str, out: &mut dyn Write) -> Result<()> {
        if self.format == Format::Table {
            writeln!(out, "{line}")?;
        }
        Ok(())
    }

    /// A CSV header names all columns, so rows that name their own are looked at once before they are written.
    fn find_columns(
        &mut self,
        statement: &Statement,
        params: &Params,
        context: &Context,
    ) -> Result<Vec<String>> {
        let mut columns = Columns::default();
        if let Outcome::Rows(mut rows) = self.db.run(statement, params, context)? {
            while let Some(row) = output::next_row(&mut rows)? {
                columns.add(&row);
            }
        }
        Ok(columns.into_names())
    }

    /// Ends the session: what is not committed is gone, what is not yet on stable storage is brought there.
    pub fn close(self) -> Result<()> {
        Ok(self.db.close()?)
    }
}

/// What a write did, for people.
fn written_line(written: &Written, open: bool) -> String {
    let (seq, time) = (written.seq.0, written.time);
    match written.events {
        0 => "nothing to write".into(),
        1 if open => "1 event, to be committed".into(),
        events if open => format!("{events} events, to be committed"),
        1 => format!("1 event, @seq:{seq}, {time}"),
        events => format!("{events} events, up to @seq:{seq}, {time}"),
    }
}
