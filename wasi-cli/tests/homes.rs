//! A native program and one under WASI on one directory: who may write, what a killed one leaves behind, and the same bytes from both.
//!
//! `.ci/test-wasi` runs these tests, with DRIFTDB_PROGRAM naming the program under WASI.
#![allow(missing_docs)]
#![cfg(unix)]

mod common;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use common::{Place, Run, driftdb};
use driftdb_core::sorted::{BlockCache, SortedTable};
use driftdb_core::storage::{Access, MemoryStore, Store};

const NATIVE: &str = env!("CARGO_BIN_EXE_driftdb");

/// The program in one of its homes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Home {
    Native,
    Wasi,
}

use Home::{Native, Wasi};

impl Home {
    fn command(self, place: &Place, arguments: &[&str]) -> Command {
        let program = match self {
            Native => PathBuf::from(NATIVE),
            Wasi => {
                let program = driftdb();
                assert_ne!(
                    program,
                    Path::new(NATIVE),
                    "DRIFTDB_PROGRAM has to name the program under WASI"
                );
                program
            }
        };
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(place.path())
            .stdin(Stdio::null());
        command
    }

    fn run(self, place: &Place, arguments: &[&str]) -> Run {
        Run::of(self.command(place, arguments).output().unwrap())
    }

    fn ok(self, place: &Place, arguments: &[&str]) -> String {
        let run = self.run(place, arguments);
        assert_eq!(run.status, 0, "{self:?} {arguments:?}: {run:?}");
        run.out
    }

    /// Starts an import that commits row by row, and waits for the first row to be in.
    fn importing(self, place: &Place, first: &str) -> (Child, ChildStdin) {
        let mut command = self.command(place, &["import", "-d", "db", "-t", "t", "--batch", "1"]);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        writeln!(input, "{{\"id\":\"{first}\"}}").unwrap();
        let started = Instant::now();
        while !Native
            .ok(place, &["select", "-d", "db", "-t", "t"])
            .contains(first)
        {
            assert!(
                started.elapsed() < Duration::from_secs(120),
                "the row never came"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        (child, input)
    }
}

fn insert(id: &str) -> [String; 5] {
    [
        "sql",
        "-d",
        "db",
        "-e",
        &format!("INSERT INTO t {{\"id\":\"{id}\"}}"),
    ]
    .map(String::from)
}

fn write(home: Home, place: &Place, id: &str, force: bool) -> Run {
    let statement = insert(id);
    let mut arguments: Vec<&str> = statement.iter().map(String::as_str).collect();
    if force {
        arguments.push("--break-lock");
    }
    home.run(place, &arguments)
}

fn ids(place: &Place) -> Vec<String> {
    let rows = Native.ok(
        place,
        &["select", "-d", "db", "-t", "t", "-c", "id", "-F", "csv"],
    );
    rows.lines().skip(1).map(String::from).collect()
}

fn verify(place: &Place) {
    for home in [Native, Wasi] {
        let said = home.ok(place, &["verify", "-d", "db"]);
        assert!(said.starts_with("ok: "), "{said}");
    }
}

fn database() -> Place {
    let place = Place::empty();
    Native.ok(&place, &["init", "db"]);
    Native.ok(&place, &["sql", "-d", "db", "-e", "CREATE TABLE t (pk=id)"]);
    place
}

#[test]
#[ignore = "needs the program under WASI: .ci/test-wasi runs it"]
fn while_one_writes_the_other_may_read_and_not_write() {
    for (first, second) in [(Native, Wasi), (Wasi, Native), (Wasi, Wasi)] {
        let place = database();
        let (mut child, input) = first.importing(&place, "a");
        write(second, &place, "x", false).fails(3, &["error[busy]", "open for writing elsewhere"]);
        assert!(
            second
                .ok(&place, &["select", "-d", "db", "-t", "t"])
                .contains("\"a\"")
        );
        drop(input);
        assert!(child.wait().unwrap().success());
        assert_eq!(
            write(second, &place, "b", false).status,
            0,
            "{first:?}, {second:?}"
        );
        assert_eq!(ids(&place), ["a", "b"]);
        verify(&place);
    }
}

#[test]
#[ignore = "needs the program under WASI: .ci/test-wasi runs it"]
fn a_killed_native_writer_hinders_no_native_one_and_says_so_under_wasi() {
    let place = database();
    let (mut child, _input) = Native.importing(&place, "a");
    child.kill().unwrap();
    child.wait().unwrap();
    write(Wasi, &place, "x", false).fails(3, &["a native program, process", "--break-lock"]);
    assert_eq!(write(Native, &place, "b", false).status, 0);
    assert_eq!(write(Wasi, &place, "c", false).status, 0);
    assert_eq!(ids(&place), ["a", "b", "c"]);
    verify(&place);
}

#[test]
#[ignore = "needs the program under WASI: .ci/test-wasi runs it"]
fn a_killed_writer_under_wasi_is_declared_dead_by_hand() {
    for next in [Native, Wasi] {
        let place = database();
        let (mut child, _input) = Wasi.importing(&place, "a");
        child.kill().unwrap();
        child.wait().unwrap();
        write(next, &place, "x", false).fails(3, &["a wasi program", "--break-lock"]);
        assert!(
            next.ok(&place, &["select", "-d", "db", "-t", "t"])
                .contains("\"a\""),
            "readers wait for nobody"
        );
        assert_eq!(write(next, &place, "b", true).status, 0);
        assert_eq!(write(next, &place, "c", false).status, 0);
        assert_eq!(ids(&place), ["a", "b", "c"]);
        verify(&place);
    }
}

/// The lock of a writer that lives is broken: it finds out before it writes.
#[test]
#[ignore = "needs the program under WASI: .ci/test-wasi runs it"]
fn a_writer_whose_lock_was_broken_writes_nothing_more() {
    for (first, second) in [(Native, Wasi), (Wasi, Native), (Wasi, Wasi)] {
        let place = database();
        let (child, mut input) = first.importing(&place, "a");
        assert_eq!(write(second, &place, "b", true).status, 0);
        let _ = input.write_all(b"{\"id\":\"late\"}\n");
        drop(input);
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(5), "{first:?}: {said}");
        assert!(said.contains("error[conflict]"), "{said}");
        assert_eq!(ids(&place), ["a", "b"]);
        assert_eq!(
            write(first, &place, "c", false).status,
            0,
            "a released lock stays released"
        );
        verify(&place);
    }
}

#[test]
#[ignore = "needs the program under WASI: .ci/test-wasi runs it"]
fn of_many_at_once_each_writes_or_is_refused() {
    let place = database();
    let mut children = Vec::new();
    for number in 0..12 {
        let home = if number % 3 == 0 { Native } else { Wasi };
        let statement = insert(&format!("n{number}"));
        let arguments: Vec<&str> = statement.iter().map(String::as_str).collect();
        children.push((
            number,
            home.command(&place, &arguments)
                .stderr(Stdio::null())
                .spawn()
                .unwrap(),
        ));
    }
    let mut written = Vec::new();
    for (number, mut child) in children {
        match child.wait().unwrap().code() {
            Some(0) => written.push(format!("n{number}")),
            code => assert_eq!(code, Some(3)),
        }
    }
    written.sort();
    assert!(!written.is_empty());
    assert_eq!(ids(&place), written);
    verify(&place);
}

/// Written in turns, each writer killed at some moment: what is there is always a beginning of what was written, never shorter than what was
/// seen before, and every past moment is what it was.
#[test]
#[ignore = "needs the program under WASI: .ci/test-wasi runs it"]
fn written_in_turns_and_killed_it_stays_right() {
    const BATCH: usize = 5;
    let rounds = if std::env::var("DRIFTDB_HUNT").is_ok_and(|hunt| hunt == "long") {
        200
    } else {
        10
    };
    let place = database();
    let (mut seen, mut state, mut kills) = (0_usize, 17_u64, 0);
    for round in 0..rounds {
        let home = if round % 2 == 0 { Native } else { Wasi };
        let mut command = home.command(
            &place,
            &[
                "import",
                "-d",
                "db",
                "-t",
                "t",
                "--batch",
                "5",
                "--break-lock",
            ],
        );
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        let rows: String = (seen..seen + 40_000)
            .map(|id| format!("{{\"id\":{id},\"text\":\"{}\"}}\n", "x".repeat(id % 300)))
            .collect();
        let feeder = std::thread::spawn(move || drop(input.write_all(rows.as_bytes())));
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        // Long enough to have started, now and then too short.
        let patience = if home == Wasi { 300 } else { 5 } + (state >> 33) % 200;
        std::thread::sleep(Duration::from_millis(patience));
        child.kill().unwrap();
        let output = child.wait_with_output().unwrap();
        feeder.join().unwrap();
        if output.status.code().is_none() {
            kills += 1;
        } else {
            assert!(
                output.status.success(),
                "{home:?}: {}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
        let other = if home == Native { Wasi } else { Native };
        let found = other.ok(
            &place,
            &[
                "sql",
                "-d",
                "db",
                "-e",
                "SELECT COUNT(*) AS n, MIN(id) AS low, MAX(id) AS high FROM t",
                "-F",
                "csv",
            ],
        );
        let row: Vec<usize> = found
            .lines()
            .nth(1)
            .unwrap()
            .split(',')
            .map(|n| n.parse().unwrap_or(0))
            .collect();
        let [count, low, high] = row[..] else {
            panic!("{found}")
        };
        assert!(
            count >= seen && count % BATCH == 0,
            "round {round}: {count} rows after {seen}"
        );
        assert!(
            low == 0 && (count == 0 || high == count - 1),
            "round {round}: not a beginning: {found}"
        );
        seen = count;
    }
    assert!(kills > rounds / 2, "{kills} of {rounds} were killed");
    assert!(seen > 0);
    Native.ok(
        &place,
        &[
            "sql",
            "-d",
            "db",
            "--break-lock",
            "-e",
            "UPSERT INTO t {\"id\": 0, \"text\": \"last\"}",
        ],
    );
    verify(&place);
    for point in [1, seen / 3, seen / 2, seen] {
        let query = format!("SELECT COUNT(*) AS n FROM t AS OF \"@seq:{point}\"");
        for home in [Native, Wasi] {
            let found = home.ok(&place, &["sql", "-d", "db", "-e", &query, "-F", "csv"]);
            assert_eq!(
                found.lines().nth(1),
                Some(point.to_string().as_str()),
                "{home:?} {query}"
            );
        }
    }
    println!("{seen} rows in {rounds} rounds, {kills} of them killed");
}

fn files(dir: &Path, base: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, base, found);
        } else {
            let name = path
                .strip_prefix(base)
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned();
            found.insert(name, std::fs::read(&path).unwrap());
        }
    }
}

/// Makes the database of `tests/same` at given times; `alternate` gives the home of each step.
fn make(place: &Place, home: impl Fn(usize) -> Home) -> BTreeMap<String, Vec<u8>> {
    let same = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/same");
    let steps = std::fs::read_to_string(same.join("steps")).unwrap();
    for file in std::fs::read_dir(&same).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), place.path().join(file.file_name())).unwrap();
    }
    // Enough of it for index runs, merges and a snapshot.
    let rows: String = (0..40_000)
        .map(|id| {
            format!(
                "{{\"id\":{id},\"group\":\"g{}\",\"amount\":{}.5}}\n",
                id % 97,
                id % 1000
            )
        })
        .collect();
    place.file("rows.jsonl", rows);
    for (number, line) in steps
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .enumerate()
    {
        let arguments: Vec<&str> = line.split(' ').collect();
        home(number).ok(place, &arguments);
    }
    let mut found = BTreeMap::new();
    files(
        &place.path().join("db"),
        &place.path().join("db"),
        &mut found,
    );
    found
}

fn is_truth(name: &str) -> bool {
    name == "drift.json" || name.ends_with("schema.yaml") || name.ends_with(".seg")
}

/// The truth as `sha256sum` lists it.
fn sums(place: &Place, found: &BTreeMap<String, Vec<u8>>) -> String {
    let names = found.keys().filter(|name| is_truth(name));
    let output = Command::new("sha256sum")
        .args(names)
        .current_dir(place.path().join("db"))
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// The same steps at the same given times: the truth to the byte as the repository's list has it, natively, under WASI and step by step in
/// turns; meta.json too, and every sorted file holds the same entries.
#[test]
#[ignore = "needs the program under WASI: .ci/test-wasi runs it"]
fn the_same_statements_make_the_same_bytes() {
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/same/truth.sha256");
    let native_place = Place::empty();
    let native = make(&native_place, |_| Native);
    if std::env::var_os("DRIFTDB_SAME_BLESS").is_some() {
        std::fs::write(&list, sums(&native_place, &native)).unwrap();
    }
    let expected = std::fs::read_to_string(&list).unwrap();
    assert!(expected.lines().count() >= 6, "{expected}");
    assert_eq!(sums(&native_place, &native), expected, "native");
    let homes: [fn(usize) -> Home; 2] =
        [|_| Wasi, |step| if step % 2 == 0 { Wasi } else { Native }];
    for home in homes {
        let place = Place::empty();
        let found = make(&place, home);
        assert_eq!(sums(&place, &found), expected, "under WASI");
        assert_eq!(
            found.keys().collect::<Vec<_>>(),
            native.keys().collect::<Vec<_>>()
        );
        let mut compared = 0;
        for (name, bytes) in &native {
            match name.rsplit_once('.') {
                Some((_, "idx" | "snap")) => {
                    let (one, other) = (entries(bytes), entries(&found[name]));
                    assert!(one == other, "{name}: other entries");
                    compared += one.len();
                }
                _ if name == "LOCK" => {}
                _ => assert_eq!(found[name], *bytes, "{name}"),
            }
        }
        assert!(compared > 80_000, "only {compared} entries of sorted files");
        verify(&place);
    }
}

/// All entries of a sorted file, which may be compressed by another encoder.
fn entries(bytes: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let store = MemoryStore::new();
    store.replace("file", bytes).unwrap();
    let blob = store.open("file", Access::Read).unwrap().unwrap();
    let table = SortedTable::open(blob, "file", BlockCache::new(1 << 20)).unwrap();
    let mut cursor = table.read_once().unwrap();
    let mut entries = Vec::new();
    while cursor.valid() {
        entries.push((cursor.key().to_vec(), cursor.value_ref().to_vec()));
        cursor.advance().unwrap();
    }
    entries
}
