//! Readers look at what others have written when there may be something, and only then.

use std::rc::Rc;

use driftdb_core::db::Database;
use driftdb_core::storage::Store;
use driftdb_core::value::Key;
use driftdb_tests::engine::{Engine, small};
use driftdb_tests::fault::FaultStore;
use driftdb_tests::hooked::Hooked;

const META: &str = "tables/t/meta.json";

fn written() -> FaultStore {
    let store = FaultStore::new();
    Engine::create(&store, 0).unwrap();
    write(&store, "CREATE TABLE t (pk=id)");
    for id in [1, 101, 102, 103, 104, 105, 106, 107, 108] {
        write(&store, &format!(r#"INSERT INTO t {{"id": {id}}}"#));
    }
    store
}

/// A writer that comes and goes.
fn write(store: &FaultStore, text: &str) {
    let mut engine = Engine::open(store, &small()).unwrap();
    engine.run(text, 1_000).unwrap();
    engine.db.close().unwrap();
}

fn has(db: &mut Database, id: i64) -> bool {
    db.get("t", &Key::Int(id), None).unwrap().is_some()
}

#[test]
fn a_reader_does_not_look_while_nobody_writes() {
    let store = written();
    let hooked = Hooked::new(store.clone(), META, || ());
    let mut db = Database::open_reader(hooked.clone(), small()).unwrap();
    assert!(has(&mut db, 1));
    assert!(!hooked.is_armed());
    hooked.arm(|| ());
    assert!(has(&mut db, 1));
    assert!(hooked.is_armed(), "it has looked, and there is nothing new");
    write(&store, r#"INSERT INTO t {"id": 2}"#);
    assert!(has(&mut db, 2));
    assert!(!hooked.is_armed());
}

#[test]
fn a_reader_looks_at_each_statement_while_somebody_writes() {
    let store = written();
    let mut db = Database::open_reader(Rc::new(store.clone()), small()).unwrap();
    assert!(has(&mut db, 1));
    let mut engine = Engine::open(&store, &small()).unwrap();
    for id in 2..6 {
        assert!(!has(&mut db, id));
        engine
            .run(&format!(r#"INSERT INTO t {{"id": {id}}}"#), 1_000)
            .unwrap();
        assert!(has(&mut db, id));
    }
    drop(engine);
    assert!(has(&mut db, 5));
}

#[test]
fn a_writer_that_comes_and_goes_while_a_reader_looks_is_seen_by_the_next_statement() {
    let store = written();
    let runs = store.list("tables/t/indexes").unwrap();
    let other = store.clone();
    // The indexes are opened when the log has been looked at.
    let hooked = Hooked::new(
        store.clone(),
        &format!("tables/t/indexes/{}", runs[0]),
        move || write(&other, r#"INSERT INTO t {"id": 2}"#),
    );
    let mut db = Database::open_reader(hooked.clone(), small()).unwrap();
    assert!(!has(&mut db, 2), "the writer came before the look");
    assert!(!hooked.is_armed());
    assert!(has(&mut db, 2));
}
