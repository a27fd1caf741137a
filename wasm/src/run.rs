//! A script under way: run in bounded steps, its answer gathered in buffers.

use std::rc::Rc;

use driftdb_core::db::{
    Backup, Context, Database, Dump, Outcome, Rows, Schema, Step, Verified, Verify, Work, Written,
};
use driftdb_core::ql::Params;
use driftdb_core::ql::ast::{Kind as Statement, Statement as Text, Term};
use driftdb_core::time::{Seq, Timestamp};
use driftdb_core::value::{Object, Raw, Value};
use driftdb_core::{Code, Error, Result, db};

use crate::asked::Asked;
use crate::changes;
use crate::script::{Script, at_point};
use crate::wire::{Kind, Output};

/// What a step that gives nothing counts as, in rows: it has looked at a few hundred.
const PAUSE_COST: u32 = 64;
/// What a chunk of an export counts as.
const EXPORT_COST: u32 = 500;

/// Documents of one statement that are written at a time, and what they count as, in rows: as much as a step should do.
const DOCUMENTS: usize = 256;
const DOCUMENTS_COST: u32 = 2_000;

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// There is more to do.
    More,
    /// The buffer is as full as it should get: take it and go on.
    Full,
    /// All is done: the buffer holds the rest.
    End,
}

/// What a run is made of.
#[derive(Default)]
pub struct Request {
    /// The statements.
    pub script: Rc<Script>,
    /// The values of their parameters.
    pub params: Params,
    /// The point at which statements that name none read.
    pub at: Option<String>,
    /// Metadata of what is written.
    pub meta: Option<Object>,
    /// Under which number it is asked for, if it may be asked for twice.
    pub asked: Option<Asked>,
}

/// A script, a verification, a look at the history, or an export, under way.
pub struct Run {
    request: Request,
    next: usize,
    stage: Stage,
    events: u64,
    output: Output,
    /// Whether the answer is bytes, and no rows.
    is_export: bool,
    bytes: Vec<u8>,
}

enum Stage {
    /// The next statement is to be run.
    Next,
    Rows(Rows),
    /// A statement of many documents, of which so many are written: a transaction of its own.
    Documents(usize),
    Work(Work),
    Verify(Box<Verify>),
    Changes(Box<Dump>),
    Export(Box<Backup>),
    End,
}

impl Run {
    /// A script, of which nothing has run yet; or what was done of it is passed over.
    ///
    /// # Errors
    /// `Code::Parameter`.
    pub fn new(db: &mut Database, request: Request) -> Result<Run> {
        request.script.check(&request.params)?;
        let script = request.script.clone();
        let asked = request.asked.clone().filter(|asked| asked.again);
        let mut run = Run::at_stage(request, Stage::Next);
        if let Some((done, written)) = asked
            .map(|asked| asked.done(db, &script.statements))
            .transpose()?
            .flatten()
        {
            run.next = done;
            run.wrote(&written, true);
        }
        Ok(run)
    }

    /// The events after a seq, whose rows [`changes::row`] makes.
    ///
    /// # Errors
    /// `Code::BeforeHorizon`.
    pub fn changes(db: &mut Database, after: Seq) -> Result<Run> {
        let changes = Box::new(db.changes(after)?);
        let upto = changes.upto();
        let mut run = Run::at_stage(Request::default(), Stage::Changes(changes));
        run.output.head(Kind::Rows, upto, db.head().1, 0);
        Ok(run)
    }

    /// A verification, whose rows are what it finds.
    pub fn verify(db: &mut Database) -> Result<Run> {
        let verify = Box::new(db.verify()?);
        let mut run = Run::at_stage(Request::default(), Stage::Verify(verify));
        run.output
            .columns(&["table".to_string(), "message".to_string()]);
        Ok(run)
    }

    /// An export, whose answer is the bytes of a file.
    pub fn export(db: &mut Database) -> Result<Run> {
        let backup = Box::new(db.backup()?);
        Ok(Run::at_stage(Request::default(), Stage::Export(backup)))
    }

    fn at_stage(request: Request, stage: Stage) -> Run {
        Run {
            is_export: matches!(stage, Stage::Export(_)),
            request,
            next: 0,
            stage,
            events: 0,
            output: Output::default(),
            bytes: Vec::new(),
        }
    }

    /// The text of the script.
    pub fn text(&self) -> &str {
        &self.request.script.text
    }

    /// Goes on: at most about `steps` rows' worth of work and one statement, until the answer has about `bytes` bytes.
    pub fn step(
        &mut self,
        db: &mut Database,
        steps: u32,
        bytes: usize,
        now: Timestamp,
    ) -> Result<Progress> {
        let mut cost = 0;
        while cost < steps {
            if self.output.bytes() + self.bytes.len() >= bytes {
                return Ok(Progress::Full);
            }
            cost += match &mut self.stage {
                Stage::End => return Ok(Progress::End),
                Stage::Next => {
                    self.statement(db, now)?;
                    // The next one has its own time.
                    if matches!(self.stage, Stage::Next) && !self.is_over() {
                        return Ok(Progress::More);
                    }
                    1
                }
                Stage::Rows(_) => self.row()?,
                Stage::Documents(_) => self.documents(db, now)?,
                Stage::Work(work) => match db.advance(work)? {
                    Step::Item(line) => {
                        self.done(db, &line);
                        1
                    }
                    Step::Pause => PAUSE_COST,
                    Step::Done => {
                        self.stage = Stage::Next;
                        1
                    }
                },
                Stage::Verify(_) => self.verified(db)?,
                Stage::Changes(_) => self.change()?,
                Stage::Export(backup) => {
                    match backup.step()? {
                        Step::Item(chunk) if self.bytes.is_empty() => self.bytes = chunk,
                        Step::Item(chunk) => self.bytes.extend(chunk),
                        Step::Pause => {}
                        Step::Done => self.stage = Stage::End,
                    }
                    EXPORT_COST
                }
            };
        }
        Ok(Progress::More)
    }

    /// Whether no statement is left, nor an error instead of one.
    fn is_over(&self) -> bool {
        let script = &self.request.script;
        self.next == script.statements.len() && script.broken.is_none()
    }

    fn statement(&mut self, db: &mut Database, now: Timestamp) -> Result<()> {
        let script = self.request.script.clone();
        let Some(statement) = script.statements.get(self.next) else {
            self.stage = Stage::End;
            return script.broken.clone().map_or(Ok(()), Err);
        };
        self.next += 1;
        let pinned = self
            .request
            .at
            .as_ref()
            .filter(|_| statement.kind.is_read())
            .map(|at| at_point(statement, at));
        let context = Context {
            now,
            // Statements between BEGIN and COMMIT have the transaction's.
            meta: self.request.meta.clone().filter(|_| !db.in_transaction()),
            request: self.number(db, statement)?,
        };
        let statement = pinned.as_ref().unwrap_or(statement);
        // Only the last statement's rows are the answer.
        self.output = Output::default();
        if documents_of(statement).len() > DOCUMENTS && !db.in_transaction() {
            match &context.request {
                Some(request) => db.begin_for(context.meta.as_ref(), request)?,
                None => db.begin(context.meta.as_ref())?,
            }
            self.stage = Stage::Documents(0);
            return Ok(());
        }
        let outcome = match db.run(statement, &self.request.params, &context) {
            Err(error) if self.was_created(db, statement) => {
                self.done(db, error.message());
                return Ok(());
            }
            outcome => outcome?,
        };
        match outcome {
            Outcome::Rows(rows) => {
                let (head, time) = db.head();
                let seq = rows.seq().unwrap_or(head);
                self.output.head(Kind::Rows, seq, time, self.events);
                if let Some(columns) = rows.columns() {
                    self.output.columns(columns);
                }
                if self.is_over() {
                    self.stage = Stage::Rows(rows);
                }
            }
            Outcome::Written(written) => {
                // What COMMIT writes was counted statement by statement.
                let counts = !matches!(statement.kind, Statement::Commit);
                self.wrote(&written, counts);
            }
            Outcome::Done(line) => self.done(db, &line),
            Outcome::Work(work) => self.stage = Stage::Work(work),
        }
        Ok(())
    }

    /// Writes some more documents of the statement just taken; with the last ones all are committed.
    fn documents(&mut self, db: &mut Database, now: Timestamp) -> Result<u32> {
        let Stage::Documents(start) = self.stage else {
            return Ok(0);
        };
        let script = self.request.script.clone();
        let Some(statement) = script.statements.get(self.next - 1) else {
            return Err(Error::new(Code::Unsupported, "the statement is gone"));
        };
        let rest = documents_of(statement).get(start..).unwrap_or_default();
        let end = rest.len().min(DOCUMENTS);
        let Some(part) = rest.get(..end).filter(|part| !part.is_empty()) else {
            let written = db.commit(now)?;
            self.stage = Stage::Next;
            self.wrote(&written, true);
            return Ok(1);
        };
        let part = with_documents(statement, part.to_vec());
        db.run(&part, &self.request.params, &Context::at(now))?;
        self.stage = Stage::Documents(start + end);
        Ok(DOCUMENTS_COST)
    }

    /// Takes back what the run has written and not committed, as it is given up.
    pub fn give_up(&self, db: &mut Database) {
        if matches!(self.stage, Stage::Documents(_)) {
            db.rollback();
        }
    }

    fn wrote(&mut self, written: &Written, counts: bool) {
        self.events += if counts { written.events } else { 0 };
        self.output
            .head(Kind::Written, written.seq, written.time, self.events);
    }

    /// The number of the request that the statement just taken is. Inside a transaction only its BEGIN has one.
    fn number(&self, db: &Database, statement: &Text) -> Result<Option<db::Request>> {
        match &self.request.asked {
            Some(asked) if !statement.kind.is_read() && !db.in_transaction() => {
                asked.of(self.next - 1).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Whether a statement that has failed is one that created its table when it was asked for the first time.
    fn was_created(&self, db: &mut Database, statement: &Text) -> bool {
        let again = self.request.asked.as_ref().is_some_and(|asked| asked.again);
        let Statement::CreateTable(create) = &statement.kind else {
            return false;
        };
        let indexes: Vec<String> = create.indexes.iter().map(|it| it.0.to_string()).collect();
        let schema = Schema::new(&create.table.text, &create.primary_key.text, &indexes);
        again && schema.is_ok() && db.schema(&create.table.text).ok() == schema.ok()
    }

    fn done(&mut self, db: &Database, line: &str) {
        let (seq, time) = db.head();
        self.output.head(Kind::Done, seq, time, self.events);
        self.output.row_of(&Value::from(line));
        self.stage = Stage::Next;
    }

    fn row(&mut self) -> Result<u32> {
        let Stage::Rows(rows) = &mut self.stage else {
            return Ok(0);
        };
        match rows.step_bytes() {
            Ok(Step::Item(row)) => {
                let raw = Raw::new(&row)
                    .ok_or_else(|| Error::new(Code::Corrupt, "a row that cannot be read"))?;
                self.output.row(raw);
                Ok(1)
            }
            Ok(Step::Pause) => Ok(PAUSE_COST),
            Ok(Step::Done) => {
                self.stage = Stage::Next;
                Ok(1)
            }
            Err(error) => Err(error),
        }
    }

    fn verified(&mut self, db: &Database) -> Result<u32> {
        let Stage::Verify(verify) = &mut self.stage else {
            return Ok(0);
        };
        match verify.step()? {
            Step::Item(Verified::Finding(finding)) => {
                let row = Object::from_iter([
                    ("table", Value::from(finding.table)),
                    ("message", Value::from(finding.message)),
                ]);
                self.output.row_of(&Value::Object(row));
            }
            Step::Item(Verified::Progress(events)) => self.events = events,
            Step::Pause => {}
            Step::Done => {
                let (seq, time) = db.head();
                self.output.head(Kind::Rows, seq, time, verify.events());
                self.stage = Stage::End;
            }
        }
        Ok(PAUSE_COST)
    }

    fn change(&mut self) -> Result<u32> {
        let Stage::Changes(changes) = &mut self.stage else {
            return Ok(0);
        };
        match changes.step()? {
            Step::Item(line) => {
                if let Some(row) = changes::row(line) {
                    self.output.row_of(&Value::Object(row));
                }
            }
            Step::Pause => {}
            Step::Done => self.stage = Stage::End,
        }
        Ok(1)
    }

    /// The answer so far as a buffer. The next one is of the same kind and starts empty.
    pub fn take(&mut self, out: &mut Vec<u8>) {
        if self.is_export {
            *out = core::mem::take(&mut self.bytes);
            return;
        }
        self.output.finish(out);
        self.output.clear_rows();
    }
}

/// The documents of a statement that writes documents.
fn documents_of(statement: &Text) -> &[Term] {
    match &statement.kind {
        Statement::Insert { documents, .. } | Statement::Upsert { documents, .. } => documents,
        _ => &[],
    }
}

/// The statement with some of its documents.
fn with_documents(statement: &Text, part: Vec<Term>) -> Text {
    let kind = match &statement.kind {
        Statement::Insert { table, .. } => Statement::Insert {
            table: table.clone(),
            documents: part,
        },
        Statement::Upsert { table, .. } => Statement::Upsert {
            table: table.clone(),
            documents: part,
        },
        other => other.clone(),
    };
    Text {
        span: statement.span,
        kind,
        parameters: Vec::new(),
    }
}
