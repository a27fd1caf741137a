//! What may come between BEGIN and COMMIT, and between the steps of long work.

use driftdb_core::Code;
use driftdb_core::db::{Context, Outcome, Step, Work};
use driftdb_core::ql;
use driftdb_core::time::Timestamp;
use driftdb_tests::engine::{Engine, small};
use driftdb_tests::fault::FaultStore;

/// A table t with rows 1 to 20, each written in an event of its own.
fn engine(store: &FaultStore) -> Engine {
    Engine::create(store, 0).unwrap();
    let mut engine = Engine::open(store, &small()).unwrap();
    engine.run("CREATE TABLE t (pk=id, INDEX(a))", 0).unwrap();
    for id in 1..=20 {
        engine
            .run(&format!(r#"INSERT INTO t {{"id": {id}, "a": 0}}"#), 0)
            .unwrap();
    }
    engine
}

fn count(engine: &mut Engine, query: &str) -> usize {
    engine.rows(query).unwrap().len()
}

fn start(engine: &mut Engine, statement: &str) -> Work {
    let statement = &ql::parse(statement).unwrap()[0];
    match engine
        .db
        .run(statement, &ql::Params::none(), &Context::at(Timestamp(0)))
        .unwrap()
    {
        Outcome::Work(work) => work,
        _ => panic!("no long work"),
    }
}

#[test]
fn maintenance_inside_a_transaction_loses_nothing_of_it() {
    let store = FaultStore::new();
    let mut engine = engine(&store);
    engine.run("BEGIN", 0).unwrap();
    for id in 21..=60 {
        engine
            .run(&format!(r#"INSERT INTO t {{"id": {id}, "a": 1}}"#), 0)
            .unwrap();
    }
    engine.maintain().unwrap();
    assert_eq!(count(&mut engine, "SELECT * FROM t WHERE a = 1"), 40);
    engine.run("COMMIT", 5).unwrap();
    assert_eq!(count(&mut engine, "SELECT * FROM t WHERE a = 1"), 40);
    drop(engine);
    let mut engine = Engine::open(&store, &small()).unwrap();
    assert_eq!(count(&mut engine, "SELECT * FROM t WHERE a = 1"), 40);
    assert_eq!(count(&mut engine, "SELECT * FROM t"), 60);
}

#[test]
fn maintenance_before_a_rollback_keeps_nothing_of_it() {
    let store = FaultStore::new();
    let mut engine = engine(&store);
    engine.run("BEGIN", 0).unwrap();
    for id in 1..=20 {
        engine
            .run(&format!(r#"PATCH t KEY {id} SET {{"a": 1}}"#), 0)
            .unwrap();
    }
    engine.maintain().unwrap();
    engine.run("ROLLBACK", 0).unwrap();
    engine.maintain().unwrap();
    assert_eq!(count(&mut engine, "SELECT * FROM t WHERE a = 0"), 20);
    engine.close().unwrap();
    let mut engine = Engine::open(&store, &small()).unwrap();
    assert_eq!(count(&mut engine, "SELECT * FROM t WHERE a = 0"), 20);
    assert_eq!(count(&mut engine, "SELECT * FROM t WHERE a = 1"), 0);
}

#[test]
fn a_compaction_does_not_end_inside_a_transaction() {
    let store = FaultStore::new();
    let mut engine = engine(&store);
    let work = start(&mut engine, "COMPACT t");
    engine
        .run(r#"BEGIN; PATCH t KEY 1 SET {"a": 1}"#, 0)
        .unwrap();
    let finished = engine.db.finish(work);
    assert!(
        matches!(&finished, Err(error) if error.code() == Code::Conflict),
        "{finished:?}"
    );
    assert_eq!(count(&mut engine, "SELECT * FROM t WHERE a = 1"), 1);
    engine.run("COMMIT", 0).unwrap();
    assert_eq!(count(&mut engine, "SELECT * FROM t WHERE a = 1"), 1);
    engine.run("COMPACT t", 0).unwrap();
    engine.close().unwrap();
    let mut engine = Engine::open(&store, &small()).unwrap();
    assert_eq!(count(&mut engine, "SELECT * FROM t WHERE a = 1"), 1);
    assert_eq!(count(&mut engine, "SELECT * FROM t"), 20);
}

#[test]
fn long_work_that_is_given_up_can_be_started_again() {
    let store = FaultStore::new();
    let mut engine = engine(&store);
    // More than one step of the work.
    engine.run("BEGIN", 0).unwrap();
    for id in 1000..2500 {
        engine
            .run(&format!(r#"INSERT INTO t {{"id": {id}, "a": 3}}"#), 0)
            .unwrap();
    }
    engine.run("COMMIT", 0).unwrap();
    for statement in ["COMPACT t", "SNAPSHOT t", "COMPACT t"] {
        let mut work = start(&mut engine, statement);
        assert!(matches!(engine.db.advance(&mut work).unwrap(), Step::Pause));
        drop(work);
        engine.run(r#"PATCH t KEY 1 SET {"a": 2}"#, 0).unwrap();
        engine.run(statement, 0).unwrap();
        for id in 100..140 {
            engine
                .run(&format!(r#"UPSERT INTO t {{"id": {id}, "a": 9}}"#), 0)
                .unwrap();
        }
    }
    engine.close().unwrap();
    let mut engine = Engine::open(&store, &small()).unwrap();
    assert_eq!(count(&mut engine, "SELECT * FROM t WHERE a = 9"), 40);
    assert_eq!(count(&mut engine, "SELECT * FROM t"), 1560);
}

#[test]
fn a_write_ends_a_compaction_and_is_kept() {
    let store = FaultStore::new();
    let mut engine = engine(&store);
    let work = start(&mut engine, "COMPACT t");
    engine.run(r#"PATCH t KEY 1 SET {"a": 1}"#, 0).unwrap();
    assert_eq!(engine.db.finish(work).unwrap_err().code(), Code::Conflict);
    assert_eq!(
        count(&mut engine, "SELECT * FROM t WHERE a = 1 AS OF '@seq:21'"),
        1
    );
    assert_eq!(
        count(&mut engine, "SELECT * FROM t WHERE a = 0 AS OF '@seq:20'"),
        20
    );
}
