//! SELECT over a table in memory.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::{self, Vec};
use core::ops::Bound;

use crate::error::{Code, Result};
use crate::ql::ast::{Kind, Select};
use crate::ql::source::{KeyRange, Record, Rows, Source, Step, ValueRange};
use crate::ql::{Params, Query, explain, parse};
use crate::value::{Bytes, Chain, Key, Object, ObjectRef, Path, Raw, Value, json, order};

/// A table in memory, with an index on `status` and one on `n`.
#[derive(Clone, Default)]
pub(super) struct Table {
    pub(super) rows: BTreeMap<Key, Row>,
    indexed: bool,
}

#[derive(Clone)]
pub(super) struct Row {
    key: Vec<u8>,
    base: Vec<u8>,
    patches: Vec<Bytes>,
}

pub(super) struct List(vec::IntoIter<Row>);

impl Rows for List {
    type Row = Row;
    fn step(&mut self) -> Result<Step<Row>> {
        Ok(self.0.next().map_or(Step::Done, Step::Item))
    }
}

impl Record for Row {
    fn chain(&self) -> Chain<'_> {
        Chain::new(&self.base, &self.patches)
    }
    fn document(&self) -> Bytes {
        let mut out = Vec::new();
        self.chain().materialise(&mut out);
        Bytes::from(out)
    }
    fn encoded_key(&self) -> &[u8] {
        &self.key
    }
}

const INDEXES: [&str; 2] = ["status", "n"];

impl Source for Table {
    type Row = Row;
    type Scan = List;
    type Lookup = List;

    fn table(&self) -> &str {
        "t"
    }
    fn primary_key(&self) -> &str {
        "id"
    }
    fn index_on(&self, path: &Path) -> Option<usize> {
        let name = path.to_string();
        INDEXES
            .iter()
            .position(|index| self.indexed && *index == name)
    }
    fn get(&self, key: &Key) -> Result<Option<Row>> {
        Ok(self.rows.get(key).cloned())
    }
    fn scan(&self, range: KeyRange) -> List {
        let rows: Vec<Row> = self
            .rows
            .range((range.lower, range.upper))
            .map(|(_, row)| row.clone())
            .collect();
        List(rows.into_iter())
    }
    fn lookup(&self, index: usize, range: ValueRange) -> List {
        let path = Path::member(INDEXES[index]);
        let bytes = |bound: &Bound<Value>| match bound {
            Bound::Included(value) | Bound::Excluded(value) => Some(value.to_msgpack()),
            Bound::Unbounded => None,
        };
        let (lower, upper) = (bytes(&range.lower), bytes(&range.upper));
        let mut found: Vec<(Vec<u8>, Row)> = Vec::new();
        for row in self.rows.values() {
            let document = row.document();
            let Some(value) = path.get_in(ObjectRef::new(&document).unwrap().raw()) else {
                continue;
            };
            let above = lower.as_ref().is_none_or(|lower| {
                order::sql(value.view(), Raw::new(lower).unwrap().view()).is_some_and(|o| o.is_ge())
            });
            let below = upper.as_ref().is_none_or(|upper| {
                order::sql(value.view(), Raw::new(upper).unwrap().view()).is_some_and(|o| o.is_le())
            });
            if above && below {
                found.push((value.as_bytes().to_vec(), row.clone()));
            }
        }
        found.sort_by(|(a, _), (b, _)| {
            order::total(Raw::new(a).unwrap().view(), Raw::new(b).unwrap().view())
        });
        List(
            found
                .into_iter()
                .map(|(_, row)| row)
                .collect::<Vec<_>>()
                .into_iter(),
        )
    }
}

impl Table {
    pub(super) fn of(documents: &[&str]) -> Self {
        let mut table = Table {
            indexed: true,
            ..Table::default()
        };
        for document in documents {
            table.insert(json::parse(document).unwrap().as_object().unwrap());
        }
        table
    }

    fn insert(&mut self, object: &Object) {
        let key = Key::from_value(object.get("id").unwrap()).unwrap();
        let mut encoded = Vec::new();
        key.encode(&mut encoded);
        let base = Value::Object(object.clone()).to_msgpack();
        self.rows.insert(
            key,
            Row {
                key: encoded,
                base,
                patches: Vec::new(),
            },
        );
    }

    fn patch(&mut self, key: &str, patch: &str) {
        let patch = json::parse(patch).unwrap().to_msgpack();
        self.rows
            .get_mut(&Key::from(key))
            .unwrap()
            .patches
            .push(patch.into());
    }
}

pub(super) fn select_of(text: &str) -> Select {
    match parse(text)
        .unwrap_or_else(|error| panic!("{text}: {error:?}"))
        .remove(0)
        .kind
    {
        Kind::Select(select) | Kind::Explain(select) => *select,
        other => panic!("{other:?}"),
    }
}

fn run_with(table: &Table, text: &str, params: &Params) -> Result<Vec<String>> {
    let mut query = Query::new(table.clone(), &select_of(text), params)?;
    let mut rows = Vec::new();
    loop {
        match query.step()? {
            Step::Item(row) => rows.push(row.to_string()),
            Step::Pause => {}
            Step::Done => return Ok(rows),
        }
    }
}

fn run(table: &Table, text: &str) -> Vec<String> {
    run_with(table, text, &Params::none()).unwrap_or_else(|error| panic!("{text}: {error:?}"))
}

/// The ids that a condition selects, with and without indexes the same.
pub(super) fn ids(table: &Table, condition: &str) -> String {
    let text = format!("SELECT id FROM t WHERE {condition}");
    let plain = Table {
        indexed: false,
        ..table.clone()
    };
    let rows = run(table, &text);
    assert_eq!(rows, run(&plain, &text), "{condition}");
    rows.iter()
        .map(|row| {
            row.trim_start_matches("{\"id\":")
                .trim_end_matches('}')
                .replace('"', "")
        })
        .collect::<Vec<_>>()
        .join(" ")
}

fn sample() -> Table {
    Table::of(&[
        r#"{"id":"a","n":1,"status":"new","address":{"city":"Rome"},"tags":["x","y"],"ok":true}"#,
        r#"{"id":"b","n":2.5,"status":"paid","address":{"city":"Oslo"},"tags":[],"ok":false}"#,
        r#"{"id":"c","n":null,"status":"paid","address":"none"}"#,
        r#"{"id":"d","n":"2","status":"New"}"#,
        r#"{"id":5,"n":1.0,"status":null,"ok":"yes"}"#,
        r#"{"id":-3,"n":9007199254740993}"#,
    ])
}

#[test]
fn conditions() {
    let table = sample();
    for (condition, expected) in [
        ("status = 'paid'", "b c"),
        ("'paid' = status", "b c"),
        ("status != 'paid'", "a d"),
        ("NOT status = 'paid'", "a d"),
        ("status IS NULL", "-3 5"),
        ("status IS NOT NULL", "a b c d"),
        ("status = NULL", ""),
        ("status <> NULL", ""),
        ("n = 1", "5 a"),
        ("n > 1", "-3 b"),
        ("n >= 1 AND n < 2.5", "5 a"),
        ("n BETWEEN 1 AND 2.5", "5 a b"),
        ("n NOT BETWEEN 1 AND 2.5", "-3"),
        ("n < 'z'", "d"),
        ("n = '2'", "d"),
        ("n = 9007199254740992", ""),
        ("n = 9007199254740993", "-3"),
        ("n > 1 AND n > 'a'", ""),
        ("n IN (1, '2')", "5 a d"),
        ("n IN (1, NULL)", "5 a"),
        ("n NOT IN (1, 2.5)", "-3"),
        ("n NOT IN (1, NULL)", ""),
        ("n IN [1, 2, 2.5, 3, 4, 5, 6, 7, 8, 9]", "5 a b"),
        ("n NOT IN [1, 2, 2.5, 3, 4, 5, 6, 7, 8, 9]", "-3"),
        ("n NOT IN [1, 2, 2.5, 3, 4, 5, 6, 7, 8, 'x']", ""),
        ("n NOT IN []", "-3 5 a b c d"),
        ("status LIKE 'p%'", "b c"),
        ("status LIKE '_ew'", "a d"),
        ("status NOT LIKE 'p%'", "a d"),
        ("n LIKE '%'", "d"),
        ("ok", "a"),
        ("NOT ok", "b"),
        ("ok = true", "a"),
        ("ok OR n = 1", "5 a"),
        ("address.city = 'Oslo'", "b"),
        ("tags[1] = 'y'", "a"),
        ("tags = []", "b"),
        ("tags = ['x', 'y']", "a"),
        ("address = {city: 'Rome'}", "a"),
        ("status = 'new' OR status = 'New'", "a d"),
        ("status = 'new' OR n = 2.5", "a b"),
        ("id = 'a'", "a"),
        ("id = 5.0", "5"),
        ("id = 5.5", ""),
        ("id IN ('d', 'zz', -3, 'a')", "-3 a d"),
        ("id > 0", "5"),
        ("id > -3.5", "-3 5"),
        ("id < 5", "-3"),
        ("id <= 4.5", "-3"),
        ("id >= 1e300", ""),
        ("id >= -1e300", "-3 5"),
        ("id > 'b'", "c d"),
        ("id < 'b'", "a"),
        ("id LIKE 'c%'", "c"),
        ("id BETWEEN 'b' AND 'c' AND status = 'paid'", "b c"),
        ("id = 'a' AND id = 'b'", ""),
        ("(status = 'paid') = true", "b c"),
        ("(n = 1) IS NULL", "c d"),
        ("missing.deep[3].er IS NULL", "-3 5 a b c d"),
        ("1 = 1", "-3 5 a b c d"),
        ("1 = 'x' OR NULL", ""),
        ("n = tags[0] OR id = id", "-3 5 a b c d"),
    ] {
        assert_eq!(ids(&table, condition), expected, "{condition}");
    }
}

#[test]
fn rows_are_read_through_their_patches() {
    let mut table = sample();
    table.patch("a", r#"{"status":"paid","address":{"zip":1}}"#);
    table.patch("b", r#"{"address":null}"#);
    assert_eq!(ids(&table, "status = 'paid'"), "a b c");
    assert_eq!(
        run(
            &table,
            "SELECT address, address.city, address.zip FROM t WHERE id = 'a'"
        ),
        [r#"{"address":{"city":"Rome","zip":1},"address.city":"Rome","address.zip":1}"#]
    );
    assert_eq!(
        run(&table, "SELECT address FROM t WHERE id = 'b'"),
        [r#"{"address":null}"#]
    );
    assert_eq!(
        run(&table, "SELECT * FROM t WHERE id = 'b'"),
        [r#"{"id":"b","n":2.5,"status":"paid","tags":[],"ok":false}"#]
    );
}

#[test]
fn order_limit_and_offset() {
    let table = sample();
    let order = |text: &str| {
        run(&table, text)
            .iter()
            .map(|row| row.split(':').nth(1).unwrap().replace(['"', '}'], ""))
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(order("SELECT id FROM t ORDER BY n"), "c 5 a b -3 d");
    assert_eq!(order("SELECT id FROM t ORDER BY n DESC"), "d -3 b 5 a c");
    assert_eq!(
        order("SELECT id FROM t ORDER BY status DESC, id DESC"),
        "c b a d 5 -3"
    );
    assert_eq!(order("SELECT id FROM t ORDER BY n LIMIT 2 OFFSET 1"), "5 a");
    assert_eq!(order("SELECT id FROM t LIMIT 2"), "-3 5");
    assert_eq!(order("SELECT id FROM t LIMIT 2 OFFSET 5"), "d");
    assert_eq!(order("SELECT id FROM t LIMIT 0"), "");
    assert_eq!(
        run(
            &table,
            "SELECT id, n AS status FROM t ORDER BY status LIMIT 1"
        ),
        [r#"{"id":"c","status":null}"#]
    );
}

#[test]
fn groups_and_aggregates() {
    let table = Table::of(&[
        r#"{"id":1,"g":"a","n":1}"#,
        r#"{"id":2,"g":"b","n":2.5}"#,
        r#"{"id":3,"g":"a","n":4}"#,
        r#"{"id":4,"g":null,"n":null}"#,
        r#"{"id":5,"n":7}"#,
        r#"{"id":6,"g":1}"#,
        r#"{"id":7,"g":1.0,"n":1}"#,
    ]);
    assert_eq!(
        run(
            &table,
            "SELECT g, COUNT(*), COUNT(n), SUM(n) AS s, AVG(n) AS a, MIN(n) AS least, MAX(n) AS most FROM t GROUP BY g"
        ),
        [
            r#"{"g":null,"COUNT(*)":2,"COUNT(n)":1,"s":7,"a":7.0,"least":7,"most":7}"#,
            r#"{"g":1,"COUNT(*)":2,"COUNT(n)":1,"s":1,"a":1.0,"least":1,"most":1}"#,
            r#"{"g":"a","COUNT(*)":2,"COUNT(n)":2,"s":5,"a":2.5,"least":1,"most":4}"#,
            r#"{"g":"b","COUNT(*)":1,"COUNT(n)":1,"s":2.5,"a":2.5,"least":2.5,"most":2.5}"#,
        ]
    );
    assert_eq!(
        run(
            &table,
            "SELECT g FROM t GROUP BY g ORDER BY COUNT(*) DESC, g DESC LIMIT 2"
        ),
        [r#"{"g":"a"}"#, r#"{"g":1}"#]
    );
    assert_eq!(
        run(
            &table,
            "SELECT g AS x, COUNT(*) AS c FROM t WHERE n > 0 GROUP BY x ORDER BY c DESC, x LIMIT 1 OFFSET 1"
        ),
        [r#"{"x":null,"c":1}"#]
    );
    assert_eq!(
        run(
            &table,
            "SELECT COUNT(*), SUM(n), MIN(g) FROM t WHERE id > 100"
        ),
        [r#"{"COUNT(*)":0,"SUM(n)":null,"MIN(g)":null}"#]
    );
    assert_eq!(
        run(&table, "SELECT COUNT(*) FROM t WHERE id > 100 GROUP BY g"),
        [""; 0]
    );
    assert_eq!(
        run(&table, "SELECT n > 2 AS big, COUNT(*) FROM t GROUP BY big"),
        [
            r#"{"big":null,"COUNT(*)":2}"#,
            r#"{"big":false,"COUNT(*)":2}"#,
            r#"{"big":true,"COUNT(*)":3}"#
        ]
    );
    assert_eq!(
        run(&table, "SELECT count(*) = 7 AS seven FROM t"),
        [r#"{"seven":true}"#]
    );
}

#[test]
fn parameters() {
    let table = sample();
    let params = Params::positional([Value::from("paid"), Value::Int(1)]);
    assert_eq!(
        run_with(&table, "SELECT id FROM t WHERE status = ? LIMIT ?", &params).unwrap(),
        [r#"{"id":"b"}"#]
    );
    let list = Params::none().with(
        "list",
        Value::Array([Value::Int(1), Value::from("2")].into()),
    );
    assert_eq!(
        run_with(&table, "SELECT id FROM t WHERE n IN :list", &list)
            .unwrap()
            .len(),
        3
    );
    let error = run_with(&table, "SELECT id FROM t WHERE status = :x", &list).unwrap_err();
    assert_eq!(error.code(), Code::Parameter);
}

#[test]
fn what_is_refused() {
    let table = sample();
    let check = |text: &str, code: Code, message: &str, hint: &str| {
        let error = run_with(&table, text, &Params::none()).expect_err(text);
        assert_eq!(
            (
                error.code(),
                error.message(),
                error.hint_text().unwrap_or_default()
            ),
            (code, message, hint),
            "{text}"
        );
        assert_ne!(error.place(), &crate::error::Place::None, "{text}");
    };
    use Code::{InvalidValue, UnknownName, Unsupported};
    check(
        "SELECT a, COUNT(*) FROM t",
        InvalidValue,
        "`a` is neither grouped by nor inside an aggregate",
        "add GROUP BY a, or put it into MIN or MAX",
    );
    check(
        "SELECT a FROM t GROUP BY b",
        InvalidValue,
        "`a` is neither grouped by nor inside an aggregate",
        "add it to GROUP BY, or put it into MIN or MAX",
    );
    check(
        "SELECT * FROM t GROUP BY b",
        InvalidValue,
        "`*` cannot stand with GROUP BY or an aggregate",
        "name the columns",
    );
    check(
        "SELECT a, a FROM t",
        InvalidValue,
        "two columns are named `a`",
        "give one of them another name with AS",
    );
    check(
        "SELECT CONT(*) FROM t",
        UnknownName,
        "there is no function `CONT`",
        "did you mean COUNT?",
    );
    check(
        "SELECT lower(a) FROM t",
        UnknownName,
        "there is no function `lower`",
        "the functions are COUNT, SUM, AVG, MIN, MAX",
    );
    check(
        "SELECT SUM(*) FROM t",
        InvalidValue,
        "SUM(*) has no meaning",
        "name a member; only COUNT takes `*`",
    );
    check(
        "SELECT SUM(a, b) FROM t",
        InvalidValue,
        "SUM takes one argument, not 2",
        "",
    );
    check(
        "SELECT SUM(MIN(a)) FROM t",
        InvalidValue,
        "MIN cannot stand in another aggregate",
        "",
    );
    check(
        "SELECT a FROM t WHERE COUNT(*) > 1",
        InvalidValue,
        "COUNT cannot stand in WHERE",
        "",
    );
    check(
        "SELECT a FROM t ORDER BY 1",
        InvalidValue,
        "ORDER BY takes a path or an expression, not a constant",
        "write the column itself or its name",
    );
    check(
        "SELECT a FROM t LIMIT -1",
        InvalidValue,
        "LIMIT takes a whole number from 0, not -1",
        "",
    );
    check(
        "SELECT a FROM t LIMIT 1.5",
        InvalidValue,
        "LIMIT takes a whole number from 0, not 1.5",
        "",
    );
    check(
        "SELECT SUM(status) FROM t",
        InvalidValue,
        "SUM takes numbers, and one value is a string",
        "",
    );
    check(
        "SELECT a FROM t WHERE a LIKE b ESCAPE '!'",
        Unsupported,
        "LIKE with ESCAPE takes a pattern that is the same for all rows",
        "",
    );
    check(
        "SELECT a FROM t WHERE a LIKE 'x' ESCAPE '!!'",
        InvalidValue,
        "ESCAPE takes one character",
        "",
    );
}

#[test]
fn plans() {
    let table = sample();
    let plan = |text: &str| {
        let rows = explain(&table, &select_of(text), &Params::none()).unwrap();
        rows.iter()
            .map(|row| {
                format!(
                    "{}: {}",
                    row.get("step").unwrap().as_str().unwrap(),
                    row.get("detail").unwrap().as_str().unwrap()
                )
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(
        plan("EXPLAIN SELECT * FROM t"),
        ["scan: all rows of t", "project: whole documents"]
    );
    let first = |condition: &str| plan(&format!("SELECT * FROM t WHERE {condition}")).remove(0);
    assert_eq!(
        first("id = 'a' AND status = 'x'"),
        "get: t by primary key id = \"a\""
    );
    assert_eq!(
        first("n > 5 AND status = 'x'"),
        "lookup: t by index status = \"x\""
    );
    assert_eq!(
        first("n > 5 AND n <= 7"),
        "lookup: t by index n > 5 AND n <= 7"
    );
    assert_eq!(first("n IN (1, 2)"), "lookup: t by index n, 2 values");
    assert_eq!(
        first("id > 5"),
        "scan: t by primary key id > 5 AND id < \"\""
    );
    assert_eq!(
        first("status LIKE 'ab%'"),
        "lookup: t by index status >= \"ab\" AND status < \"ac\""
    );
    assert_eq!(
        first("status = NULL"),
        "nothing: no row of t can meet the condition"
    );
    assert_eq!(first("status = 'a' OR n = 1"), "scan: all rows of t");
    assert_eq!(
        plan(
            "EXPLAIN SELECT ok, COUNT(*) AS c FROM t AS OF '@seq:5' WHERE (ok OR n = 1) AND NOT n IN (1) GROUP BY ok ORDER BY c DESC LIMIT 3 OFFSET 1"
        ),
        [
            "at: @seq:5",
            "scan: all rows of t",
            "filter: (ok OR n = 1) AND NOT n IN (1)",
            "group: by ok",
            "sort: by c DESC, keeping the first 4",
            "limit: 3 after the first 1",
            "project: ok, c",
        ]
    );
}
