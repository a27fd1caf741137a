//! The interactive session: statements over several lines, a history, completion. Not on WASI, which has no terminal to speak of.

mod helper;
mod text;

use std::path::PathBuf;

use clap::ValueEnum;
use rustyline::config::Configurer;
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{CompletionType, Config, Editor};

use crate::args::Format;
use crate::errors::{Failure, Result, Script};
use crate::interrupt;
use crate::session::Session;

use helper::Assistant;

const HELP: &str = "\
Statements end with ';' and may take several lines. Try:
  CREATE TABLE t (pk=id, INDEX(status));
  INSERT INTO t {\"id\": 1, \"status\": \"new\"};
  SELECT * FROM t AS OF \"@seq:1\";
  SHOW DRIFT t KEY 1;
Commands:
  .tables          list the tables
  .format FORMAT   table, json, jsonl or csv
  .help            this text
  .quit            leave; so does Ctrl-D
Tab completes keywords and tables; Ctrl-R searches the history; Ctrl-C gives up a statement.";

const HISTORY_MAX: usize = 10_000;

/// Reads statements and runs them until the user leaves.
pub fn run(session: &mut Session) -> Result<()> {
    let mut editor = editor().map_err(terminal)?;
    let history = history_file();
    if let Some(path) = &history {
        let _ = editor.load_history(path);
    }
    anstream::println!(
        "driftdb {}. Statements end with ';'. \".help\" helps, Ctrl-D leaves.",
        env!("CARGO_PKG_VERSION")
    );
    loop {
        if let Some(assistant) = editor.helper_mut() {
            assistant.set_tables(session.table_names());
        }
        let prompt = if session.in_transaction() {
            "driftdb*> "
        } else {
            "driftdb> "
        };
        match editor.readline(prompt) {
            Ok(line) => {
                let _ = editor.add_history_entry(line.trim_end());
                if !answer(session, &line)? {
                    break;
                }
            }
            Err(ReadlineError::Interrupted) => {}
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(terminal(error)),
        }
    }
    if let Some(path) = &history {
        let _ = editor.save_history(path);
    }
    if session.in_transaction() {
        anstream::eprintln!("the open transaction was rolled back");
    }
    Ok(())
}

fn editor() -> rustyline::Result<Editor<Assistant, FileHistory>> {
    let config = Config::builder()
        .completion_type(CompletionType::List)
        .history_ignore_space(true)
        .build();
    let mut editor = Editor::<Assistant, FileHistory>::with_config(config)?;
    editor.set_max_history_size(HISTORY_MAX)?;
    editor.set_helper(Some(Assistant::default()));
    Ok(editor)
}

/// Runs what was typed; false to leave.
fn answer(session: &mut Session, line: &str) -> Result<bool> {
    let line = line.trim();
    if let Some(command) = line.strip_prefix('.') {
        return dot(session, command);
    }
    let script = Script {
        name: "input".into(),
        text: line.to_owned(),
        first_line: 1,
    };
    interrupt::clear();
    match session.run_script(&script, &Default::default()) {
        Ok(()) => {}
        Err(Failure::ClosedPipe) => return Err(Failure::ClosedPipe),
        Err(failure) => {
            failure.report();
            interrupt::clear();
        }
    }
    Ok(true)
}

/// A command of the session itself.
fn dot(session: &mut Session, command: &str) -> Result<bool> {
    let mut words = command.split_whitespace();
    match (words.next(), words.next()) {
        (Some("quit" | "exit"), None) => return Ok(false),
        (Some("help"), None) => println!("{HELP}"),
        (Some("tables"), None) => return answer(session, "SHOW TABLES"),
        (Some("format"), Some(name)) => match Format::from_str(name, true) {
            Ok(format) => session.set_format(format),
            Err(_) => anstream::eprintln!("formats are table, json, jsonl and csv"),
        },
        _ => anstream::eprintln!("there is no such command; \".help\" lists them"),
    }
    Ok(true)
}

fn terminal(error: ReadlineError) -> Failure {
    std::io::Error::other(error).into()
}

/// Where the history of the session is kept.
fn history_file() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("DRIFTDB_HISTORY") {
        return (!path.is_empty()).then(|| path.into());
    }
    let state = std::env::var_os("XDG_STATE_HOME").filter(|path| !path.is_empty());
    let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".local/state"));
    let dir = state.map(PathBuf::from).or_else(home)?.join("driftdb");
    std::fs::create_dir_all(&dir).ok()?;
    Some(dir.join("history"))
}
