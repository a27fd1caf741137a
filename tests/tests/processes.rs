//! One process writes transactions over three tables that keep an invariant, compacts and rotates; four read and check.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use driftdb_tests::budget::pick;
use driftdb_tests::engine::Engine;

fn start(arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_transfer"))
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("starting transfer {arguments:?}: {error}"))
}

/// A fresh directory of this test.
fn directory(name: &str) -> PathBuf {
    let dir = std::env::temp_dir().join(format!("driftdb-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    dir
}

#[test]
fn readers_see_transactions_whole_or_not_at_all() {
    let base = directory("processes");
    let dir = base.join("db");
    Engine::create_dir(&dir, 0).unwrap_or_else(|error| panic!("creating: {error:?}"));
    let path = dir.display().to_string();
    let writer = start(&["write", &path, pick("1000", "20000")]);
    let readers: Vec<Child> = (1..=4)
        .map(|number| start(&["read", &path, &number.to_string()]))
        .collect();
    let written = writer
        .wait_with_output()
        .unwrap_or_else(|error| panic!("the writer: {error}"));
    std::fs::write(dir.with_extension("done"), "").unwrap_or_else(|error| panic!("{error}"));
    let mut report = format!(
        "processes, writer: {}",
        String::from_utf8_lossy(&written.stdout)
    );
    let mut failures = String::from_utf8_lossy(&written.stderr).into_owned();
    for reader in readers {
        let read = reader
            .wait_with_output()
            .unwrap_or_else(|error| panic!("a reader: {error}"));
        report += &format!(
            "processes, reader: {}",
            String::from_utf8_lossy(&read.stdout)
        );
        failures += &String::from_utf8_lossy(&read.stderr);
        assert!(
            read.status.success() || !failures.is_empty(),
            "a reader has failed without a word"
        );
    }
    print!("{report}");
    assert!(
        failures.is_empty() && written.status.success(),
        "{failures}"
    );
    let _ = std::fs::remove_dir_all(&base);
}
