//! Rows as comma-separated values.
//!
//! A null and a missing member are empty fields, nested values are JSON. The header must name all columns: rows whose columns are
//! not known before are held until the last one has been seen, unless the caller finds them first.

use std::io::Write;

use driftdb_core::Code;
use driftdb_core::Error;
use driftdb_core::value::{Object, Value};

use super::{Columns, Sink, cell};
use crate::errors::{Failure, Result};

/// The header and the rows.
pub struct Csv<'a> {
    writer: ::csv::Writer<&'a mut dyn Write>,
    columns: Option<Vec<String>>,
    held: Vec<Object>,
}

impl<'a> Csv<'a> {
    pub fn new(out: &'a mut dyn Write) -> Self {
        Csv {
            writer: ::csv::Writer::from_writer(out),
            columns: None,
            held: Vec::new(),
        }
    }

    fn header(&mut self, columns: Vec<String>) -> Result<()> {
        if !columns.is_empty() {
            self.writer.write_record(&columns).map_err(failure)?;
        }
        self.columns = Some(columns);
        Ok(())
    }

    fn write(&mut self, row: &Object) -> Result<()> {
        let columns = self.columns.as_deref().unwrap_or_default();
        if columns.is_empty() {
            return Ok(());
        }
        let cells = columns.iter().map(|name| match row.get(name) {
            None | Some(Value::Null) => String::new(),
            value => cell(value),
        });
        self.writer.write_record(cells).map_err(failure)
    }
}

impl Sink for Csv<'_> {
    fn begin(&mut self, columns: Option<&[String]>) -> Result<()> {
        columns.map_or(Ok(()), |columns| self.header(columns.to_vec()))
    }

    fn row(&mut self, row: Object) -> Result<()> {
        match self.columns {
            Some(_) => self.write(&row),
            None => {
                self.held.push(row);
                Ok(())
            }
        }
    }

    fn end(&mut self) -> Result<()> {
        if self.columns.is_none() {
            let mut columns = Columns::default();
            self.held.iter().for_each(|row| columns.add(row));
            self.header(columns.names().to_vec())?;
            for row in std::mem::take(&mut self.held) {
                self.write(&row)?;
            }
        }
        Ok(self.writer.flush()?)
    }
}

fn failure(error: ::csv::Error) -> Failure {
    match error.into_kind() {
        ::csv::ErrorKind::Io(error) => error.into(),
        other => Error::new(Code::Io, format!("cannot write CSV: {other:?}")).into(),
    }
}
