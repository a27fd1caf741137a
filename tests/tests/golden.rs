//! The golden databases: files of the format as it is, kept in the repository. Each opens and answers as it was written,
//! to a writer, to a reader and through a copy that lost its derived files.

use std::path::Path;

use driftdb_tests::golden::{all, directory, dump};
use driftdb_tests::small::{Files, is_derived};

const NAMES: [&str; 3] = ["plain", "worked", "crashed"];

fn files(name: &str) -> Files {
    let mut files = Files::new();
    collect(&directory().join(name), "", &mut files);
    assert!(!files.is_empty(), "no golden database {name}");
    files
}

fn collect(dir: &Path, prefix: &str, files: &mut Files) {
    for entry in std::fs::read_dir(dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()))
    {
        let entry = entry.unwrap();
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            collect(&entry.path(), &format!("{path}/"), files);
        } else {
            files.insert(path, std::fs::read(entry.path()).unwrap());
        }
    }
}

fn expected(name: &str) -> String {
    std::fs::read_to_string(directory().join(name).with_extension("jsonl")).unwrap()
}

#[test]
fn golden_databases_open_and_hold_what_they_held() {
    for name in NAMES {
        let files = files(name);
        assert_eq!(dump(&files).unwrap(), expected(name), "{name}");
        let mut bare = files;
        bare.retain(|path, _| !is_derived(path));
        assert_eq!(
            dump(&bare).unwrap(),
            expected(name),
            "{name} without derived files"
        );
    }
}

#[test]
fn the_truth_is_written_to_the_byte_as_it_was() {
    for golden in all() {
        let kept = files(golden.name);
        let truth = |path: &&String| !is_derived(path) && *path != "LOCK";
        let names: Vec<&String> = golden.files.keys().filter(truth).collect();
        assert_eq!(
            names,
            kept.keys().filter(truth).collect::<Vec<_>>(),
            "{}",
            golden.name
        );
        for path in names {
            assert!(
                golden.files.get(path) == kept.get(path),
                "{}/{path} is written otherwise now",
                golden.name
            );
        }
    }
}

#[test]
fn the_golden_databases_hold_every_kind_of_file() {
    let worked = files("worked");
    for part in [
        "/segments/",
        "/snapshots/",
        "/indexes/",
        "meta.json",
        "schema.yaml",
        "drift.json",
    ] {
        assert!(worked.keys().any(|path| path.contains(part)), "no {part}");
    }
    assert!(
        files("crashed")["journal"].len() > 16,
        "the journal of the crashed database is empty"
    );
}
