//! dump | load makes an identical database.
#![allow(missing_docs)]

mod common;

use common::Place;

/// A database with every kind of event in it.
fn place() -> Place {
    let place = Place::with_database();
    let run = |now: &str, text: &str, more: &[&str]| {
        let mut args = vec!["sql", "-d", "db", "--now", now, "-e", text];
        args.extend(more);
        place.ok(&args);
    };
    run(
        "2026-01-01",
        "CREATE TABLE a (pk=id, INDEX(s, n.m)); CREATE TABLE b (pk=k); CREATE TABLE empty (pk=id)",
        &[],
    );
    run(
        "2026-01-01",
        "INSERT INTO a {\"id\":1,\"s\":\"x\",\"n\":{\"m\":1.0}}, {\"id\":\"1\",\"f\":1e300}",
        &[],
    );
    run(
        "2026-01-02",
        "PATCH a KEY 1 SET {\"s\":null,\"new\":[1,{\"é\":\"\\u0000\"}]}",
        &["--by", "ann", "--why", "b"],
    );
    run(
        "2026-01-03",
        "BEGIN WITH {\"ticket\": 12, \"by\": \"bob\"};
         INSERT INTO b {\"k\":18446744073709551615};
         SOFT DELETE FROM a KEY \"1\";
         UPSERT INTO a {\"id\":1,\"s\":\"y\"};
         COMMIT",
        &[],
    );
    run(
        "2026-01-04",
        "INSERT INTO a {\"id\":\"1\",\"again\":true}; RESTORE a KEY 1 AS OF \"@seq:1\"",
        &[],
    );
    place
}

#[track_caller]
fn loads_identically(place: &Place) {
    let dump = place.ok(&["dump", "-d", "db"]);
    place.ok(&["init", "copy"]);
    let run = place.run_with(&["load", "-d", "copy"], dump.as_bytes());
    assert_eq!(run.status, 0, "{run:?}\n{dump}");
    assert_eq!(place.ok(&["dump", "-d", "copy"]), dump);
    place.ok(&["verify", "-d", "copy"]);
    for seq in 0..12 {
        for table in ["a", "b", "empty"] {
            let point = format!("@seq:{seq}");
            let ask = |dir| place.run(&["select", "-d", dir, "-t", table, "-a", &point]);
            let (old, new) = (ask("db"), ask("copy"));
            assert_eq!(old.out, new.out, "{table} at {point}");
            assert_eq!(old.status, new.status, "{table} at {point}");
        }
    }
    for key in ["1", "\"1\""] {
        let ask = |dir| place.ok(&["drift", "-d", dir, "-t", "a", "-k", key]);
        assert_eq!(ask("db"), ask("copy"));
    }
}

#[test]
fn a_history_with_every_event() {
    let place = place();
    let dump = place.ok(&["dump", "-d", "db"]);
    assert!(dump.starts_with("{\"driftdb\": 1}\n"), "{dump}");
    assert!(dump.contains(r#""by": "ann", "why": "b""#), "{dump}");
    assert!(dump.contains(r#""more": true"#), "{dump}");
    loads_identically(&place);
}

#[test]
fn a_compacted_history() {
    let place = place();
    place.ok(&["compact", "-d", "db", "--table", "a"]);
    assert!(place.ok(&["dump", "-d", "db"]).contains("\"horizon\""));
    loads_identically(&place);
}

#[test]
fn lines_without_seq_and_time_get_them() {
    let place = Place::with_database();
    let lines = r#"{"driftdb": 1}
{"create": "t", "pk": "id", "index": []}
{"table": "t", "op": "insert", "doc": {"id": 1}}
{"table": "t", "op": "patch", "key": 1, "patch": {"a": 1}, "ts": 1767225600000, "by": "ann", "more": true}
{"table": "t", "op": "insert", "key": 2, "doc": {"id": 2}, "ts": 1767225600000, "by": "ann"}
{"table": "t", "op": "delete", "key": 2, "ts": "2025-01-01T00:00:00Z"}
"#;
    let args = ["load", "-d", "db", "--now", "2025-06-01"];
    let run = place.run_with(&args, lines.as_bytes());
    assert_eq!(run.status, 0, "{run:?}");
    let dump = place.ok(&["dump", "-d", "db"]);
    let part = |text: &str| assert!(dump.contains(text), "no {text} in\n{dump}");
    part(r#""seq": 1, "ts": "2025-06-01T00:00:00.000Z""#);
    part(r#""seq": 2, "ts": "2026-01-01T00:00:00.000Z", "by": "ann", "more": true"#);
    // A time before the last one is raised to it.
    part(r#""op": "delete", "key": 2, "seq": 4, "ts": "2026-01-01T00:00:00.000Z""#);
}

#[test]
fn a_bad_line_is_named_and_what_came_before_stays() {
    let start = "{\"driftdb\": 1}\n{\"create\": \"t\", \"pk\": \"id\"}\n{\"table\":\"t\",\"op\":\"insert\",\"doc\":{\"id\":1},\"seq\":5}\n";
    let bad = [
        (
            "{\"table\":\"t\",\"op\":\"insert\",\"doc\":{\"id\":2},\"seq\":5}\n",
            "line 4",
        ),
        (
            "{\"table\":\"t\",\"op\":\"insert\",\"doc\":{\"id\":1}}\n",
            "line 4",
        ),
        (
            "{\"table\":\"u\",\"op\":\"insert\",\"doc\":{\"id\":1}}\n",
            "line 4",
        ),
        (
            "{\"table\":\"t\",\"op\":\"insert\",\"doc\":{\"id\":2},\"key\":3}\n",
            "line 4",
        ),
        ("{\"table\":\"t\",\"op\":\"delete\",\"key\":9}\n", "line 4"),
        (
            "{\"table\":\"t\",\"op\":\"insert\",\"doc\":{\"id\":2},\"more\":true}\n",
            "transaction",
        ),
        ("{\"table\":\"t\",\"op\":\n", "standard input:4:"),
        ("{\"driftdb\": 9}\n", "line 4"),
    ];
    for (line, says) in bad {
        let place = Place::with_database();
        let run = place.run_with(&["load", "-d", "db"], format!("{start}{line}").as_bytes());
        assert_ne!(run.status, 0, "{line}");
        assert!(run.err.contains(says), "{line}: {}", run.err);
        assert_eq!(place.rows("t"), "{\"id\":1}\n", "{line}");
    }
}
