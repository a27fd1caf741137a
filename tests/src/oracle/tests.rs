//! The model itself, by hand-written cases.

use serde_json::json;

use super::*;

fn doc(value: serde_json::Value) -> Doc {
    match value {
        serde_json::Value::Object(doc) => doc,
        other => panic!("{other} is no object"),
    }
}

fn oracle() -> Oracle {
    let mut oracle = Oracle::new();
    oracle
        .apply(
            &Op::Create {
                table: "t".into(),
                key: "id".into(),
                indexes: vec![],
            },
            0,
        )
        .unwrap();
    oracle
}

fn insert(value: serde_json::Value) -> Write {
    Write::Insert {
        table: "t".into(),
        doc: doc(value),
    }
}

fn key(text: &str) -> Key {
    Key::Str(text.into())
}

#[test]
fn patches_follow_the_rfc() {
    // The examples of RFC 7396, appendix A, whose target and patch are objects.
    for (target, patch, result) in [
        (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
        (
            json!({"a": "b"}),
            json!({"b": "c"}),
            json!({"a": "b", "b": "c"}),
        ),
        (json!({"a": "b"}), json!({"a": null}), json!({})),
        (
            json!({"a": "b", "b": "c"}),
            json!({"a": null}),
            json!({"b": "c"}),
        ),
        (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
        (json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]})),
        (
            json!({"a": {"b": "c"}}),
            json!({"a": {"b": "d", "c": null}}),
            json!({"a": {"b": "d"}}),
        ),
        (
            json!({"a": [{"b": "c"}]}),
            json!({"a": [1]}),
            json!({"a": [1]}),
        ),
        (
            json!({"e": null}),
            json!({"a": 1}),
            json!({"e": null, "a": 1}),
        ),
        (
            json!({}),
            json!({"a": {"bb": {"ccc": null}}}),
            json!({"a": {"bb": {}}}),
        ),
    ] {
        let mut merged = doc(target);
        merge_patch(&mut merged, &doc(patch));
        assert_eq!(text(&merged), result.to_string());
    }
}

#[test]
fn every_past_state_stays() {
    let mut oracle = oracle();
    oracle
        .apply(&Op::Write(insert(json!({"id": "a", "n": 1}))), 10)
        .unwrap();
    let patch = Write::Patch {
        table: "t".into(),
        key: key("a"),
        patch: doc(json!({"n": 2})),
    };
    oracle.apply(&Op::Write(patch), 5).unwrap();
    oracle
        .apply(
            &Op::Write(Write::Delete {
                table: "t".into(),
                key: key("a"),
            }),
            20,
        )
        .unwrap();
    assert_eq!(oracle.times, [10, 10, 20]);
    let table = oracle.table("t").unwrap();
    let at = |seq| {
        table
            .state(seq)
            .unwrap()
            .get(&key("a"))
            .map(|doc| text(doc))
    };
    assert_eq!(at(0), None);
    assert_eq!(at(1).unwrap(), r#"{"id":"a","n":1}"#);
    assert_eq!(at(2).unwrap(), r#"{"id":"a","n":2}"#);
    assert_eq!(at(3), None);
    assert_eq!(
        [9, 10, 19, 20].map(|time| oracle.seq_at(time)),
        [0, 2, 2, 3]
    );
}

#[test]
fn a_failed_statement_uses_no_seq() {
    let mut oracle = oracle();
    oracle
        .apply(&Op::Write(insert(json!({"id": 1}))), 1)
        .unwrap();
    assert_eq!(
        oracle.apply(&Op::Write(insert(json!({"id": 1}))), 1),
        Err(Code::DuplicateKey)
    );
    assert_eq!(
        oracle.apply(&Op::Write(insert(json!({"id": 1.5}))), 1),
        Err(Code::InvalidKey)
    );
    let missing = Write::Delete {
        table: "t".into(),
        key: key("1"),
    };
    assert_eq!(oracle.apply(&Op::Write(missing), 1), Err(Code::NoSuchRow));
    assert_eq!(oracle.seq, 1);
}

#[test]
fn compaction_keeps_the_last_state_and_the_last_document_of_a_deleted_row() {
    let mut oracle = oracle();
    for value in [json!({"id": "a", "n": 1}), json!({"id": "b"})] {
        oracle.apply(&Op::Write(insert(value)), 1).unwrap();
    }
    let patch = Write::Patch {
        table: "t".into(),
        key: key("a"),
        patch: doc(json!({"n": 2})),
    };
    oracle.apply(&Op::Write(patch), 2).unwrap();
    oracle
        .apply(
            &Op::Write(Write::Delete {
                table: "t".into(),
                key: key("b"),
            }),
            3,
        )
        .unwrap();
    oracle
        .apply(
            &Op::Compact {
                table: "t".into(),
                since: None,
            },
            3,
        )
        .unwrap();
    let table = oracle.table("t").unwrap();
    assert_eq!(
        table.events[&key("a")]
            .iter()
            .map(|event| event.seq)
            .collect::<Vec<_>>(),
        [3]
    );
    assert_eq!(
        table.events[&key("b")]
            .iter()
            .map(|event| event.seq)
            .collect::<Vec<_>>(),
        [2, 4]
    );
    assert!(table.state(3).is_none() && table.state(4).is_some());
    assert_eq!(table.horizon, (4, 3));
}
