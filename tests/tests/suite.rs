//! The language suite: every file of tests/suite, as it is and restless. `DRIFTDB_SUITE_BLESS=1` rewrites the files; `DRIFTDB_SUITE=name` runs
//! those whose name has it.

use std::path::{Path, PathBuf};

use driftdb_tests::suite::{Mode, run_file};

/// Fewer records than this mean that files were lost.
const RECORDS_MIN: usize = 400;

fn files(only: Option<&str>) -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("suite");
    let mut files: Vec<PathBuf> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "slt"))
        .filter(|path| only.is_none_or(|only| path.to_string_lossy().contains(only)))
        .collect();
    files.sort();
    files
}

#[test]
fn every_file_in_both_modes() {
    let only = std::env::var("DRIFTDB_SUITE").ok();
    let bless = std::env::var_os("DRIFTDB_SUITE_BLESS").is_some();
    let (mut records, mut failures) = (0, Vec::new());
    for path in files(only.as_deref()) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let mut counts = Vec::new();
        if bless {
            run_file(&path, Mode::Plain, true).unwrap();
        }
        for mode in [
            Mode::Plain,
            Mode::Restless { every: 1 },
            Mode::Restless { every: 3 },
        ] {
            let report = run_file(&path, mode, false)
                .unwrap_or_else(|error| panic!("{name}, {mode:?}: {error}"));
            counts.push(report.records);
            failures.extend(
                report
                    .failures
                    .iter()
                    .map(|failure| format!("{mode:?}: {failure}")),
            );
        }
        println!("{name}: {counts:?} records");
        records += counts[0];
    }
    println!("{records} records in each mode");
    assert!(
        failures.is_empty(),
        "{} failures\n{}",
        failures.len(),
        failures.join("\n")
    );
    assert!(
        records >= RECORDS_MIN || only.is_some(),
        "only {records} records ran"
    );
}
