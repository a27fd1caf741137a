//! What parses, and what the errors say.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use alloc::{format, vec};

use super::{Parser, parse};
use crate::error::{Code, Place, Span};
use crate::ql::ast::{ExprKind, InList, Items, Kind, Parameter, Select, TermKind};
use crate::ql::params::Params;
use crate::value::Value;

fn select(text: &str) -> Select {
    match parse(text).unwrap().remove(0).kind {
        Kind::Select(select) => *select,
        other => panic!("{other:?}"),
    }
}

/// The message, the text it points at, and the hint.
fn error(text: &str) -> (String, String, String) {
    let error = parse(text).expect_err(text);
    let Place::Text(span) = *error.place() else {
        panic!("{error:?} has no span")
    };
    (
        error.message().to_string(),
        text[span.start..span.end].to_string(),
        error.hint_text().unwrap_or_default().to_string(),
    )
}

fn hint(text: &str) -> String {
    error(text).2
}

#[test]
fn every_statement_parses() {
    let script = r#"
        CREATE TABLE orders (pk=id, INDEX(status, customer_id));
        create table if not exists `my orders` (INDEX(address.city, tags[0]), PK = id);
        INSERT INTO orders {"id": "order1", "status": "pending", "amount": 100};
        INSERT INTO orders {'id': 1}, {id: 2, `a b`: [1, -2.5e3, {"x": null}]}, ?;
        UPSERT INTO orders {"id": :id, "a":true};
        PATCH orders KEY "order1" SET {"status": "paid"};
        PATCH orders KEY -7 SET :patch;
        SOFT DELETE FROM orders KEY "order1";
        SELECT * FROM orders WHERE status="paid" AS OF "2025-01-01T00:00:00Z";
        SELECT * FROM orders AS OF "@seq:1000" WHERE customer_id="cust1";
        SELECT status AS s, COUNT(*), sum(amount) FROM orders GROUP BY status ORDER BY s DESC, COUNT(*) LIMIT 10 OFFSET 5 AS OF ?;
        SHOW DRIFT orders KEY "order1";
        SHOW DRIFT orders KEY "order1" AS OF "@seq:2";
        SNAPSHOT orders; COMPACT orders; COMPACT orders KEEP SINCE "@seq:5";
        BEGIN; BEGIN WITH {"by": "ann", "why": "ticket 12"}; COMMIT; ROLLBACK;
        DIFF orders FROM "@seq:10" TO "@seq:20"; DIFF orders KEY "a" FROM :a TO :b;
        RESTORE orders KEY "order1" AS OF "@seq:2";
        SHOW TABLES; DESCRIBE orders; EXPLAIN SELECT a FROM orders;;
    "#;
    let statements = parse(script).unwrap();
    let names: Vec<&str> = statements
        .iter()
        .map(|statement| statement.kind.name())
        .collect();
    let expected = "CREATE TABLE,CREATE TABLE,INSERT,INSERT,UPSERT,PATCH,PATCH,SOFT DELETE,SELECT,SELECT,SELECT,SHOW DRIFT,SHOW DRIFT,\
                    SNAPSHOT,COMPACT,COMPACT,BEGIN,BEGIN,COMMIT,ROLLBACK,DIFF,DIFF,RESTORE,SHOW TABLES,DESCRIBE,EXPLAIN";
    assert_eq!(names.join(","), expected);
    let spans: Vec<&str> = statements
        .iter()
        .map(|statement| &script[statement.span.start..statement.span.end])
        .collect();
    assert_eq!(
        spans[5],
        r#"PATCH orders KEY "order1" SET {"status": "paid"}"#
    );
    assert_eq!(
        statements[10].parameters,
        [(
            Parameter::Positional(2),
            Span::new(script.rfind('?').unwrap(), script.rfind('?').unwrap() + 1)
        )]
    );
}

#[test]
fn expressions_bind_as_in_sql() {
    let filter = |text: &str| {
        select(&format!("SELECT * FROM t WHERE {text}"))
            .filter
            .unwrap()
            .kind
    };
    let ExprKind::Or(terms) = filter("a = 1 OR b = 2 AND NOT c = 3 OR d") else {
        panic!()
    };
    assert_eq!(terms.len(), 3);
    let ExprKind::And(both) = &terms[1].kind else {
        panic!()
    };
    assert!(matches!(both[1].kind, ExprKind::Not(_)));
    assert!(matches!(
        filter("a BETWEEN 1 AND 2 AND b"),
        ExprKind::And(_)
    ));
    assert!(matches!(
        filter("a NOT BETWEEN 1 AND 2"),
        ExprKind::Between { negated: true, .. }
    ));
    assert!(matches!(
        filter("a NOT LIKE 'x!%' ESCAPE '!'"),
        ExprKind::Like {
            negated: true,
            escape: Some(_),
            ..
        }
    ));
    assert!(
        matches!(filter("a IN (1, 2, NULL)"), ExprKind::In { list: InList::Items(items), .. } if items.len() == 3)
    );
    assert!(matches!(
        filter("a NOT IN ?"),
        ExprKind::In {
            list: InList::Array(_),
            negated: true,
            ..
        }
    ));
    assert!(matches!(
        filter("a IS NOT NULL"),
        ExprKind::IsNull { negated: true, .. }
    ));
    let ExprKind::Path(path) = filter("`a b`.select[3].`c`") else {
        panic!()
    };
    assert_eq!(path.steps().len(), 4);
}

#[test]
fn columns_are_named_by_alias_path_or_text() {
    let Items::Columns(columns) =
        select("SELECT a AS x, address . city, `order`, count( * ) FROM t").items
    else {
        panic!()
    };
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["x", "address.city", "order", "count( * )"]);
}

#[test]
fn parameters_stand_inside_documents() {
    let statements = parse(r#"INSERT INTO t {"id": ?, "a":null, "b": [1, {"c": :c}]}"#).unwrap();
    let Kind::Insert { documents, .. } = &statements[0].kind else {
        panic!()
    };
    assert!(matches!(documents[0].kind, TermKind::Object(_)));
    let params = Params::positional(vec![Value::Int(7)]).with("c", "x");
    assert_eq!(
        documents[0]
            .document(&params)
            .unwrap()
            .into_object()
            .to_string(),
        r#"{"id":7,"a":null,"b":[1,{"c":"x"}]}"#
    );
    assert!(params.check(&statements).is_ok());
    let error = documents[0]
        .document(&Params::none())
        .map(|_| ())
        .unwrap_err();
    assert_eq!(
        (error.code(), error.place()),
        (Code::Parameter, &Place::Text(Span::new(21, 22)))
    );
}

#[test]
fn hints_for_typos() {
    assert_eq!(hint("SELCT * FROM t"), "did you mean SELECT?");
    assert_eq!(hint("SELECT * FORM t"), "did you mean FROM?");
    assert_eq!(hint("SELECT * FROM t WERE a = 1"), "did you mean WHERE?");
    assert_eq!(
        hint("SELECT * FROM t WHERE a = 1 ADN b = 2"),
        "did you mean AND?"
    );
    assert_eq!(
        hint("SELECT * FROM t WHERE a LKE 'x'"),
        "did you mean LIKE?"
    );
    assert_eq!(hint("INSERT INOT t {}"), "did you mean INTO?");
    assert_eq!(hint("SHOW TABELS"), "did you mean TABLES?");
    assert_eq!(hint("UPDATE t SET a = 1"), "use PATCH t KEY k SET {..}");
    assert_eq!(
        hint("SELECT * FROM order"),
        "`order` is a keyword: put it in backticks to use it as a name"
    );
    assert_eq!(
        hint("SELECT * FROM 'orders'"),
        "quotes make a string; a name stands bare or in backticks"
    );
    assert_eq!(
        hint("SHOW DRIFT t KEY order1"),
        "put a key that is text in quotes"
    );
    assert_eq!(
        hint("SELECT * FROM t AS OF yesterday"),
        "a point is \"@seq:100\", \"2026-01-31\" or \"2026-01-31T12:00:00Z\", in quotes"
    );
}

#[test]
fn messages_and_places() {
    let check = |text: &str, message: &str, at: &str| {
        let (found, place, _) = error(text);
        assert_eq!((found.as_str(), place.as_str()), (message, at), "{text}");
    };
    check(
        "PATCH t KEY 1",
        "expected SET, found the end of the script",
        "",
    );
    check("SHOW TABLES x", "expected `;` or the end, found `x`", "x");
    check(
        "INSERT INTO t {\"a\": 1,}",
        "a comma needs something after it",
        ",",
    );
    check(
        "INSERT INTO t {\"a\": 1, \"a\": 2}",
        "the member \"a\" is there twice",
        "\"a\"",
    );
    check(
        "INSERT INTO t {\"a\" 1}",
        "expected `:`, found the number 1",
        "1",
    );
    check(
        "SELECT * FROM t WHERE",
        "expected a path, a value, a parameter or `(`, found the end of the script",
        "",
    );
    check(
        "SELECT * FROM t WHERE a = 'x",
        "this string is not closed",
        "'x",
    );
    check("SELECT * FROM t /* x", "this comment is not closed", "/*");
    check(
        "SELECT * FROM t WHERE a = b = c",
        "comparisons do not chain",
        "=",
    );
    check("SELECT *, a FROM t", "`*` stands alone", "*");
    check(
        "SELECT * FROM t AS OF '@seq:1' WHERE a AS OF '@seq:2'",
        "AS OF stands in a SELECT only once",
        "AS OF '@seq:2'",
    );
    check(
        "CREATE TABLE t (INDEX(a))",
        "the table has no primary key",
        "(INDEX(a))",
    );
    check(
        "SELECT a[-1] FROM t",
        "expected an index from 0, found `-`",
        "-",
    );
    check(
        "SELECT a FROM t WHERE a = 'x\\q'",
        "`\\q` is not an escape",
        "\\q",
    );
    check(
        "INSERT INTO t {\"a\": 99999999999999999999}",
        "the integer 99999999999999999999 is out of range",
        "99999999999999999999",
    );
    check(
        "SELECT a FROM t WHERE a = ? AND b = ?1",
        "a script has either ? or numbered parameters like ?1, not both",
        "?1",
    );
}

#[test]
fn statements_before_an_error_are_given_out() {
    let mut parser = Parser::new("SHOW TABLES; SELCT; SHOW TABLES");
    assert!(parser.next_statement().unwrap().is_some());
    assert!(parser.next_statement().is_err());
    assert!(parser.next_statement().unwrap().is_none());
}

#[test]
fn depth_is_limited_and_length_is_not() {
    let nested = |levels: usize| {
        format!(
            "SELECT * FROM t WHERE {}a = 1{}",
            "(".repeat(levels),
            ")".repeat(levels)
        )
    };
    assert!(parse(&nested(128)).is_ok());
    assert_eq!(parse(&nested(129)).unwrap_err().code(), Code::Limit);
    assert!(
        parse(&format!(
            "SELECT * FROM t WHERE a{}",
            " OR a".repeat(20_000)
        ))
        .is_ok()
    );
    assert!(
        parse(&format!(
            "SELECT * FROM t WHERE {} a",
            "NOT ".repeat(20_000)
        ))
        .is_ok()
    );
    let document = |levels: usize| {
        format!(
            "INSERT INTO t {{\"a\": {}1{}}}",
            "[".repeat(levels - 1),
            "]".repeat(levels - 1)
        )
    };
    assert!(parse(&document(64)).is_ok());
    assert_eq!(parse(&document(65)).unwrap_err().code(), Code::Limit);
}

#[test]
fn no_prefix_and_no_cut_of_a_script_panics() {
    let script = "SELECT a.b[0] AS `x`, COUNT(*) FROM t AS OF \"@seq:1\" WHERE a LIKE 'é\\u00e9' AND b IN (1,-2.5,:p) -- c\n/* d */; INSERT INTO t {a:[1,{\"b\":null}]}";
    for (cut, _) in script.char_indices() {
        let _ = parse(&script[..cut]);
        let _ = parse(&script[cut..]);
        let mut without = script.to_string();
        without.remove(cut);
        let _ = parse(&without);
    }
}
