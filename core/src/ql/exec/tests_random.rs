//! Random conditions: with indexes, without them, and by the obvious evaluator, the same rows.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cmp::Ordering;

use proptest::prelude::*;

use super::tests::{Table, ids, select_of};
use crate::ql::ast::{Comparison, Expr, ExprKind, InList};
use crate::value::{Raw, Step, Value, json, order};

fn constant() -> impl Strategy<Value = String> {
    let words = prop_oneof![
        Just("null"),
        Just("true"),
        Just("false"),
        Just("'a'"),
        Just("'ab'"),
        Just("'b'"),
        Just("''"),
        Just("[]")
    ];
    prop_oneof![
        3 => (-3i32..4).prop_map(|n| n.to_string()),
        1 => (-8i32..8).prop_map(|n| format!("{:.2}", f64::from(n) / 4.0)),
        3 => words.prop_map(String::from),
        1 => prop_oneof![Just("9007199254740993"), Just("9007199254740992.0"), Just("-1e300"), Just("1e300"), Just("18446744073709551615")].prop_map(String::from),
    ]
}

fn path() -> impl Strategy<Value = String> {
    prop_oneof![3 => Just("id"), 3 => Just("n"), 3 => Just("status"), 1 => Just("ok"), 1 => Just("x.y"), 1 => Just("none")].prop_map(String::from)
}

fn operand() -> impl Strategy<Value = String> {
    prop_oneof![2 => path(), 1 => constant()]
}

fn predicate() -> impl Strategy<Value = String> {
    let operator = prop_oneof![
        Just("="),
        Just("!="),
        Just("<"),
        Just("<="),
        Just(">"),
        Just(">=")
    ];
    let not = || prop_oneof![3 => Just(""), 1 => Just(" NOT")];
    let pattern = prop_oneof![
        Just("a%"),
        Just("%b"),
        Just("_"),
        Just("%"),
        Just("ab"),
        Just("a!%")
    ];
    prop_oneof![
        4 => (operand(), operator.clone(), constant()).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
        1 => (operand(), operator, operand()).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
        2 => (path(), not(), constant(), constant()).prop_map(|(a, not, b, c)| format!("{a}{not} BETWEEN {b} AND {c}")),
        2 => (path(), not(), prop::collection::vec(constant(), 1..11)).prop_map(|(a, not, list)| format!("{a}{not} IN ({})", list.join(", "))),
        1 => (path(), not(), pattern).prop_map(|(a, not, b)| format!("{a}{not} LIKE '{b}' ESCAPE '!'")),
        1 => (operand(), not()).prop_map(|(a, not)| format!("{a} IS{not} NULL")),
        1 => operand(),
    ]
}

fn condition() -> impl Strategy<Value = String> {
    predicate().prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            2 => prop::collection::vec(inner.clone(), 1..4).prop_map(|terms| format!("({})", terms.join(" AND "))),
            2 => prop::collection::vec(inner.clone(), 1..4).prop_map(|terms| format!("({})", terms.join(" OR "))),
            1 => inner.prop_map(|inner| format!("NOT ({inner})")),
        ]
    })
}

fn documents() -> impl Strategy<Value = Vec<String>> {
    let key = prop_oneof![
        (-3i32..4).prop_map(|n| n.to_string()),
        prop_oneof![Just("\"a\""), Just("\"ab\""), Just("\"b\""), Just("\"\"")]
            .prop_map(String::from)
    ];
    let json = || constant().prop_map(|text| text.replace('\'', "\""));
    let document = (key, json(), json(), json()).prop_map(|(id, n, status, y)| {
        format!(r#"{{"id":{id},"n":{n},"status":{status},"ok":{y},"x":{{"y":{y}}}}}"#)
    });
    prop::collection::vec(document, 0..12)
}

/// The value of an expression; NULL for unknown.
fn value(expr: &Expr, document: &Value) -> Value {
    match &expr.kind {
        ExprKind::Constant(term) => term.value(&crate::ql::Params::none()).unwrap(),
        ExprKind::Path(path) => path
            .steps()
            .iter()
            .try_fold(document.clone(), |value, step| match step {
                Step::Member(name) => value.as_object()?.get(name).cloned(),
                Step::Index(_) => None,
            })
            .unwrap_or(Value::Null),
        _ => truth(expr, document).map_or(Value::Null, Value::Bool),
    }
}

fn compare(a: &Value, b: &Value) -> Option<Ordering> {
    let (a, b) = (a.to_msgpack(), b.to_msgpack());
    order::sql(Raw::new(&a).unwrap().view(), Raw::new(&b).unwrap().view())
}

fn truth(expr: &Expr, document: &Value) -> Option<bool> {
    let of = |expr: &Expr| value(expr, document);
    let or = |truths: Vec<Option<bool>>| {
        if truths.contains(&Some(true)) {
            Some(true)
        } else if truths.contains(&None) {
            None
        } else {
            Some(false)
        }
    };
    let and = |truths: Vec<Option<bool>>| {
        if truths.contains(&Some(false)) {
            Some(false)
        } else if truths.contains(&None) {
            None
        } else {
            Some(true)
        }
    };
    let flip = |negated: bool, truth: Option<bool>| truth.map(|truth| truth != negated);
    match &expr.kind {
        ExprKind::Constant(_) | ExprKind::Path(_) => match of(expr) {
            Value::Bool(truth) => Some(truth),
            _ => None,
        },
        ExprKind::Not(inner) => flip(true, truth(inner, document)),
        ExprKind::And(terms) => and(terms.iter().map(|term| truth(term, document)).collect()),
        ExprKind::Or(terms) => or(terms.iter().map(|term| truth(term, document)).collect()),
        ExprKind::Compare {
            operator,
            left,
            right,
        } => compare(&of(left), &of(right)).map(|order| match operator {
            Comparison::Equal => order.is_eq(),
            Comparison::NotEqual => order.is_ne(),
            Comparison::Less => order.is_lt(),
            Comparison::LessEqual => order.is_le(),
            Comparison::Greater => order.is_gt(),
            Comparison::GreaterEqual => order.is_ge(),
        }),
        ExprKind::Between {
            value,
            low,
            high,
            negated,
        } => {
            let least = compare(&of(value), &of(low)).map(Ordering::is_ge);
            let most = compare(&of(value), &of(high)).map(Ordering::is_le);
            flip(*negated, and([least, most].into()))
        }
        ExprKind::In {
            value,
            list: InList::Items(items),
            negated,
        } => flip(
            *negated,
            or(items
                .iter()
                .map(|item| compare(&of(value), &of(item)).map(Ordering::is_eq))
                .collect()),
        ),
        ExprKind::Like {
            value,
            pattern,
            negated,
            ..
        } => {
            let (Value::Str(text), Value::Str(pattern)) = (of(value), of(pattern)) else {
                return None;
            };
            let matches = match pattern.as_str() {
                "a%" => text.starts_with('a'),
                "%b" => text.ends_with('b'),
                "_" => text.chars().count() == 1,
                "%" => true,
                "a!%" => text == "a%",
                plain => text == plain,
            };
            flip(*negated, Some(matches))
        }
        ExprKind::IsNull { value, negated } => Some(of(value).is_null() != *negated),
        other => panic!("{other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn indexes_and_the_obvious_evaluator_agree(documents in documents(), condition in condition()) {
        let texts: Vec<&str> = documents.iter().map(String::as_str).collect();
        let table = Table::of(&texts);
        let filter = select_of(&format!("SELECT id FROM t WHERE {condition}")).filter.unwrap();
        let mut expected = Vec::new();
        for key in table.rows.keys() {
            // Of several documents with one key the last is the row.
            let document = documents.iter().rev().map(|text| json::parse(text).unwrap());
            let document = document.into_iter().find(|document| document.as_object().unwrap().get("id") == Some(&key.to_value())).unwrap();
            if truth(&filter, &document) == Some(true) {
                expected.push(key.to_string().replace('"', ""));
            }
        }
        prop_assert_eq!(ids(&table, &condition), expected.join(" "), "{}", condition);
        // What EXPLAIN shows of a condition is that condition.
        let shown = filter.to_string();
        prop_assert_eq!(ids(&table, &shown), expected.join(" "), "{} for {}", shown, condition);
    }
}
