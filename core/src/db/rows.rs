//! The rows that a statement answers with, one after another.

use alloc::string::String;
use alloc::vec::Vec;

use super::diff::Diff;
use super::drift::Drift;
use crate::error::Result;
use crate::ql::Query;
use crate::table::{Step, View, drive};
use crate::time::Seq;
use crate::value::{Bytes, Object, ObjectRef, msgpack};

/// An answer in rows. It stays as it was when the statement ran, whatever is written while it is read.
pub struct Rows {
    source: Source,
    columns: Option<Vec<String>>,
    /// The seq of the view that is read.
    seq: Option<Seq>,
}

enum Source {
    Query(alloc::boxed::Box<Query<View>>),
    Drift(alloc::boxed::Box<Drift>),
    Diff(alloc::boxed::Box<Diff>),
    List(alloc::vec::IntoIter<Object>),
}

impl Rows {
    pub(super) fn of_query(query: Query<View>, seq: Seq) -> Self {
        let columns = query.columns().map(<[String]>::to_vec);
        Rows {
            source: Source::Query(alloc::boxed::Box::new(query)),
            columns,
            seq: Some(seq),
        }
    }

    pub(super) fn of_drift(drift: Drift) -> Self {
        Rows {
            source: Source::Drift(alloc::boxed::Box::new(drift)),
            columns: Some(names(&super::drift::COLUMNS)),
            seq: None,
        }
    }

    pub(super) fn of_diff(diff: Diff) -> Self {
        Rows {
            source: Source::Diff(alloc::boxed::Box::new(diff)),
            columns: Some(names(&super::diff::COLUMNS)),
            seq: None,
        }
    }

    pub(super) fn of_list(columns: &[&str], rows: Vec<Object>) -> Self {
        Rows {
            source: Source::List(rows.into_iter()),
            columns: Some(names(columns)),
            seq: None,
        }
    }

    /// The names of the columns, which every row has in this order. `None` for `SELECT *`, whose rows are the documents.
    pub fn columns(&self) -> Option<&[String]> {
        self.columns.as_deref()
    }

    /// The seq at which a SELECT reads its table; `None` for other statements.
    pub fn seq(&self) -> Option<Seq> {
        self.seq
    }

    /// Some more work: a row, a pause after a bounded amount of work, or the end.
    pub fn step(&mut self) -> Result<Step<Object>> {
        let bytes = match &mut self.source {
            Source::Query(query) => return query.step(),
            Source::List(rows) => return Ok(rows.next().map_or(Step::Done, Step::Item)),
            Source::Drift(drift) => drift.step()?,
            Source::Diff(diff) => diff.step()?,
        };
        Ok(match bytes {
            Step::Item(row) => {
                let row = ObjectRef::new(&row).unwrap_or(ObjectRef::EMPTY);
                Step::Item(row.to_object())
            }
            Step::Pause => Step::Pause,
            Step::Done => Step::Done,
        })
    }

    /// The same with rows in msgpack, which most are already.
    pub fn step_bytes(&mut self) -> Result<Step<Bytes>> {
        match &mut self.source {
            Source::Query(query) => query.step_bytes(),
            Source::Drift(drift) => drift.step(),
            Source::Diff(diff) => diff.step(),
            Source::List(rows) => Ok(rows.next().map_or(Step::Done, |row| {
                let mut bytes = Vec::new();
                msgpack::encode_object(&row, &mut bytes);
                Step::Item(Bytes::from(bytes))
            })),
        }
    }

    /// The next row; `None` at the end.
    #[allow(
        clippy::should_implement_trait,
        reason = "an iterator's next cannot fail; this one can"
    )]
    pub fn next(&mut self) -> Result<Option<Object>> {
        drive(|| self.step())
    }
}

fn names(columns: &[&str]) -> Vec<String> {
    columns.iter().map(|column| String::from(*column)).collect()
}
