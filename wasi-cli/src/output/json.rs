//! Rows as JSON: one object a line, or one array.

use std::io::Write;

use driftdb_core::value::Object;

use super::Sink;
use crate::errors::Result;

/// One object a line.
pub struct Lines<'a> {
    out: &'a mut dyn Write,
}

impl<'a> Lines<'a> {
    pub fn new(out: &'a mut dyn Write) -> Self {
        Lines { out }
    }
}

impl Sink for Lines<'_> {
    fn begin(&mut self, _columns: Option<&[String]>) -> Result<()> {
        Ok(())
    }

    fn row(&mut self, row: Object) -> Result<()> {
        Ok(writeln!(self.out, "{row}")?)
    }

    fn end(&mut self) -> Result<()> {
        Ok(())
    }
}

/// One array of objects, a line each.
pub struct Array<'a> {
    out: &'a mut dyn Write,
    empty: bool,
}

impl<'a> Array<'a> {
    pub fn new(out: &'a mut dyn Write) -> Self {
        Array { out, empty: true }
    }
}

impl Sink for Array<'_> {
    fn begin(&mut self, _columns: Option<&[String]>) -> Result<()> {
        Ok(write!(self.out, "[")?)
    }

    fn row(&mut self, row: Object) -> Result<()> {
        let separator = if self.empty { "\n" } else { ",\n" };
        self.empty = false;
        Ok(write!(self.out, "{separator}{row}")?)
    }

    fn end(&mut self) -> Result<()> {
        let end = if self.empty { "]" } else { "\n]" };
        Ok(writeln!(self.out, "{end}")?)
    }
}
