//! The fault store itself: contracts, counting, what survives.

use std::collections::BTreeSet;

use super::*;

fn contents(store: &FaultStore, path: &str) -> Option<Vec<u8>> {
    store.read(path).unwrap()
}

/// Every different outcome for one file over many seeds of all modes.
fn outcomes(store: &FaultStore, path: &str) -> BTreeSet<Option<Vec<u8>>> {
    let mut all = BTreeSet::new();
    for seed in 0..400 {
        for mode in [
            Survival::Dropped,
            Survival::Kept,
            Survival::Torn(seed),
            Survival::Sectors(seed),
            Survival::Mixed(seed),
        ] {
            all.insert(contents(&store.crash(mode), path));
        }
    }
    all
}

#[test]
fn a_synced_write_survives_every_crash() {
    let store = FaultStore::new();
    let mut blob = store.create("a").unwrap();
    blob.append(0, b"hello").unwrap();
    blob.sync().unwrap();
    assert_eq!(
        outcomes(&store, "a"),
        BTreeSet::from([Some(b"hello".to_vec())])
    );
}

#[test]
fn an_unsynced_write_may_be_dropped_kept_torn_at_any_byte_or_zeros() {
    let store = FaultStore::new();
    let mut blob = store.create("a").unwrap();
    blob.append(0, b"ab").unwrap();
    blob.sync().unwrap();
    blob.append(2, b"cde").unwrap();
    let expected = [
        &b"ab"[..],
        b"abc",
        b"abcd",
        b"abcde",
        b"ab\0\0\0",
        b"abc\0\0",
        b"abcd\0",
    ]
    .map(|bytes| Some(bytes.to_vec()));
    assert_eq!(outcomes(&store, "a"), BTreeSet::from(expected));
}

#[test]
fn sectors_survive_in_any_choice() {
    let store = FaultStore::new();
    let mut blob = store.create("a").unwrap();
    blob.append(0, &[1; 100]).unwrap();
    blob.sync().unwrap();
    blob.append(100, &[2; 3 * 512]).unwrap();
    let mut shapes = BTreeSet::new();
    for seed in 0..400 {
        let bytes = contents(&store.crash(Survival::Sectors(seed)), "a").unwrap();
        assert!(bytes.len() >= 100 && bytes[..100] == [1; 100]);
        let at = |offset: usize| bytes.get(offset).copied();
        shapes.insert([at(100), at(512), at(1024), at(1536)]);
    }
    // Four sectors, each there or not: zeros in the middle, zeros or nothing at the tail.
    assert!(shapes.len() >= 16, "{shapes:?}");
    assert!(shapes.contains(&[Some(0), Some(0), Some(0), Some(2)]));
    assert!(shapes.contains(&[Some(2), None, None, None]));
}

#[test]
fn an_unsynced_truncate_is_old_or_new() {
    let store = FaultStore::new();
    let mut blob = store.create("a").unwrap();
    blob.append(0, b"abcdef").unwrap();
    blob.sync().unwrap();
    blob.truncate(2).unwrap();
    assert_eq!(contents(&store, "a").unwrap(), b"ab");
    assert_eq!(
        outcomes(&store, "a"),
        BTreeSet::from([Some(b"ab".to_vec()), Some(b"abcdef".to_vec())])
    );
}

#[test]
fn an_unsynced_name_is_absent_or_there_and_the_first_sync_settles_it() {
    let store = FaultStore::new();
    let mut blob = store.create("d/a").unwrap();
    assert_eq!(
        outcomes(&store, "d/a"),
        BTreeSet::from([None, Some(Vec::new())])
    );
    blob.sync().unwrap();
    assert_eq!(outcomes(&store, "d/a"), BTreeSet::from([Some(Vec::new())]));
}

#[test]
fn a_removed_file_may_be_back_until_its_directory_is_synced() {
    let store = FaultStore::from_files(BTreeMap::from([("d/a".to_string(), b"x".to_vec())]));
    store.remove("d/a").unwrap();
    store.replace("e/other", b"").unwrap();
    assert_eq!(
        outcomes(&store, "d/a"),
        BTreeSet::from([None, Some(b"x".to_vec())])
    );
    store.replace("d/other", b"").unwrap();
    assert_eq!(outcomes(&store, "d/a"), BTreeSet::from([None]));
    store.remove("d/a").unwrap();
}

#[test]
fn a_replace_or_rename_is_durable_on_return_and_atomic_when_stopped() {
    let store = FaultStore::from_files(BTreeMap::from([
        ("a".to_string(), b"old".to_vec()),
        ("b".to_string(), b"other".to_vec()),
    ]));
    store.replace("a", b"new").unwrap();
    assert_eq!(
        outcomes(&store, "a"),
        BTreeSet::from([Some(b"new".to_vec())])
    );
    store.stop_in(1);
    assert!(store.rename("a", "b").is_err());
    for seed in 0..50 {
        let files = store.crash(Survival::Mixed(seed)).files();
        let old = files.get("a").is_some_and(|a| a == b"new")
            && files.get("b").is_some_and(|b| b == b"other");
        let new = !files.contains_key("a") && files.get("b").is_some_and(|b| b == b"new");
        assert!(old || new, "{files:?}");
    }
    assert_eq!(outcomes(&store, "b").len(), 2);
}

#[test]
fn after_a_stop_every_call_fails_and_the_count_is_exact() {
    let store = FaultStore::new();
    let lock = store.lock().unwrap();
    let mut blob = store.create("a").unwrap();
    store.stop_in(2);
    blob.append(0, b"1").unwrap();
    assert!(blob.sync().is_err());
    assert_eq!(store.calls(), 3);
    assert!(store.has_failed());
    assert!(blob.append(1, b"2").is_err() && blob.sync().is_err() && blob.len().is_err());
    assert!(
        store.read("a").is_err()
            && store.list("").is_err()
            && store.open("a", Access::Read).is_err()
    );
    assert!(lock.check().is_err() && store.lock().is_err() && store.create("b").is_err());
    assert_eq!(store.calls(), 3);
    // What was to be synced may be on the disk or not.
    assert_eq!(contents(&store.crash(Survival::Dropped), "a"), None);
    assert_eq!(contents(&store.crash(Survival::Kept), "a").unwrap(), b"1");
}

#[test]
fn an_injected_error_hits_one_call_and_a_failed_sync_loses_its_writes_for_good() {
    let store = FaultStore::new();
    let mut blob = store.create("a").unwrap();
    blob.sync().unwrap();
    blob.append(0, b"lost").unwrap();
    store.script(Some(Fault {
        at: store.calls() + 1,
        what: What::Error(Code::Io, Effect::None),
    }));
    assert_eq!(blob.sync().unwrap_err().code(), Code::Io);
    // A later sync answers well and still does not write what the failed one was to write.
    blob.sync().unwrap();
    assert_eq!(contents(&store, "a").unwrap(), b"lost");
    assert_eq!(contents(&store.crash(Survival::Dropped), "a").unwrap(), b"");
    assert_eq!(store.writes_after_failure().len(), 1);
}

#[test]
fn a_failed_append_may_have_written_a_part() {
    let store = FaultStore::new();
    let mut blob = store.create("a").unwrap();
    store.script(Some(Fault {
        at: 2,
        what: What::Error(Code::StorageFull, Effect::Half),
    }));
    assert_eq!(
        blob.append(0, b"abcd").unwrap_err().code(),
        Code::StorageFull
    );
    assert_eq!(contents(&store, "a").unwrap(), b"ab");
}

#[test]
fn a_full_disk_stays_full_until_told_otherwise() {
    let store = FaultStore::new();
    let mut blob = store.create("a").unwrap();
    store.script(Some(Fault {
        at: 2,
        what: What::Full,
    }));
    assert!(
        blob.append(0, b"abcd").is_err()
            && store.replace("b", b"").is_err()
            && store.create("c").is_err()
    );
    blob.sync().unwrap();
    store.script(None);
    blob.append(2, b"cd").unwrap();
}

#[test]
fn appends_keep_the_contract_on_expected_ends_and_reserved_zeros() {
    let store = FaultStore::new();
    let mut blob = store.create("a").unwrap();
    blob.append(0, b"ab").unwrap();
    assert_eq!(blob.append(1, b"x").unwrap_err().code(), Code::Conflict);
    assert_eq!(blob.append(3, b"x").unwrap_err().code(), Code::Conflict);
    blob.reserve(8).unwrap();
    assert_eq!(blob.len().unwrap(), 8);
    blob.append(2, b"cd").unwrap();
    assert_eq!(contents(&store, "a").unwrap(), b"abcd\0\0\0\0");
    assert!(
        store
            .open("a", Access::Read)
            .unwrap()
            .unwrap()
            .append(8, b"x")
            .is_err()
    );
}

#[test]
fn one_writer_at_a_time_and_the_epoch_grows_over_a_crash() {
    let store = FaultStore::new();
    let lock = store.lock().unwrap();
    assert_eq!(store.lock().err().unwrap().code(), Code::Busy);
    assert!(store.lock_state().unwrap().is_held());
    let crashed = store.crash(Survival::Dropped);
    assert!(!crashed.lock_state().unwrap().is_held());
    assert_eq!(crashed.lock().unwrap().epoch(), lock.epoch() + 1);
    drop(lock);
    assert!(!store.lock_state().unwrap().is_held());
}

#[test]
fn a_removed_blob_stays_readable_while_open() {
    let store = FaultStore::from_files(BTreeMap::from([("a".to_string(), b"x".to_vec())]));
    let blob = store.open("a", Access::Read).unwrap().unwrap();
    store.remove("a").unwrap();
    let mut byte = [0];
    assert_eq!(blob.read_at(0, &mut byte).unwrap(), 1);
    assert_eq!(byte, *b"x");
}

#[test]
fn the_same_seed_gives_the_same_crash() {
    let store = FaultStore::new();
    for path in ["a", "b", "c"] {
        let mut blob = store.create(path).unwrap();
        blob.append(0, &[7; 3000]).unwrap();
    }
    for seed in 0..20 {
        assert_eq!(
            store.crash(Survival::Mixed(seed)).files(),
            store.crash(Survival::Mixed(seed)).files()
        );
    }
}

#[test]
fn listing_names_files_and_directories_once_and_in_order() {
    let store = FaultStore::new();
    for path in ["tables/b/x", "tables/b/y", "tables/a/x", "drift.json"] {
        store.replace(path, b"").unwrap();
    }
    assert_eq!(store.list("").unwrap(), ["drift.json", "tables"]);
    assert_eq!(store.list("tables").unwrap(), ["a", "b"]);
    assert_eq!(store.list("tables/b").unwrap(), ["x", "y"]);
    assert!(store.list("none").unwrap().is_empty());
}
