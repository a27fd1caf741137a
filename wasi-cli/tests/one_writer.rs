//! One writer at a time; readers never wait.
#![allow(missing_docs)]

mod common;

use std::io::Write;
use std::process::{Child, ChildStdin, Stdio};
use std::time::{Duration, Instant};

use common::Place;

/// An import that has the database open for writing and waits for more on its standard input; the row `z` is in.
fn importing(place: &Place) -> (Child, ChildStdin) {
    let mut command = place.command(&["import", "-d", "db", "--table", "t", "--batch", "1"]);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let mut import = command.spawn().unwrap();
    let mut input = import.stdin.take().unwrap();
    input.write_all(b"{\"id\":\"z\"}\n").unwrap();
    let started = Instant::now();
    while !place.rows("t").contains("\"z\"") {
        assert!(
            started.elapsed() < Duration::from_secs(120),
            "the row never came"
        );
    }
    (import, input)
}

#[test]
fn a_second_writer_is_told_at_once_and_a_reader_is_served() {
    let place = Place::with_rows();
    let (mut first, input) = importing(&place);
    let insert = [
        "sql",
        "-d",
        "db",
        "-e",
        "SHOW TABLES; UPSERT INTO t {\"id\":\"w\"}",
    ];
    let run = place.run(&insert);
    run.fails(3, &["error[busy]", "open for writing"]);
    assert_eq!(run.out, "", "nothing of a script runs that could not write");
    assert_eq!(place.rows("t").lines().count(), 3);
    drop(input);
    assert!(first.wait().unwrap().success());
    place.ok(&insert);
}

#[cfg(unix)]
#[test]
fn a_killed_writer_leaves_nothing_behind_that_hinders() {
    let place = Place::with_rows();
    let before = place.rows("t");
    let mut command = place.command(&["import", "-d", "db", "--table", "t"]);
    let mut first = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut input = first.stdin.take().unwrap();
    for id in 0..5000 {
        writeln!(input, "{{\"id\":{id}}}").unwrap();
    }
    first.kill().unwrap();
    first.wait().unwrap();
    assert_eq!(place.rows("t"), before);
    place.sql("INSERT INTO t {\"id\":\"after\"}");
    place.ok(&["verify", "-d", "db"]);
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_an_import_in_good_order() {
    let place = Place::with_rows();
    let (mut import, mut input) = importing(&place);
    let id = import.id().to_string();
    let kill = std::process::Command::new("kill")
        .args(["-INT", &id])
        .status();
    assert!(kill.unwrap().success());
    // It looks when a row comes, and ends though there are always more.
    let started = Instant::now();
    for number in 0.. {
        if import.try_wait().unwrap().is_some() {
            break;
        }
        assert!(started.elapsed() < Duration::from_secs(120), "it goes on");
        let _ = writeln!(input, "{{\"id\":\"late{number}\"}}");
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = import.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    assert!(place.rows("t").contains("\"z\""));
    place.ok(&["verify", "-d", "db"]);
}
