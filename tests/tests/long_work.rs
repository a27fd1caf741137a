//! COMPACT in steps: what may be done between them, how much each does, and what is left when nobody goes on.

use driftdb_core::Code;
use driftdb_core::db::eventline::{self, Line};
use driftdb_core::db::{Context, Outcome, Step, Verified, Work};
use driftdb_core::ql;
use driftdb_core::time::Timestamp;
use driftdb_tests::engine::{Engine, Settings, small};
use driftdb_tests::fault::FaultStore;

fn settings() -> Settings {
    Settings {
        memtable_events: 100,
        merge_fan: 4,
        segment_bytes: 1 << 30,
        snapshot_events: 1 << 30,
        cache_bytes: 64 << 20,
        ..small()
    }
}

/// Table t with so many rows, each patched once, and table u.
fn engine(store: &FaultStore, rows: u64) -> Engine {
    Engine::create(store, 0).unwrap();
    let mut engine = Engine::open(store, &settings()).unwrap();
    engine
        .run(
            "CREATE TABLE t (pk=id, INDEX(a)); CREATE TABLE u (pk=id)",
            0,
        )
        .unwrap();
    for id in 0..rows {
        let write = format!(
            r#"BEGIN; INSERT INTO t {{"id": {id}, "a": 0}}; PATCH t KEY {id} SET {{"a": 1}}; COMMIT"#
        );
        engine.run(&write, 0).unwrap();
    }
    engine
}

fn compact(engine: &mut Engine) -> Work {
    start(engine, "COMPACT t")
}

fn start(engine: &mut Engine, statement: &str) -> Work {
    let statement = &ql::parse(statement).unwrap()[0];
    let context = Context::at(Timestamp(0));
    match engine.db.run(statement, &ql::Params::none(), &context) {
        Ok(Outcome::Work(work)) => work,
        _ => panic!("no long work"),
    }
}

fn count(engine: &mut Engine, query: &str) -> usize {
    engine.rows(query).unwrap().len()
}

/// Whether the new log has replaced the old one.
fn is_replaced(store: &FaultStore) -> bool {
    !store.files().contains_key("tables/t/segments/00000001.seg")
}

/// Goes on until the new log has replaced the old one and some of the indexes have been made anew.
fn up_to_the_rebuilding(engine: &mut Engine, store: &FaultStore, work: &mut Work) {
    while !is_replaced(store) {
        assert!(matches!(engine.db.advance(work).unwrap(), Step::Pause));
    }
    for _ in 0..3 {
        assert!(matches!(engine.db.advance(work).unwrap(), Step::Pause));
    }
}

#[test]
fn everything_can_be_read_and_other_tables_written_between_the_steps() {
    let store = FaultStore::new();
    let mut engine = engine(&store, 600);
    let mut work = compact(&mut engine);
    let (mut steps, mut renewing) = (0, 0);
    loop {
        steps += 1;
        renewing += u64::from(is_replaced(&store));
        let step = engine.db.advance(&mut work).unwrap();
        assert_eq!(count(&mut engine, "SELECT * FROM t WHERE a = 1"), 600);
        assert_eq!(count(&mut engine, "SELECT * FROM t WHERE id = 17"), 1);
        engine
            .run(&format!(r#"INSERT INTO u {{"id": {steps}}}"#), 0)
            .unwrap();
        if let Step::Item(line) = step {
            assert!(line.contains("600 events dropped, 600 kept"), "{line}");
            break;
        }
    }
    assert!(
        renewing > 20,
        "{renewing} of {steps} steps after the new log was in place"
    );
    assert_eq!(count(&mut engine, "SELECT * FROM u"), steps);
    let error = engine.rows("SELECT * FROM t AS OF '@seq:5'").unwrap_err();
    assert_eq!(error.code(), Code::BeforeHorizon);
    engine.close().unwrap();
    let files = store.files();
    assert!(files.contains_key("tables/t/indexes/id.idx"));
    assert!(files.contains_key("tables/t/snapshots/00001200.snap"));
    let mut engine = Engine::open(&store, &settings()).unwrap();
    assert_eq!(count(&mut engine, "SELECT * FROM t WHERE a = 1"), 600);
}

#[test]
fn a_write_to_the_table_waits_for_its_indexes() {
    let store = FaultStore::new();
    let mut engine = engine(&store, 600);
    let mut work = compact(&mut engine);
    up_to_the_rebuilding(&mut engine, &store, &mut work);
    engine.run(r#"PATCH t KEY 5 SET {"a": 2}"#, 9).unwrap();
    assert_eq!(count(&mut engine, "SELECT * FROM t WHERE a = 2"), 1);
    engine
        .run(r#"BEGIN; PATCH t KEY 6 SET {"a": 2}"#, 9)
        .unwrap();
    engine.db.finish(work).unwrap();
    engine.run("COMMIT", 9).unwrap();
    assert_eq!(count(&mut engine, "SELECT * FROM t WHERE a = 2"), 2);
    drop(engine);
    let mut engine = Engine::open(&store, &settings()).unwrap();
    assert_eq!(count(&mut engine, "SELECT * FROM t WHERE a = 2"), 2);
    assert_eq!(
        count(&mut engine, "SELECT * FROM t WHERE a = 1 AS OF '@seq:1200'"),
        600
    );
}

/// With maintenance, with a dump, with a second COMPACT, with nothing but a close, and with a crash.
#[test]
fn work_that_is_dropped_when_the_log_is_new_is_done_by_whoever_comes() {
    for way in ["maintain", "dump", "COMPACT t", "close", "crash"] {
        let store = FaultStore::new();
        let mut engine = engine(&store, 600);
        let mut work = compact(&mut engine);
        up_to_the_rebuilding(&mut engine, &store, &mut work);
        drop(work);
        match way {
            "maintain" => engine.maintain().unwrap(),
            "dump" => {
                let mut dump = engine.db.dump().unwrap();
                let mut inserts = 0;
                while let Some(line) = driftdb_core::db::drive(|| dump.step()).unwrap() {
                    let Line::Event(event) = line else { continue };
                    inserts += u64::from(matches!(event.op, eventline::Op::Insert(_)));
                }
                assert_eq!(inserts, 600);
            }
            "COMPACT t" => assert!(engine.run("COMPACT t", 0).is_ok()),
            _ => {}
        }
        assert_eq!(
            count(&mut engine, "SELECT * FROM t WHERE a = 1"),
            600,
            "{way}"
        );
        match way {
            "crash" => drop(engine),
            _ => engine.close().unwrap(),
        }
        let mut engine = Engine::open(&store, &settings()).unwrap();
        assert_eq!(
            count(&mut engine, "SELECT * FROM t WHERE a = 1"),
            600,
            "{way}"
        );
        assert_eq!(engine.rows("SHOW DRIFT t KEY 5").unwrap().len(), 1, "{way}");
    }
}

#[test]
fn a_compaction_ends_a_snapshot() {
    let store = FaultStore::new();
    let mut engine = engine(&store, 600);
    let mut snapshot = start(&mut engine, "SNAPSHOT t");
    engine.db.advance(&mut snapshot).unwrap();
    engine.run(r#"PATCH t KEY 5 SET {"a": 2}"#, 9).unwrap();
    engine.run("COMPACT t", 9).unwrap();
    let error = engine.db.finish(snapshot).unwrap_err();
    assert_eq!(error.code(), Code::Conflict);
    let mut verify = engine.db.verify().unwrap();
    while let Some(verified) = driftdb_core::db::drive(|| verify.step()).unwrap() {
        if let Verified::Finding(finding) = verified {
            panic!("{}", finding.message);
        }
    }
}

/// The most calls of the store that one step makes.
fn largest_step(rows: u64) -> u64 {
    let store = FaultStore::new();
    let mut engine = engine(&store, rows);
    engine.maintain().unwrap();
    let mut work = compact(&mut engine);
    let mut most = 0;
    loop {
        let before = store.calls() + store.reads();
        let step = engine.db.advance(&mut work).unwrap();
        most = most.max(store.calls() + store.reads() - before);
        if !matches!(step, Step::Pause) {
            return most;
        }
    }
}

#[test]
fn a_step_of_a_large_table_does_no_more_than_one_of_a_small_table() {
    let (small, large) = (largest_step(500), largest_step(4_000));
    assert!(large < 2 * small, "{small} calls, then {large}");
}
