//! Rows as a table for people.
//!
//! A long result is laid out and written in parts of [`PART`] rows, each under its own header, so that it streams.

use std::io::Write;

use comfy_table::{
    Cell, CellAlignment, ColumnConstraint, ContentArrangement, Table as Grid, presets,
};
use driftdb_core::value::{Object, Value};

use super::{Columns, Sink, cell};
use crate::errors::{Result, printable_escaped};

/// Rows that are laid out together.
const PART: usize = 1000;
/// Columns of no more characters than this are kept whole; a time has 24.
const NARROW: u16 = 24;
/// Characters of a cell that are shown.
const CELL_MAX: usize = 500;

/// The rows not yet written.
pub struct Table<'a> {
    out: &'a mut dyn Write,
    width: Option<u16>,
    columns: Option<Vec<String>>,
    part: Vec<Object>,
    rows: u64,
}

impl<'a> Table<'a> {
    /// A table that is folded into `width` columns, if there is a width.
    pub fn new(out: &'a mut dyn Write, width: Option<u16>) -> Self {
        Table {
            out,
            width,
            columns: None,
            part: Vec::new(),
            rows: 0,
        }
    }

    fn write_part(&mut self) -> Result<()> {
        let part = std::mem::take(&mut self.part);
        // In a column that was asked for, NULL says that there is nothing; in a whole document null is a value.
        let whole = self.columns.is_none();
        let mut found = Columns::default();
        let columns = match &self.columns {
            Some(columns) => columns,
            None => {
                part.iter().for_each(|row| found.add(row));
                found.names()
            }
        };
        if columns.is_empty() {
            return Ok(());
        }
        let mut grid = Grid::new();
        grid.load_style(presets::UTF8_FULL_CONDENSED);
        match self.width {
            Some(width) => grid
                .set_content_arrangement(ContentArrangement::Dynamic)
                .set_width(width),
            None => grid.set_content_arrangement(ContentArrangement::Disabled),
        };
        grid.set_header(columns.iter().map(|name| printable_escaped(name)));
        for row in &part {
            let value = |name: &String| row.get(name).filter(|value| whole || !value.is_null());
            grid.add_row(columns.iter().map(|name| shown(value(name))));
        }
        if let Some(width) = self.width {
            keep_narrow_whole(&mut grid, width);
        }
        for line in grid.lines() {
            writeln!(self.out, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

impl Sink for Table<'_> {
    fn begin(&mut self, columns: Option<&[String]>) -> Result<()> {
        self.columns = columns.map(<[String]>::to_vec);
        Ok(())
    }

    fn row(&mut self, row: Object) -> Result<()> {
        self.rows += 1;
        self.part.push(row);
        if self.part.len() == PART {
            self.write_part()
        } else {
            Ok(())
        }
    }

    fn end(&mut self) -> Result<()> {
        if !self.part.is_empty() {
            self.write_part()?;
        }
        match self.rows {
            0 => writeln!(self.out, "(no rows)")?,
            1 => writeln!(self.out, "(1 row)")?,
            rows => writeln!(self.out, "({rows} rows)")?,
        }
        Ok(())
    }
}

/// Columns of short values (times, keys, numbers) are not folded, as long as that leaves half of the width for the others.
fn keep_narrow_whole(grid: &mut Grid, width: u16) {
    let mut left = width / 2;
    for (column, content) in grid.column_max_content_widths().into_iter().enumerate() {
        let taken = content.saturating_add(3);
        if content <= NARROW && taken <= left {
            left -= taken;
            if let Some(column) = grid.column_mut(column) {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
        }
    }
}

fn shown(value: Option<&Value>) -> Cell {
    let mut text = printable_escaped(&cell(value));
    if let Some((at, _)) = text.char_indices().nth(CELL_MAX) {
        text.truncate(at);
        text.push('…');
    }
    let cell = Cell::new(text);
    match value {
        Some(Value::Int(_) | Value::UInt(_) | Value::Float(_)) => {
            cell.set_alignment(CellAlignment::Right)
        }
        _ => cell,
    }
}
