//! The operations of a run, and their text as DriftQL: what a failing run prints can be pasted into a shell.

use std::fmt;

use super::{Doc, Key, text};

/// A statement that writes an event.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub enum Write {
    Insert { table: String, doc: Doc },
    Upsert { table: String, doc: Doc },
    Patch { table: String, key: Key, patch: Doc },
    Delete { table: String, key: Key },
    Restore { table: String, key: Key, at: u64 },
}

impl Write {
    /// The table that it writes to.
    pub fn table(&self) -> &str {
        match self {
            Write::Insert { table, .. }
            | Write::Upsert { table, .. }
            | Write::Patch { table, .. }
            | Write::Delete { table, .. }
            | Write::Restore { table, .. } => table,
        }
    }
}

/// One step of a run.
#[derive(Clone, Debug)]
pub enum Op {
    /// CREATE TABLE.
    #[allow(missing_docs)]
    Create {
        table: String,
        key: String,
        indexes: Vec<String>,
    },
    /// A statement on its own.
    Write(Write),
    /// BEGIN, the statements, and COMMIT or ROLLBACK.
    #[allow(missing_docs)]
    Transaction {
        writes: Vec<Write>,
        meta: Option<Doc>,
        commit: bool,
    },
    /// SNAPSHOT.
    #[allow(missing_docs)]
    Snapshot { table: String },
    /// COMPACT, keeping all since a seq if one is given.
    #[allow(missing_docs)]
    Compact { table: String, since: Option<u64> },
    /// All maintenance that is due.
    Maintain,
    /// Close and open.
    Reopen,
}

/// A table's name as DriftQL: in backticks unless it is a plain word.
pub fn name(table: &str) -> String {
    let plain = table
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if plain {
        table.to_string()
    } else {
        format!("`{table}`")
    }
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Write::Insert { table, doc } => write!(f, "INSERT INTO {} {}", name(table), text(doc)),
            Write::Upsert { table, doc } => write!(f, "UPSERT INTO {} {}", name(table), text(doc)),
            Write::Patch { table, key, patch } => write!(
                f,
                "PATCH {} KEY {} SET {}",
                name(table),
                key.json(),
                text(patch)
            ),
            Write::Delete { table, key } => {
                write!(f, "SOFT DELETE FROM {} KEY {}", name(table), key.json())
            }
            Write::Restore { table, key, at } => {
                write!(
                    f,
                    "RESTORE {} KEY {} AS OF \"@seq:{at}\"",
                    name(table),
                    key.json()
                )
            }
        }
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Op::Create {
                table,
                key,
                indexes,
            } if indexes.is_empty() => write!(f, "CREATE TABLE {} (pk={key})", name(table)),
            Op::Create {
                table,
                key,
                indexes,
            } => {
                write!(
                    f,
                    "CREATE TABLE {} (pk={key}, INDEX({}))",
                    name(table),
                    indexes.join(", ")
                )
            }
            Op::Write(write) => write.fmt(f),
            Op::Transaction {
                writes,
                meta,
                commit,
            } => {
                match meta {
                    Some(meta) => write!(f, "BEGIN WITH {};", text(meta))?,
                    None => write!(f, "BEGIN;")?,
                }
                for write in writes {
                    write!(f, " {write};")?;
                }
                f.write_str(if *commit { " COMMIT" } else { " ROLLBACK" })
            }
            Op::Snapshot { table } => write!(f, "SNAPSHOT {}", name(table)),
            Op::Compact { table, since: None } => write!(f, "COMPACT {}", name(table)),
            Op::Compact {
                table,
                since: Some(seq),
            } => write!(f, "COMPACT {} KEEP SINCE \"@seq:{seq}\"", name(table)),
            Op::Maintain => f.write_str("-- maintain"),
            Op::Reopen => f.write_str("-- reopen"),
        }
    }
}
