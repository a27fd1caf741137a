//! `driftdb sql`: runs scripts from the command line, from files, from standard input, or a session.

use std::io::IsTerminal;
use std::path::Path;

use driftdb_core::ql::{Params, Parser};

use crate::args::Sql;
use crate::errors::{Failure, Result, Script};
use crate::input::Source;
use crate::session::{Session, Settings};
use crate::{options, output};

/// Runs the scripts in the order -e, -f; without any, standard input; on a terminal, a session.
pub fn run(sql: Sql) -> Result<()> {
    let mut scripts = Vec::new();
    for text in &sql.execute {
        let (name, text) = ("-e".to_owned(), text.clone());
        scripts.push(Script {
            name,
            text,
            first_line: 1,
        });
    }
    for path in &sql.file {
        scripts.push(read(path)?);
    }
    let interactive = scripts.is_empty() && std::io::stdin().is_terminal();
    if scripts.is_empty() && !interactive {
        scripts.push(read(Path::new("-"))?);
    }
    let params = params(&sql.param, &scripts)?;
    let writes = scripts.iter().any(writes);
    let settings = Settings {
        meta: sql.metadata.object(),
        now: sql.metadata.now,
        durability: sql.durable.durability,
        lock: sql.lock,
    };
    let format = output::format_or_default(sql.output.format);
    let mut session = Session::open(sql.dir.dir, writes, format, settings)?;
    let done = if interactive {
        interact(&mut session)
    } else {
        scripts
            .iter()
            .try_for_each(|script| session.run_script(script, &params))
    };
    let open_end = done.is_ok() && !interactive && session.in_transaction();
    // Closing matters after an error too: what was committed before it stays.
    let closed = session.close();
    done.and(closed)?;
    if open_end { Err(unfinished()) } else { Ok(()) }
}

#[cfg(not(target_family = "wasm"))]
fn interact(session: &mut Session) -> Result<()> {
    crate::repl::run(session)
}

#[cfg(target_family = "wasm")]
fn interact(_session: &mut Session) -> Result<()> {
    Err(Failure::Usage(
        "there is no interactive session here: give statements with -e or -f".into(),
    ))
}

fn read(path: &Path) -> Result<Script> {
    let source = Source::open(path)?;
    let name = source.name().to_owned();
    Ok(Script {
        name,
        text: source.read_text()?,
        first_line: 1,
    })
}

/// The parameters; they belong to one script, because `?` is counted within it.
fn params(texts: &[String], scripts: &[Script]) -> Result<Params> {
    let (positional, named) = options::parameters(texts);
    let params = named
        .into_iter()
        .fold(Params::positional(positional), |params, (name, value)| {
            params.with(name, value)
        });
    match scripts {
        _ if texts.is_empty() => {}
        [script] => {
            let checked = params.check_text(&script.text);
            checked.map_err(|error| Failure::from(error).of_script(script))?;
        }
        _ => {
            return Err(Failure::Usage(
                "--param goes with one script, one -e or one -f".into(),
            ));
        }
    }
    Ok(params)
}

/// Whether a script writes, as far as it can be read: then the database is opened for writing before anything runs.
fn writes(script: &Script) -> bool {
    let mut parser = Parser::new(&script.text);
    while let Ok(Some(statement)) = parser.next_statement() {
        if !statement.kind.is_read() {
            return true;
        }
    }
    false
}

fn unfinished() -> Failure {
    let message = "the script ends inside a transaction, which was rolled back";
    let error = driftdb_core::Error::new(driftdb_core::Code::Transaction, message);
    error.hint("end it with COMMIT").into()
}
