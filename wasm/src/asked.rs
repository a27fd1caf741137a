//! Requests that may have been sent before, by a client whose leader was lost: what they did then is found by their numbers and not done again.

use driftdb_core::db::{Database, Request, Written};
use driftdb_core::ql::ast::{Kind, Statement};
use driftdb_core::value::{Given, Value};
use driftdb_core::{Code, Error, Result};

/// Statements of one request have numbers of their own: so many at most.
const STATEMENTS_MAX: u64 = 1 << 20;

/// Who asks, under which number, and whether for the second time.
#[derive(Clone, Debug)]
pub struct Asked {
    client: String,
    number: u64,
    /// Whether it may have been done.
    pub again: bool,
}

impl Asked {
    /// Reads the three values.
    pub fn read(values: &[Given]) -> Result<Option<Asked>> {
        match values {
            [] => Ok(None),
            [
                Given::Value(Value::Str(client)),
                Given::Value(Value::Int(number)),
                Given::Value(Value::Bool(again)),
            ] => Ok(Some(Asked {
                client: client.clone(),
                number: number.unsigned_abs(),
                again: *again,
            })),
            _ => Err(Error::new(
                Code::InvalidValue,
                "the request's number cannot be read",
            )),
        }
    }

    /// The request of one statement.
    pub fn of(&self, statement: usize) -> Result<Request> {
        let statement = statement as u64;
        let number = self.number.checked_mul(STATEMENTS_MAX);
        match number.filter(|_| statement < STATEMENTS_MAX) {
            Some(number) => Ok(Request {
                client: self.client.clone(),
                number: number + statement,
            }),
            None => Err(Error::new(
                Code::Limit,
                format!("a script has at most {STATEMENTS_MAX} statements"),
            )),
        }
    }

    /// How many statements of a script were done, and what the last of them that wrote has written.
    pub fn done(
        &self,
        db: &mut Database,
        statements: &[Statement],
    ) -> Result<Option<(usize, Written)>> {
        for (at, statement) in statements.iter().enumerate().rev() {
            if statement.kind.is_read() {
                continue;
            }
            let Some(written) = db.answered(&self.of(at)?)? else {
                continue;
            };
            // A transaction's request is that of its BEGIN.
            let rest = statements.get(at..).unwrap_or_default();
            let end = match statement.kind {
                Kind::Begin { .. } => rest.iter().position(|it| matches!(it.kind, Kind::Commit)),
                _ => None,
            };
            return Ok(Some((at + end.unwrap_or(0) + 1, written)));
        }
        Ok(None)
    }
}
