//! Bugs that a hunt has found, each as the smallest case that shows it.

use driftdb_core::Code;
use driftdb_core::db::Outcome;
use driftdb_tests::engine::{Engine, Settings, small};
use driftdb_tests::fault::FaultStore;

/// A database in memory after these statements.
fn database(statements: &str) -> Engine {
    let store = FaultStore::new();
    Engine::create(&store, 0).unwrap();
    let mut engine = Engine::open(&store, &Settings::default()).unwrap();
    engine.run(statements, 0).unwrap();
    engine
}

/// How many rows a query has.
fn count(engine: &mut Engine, query: &str) -> usize {
    engine.rows(query).unwrap().len()
}

/// Found by the model test: an index range with an open end held one of the two booleans, as each has a first byte of
/// its own.
#[test]
fn a_range_of_booleans_through_an_index_holds_both() {
    let mut engine = database(
        r#"CREATE TABLE t (pk=id, INDEX(a)); INSERT INTO t {"id": 1, "a": false}; INSERT INTO t {"id": 2, "a": true}"#,
    );
    for (condition, rows) in [
        ("a <= true", 2),
        ("a < true", 1),
        ("a >= false", 2),
        ("a > false", 1),
        ("a <= false", 1),
        ("a >= true", 1),
    ] {
        assert_eq!(
            count(&mut engine, &format!("SELECT * FROM t WHERE {condition}")),
            rows,
            "{condition}"
        );
    }
}

/// A closed database whose one table has several segments.
fn several_segments() -> FaultStore {
    let store = FaultStore::new();
    Engine::create(&store, 0).unwrap();
    let mut engine = Engine::open(&store, &small()).unwrap();
    engine.run("CREATE TABLE t (pk=id)", 0).unwrap();
    let filler = "x".repeat(500);
    for id in 0..12 {
        engine
            .run(
                &format!(r#"INSERT INTO t {{"id": {id}, "text": "{filler}"}}"#),
                0,
            )
            .unwrap();
    }
    engine.close().unwrap();
    store
}

/// Found by the corruption hunt: a last segment that was cut to nothing was taken for one that was never finished,
/// and its events were gone.
#[test]
fn a_segment_that_meta_promises_cannot_be_cut_to_nothing() {
    let mut files = several_segments().files();
    let last = files
        .keys()
        .rfind(|path| path.ends_with(".seg"))
        .unwrap()
        .clone();
    for length in [0, 10] {
        files.get_mut(&last).unwrap().truncate(length);
        for open in [Engine::open, Engine::open_reader] {
            let opened = open(&FaultStore::from_files(files.clone()), &small());
            let error = opened
                .and_then(|mut engine| engine.rows("SELECT * FROM t"))
                .err()
                .unwrap();
            assert_eq!(error.code(), Code::Corrupt, "{error:?}");
        }
    }
    files.remove(&last);
    let error = Engine::open(&FaultStore::from_files(files), &small())
        .err()
        .unwrap();
    assert_eq!(error.code(), Code::FileMissing, "{error:?}");
}

/// Found by the process test: a reader opened segments when it first needed them, and found them gone after another
/// process had compacted.
#[test]
fn a_reader_goes_on_over_a_compaction() {
    let store = several_segments();
    let mut reader = Engine::open_reader(&store, &small()).unwrap();
    let Outcome::Rows(mut rows) = reader.run("SELECT id FROM t", 0).unwrap() else {
        panic!("no rows")
    };
    let mut writer = Engine::open(&store, &small()).unwrap();
    writer
        .run("PATCH t KEY 1 SET {\"a\": 1}; COMPACT t", 0)
        .unwrap();
    let mut seen = 0;
    while rows.next().unwrap().is_some() {
        seen += 1;
    }
    assert_eq!(seen, 12);
    assert_eq!(count(&mut reader, "SELECT * FROM t WHERE a = 1"), 1);
}
