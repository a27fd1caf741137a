//! What docs/DRIFTQL.md says, tried on the engine.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::rc::Rc;

use driftdb_core::db::{Context, Database, Options, Outcome};
use driftdb_core::ql::{self, Params};
use driftdb_core::storage::MemoryStore;
use driftdb_core::time::Timestamp;
use driftdb_core::{Code, Error};

const REFERENCE: &str = include_str!("../../docs/DRIFTQL.md");

/// A database in memory whose clock goes on by a second a statement.
struct Session {
    db: Database,
    now: u64,
}

impl Session {
    fn new() -> Self {
        let store = Rc::new(MemoryStore::default());
        Database::create(&*store, Timestamp(0)).unwrap();
        let db = Database::open(store, Options::default()).unwrap();
        Session { db, now: 0 }
    }

    /// Runs a script; its rows as JSON, and `n events` for what was written.
    fn run(&mut self, script: &str) -> Result<Vec<String>, Error> {
        let mut lines = Vec::new();
        let mut parser = ql::Parser::new(script);
        while let Some(statement) = parser.next_statement()? {
            self.now += 1_000;
            let context = Context::at(Timestamp(self.now));
            match self.db.run(&statement, &Params::none(), &context)? {
                Outcome::Rows(mut rows) => {
                    while let Some(row) = rows.next()? {
                        lines.push(row.to_string());
                    }
                }
                Outcome::Written(written) => lines.push(format!("{} events", written.events)),
                Outcome::Work(work) => drop(self.db.finish(work)?),
                Outcome::Done(_) => {}
            }
        }
        Ok(lines)
    }

    fn lines(&mut self, script: &str) -> Vec<String> {
        self.run(script)
            .unwrap_or_else(|error| panic!("{script}: {error:?}"))
    }

    fn code(&mut self, script: &str) -> Code {
        self.run(script).expect_err(script).code()
    }
}

#[test]
fn every_example_parses() {
    let mut count = 0;
    for block in REFERENCE.split("```sql\n").skip(1) {
        let block = block.split("```").next().unwrap();
        count += ql::parse(block)
            .unwrap_or_else(|error| panic!("{block}{error:?}"))
            .len();
    }
    assert!(count >= 20, "{count}");
}

#[test]
fn every_code_of_a_statement_is_listed() {
    for code in [
        Code::Syntax,
        Code::UnknownTable,
        Code::TableExists,
        Code::UnknownName,
        Code::DuplicateKey,
        Code::NoSuchRow,
        Code::InvalidKey,
        Code::InvalidValue,
        Code::OutOfRange,
        Code::Limit,
        Code::InvalidPoint,
        Code::BeforeHorizon,
        Code::Parameter,
        Code::Transaction,
        Code::ReadOnly,
        Code::Unsupported,
    ] {
        assert!(
            REFERENCE.contains(&format!("| `{}` |", code.as_str())),
            "{code:?}"
        );
    }
}

#[test]
fn history_of_a_row() {
    let mut s = Session::new();
    s.lines(
        r#"CREATE TABLE orders (pk=id, INDEX(status, address.city));
        INSERT INTO orders {"id": "order1", "status": "pending", "amount": 100};
        BEGIN WITH {"by": "ann", "why": "ticket 12", "app": "shop"};
        PATCH orders KEY "order1" SET {"status": "paid", "address": {"city": "Rome"}, "amount": null};
        PATCH orders KEY "order1" SET {"address": {"zip": "1"}};
        COMMIT;
        SOFT DELETE FROM orders KEY "order1";
        RESTORE orders KEY "order1" AS OF "@seq:1";
        UPSERT INTO orders {"id": "order1", "status": "new"};"#,
    );
    let drift = s.lines(r#"SHOW DRIFT orders KEY "order1""#);
    assert_eq!(
        drift,
        [
            r#"{"seq":1,"time":"1970-01-01T00:00:02.000Z","event":"INSERT","by":null,"why":null,"meta":null,"changed":{"id":[null,"order1"],"status":[null,"pending"],"amount":[null,100]},"row":{"id":"order1","status":"pending","amount":100}}"#,
            r#"{"seq":2,"time":"1970-01-01T00:00:06.000Z","event":"PATCH","by":"ann","why":"ticket 12","meta":{"app":"shop"},"changed":{"status":["pending","paid"],"amount":[100,null],"address":[null,{"city":"Rome"}]},"row":{"id":"order1","status":"paid","address":{"city":"Rome"}}}"#,
            r#"{"seq":3,"time":"1970-01-01T00:00:06.000Z","event":"PATCH","by":"ann","why":"ticket 12","meta":{"app":"shop"},"changed":{"address.zip":[null,"1"]},"row":{"id":"order1","status":"paid","address":{"city":"Rome","zip":"1"}}}"#,
            r#"{"seq":4,"time":"1970-01-01T00:00:07.000Z","event":"SOFT_DELETE","by":null,"why":null,"meta":null,"changed":{"id":["order1",null],"status":["paid",null],"address":[{"city":"Rome","zip":"1"},null]},"row":null}"#,
            r#"{"seq":5,"time":"1970-01-01T00:00:08.000Z","event":"INSERT","by":null,"why":null,"meta":null,"changed":{"id":[null,"order1"],"status":[null,"pending"],"amount":[null,100]},"row":{"id":"order1","status":"pending","amount":100}}"#,
            r#"{"seq":6,"time":"1970-01-01T00:00:09.000Z","event":"INSERT","by":null,"why":null,"meta":null,"changed":{"status":["pending","new"],"amount":[100,null]},"row":{"id":"order1","status":"new"}}"#,
        ]
    );
    assert_eq!(
        s.lines(r#"SHOW DRIFT orders KEY "order1" AS OF "@seq:1""#),
        drift[..1]
    );
    assert_eq!(s.lines(r#"SHOW DRIFT orders KEY "x""#), [""; 0]);
    assert_eq!(
        s.lines(r#"DIFF orders FROM "@seq:2" TO "@seq:6""#),
        [
            r#"{"key":"order1","change":"changed","changed":{"status":["paid","new"],"address":[{"city":"Rome"},null]}}"#
        ]
    );
    assert_eq!(
        s.lines(r#"DIFF orders KEY "order1" FROM "@seq:6" TO "@seq:4""#),
        [
            r#"{"key":"order1","change":"removed","changed":{"id":["order1",null],"status":["new",null]}}"#
        ]
    );
    assert_eq!(
        s.lines("SELECT status FROM orders AS OF '1970-01-01T00:00:06Z'"),
        [r#"{"status":"paid"}"#]
    );
    for (point, expected) in [
        ("@seq:0", ""),
        ("@seq:1", "pending"),
        ("@seq:4", ""),
        ("@seq:99", "new"),
        ("1970-01-01", ""),
        ("1970-01-02", "new"),
        ("1970-01-01T00:00:01.999Z", ""),
    ] {
        let rows = s.lines(&format!("SELECT status FROM orders AS OF '{point}'"));
        assert_eq!(rows.len(), usize::from(!expected.is_empty()), "{point}");
        assert!(rows.iter().all(|row| row.contains(expected)), "{point}");
    }
}

#[test]
fn what_is_refused_and_how() {
    let mut s = Session::new();
    s.lines(r#"CREATE TABLE t (pk=id, INDEX(n)); INSERT INTO t {"id": 1, "n": 1}, {"id": "1"}"#);
    for (script, code) in [
        ("SELECT * FROM nothing", Code::UnknownTable),
        ("CREATE TABLE t (pk=id)", Code::TableExists),
        ("CREATE TABLE u (pk=id, INDEX(id))", Code::InvalidValue),
        ("CREATE TABLE u (pk=id, INDEX(a, a))", Code::InvalidValue),
        ("CREATE TABLE u (INDEX(a))", Code::Syntax),
        ("INSERT INTO t {id: 2}, {id: 1}", Code::DuplicateKey),
        ("INSERT INTO t {n: 2}", Code::InvalidKey),
        ("INSERT INTO t {id: 1.0}", Code::InvalidKey),
        ("INSERT INTO t {id: null}", Code::InvalidKey),
        ("PATCH t KEY 2 SET {n: 2}", Code::NoSuchRow),
        ("PATCH t KEY 1 SET {id: 2}", Code::InvalidKey),
        ("PATCH t KEY 1.5 SET {n: 2}", Code::InvalidKey),
        ("SOFT DELETE FROM t KEY 2", Code::NoSuchRow),
        ("RESTORE t KEY 1 AS OF '@seq:0'", Code::NoSuchRow),
        ("SELECT * FROM t AS OF 'yesterday'", Code::InvalidPoint),
        ("SELECT * FROM t AS OF '@seq:x'", Code::InvalidPoint),
        ("COMMIT", Code::Transaction),
        ("ROLLBACK", Code::Transaction),
        ("SELECT * FROM t WHERE n = ?", Code::Parameter),
        ("SELECT SUM(id) FROM t", Code::InvalidValue),
    ] {
        assert_eq!(s.code(script), code, "{script}");
    }
    assert_eq!(
        s.lines("SELECT COUNT(*) AS n, MAX(id) AS last FROM t"),
        [r#"{"n":2,"last":"1"}"#]
    );
    s.lines("BEGIN");
    for script in ["BEGIN", "CREATE TABLE u (pk=id)", "SNAPSHOT t", "COMPACT t"] {
        assert_eq!(s.code(script), Code::Transaction, "{script}");
    }
    assert_eq!(s.code("INSERT INTO t {id: 5}, {id: 1}"), Code::DuplicateKey);
    assert_eq!(
        s.lines("INSERT INTO t {id: 6}; SELECT id FROM t WHERE id > 1; ROLLBACK"),
        ["1 events", r#"{"id":6}"#]
    );
    assert_eq!(
        s.lines("SELECT id FROM t"),
        [r#"{"id":1}"#, r#"{"id":"1"}"#]
    );
}

#[test]
fn tables_and_compaction() {
    let mut s = Session::new();
    s.lines("CREATE TABLE b (pk=id); CREATE TABLE a (pk=k, INDEX(x.y)); INSERT INTO a {k: 1}; PATCH a KEY 1 SET {n: 1}; PATCH a KEY 1 SET {n: 2}");
    assert_eq!(
        s.lines("SHOW TABLES"),
        [
            r#"{"table":"a","primary_key":"k","indexes":["x.y"],"last_seq":3,"last_time":"1970-01-01T00:00:05.000Z"}"#,
            r#"{"table":"b","primary_key":"id","indexes":[],"last_seq":null,"last_time":null}"#,
        ]
    );
    let properties: Vec<String> = s
        .lines("DESCRIBE a")
        .iter()
        .map(|row| row.split('"').nth(3).unwrap().into())
        .collect();
    for property in &properties {
        assert!(REFERENCE.contains(&format!("`{property}`")), "{property}");
    }
    assert_eq!(properties.len(), 15);
    s.lines("SNAPSHOT a; COMPACT a KEEP SINCE '@seq:2'");
    assert_eq!(s.lines("SELECT n FROM a AS OF '@seq:2'"), [r#"{"n":1}"#]);
    assert_eq!(
        s.code("SELECT n FROM a AS OF '@seq:1'"),
        Code::BeforeHorizon
    );
    s.lines("COMPACT a");
    assert_eq!(
        s.code("SELECT n FROM a AS OF '@seq:2'"),
        Code::BeforeHorizon
    );
    assert_eq!(s.lines("SELECT n FROM a"), [r#"{"n":2}"#]);
    assert_eq!(s.lines("SHOW DRIFT a KEY 1").len(), 1);
}
