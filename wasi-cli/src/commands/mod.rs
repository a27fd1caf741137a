//! The commands, a module each.

mod backup;
mod compact;
mod describe;
mod drift;
mod dump;
mod export;
mod import;
mod init;
mod load;
mod restore;
mod select;
mod snapshot;
mod sql;
mod tables;
mod verify;

use std::path::PathBuf;

use driftdb_core::ql::Params;
use driftdb_core::time::{Seq, Timestamp};

use crate::args::{Command, Format, Lock};
use crate::errors::{Result, Script};
use crate::session::{Session, Settings};

/// Runs a command.
pub fn run(command: Command) -> Result<()> {
    match command {
        Command::Init(command) => init::run(command),
        Command::Sql(command) => sql::run(command),
        Command::Select(command) => select::run(command),
        Command::Drift(command) => drift::run(command),
        Command::Tables(command) => tables::run(command),
        Command::Describe(command) => describe::run(command),
        Command::Import(command) => import::run(command),
        Command::Export(command) => export::run(command),
        Command::Dump(command) => dump::run(command),
        Command::Load(command) => load::run(command),
        Command::Backup(command) => backup::run(command),
        Command::Restore(command) => restore::run(command),
        Command::Snapshot(command) => snapshot::run(command),
        Command::Compact(command) => compact::run(command),
        Command::Verify(command) => verify::run(command),
    }
}

/// Runs the one statement that a command stands for, for which it needs the writer's lock or not. Its text is shown if it has an error.
fn one_statement(dir: PathBuf, lock: Option<Lock>, format: Format, text: String) -> Result<()> {
    let script = Script {
        name: "the statement".into(),
        text,
        first_line: 1,
    };
    let settings = Settings {
        lock: lock.unwrap_or_default(),
        ..Settings::default()
    };
    let mut session = Session::open(dir, lock.is_some(), format, settings)?;
    session.run_script(&script, &Params::none())?;
    session.close()
}

/// A name as it can stand in a statement, whatever is in it.
fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A number of things in words: `1 row`, `2 rows`.
fn counted(count: u64, thing: &str) -> String {
    match count {
        1 => format!("1 {thing}"),
        count => format!("{count} {thing}s"),
    }
}

/// How far a copy of a database goes.
fn moment(seq: Seq, time: Timestamp) -> String {
    match seq.0 {
        0 => "no events".into(),
        seq => format!("up to @seq:{seq}, {time}"),
    }
}
