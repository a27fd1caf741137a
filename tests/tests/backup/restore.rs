//! Restoring: in pieces of any size, never over something, all or nothing.

use std::rc::Rc;

use super::{reader, written};
use driftdb_core::Code;
use driftdb_core::db::Restore;
use driftdb_core::storage::{MemoryStore, Store};
use driftdb_core::time::Seq;
use driftdb_tests::backup::{NAME, backup, restore, restore_in};
use driftdb_tests::budget::seeds;
use driftdb_tests::engine::{Engine, small};
use driftdb_tests::fault::{Effect, Fault, FaultStore, Survival, What};
use driftdb_tests::small::database;

#[test]
fn pieces_of_any_size() {
    let small = database(3, 20);
    let bytes = backup(&mut reader(&FaultStore::from_files(small.files))).unwrap();
    let whole = MemoryStore::new();
    restore(Rc::new(whole.clone()), &bytes).unwrap();
    for piece in [1, 7, 511, 512, 513, 4096] {
        let store = MemoryStore::new();
        let done = restore_in(Rc::new(store.clone()), &bytes, piece).unwrap();
        assert_eq!(done.seq, Seq(small.oracle.seq));
        assert_eq!(store.paths(), whole.paths(), "{piece}");
        for path in store.paths() {
            assert_eq!(
                store.read(&path).unwrap(),
                whole.read(&path).unwrap(),
                "{piece}: {path}"
            );
        }
    }
}

#[test]
fn a_store_in_use_is_refused() {
    let (store, mut engine) = written(r#"CREATE TABLE a (pk=id); INSERT INTO a {"id": 1}"#);
    let bytes = backup(&mut engine.db).unwrap();
    let refused = |store: &FaultStore| restore(Rc::new(store.clone()), &bytes).unwrap_err().code();
    assert_eq!(refused(&store), Code::DatabaseExists);
    engine.close().unwrap();
    let before = store.files();
    assert_eq!(refused(&store), Code::DatabaseExists);
    assert_eq!(store.files(), before);
    // Somebody has lost the marker: that is no reason to remove the tables.
    store.remove("drift.json").unwrap();
    assert_eq!(refused(&store), Code::NotADatabase);
    assert!(store.files().contains_key("tables/a/schema.yaml"));
    let empty = FaultStore::new();
    let under_way = Restore::begin(Rc::new(empty.clone()), NAME).unwrap();
    assert_eq!(refused(&empty), Code::Busy);
    drop(under_way);
    restore(Rc::new(empty.clone()), &bytes).unwrap();
    assert!(!empty.files().contains_key("restoring"));
}

/// There is the whole database, or none and the next restore makes it.
fn whole_or_nothing(store: &FaultStore, bytes: &[u8], what: &str) -> bool {
    let whole = match Engine::open_reader(store, &small()) {
        Ok(mut engine) => {
            assert!(
                backup(&mut engine.db).unwrap() == bytes,
                "{what}: another database"
            );
            true
        }
        Err(error) => {
            assert_eq!(error.code(), Code::NotADatabase, "{what}: {error:?}");
            restore(Rc::new(store.clone()), bytes)
                .unwrap_or_else(|error| panic!("{what}: restoring again: {error:?}"));
            assert!(
                backup(&mut reader(store)).unwrap() == bytes,
                "{what}: the second restore"
            );
            false
        }
    };
    let mut engine = Engine::open(store, &small()).unwrap();
    engine
        .run(
            "CREATE TABLE after (pk=id); INSERT INTO after {\"id\": 1}",
            u64::MAX / 1_000_000,
        )
        .unwrap();
    whole
}

#[test]
fn a_crash_in_a_restore_leaves_all_or_nothing() {
    let (mut whole, mut nothing) = (0, 0);
    for seed in seeds(1, 4) {
        let small = database(seed, 24);
        let bytes = backup(&mut reader(&FaultStore::from_files(small.files))).unwrap();
        let mut stop = 0;
        loop {
            stop += 1;
            let store = FaultStore::new();
            store.stop_in(stop);
            let done = restore_in(Rc::new(store.clone()), &bytes, 1000);
            for survival in [
                Survival::Dropped,
                Survival::Kept,
                Survival::Torn(stop),
                Survival::Sectors(stop),
                Survival::Mixed(stop),
            ] {
                let what = format!("seed {seed}, stop {stop}, {survival:?}");
                let there = whole_or_nothing(&store.crash(survival), &bytes, &what);
                assert!(there || done.is_err(), "{what}: acknowledged and gone");
                if there { whole += 1 } else { nothing += 1 }
            }
            if !store.has_failed() {
                break;
            }
        }
    }
    println!("restores: {nothing} crashes left nothing, {whole} all");
    assert!(whole > 5 && nothing > 100);
}

#[test]
fn a_failing_write_in_a_restore_leaves_all_or_nothing() {
    let small = database(2, 24);
    let bytes = backup(&mut reader(&FaultStore::from_files(small.files))).unwrap();
    let effects =
        [Effect::None, Effect::Half, Effect::Whole].map(|effect| What::Error(Code::Io, effect));
    let mut failed = 0;
    for what in effects.into_iter().chain([What::Full]) {
        let mut at = 0;
        loop {
            at += 1;
            let store = FaultStore::new();
            store.script(Some(Fault { at, what }));
            let done = restore_in(Rc::new(store.clone()), &bytes, 1000);
            let fault = store.has_failed();
            store.script(None);
            let what = format!("{what:?} at {at}");
            let there = whole_or_nothing(&store, &bytes, &what);
            assert!(there || done.is_err(), "{what}: acknowledged and gone");
            if !fault {
                break;
            }
            failed += 1;
        }
    }
    assert!(failed > 100, "{failed}");
}
