//! What a backup holds: the same bytes for the same history, and a copy that answers as the database did.

use super::{reader, restored, verified, writer, written};
use driftdb_core::db::{Context, Database, Durability, Request};

use driftdb_core::time::Timestamp;
use driftdb_core::{Code, ql};
use driftdb_tests::backup::{backup, dump, in_place, rest};
use driftdb_tests::budget::seeds;
use driftdb_tests::check::{Depth, check};
use driftdb_tests::engine::{Engine, small};
use driftdb_tests::fault::{FaultStore, Survival};
use driftdb_tests::recovery::{describe, recover};
use driftdb_tests::session::{Session, script};
use driftdb_tests::small::{database, is_derived};
use driftdb_tests::workload::Mix;

#[test]
fn a_copy_answers_as_the_database_did() {
    let mut answers = 0;
    for seed in seeds(4, 30) {
        let small = database(seed, 60);
        let store = FaultStore::from_files(small.files.clone());
        let bytes = backup(&mut reader(&store)).unwrap();
        let history = dump(&mut reader(&store)).unwrap();
        // Where it lies.
        let mut engine = in_place(&bytes, &small.settings).unwrap();
        answers += check(&mut engine, &small.oracle, Depth::All, seed)
            .unwrap_or_else(|f| panic!("{}", describe(&f)));
        verified(&mut engine.db);
        assert_eq!(dump(&mut engine.db).unwrap(), history);
        assert_eq!(
            engine
                .db
                .create_table(driftdb_core::db::Schema::new("x", "id", &[]).unwrap())
                .unwrap_err()
                .code(),
            Code::ReadOnly
        );
        // Restored.
        let copy = restored(&bytes);
        let mut db = reader(&copy);
        verified(&mut db);
        assert_eq!(dump(&mut db).unwrap(), history);
        drop(db);
        answers += recover(
            &copy,
            &small.settings,
            &small.oracle,
            None,
            Depth::All,
            seed,
        )
        .unwrap_or_else(|wrong| panic!("seed {seed}: {wrong}"));
    }
    println!("backups: {answers} answers compared");
}

#[test]
fn the_same_history_gives_the_same_bytes() {
    for seed in seeds(4, 30) {
        let small = database(seed, 60);
        let store = FaultStore::from_files(small.files.clone());
        let bytes = backup(&mut reader(&store)).unwrap();
        let same = |what: &str, db: &mut Database| {
            assert!(
                backup(db).unwrap() == bytes,
                "seed {seed}: {what} gives other bytes"
            );
        };
        same("a second one", &mut reader(&store));
        same(
            "a backup of the backup",
            &mut in_place(&bytes, &small.settings).unwrap().db,
        );
        let copy = restored(&bytes);
        same("what was restored", &mut reader(&copy));
        same("a writer of it", &mut writer(&copy));
        same("it after that", &mut reader(&copy));
        same("a writer", &mut writer(&store));
        let mut truth = small.files.clone();
        truth.retain(|path, _| !is_derived(path));
        same(
            "the truth alone",
            &mut reader(&FaultStore::from_files(truth)),
        );
        // What was not closed has reserved zeros and a checkpoint of before.
        let mut session = Session::create(FaultStore::new(), small.settings.clone());
        let script = script(
            seed,
            Mix {
                reopen: 0,
                ..Mix::default()
            },
            30,
        );
        session.run(&script).unwrap();
        let crashed = session.store.crash(Survival::Kept);
        let there = backup(&mut session.engine.as_mut().unwrap().db).unwrap();
        assert!(
            backup(&mut reader(&session.store)).unwrap() == there,
            "seed {seed}: a reader beside the writer"
        );
        assert!(
            backup(&mut reader(&crashed)).unwrap() == there,
            "seed {seed}: after a crash"
        );
    }
}

#[test]
fn a_rotation_that_no_commit_has_followed_leaves_no_trace() {
    let mut by_seq = std::collections::BTreeMap::new();
    let (mut stop, mut empty) = (0, 0);
    loop {
        stop += 1;
        let (store, mut engine) = written("CREATE TABLE t (pk=id)");
        store.stop_in(stop);
        let text = "x".repeat(400);
        let done = (0..20).try_for_each(|id| {
            let insert = format!("INSERT INTO t {{\"id\": {id}, \"text\": \"{text}\"}}");
            engine.run(&insert, 2_000).map(|_| ())
        });
        let files = store.crash(Survival::Kept).files();
        let mut segments = files.iter().filter(|(path, _)| path.ends_with(".seg"));
        empty += u32::from(
            segments
                .next_back()
                .is_some_and(|(path, bytes)| bytes.len() == 80 && !path.ends_with("00000001.seg")),
        );
        let mut db = reader(&FaultStore::from_files(files));
        let mut moment = db.backup().unwrap();
        let bytes = rest(&mut moment).unwrap();
        let known = by_seq
            .entry(moment.upto().0)
            .or_insert_with(|| bytes.clone());
        assert!(*known == bytes, "stop {stop}, up to {:?}", moment.upto());
        if done.is_ok() {
            break;
        }
    }
    assert!(empty > 3, "{empty} segments without frames");
}

#[test]
fn what_only_the_journal_has_is_in_it() {
    let (store, mut engine) = written("CREATE TABLE a (pk=id); CREATE TABLE b (pk=id)");
    engine
        .run(
            r#"BEGIN; INSERT INTO a {"id": 1}; INSERT INTO b {"id": 1}; COMMIT"#,
            2_000,
        )
        .unwrap();
    // The logs' appends are not synced: the disk has them in the journal alone.
    let crashed = store.crash(Survival::Dropped);
    assert!(crashed.files()["journal"].len() > 16);
    let bytes = backup(&mut reader(&crashed)).unwrap();
    assert!(backup(&mut engine.db).unwrap() == bytes);
    let mut copy = in_place(&bytes, &small()).unwrap();
    assert_eq!(copy.rows("SELECT * FROM b").unwrap().len(), 1);
    assert!(!store.files().contains_key("journal") || store.files()["journal"].len() == 16);
}

#[test]
fn an_open_transaction_is_not_in_it() {
    let (_, mut engine) = written(r#"CREATE TABLE a (pk=id); INSERT INTO a {"id": 1}"#);
    let before = backup(&mut engine.db).unwrap();
    engine
        .run(r#"BEGIN; INSERT INTO a {"id": 2}"#, 2_000)
        .unwrap();
    assert!(backup(&mut engine.db).unwrap() == before);
    engine.run("COMMIT", 2_000).unwrap();
    assert!(backup(&mut engine.db).unwrap() != before);
}

#[test]
fn batches_are_in_it() {
    let (_, mut engine) = written("CREATE TABLE a (pk=id); CREATE TABLE b (pk=id)");
    engine.db.set_durability(Durability::Batch).unwrap();
    engine
        .run(r#"INSERT INTO a {"id": 1}; INSERT INTO b {"id": 2}"#, 2_000)
        .unwrap();
    let bytes = backup(&mut engine.db).unwrap();
    let mut copy = in_place(&bytes, &small()).unwrap();
    assert_eq!(copy.head().unwrap(), (2, 2_000));
}

#[test]
fn a_database_without_events() {
    for text in [
        "",
        "CREATE TABLE a (pk=id); CREATE TABLE b (pk=id, INDEX(x))",
    ] {
        let (_, mut engine) = written(text);
        let bytes = backup(&mut engine.db).unwrap();
        let copy = restored(&bytes);
        assert_eq!(reader(&copy).tables().unwrap(), engine.tables().unwrap());
        assert!(backup(&mut writer(&copy)).unwrap() == bytes);
        let mut copy = Engine::open(&copy, &small()).unwrap();
        copy.run(
            r#"CREATE TABLE IF NOT EXISTS a (pk=id); INSERT INTO a {"id": 1}"#,
            5,
        )
        .unwrap();
    }
}

#[test]
fn names_of_every_kind() {
    let long = "Ä".repeat(64);
    let names = ["a", "A", "a b", "日本", "..", "%41", "x/y", &long];
    let (_, mut engine) = written("");
    for name in names {
        let text = format!(
            "CREATE TABLE `{name}` (pk=id, INDEX(`Ö 1`)); INSERT INTO `{name}` {{\"id\": 1, \"Ö 1\": \"{name}\"}}"
        );
        engine.run(&text, 2_000).unwrap();
    }
    let bytes = backup(&mut engine.db).unwrap();
    let copy = restored(&bytes);
    for db in [
        &mut reader(&copy),
        &mut in_place(&bytes, &small()).unwrap().db,
    ] {
        assert_eq!(dump(db).unwrap(), dump(&mut engine.db).unwrap());
        assert!(backup(db).unwrap() == bytes);
    }
}

#[test]
fn requests_that_were_answered_stay_answered() {
    let (_, mut engine) = written("CREATE TABLE a (pk=id)");
    let request = |number| Request {
        client: "tab".into(),
        number,
    };
    for number in 1..=3 {
        let context = Context {
            now: Timestamp(2_000),
            meta: None,
            request: Some(request(number)),
        };
        let text = format!("UPSERT INTO a {{\"id\": 1, \"n\": {number}}}");
        engine
            .db
            .run(&ql::parse(&text).unwrap()[0], &ql::Params::none(), &context)
            .unwrap();
    }
    engine
        .run(r#"UPSERT INTO a {"id": 1}; COMPACT a"#, 3_000)
        .unwrap();
    let answered = engine.db.answered(&request(3)).unwrap();
    assert!(answered.is_some());
    let bytes = backup(&mut engine.db).unwrap();
    let copy = restored(&bytes);
    assert_eq!(writer(&copy).answered(&request(3)).unwrap(), answered);
    assert!(backup(&mut reader(&copy)).unwrap() == bytes);
}
