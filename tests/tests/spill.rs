//! Transactions that leave memory before they are committed: who sees what of them, and what is left of them.

use std::collections::BTreeMap;

use driftdb_core::Code;
use driftdb_core::db::Durability;
use driftdb_tests::engine::{Engine, Settings, small};
use driftdb_tests::fault::{FaultStore, Survival};

fn settings() -> Settings {
    Settings {
        transaction_bytes: 4_000,
        ..small()
    }
}

/// Never spills.
fn roomy() -> Settings {
    Settings {
        transaction_bytes: usize::MAX,
        ..small()
    }
}

fn engine(store: &FaultStore, settings: &Settings) -> Engine {
    Engine::create(store, 0).unwrap();
    let mut engine = Engine::open(store, settings).unwrap();
    for table in ["t", "u"] {
        let create = format!("CREATE TABLE {table} (pk=id, INDEX(a))");
        engine.run(&create, 0).unwrap();
        for id in 1..=5 {
            insert(&mut engine, table, id, 0);
        }
    }
    engine
}

fn insert(engine: &mut Engine, table: &str, id: u64, a: u64) {
    let insert = format!(r#"INSERT INTO {table} {{"id": {id}, "a": {a}, "text": "some text"}}"#);
    engine.run(&insert, 7).unwrap();
}

fn count(engine: &mut Engine, query: &str) -> usize {
    engine.rows(query).unwrap().len()
}

/// The bytes of a table's log.
fn log_bytes(store: &FaultStore, table: &str) -> usize {
    let prefix = format!("tables/{table}/segments/");
    let files = store.files();
    let of_table = files.iter().filter(|(path, _)| path.starts_with(&prefix));
    of_table.map(|(_, bytes)| bytes.len()).sum()
}

/// A transaction of 100 inserts into t, and of as many into u if it is to be over both; open.
fn open_transaction(engine: &mut Engine, both: bool) {
    engine.run(r#"BEGIN WITH {"by": "ann"}"#, 7).unwrap();
    for id in 100..200 {
        insert(engine, "t", id, 1);
        if both {
            insert(engine, "u", id, 1);
        }
    }
}

#[test]
fn nobody_else_sees_anything_before_the_commit() {
    for both in [false, true] {
        let store = FaultStore::new();
        let mut writer = engine(&store, &settings());
        let before = log_bytes(&store, "t");
        let mut reader = Engine::open_reader(&store, &settings()).unwrap();
        open_transaction(&mut writer, both);
        assert!(
            log_bytes(&store, "t") > before + 4_000,
            "nothing was spilled"
        );
        assert_eq!(count(&mut writer, "SELECT * FROM t WHERE a = 1"), 100);
        assert_eq!(count(&mut writer, "SELECT * FROM t WHERE id >= 150"), 50);
        assert_eq!(count(&mut writer, "SELECT * FROM t AS OF '@seq:10'"), 5);
        for reader in [
            &mut reader,
            &mut Engine::open_reader(&store, &settings()).unwrap(),
        ] {
            assert_eq!(count(reader, "SELECT * FROM t"), 5);
            assert_eq!(count(reader, "SELECT * FROM t WHERE a = 1"), 0);
            assert_eq!(reader.head().unwrap().0, 10);
        }
        writer.run("COMMIT", 7).unwrap();
        let events = if both { 200 } else { 100 };
        for reader in [
            &mut reader,
            &mut Engine::open_reader(&store, &settings()).unwrap(),
        ] {
            assert_eq!(count(reader, "SELECT * FROM t WHERE a = 1"), 100);
            assert_eq!(count(reader, "SELECT * FROM t"), 105);
            assert_eq!(reader.head().unwrap().0, 10 + events);
        }
    }
}

#[test]
fn the_logs_are_what_they_are_without_spilling() {
    for durability in [Durability::Commit, Durability::Batch] {
        let truth = |settings: Settings| {
            let store = FaultStore::new();
            let settings = Settings {
                durability,
                ..settings
            };
            let mut engine = engine(&store, &settings);
            open_transaction(&mut engine, true);
            engine.run("ROLLBACK", 8).unwrap();
            open_transaction(&mut engine, true);
            engine.run("COMMIT", 9).unwrap();
            open_transaction_of_patches(&mut engine);
            engine.run("COMMIT", 9).unwrap();
            engine.close().unwrap();
            let mut frames: BTreeMap<String, Vec<u8>> = BTreeMap::new();
            for (path, bytes) in store.files() {
                if let Some((table, _)) = path.split_once("/segments/") {
                    // Where segments end depends on how much is appended at once.
                    frames.entry(table.into()).or_default().extend(&bytes[80..]);
                }
            }
            frames
        };
        // The time of a transaction that was spilled is the clock's when that began.
        let (spilled, roomy) = (truth(settings()), truth(roomy()));
        assert_eq!(
            spilled.keys().collect::<Vec<_>>(),
            roomy.keys().collect::<Vec<_>>()
        );
        for (table, frames) in &spilled {
            assert_eq!(
                without_times(frames),
                without_times(&roomy[table]),
                "{table}"
            );
        }
    }
}

fn open_transaction_of_patches(engine: &mut Engine) {
    engine.run("BEGIN", 9).unwrap();
    for id in 100..160 {
        engine
            .run(&format!(r#"PATCH t KEY {id} SET {{"a": 2}}"#), 9)
            .unwrap();
    }
}

/// Seq, type and payload of each frame.
fn without_times(mut frames: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut all = Vec::new();
    while frames.len() > 8 {
        let length = u32::from_le_bytes(frames[..4].try_into().unwrap()) as usize;
        let body = &frames[8..8 + length];
        let seq = body.iter().position(|byte| byte & 0x80 == 0).unwrap() + 1;
        all.push((body[..seq].to_vec(), body[seq + 8..].to_vec()));
        frames = &frames[8 + length..];
    }
    all
}

#[test]
fn a_rollback_leaves_nothing() {
    for both in [false, true] {
        let store = FaultStore::new();
        let mut engine = engine(&store, &settings());
        open_transaction(&mut engine, both);
        engine.run("ROLLBACK", 7).unwrap();
        assert_eq!(count(&mut engine, "SELECT * FROM t"), 5);
        assert_eq!(count(&mut engine, "SELECT * FROM t WHERE a = 1"), 0);
        assert_eq!(engine.head().unwrap().0, 10);
        let indexes = store.files().into_keys();
        let named = engine.rows("DESCRIBE t").unwrap();
        drop(engine);
        assert!(!named.is_empty());
        let left: Vec<_> = indexes
            .filter(|path| path.starts_with("tables/t/indexes/"))
            .collect();
        assert!(
            left.len() <= 4,
            "runs of the transaction are left: {left:?}"
        );
        let mut engine = Engine::open(&store, &settings()).unwrap();
        assert!(engine.db.report().torn.is_empty(), "the log was not cut");
        assert_eq!(count(&mut engine, "SELECT * FROM t"), 5);
        insert(&mut engine, "t", 100, 3);
        assert_eq!(engine.head().unwrap().0, 11);
    }
}

#[test]
fn a_statement_that_fails_leaves_no_trace_in_it() {
    let store = FaultStore::new();
    let mut engine = engine(&store, &settings());
    open_transaction(&mut engine, true);
    let failing = r#"INSERT INTO t {"id": 300, "a": 1}, {"id": 301, "a": 1}, {"id": 100, "a": 1}"#;
    assert_eq!(
        engine.run(failing, 7).err().map(|error| error.code()),
        Some(Code::DuplicateKey)
    );
    assert_eq!(
        engine
            .run(r#"PATCH u KEY 999 SET {"a": 2}"#, 7)
            .err()
            .map(|error| error.code()),
        Some(Code::NoSuchRow)
    );
    assert_eq!(count(&mut engine, "SELECT * FROM t WHERE id >= 300"), 0);
    insert(&mut engine, "t", 300, 1);
    engine.run("COMMIT", 7).unwrap();
    assert_eq!(engine.head().unwrap().0, 211);
    assert_eq!(count(&mut engine, "SELECT * FROM t WHERE a = 1"), 101);
}

/// A query that a host reads row by row while the transaction goes on.
#[test]
fn a_view_taken_inside_stays_as_it_is() {
    let store = FaultStore::new();
    let mut engine = engine(&store, &settings());
    engine.run("BEGIN", 7).unwrap();
    let mut views = Vec::new();
    for id in 100..160 {
        insert(&mut engine, "t", id, 1);
        views.push((engine.db.view("t", None).unwrap(), id - 99));
    }
    for (view, rows) in &views {
        let mut scan = view.scan(driftdb_core::table::KeyRange::ALL);
        let mut found = 0;
        while driftdb_core::db::drive(|| scan.step()).unwrap().is_some() {
            found += 1;
        }
        assert_eq!(found, rows + 5);
    }
    engine.run("COMMIT", 7).unwrap();
}

#[test]
fn a_crash_drops_it_and_the_next_open_says_so() {
    let store = FaultStore::new();
    let mut engine = engine(&store, &settings());
    open_transaction(&mut engine, true);
    let crashed = store.crash(Survival::Kept);
    let mut engine = Engine::open(&crashed, &settings()).unwrap();
    let torn: Vec<&str> = engine
        .db
        .report()
        .torn
        .iter()
        .map(|(table, _)| &**table)
        .collect();
    assert_eq!(torn, ["t", "u"]);
    assert_eq!(count(&mut engine, "SELECT * FROM t"), 5);
    assert_eq!(engine.head().unwrap().0, 10);
}

/// Nothing goes on in a transaction that could not be spilled.
#[test]
fn one_that_cannot_be_written_out_can_only_be_rolled_back() {
    let store = FaultStore::new();
    let mut engine = engine(&store, &settings());
    engine.run("BEGIN", 7).unwrap();
    store.stop_in(1);
    let mut id = 100;
    let error = loop {
        let insert = format!(r#"INSERT INTO t {{"id": {id}, "a": 1}}"#);
        match engine.run(&insert, 7) {
            Ok(_) => id += 1,
            Err(error) => break error,
        }
    };
    assert_ne!(error.code(), Code::Transaction);
    let code =
        |engine: &mut Engine, text: &str| engine.run(text, 7).err().map(|error| error.code());
    assert_eq!(
        code(&mut engine, r#"INSERT INTO t {"id": 1000}"#),
        Some(Code::Transaction)
    );
    assert_eq!(code(&mut engine, "COMMIT"), Some(Code::Transaction));
    assert_eq!(count(&mut engine, "SELECT * FROM t"), 5);
    assert_eq!(
        code(&mut engine, r#"INSERT INTO t {"id": 1000}"#),
        Some(Code::Latched)
    );
}

/// Opening again after all derived files are lost flushes inside the transaction too, and answers the same.
#[test]
fn a_long_transaction_is_replayed_in_parts() {
    let store = FaultStore::new();
    let mut engine = engine(&store, &settings());
    open_transaction(&mut engine, true);
    engine.run("COMMIT", 7).unwrap();
    engine.close().unwrap();
    let mut files = store.files();
    files.retain(|path, _| !driftdb_tests::small::is_derived(path));
    let store = FaultStore::from_files(files);
    let mut engine = Engine::open(&store, &settings()).unwrap();
    assert_eq!(count(&mut engine, "SELECT * FROM t WHERE a = 1"), 100);
    drop(engine);
    let mut engine = Engine::open(&store, &settings()).unwrap();
    assert_eq!(count(&mut engine, "SELECT * FROM t"), 105);
    engine.close().unwrap();
    let mut engine = Engine::open(&store, &settings()).unwrap();
    assert_eq!(count(&mut engine, "SELECT * FROM u WHERE a = 1"), 100);
}

/// The machine stops at each call of the commit in turn.
#[test]
fn a_commit_that_is_stopped_is_there_whole_or_not_at_all() {
    for (durability, both) in [
        (Durability::Commit, false),
        (Durability::Commit, true),
        (Durability::Batch, false),
        (Durability::Batch, true),
    ] {
        let settings = Settings {
            durability,
            ..settings()
        };
        for stop in 1.. {
            let store = FaultStore::new();
            let mut engine = engine(&store, &settings);
            engine.db.sync().unwrap();
            open_transaction(&mut engine, both);
            store.stop_in(stop);
            let committed = engine.run("COMMIT", 7).is_ok();
            drop(engine);
            for survival in [Survival::Dropped, Survival::Kept, Survival::Mixed(stop)] {
                let crashed = store.crash(survival);
                let mut engine = Engine::open(&crashed, &settings).unwrap();
                let rows = count(&mut engine, "SELECT * FROM t");
                assert!([5, 105].contains(&rows), "{rows} rows, {survival:?}");
                let there = rows == 105;
                assert!(there || !committed || durability == Durability::Batch);
                assert_eq!(count(&mut engine, "SELECT * FROM t WHERE a = 1"), rows - 5);
                let others = if both { rows } else { 5 };
                assert_eq!(count(&mut engine, "SELECT * FROM u"), others);
                insert(&mut engine, "t", 1_000, 1);
                assert_eq!(engine.rows("SHOW DRIFT t KEY 1000").unwrap().len(), 1);
                let drift = engine.rows("SHOW DRIFT t KEY 150").unwrap().len();
                assert_eq!(drift, usize::from(there), "stop at call {stop}");
            }
            if committed && !store.has_failed() {
                break;
            }
        }
    }
}
