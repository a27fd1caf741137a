//! backup, restore, and reading a backup where it lies.
#![allow(missing_docs)]

mod common;

use std::fs;
use std::io::Read;
use std::process::{Command, Stdio};

use common::{Place, is_wasi};

/// A database with a compacted table, one whose name needs escapes, and a row with a history.
fn place() -> Place {
    let place = Place::with_database();
    let long = "Ä".repeat(30);
    place.ok(&[
        "sql",
        "-d",
        "db",
        "--now",
        "2026-01-02",
        "-e",
        &format!(
            "CREATE TABLE t (pk=id, INDEX(a)); CREATE TABLE `{long}` (pk=id); CREATE TABLE c (pk=id);
             INSERT INTO t {{\"id\": 1, \"a\": \"x\"}}; PATCH t KEY 1 SET {{\"a\": \"y\"}};
             BEGIN; INSERT INTO `{long}` {{\"id\": 1}}; INSERT INTO c {{\"id\": 1}}; COMMIT;
             UPSERT INTO c {{\"id\": 1, \"n\": 2}}; COMPACT c"
        ),
    ]);
    place
}

fn bytes(place: &Place, name: &str) -> Vec<u8> {
    fs::read(place.path().join(name)).unwrap()
}

/// Every reading command answers the same on both.
#[track_caller]
fn same_answers(place: &Place, one: &str, two: &str) {
    for arguments in [
        &["select", "-t", "t"][..],
        &["select", "-t", "t", "--as-of", "@seq:1"],
        &["select", "-t", "c", "--as-of", "@seq:3"],
        &["drift", "-t", "t", "-k", "1"],
        &[
            "sql",
            "-e",
            "SELECT id FROM t WHERE a = 'y'; SHOW TABLES; DIFF t FROM '@seq:1' TO '@seq:2'",
        ],
        &["describe", "-t", "c"],
        &["tables"],
        &["export", "-t", "t"],
        &["dump"],
        &["verify"],
    ] {
        let ask = |dir: &str| {
            let (command, rest) = arguments.split_first().unwrap();
            let run = place.run(&[&[command, "-d", dir], rest].concat());
            (run.status, run.out)
        };
        // What describes files is of each its own.
        match arguments[0] {
            "describe" => assert_eq!(ask(one).0, ask(two).0, "{arguments:?}"),
            _ => assert_eq!(ask(one), ask(two), "{arguments:?}"),
        }
    }
}

#[test]
fn there_and_back() {
    let place = place();
    let said = place.ok(&["backup", "-d", "db", "db.drift"]);
    assert_eq!(said, "db.drift: up to @seq:5, 2026-01-02T00:00:00.000Z\n");
    same_answers(&place, "db", "db.drift");
    let said = place.ok(&["restore", "db.drift", "-d", "new/copy"]);
    assert_eq!(
        said,
        "restored into new/copy: up to @seq:5, 2026-01-02T00:00:00.000Z\n"
    );
    same_answers(&place, "db", "new/copy");
    for (from, to) in [
        ("new/copy", "again.drift"),
        ("db.drift", "backup-of 12:30.drift"),
    ] {
        place.ok(&["backup", "-d", from, to]);
        assert!(bytes(&place, to) == bytes(&place, "db.drift"), "{from}");
    }
    place.ok(&["sql", "-d", "new/copy", "-e", "INSERT INTO t {\"id\": 2}"]);
    place.ok(&["verify", "-d", "new/copy"]);
}

#[test]
fn through_pipes() {
    let place = place();
    place.ok(&["backup", "-d", "db", "db.drift"]);
    let mut backup = place.command(&["backup", "-d", "db", "-"]);
    let output = backup.output().unwrap();
    assert!(output.status.success());
    assert!(output.stdout == bytes(&place, "db.drift"));
    assert!(output.stderr.is_empty());
    let run = place.run_with(&["restore", "-", "-d", "copy"], &output.stdout);
    assert_eq!(run.status, 0, "{run:?}");
    same_answers(&place, "db", "copy");
}

#[test]
fn a_closed_pipe_is_no_panic() {
    let place = Place::with_database();
    let text = "x".repeat(100_000);
    for id in 0..30 {
        place.sql(&format!("CREATE TABLE IF NOT EXISTS t (pk=id); INSERT INTO t {{\"id\": {id}, \"text\": \"{text}\"}}"));
    }
    let mut command = place.command(&["backup", "-d", "db", "-"]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut some = [0; 100];
    child.stdout.take().unwrap().read_exact(&mut some).unwrap();
    let output = child.wait_with_output().unwrap();
    let closed = if is_wasi() { 41 } else { 141 };
    assert_eq!(output.status.code(), Some(closed));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

/// Any tar program reads it, and what it writes is a database.
#[test]
fn a_plain_tar_file() {
    let place = place();
    place.ok(&["backup", "-d", "db", "db.drift"]);
    let tar = |arguments: &[&str]| {
        let mut command = Command::new("tar");
        let output = command
            .args(arguments)
            .current_dir(place.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        assert!(output.stderr.is_empty(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let names = tar(&["-tf", "db.drift"]);
    let names: Vec<&str> = names.lines().collect();
    assert_eq!(
        (names.first(), names.last()),
        (Some(&"drift.json"), Some(&"backup.json"))
    );
    assert!(names.contains(&"tables/t/segments/00000001.seg"));
    fs::create_dir(place.path().join("out")).unwrap();
    tar(&["-xf", "db.drift", "-C", "out"]);
    same_answers(&place, "db", "out");
    place.ok(&["backup", "-d", "out", "out.drift"]);
    assert!(bytes(&place, "out.drift") == bytes(&place, "db.drift"));
}

#[test]
fn nothing_is_overwritten() {
    let place = place();
    place.file("there", "kept");
    place
        .run(&["backup", "-d", "db", "there"])
        .fails(5, &["there exists already", "--force"]);
    assert_eq!(place.read("there"), "kept");
    place.ok(&["backup", "-d", "db", "there", "--force"]);
    place
        .run(&["restore", "there", "-d", "db"])
        .fails(5, &["database_exists", "db"]);
    fs::create_dir(place.path().join("full")).unwrap();
    place.file("full/x", "kept");
    place
        .run(&["restore", "there", "-d", "full"])
        .fails(5, &["full", "not empty"]);
    assert_eq!(fs::read_dir(place.path().join("full")).unwrap().count(), 1);
    place
        .run(&["restore", "there", "-d", "there"])
        .fails(5, &[]);
}

#[test]
fn a_bad_backup_leaves_nothing() {
    let place = place();
    place.ok(&["backup", "-d", "db", "db.drift"]);
    let good = bytes(&place, "db.drift");
    let mut flipped = good.clone();
    let at = good.len() - 4000;
    flipped[at] ^= 1;
    place.file("flipped", &flipped);
    place.file("cut", &good[..good.len() - 2000]);
    place.file("text", "id,name\n1,Ann\n");
    for (name, status, says) in [
        ("flipped", 4, "offset"),
        ("cut", 4, "offset"),
        ("text", 5, "no backup"),
    ] {
        place
            .run(&["restore", name, "-d", "copy"])
            .fails(status, &[name, says]);
        assert!(!place.path().join("copy").exists(), "{name}");
        place
            .run(&["verify", "-d", name])
            .fails(status, &[name, says]);
    }
    place
        .run(&["restore", "nothing", "-d", "copy"])
        .fails(5, &["nothing"]);
    place
        .run(&["backup", "-d", "nothing", "x"])
        .fails(5, &["nothing"]);
    assert!(!place.path().join("x").exists());
    fs::create_dir(place.path().join("empty")).unwrap();
    place.run(&["restore", "cut", "-d", "empty"]).fails(4, &[]);
    place.ok(&["restore", "db.drift", "-d", "empty"]);
    same_answers(&place, "db", "empty");
}

#[test]
fn a_backup_is_only_read() {
    let place = place();
    place.ok(&["backup", "-d", "db", "db.drift"]);
    let before = bytes(&place, "db.drift");
    let insert = ["sql", "-d", "db.drift", "-e", "INSERT INTO t {\"id\": 9}"];
    place
        .run(&insert)
        .fails(1, &["read_only", "driftdb restore db.drift"]);
    place
        .run(&["compact", "-d", "db.drift", "-t", "t"])
        .fails(1, &["read_only"]);
    assert!(bytes(&place, "db.drift") == before);
}
