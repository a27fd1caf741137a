//! The whole engine on the memory store, with thresholds so small that every mechanism runs.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::cast_sign_loss)]

use std::rc::Rc;

use driftdb_core::db::{Context, Database, Options, Outcome, Verified, drive};
use driftdb_core::ql::{self, Params};
use driftdb_core::storage::MemoryStore;
use driftdb_core::time::Timestamp;
use driftdb_core::value::Object;

fn run(db: &mut Database, text: &str, now: u64) -> Vec<Object> {
    let mut out = Vec::new();
    for statement in ql::parse(text).unwrap() {
        match db
            .run(&statement, &Params::none(), &Context::at(Timestamp(now)))
            .unwrap()
        {
            Outcome::Rows(mut rows) => {
                while let Some(row) = rows.next().unwrap() {
                    out.push(row);
                }
            }
            Outcome::Work(work) => {
                db.finish(work).unwrap();
            }
            Outcome::Written(_) | Outcome::Done(_) => {}
        }
    }
    out
}

fn small() -> Options {
    Options {
        memtable_events: 8,
        snapshot_events: 20,
        segment_bytes: 2_000,
        merge_fan: 3,
        ..Options::default()
    }
}

fn findings(db: &mut Database) -> Vec<String> {
    let mut verify = db.verify().unwrap();
    let mut out = Vec::new();
    while let Some(found) = drive(|| verify.step()).unwrap() {
        if let Verified::Finding(finding) = found {
            out.push(format!("{finding:?}"));
        }
    }
    out
}

#[test]
fn every_past_seq_is_right_through_flushes_merges_snapshots_and_compaction() {
    let store = Rc::new(MemoryStore::default());
    Database::create(&*store, Timestamp(0)).unwrap();
    let mut db = Database::open(store.clone(), small()).unwrap();
    run(&mut db, "CREATE TABLE t (pk=id, INDEX(s))", 1);
    let mut states: Vec<Vec<(u64, u64)>> = vec![vec![]];
    let mut state = std::collections::BTreeMap::new();
    for i in 1..=300u64 {
        let key = i * 7 % 23;
        if state.contains_key(&key) && i % 5 != 0 {
            run(
                &mut db,
                &format!("PATCH t KEY {key} SET {{\"s\": {}, \"n\": {i}}}", i % 4),
                i,
            );
            state.insert(key, i);
        } else if state.remove(&key).is_some() {
            run(&mut db, &format!("SOFT DELETE FROM t KEY {key}"), i);
        } else {
            run(
                &mut db,
                &format!(
                    "INSERT INTO t {{\"id\": {key}, \"s\": {}, \"n\": {i}}}",
                    i % 4
                ),
                i,
            );
            state.insert(key, i);
        }
        states.push(state.iter().map(|(k, n)| (*k, *n)).collect());
        if i % 50 == 0 {
            db.close().unwrap();
            db = Database::open(store.clone(), small()).unwrap();
        }
    }
    let check = |db: &mut Database, from: usize| {
        for (seq, state) in states.iter().enumerate().skip(from) {
            let rows = run(db, &format!("SELECT id, n FROM t AS OF '@seq:{seq}'"), 0);
            let found: Vec<(u64, u64)> = rows
                .iter()
                .map(|row| {
                    (
                        row.get("id").unwrap().as_i64().unwrap() as u64,
                        row.get("n").unwrap().as_i64().unwrap() as u64,
                    )
                })
                .collect();
            assert_eq!(&found, state, "seq {seq}");
            for s in 0..4 {
                let rows = run(
                    db,
                    &format!("SELECT id FROM t WHERE s = {s} AS OF '@seq:{seq}'"),
                    0,
                );
                let expected = state.iter().filter(|(_, n)| n % 4 == s).count();
                assert_eq!(rows.len(), expected, "s = {s} at seq {seq}");
            }
        }
    };
    check(&mut db, 0);
    assert_eq!(findings(&mut db), Vec::<String>::new());
    let mut reader = Database::open_reader(store.clone(), small()).unwrap();
    check(&mut reader, 0);
    run(&mut db, "COMPACT t KEEP SINCE '@seq:200'", 301);
    check(&mut db, 200);
    check(&mut reader, 200);
    assert_eq!(findings(&mut db), Vec::<String>::new());
    run(&mut db, "SNAPSHOT t; COMPACT t", 302);
    check(&mut db, 300);
    assert_eq!(findings(&mut db), Vec::<String>::new());
    db.close().unwrap();
    let mut db = Database::open(store, small()).unwrap();
    check(&mut db, 300);
}

#[test]
fn a_compaction_that_is_dropped_changes_nothing_and_can_be_begun_again() {
    let store = Rc::new(MemoryStore::default());
    Database::create(&*store, Timestamp(0)).unwrap();
    let mut db = Database::open(store.clone(), small()).unwrap();
    run(
        &mut db,
        "CREATE TABLE t (pk=id); INSERT INTO t {\"id\": 1, \"n\": 1}; PATCH t KEY 1 SET {\"n\": 2}",
        1,
    );
    let compact = &ql::parse("COMPACT t").unwrap()[0];
    for _ in 0..2 {
        let Outcome::Work(work) = db
            .run(compact, &Params::none(), &Context::at(Timestamp(2)))
            .unwrap()
        else {
            panic!()
        };
        drop(work);
    }
    assert_eq!(
        run(&mut db, "SELECT n FROM t AS OF '@seq:1'", 3)[0]
            .get("n")
            .unwrap()
            .as_i64(),
        Some(1)
    );
    run(&mut db, "COMPACT t", 4);
    assert_eq!(
        run(&mut db, "SELECT n FROM t", 5)[0]
            .get("n")
            .unwrap()
            .as_i64(),
        Some(2)
    );
    drop(db);
    let mut db = Database::open(store, small()).unwrap();
    assert_eq!(
        run(&mut db, "SELECT n FROM t", 5)[0]
            .get("n")
            .unwrap()
            .as_i64(),
        Some(2)
    );
}

#[test]
fn a_batch_over_several_tables_is_a_prefix_after_a_sync() {
    use driftdb_core::db::Durability;
    let store = Rc::new(MemoryStore::default());
    Database::create(&*store, Timestamp(0)).unwrap();
    let mut db = Database::open(
        store.clone(),
        Options {
            durability: Durability::Batch,
            ..small()
        },
    )
    .unwrap();
    run(&mut db, "CREATE TABLE a (pk=id); CREATE TABLE b (pk=id)", 1);
    for i in 1..=40 {
        run(
            &mut db,
            &format!("INSERT INTO a {{\"id\": {i}}}; INSERT INTO b {{\"id\": {i}}}"),
            i,
        );
        if i % 7 == 0 {
            db.sync().unwrap();
        }
    }
    db.sync().unwrap();
    drop(db);
    let mut db = Database::open(store, small()).unwrap();
    assert_eq!(run(&mut db, "SELECT id FROM a", 50).len(), 40);
    assert_eq!(run(&mut db, "SELECT id FROM b", 50).len(), 40);
    assert_eq!(findings(&mut db), Vec::<String>::new());
}

#[test]
fn commits_are_relaxed_only_from_the_batch_on_and_no_longer_once_they_are_durable() {
    use driftdb_core::db::Durability;
    use driftdb_core::storage::Store;
    let store = Rc::new(MemoryStore::default());
    Database::create(&*store, Timestamp(0)).unwrap();
    let relaxed = |store: &MemoryStore| {
        let meta = String::from_utf8(store.read("tables/t/meta.json").unwrap().unwrap()).unwrap();
        !meta.contains("\"relaxed_from\":null")
    };
    let batch = Options {
        durability: Durability::Batch,
        ..Options::default()
    };
    let mut db = Database::open(store.clone(), batch).unwrap();
    run(
        &mut db,
        "CREATE TABLE t (pk=id); INSERT INTO t {\"id\": 1}",
        1,
    );
    db.sync().unwrap();
    assert!(
        relaxed(&store),
        "meta.json says it before the first of them"
    );
    drop(db);
    let mut db = Database::open(store.clone(), Options::default()).unwrap();
    assert!(!relaxed(&store), "what survived is durable");
    assert_eq!(run(&mut db, "SELECT id FROM t", 2).len(), 1);
}

#[test]
fn a_reader_maintains_nothing_however_much_it_has_replayed() {
    let store = Rc::new(MemoryStore::default());
    Database::create(&*store, Timestamp(0)).unwrap();
    let patient = Options {
        memtable_events: 1_000,
        ..Options::default()
    };
    let mut db = Database::open(store.clone(), patient).unwrap();
    run(&mut db, "CREATE TABLE t (pk=id)", 1);
    for i in 1..=20 {
        run(&mut db, &format!("INSERT INTO t {{\"id\": {i}}}"), i);
    }
    let mut reader = Database::open_reader(store, small()).unwrap();
    assert_eq!(run(&mut reader, "SELECT id FROM t", 30).len(), 20);
    assert!(!reader.maintain(10).unwrap());
    assert_eq!(run(&mut reader, "SELECT id FROM t", 30).len(), 20);
}

/// The index runs of table t.
fn runs(store: &MemoryStore) -> Vec<(String, Option<Vec<u8>>)> {
    use driftdb_core::storage::Store;
    let mut names = store.list("tables/t/indexes").unwrap();
    names.sort();
    let read = |name: String| {
        let bytes = store.read(&format!("tables/t/indexes/{name}")).unwrap();
        (name, bytes)
    };
    names.into_iter().map(read).collect()
}

/// Opening takes the log's tail as it is; what a memtable has besides comes later, and must be what it would have been.
#[test]
fn what_was_replayed_is_flushed_as_if_it_had_never_left_memory() {
    let options = Options {
        replay_events_max: 0,
        ..Options::default()
    };
    let histories = [0, 1, 2].map(|way| {
        let store = Rc::new(MemoryStore::default());
        Database::create(&*store, Timestamp(0)).unwrap();
        let mut db = Database::open(store.clone(), options.clone()).unwrap();
        run(&mut db, "CREATE TABLE t (pk=id, INDEX(s))", 1);
        run(
            &mut db,
            r#"INSERT INTO t {"id": 1, "s": 0, "n": 0}, {"id": 2, "s": 1}"#,
            2,
        );
        for i in 0..300 {
            let s = if i % 5 == 0 {
                format!(r#", "s": {}"#, i % 7)
            } else {
                String::new()
            };
            run(
                &mut db,
                &format!(r#"PATCH t KEY 1 SET {{"n": {i}{s}}}"#),
                3 + i,
            );
        }
        run(&mut db, "SOFT DELETE FROM t KEY 2", 400);
        if way > 0 {
            drop(db);
            db = Database::open(store.clone(), options.clone()).unwrap();
            let found = run(&mut db, "SELECT n FROM t WHERE s = 1", 401);
            assert_eq!(found[0].get("n").unwrap().as_i64(), Some(299));
            assert_eq!(
                run(&mut db, "SELECT n FROM t WHERE s = 1 AS OF '@seq:2'", 401).len(),
                1
            );
        }
        if way == 2 {
            assert!(db.maintain(1).unwrap(), "it is made in bounded steps");
            while db.maintain(1).unwrap() {}
        }
        // What is checked against the row as it is, after replaying as before.
        let refused = ql::parse(r#"INSERT INTO t {"id": 1}"#).unwrap();
        assert!(
            db.run(&refused[0], &Params::none(), &Context::at(Timestamp(402)))
                .is_err()
        );
        run(
            &mut db,
            r#"INSERT INTO t {"id": 2, "s": 3}; PATCH t KEY 1 SET {"s": 9}"#,
            403,
        );
        assert_eq!(run(&mut db, "SELECT id FROM t WHERE s > 2", 404).len(), 2);
        db.close().unwrap();
        let mut db = Database::open(store.clone(), options.clone()).unwrap();
        assert_eq!(findings(&mut db), Vec::<String>::new());
        runs(&store)
    });
    assert!(!histories[0].is_empty());
    assert_eq!(histories[0], histories[1]);
    assert_eq!(histories[0], histories[2]);
}
