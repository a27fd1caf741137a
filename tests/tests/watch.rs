//! What commits change and what statements read: an answer that has become another one is always told, and what has nothing to do with a commit is not.

use driftdb_core::db::{Context, Database, Options, Outcome, Reads, Touched};
use driftdb_core::ql::{self, Params};
use driftdb_core::storage::MemoryStore;
use driftdb_core::time::Timestamp;
use driftdb_tests::random::Random;
use std::rc::Rc;

fn database(script: &str) -> Database {
    let store = Rc::new(MemoryStore::new());
    Database::create(&*store, Timestamp(0)).unwrap();
    let mut db = Database::open(store, Options::default()).unwrap();
    run(&mut db, script, 1_000);
    db.note_touched(true);
    db
}

fn run(db: &mut Database, script: &str, now: u64) {
    for statement in ql::parse(script).unwrap() {
        let context = Context::at(Timestamp(now));
        if let Ok(Outcome::Work(work)) = db.run(&statement, &Params::none(), &context) {
            db.finish(work).unwrap();
        }
    }
}

fn reads(db: &mut Database, query: &str) -> Reads {
    let statement = ql::parse(query).unwrap().remove(0);
    db.reads(&statement, &Params::none()).unwrap()
}

/// The answer as text, an error as its code.
fn answer(db: &mut Database, query: &str) -> String {
    let statement = ql::parse(query).unwrap().remove(0);
    let mut text = String::new();
    match db.run(&statement, &Params::none(), &Context::at(Timestamp(0))) {
        Ok(Outcome::Rows(mut rows)) => {
            while let Some(row) = rows.next().unwrap() {
                text += &format!("{row}\n");
            }
        }
        Ok(_) => unreachable!("{query} reads"),
        Err(error) => text = error.code().as_str().into(),
    }
    text
}

const TABLES: &str = "CREATE TABLE a (pk=id, INDEX(n)); CREATE TABLE b (pk=id)";

#[test]
fn a_query_by_key_depends_on_that_row() {
    let mut db = database(TABLES);
    let one = reads(&mut db, "SELECT * FROM a WHERE id = 1");
    let some = reads(&mut db, "SELECT n FROM a WHERE id IN (1, 2, 3) AND n > 0");
    let all = reads(&mut db, "SELECT COUNT(*) FROM a");
    let drift = reads(&mut db, "SHOW DRIFT a KEY 2");
    let other = reads(&mut db, "SELECT * FROM b");
    let none = reads(&mut db, "SELECT * FROM a WHERE id = 1 AND id = 2");
    let told = |touched: Touched| {
        [&one, &some, &all, &drift, &other, &none].map(|reads| touched.meets(reads))
    };
    run(&mut db, r#"INSERT INTO a {"id": 2}"#, 2_000);
    assert_eq!(
        told(db.take_touched()),
        [false, true, true, true, false, false]
    );
    assert_eq!(
        told(db.take_touched()),
        [false; 6],
        "each commit is told once"
    );
    run(
        &mut db,
        r#"BEGIN; INSERT INTO a {"id": 1}; INSERT INTO b {"id": 9}"#,
        2_000,
    );
    assert_eq!(
        told(db.take_touched()),
        [false; 6],
        "nothing is told before the commit"
    );
    run(&mut db, "COMMIT", 2_000);
    assert_eq!(
        told(db.take_touched()),
        [true, true, true, false, true, false]
    );
    run(
        &mut db,
        r#"BEGIN; PATCH a KEY 1 SET {"n": 1}; ROLLBACK; SNAPSHOT a"#,
        2_000,
    );
    assert_eq!(told(db.take_touched()), [false; 6]);
    run(&mut db, "COMPACT a", 2_000);
    assert!(db.take_touched().meets(&drift), "histories are shorter");
}

#[test]
fn the_past_does_not_change() {
    let mut db = database(TABLES);
    run(&mut db, r#"INSERT INTO a {"id": 1}"#, 2_000);
    for (query, past) in [
        ("SELECT * FROM a AS OF '@seq:1'", true),
        ("SELECT * FROM a AS OF '@seq:2'", false),
        ("SELECT * FROM a AS OF '1970-01-01T00:00:01Z'", true),
        ("SELECT * FROM a AS OF '1970-01-01T00:00:02Z'", false),
        ("SHOW DRIFT a KEY 1 AS OF '@seq:1'", true),
        ("DIFF a FROM '@seq:0' TO '@seq:1'", true),
        ("DIFF a FROM '@seq:0' TO '@seq:100'", false),
    ] {
        assert_eq!(reads(&mut db, query) == Reads::Nothing, past, "{query}");
    }
}

#[test]
fn a_table_that_comes_is_told() {
    let mut db = database(TABLES);
    let missing = reads(&mut db, "SELECT * FROM c");
    let tables = reads(&mut db, "SHOW TABLES");
    run(&mut db, "CREATE TABLE c (pk=id)", 2_000);
    let touched = db.take_touched();
    assert!(touched.meets(&missing) && touched.meets(&tables));
}

#[test]
fn an_answer_that_has_changed_is_told() {
    const QUERIES: [&str; 14] = [
        "SELECT * FROM a",
        "SELECT * FROM a WHERE id = 3",
        "SELECT * FROM a WHERE id IN (1, 4, 7)",
        "SELECT * FROM a WHERE id > 5",
        "SELECT * FROM a WHERE id = 2 OR id = 3",
        "SELECT n, COUNT(*) AS c FROM a GROUP BY n",
        "SELECT id FROM a WHERE n = 1 ORDER BY id LIMIT 2",
        "SELECT * FROM a WHERE id = 3 AND n = 1",
        "SELECT * FROM b WHERE id = 'x1'",
        "SHOW DRIFT b KEY 'x1'",
        "DIFF a KEY 3 FROM '@seq:1' TO '@seq:1000'",
        "SHOW TABLES",
        "DESCRIBE b",
        "SELECT * FROM a AS OF '@seq:60'",
    ];
    let (mut told, mut changed) = (0, 0);
    for seed in 0..20 {
        let mut random = Random::new(seed);
        let mut db = database(TABLES);
        let mut live: Vec<(Reads, String)> = Vec::new();
        for query in QUERIES {
            live.push((reads(&mut db, query), answer(&mut db, query)));
        }
        for now in 0..150 {
            let (key, n) = (random.below(9), random.below(3));
            let one = |what: u64| match what {
                0 => format!(r#"UPSERT INTO a {{"id": {key}, "n": {n}}}"#),
                1 => format!(r#"PATCH a KEY {key} SET {{"n": {n}}}"#),
                2 => format!("SOFT DELETE FROM a KEY {key}"),
                _ => format!(r#"UPSERT INTO b {{"id": "x{n}", "v": {key}}}"#),
            };
            let what = one(random.below(4));
            let script = match random.below(8) {
                0 => format!("BEGIN; {what}; {}; COMMIT", one(random.below(4))),
                1 => format!("BEGIN; {what}; ROLLBACK"),
                2 if now % 5 == 0 => "COMPACT b".into(),
                _ => what,
            };
            run(&mut db, &script, 2_000 + now);
            let touched = db.take_touched();
            for (query, (reads, before)) in QUERIES.iter().zip(&mut live) {
                let after = answer(&mut db, query);
                changed += usize::from(after != *before);
                if touched.meets(reads) {
                    told += 1;
                } else {
                    assert_eq!(after, *before, "seed {seed}: {query} after {script}");
                }
                *before = after;
            }
        }
    }
    println!("watch: {changed} answers changed, {told} were told");
    assert!(changed > 1_000 && told >= changed && told < changed * 4);
}
