//! A small database with everything in it: several segments, index runs, snapshots, a compacted table.

use std::collections::BTreeMap;

use crate::engine::{Settings, small};
use crate::fault::FaultStore;
use crate::oracle::{Op, Oracle};
use crate::session::{Script, Session, listing, script};
use crate::workload::Mix;

/// Files by path.
pub type Files = BTreeMap<String, Vec<u8>>;

/// A closed database as files, and what it holds.
pub struct Small {
    /// The files.
    pub files: Files,
    /// What they hold.
    pub oracle: Oracle,
    /// What the files were after each step of the script, closed.
    pub earlier: Vec<Files>,
    /// How it was written.
    pub settings: Settings,
}

/// Makes the small database of a seed; `steps` operations after the tables.
pub fn database(seed: u64, steps: usize) -> Small {
    let mix = Mix {
        snapshot: 6,
        maintain: 12,
        compact: 4,
        reopen: 10,
        keys: 6,
        filler: 60,
        ..Mix::default()
    };
    let script = script(seed, mix, steps);
    let settings = small();
    let mut session = Session::create(FaultStore::new(), settings.clone());
    let mut earlier = Vec::new();
    for step in &script {
        run(&mut session, &vec![step.clone()]);
        if matches!(
            step.0,
            Op::Reopen | Op::Maintain | Op::Snapshot { .. } | Op::Compact { .. }
        ) {
            earlier.push(session.store.files());
        }
    }
    run(&mut session, &vec![(Op::Maintain, 0), (Op::Reopen, 0)]);
    if let Some(engine) = session.engine.take() {
        engine
            .close()
            .unwrap_or_else(|error| panic!("closing: {error:?}"));
    }
    Small {
        files: session.store.files(),
        oracle: session.oracle,
        earlier,
        settings,
    }
}

fn run(session: &mut Session, script: &Script) {
    if let Err(what) = session.run(script) {
        panic!("building the small database:\n{}{what}", listing(script));
    }
}

/// Whether a file is derived from the truth: deleting it changes no answer.
pub fn is_derived(path: &str) -> bool {
    path.contains("/snapshots/") || path.contains("/indexes/") || path.ends_with("/meta.json")
}
