//! Running statements: each kind of statement and what it does.

use alloc::format;
use alloc::rc::Rc;
use alloc::string::String;

use super::diff::Diff;
use super::drift::Drift;
use super::{Database, Rows, Written};
use crate::error::{Code, Error, Result};
use crate::ql::ast::{CreateTable, Kind, Name, Select, Statement, Term};
use crate::ql::{Body, Params, Query, explain};
use crate::table::change::no_such_row;
use crate::table::{Compact, Intent, Request, Schema, Step, Table, TakeSnapshot, View};
use crate::time::{Point, Timestamp};
use crate::value::Object;

/// What the host says about a statement besides its text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Context {
    /// The clock. A commit's time is this, or the last commit's if that is later.
    pub now: Timestamp,
    /// Metadata of the transaction that the statement makes; members `by` and `why` say who and why. Not for statements inside BEGIN .. COMMIT.
    pub meta: Option<Object>,
    /// The request that the statement answers, if the host may send one twice: see [`Database::answered`]. Not for statements inside BEGIN .. COMMIT, but for BEGIN.
    pub request: Option<Request>,
}

impl Context {
    /// A context without metadata and request.
    pub fn at(now: Timestamp) -> Self {
        Context {
            now,
            ..Context::default()
        }
    }
}

/// What a statement answers.
pub enum Outcome {
    /// Rows, to be read one after another.
    Rows(Rows),
    /// Events that were written; inside a transaction, that will be.
    Written(Written),
    /// A line for people: what was done.
    Done(String),
    /// Long work, to be driven by [`Database::advance`].
    Work(Work),
}

/// SNAPSHOT or COMPACT under way. Dropping it gives it up; nothing is lost.
pub struct Work {
    table: String,
    job: Job,
}

enum Job {
    Snapshot(alloc::boxed::Box<TakeSnapshot>),
    Compact(alloc::boxed::Box<Compact>),
}

impl Database {
    /// Runs a statement. `params` are the values of its parameters.
    ///
    /// # Errors
    /// Those of the statement, with their place in the text; see docs/DRIFTQL.md. A statement that fails has written nothing.
    pub fn run(
        &mut self,
        statement: &Statement,
        params: &Params,
        context: &Context,
    ) -> Result<Outcome> {
        if !self.env.writes() && !statement.kind.is_read() {
            let message = format!(
                "{} writes, and the database is open for reading only",
                statement.kind.name()
            );
            return Err(Error::new(Code::ReadOnly, message).at(statement.span));
        }
        self.dispatch(statement, params, context).map_err(|error| {
            match (error.code(), statement.kind.table()) {
                (Code::UnknownTable, Some(table)) => error.at(table.span),
                _ => error.at(statement.span),
            }
        })
    }

    fn dispatch(
        &mut self,
        statement: &Statement,
        params: &Params,
        context: &Context,
    ) -> Result<Outcome> {
        match &statement.kind {
            Kind::CreateTable(create) => self.run_create(create),
            Kind::Insert { table, documents } => {
                self.run_put(table, Intent::Insert, documents, params, context)
            }
            Kind::Upsert { table, documents } => {
                self.run_put(table, Intent::Put, documents, params, context)
            }
            Kind::Patch { table, key, patch } => {
                let (key, patch) = (key.key(params)?, patch.document(params)?);
                self.written(context, |db| db.change_body(&table.text, &key, &patch))
            }
            Kind::SoftDelete { table, key } => {
                let key = key.key(params)?;
                self.written(context, |db| {
                    db.event(&table.text, Intent::Delete, key.view(), None)
                })
            }
            Kind::Restore { table, key, at } => self.run_restore(table, key, at, params, context),
            Kind::Begin { meta } => {
                let meta = meta
                    .as_ref()
                    .map(|meta| meta.document(params).map(Body::into_object))
                    .transpose()?;
                let meta = meta.as_ref().or(context.meta.as_ref());
                match &context.request {
                    Some(request) => self.begin_for(meta, request)?,
                    None => self.begin(meta)?,
                }
                Ok(Outcome::Done("transaction begun".into()))
            }
            Kind::Commit => Ok(Outcome::Written(self.commit(context.now)?)),
            Kind::Rollback => self.run_rollback(),
            Kind::Select(select) => {
                let view = self.view_of(select, params)?;
                let seq = view.seq();
                let query = Query::new(view, select, params)?;
                Ok(Outcome::Rows(Rows::of_query(query, seq)))
            }
            Kind::Explain(select) => {
                let view = self.view_of(select, params)?;
                Ok(Outcome::Rows(Rows::of_list(
                    &["step", "detail"],
                    explain(&view, select, params)?,
                )))
            }
            Kind::ShowDrift { table, key, at } => {
                let key = key.key(params)?;
                let view = self.view_at(table, at.as_ref(), params)?;
                Ok(Outcome::Rows(Rows::of_drift(Drift::new(
                    view.versions(&key),
                ))))
            }
            Kind::Diff {
                table,
                key,
                from,
                to,
            } => {
                let key = key.as_ref().map(|key| key.key(params)).transpose()?;
                let from = self.view_at(table, Some(from), params)?;
                let to = self.view_as_is(&table.text, Some(to.point(params)?))?;
                Ok(Outcome::Rows(Rows::of_diff(Diff::new(
                    &from,
                    &to,
                    key.as_ref(),
                )?)))
            }
            Kind::ShowTables => Ok(Outcome::Rows(self.show_tables()?)),
            Kind::Describe { table } => Ok(Outcome::Rows(self.describe(&table.text)?)),
            Kind::Snapshot { table } => self.run_snapshot(table),
            Kind::Compact { table, keep_since } => {
                let point = keep_since
                    .as_ref()
                    .map(|point| point.point(params))
                    .transpose()?;
                self.run_compact(&table.text, point)
            }
        }
    }

    fn written(
        &mut self,
        context: &Context,
        writes: impl FnOnce(&mut Database) -> Result<()>,
    ) -> Result<Outcome> {
        Ok(Outcome::Written(self.atomically(context, writes)?))
    }

    fn run_create(&mut self, create: &CreateTable) -> Result<Outcome> {
        self.not_in_transaction("CREATE TABLE")?;
        let indexes: alloc::vec::Vec<String> = create
            .indexes
            .iter()
            .map(|(path, _)| format!("{path}"))
            .collect();
        let schema = Schema::new(&create.table.text, &create.primary_key.text, &indexes)?;
        match self.create_table(schema) {
            Err(error) if error.code() == Code::TableExists && create.if_not_exists => Ok(
                Outcome::Done(format!("table {} exists already", create.table.text)),
            ),
            Err(error) => Err(error.at(create.table.span)),
            Ok(()) => Ok(Outcome::Done(format!(
                "table {} created",
                create.table.text
            ))),
        }
    }

    /// Creates a table.
    ///
    /// # Errors
    /// `Code::TableExists`, `Code::ReadOnly`; those of the store.
    pub fn create_table(&mut self, schema: Schema) -> Result<()> {
        if self.tables.contains_key(&schema.name) {
            return Err(Error::new(
                Code::TableExists,
                format!("there is a table {} already", schema.name),
            ));
        }
        let name = schema.name.clone();
        let table = Table::create(self.env.clone(), schema)?;
        if let Some(touched) = &mut self.touched {
            touched.table(&name);
        }
        self.tables.insert(name, table);
        Ok(())
    }

    fn run_put(
        &mut self,
        table: &Name,
        intent: Intent,
        documents: &[Term],
        params: &Params,
        context: &Context,
    ) -> Result<Outcome> {
        self.written(context, |db| {
            for term in documents {
                db.put_body(&table.text, intent, &term.document(params)?)
                    .map_err(|error| match error.code() {
                        Code::UnknownTable => error,
                        _ => error.at(term.span),
                    })?;
            }
            Ok(())
        })
    }

    fn run_restore(
        &mut self,
        table: &Name,
        key: &Term,
        at: &Term,
        params: &Params,
        context: &Context,
    ) -> Result<Outcome> {
        let key = key.key(params)?;
        let view = self.view_at(table, Some(at), params)?;
        let Some(row) = view.get(&key)? else {
            let mut encoded = alloc::vec::Vec::new();
            key.encode(&mut encoded);
            let error = no_such_row(view.schema(), &encoded);
            return Err(
                Error::new(error.code(), format!("{} at that point", error.message())).at(at.span),
            );
        };
        self.written(context, |db| {
            db.event(&table.text, Intent::Put, key.view(), Some(&row.document()))
        })
    }

    fn run_rollback(&mut self) -> Result<Outcome> {
        if self.pending.is_none() {
            return Err(
                Error::new(Code::Transaction, "no transaction is open").hint("BEGIN starts one")
            );
        }
        self.rollback();
        Ok(Outcome::Done("transaction rolled back".into()))
    }

    fn view_of(&mut self, select: &Select, params: &Params) -> Result<View> {
        self.view_at(&select.table, select.at.as_ref(), params)
    }

    fn view_at(&mut self, table: &Name, at: Option<&Term>, params: &Params) -> Result<View> {
        let point: Option<Point> = at.map(|at| at.point(params)).transpose()?;
        self.view(&table.text, point)
            .map_err(|error| match (error.code(), at) {
                (Code::BeforeHorizon, Some(at)) => error.at(at.span),
                _ => error,
            })
    }

    pub(super) fn not_in_transaction(&self, what: &str) -> Result<()> {
        match self.pending {
            None => Ok(()),
            Some(_) => Err(Error::new(
                Code::Transaction,
                format!("{what} cannot be part of a transaction"),
            )
            .hint("COMMIT or ROLLBACK first")),
        }
    }

    fn run_snapshot(&mut self, table: &Name) -> Result<Outcome> {
        self.not_in_transaction("SNAPSHOT")?;
        self.write_group()?;
        let found = self.table(&table.text)?;
        match found.take_snapshot()? {
            Some(job) => Ok(Outcome::Work(Work {
                table: table.text.clone(),
                job: Job::Snapshot(alloc::boxed::Box::new(job)),
            })),
            None => Ok(Outcome::Done(format!(
                "table {} has a snapshot of its last event already",
                table.text
            ))),
        }
    }

    fn run_compact(&mut self, table: &str, keep_since: Option<Point>) -> Result<Outcome> {
        self.not_in_transaction("COMPACT")?;
        self.sync()?;
        self.retire_journal()?;
        let head = self.head;
        let found = self.table(table)?;
        let job = found.compact(keep_since, head)?;
        Ok(Outcome::Work(Work {
            table: table.into(),
            job: Job::Compact(alloc::boxed::Box::new(job)),
        }))
    }

    /// COMPACT, driven to its end.
    pub(super) fn compact_table(
        &mut self,
        table: &str,
        keep_since: Option<Point>,
    ) -> Result<String> {
        match self.run_compact(table, keep_since)? {
            Outcome::Work(work) => self.finish(work),
            _ => Ok(String::new()),
        }
    }

    /// Does some of a long work; the line for people when it is done. Between two calls the database can be read; a write to its table, or an open
    /// transaction, ends COMPACT with `Code::Conflict`, as COMPACT ends SNAPSHOT.
    pub fn advance(&mut self, work: &mut Work) -> Result<Step<String>> {
        let env: Rc<crate::table::Env> = self.env.clone();
        let name = work.table.clone();
        // What is in memory alone would be lost when the table is built anew from its log.
        self.write_group()?;
        let writing = self.pending.is_some();
        let table = self.table(&name)?;
        match &mut work.job {
            Job::Compact(job) if writing && !job.is_replaced() => Err(job.give_up(table)),
            Job::Snapshot(job) if job.generation() != table.log().generation() => Err(Error::new(
                Code::Conflict,
                format!("table {name} was compacted while a snapshot of it was being taken"),
            )),
            Job::Snapshot(job) => match job.step(&env)? {
                Step::Item(snapshot) => {
                    let line = format!(
                        "snapshot of table {name} at @seq:{}: {} rows",
                        snapshot.seq.0, snapshot.rows
                    );
                    table.add_snapshot(snapshot)?;
                    Ok(Step::Item(line))
                }
                Step::Pause => Ok(Step::Pause),
                Step::Done => Ok(Step::Done),
            },
            Job::Compact(job) => {
                let step = job.step(table)?;
                // Histories have become shorter.
                if let (Step::Item(_), Some(touched)) = (&step, &mut self.touched) {
                    touched.table(&name);
                }
                Ok(step)
            }
        }
    }

    /// Drives a long work to its end; the line for people.
    pub fn finish(&mut self, mut work: Work) -> Result<String> {
        crate::table::drive(|| self.advance(&mut work)).map(Option::unwrap_or_default)
    }
}
