//! No damage of a backup passes.

use std::rc::Rc;

use super::reader;
use driftdb_core::storage::MemoryStore;
use driftdb_core::{Code, Error, Place, Result};
use driftdb_tests::backup::{NAME, archive, backup, in_place, restore};
use driftdb_tests::budget::{pick, seeds};
use driftdb_tests::engine::small;
use driftdb_tests::fault::FaultStore;
use driftdb_tests::random::Random;
use driftdb_tests::small::database;

fn names_the_place(error: &Error, what: &str) {
    let named = matches!(error.place(), Place::File { path, offset: Some(_) } if path == NAME);
    let known = matches!(
        error.code(),
        Code::Corrupt | Code::NotADatabase | Code::NewerFormat
    );
    assert!(named && known, "{what}: {error:?} {:?}", error.place());
}

/// Everything of a backup is read where it lies; the error, if there is one.
fn read_in_place(bytes: &[u8]) -> Result<()> {
    let mut engine = in_place(bytes, &small())?;
    for table in engine.tables()? {
        engine.db.view(&table, None)?;
    }
    Ok(())
}

/// Every damage of these bytes is noticed, in place and by a restore, which then leaves nothing.
fn is_noticed(bytes: &[u8], what: &str) {
    let error = read_in_place(bytes).expect_err(what);
    names_the_place(&error, &format!("in place, {what}"));
    let store = MemoryStore::new();
    let error = restore(Rc::new(store.clone()), bytes).expect_err(what);
    names_the_place(&error, &format!("restoring, {what}"));
    assert_eq!(store.paths(), ["LOCK"], "{what}");
}

#[test]
fn no_damage_passes() {
    let mut cases = 0;
    for seed in seeds(1, 4) {
        let small = database(seed, pick(10, 40));
        let bytes = backup(&mut reader(&FaultStore::from_files(small.files))).unwrap();
        read_in_place(&bytes).unwrap();
        let mut random = Random::new(seed);
        for at in 0..bytes.len() {
            let flip = 1 << random.below(8);
            let mut damaged = bytes.clone();
            damaged[at] ^= flip;
            is_noticed(
                &damaged,
                &format!("seed {seed}: byte {at} of {} ^ {flip:#04x}", bytes.len()),
            );
            cases += 1;
        }
        for length in 0..bytes.len() {
            is_noticed(
                &bytes[..length],
                &format!("seed {seed}: cut to {length} of {}", bytes.len()),
            );
            cases += 1;
        }
        is_noticed(&[&bytes[..], &[0]].concat(), "a byte more");
        is_noticed(&[&bytes[..], &bytes[..]].concat(), "twice");
    }
    println!("backups: {cases} damages noticed");
}

#[test]
fn what_is_no_backup_is_refused() {
    for bytes in [&b""[..], b"driftdb", &[0; 512], &[0; 4096], &[b'x'; 10_000]] {
        let error = archive(bytes).err().unwrap();
        assert_eq!(
            error.code(),
            Code::NotADatabase,
            "{} bytes: {error:?}",
            bytes.len()
        );
        let error = restore(Rc::new(MemoryStore::new()), bytes).unwrap_err();
        names_the_place(&error, "a restore");
    }
}

/// Blocks of a backup in any order, repeated, left out, with bytes changed: an error, never a panic.
#[test]
fn mixed_up_blocks() {
    let small = database(5, 12);
    let bytes = backup(&mut reader(&FaultStore::from_files(small.files))).unwrap();
    let blocks: Vec<&[u8]> = bytes.chunks(512).collect();
    for seed in seeds(500, 20_000) {
        let mut random = Random::new(seed);
        let mut mixed: Vec<&[u8]> = blocks.clone();
        for _ in 0..1 + random.below(3) {
            let (one, two) = (random.index(mixed.len()), random.index(mixed.len()));
            match random.below(3) {
                0 => mixed.swap(one, two),
                1 => mixed.insert(one, blocks[two % blocks.len()]),
                _ => drop(mixed.remove(one)),
            }
        }
        let mixed = mixed.concat();
        if mixed != bytes {
            is_noticed(&mixed, &format!("seed {seed}"));
        }
    }
}
