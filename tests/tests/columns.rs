//! Aggregates over columns in memory answer what the documents say, whatever came between two of them.

use driftdb_core::db::Outcome;
use driftdb_core::table::Found;
use driftdb_core::value::Path;
use driftdb_tests::budget::seeds;
use driftdb_tests::engine::{Engine, Settings, small};
use driftdb_tests::fault::FaultStore;
use driftdb_tests::random::Random;

/// What has columns, and the same over a range of keys that is all of them and has none.
const PAIRS: [(&str, &str); 4] = [
    (
        "SELECT s, COUNT(*) AS n, SUM(a) AS sum, MIN(b.c) AS least FROM t",
        "GROUP BY s",
    ),
    ("SELECT COUNT(*) AS n FROM t", ""),
    (
        "SELECT s, b.c, AVG(a) AS mean FROM t",
        "GROUP BY s, b.c ORDER BY mean",
    ),
    ("SELECT MAX(a) AS most, COUNT(s) AS n FROM t", ""),
];
const EVERYTHING: &str = "WHERE id >= -1";

fn settings() -> Settings {
    Settings {
        delta_bytes: 1 << 20,
        ..small()
    }
}

fn engine(store: &FaultStore, settings: &Settings) -> Engine {
    Engine::create(store, 0).unwrap();
    let mut engine = Engine::open(store, settings).unwrap();
    engine.run("CREATE TABLE t (pk=id)", 0).unwrap();
    engine
}

fn is_ready(engine: &mut Engine, paths: &[&str]) -> bool {
    let paths: Vec<Path> = paths
        .iter()
        .map(|path| Path::parse(path).unwrap())
        .collect();
    let view = engine.db.view("t", None).unwrap();
    matches!(view.columns(&paths).unwrap(), Found::Ready(_))
}

#[test]
fn the_second_time_they_are_kept_and_a_write_leaves_them_ready() {
    let store = FaultStore::new();
    let mut engine = engine(&store, &settings());
    for id in 0..50 {
        engine
            .run(
                &format!(
                    r#"INSERT INTO t {{"id": {id}, "s": "s{}", "a": {id}}}"#,
                    id % 3
                ),
                0,
            )
            .unwrap();
    }
    let sums = "SELECT s, SUM(a) AS sum FROM t GROUP BY s";
    for _ in 0..2 {
        engine.rows(sums).unwrap();
    }
    assert!(is_ready(&mut engine, &["s", "a"]));
    engine.run(r#"PATCH t KEY 3 SET {"a": 1000}"#, 0).unwrap();
    engine.run("SOFT DELETE FROM t KEY 4", 0).unwrap();
    assert!(is_ready(&mut engine, &["s", "a"]));
    let rows = engine.rows(sums).unwrap();
    assert_eq!(rows.len(), 3);
}

#[test]
fn a_rollback_leaves_those_of_the_present_ready() {
    let store = FaultStore::new();
    let mut engine = engine(&store, &settings());
    for id in 0..50 {
        let insert = format!(r#"INSERT INTO t {{"id": {id}, "a": 1}}"#);
        engine.run(&insert, 0).unwrap();
    }
    let sum = "SELECT SUM(a) AS sum FROM t";
    for _ in 0..2 {
        engine.rows(sum).unwrap();
    }
    engine.run("BEGIN", 0).unwrap();
    engine.run(r#"PATCH t KEY 3 SET {"a": 9}"#, 0).unwrap();
    engine.end_transaction(false, 0).unwrap();
    assert!(is_ready(&mut engine, &["a"]));
    assert_eq!(engine.rows(sum).unwrap()[0]["sum"], 50);
}

#[test]
fn what_a_transaction_saw_and_took_back_is_not_the_past() {
    let store = FaultStore::new();
    let mut engine = engine(&store, &settings());
    let write = |engine: &mut Engine, a: u64| {
        let statement = format!(r#"UPSERT INTO t {{"id": 1, "a": {a}}}"#);
        engine.run(&statement, 0).unwrap();
    };
    write(&mut engine, 1);
    let sum = "SELECT SUM(a) AS sum FROM t";
    engine.run("BEGIN", 0).unwrap();
    write(&mut engine, 2);
    engine.rows(sum).unwrap();
    // Asked for the second time, its answer is read when the transaction has gone on.
    let Outcome::Rows(mut rows) = engine.run(sum, 0).unwrap() else {
        panic!("no rows");
    };
    write(&mut engine, 3);
    while rows.next().unwrap().is_some() {}
    engine.end_transaction(false, 0).unwrap();
    write(&mut engine, 4);
    write(&mut engine, 5);
    let past = engine.rows(&format!(r#"{sum} AS OF "@seq:2""#)).unwrap();
    assert_eq!(past[0]["sum"], 4);
}

/// The answers over columns are those over documents, now and at a moment.
fn compare(engine: &mut Engine, at: &str) {
    for (select, group) in PAIRS {
        let over = engine.rows(&format!("{select} {group} {at}")).unwrap();
        let under = engine
            .rows(&format!("{select} {EVERYTHING} {group} {at}"))
            .unwrap();
        assert_eq!(over, under, "{select} {group} {at}");
    }
}

/// A write of a random kind; many fail, as they should.
fn write(engine: &mut Engine, random: &mut Random) {
    let id = random.below(40);
    let (s, a, c) = (random.below(4), random.below(50), random.below(3));
    let amount = if random.chance(50) {
        a.to_string()
    } else {
        format!("{a}.{}", random.below(1000))
    };
    let statement = match random.below(6) {
        0 | 1 => format!(r#"INSERT INTO t {{"id": {id}, "s": "s{s}", "a": {amount}}}"#),
        2 => format!(r#"UPSERT INTO t {{"id": {id}, "s": {s}, "a": {amount}, "b": {{"c": {c}}}}}"#),
        3 => format!(r#"PATCH t KEY {id} SET {{"a": {amount}, "b": {{"d": 1}}}}"#),
        4 => format!(r#"PATCH t KEY {id} SET {{"s": null, "b": {{"c": {c}}}}}"#),
        _ => format!("SOFT DELETE FROM t KEY {id}"),
    };
    let _ = engine.statement(&statement, 0);
}

/// Random writes, transactions that are given up or spilled, maintenance and new opens between queries that are asked again and again.
fn run(seed: u64, settings: &Settings) {
    let store = FaultStore::new();
    let mut engine = engine(&store, settings);
    let mut reader = Engine::open_reader(&store, settings).unwrap();
    let mut random = Random::new(seed);
    let mut moments = vec![1];
    for _ in 0..150 {
        match random.below(12) {
            0 => engine.maintain().unwrap(),
            1 => {
                engine.close().unwrap();
                engine = Engine::open(&store, settings).unwrap();
            }
            2 | 3 => {
                engine.statement("BEGIN", 0).unwrap();
                for _ in 0..random.below(12) {
                    write(&mut engine, &mut random);
                    if random.chance(30) {
                        compare(&mut engine, "");
                    }
                }
                engine.end_transaction(random.chance(50), 0).unwrap();
            }
            4 => moments.push(engine.head().unwrap().0.max(1)),
            _ => (0..1 + random.below(4)).for_each(|_| write(&mut engine, &mut random)),
        }
        compare(&mut engine, "");
        compare(&mut reader, "");
        let moment = random.pick(&moments);
        for _ in 0..2 {
            compare(&mut engine, &format!(r#"AS OF "@seq:{moment}""#));
        }
    }
}

#[test]
fn they_answer_what_documents_do() {
    for seed in seeds(6, 500) {
        run(seed, &settings());
        let spilling = Settings {
            transaction_bytes: 600,
            ..settings()
        };
        run(seed, &spilling);
        // Too small for most columns.
        run(seed, &small());
    }
}
