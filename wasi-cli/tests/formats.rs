//! The formats of rows.
#![allow(missing_docs)]

mod common;

use common::Place;

fn place() -> Place {
    let place = Place::with_database();
    place.sql(
        "CREATE TABLE t (pk=id);
         INSERT INTO t {\"id\": 1, \"name\": \"Ann \\\"A\\\", Lee\", \"tags\": [\"a\", {\"b\": null}], \"ok\": true},
                       {\"id\": 2, \"name\": \"line\\nbreak\", \"score\": 2.0}",
    );
    place
}

fn select(place: &Place, format: &str) -> String {
    place.ok(&["select", "-d", "db", "--table", "t", "--format", format])
}

#[test]
fn json_lines_is_the_default_when_piped() {
    let place = place();
    let lines = place.rows("t");
    assert_eq!(lines, select(&place, "jsonl"));
    let expected = r#"{"id":1,"name":"Ann \"A\", Lee","tags":["a",{"b":null}],"ok":true}
{"id":2,"name":"line\nbreak","score":2.0}
"#;
    assert_eq!(lines, expected);
}

#[test]
fn json_is_one_array() {
    let place = place();
    let array = select(&place, "json");
    assert!(
        array.starts_with("[\n{\"id\":1,") && array.ends_with("\"score\":2.0}\n]\n"),
        "{array}"
    );
    let none = place.ok(&["select", "-d", "db", "-t", "t", "-w", "id=3", "-F", "json"]);
    assert_eq!(none, "[]\n");
}

#[test]
fn csv_has_a_header_of_all_columns() {
    let expected = "id,name,tags,ok,score\n1,\"Ann \"\"A\"\", Lee\",\"[\"\"a\"\",{\"\"b\"\":null}]\",true,\n2,\"line\nbreak\",,,2.0\n";
    assert_eq!(select(&place(), "csv"), expected);
}

#[test]
fn a_table_is_for_people() {
    let place = place();
    let expected = r#"
┌────┬──────────────┬──────────────────┬──────┬───────┐
│ id ┆ name         ┆ tags             ┆ ok   ┆ score │
╞════╪══════════════╪══════════════════╪══════╪═══════╡
│  1 ┆ Ann "A", Lee ┆ ["a",{"b":null}] ┆ true ┆       │
│  2 ┆ line\nbreak  ┆                  ┆      ┆   2.0 │
└────┴──────────────┴──────────────────┴──────┴───────┘
(2 rows)
"#;
    assert_eq!(select(&place, "table"), expected.trim_start());
    let none = place.ok(&["select", "-d", "db", "-t", "t", "-w", "id=3", "-F", "table"]);
    assert_eq!(none, "(no rows)\n");
}

#[test]
fn control_characters_do_not_reach_a_terminal() {
    let place = place();
    place.sql("INSERT INTO t {\"id\": 3, \"name\": \"\\u001b[31mred\\u0007\"}");
    let table = select(&place, "table");
    assert!(
        !table.contains('\u{1b}') && !table.contains('\u{7}'),
        "{table}"
    );
}

#[test]
fn the_environment_gives_a_default() {
    let place = place();
    let mut command = place.command(&["select", "-d", "db", "--table", "t"]);
    let output = command.env("DRIFTDB_FORMAT", "csv").output().unwrap();
    assert!(output.stdout.starts_with(b"id,name,"), "{output:?}");
}

#[test]
fn writes_are_told_to_people_only() {
    let place = place();
    let insert = |id: u32, format: &str| {
        let text = format!("INSERT INTO t {{\"id\": {id}}}");
        place.ok(&[
            "sql",
            "-d",
            "db",
            "-e",
            &text,
            "-F",
            format,
            "--now",
            "2999-01-01",
        ])
    };
    assert_eq!(
        insert(10, "table"),
        "1 event, @seq:3, 2999-01-01T00:00:00.000Z\n"
    );
    assert_eq!(insert(11, "jsonl"), "");
}

#[test]
fn a_long_result_streams_in_every_format() {
    let place = Place::with_database();
    let rows: String = (0..2500).map(|id| format!("{{\"id\":{id}}}\n")).collect();
    place.file("rows.jsonl", &rows);
    place.ok(&[
        "import",
        "-d",
        "db",
        "--table",
        "t",
        "--create",
        "id",
        "rows.jsonl",
    ]);
    assert_eq!(select(&place, "jsonl"), rows);
    assert_eq!(select(&place, "csv").lines().count(), 2501);
    assert_eq!(select(&place, "json").lines().count(), 2502);
    let table = select(&place, "table");
    assert!(table.ends_with("(2500 rows)\n"), "{table}");
    assert_eq!(
        table.matches("│ id").count(),
        3,
        "a header every thousand rows"
    );
}
