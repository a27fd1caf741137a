//! The language suite: runs the files of tests/suite, which are sqllogictest, on a database in memory.
//!
//! Each file starts with an empty database. Its clock stands at 2026-01-01T00:00:00.000Z for the first statement and rises by a second with
//! every statement, those that fail included. A record may be a script of several statements; its answer is that of the last one.
//!
//! `statement count N` counts events written. An error reads `code: message (at line:column)`, and its hint, if it has one, is a second line
//! `hint: ..`.
//!
//! Rows have one text a column; `SELECT *` has one column with the document. Columns are separated by a space. NULL is `NULL`; a string stands
//! plain, or as JSON where it would otherwise read as something else (`"1"`, `""`, `"NULL"`, white space at an end, control characters); any
//! other value is JSON. Every column is of type `T`, and the number of columns is checked.
//!
//! `connection` before a record says how it is run: `columns` puts the names of the columns before the rows (`*` for documents), `reader` runs it
//! on a database that is open for reading only.
//!
//! The label `plain` is set when a file runs as it is, `restless` when thresholds are tiny and the database is reopened time and again, so that
//! the same answers come from files flushed, merged and recovered.

use std::cell::RefCell;
use std::fmt::{self, Write as _};
use std::future::{Future, ready};
use std::path::Path;
use std::pin::Pin;
use std::rc::Rc;

use driftdb_core::db::{Context, Database, Options, Outcome, Rows};
use driftdb_core::error::Place;
use driftdb_core::ql::{self, Params, Parser};
use driftdb_core::storage::MemoryStore;
use driftdb_core::time::Timestamp;
use driftdb_core::value::{Value, json};
use driftdb_core::{Code, Error, Result};
use sqllogictest::{
    AsyncDB, Connection, DBOutput, DefaultColumnType, Record, Runner, strict_column_validator,
    update_record_with_output,
};

/// 2026-01-01T00:00:00.000Z.
const START: u64 = 1_767_225_600_000;

/// How a file is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// As it is: one open database, default options.
    Plain,
    /// Tiny thresholds, and the database closed or dropped and opened again after every so many statements outside of transactions.
    Restless {
        /// How many.
        every: u64,
    },
}

impl Mode {
    fn label(self) -> &'static str {
        match self {
            Mode::Plain => "plain",
            Mode::Restless { .. } => "restless",
        }
    }

    fn options(self) -> Options {
        match self {
            Mode::Plain => Options::default(),
            Mode::Restless { .. } => Options {
                segment_bytes: 512,
                memtable_events: 3,
                snapshot_events: 6,
                merge_fan: 2,
                cache_bytes: 16 << 10,
                delta_bytes: 1 << 10,
                replay_events_max: 1,
                ..Options::default()
            },
        }
    }
}

/// What came of a file.
#[derive(Debug, Default)]
pub struct Report {
    /// How many records ran: statements and queries, not those that a label left out.
    pub records: usize,
    /// What was not as the file says.
    pub failures: Vec<String>,
}

/// Runs a file. With `bless` it writes what the engine answers into the file: to be read before it is believed.
pub fn run_file(path: &Path, mode: Mode, bless: bool) -> Result<Report, String> {
    let host = Rc::new(RefCell::new(
        Host::new(mode).map_err(|error| format!("{error:?}"))?,
    ));
    let records = sqllogictest::parse_file(path).map_err(|error| error.to_string())?;
    let maker = host.clone();
    let mut runner = Runner::new(move || ready(Ok(Home(maker.clone()))));
    runner.add_label(mode.label());
    runner.with_normalizer(String::clone);
    runner.with_column_validator(strict_column_validator);
    let mut report = Report::default();
    let mut text = String::new();
    for record in records {
        let (Record::Statement { connection, .. } | Record::Query { connection, .. }) = &record
        else {
            let _ = writeln!(text, "{record}");
            continue;
        };
        host.borrow_mut().ran = false;
        host.borrow_mut().form = Form::of(connection)?;
        if bless {
            let output = futures_free(runner.apply_record(record.clone()));
            let updated = update_record_with_output(
                &record,
                &output,
                " ",
                sqllogictest::default_validator,
                String::clone,
                strict_column_validator,
            );
            let _ = writeln!(text, "{}", updated.unwrap_or(record));
        } else if let Err(error) = runner.run(record) {
            report.failures.push(error.display(false).to_string());
        }
        report.records += usize::from(host.borrow().ran);
    }
    if bless {
        let text = format!("{}\n", text.trim_end());
        std::fs::write(path, text).map_err(|error| error.to_string())?;
    }
    Ok(report)
}

/// The value of a future that is ready at once, as all of this module are.
fn futures_free<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    loop {
        if let std::task::Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
    }
}

/// How a record is run and shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Rows,
    Columns,
    Reader,
}

impl Form {
    fn of(connection: &Connection) -> Result<Form, String> {
        match connection {
            Connection::Default => Ok(Form::Rows),
            Connection::Named(name) if name == "columns" => Ok(Form::Columns),
            Connection::Named(name) if name == "reader" => Ok(Form::Reader),
            Connection::Named(name) => Err(format!("there is no connection {name}")),
        }
    }
}

/// An error as the suite shows it.
#[derive(Debug)]
pub struct Shown(String);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Shown {}

/// An error as text: `code: message (at line:column)`, and its hint on a line of its own.
pub fn shown(error: &Error, script: &str) -> Shown {
    let mut text = format!("{}: {}", error.code().as_str(), error.message());
    if let Place::Text(span) = error.place() {
        let at = ql::locate(script, *span);
        let _ = write!(text, " (at {}:{})", at.line, at.column);
    }
    if let Some(hint) = error.hint_text() {
        let _ = write!(text, "\nhint: {hint}");
    }
    Shown(text)
}

/// A handle of the one host, as the runner wants one for each connection.
struct Home(Rc<RefCell<Host>>);

type Answer = Result<DBOutput<DefaultColumnType>, Shown>;
type Ready<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

// Written out, as the macro would make a future that holds the handle, which cannot go to another thread.
impl AsyncDB for Home {
    type Error = Shown;
    type ColumnType = DefaultColumnType;

    fn run<'a, 'b, 'c>(&'a mut self, script: &'b str) -> Ready<'c, Answer>
    where
        'a: 'c,
        'b: 'c,
        Self: 'c,
    {
        let answer = self.0.borrow_mut().script(script);
        Box::pin(ready(answer.map_err(|error| shown(&error, script))))
    }

    fn shutdown<'a, 'c>(&'a mut self) -> Ready<'c, ()>
    where
        'a: 'c,
        Self: 'c,
    {
        Box::pin(ready(()))
    }
}

/// The database, its clock, and when to reopen it.
struct Host {
    store: MemoryStore,
    db: Option<Database>,
    mode: Mode,
    form: Form,
    ran: bool,
    statements: u64,
    since_open: u64,
    reopened: u64,
}

impl Host {
    fn new(mode: Mode) -> Result<Host> {
        let store = MemoryStore::new();
        Database::create(&store, Timestamp(START))?;
        let db = Some(Database::open(Rc::new(store.clone()), mode.options())?);
        Ok(Host {
            store,
            db,
            mode,
            form: Form::Rows,
            ran: false,
            statements: 0,
            since_open: 0,
            reopened: 0,
        })
    }

    fn script(&mut self, script: &str) -> Result<DBOutput<DefaultColumnType>> {
        self.ran = true;
        let mut parser = Parser::new(script);
        let mut answer = DBOutput::StatementComplete(0);
        while let Some(statement) = parser.next_statement().transpose() {
            let now = Timestamp(START + 1_000 * self.statements);
            self.statements += 1;
            let statement = statement?;
            answer = if self.form == Form::Reader {
                self.run(&mut self.reader()?, &statement, now)?
            } else {
                self.reopen_if_due()?;
                let mut db = self.db.take().ok_or_else(closed)?;
                let result = self.run(&mut db, &statement, now);
                self.db = Some(db);
                let answer = result?;
                self.same_for_a_reader(&statement, now, &answer)?;
                answer
            };
        }
        Ok(answer)
    }

    fn run(
        &self,
        db: &mut Database,
        statement: &ql::Statement,
        now: Timestamp,
    ) -> Result<DBOutput<DefaultColumnType>> {
        match db.run(statement, &Params::none(), &Context::at(now))? {
            Outcome::Rows(rows) => self.table(rows),
            Outcome::Written(written) => Ok(DBOutput::StatementComplete(written.events)),
            Outcome::Done(_) => Ok(DBOutput::StatementComplete(0)),
            Outcome::Work(work) => {
                db.finish(work)?;
                Ok(DBOutput::StatementComplete(0))
            }
        }
    }

    fn table(&self, mut rows: Rows) -> Result<DBOutput<DefaultColumnType>> {
        let columns = rows.columns().map(<[String]>::to_vec);
        let mut lines = Vec::new();
        if self.form == Form::Columns {
            lines.push(columns.clone().unwrap_or_else(|| vec!["*".into()]));
        }
        while let Some(row) = rows.next()? {
            lines.push(match &columns {
                None => vec![Value::Object(row).to_string()],
                Some(names) => {
                    // A row has exactly its columns, in their order.
                    let found: Vec<&str> = row.iter().map(|(name, _)| name).collect();
                    assert_eq!(&found, names, "a row's members are the columns");
                    row.iter().map(|(_, value)| cell(value)).collect()
                }
            });
        }
        let types = vec![DefaultColumnType::Text; columns.map_or(1, |columns| columns.len())];
        Ok(DBOutput::Rows { types, rows: lines })
    }

    /// While it is restless: whoever opens the database for reading now gets the same rows.
    fn same_for_a_reader(
        &self,
        statement: &ql::Statement,
        now: Timestamp,
        answer: &DBOutput<DefaultColumnType>,
    ) -> Result<()> {
        let writer = self.db.as_ref().ok_or_else(closed)?;
        let asks = !matches!(statement.kind, ql::Kind::Describe { .. });
        let (Mode::Restless { .. }, DBOutput::Rows { rows, .. }) = (self.mode, answer) else {
            return Ok(());
        };
        if asks && !writer.in_transaction() {
            let same = self.run(&mut self.reader()?, statement, now)?;
            if !matches!(&same, DBOutput::Rows { rows: same, .. } if same == rows) {
                return Err(Error::new(
                    Code::Conflict,
                    "a reader gets other rows than the writer",
                ));
            }
        }
        Ok(())
    }

    fn reader(&self) -> Result<Database> {
        Database::open_reader(Rc::new(self.store.clone()), self.mode.options())
    }

    fn reopen_if_due(&mut self) -> Result<()> {
        let Mode::Restless { every } = self.mode else {
            return Ok(());
        };
        let mut db = self.db.take().ok_or_else(closed)?;
        if self.since_open >= every && !db.in_transaction() {
            self.since_open = 0;
            self.reopened += 1;
            // In turn: closed, dropped as by a crash, dropped with all maintenance done.
            match self.reopened % 3 {
                0 => db.close()?,
                1 => drop(db),
                _ => {
                    while db.maintain(1)? {}
                    drop(db);
                }
            }
            db = Database::open(Rc::new(self.store.clone()), self.mode.options())?;
        }
        self.since_open += 1;
        self.db = Some(db);
        Ok(())
    }
}

fn closed() -> Error {
    Error::new(Code::Latched, "the database could not be reopened")
}

/// A value as a file of the suite has it.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => "NULL".into(),
        Value::Str(text) if is_plain(text) => text.clone(),
        value => value.to_string(),
    }
}

fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && text != "NULL"
        && text.trim() == text
        && !text.contains(char::is_control)
        && json::parse(text).is_err()
}
