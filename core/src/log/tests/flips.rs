//! Damage to a log that was closed cleanly: an error naming file and offset, never a panic, never a wrong answer.

use super::*;
use crate::error::{Code, Place};

/// A log of three segments, its events, and its exact ends.
fn closed() -> (MemoryStore, Vec<Event>, LogHints) {
    let home = Home::new(MemoryStore::new());
    let mut log = home.create();
    let mut all = Vec::new();
    for seq in (1..=24).step_by(2) {
        let pair = [event(seq, true), event(seq + 1, false)];
        if log.rotation_due() {
            log.rotate().unwrap();
        }
        log.append(&frames(&pair)).unwrap();
        all.extend(pair);
    }
    log.trim().unwrap();
    assert!(log.segments().len() >= 3);
    (home.store.copy(), all, log.hints(None))
}

fn segments(store: &MemoryStore) -> Vec<String> {
    store
        .paths()
        .into_iter()
        .filter(|path| path.ends_with(".seg"))
        .collect()
}

/// Opens for writing and for reading and reads everything.
fn read_all(store: &MemoryStore, hints: &LogHints) -> Result<Vec<Event>> {
    let reader = open_reader(store, hints).and_then(|log| events(&log));
    let writer = reopen(store, hints).and_then(|(log, _)| events(&log));
    assert_eq!(reader.is_ok(), writer.is_ok());
    reader.and(writer)
}

fn assert_names_file(error: &crate::Error, path: &str) {
    assert!(
        matches!(error.code(), Code::Corrupt | Code::NewerFormat),
        "{error:?}"
    );
    assert!(
        matches!(error.place(), Place::File { path: named, offset: Some(_) } if named == path),
        "{error:?} {path}"
    );
}

#[test]
fn every_bit_flip_is_found_with_exact_ends() {
    let (store, all, hints) = closed();
    assert_eq!(read_all(&store, &hints).unwrap(), all);
    for path in segments(&store) {
        let whole = bytes(&store, &path);
        for bit in 0..whole.len() * 8 {
            let mut damaged = whole.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            store.put(&path, &damaged);
            assert_names_file(&read_all(&store, &hints).err().unwrap(), &path);
            assert_eq!(bytes(&store, &path), damaged);
        }
        store.put(&path, &whole);
    }
}

#[test]
fn every_truncation_is_found_with_exact_ends() {
    let (store, _, hints) = closed();
    for path in segments(&store) {
        let whole = bytes(&store, &path);
        for cut in 0..whole.len() {
            store.put(&path, &whole[..cut]);
            let error = read_all(&store, &hints).err().unwrap();
            assert!(
                matches!(error.code(), Code::Corrupt | Code::FileMissing),
                "{cut} {error:?}"
            );
        }
        store.put(&path, &whole);
    }
}

#[test]
fn without_hints_sealed_segments_are_guarded_and_the_last_one_is_torn_at_most() {
    let (store, all, _) = closed();
    let paths = segments(&store);
    let none = LogHints::default();
    for (index, path) in paths.iter().enumerate() {
        let sealed = index + 1 < paths.len();
        let whole = bytes(&store, path);
        for cut in 0..whole.len() {
            store.put(path, &whole[..cut]);
            match read_all(&store, &none) {
                Ok(found) => assert!(
                    !sealed && all.starts_with(&found) && found.len() % 2 == 0,
                    "{path} {cut}"
                ),
                Err(error) => assert!(sealed, "{path} {cut} {error:?}"),
            }
        }
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x40;
            store.put(path, &damaged);
            match read_all(&store, &none) {
                Ok(found) => assert!(
                    !sealed && all.starts_with(&found) && found.len() % 2 == 0,
                    "{path} {at}"
                ),
                Err(error) => assert_names_file(&error, path),
            }
        }
        store.put(path, &whole);
    }
}

#[test]
fn every_flip_below_the_checkpoint_is_found_when_it_is_read() {
    let (store, _, mut hints) = closed();
    let (log, _) = reopen(&store, &hints).unwrap();
    hints.checkpoint = Some(log.checkpoint());
    let path = segments(&store).remove(0);
    let whole = bytes(&store, &path);
    for at in 80..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 4;
        store.put(&path, &damaged);
        // Opening does not look there.
        let (log, _) = reopen(&store, &hints).unwrap();
        assert_names_file(&events(&log).err().unwrap(), &path);
    }
}

#[test]
fn a_missing_segment_is_an_error() {
    let (store, _, hints) = closed();
    for path in segments(&store) {
        let whole = bytes(&store, &path);
        store.remove(&path).unwrap();
        assert_eq!(
            reopen(&store, &hints).err().unwrap().code(),
            Code::FileMissing,
            "{path}"
        );
        assert_eq!(
            open_reader(&store, &hints).err().unwrap().code(),
            Code::FileMissing,
            "{path}"
        );
        store.put(&path, &whole);
    }
}

#[test]
fn headers_of_other_segments_and_versions_are_refused() {
    let (store, _, hints) = closed();
    let paths = segments(&store);
    let second = bytes(&store, &paths[1]);
    store.put(&paths[0], &second);
    assert_names_file(&reopen(&store, &hints).err().unwrap(), &paths[0]);
    let mut newer = second;
    newer[8] = 2;
    let crc = crc32fast::hash(&newer[..76]).to_le_bytes();
    newer[76..80].copy_from_slice(&crc);
    store.put(&paths[0], &newer);
    let error = reopen(&store, &LogHints::default()).err().unwrap();
    assert_eq!(error.code(), Code::NewerFormat);
    assert_names_file(&error, &paths[0]);
}
