//! A request that is sent again is answered and not done again, whatever happened in between.

use driftdb_core::db::{Context, Database, Outcome, Request, Written};
use driftdb_core::time::{Seq, Timestamp};
use driftdb_core::{Code, Result, ql};
use driftdb_tests::engine::{Engine, small};
use driftdb_tests::fault::{FaultStore, Survival};

fn request(client: &str, number: u64) -> Request {
    Request {
        client: client.into(),
        number,
    }
}

fn run(db: &mut Database, text: &str, request: Option<Request>) -> Result<Written> {
    let mut written = None;
    let context = Context {
        now: Timestamp(1_000),
        meta: None,
        request,
    };
    for statement in ql::parse(text)? {
        match db.run(&statement, &ql::Params::none(), &context)? {
            Outcome::Written(answer) => written = Some(answer),
            Outcome::Work(work) => drop(db.finish(work)?),
            _ => {}
        }
    }
    Ok(written.unwrap_or(Written {
        events: 0,
        seq: Seq(0),
        time: Timestamp(0),
    }))
}

fn database(store: &FaultStore) -> Database {
    Engine::create(store, 0).unwrap();
    let mut db = Engine::open(store, &small()).unwrap().db;
    run(
        &mut db,
        "CREATE TABLE a (pk=id); CREATE TABLE b (pk=id)",
        None,
    )
    .unwrap();
    db
}

fn reopened(store: &FaultStore) -> Database {
    Engine::open(store, &small()).unwrap().db
}

#[test]
fn the_answer_is_the_same_before_and_after_a_crash() {
    let store = FaultStore::new();
    let mut db = database(&store);
    let one = run(&mut db, r#"INSERT INTO a {"id": 1}"#, Some(request("x", 1))).unwrap();
    let several = r#"BEGIN; INSERT INTO a {"id": 2}; INSERT INTO b {"id": 2}; PATCH a KEY 2 SET {"n": 1}; INSERT INTO b {"id": 3}; COMMIT"#;
    let two = run(&mut db, several, Some(request("y", 9))).unwrap();
    assert_eq!(two.events, 4);
    for again in 0..3 {
        assert_eq!(db.answered(&request("x", 1)).unwrap(), Some(one), "{again}");
        assert_eq!(db.answered(&request("y", 9)).unwrap(), Some(two), "{again}");
        assert_eq!(db.answered(&request("x", 2)).unwrap(), None);
        assert_eq!(db.answered(&request("z", 1)).unwrap(), None);
        match again {
            0 => {
                drop(db);
                let crashed = store.crash(Survival::Dropped);
                db = reopened(&crashed);
            }
            _ => {
                db.close().unwrap();
                db = reopened(&store);
            }
        }
    }
}

#[test]
fn a_request_is_not_done_twice() {
    let store = FaultStore::new();
    let mut db = database(&store);
    run(&mut db, r#"INSERT INTO a {"id": 1}"#, Some(request("x", 3))).unwrap();
    for number in [2, 3] {
        let refused = run(
            &mut db,
            r#"UPSERT INTO a {"id": 1, "n": 1}"#,
            Some(request("x", number)),
        );
        assert_eq!(refused.unwrap_err().code(), Code::Conflict);
    }
    assert_eq!(
        db.answered(&request("x", 2)).unwrap_err().code(),
        Code::Conflict
    );
    assert_eq!(db.head().0, Seq(1));
    run(
        &mut db,
        r#"UPSERT INTO a {"id": 1, "n": 1}"#,
        Some(request("x", 4)),
    )
    .unwrap();
}

#[test]
fn what_failed_was_not_done() {
    let store = FaultStore::new();
    let mut db = database(&store);
    run(&mut db, r#"INSERT INTO a {"id": 1}"#, None).unwrap();
    run(&mut db, r#"INSERT INTO a {"id": 1}"#, Some(request("x", 1))).unwrap_err();
    assert_eq!(db.answered(&request("x", 1)).unwrap(), None);
    // The first event of the transaction is taken back; the next takes its place, request included.
    run(&mut db, "BEGIN", Some(request("x", 1))).unwrap();
    run(&mut db, r#"INSERT INTO b {"id": 7}, {"id": 7}"#, None).unwrap_err();
    let done = run(&mut db, r#"INSERT INTO a {"id": 2}; COMMIT"#, None).unwrap();
    assert_eq!(db.answered(&request("x", 1)).unwrap(), Some(done));
    drop(db);
    assert_eq!(
        reopened(&store).answered(&request("x", 1)).unwrap(),
        Some(done)
    );
}

#[test]
fn a_compaction_forgets_no_request() {
    let store = FaultStore::new();
    let mut db = database(&store);
    let done = run(&mut db, r#"INSERT INTO a {"id": 1}"#, Some(request("x", 1))).unwrap();
    run(&mut db, r#"PATCH a KEY 1 SET {"n": 1}; COMPACT a"#, None).unwrap();
    // The event that named the request is gone.
    assert_eq!(db.dump().map(|_| ()).ok(), Some(()));
    for _ in 0..2 {
        let answer = db.answered(&request("x", 1)).unwrap().unwrap();
        assert_eq!((answer.seq, answer.events), (done.seq, 0));
        let refused = run(
            &mut db,
            r#"PATCH a KEY 1 SET {"n": 2}"#,
            Some(request("x", 1)),
        );
        assert_eq!(refused.unwrap_err().code(), Code::Conflict);
        drop(db);
        db = reopened(&store);
    }
}

#[test]
fn the_engines_notes_are_not_shown() {
    let store = FaultStore::new();
    let mut db = database(&store);
    let text =
        r#"BEGIN WITH {"by": "ann"}; INSERT INTO a {"id": 1}; INSERT INTO b {"id": 1}; COMMIT"#;
    run(&mut db, text, Some(request("x", 1))).unwrap();
    let mut engine = Engine::open(&store.crash(Survival::Dropped), &small()).unwrap();
    for table in ["a", "b"] {
        let rows = engine.rows(&format!("SHOW DRIFT {table} KEY 1")).unwrap();
        assert_eq!(rows[0]["by"], "ann");
        assert_eq!(rows[0]["meta"], serde_json::Value::Null, "{table}");
    }
}
