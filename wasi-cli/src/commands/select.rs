//! `driftdb select`: rows of a table, without writing a whole statement.

use std::fmt::Write as _;

use driftdb_core::value::Value;

use crate::args::{Filter, Select};
use crate::errors::Result;
use crate::output;

/// Runs the SELECT that the options describe.
pub fn run(select: Select) -> Result<()> {
    let mut text = statement(&select.table, &select.filter);
    if let Some(order) = &select.order_by {
        let _ = write!(text, "\nORDER BY {order}");
    }
    if let Some(limit) = select.limit {
        let _ = write!(text, "\nLIMIT {limit}");
    }
    if let Some(offset) = select.offset {
        let _ = write!(text, "\nOFFSET {offset}");
    }
    end(&mut text, &select.filter);
    let format = output::format_or_default(select.output.format);
    super::one_statement(select.dir.dir, None, format, text)
}

/// The statement up to its condition, a line for each part, so that no part reaches into the next.
pub fn statement(table: &str, filter: &Filter) -> String {
    let columns = filter.columns.as_deref().unwrap_or("*");
    let mut text = format!("SELECT {columns}\nFROM {}", super::quoted(table));
    if let Some(condition) = &filter.condition {
        let _ = write!(text, "\nWHERE {condition}");
    }
    text
}

/// Ends the statement with its point in time, if there is one.
pub fn end(text: &mut String, filter: &Filter) {
    if let Some(point) = &filter.as_of {
        let _ = write!(text, "\nAS OF {}", Value::Str(point.clone()));
    }
}
