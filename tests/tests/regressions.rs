//! Bugs that a hunt has found, each as the smallest case that shows it.

use driftdb_tests::engine::{Engine, Settings};
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
