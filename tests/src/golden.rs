//! The golden databases: what they hold, how they are written, and where they lie.
//!
//! The files under `tests/golden` are the format's memory: every later version opens them and answers the same.
//! `cargo run -p driftdb-tests --bin golden` writes them anew, which only a deliberate change of the format needs.

use std::path::PathBuf;

use driftdb_core::db::eventline;
use driftdb_core::db::{Database, Step};
use driftdb_core::{Error, Result};

use crate::engine::{Engine, Settings, small};
use crate::fault::{CallKind, Fault, FaultStore, Survival, What};
use crate::session::{Session, script};
use crate::small::Files;
use crate::workload::Mix;

/// A golden database.
pub struct Golden {
    /// The name of its directory.
    pub name: &'static str,
    /// Its files.
    pub files: Files,
}

/// Where the golden databases lie.
pub fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden")
}

/// All golden databases, as this version writes them.
pub fn all() -> Vec<Golden> {
    vec![
        Golden {
            name: "plain",
            files: closed(
                7,
                Settings::default(),
                Mix {
                    reopen: 0,
                    ..Mix::default()
                },
            ),
        },
        Golden {
            name: "worked",
            files: closed(8, small(), worked()),
        },
        Golden {
            name: "crashed",
            files: crashed(),
        },
    ]
}

/// All maintenance, in small pieces; and long transactions.
fn worked() -> Mix {
    Mix {
        snapshot: 6,
        maintain: 12,
        compact: 5,
        bulk: 8,
        reopen: 0,
        ..Mix::default()
    }
}

fn closed(seed: u64, settings: Settings, mix: Mix) -> Files {
    let store = FaultStore::new();
    let mut session = Session::create(store.clone(), settings);
    if let Err(what) = session.run(&script(seed, mix, 40)) {
        panic!("writing a golden database: {what}");
    }
    if let Some(engine) = session.engine.take() {
        engine
            .close()
            .unwrap_or_else(|error| panic!("closing a golden database: {error:?}"));
    }
    store.files()
}

/// Stopped just after the journal was synced: a commit that is in no log yet.
fn crashed() -> Files {
    let mix = Mix {
        transaction: 80,
        reopen: 0,
        compact: 0,
        ..Mix::default()
    };
    let run = |fault| {
        let store = FaultStore::new();
        store.set_reserving(false);
        store.script(fault);
        let mut session = Session::create(store.clone(), small());
        if let Err(what) = session.run(&script(9, mix, 30)) {
            panic!("writing a golden database: {what}");
        }
        store
    };
    let trace = run(None).trace();
    let synced = trace
        .iter()
        .rposition(|call| call.kind == CallKind::Sync && call.path == "journal");
    let at = synced.map_or(0, |index| index as u64 + 2);
    run(Some(Fault {
        at,
        what: What::Stop,
    }))
    .crash(Survival::Dropped)
    .files()
}

/// The history of a database as event lines.
pub fn dump(files: &Files) -> Result<String> {
    let mut engine = Engine::open(&FaultStore::from_files(files.clone()), &small())?;
    lines(&mut engine.db)
}

fn lines(db: &mut Database) -> Result<String, Error> {
    let mut text = String::new();
    let mut dump = db.dump()?;
    loop {
        match dump.step()? {
            Step::Item(line) => {
                eventline::write(&line, &mut text);
                if !text.ends_with('\n') {
                    text.push('\n');
                }
            }
            Step::Pause => {}
            Step::Done => return Ok(text),
        }
    }
}

/// A number (FNV-1a) that stands for bytes which must never change.
pub fn fingerprint(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
