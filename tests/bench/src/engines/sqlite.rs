//! What both SQLite schemas share: a tuned connection, and statements prepared once.

use super::{CACHE_BYTES, Failure, Groups, Outcome};
use crate::workload::{Change, Event};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, Row, Statement, ToSql};
use std::collections::VecDeque;
use std::path::Path;

/// Opens `orders.sqlite` in `dir` for benchmarks: WAL, every commit durable.
///
/// The connection is leaked, because statements prepared once borrow from it; [`close`] writes everything back.
pub fn connect(dir: &Path) -> Outcome<&'static Connection> {
    let connection = Connection::open(dir.join("orders.sqlite"))?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "cache_size", -((CACHE_BYTES / 1024) as i64))?;
    connection.pragma_update(None, "mmap_size", 1_i64 << 32)?;
    connection.pragma_update(None, "temp_store", "memory")?;
    connection.pragma_update(None, "wal_autocheckpoint", 4000)?;
    // Without it this version prepares again whenever the parameter of a range changes: AS OF seven times slower.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(Box::leak(Box::new(connection)))
}

/// Writes the WAL back, as the last connection's close does, and frees the cache.
pub fn close(connection: &'static Connection) -> Outcome<()> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| {
        row.get::<_, i64>(0)
    })?;
    connection.execute_batch("PRAGMA shrink_memory")?;
    Ok(())
}

/// Calls `visit` for each row of a prepared statement.
pub fn each(
    statement: &mut Statement<'_>,
    parameters: &[&dyn ToSql],
    mut visit: impl FnMut(&Row<'_>) -> Result<(), Failure>,
) -> Outcome<()> {
    let mut rows = statement.query(parameters)?;
    while let Some(row) = rows.next()? {
        visit(row)?;
    }
    Ok(())
}

/// Reads a row of (customer_id, status, amount, rest) wholly; answers its amount and its size.
pub fn members(row: &Row<'_>) -> Outcome<(i64, usize)> {
    let customer = row.get_ref(0)?.as_str()?;
    let status = row.get_ref(1)?.as_str()?;
    let amount = row.get_ref(2)?.as_i64()?;
    let rest = row.get_ref(3)?.as_str()?;
    Ok((amount, customer.len() + status.len() + rest.len()))
}

/// A row of (customer_id, status, amount, rest) as the JSON text of its document.
pub fn text(key: &str, row: &Row<'_>) -> Outcome<String> {
    let customer = row.get_ref(0)?.as_str()?;
    let status = row.get_ref(1)?.as_str()?;
    let amount = row.get_ref(2)?.as_i64()?;
    let rest = row.get_ref(3)?.as_str()?;
    let rest = rest.strip_prefix('{').ok_or("rest is no JSON object")?;
    Ok(format!(
        r#"{{"id":"{key}","customer_id":"{customer}","status":"{status}","amount":{amount},{rest}"#
    ))
}

/// Reads rows of (status, count, sum).
pub fn groups(statement: &mut Statement<'_>, parameters: &[&dyn ToSql]) -> Outcome<Groups> {
    let mut groups = Groups::new();
    each(statement, parameters, |row| {
        let sum: i64 = row.get(2)?;
        groups.insert(row.get(0)?, (row.get(1)?, sum));
        Ok(())
    })?;
    Ok(groups)
}

/// The members that are stored as JSON, of each insert of a batch.
pub fn rest_texts(batch: &[Event]) -> VecDeque<String> {
    let inserts = batch.iter().filter_map(|event| match &event.change {
        Change::Insert(doc) => Some(doc.rest.json()),
        _ => None,
    });
    inserts.collect()
}
