//! What the tests of the command line share: a directory of their own, the program run in it, and what came of that.
#![allow(dead_code, reason = "every test uses a part of it")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The program under test: the native one, or what DRIFTDB_PROGRAM names, as `.ci/test` does for the program under WASI.
pub fn driftdb() -> PathBuf {
    let native = || PathBuf::from(env!("CARGO_BIN_EXE_driftdb"));
    std::env::var_os("DRIFTDB_PROGRAM").map_or_else(native, PathBuf::from)
}

/// Whether the program under test is the one under WASI.
pub fn is_wasi() -> bool {
    std::env::var_os("DRIFTDB_PROGRAM").is_some()
}

/// A directory that is gone after the test.
pub struct Place {
    dir: tempfile::TempDir,
}

/// What a run of the program came to.
#[derive(Debug)]
pub struct Run {
    pub status: i32,
    pub out: String,
    pub err: String,
}

impl Place {
    /// An empty directory.
    pub fn empty() -> Self {
        Place {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    /// A directory with an empty database `db`.
    pub fn with_database() -> Self {
        let place = Place::empty();
        place.ok(&["init", "db"]);
        place
    }

    /// A directory with a database `db` that has a table `t` of two rows.
    pub fn with_rows() -> Self {
        let place = Place::with_database();
        place.sql("CREATE TABLE t (pk=id, INDEX(a)); INSERT INTO t {\"id\":\"x\",\"a\":1}, {\"id\":\"y\",\"a\":2}");
        place
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// A file in the directory, written.
    pub fn file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// A file of the directory, read.
    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path().join(name)).unwrap()
    }

    /// The program, to be run in the directory with nothing of the environment that it looks at.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(driftdb());
        command
            .args(arguments)
            .current_dir(self.path())
            .stdin(Stdio::null());
        for name in [
            "DRIFTDB_DIR",
            "DRIFTDB_FORMAT",
            "NO_COLOR",
            "CLICOLOR_FORCE",
        ] {
            command.env_remove(name);
        }
        command
    }

    /// Runs the program.
    pub fn run(&self, arguments: &[&str]) -> Run {
        Run::of(self.command(arguments).output().unwrap())
    }

    /// Runs the program with this on its standard input.
    pub fn run_with(&self, arguments: &[&str], input: &[u8]) -> Run {
        let mut command = self.command(arguments);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        std::thread::scope(|scope| {
            // The program may stop reading before the end.
            scope.spawn(move || drop(stdin.write_all(input)));
            Run::of(child.wait_with_output().unwrap())
        })
    }

    /// Runs the program, which must succeed, and gives its output.
    pub fn ok(&self, arguments: &[&str]) -> String {
        let run = self.run(arguments);
        assert_eq!(run.status, 0, "{arguments:?}: {run:?}");
        run.out
    }

    /// Runs statements, which must succeed, and gives the rows as JSON Lines.
    pub fn sql(&self, text: &str) -> String {
        self.ok(&["sql", "-d", "db", "-e", text])
    }

    /// Runs statements.
    pub fn try_sql(&self, text: &str) -> Run {
        self.run(&["sql", "-d", "db", "-e", text])
    }

    /// The rows of a table as JSON Lines.
    pub fn rows(&self, table: &str) -> String {
        self.ok(&["select", "-d", "db", "--table", table])
    }
}

impl Run {
    /// What a finished process came to.
    pub fn of(output: std::process::Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Run {
            status: status(&output.status),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }

    /// Asserts a failure with this status whose message holds all of these.
    #[track_caller]
    pub fn fails(&self, status: i32, says: &[&str]) {
        assert_eq!(self.status, status, "{self:?}");
        for part in says {
            assert!(self.err.contains(part), "no {part:?} in:\n{}", self.err);
        }
        assert!(!self.err.contains("panicked"), "{}", self.err);
    }
}

/// The exit status as a shell gives it: 128 and more for a signal.
#[cfg(unix)]
fn status(status: &std::process::ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status
        .code()
        .or(status.signal().map(|signal| 128 + signal))
        .unwrap()
}

#[cfg(not(unix))]
fn status(status: &std::process::ExitStatus) -> i32 {
    status.code().unwrap()
}
