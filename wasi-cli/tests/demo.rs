//! The demo runs, and what it shows of this repository's history is what git says.
#![allow(missing_docs)]
#![cfg(unix)]

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;

use common::{Place, driftdb};

/// The example program, which cargo builds beside the tests.
fn git_history() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.parent()
        .unwrap()
        .parent()
        .unwrap()
        .join("examples/git-history")
}

#[test]
fn the_demo_shows_every_statement() {
    if !git_history().exists() {
        return eprintln!("skipped: the example git-history is not built (cargo test builds it)");
    }
    let place = Place::empty();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../demo/run");
    let mut demo = Command::new(script);
    demo.arg(place.path())
        .env("DRIFTDB", driftdb())
        .env("GIT_HISTORY", git_history());
    let output = demo.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    for statement in [
        "CREATE TABLE",
        "INSERT INTO",
        "PATCH",
        "SOFT DELETE",
        "AS OF \"2025-01-01T00:00:00Z\"",
        "AS OF \"@seq:1000\"",
        "SHOW DRIFT",
        "SNAPSHOT",
        "COMPACT",
        "UPSERT",
        "BEGIN WITH",
        "DIFF",
        "RESTORE",
        "SHOW TABLES",
        "DESCRIBE",
        "EXPLAIN",
        "10000 rows into orders",
        "ok: ",
    ] {
        assert!(said.contains(statement), "no {statement} in\n{said}");
    }
    // After each commit that it asks about comes what git says.
    let lines: Vec<_> = said.lines().collect();
    for (at, line) in lines.iter().enumerate() {
        let Some(git) = line.strip_prefix("git ls-tree: ") else {
            continue;
        };
        let numbers = |text: &str| -> Vec<String> {
            let word = |c: char| !c.is_ascii_digit();
            text.split(word)
                .filter(|part| !part.is_empty())
                .map(String::from)
                .collect()
        };
        assert_eq!(
            numbers(lines[at - 3]),
            numbers(git),
            "{}",
            lines[at - 6..=at].join("\n")
        );
    }
}
