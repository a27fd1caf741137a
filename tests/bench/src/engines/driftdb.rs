//! DriftDB through its own API, on real files.

use super::{CACHE_BYTES, Engine, Groups, Outcome, Tally};
use crate::document::{Doc, Patch, glance};
use crate::workload::{Change, Event};
use driftdb_cli::store::FsStore;
use driftdb_core::db::{Context, Database, Options, View, drive};
use driftdb_core::ql::{self, Params, Statement};
use driftdb_core::table::ValueRange;
use driftdb_core::time::{Point, Seq, Timestamp};
use driftdb_core::value::{Key, Object, Value};
use std::collections::VecDeque;
use std::path::Path;
use std::rc::Rc;

const TABLE: &str = "orders";
/// The time of event 0; each event is a millisecond later.
const BEGIN: u64 = 1_760_000_000_000;

struct DriftDb {
    database: Database,
    groups: Statement,
    groups_at: Statement,
    /// Documents and patches of the events to come.
    ready: VecDeque<Object>,
}

/// Opens or makes the database.
pub fn open(dir: &Path) -> Outcome<Box<dyn Engine>> {
    let mut database = database(dir)?;
    if database.tables()?.is_empty() {
        run(
            &mut database,
            "CREATE TABLE orders (pk=id, INDEX(customer_id))",
        )?;
    }
    let groups = "SELECT status, COUNT(*) AS n, SUM(amount) AS total FROM orders";
    Ok(Box::new(DriftDb {
        database,
        groups: parse(&format!("{groups} GROUP BY status"))?,
        groups_at: parse(&format!("{groups} GROUP BY status AS OF ?"))?,
        ready: VecDeque::new(),
    }))
}

fn database(dir: &Path) -> Outcome<Database> {
    let store = Rc::new(FsStore::new(dir));
    if !dir.join("drift.json").exists() {
        Database::create(&*store, Timestamp(BEGIN))?;
    }
    let options = Options {
        cache_bytes: CACHE_BYTES,
        ..Options::default()
    };
    Ok(Database::open(store, options)?)
}

fn parse(text: &str) -> Outcome<Statement> {
    let mut statements = ql::parse(text)?;
    statements.pop().ok_or_else(|| "no statement".into())
}

fn run(database: &mut Database, text: &str) -> Outcome<()> {
    let context = Context::at(Timestamp(BEGIN));
    database.run(&parse(text)?, &Params::none(), &context)?;
    Ok(())
}

/// Makes a database of `tables` tables of these orders, each with an index.
pub fn many(dir: &Path, tables: usize, batch: &[Event]) -> Outcome<()> {
    let mut database = database(dir)?;
    for table in 0..tables {
        let name = format!("t{table}");
        run(
            &mut database,
            &format!("CREATE TABLE {name} (pk=id, INDEX(customer_id))"),
        )?;
        database.begin(None)?;
        for event in batch {
            if let Change::Insert(doc) = &event.change {
                database.insert(&name, &object(doc), Timestamp(BEGIN))?;
            }
        }
        database.commit(Timestamp(BEGIN))?;
    }
    database.close()?;
    Ok(())
}

fn object(doc: &Doc) -> Object {
    let mut out = Vec::with_capacity(200);
    doc.msgpack(&mut out);
    let raw = driftdb_core::value::Raw::new(&out);
    raw.and_then(|raw| raw.object())
        .map(|object| object.to_object())
        .unwrap_or_default()
}

fn patch(patch: &Patch) -> Object {
    let mut object = Object::with_capacity(2);
    match patch {
        Patch::Status(status, amount) => {
            object.insert("status", *status);
            object.insert("amount", *amount);
        }
        Patch::Customer(customer, amount) => {
            object.insert("customer_id", customer.as_str());
            object.insert("amount", *amount);
        }
    }
    object
}

fn point(at: Option<u64>) -> Option<Point> {
    at.map(|at| Point::Seq(Seq(at)))
}

impl DriftDb {
    fn view(&mut self, at: Option<u64>) -> Outcome<View> {
        Ok(self.database.view(TABLE, point(at))?)
    }
}

impl Engine for DriftDb {
    fn prepare(&mut self, batch: &[Event]) -> Outcome<()> {
        let objects = batch.iter().filter_map(|event| match &event.change {
            Change::Insert(doc) => Some(object(doc)),
            Change::Patch(change) => Some(patch(change)),
            Change::Delete => None,
        });
        self.ready = objects.collect();
        Ok(())
    }

    fn load(&mut self, batch: &[Event]) -> Outcome<()> {
        let now = Timestamp(BEGIN + batch.first().map_or(0, |event| event.seq));
        self.database.begin(None)?;
        for event in batch {
            if matches!(event.change, Change::Delete) {
                self.database
                    .delete(TABLE, &Key::Str(event.key.clone()), now)?;
                continue;
            }
            let object = self.ready.pop_front().ok_or("an event was not prepared")?;
            if matches!(event.change, Change::Insert(_)) {
                self.database.insert(TABLE, &object, now)?;
            } else {
                self.database
                    .patch(TABLE, &Key::Str(event.key.clone()), &object, now)?;
            }
        }
        self.database.commit(now)?;
        Ok(())
    }

    fn get(&mut self, key: &str, at: Option<u64>) -> Outcome<Option<i64>> {
        let row = self.view(at)?.get(&Key::Str(key.to_owned()))?;
        Ok(row.and_then(|row| Some(glance(&row.document())?.amount)))
    }

    fn holds(&mut self, key: &str, at: Option<u64>, document: Option<&[u8]>) -> Outcome<bool> {
        let row = self.view(at)?.get(&Key::Str(key.to_owned()))?;
        Ok(row.map(|row| row.document()).as_deref() == document)
    }

    fn lookup(&mut self, customer: &str, at: Option<u64>) -> Outcome<Tally> {
        let mut tally = Tally::default();
        let mut lookup = self
            .view(at)?
            .lookup(0, ValueRange::exactly(Value::from(customer)));
        while let Some(row) = drive(|| lookup.step())? {
            let document = row.document();
            let seen = glance(&document).ok_or("no order")?;
            if seen.customer_id == customer {
                tally.add(seen.amount, document.len());
            }
        }
        Ok(tally)
    }

    fn history(&mut self, key: &str) -> Outcome<Tally> {
        // Newest first; a patch's row is known once the versions before it are: the rows are made from the oldest on.
        let view = self.view(None)?;
        let mut walk = view.versions(&Key::Str(key.to_owned()));
        let mut versions = Vec::new();
        while let Some(version) = walk.next()? {
            versions.push(version);
        }
        let mut tally = Tally::default();
        let mut row = Vec::new();
        let mut merged = Vec::new();
        for version in versions.iter().rev() {
            if let Some(whole) = version.row() {
                row.clear();
                row.extend_from_slice(whole);
            } else if let Some(body) = &version.body {
                merged.clear();
                let object = |bytes| driftdb_core::value::ObjectRef::new(bytes).ok_or("no object");
                driftdb_core::value::patch::merge(object(&row)?, object(body)?, &mut merged);
                std::mem::swap(&mut row, &mut merged);
            } else {
                continue;
            }
            tally.add(glance(&row).ok_or("no order")?.amount, row.len());
        }
        Ok(tally)
    }

    fn groups(&mut self, at: Option<u64>) -> Outcome<Groups> {
        let context = Context::at(Timestamp(BEGIN));
        let outcome = match at {
            None => self.database.run(&self.groups, &Params::none(), &context)?,
            Some(at) => {
                let point = Value::from(format!("@seq:{at}"));
                let params = Params::positional([point]);
                self.database.run(&self.groups_at, &params, &context)?
            }
        };
        let driftdb_core::db::Outcome::Rows(mut rows) = outcome else {
            return Err("a SELECT gave no rows".into());
        };
        let mut groups = Groups::new();
        while let Some(row) = rows.next()? {
            let member = |name| row.get(name).ok_or("a column is missing");
            let number = |name| match member(name)? {
                Value::Int(number) => Ok(*number),
                _ => Err("a column is no integer"),
            };
            let Value::Str(status) = member("status")? else {
                return Err("a status is no string".into());
            };
            groups.insert(status.clone(), (number("n")? as u64, number("total")?));
        }
        Ok(groups)
    }

    fn close(self: Box<Self>) -> Outcome<()> {
        self.database.close()?;
        Ok(())
    }
}
