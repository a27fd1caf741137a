//! What bad input gets: an error that says what and where, and nothing written.
#![allow(missing_docs)]

mod common;

use common::Place;

/// Runs statements that must fail with status 1, and asserts that nothing was written.
#[track_caller]
fn refused(place: &Place, text: &str, says: &[&str]) {
    let before = place.ok(&["dump", "-d", "db"]);
    place.try_sql(text).fails(1, says);
    assert_eq!(
        place.ok(&["dump", "-d", "db"]),
        before,
        "{text} wrote something"
    );
}

#[test]
fn a_syntax_error_is_shown_with_its_line_a_caret_and_what_was_expected() {
    let place = Place::with_rows();
    let says = [
        "error[syntax]",
        "-e:2:10",
        "2 | SELECT * FORM t",
        "|          ^^^^",
        "FROM",
    ];
    refused(&place, "SHOW TABLES;\nSELECT * FORM t", &says);
    refused(
        &place,
        "SELEC * FROM t",
        &["-e:1:1", "^^^^^", "help", "SELECT"],
    );
    refused(&place, "SELECT * FROM t WHERE", &["-e:1:22"]);
    refused(
        &place,
        "INSERT INTO t {\"id\":",
        &["error[syntax]", "-e:1:"],
    );
}

#[test]
fn an_unknown_table_gets_a_hint() {
    let place = Place::with_database();
    place.sql("CREATE TABLE orders (pk=id)");
    let says = [
        "error[unknown_table]",
        "ordres",
        "-e:1:15",
        "^^^^^^",
        "help",
        "orders",
    ];
    refused(&place, "SELECT * FROM ordres", &says);
    refused(
        &place,
        "INSERT INTO ordres {\"id\":1}",
        &["unknown_table", "orders"],
    );
    place
        .run(&["select", "-d", "db", "--table", "ordres"])
        .fails(1, &["ordres", "orders"]);
    place
        .run(&["drift", "-d", "db", "--table", "nope", "--key", "1"])
        .fails(1, &["nope"]);
}

#[test]
fn a_point_that_is_none_is_never_the_present() {
    let place = Place::with_rows();
    for point in [
        "@seq:x",
        "yesterday-ish",
        "@seq:",
        "2025-13-01",
        "2025-02-30T00:00:00Z",
        "",
    ] {
        let run = place.try_sql(&format!("SELECT * FROM t AS OF \"{point}\""));
        run.fails(1, &["error["]);
        assert_eq!(run.out, "", "{point}");
        let run = place.run(&["select", "-d", "db", "--table", "t", "--as-of", point]);
        run.fails(1, &["error["]);
        assert_eq!(run.out, "", "{point}");
    }
}

#[test]
fn writes_of_rows_that_are_not_as_they_should_be_name_table_and_key() {
    let place = Place::with_rows();
    let says = ["error[duplicate_key]", "t", "\"x\""];
    refused(&place, "INSERT INTO t {\"id\":\"x\"}", &says);
    refused(
        &place,
        "INSERT INTO t {\"id\":\"new\"}, {\"id\":\"x\"}",
        &says,
    );
    refused(
        &place,
        "PATCH t KEY \"z\" SET {\"a\":1}",
        &["error[no_such_row]", "t", "\"z\""],
    );
    refused(
        &place,
        "SOFT DELETE FROM t KEY \"z\"",
        &["error[no_such_row]", "t", "\"z\""],
    );
    place.sql("SOFT DELETE FROM t KEY \"x\"");
    refused(
        &place,
        "SOFT DELETE FROM t KEY \"x\"",
        &["error[no_such_row]", "\"x\""],
    );
    refused(
        &place,
        "PATCH t KEY \"x\" SET {\"a\":1}",
        &["error[no_such_row]", "\"x\""],
    );
}

#[test]
fn documents_that_cannot_be_name_the_member_or_the_limit() {
    let place = Place::with_rows();
    refused(
        &place,
        "INSERT INTO t {\"a\":1}",
        &["error[invalid_key]", "id"],
    );
    refused(
        &place,
        "INSERT INTO t {\"id\":1.5}",
        &["error[invalid_key]", "id"],
    );
    refused(
        &place,
        "INSERT INTO t {\"id\":null}",
        &["error[invalid_key]", "id"],
    );
    refused(
        &place,
        "INSERT INTO t {\"id\":[1]}",
        &["error[invalid_key]", "id"],
    );
    refused(
        &place,
        "PATCH t KEY \"x\" SET {\"id\":\"other\"}",
        &["error[", "id"],
    );
    refused(
        &place,
        "INSERT INTO t {\"id\":1,\"n\":18446744073709551616}",
        &["out_of_range"],
    );
    refused(
        &place,
        "INSERT INTO t {\"id\":1,\"n\":1e999}",
        &["out_of_range"],
    );
    refused(
        &place,
        "INSERT INTO t {\"id\":1,\"n\":1,\"n\":2}",
        &["error[", "n"],
    );
    let deep = format!(
        "INSERT INTO t {{\"id\":1,\"n\":{}{}}}",
        "[".repeat(64),
        "]".repeat(64)
    );
    refused(&place, &deep, &["error[limit]", "64"]);
    let long = format!("INSERT INTO t {{\"id\":\"{}\"}}", "k".repeat(1025));
    refused(&place, &long, &["1024"]);
    // Too long for an argument of a program.
    let huge = format!(
        "INSERT INTO t {{\"id\":1,\"n\":\"{}\"}}",
        "x".repeat(16 << 20)
    );
    let run = place.run_with(&["sql", "-d", "db"], huge.as_bytes());
    run.fails(1, &["error[limit]", "16777216"]);
    assert!(run.err.len() < 2000, "an error stays readable");
}

#[test]
fn a_directory_that_is_no_database_is_named() {
    let place = Place::empty();
    place
        .run(&["select", "-d", "nowhere", "--table", "t"])
        .fails(5, &["nowhere", "init"]);
    place.file("file", "");
    place
        .run(&["select", "-d", "file", "--table", "t"])
        .fails(5, &["error["]);
    std::fs::create_dir(place.path().join("dir")).unwrap();
    place.file("dir/other", "mine");
    place
        .run(&["sql", "-d", "dir", "-e", "CREATE TABLE t (pk=id)"])
        .fails(5, &["dir"]);
    place.run(&["init", "dir"]).fails(5, &["dir"]);
    assert_eq!(place.read("dir/other"), "mine");
    let names = std::fs::read_dir(place.path().join("dir")).unwrap().count();
    assert_eq!(
        names, 1,
        "nothing was put into a directory that is no database"
    );
}

#[test]
fn a_database_is_not_made_twice() {
    let place = Place::with_rows();
    place
        .run(&["init", "db"])
        .fails(5, &["error[database_exists]", "db"]);
    assert_eq!(place.rows("t").lines().count(), 2);
}

#[test]
fn a_script_stops_at_its_first_error() {
    let place = Place::with_rows();
    let run =
        place.try_sql("SELECT id FROM t; PATCH t KEY \"z\" SET {}; INSERT INTO t {\"id\":\"w\"}");
    run.fails(1, &["no_such_row"]);
    assert_eq!(run.out.lines().count(), 2, "what came before is shown");
    assert!(!place.rows("t").contains("\"w\""), "nothing after it runs");
}

#[test]
fn an_error_in_a_transaction_rolls_it_back() {
    let place = Place::with_rows();
    refused(
        &place,
        "BEGIN; INSERT INTO t {\"id\":\"w\"}; PATCH t KEY \"z\" SET {}; COMMIT",
        &["no_such_row"],
    );
    refused(
        &place,
        "BEGIN; INSERT INTO t {\"id\":\"w\"};",
        &["error[transaction]", "COMMIT"],
    );
    refused(&place, "COMMIT", &["error[transaction]"]);
}

#[test]
fn a_newer_format_says_what_to_do() {
    let place = Place::with_rows();
    let newer = r#"{"driftdb":"database","format":2,"created":"2026-01-01T00:00:00.000Z","crc":"6c034ae3"}"#;
    place.file("db/drift.json", format!("{newer}\n"));
    for arguments in [
        &["tables", "-d", "db"][..],
        &["sql", "-d", "db", "-e", "CREATE TABLE n (pk=id)"],
    ] {
        let says = ["error[newer_format]", "db", "format 2", "newer DriftDB"];
        place.run(arguments).fails(5, &says);
    }
}
