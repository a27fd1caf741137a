//! Backups while others write.

use std::cell::RefCell;
use std::rc::Rc;

use super::{reader, written};
use driftdb_core::db::{Database, drive};
use driftdb_tests::backup::{backup, dump, in_place, rest};
use driftdb_tests::budget::seeds;
use driftdb_tests::engine::{Engine, Settings, small};
use driftdb_tests::fault::FaultStore;
use driftdb_tests::hooked::Hooked;
use driftdb_tests::session::{Session, script};
use driftdb_tests::workload::Mix;

#[test]
fn what_is_written_meanwhile_is_not_in_it() {
    let mut compared = 0;
    for seed in seeds(6, 40) {
        let mix = Mix {
            compact: 6,
            maintain: 10,
            reopen: 0,
            filler: 200,
            ..Mix::default()
        };
        let script = script(seed, mix, 80);
        let mut session = Session::create(FaultStore::new(), small());
        let mut open = Vec::new();
        for (number, step) in script.iter().enumerate() {
            session.run(&vec![step.clone()]).unwrap();
            if number % 7 == 0 {
                let db = &mut session.engine.as_mut().unwrap().db;
                let expected = backup(db).unwrap();
                open.push((db.backup().unwrap(), expected));
                let mut beside = reader(&session.store);
                let expected = backup(&mut beside).unwrap();
                open.push((beside.backup().unwrap(), expected));
            }
        }
        for (mut late, expected) in open {
            assert!(
                rest(&mut late).unwrap() == expected,
                "seed {seed}: up to {:?}",
                late.upto()
            );
            compared += 1;
        }
    }
    println!("backups: {compared} finished after other writes");
}

#[test]
fn steps_and_writes_take_turns() {
    let settings = Settings {
        segment_bytes: 100 << 10,
        ..small()
    };
    let store = FaultStore::new();
    Engine::create(&store, 0).unwrap();
    let mut engine = Engine::open(&store, &settings).unwrap();
    engine.run("CREATE TABLE t (pk=id)", 1).unwrap();
    let insert = |engine: &mut Engine, id: usize| {
        let text = format!(
            "UPSERT INTO t {{\"id\": {}, \"n\": {id}, \"text\": \"{}\"}}",
            id % 50,
            "x".repeat(5_000)
        );
        engine.run(&text, 1_000 + id as u64).unwrap();
    };
    (0..100).for_each(|id| insert(&mut engine, id));
    let expected = backup(&mut engine.db).unwrap();
    let mut late = engine.db.backup().unwrap();
    let (mut bytes, mut steps) = (Vec::new(), 0);
    while let Some(chunk) = drive(|| late.step()).unwrap() {
        assert!(chunk.len() < 128 << 10, "a chunk of {} bytes", chunk.len());
        bytes.extend(chunk);
        steps += 1;
        insert(&mut engine, 1_000 + steps);
        if steps == 3 {
            engine.run("COMPACT t", 3_000).unwrap();
        }
    }
    assert!(steps > 5, "{steps} steps");
    assert!(bytes == expected);
}

/// What a reader sees that looks at the tables one after the other while somebody commits in between: the statements run before it opens table b.
fn while_reading(statements: &'static str) -> (Database, Engine) {
    let (store, engine) = written(
        r#"CREATE TABLE a (pk=id); CREATE TABLE b (pk=id); CREATE TABLE c (pk=id);
           INSERT INTO a {"id": 0}; INSERT INTO b {"id": 0}; INSERT INTO c {"id": 0}"#,
    );
    let engine = Rc::new(RefCell::new(Some(engine)));
    let other = Rc::clone(&engine);
    // tables() reads b's schema first to know whether it is there; the meta is read when the table is opened.
    let hook = move || {
        other
            .borrow_mut()
            .as_mut()
            .unwrap()
            .run(statements, 2_000)
            .unwrap();
    };
    let hooked = Hooked::new(store, "tables/b/meta.json", hook);
    let mut db = Database::open_reader(hooked, small()).unwrap();
    let mut beside = db.backup().unwrap();
    let bytes = rest(&mut beside).unwrap();
    let engine = engine.borrow_mut().take().unwrap();
    let mut copy = in_place(&bytes, &small()).unwrap();
    let newest = copy.rows("SELECT * FROM a WHERE id > 0").unwrap().len();
    for table in ["b", "c"] {
        let rows = copy
            .rows(&format!("SELECT * FROM {table} WHERE id > 0"))
            .unwrap();
        assert_eq!(
            rows.len(),
            newest,
            "{table} beside a, up to {:?}",
            beside.upto()
        );
    }
    (copy.db, engine)
}

#[test]
fn a_transaction_that_comes_while_a_reader_looks_is_in_it_whole_or_not_at_all() {
    // The reader has looked at a, finds the second event in b, the first in a only at its second look, the last in c.
    let (mut copy, mut engine) = while_reading(
        r#"BEGIN; INSERT INTO a {"id": 1}; INSERT INTO b {"id": 1}; INSERT INTO c {"id": 1}; COMMIT"#,
    );
    assert_eq!(dump(&mut copy).unwrap(), dump(&mut engine.db).unwrap());
    let (mut copy, mut engine) = while_reading(
        r#"BEGIN; INSERT INTO b {"id": 1}; INSERT INTO c {"id": 1}; INSERT INTO a {"id": 1}; COMMIT"#,
    );
    assert_eq!(dump(&mut copy).unwrap(), dump(&mut engine.db).unwrap());
}

#[test]
fn a_compaction_while_a_reader_looks() {
    let text = r#"BEGIN; UPSERT INTO a {"id": 1}; INSERT INTO b {"id": 1}; INSERT INTO c {"id": 1}; COMMIT; UPSERT INTO a {"id": 1, "n": 2}; COMPACT a"#;
    let (mut copy, mut engine) = while_reading(text);
    assert_eq!(dump(&mut copy).unwrap(), dump(&mut engine.db).unwrap());
}
