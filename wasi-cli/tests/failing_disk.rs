//! Writes that fail: an error, and everything acknowledged before is still there.
#![allow(missing_docs)]
#![cfg(target_os = "linux")]

mod common;

use common::{Place, driftdb};

/// Runs the program where no file may grow beyond so many KiB.
fn with_small_files(place: &Place, kib: u32, arguments: &str) -> std::process::Output {
    let mut shell = std::process::Command::new("bash");
    let script = format!(
        "trap '' XFSZ; ulimit -f {kib}; exec {} {arguments}",
        driftdb().display()
    );
    shell
        .args(["-c", &script])
        .current_dir(place.path())
        .output()
        .unwrap()
}

#[test]
fn a_file_that_cannot_grow_loses_nothing_that_was_acknowledged() {
    let place = Place::with_rows();
    let text = "x".repeat(200);
    let rows: String = (0..10_000)
        .map(|id| format!("{{\"id\":{id},\"text\":\"{text}\"}}\n"))
        .collect();
    place.file("rows.jsonl", rows);
    let output = with_small_files(&place, 600, "import -d db -t t rows.jsonl --batch 100");
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(5), "{said}");
    let (_, kept) = said.split_once("the first ").expect(&said);
    let kept: usize = kept.split(' ').next().unwrap().parse().unwrap();
    assert!(kept >= 1000, "{said}");
    let found = place.rows("t").lines().count() - 2;
    // The batch that failed is not there, or, if only its last step failed, is there as a whole.
    assert!(found == kept || found == kept + 100, "{found} rows, {said}");
    place.ok(&["verify", "-d", "db"]);
    // With room again it goes on.
    place.sql("INSERT INTO t {\"id\": \"after\"}");
    assert_eq!(place.rows("t").lines().count(), found + 3);
}

#[test]
fn one_transaction_that_does_not_fit_leaves_nothing() {
    let place = Place::with_rows();
    let before = place.ok(&["dump", "-d", "db"]);
    let text = "x".repeat(200);
    let rows: String = (0..10_000)
        .map(|id| format!("{{\"id\":{id},\"text\":\"{text}\"}}\n"))
        .collect();
    place.file("rows.jsonl", rows);
    let output = with_small_files(&place, 600, "import -d db -t t rows.jsonl");
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(5), "{said}");
    assert!(said.contains("nothing of the import was kept"), "{said}");
    assert_eq!(place.ok(&["dump", "-d", "db"]), before);
    place.ok(&["verify", "-d", "db"]);
}

#[test]
fn a_directory_without_permission_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::with_rows();
    let set = |mode| {
        let segments = place.path().join("db/tables/t/segments");
        std::fs::set_permissions(segments, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    set(0o000);
    if std::fs::read_dir(place.path().join("db/tables/t/segments")).is_ok() {
        set(0o755);
        return eprintln!("skipped: permissions do not bind this user");
    }
    let run = place.run(&["select", "-d", "db", "-t", "t"]);
    set(0o755);
    run.fails(5, &["error[permission_denied]"]);
    assert_eq!(place.rows("t").lines().count(), 2);
}
