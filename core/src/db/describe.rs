//! SHOW TABLES and DESCRIBE: what is known of tables without reading their rows.

use alloc::string::ToString;
use alloc::vec::Vec;

use super::{Database, Rows};
use crate::error::Result;
use crate::table::Table;
use crate::time::Timestamp;
use crate::value::{Object, Value};

impl Database {
    /// SHOW TABLES.
    pub(super) fn show_tables(&mut self) -> Result<Rows> {
        let mut rows = Vec::new();
        for name in self.tables()? {
            let table = self.table(&name)?;
            let mut row = Object::new();
            row.insert("table", name.as_str());
            row.insert("primary_key", table.schema().primary_key.as_str());
            row.insert("indexes", indexes(table));
            row.insert(
                "last_seq",
                last(table, |table| Value::from(table.head().seq.0)),
            );
            row.insert(
                "last_time",
                last(table, |table| Value::from(table.head().time.to_string())),
            );
            rows.push(row);
        }
        Ok(Rows::of_list(
            &["table", "primary_key", "indexes", "last_seq", "last_time"],
            rows,
        ))
    }

    /// DESCRIBE.
    pub(super) fn describe(&mut self, name: &str) -> Result<Rows> {
        let table = self.table(name)?;
        let sources = table.sources().clone();
        let reader = table.log().reader();
        let segments = reader.segments();
        let first = segments.iter().find_map(|segment| segment.first);
        let count = |count: usize| Value::from(count as u64);
        let time = |time: Timestamp| Value::from(time.to_string());
        let head = table.head();
        let runs = sources.primary.len() + sources.secondary.iter().map(Vec::len).sum::<usize>();
        let horizon = sources.horizon;
        let compacted = horizon.seq.0 > 0;
        let facts = [
            ("table", Value::from(name)),
            (
                "primary_key",
                Value::from(table.schema().primary_key.as_str()),
            ),
            ("indexes", indexes(table)),
            ("events", Value::from(head.events)),
            (
                "first_seq",
                first.map_or(Value::Null, |(seq, _)| Value::from(seq.0)),
            ),
            ("first_time", first.map_or(Value::Null, |(_, at)| time(at))),
            (
                "last_seq",
                last(table, |table| Value::from(table.head().seq.0)),
            ),
            ("last_time", last(table, |table| time(table.head().time))),
            (
                "horizon_seq",
                if compacted {
                    Value::from(horizon.seq.0)
                } else {
                    Value::Null
                },
            ),
            (
                "horizon_time",
                if compacted {
                    time(horizon.time)
                } else {
                    Value::Null
                },
            ),
            ("segments", count(segments.len())),
            ("log_bytes", Value::from(head.log_bytes)),
            ("index_runs", count(runs)),
            (
                "snapshots",
                Value::Array(
                    sources
                        .snapshots
                        .iter()
                        .map(|snapshot| Value::from(snapshot.seq.0))
                        .collect(),
                ),
            ),
            (
                "replayed_events",
                count(
                    sources
                        .memtables
                        .iter()
                        .map(|memtable| memtable.borrow().len())
                        .sum(),
                ),
            ),
        ];
        let row = |(property, value): (&str, Value)| {
            let mut row = Object::new();
            row.insert("property", property);
            row.insert("value", value);
            row
        };
        Ok(Rows::of_list(
            &["property", "value"],
            facts.into_iter().map(row).collect(),
        ))
    }
}

fn indexes(table: &Table) -> Value {
    Value::Array(
        table
            .schema()
            .indexes
            .iter()
            .map(|index| Value::from(index.as_str()))
            .collect(),
    )
}

fn last(table: &Table, value: impl Fn(&Table) -> Value) -> Value {
    if table.head().events == 0 {
        Value::Null
    } else {
        value(table)
    }
}
