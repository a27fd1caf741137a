//! Import and export.
#![allow(missing_docs)]

mod common;

use common::Place;

const IMPORT: [&str; 5] = ["import", "-d", "db", "--table", "t"];

fn with(more: &[&'static str]) -> Vec<&'static str> {
    IMPORT.iter().copied().chain(more.iter().copied()).collect()
}

#[test]
fn the_three_formats_give_the_same_rows() {
    let place = Place::with_database();
    let jsonl = "{\"id\":1,\"a\":\"x\"}\n{\"id\":2,\"a\":\"y\",\"n\":1.5}\n";
    place.file("rows.jsonl", jsonl);
    place.file(
        "rows.json",
        "[{\"id\":1,\"a\":\"x\"},\n {\"id\":2,\"a\":\"y\",\"n\":1.5}]\n",
    );
    place.file("rows.csv", "id,a,n\n1,x,\n2,y,1.5\n");
    for name in ["rows.jsonl", "rows.json", "rows.csv"] {
        let table = name.replace('.', "_");
        let said = place.ok(&[
            "import", "-d", "db", "--table", &table, "--create", "id", name,
        ]);
        assert_eq!(said, format!("2 rows into {table}\n"));
        assert_eq!(place.rows(&table), jsonl, "{name}");
        let text = std::fs::read(place.path().join(name)).unwrap();
        let format = name.rsplit('.').next().unwrap();
        let piped = format!("{table}_piped");
        let args = [
            "import", "-d", "db", "-t", &piped, "--create", "id", "-F", format,
        ];
        assert_eq!(place.run_with(&args, &text).status, 0);
        assert_eq!(place.rows(&piped), jsonl, "{name} from standard input");
    }
}

#[test]
fn a_bad_line_in_the_middle_keeps_nothing() {
    let place = Place::with_rows();
    let before = place.ok(&["dump", "-d", "db"]);
    let bad = [
        (
            "{\"id\":1}\n{\"id\":2}\n{\"id\":3\n{\"id\":4}\n",
            "rows.jsonl:3:",
        ),
        ("{\"id\":1}\n\n{\"a\":3}\n", "line 3"),
        ("{\"id\":1}\n{\"id\":\"x\"}\n", "line 2"),
        ("{\"id\":1}\n{\"id\":1}\n", "line 2"),
        ("{\"id\":1}\nnull\n", "line 2"),
    ];
    for (text, place_of_it) in bad {
        place.file("rows.jsonl", text);
        let run = place.run(&with(&["rows.jsonl"]));
        run.fails(
            1,
            &["rows.jsonl", place_of_it, "nothing of the import was kept"],
        );
        assert_eq!(place.ok(&["dump", "-d", "db"]), before, "{text}");
    }
}

#[test]
fn batches_keep_the_batches_before_an_error() {
    let place = Place::with_rows();
    let rows: String = (1..=10).map(|id| format!("{{\"id\":{id}}}\n")).collect();
    place.file("rows.jsonl", rows + "bad\n");
    let run = place.run(&with(&["rows.jsonl", "--batch", "4"]));
    run.fails(
        1,
        &[
            "rows.jsonl:11:1",
            "the first 8 rows of the import were kept",
        ],
    );
    assert_eq!(place.rows("t").lines().count(), 2 + 8);
}

#[test]
fn bad_input_of_each_format_is_named() {
    let place = Place::with_rows();
    place.file("a.csv", "id,a\n1,2\n3\n");
    place
        .run(&with(&["a.csv"]))
        .fails(1, &["a.csv, line 3", "1 fields"]);
    place.file("a.json", "[{\"id\":1},\n{\"id\":2}\n{\"id\":3}]");
    place.run(&with(&["a.json"])).fails(1, &["a.json:3:1"]);
    place.file("b.json", "[{\"id\":1},\n{\"id\":}]");
    place.run(&with(&["b.json"])).fails(1, &["b.json:2:7"]);
    place.run(&with(&["none.csv"])).fails(5, &["none.csv"]);
    place.file("u.jsonl", b"{\"id\":1,\"a\":\"\xff\"}\n");
    place
        .run(&with(&["u.jsonl"]))
        .fails(1, &["u.jsonl, line 1", "UTF-8"]);
}

#[test]
fn an_unknown_table_is_an_error_unless_it_is_to_be_made() {
    let place = Place::with_database();
    place.file("r.jsonl", "{\"id\":1,\"s\":\"a\"}\n");
    place
        .run(&["import", "-d", "db", "-t", "new", "r.jsonl"])
        .fails(1, &["new", "--create"]);
    place.ok(&[
        "import", "-d", "db", "-t", "new", "r.jsonl", "--create", "id", "--index", "s,a.b",
    ]);
    let said = place.sql("DESCRIBE new");
    assert!(said.contains("a.b"), "{said}");
}

#[test]
fn upsert_replaces_and_metadata_is_kept() {
    let place = Place::with_rows();
    place.file("r.jsonl", "{\"id\":\"x\",\"a\":9}\n");
    place.run(&with(&["r.jsonl"])).fails(1, &["duplicate_key"]);
    let more = [
        "r.jsonl",
        "--upsert",
        "--by",
        "ann",
        "--why",
        "fix",
        "--now",
        "2999-01-01",
    ];
    place.ok(&with(&more));
    let drift = place.ok(&["drift", "-d", "db", "-t", "t", "-k", "x"]);
    let last = drift.lines().last().unwrap();
    for part in ["\"ann\"", "\"fix\"", "2999-01-01T00:00:00.000Z"] {
        assert!(last.contains(part), "{last}");
    }
}

#[test]
fn export_writes_what_import_reads() {
    let place = Place::with_rows();
    place.sql("PATCH t KEY \"x\" SET {\"a\": {\"deep\": [1, 2.5, null]}}");
    for name in ["out.jsonl", "out.json"] {
        assert_eq!(place.ok(&["export", "-d", "db", "-t", "t", "-o", name]), "");
        let table = name.replace('.', "_");
        place.ok(&["import", "-d", "db", "-t", &table, "--create", "id", name]);
        assert_eq!(place.rows(&table), place.rows("t"), "{name}");
    }
    let csv = place.ok(&[
        "export", "-d", "db", "-t", "t", "--as-of", "@seq:2", "-F", "csv",
    ]);
    assert_eq!(csv, "id,a\nx,1\ny,2\n");
    let run = place.run(&[
        "export", "-d", "db", "-t", "t", "-w", "a >", "-o", "not.csv",
    ]);
    run.fails(1, &["error[syntax]"]);
    assert!(
        !place.path().join("not.csv").exists(),
        "a file appears when it is complete"
    );
}
