//! Exit statuses, the streams that messages go to, and closed pipes.
#![allow(missing_docs)]

mod common;

use std::process::Stdio;

use common::{Place, is_wasi};

#[test]
fn the_documented_statuses() {
    let place = Place::with_rows();
    assert_eq!(place.run(&["tables", "-d", "db"]).status, 0);
    assert_eq!(place.run(&["--version"]).status, 0);
    assert_eq!(place.try_sql("SELECT").status, 1);
    assert_eq!(place.run(&["tables"]).status, 2);
    assert_eq!(place.run(&["frobnicate"]).status, 2);
    assert_eq!(place.run(&["tables", "-d", "none"]).status, 5);
    let run = place.run(&["sql", "-d", "db", "-e", "SELECT 1", "-e", "x", "-p", "1"]);
    run.fails(2, &["--param"]);
}

#[test]
fn damage_has_a_status_of_its_own() {
    let place = Place::with_rows();
    let said = place.ok(&["verify", "-d", "db"]);
    assert!(said.contains("ok"), "{said}");
    let segment = place.path().join("db/tables/t/segments/00000001.seg");
    let mut bytes = std::fs::read(&segment).unwrap();
    let at = bytes.windows(2).position(|pair| pair == b"id").unwrap();
    bytes[at] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    let run = place.run(&["verify", "-d", "db"]);
    assert_eq!(run.status, 4, "{run:?}");
    let said = run.out + &run.err;
    assert!(said.contains("00000001.seg"), "{said}");
}

#[test]
fn help_names_commands_statuses_and_examples() {
    let place = Place::empty();
    let help = place.ok(&["--help"]);
    for part in [
        "init",
        "sql",
        "select",
        "drift",
        "import",
        "verify",
        "Exit status:",
        "141",
    ] {
        assert!(help.contains(part), "no {part} in\n{help}");
    }
    for command in [
        "sql", "select", "drift", "import", "export", "dump", "load", "compact", "init",
    ] {
        let help = place.ok(&[command, "--help"]);
        assert!(help.contains("Example"), "{command}: no example in\n{help}");
    }
}

#[test]
fn errors_go_to_standard_error_and_colours_only_where_asked() {
    let place = Place::with_rows();
    let run = place.try_sql("SELECT * FROM nope");
    assert_eq!(run.out, "");
    assert!(
        run.err.starts_with("error[unknown_table]: ") && !run.err.contains('\u{1b}'),
        "{run:?}"
    );
    let run = place.run(&[
        "--color",
        "always",
        "sql",
        "-d",
        "db",
        "-e",
        "SELECT * FROM nope",
    ]);
    assert!(run.err.contains('\u{1b}'), "{run:?}");
}

#[test]
fn a_closed_pipe_is_a_quiet_end() {
    let closed = if is_wasi() { 41 } else { 141 };
    let place = Place::with_database();
    let rows: String = (0..20_000)
        .map(|id| format!("{{\"id\":{id},\"text\":\"some text\"}}\n"))
        .collect();
    place.run_with(
        &["import", "-d", "db", "-t", "t", "--create", "id"],
        rows.as_bytes(),
    );
    for format in ["table", "json", "jsonl", "csv"] {
        let mut command = place.command(&["select", "-d", "db", "-t", "t", "-F", format]);
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(closed), "{format}: {output:?}");
        assert_eq!(output.stderr, b"", "{format}");
    }
    for arguments in [
        &["dump", "-d", "db"][..],
        &["export", "-d", "db", "-t", "t"],
    ] {
        let mut child = place
            .command(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(
            (output.status.code(), output.stderr.len()),
            (Some(closed), 0),
            "{arguments:?}"
        );
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_under_the_output_is_an_error() {
    let place = Place::with_rows();
    let full = std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let mut command = place.command(&["select", "-d", "db", "-t", "t"]);
    let output = command
        .stdout(full)
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(5), "{output:?}");
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("error[storage_full]"),
        "{output:?}"
    );
}
