//! Parameters, which a file of the language suite cannot give: `?`, `?1` and `:name` wherever one may stand.

use std::rc::Rc;

use driftdb_core::db::{Context, Database, Options, Outcome, drive, eventline};
use driftdb_core::ql::{Params, Parser};
use driftdb_core::storage::MemoryStore;
use driftdb_core::time::Timestamp;
use driftdb_core::value::{Bytes, Given, Value, json, msgpack};
use driftdb_core::{Code, Error, Result};
use driftdb_tests::suite::shown;

struct Session(Database);

impl Session {
    fn new() -> Session {
        let store = MemoryStore::new();
        Database::create(&store, Timestamp(0)).unwrap();
        let mut session = Session(Database::open(Rc::new(store), Options::default()).unwrap());
        session.all(
            r#"CREATE TABLE t (pk=id, INDEX(s));
               INSERT INTO t {"id": 1, "s": "a", "n": 10}, {"id": 2, "s": "b", "n": 20}, {"id": "3", "s": "a", "n": 30}"#,
            &Params::none(),
        );
        session
    }

    /// Runs a script as a host does; the rows of its last statement as JSON.
    fn run(&mut self, script: &str, params: &Params) -> Result<Vec<String>> {
        params.check_text(script)?;
        let mut parser = Parser::new(script);
        let mut answer = Vec::new();
        while let Some(statement) = parser.next_statement()? {
            answer.clear();
            let context = Context::at(Timestamp(1_000));
            if let Outcome::Rows(mut rows) = self.0.run(&statement, params, &context)? {
                while let Some(row) = rows.next()? {
                    answer.push(Value::Object(row).to_string());
                }
            }
        }
        Ok(answer)
    }

    fn all(&mut self, script: &str, params: &Params) -> Vec<String> {
        self.run(script, params)
            .unwrap_or_else(|error| panic!("{script}: {}", shown(&error, script)))
    }

    fn error(&mut self, script: &str, params: &Params) -> Error {
        match self.run(script, params) {
            Ok(rows) => panic!("{script}: {rows:?}"),
            Err(error) => error,
        }
    }

    fn code(&mut self, script: &str, params: &Params) -> Code {
        self.error(script, params).code()
    }
}

/// Positional values, written as a JSON array.
fn given(array: &str) -> Params {
    let Value::Array(values) = json::parse(array).unwrap() else {
        panic!("{array} is no array");
    };
    Params::positional(values)
}

#[test]
fn in_conditions_keys_points_and_limits() {
    let mut db = Session::new();
    let ids = [r#"{"id":1}"#, r#"{"id":2}"#, r#"{"id":"3"}"#];
    for (script, params, expected) in [
        ("SELECT id FROM t WHERE id = ?", "[2]", &ids[1..2]),
        ("SELECT id FROM t WHERE id = ?", r#"["3"]"#, &ids[2..]),
        ("SELECT id FROM t WHERE id = ?", r#"["2"]"#, &[]),
        (
            "SELECT id FROM t WHERE s = ? AND n < ?",
            r#"["a", 20]"#,
            &ids[..1],
        ),
        ("SELECT id FROM t WHERE s = ?", "[null]", &[]),
        (
            "SELECT id FROM t WHERE n BETWEEN ? AND ?",
            "[10, 20.5]",
            &ids[..2],
        ),
        (
            "SELECT id FROM t WHERE id IN ?",
            r#"[["3", 1]]"#,
            &[ids[0], ids[2]],
        ),
        ("SELECT id FROM t WHERE id IN (?, ?)", "[1, 2]", &ids[..2]),
        ("SELECT id FROM t WHERE id IN ?", "[[]]", &[]),
        (
            "SELECT id FROM t WHERE s LIKE ?",
            r#"["a%"]"#,
            &[ids[0], ids[2]],
        ),
        (
            "SELECT id FROM t WHERE s LIKE ? ESCAPE ?",
            r#"["!b", "!"]"#,
            &ids[1..2],
        ),
        ("SELECT id FROM t LIMIT ? OFFSET ?", "[1, 1]", &ids[1..2]),
        ("SELECT id FROM t AS OF ?", r#"["@seq:1"]"#, &ids[..1]),
        (
            "SELECT id FROM t WHERE ?2 = s AND id = ?1",
            r#"[2, "b"]"#,
            &ids[1..2],
        ),
    ] {
        assert_eq!(
            db.all(script, &given(params)),
            expected,
            "{script} {params}"
        );
    }
    let named = Params::none().with("name", "b").with("low", 5_i64);
    let script = "SELECT id, :low AS low FROM t WHERE s = :name AND n > :low";
    assert_eq!(db.all(script, &named), [r#"{"id":2,"low":5}"#]);
}

#[test]
fn in_documents_patches_and_metadata() {
    let mut db = Session::new();
    db.all(
        "INSERT INTO t ?, {\"id\": ?, s: [?, {x: ?}]}",
        &given(r#"[{"id": 4, "s": "doc"}, 5, "in", {"deep": 1.0}]"#),
    );
    let rows = db.all("SELECT * FROM t WHERE id >= 4", &Params::none());
    assert_eq!(
        rows,
        [
            r#"{"id":4,"s":"doc"}"#,
            r#"{"id":5,"s":["in",{"x":{"deep":1.0}}]}"#
        ]
    );

    db.all(
        "PATCH t KEY ? SET ?; PATCH t KEY ? SET {s: ?}",
        &given(r#"[4, {"s": null, "m": 1}, 5, "now"]"#),
    );
    let rows = db.all("SELECT * FROM t WHERE id >= 4", &Params::none());
    assert_eq!(rows, [r#"{"id":4,"m":1}"#, r#"{"id":5,"s":"now"}"#]);

    db.all(
        "UPSERT INTO t :doc; SOFT DELETE FROM t KEY :key",
        &Params::none()
            .with("doc", json::parse(r#"{"id": 4}"#).unwrap())
            .with("key", 5_i64),
    );
    db.all("RESTORE t KEY ? AS OF ?", &given(r#"[5, "@seq:5"]"#));
    let rows = db.all("SELECT * FROM t WHERE id >= 4", &Params::none());
    assert_eq!(
        rows,
        [r#"{"id":4}"#, r#"{"id":5,"s":["in",{"x":{"deep":1.0}}]}"#]
    );

    db.all(
        "BEGIN WITH ?; PATCH t KEY 4 SET {a: 1}; COMMIT",
        &given(r#"[{"by": "ann"}]"#),
    );
    let rows = db.all("SHOW DRIFT t KEY ? AS OF ?", &given(r#"[4, "@seq:99"]"#));
    assert!(rows.last().unwrap().contains(r#""by":"ann""#), "{rows:?}");
    let rows = db.all(
        "DIFF t KEY ? FROM ? TO ?",
        &given(r#"[4, "@seq:3", "@seq:4"]"#),
    );
    assert_eq!(rows.len(), 1);
    db.all("COMPACT t KEEP SINCE ?", &given(r#"["@seq:4"]"#));
}

#[test]
fn questions_count_through_the_script() {
    let mut db = Session::new();
    let script = "SELECT id FROM t WHERE id = ?; SELECT id FROM t WHERE id = ?";
    assert_eq!(db.all(script, &given("[1, 2]")), [r#"{"id":2}"#]);
    assert_eq!(db.code(script, &given("[1]")), Code::Parameter);
}

#[test]
fn missing_surplus_and_mixed() {
    let mut db = Session::new();
    for (script, params) in [
        ("SELECT id FROM t WHERE id = ?", "[]"),
        ("SELECT id FROM t WHERE id = ?", "[1, 2]"),
        ("SELECT id FROM t WHERE id = ?2", "[1, 2]"),
        ("SELECT id FROM t WHERE id = ?2", "[1]"),
        ("SELECT id FROM t WHERE id = ? OR id = ?1", "[1]"),
        ("SELECT id FROM t WHERE id = ? OR id = ?1", "[1, 1]"),
        ("SELECT id FROM t", "[1]"),
        ("SELECT id FROM t WHERE id = :id", "[]"),
        ("SELECT id FROM t WHERE id = '?'", "[1]"),
        ("SELECT id FROM t -- ?", "[1]"),
    ] {
        assert_eq!(
            db.code(script, &given(params)),
            Code::Parameter,
            "{script} {params}"
        );
    }
    let named = Params::none().with("name", "a");
    let error = db.error("SELECT id FROM t WHERE s = :nme", &named);
    assert_eq!(error.code(), Code::Parameter);
    assert!(error.hint_text().unwrap().contains(":name"));
    // Nothing ran: the values are checked before the first statement.
    assert_eq!(
        db.code(
            "INSERT INTO t {id: 9}; SELECT ? AS x FROM t",
            &Params::none()
        ),
        Code::Parameter
    );
    assert!(
        db.all("SELECT id FROM t WHERE id = 9", &Params::none())
            .is_empty()
    );
}

#[test]
fn values_that_cannot_be_there() {
    let mut db = Session::new();
    for (script, params, code) in [
        ("SOFT DELETE FROM t KEY ?", "[1.0]", Code::InvalidKey),
        ("SOFT DELETE FROM t KEY ?", "[null]", Code::InvalidKey),
        ("SOFT DELETE FROM t KEY ?", r#"["1"]"#, Code::NoSuchRow),
        ("INSERT INTO t ?", "[5]", Code::InvalidValue),
        ("INSERT INTO t ?", r#"["{}"]"#, Code::InvalidValue),
        ("INSERT INTO t ?", "[{}]", Code::InvalidKey),
        ("PATCH t KEY 1 SET ?", "[[1]]", Code::InvalidValue),
        ("BEGIN WITH ?", "[1]", Code::InvalidValue),
        ("SELECT * FROM t AS OF ?", r#"["then"]"#, Code::InvalidPoint),
        ("SELECT * FROM t AS OF ?", "[1]", Code::InvalidPoint),
        ("SELECT * FROM t AS OF ?", "[null]", Code::InvalidPoint),
        ("SELECT * FROM t LIMIT ?", "[-1]", Code::InvalidValue),
        ("SELECT * FROM t LIMIT ?", "[1.0]", Code::InvalidValue),
        ("SELECT * FROM t LIMIT ?", r#"["1"]"#, Code::InvalidValue),
        ("SELECT * FROM t WHERE id IN ?", "[1]", Code::InvalidValue),
        (
            "SELECT * FROM t WHERE s LIKE 'a' ESCAPE ?",
            r#"["ab"]"#,
            Code::InvalidValue,
        ),
        ("SELECT * FROM t ORDER BY ?", "[1]", Code::InvalidValue),
    ] {
        assert_eq!(db.code(script, &given(params)), code, "{script} {params}");
    }
    // It never stands for a name.
    for script in [
        "SELECT * FROM ?",
        "CREATE TABLE ? (pk=id)",
        "SELECT id AS ? FROM t",
        "CREATE TABLE u (pk=?)",
    ] {
        assert_eq!(
            db.code(script, &given(r#"["t"]"#)),
            Code::Syntax,
            "{script}"
        );
    }
    assert_eq!(
        db.all("SELECT COUNT(*) AS n FROM t", &Params::none()),
        [r#"{"n":3}"#]
    );
}

/// The same values as a host gives them encoded.
fn encoded(values: &[Value]) -> Result<Params> {
    let bytes: Vec<u8> = values.iter().flat_map(Value::to_msgpack).collect();
    Ok(Params {
        positional: Given::all(Bytes::from(bytes)).collect::<Result<_>>()?,
        named: Vec::new(),
    })
}

#[test]
fn an_encoded_document_does_what_the_same_one_does() {
    let (mut owned, mut given) = (Session::new(), Session::new());
    let object = |text: &str| json::parse(text).unwrap();
    let mut nested = Value::Null;
    for _ in 0..63 {
        nested = Value::Array(vec![nested]);
    }
    let with = |name: &str, value: Value| {
        Value::Object([("id", Value::Int(1)), (name, value)].into_iter().collect())
    };
    let documents = [
        object("{}"),
        object(r#"{"id": 7, "a": [1, -1, 1.5, null, {"b": true}], "s": "x"}"#),
        object(r#"{"id": 1, "s": "b", "n": null}"#),
        object(r#"{"id": 2, "n": 1}"#),
        object(r#"{"s": null, "deep": {"a": {"b": 1}}}"#),
        object(r#"{"id": 1.5}"#),
        object(r#"{"id": null}"#),
        object(r#"{"id": {"a": 1}}"#),
        object(r#"{"id": 18446744073709551615}"#),
        object("7"),
        object(r#"["a", {"id": 1}]"#),
        with("id", Value::from("k".repeat(1_025))),
        with("id", Value::from("k".repeat(1_000_000))),
        with("long", Value::from("x".repeat(17 << 20))),
        with("deep", nested.clone()),
        with("deeper", Value::Array(vec![nested])),
        with("number", Value::Float(f64::NAN)),
        with("numbers", Value::Array(vec![Value::Float(f64::INFINITY)])),
    ];
    let scripts = [
        "INSERT INTO t ?",
        "UPSERT INTO t ?",
        "PATCH t KEY 1 SET ?",
        "PATCH t KEY \"3\" SET ?",
        "INSERT INTO t {\"id\": 100, \"inner\": ?}",
        "INSERT INTO nowhere ?",
        "SOFT DELETE FROM t KEY ?",
        "SELECT id FROM t WHERE deep = ? OR s = \"b\"",
        "SELECT id FROM t LIMIT ?",
        "SOFT DELETE FROM t KEY 7",
    ];
    let (mut done, mut refused) = (0, 0);
    for document in &documents {
        for script in scripts {
            let values = Some(document.clone()).filter(|_| script.contains('?'));
            let values: Vec<Value> = values.into_iter().collect();
            // What is broken in itself is refused when it comes, before anything runs.
            let whole = values
                .iter()
                .try_for_each(|it| msgpack::validate(&it.to_msgpack()));
            let expected =
                whole.and_then(|()| owned.run(script, &Params::positional(values.clone())));
            let found = encoded(&values).and_then(|params| given.run(script, &params));
            let told = |result: &Result<Vec<String>>| match result {
                Ok(rows) => Ok(rows.clone()),
                Err(error) => Err((error.code(), error.message().to_string())),
            };
            assert_eq!(
                told(&found),
                told(&expected),
                "{script} {:.80}",
                document.to_string()
            );
            *(if found.is_ok() {
                &mut done
            } else {
                &mut refused
            }) += 1;
        }
    }
    let lines = |session: &mut Session| {
        let mut dump = session.0.dump().unwrap();
        let mut text = String::new();
        while let Some(line) = drive(|| dump.step()).unwrap() {
            eventline::write(&line, &mut text);
            text.push('\n');
        }
        text
    };
    assert_eq!(lines(&mut given), lines(&mut owned));
    assert!(done > 30 && refused > 30, "{done} done, {refused} refused");
}
