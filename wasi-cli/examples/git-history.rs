//! Writes the history of a git repository as event lines for `driftdb load`: one transaction a commit, one row a path.
//!
//! `git-history [REPOSITORY] | driftdb load -d DIR`
//!
//! It follows the first parents of HEAD, oldest commit first, so that the table as of a commit's last event is exactly that
//! commit's tree. Where the history is cut off (a shallow clone), the oldest commit there brings its whole tree.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio};

use driftdb_core::db::eventline::{self, Event, Line, Op};
use driftdb_core::time::Timestamp;
use driftdb_core::value::{Key, Object, Value};

/// The result of everything here.
pub type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

#[allow(dead_code, reason = "a test uses this file as a module")]
fn main() -> ExitCode {
    let repository = std::env::args().nth(1).unwrap_or_else(|| ".".into());
    let mut out = BufWriter::new(io::stdout().lock());
    match write(Path::new(&repository), &mut out) {
        Ok(_) => ExitCode::SUCCESS,
        // Whoever reads has had enough.
        Err(error) if is_broken_pipe(error.as_ref()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("git-history: {error}");
            ExitCode::FAILURE
        }
    }
}

fn is_broken_pipe(error: &(dyn Error + 'static)) -> bool {
    let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
    kind == Some(io::ErrorKind::BrokenPipe)
}

/// A commit that was written.
#[derive(Debug)]
pub struct Commit {
    /// Its name.
    pub id: String,
    /// The committer's time.
    pub time: Timestamp,
    /// How many events it was, together with all before it.
    pub events: u64,
}

/// Writes the history of HEAD to `out`; answers its commits, oldest first.
pub fn write(repository: &Path, out: &mut dyn Write) -> Result<Vec<Commit>> {
    let git = Git(repository);
    let list = git.text(&["rev-list", "--first-parent", "--reverse", "HEAD"])?;
    let mut sizes = Sizes::start(&git)?;
    write_line(&Line::Header, out)?;
    let (table, pk) = ("files".to_owned(), "path".to_owned());
    let index = vec!["blob".to_owned()];
    write_line(&Line::Create { table, pk, index }, out)?;
    let mut commits: Vec<Commit> = Vec::new();
    let mut tree = BTreeMap::new();
    for id in list.lines() {
        let (time, meta) = git.describe(id)?;
        let next = git.tree(id)?;
        let changes = changes(&tree, &next, &mut sizes)?;
        let count = changes.len();
        for (at, (path, op)) in changes.into_iter().enumerate() {
            let event = Event {
                table: "files".into(),
                op,
                key: Some(Key::from_value(&path.into())?),
                seq: None,
                time: Some(time),
                meta: Some(meta.clone()),
                more: at + 1 < count,
            };
            write_line(&Line::Event(event), out)?;
        }
        let before = commits.last().map_or(0, |commit| commit.events);
        let events = before + count as u64;
        let id = id.to_owned();
        commits.push(Commit { id, time, events });
        tree = next;
    }
    out.flush()?;
    Ok(commits)
}

fn write_line(line: &Line, out: &mut dyn Write) -> io::Result<()> {
    let mut text = String::new();
    eventline::write(line, &mut text);
    writeln!(out, "{text}")
}

/// What a path holds: its mode and the id of its blob.
type Entry = (String, String);

/// What turns one tree into the next, in order of paths.
fn changes(
    old: &BTreeMap<String, Entry>,
    new: &BTreeMap<String, Entry>,
    sizes: &mut Sizes,
) -> Result<Vec<(String, Op)>> {
    let mut changes = BTreeMap::new();
    for (path, (mode, blob)) in new {
        let before = old.get(path);
        if before.is_some_and(|entry| *entry == (mode.clone(), blob.clone())) {
            continue;
        }
        let mut row = Object::new();
        if before.is_none() {
            row.insert("path", path.as_str());
        }
        if before.is_none_or(|(_, known)| known != blob) {
            row.insert("blob", blob.as_str());
            row.insert("size", sizes.of(mode, blob)?);
        }
        if before.is_none_or(|(known, _)| known != mode) {
            row.insert("mode", mode.as_str());
        }
        let op = if before.is_none() {
            Op::Insert(row)
        } else {
            Op::Patch(row)
        };
        changes.insert(path.clone(), op);
    }
    for path in old.keys().filter(|path| !new.contains_key(*path)) {
        changes.insert(path.clone(), Op::Delete);
    }
    Ok(changes.into_iter().collect())
}

/// Git, run in a repository.
struct Git<'a>(&'a Path);

impl Git<'_> {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.arg("-C").arg(self.0).args(arguments);
        command
    }

    fn bytes(&self, arguments: &[&str]) -> Result<Vec<u8>> {
        let output = self.command(arguments).stderr(Stdio::inherit()).output()?;
        if !output.status.success() {
            return Err(format!("git {} failed", arguments.join(" ")).into());
        }
        Ok(output.stdout)
    }

    fn text(&self, arguments: &[&str]) -> Result<String> {
        Ok(String::from_utf8_lossy(&self.bytes(arguments)?).into_owned())
    }

    /// A commit's time and what is kept as metadata: by, why, and the commit's name.
    fn describe(&self, id: &str) -> Result<(Timestamp, Object)> {
        let text = self.text(&["show", "-s", "--format=%ct%n%an%n%s%n%b", id])?;
        let mut lines = text.splitn(4, '\n');
        let mut line = || lines.next().unwrap_or_default().trim_end().to_owned();
        let seconds: u64 = line().parse()?;
        let mut meta = Object::new();
        meta.insert("by", line());
        meta.insert("why", line());
        meta.insert("commit", id);
        let body = line();
        if !body.is_empty() {
            meta.insert("body", body);
        }
        Ok((Timestamp(seconds * 1000), meta))
    }

    /// All paths of a commit.
    fn tree(&self, id: &str) -> Result<BTreeMap<String, Entry>> {
        let listing = self.bytes(&["ls-tree", "-r", "-z", "--full-tree", id])?;
        let lines = listing
            .split(|byte| *byte == 0)
            .filter(|line| !line.is_empty());
        lines.map(entry).collect()
    }
}

/// A line of `git ls-tree`: `100644 blob <id>\t<path>`.
fn entry(line: &[u8]) -> Result<(String, Entry)> {
    let line = str::from_utf8(line).map_err(|_| "a path is not UTF-8")?;
    let (head, path) = line.split_once('\t').ok_or("git ls-tree: no path")?;
    let mut words = head.split(' ');
    match (words.next(), words.next(), words.next()) {
        (Some(mode), Some(_), Some(blob)) => Ok((path.into(), (mode.into(), blob.into()))),
        _ => Err("git ls-tree: not a line of it".into()),
    }
}

/// The sizes of blobs, asked of one `git cat-file`.
struct Sizes {
    child: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Sizes {
    fn start(git: &Git<'_>) -> Result<Self> {
        let mut command = git.command(&["cat-file", "--batch-check=%(objectsize)"]);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let questions = child.stdin.take();
        let answers = child.stdout.take().ok_or("git cat-file: no output")?;
        Ok(Sizes {
            child,
            questions,
            answers: BufReader::new(answers),
        })
    }

    /// The size of a blob; null for a submodule, which has none.
    fn of(&mut self, mode: &str, blob: &str) -> Result<Value> {
        if mode == "160000" {
            return Ok(Value::Null);
        }
        let questions = self.questions.as_mut().ok_or("git cat-file: no input")?;
        writeln!(questions, "{blob}")?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        Ok(answer.trim().parse::<u64>()?.into())
    }
}

impl Drop for Sizes {
    fn drop(&mut self) {
        self.questions = None;
        let _ = self.answers.read_to_end(&mut Vec::new());
        let _ = self.child.wait();
    }
}
