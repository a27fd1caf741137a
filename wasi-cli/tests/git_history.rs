//! This repository's history as a database: as of every commit it holds exactly that commit's tree.
#![allow(missing_docs)]

mod common;
#[path = "../examples/git-history.rs"]
mod git_history;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use common::Place;
use driftdb_core::value::json;

/// `git ls-tree -r` of a commit as rows, in order of the path.
fn ls_tree(repository: &Path, commit: &str) -> Vec<String> {
    let mut git = Command::new("git");
    git.arg("-C")
        .arg(repository)
        .args(["ls-tree", "-r", "-l", "-z", "--full-tree", commit]);
    let output = git.output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let mut rows = BTreeMap::new();
    for line in text.split('\0').filter(|line| !line.is_empty()) {
        let (head, path) = line.split_once('\t').unwrap();
        let words: Vec<_> = head.split_whitespace().collect();
        let [mode, _, blob, size] = words[..] else {
            panic!("{line}")
        };
        let size = if size == "-" { "null" } else { size };
        let name = json::parse(&format!("{path:?}")).unwrap();
        let row =
            format!("{{\"path\":{name},\"blob\":\"{blob}\",\"size\":{size},\"mode\":\"{mode}\"}}");
        rows.insert(path.to_owned(), row);
    }
    rows.into_values().collect()
}

/// The table as of each of the points, asked in one script.
fn as_of(place: &Place, points: &[String]) -> Vec<Vec<String>> {
    let script: String = points
        .iter()
        .map(|point| format!("SELECT path, blob, size, mode FROM files AS OF \"{point}\";\n"))
        .collect();
    place.file("script.sql", script);
    let out = place.ok(&["sql", "-d", "db", "-f", "script.sql", "-F", "json"]);
    let arrays = out.split_terminator("]\n").map(|array| {
        let lines = array.trim_start_matches('[').lines();
        let rows = lines.map(|line| line.trim_end_matches(',').to_owned());
        rows.filter(|row| !row.is_empty()).collect()
    });
    arrays.collect()
}

#[test]
fn every_commit_is_there_as_it_was() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut lines = Vec::new();
    let commits = match git_history::write(&repository, &mut lines) {
        Ok(commits) => commits,
        Err(error) => return eprintln!("skipped: no git history here ({error})"),
    };
    let place = Place::with_database();
    let run = place.run_with(&["load", "-d", "db"], &lines);
    assert_eq!(run.status, 0, "{run:?}");
    assert!(
        run.out
            .starts_with(&format!("{} event", commits.last().unwrap().events)),
        "{run:?}"
    );

    let trees: Vec<_> = commits
        .iter()
        .map(|commit| ls_tree(&repository, &commit.id))
        .collect();
    let seqs: Vec<_> = commits
        .iter()
        .map(|commit| format!("@seq:{}", commit.events))
        .collect();
    let tables = as_of(&place, &seqs);
    assert_eq!(tables.len(), trees.len());
    for ((commit, tree), table) in commits.iter().zip(&trees).zip(&tables) {
        assert_eq!(table, tree, "{}", commit.id);
    }

    // By time: of commits with the same time, the last one. Times that go back are raised to the last one before.
    let mut last = 0;
    let times: Vec<u64> = commits
        .iter()
        .map(|commit| {
            last = commit.time.0.max(last);
            last
        })
        .collect();
    let seen = |at: usize| times.iter().rposition(|time| *time == times[at]).unwrap();
    let points: Vec<_> = times
        .iter()
        .map(|time| driftdb_core::time::Timestamp(*time).to_string())
        .collect();
    for (at, table) in as_of(&place, &points).iter().enumerate() {
        assert_eq!(
            table,
            &trees[seen(at)],
            "as of the time of {}",
            commits[at].id
        );
    }
    let said = place.ok(&["verify", "-d", "db"]);
    assert!(said.starts_with("ok"), "{said}");
}
