//! The corruption hunt: every byte of every file of a small database is changed in turn, and every file is cut at every
//! length. The answers are right, or there is an error that names the file and an offset; never a panic, never a wrong
//! answer, and a writer that refuses to open changes nothing.

use driftdb_core::{Code, Error, Place};
use driftdb_tests::budget::{is_long, pick, seeds};
use driftdb_tests::check::{Depth, Finding, check};
use driftdb_tests::engine::Engine;
use driftdb_tests::fault::FaultStore;
use driftdb_tests::random::Random;
use driftdb_tests::small::{Files, Small, database};

#[derive(Default)]
struct Figures {
    cases: u64,
    right: u64,
    refused: u64,
    failed_later: u64,
}

/// Opens damaged files and compares.
fn examine(small: &Small, files: Files, path: &str, what: &str, seed: u64, figures: &mut Figures) {
    figures.cases += 1;
    let store = FaultStore::from_files(files.clone());
    let as_reader = seed.is_multiple_of(2);
    let opened = if as_reader {
        Engine::open_reader(&store, &small.settings)
    } else {
        Engine::open(&store, &small.settings)
    };
    let mut engine = match opened {
        Ok(engine) => engine,
        Err(error) => {
            figures.refused += 1;
            names_the_place(&error, path, what);
            assert_eq!(
                without_lock(store.files()),
                without_lock(files),
                "{what}: a refused open has changed files"
            );
            return;
        }
    };
    match check(&mut engine, &small.oracle, Depth::Some(1), seed) {
        Ok(_) => figures.right += 1,
        Err(Finding::Error(_, error)) => {
            figures.failed_later += 1;
            names_the_place(&error, path, what);
        }
        Err(Finding::Wrong(wrong)) => {
            panic!("{what} (reader {as_reader}): a wrong answer\n{wrong}")
        }
    }
}

fn names_the_place(error: &Error, path: &str, what: &str) {
    let named =
        matches!(error.place(), Place::File { path: named, offset: Some(_) } if named == path);
    let known = match error.code() {
        Code::Corrupt => named,
        // The marker is the one file by which a directory is known as a database.
        Code::NotADatabase | Code::NewerFormat => path == "drift.json",
        _ => false,
    };
    assert!(
        known,
        "{what}: the error does not name the file and an offset: {error:?} {:?}",
        error.place()
    );
}

fn without_lock(mut files: Files) -> Files {
    files.remove("LOCK");
    files
}

fn print(name: &str, all: &[Figures]) {
    let sum = |of: fn(&Figures) -> u64| all.iter().map(of).sum::<u64>();
    println!(
        "corruption hunt, {name}: {} cases, {} right all the same, {} refused at open, {} found by a read",
        sum(|f| f.cases),
        sum(|f| f.right),
        sum(|f| f.refused),
        sum(|f| f.failed_later)
    );
    assert!(
        sum(|f| f.refused) + sum(|f| f.failed_later) > 0,
        "no damage was ever noticed"
    );
}

#[test]
fn every_byte_changed() {
    let mut all = Vec::new();
    for seed in seeds(1, 6) {
        let small = database(seed, pick(24, 60));
        let mut figures = Figures::default();
        let mut random = Random::new(seed);
        for (path, bytes) in &small.files {
            for offset in 0..bytes.len() {
                let flips: Vec<u8> = if is_long() {
                    vec![0x01, 0x80, 0xff]
                } else {
                    vec![1 << random.below(8)]
                };
                for flip in flips {
                    let mut files = small.files.clone();
                    if let Some(byte) = files.get_mut(path).and_then(|bytes| bytes.get_mut(offset))
                    {
                        *byte ^= flip;
                    }
                    let what = format!(
                        "seed {seed}: {path}, byte {offset} of {} ^ {flip:#04x}",
                        bytes.len()
                    );
                    examine(&small, files, path, &what, random.bits(), &mut figures);
                }
            }
        }
        all.push(figures);
    }
    print("bytes", &all);
}

#[test]
fn every_truncation() {
    let mut all = Vec::new();
    for seed in seeds(1, 6) {
        let small = database(seed, pick(24, 60));
        let mut figures = Figures::default();
        let mut random = Random::new(seed);
        for (path, bytes) in &small.files {
            for length in 0..bytes.len() {
                let mut files = small.files.clone();
                if let Some(bytes) = files.get_mut(path) {
                    bytes.truncate(length);
                }
                let what = format!(
                    "seed {seed}: {path} cut to {length} of {} bytes",
                    bytes.len()
                );
                examine(&small, files, path, &what, random.bits(), &mut figures);
            }
        }
        all.push(figures);
    }
    print("truncations", &all);
}
